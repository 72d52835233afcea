"""What can be done to bytes, by stratum: every field, every bit, every length."""

from collections.abc import Iterator, Mapping, Sequence
from random import Random
from typing import Final

from devices.hub.session.records import HEAD
from devices.hub.session.wire import MAX_RECORD

TAG: Final = 16
_RANDOM: Final = 128
"""Tries of a stratum that has no end."""

Strata = Mapping[str, Sequence[bytes]]


def record_strata(record: bytes, others: Sequence[bytes], random: Random) -> dict[str, list[bytes]]:
    """Every way to alter a record of somebody who has no key.

    Args:
        others: records of the same stream, for splicing.
    """
    body, tag = HEAD.size, len(record) - TAG
    strata = {
        "stream byte": [_with_byte(record, 0, value) for value in range(256)],
        "epoch byte": [_with_byte(record, 1, value) for value in range(256)],
        "number": [*_flips(record, 2, body), *_numbers(record, random)],
        "ciphertext bits": list(_flips(record, body, tag)),
        "tag bits": list(_flips(record, tag, len(record))),
        "bytes": [_bytes(record, random) for _ in range(_RANDOM)],
        "cut": [record[:size] for size in range(len(record))] + [record[at:] for at in range(1, len(record))],
        "extended": [record + random.randbytes(size) for size in range(1, MAX_RECORD - len(record) + 20)],
        "parts swapped": [_swapped(record, random) for _ in range(_RANDOM)],
        "spliced": [spliced for other in others for spliced in _spliced(record, other)],
        "noise": [record[:body] + random.randbytes(len(record) - body) for _ in range(_RANDOM)],
    }
    return {name: [one for one in made if one != record] for name, made in strata.items()}


MESSAGE_KINDS: Final = ("bits", "bytes", "cut", "extended", "parts swapped")


def ways(kind: str, size: int) -> int:
    """How many there are to alter a message of so many bytes."""
    return {"bits": size * 8, "cut": size - 1, "extended": 19}.get(kind, _RANDOM)


def altered(message: bytes, kind: str, n: int, random: Random) -> bytes:
    """The nth way to alter a message whose bytes all count."""
    while True:
        match kind:
            case "bits":
                changed = next(_flips(message, 0, len(message), n % (len(message) * 8)))
            case "cut":
                changed = message[: 1 + n % (len(message) - 1)]
            case "extended":
                changed = message + random.randbytes(1 + n)
            case "bytes":
                changed = _bytes(message, random)
            case _:
                changed = _swapped(message, random)
        if changed != message:
            return changed


def message_strata(message: bytes, random: Random) -> dict[str, list[bytes]]:
    """Every way to alter a message whose bytes all count."""
    size = len(message)
    return {kind: [altered(message, kind, n, random) for n in range(ways(kind, size))] for kind in MESSAGE_KINDS}


def sampled(strata: Strata, random: Random, most: int | None) -> Iterator[tuple[str, bytes]]:
    """So many of each stratum; all of them with None."""
    for name, made in strata.items():
        chosen = made if most is None or len(made) <= most else random.sample(made, most)
        for one in chosen:
            yield name, one


def _flips(data: bytes, begin: int, end: int, first: int = 0) -> Iterator[bytes]:
    for bit in range(begin * 8 + first, end * 8):
        flipped = bytearray(data)
        flipped[bit // 8] ^= 1 << bit % 8
        yield bytes(flipped)


def _with_byte(data: bytes, at: int, value: int) -> bytes:
    return data[:at] + bytes((value,)) + data[at + 1 :]


def _numbers(record: bytes, random: Random) -> Iterator[bytes]:
    first, epoch, number = HEAD.unpack_from(record)
    for wanted in (number + 1, number + 2, number + 256, 0xFFFF_FFFF, *(random.getrandbits(32) for _ in range(32))):
        yield HEAD.pack(first, epoch, wanted & 0xFFFF_FFFF) + record[HEAD.size :]


def _bytes(data: bytes, random: Random) -> bytes:
    changed = bytearray(data)
    for _ in range(random.randint(1, 8)):
        changed[random.randrange(len(changed))] = random.randrange(256)
    return bytes(changed)


def _swapped(data: bytes, random: Random) -> bytes:
    a, b = sorted(random.sample(range(len(data) + 1), 2))
    return data[:a] + data[b:] + data[a:b]


def _spliced(record: bytes, other: bytes) -> Iterator[bytes]:
    """The head of one with the body of the other, and bodies and tags of both."""
    head, tag = HEAD.size, TAG
    yield record[:head] + other[head:]
    yield other[:head] + record[head:]
    yield record[:-tag] + other[-tag:]
    yield other[:-tag] + record[-tag:]
    yield record[:head] + other[head:-tag] + record[-tag:]
