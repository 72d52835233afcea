"""The hub's journal: entries chained by their hashes, so that none can be changed or left out unseen."""

import hashlib
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Final

import msgspec

from core.model import cbor
from core.model.cose import KID_BYTES
from core.model.strict_cbor import CborRefused, Fields
from devices.hub.session.errors import JournalBroken
from devices.hub.session.wire import JournalEvent

MAX_ENTRY: Final = 160
NOTHING: Final = bytes(32)
"""The hash before the first entry."""

_U8, _U32, _U64 = 0xFF, 0xFFFF_FFFF, 0xFFFF_FFFF_FFFF_FFFF


class JournalEntry(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that a hub did.

    Attributes:
        number: from 0, for the hub's life.
        previous: SHA-256 of the entry before; 32 zero bytes for the first.
        opcode: of the command, or a JournalEvent, perhaps one that only a later minor version knows.
        counter: of the command; of SESSION_REFUSED how many they were; 0 where there is none.
        signer: kid of the clinician, or of the workstation for what needs no signature; empty if nobody's.
        code: receipt code; of SESSION_REFUSED a Refusal, of HELD a HoldCause.
        message: SHA-256 of the control message; empty if none.
    """

    number: int
    previous: bytes
    boot: int
    hub_time_us: int
    opcode: int
    counter: int = 0
    signer: bytes = b""
    code: int = 0
    message: bytes = b""


class JournalHead(msgspec.Struct, frozen=True):
    """Where a journal ends: the number of the next entry, and the hash that it will carry."""

    number: int = 0
    hash: bytes = NOTHING


class Sent(msgspec.Struct, frozen=True):
    """A command as a workstation remembers it: SHA-256 of the control message; the answer's code, None without one."""

    message: bytes
    code: int | None


class Comparison(msgspec.Struct, frozen=True, kw_only=True):
    """How a hub's journal and a workstation's memory differ. All empty: they agree.

    Attributes:
        unknown: entries about commands that this workstation never sent.
        missing: answered commands of which the journal says nothing.
        different: entries with another code than the receipt that came.
        others: how many commands came through each other workstation, by its kid: no disagreement, and not compared.
    """

    unknown: tuple[JournalEntry, ...] = ()
    missing: tuple[Sent, ...] = ()
    different: tuple[JournalEntry, ...] = ()
    others: tuple[tuple[bytes, int], ...] = ()

    @property
    def agrees(self) -> bool:
        return not (self.unknown or self.missing or self.different)


def encode_entry(entry: JournalEntry) -> bytes:
    """The entry's one form. Raises JournalBroken when a field is out of range."""
    raw = cbor.encode(
        {
            1: entry.number,
            2: entry.previous,
            3: entry.boot,
            4: entry.hub_time_us,
            5: entry.opcode,
            6: entry.counter,
            7: entry.signer,
            8: entry.code,
            9: entry.message,
        }
    )
    decode_entry(raw)
    return raw


def decode_entry(raw: bytes) -> JournalEntry:
    """Raises JournalBroken: not an entry."""
    try:
        fields = Fields(raw, 9, limit=MAX_ENTRY)
        return JournalEntry(
            number=fields.unsigned(1, _U32),
            previous=fields.octets(2, 32),
            boot=fields.unsigned(3, _U32),
            hub_time_us=fields.unsigned(4, _U64),
            opcode=fields.unsigned(5, _U8),
            counter=fields.unsigned(6, _U32),
            signer=fields.octets(7, 0, KID_BYTES),
            code=fields.unsigned(8, _U8),
            message=fields.octets(9, 0, 32),
        )
    except CborRefused as error:
        raise JournalBroken(f"an entry cannot be read ({error})") from error


def append(
    head: JournalHead,
    *,
    boot: int,
    hub_time_us: int,
    opcode: int,
    counter: int = 0,
    signer: bytes = b"",
    code: int = 0,
    message: bytes = b"",
) -> tuple[bytes, JournalHead]:
    """The next entry's bytes and the head after it.

    Args:
        message: the control message itself, whose hash is kept; empty if there is none.
    """
    entry = JournalEntry(
        number=head.number,
        previous=head.hash,
        boot=boot,
        hub_time_us=hub_time_us,
        opcode=opcode,
        counter=counter,
        signer=signer,
        code=code,
        message=hashlib.sha256(message).digest() if message else b"",
    )
    raw = encode_entry(entry)
    return raw, JournalHead(entry.number + 1, hashlib.sha256(raw).digest())


def verify_chain(raws: Iterable[bytes], after: JournalHead | None) -> tuple[list[JournalEntry], JournalHead]:
    """The entries, and the head after them.

    Args:
        after: head that they have to follow; what is known of a journal from an earlier visit shows whether it was
            rewritten since. None when nothing is known: the first entry then says where it stands.

    Raises:
        JournalBroken: an entry is altered, left out, doubled, out of order, or not what follows `after`.
    """
    entries: list[JournalEntry] = []
    head = after
    for raw in raws:
        entry = decode_entry(raw)
        if head is None:
            head = JournalHead(entry.number, entry.previous)
        if entry.number != head.number:
            raise JournalBroken(f"entry {entry.number} stands where {head.number} should")
        if entry.previous != head.hash or (entry.number == 0 and entry.previous != NOTHING):
            raise JournalBroken(f"entry {entry.number} does not follow the one before")
        if entries and (entry.boot, entry.hub_time_us) < (entries[-1].boot, entries[-1].hub_time_us):
            raise JournalBroken(f"entry {entry.number} is older than the one before")
        entries.append(entry)
        head = JournalHead(entry.number + 1, hashlib.sha256(raw).digest())
    return entries, head or JournalHead()


def compare(sent: Sequence[Sent], entries: Iterable[JournalEntry], *, workstation: bytes | None = None) -> Comparison:
    """Whether the hub did what this workstation remembers, and nothing else.

    Args:
        sent: the commands of the time that `entries` cover, of the kinds that a journal tells of.
        workstation: its kid, so that what came in sessions of others is only counted; None when there are no others.
    """
    codes: dict[bytes, set[int | None]] = {}
    for one in sent:
        codes.setdefault(one.message, set()).add(one.code)
    seen: set[bytes] = set()
    unknown: list[JournalEntry] = []
    different: list[JournalEntry] = []
    others: Counter[bytes] = Counter()
    other: bytes | None = None
    for entry in entries:
        if entry.opcode == JournalEvent.SESSION_BEGUN:
            other = None if workstation in (None, entry.signer) else entry.signer
        if not entry.message:
            continue
        if other is not None:
            others[other] += 1
            continue
        seen.add(entry.message)
        if entry.message not in codes:
            unknown.append(entry)
        elif codes[entry.message].isdisjoint({None, entry.code}):
            different.append(entry)
    missing = tuple(one for one in sent if one.code is not None and one.message not in seen)
    return Comparison(
        unknown=tuple(unknown), missing=missing, different=tuple(different), others=tuple(sorted(others.items()))
    )
