"""Long messages in short values: one head byte, then bytes.

Bit 7: more of this message follows. Bit 6: it begins here. Bits 0–3: the handshake's message number, otherwise 0.
"""

from collections.abc import Collection

from devices.hub.session.errors import SegmentRefused
from devices.hub.session.wire import FIRST, KIND, MORE


def split(message: bytes, room: int, kind: int = 0) -> list[bytes]:
    """The values that carry `message`, each of `room` bytes at most. Raises ValueError for an empty one or no room."""
    if not message or room < 2 or kind & ~KIND:
        raise ValueError(f"{len(message)} bytes of kind {kind} in {room}")
    step = room - 1
    parts = [message[at : at + step] for at in range(0, len(message), step)]
    heads = [kind | MORE] * (len(parts) - 1) + [kind]
    heads[0] |= FIRST
    return [bytes((head,)) + part for head, part in zip(heads, parts, strict=True)]


class Joiner:
    """Puts segments together again. Holds `limit` bytes at most.

    Args:
        kinds: what bits 0–3 may say.
    """

    def __init__(self, limit: int, kinds: Collection[int] = (0,)) -> None:
        self._limit = limit
        self._kinds = frozenset(kinds)
        self._kind = -1
        self._next: int | None = None
        self._parts = bytearray()

    def add(self, segment: bytes, number: int | None = None) -> tuple[int, bytes] | None:
        """The kind and the bytes of the message that is whole with this segment; None while more follows.

        A segment that begins a message drops what was gathered of another.

        Args:
            number: number of the record that carried it. Those of one message follow each other without a gap, so that
                a message is never put together from what is left when a part was lost.

        Raises:
            SegmentRefused: too short, too long in all, or out of place. What was gathered is dropped.
        """
        kind, gathered, expected = self._kind, self._parts, self._next
        self._drop()
        if len(segment) < 2:
            raise SegmentRefused("it is empty")
        head = segment[0]
        if head & ~(MORE | FIRST | KIND) or head & KIND not in self._kinds:
            raise SegmentRefused(f"its head is {head:#04x}")
        if head & FIRST:
            kind, gathered = head & KIND, bytearray()
        elif kind != head & KIND or number != expected:
            raise SegmentRefused("it is out of place")
        if len(gathered) + len(segment) - 1 > self._limit:
            raise SegmentRefused(f"the message is longer than {self._limit} bytes")
        gathered += segment[1:]
        if not head & MORE:
            return kind, bytes(gathered)
        self._kind, self._parts, self._next = kind, gathered, None if number is None else number + 1
        return None

    def _drop(self) -> None:
        self._kind, self._parts, self._next = -1, bytearray(), None
