"""Does the log contain what was signed of it, and what witnesses have seen of it?

A signature is what nobody with the file's key alone can make: it tells between which two checkpoints a log was altered
that agrees with itself otherwise. Who also takes the checkpoints away leaves a log that agrees with all there is: only
another file, a hub or an exported bundle, where a countersigned checkpoint of it is kept, tells of that.
"""

import hashlib
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from core.model.certificate import Certificate, Role, Trust, read_root, read_unverified
from core.model.cose import verify1
from core.model.errors import SmilescapeError
from core.model.keys import grouped
from core.model.note import Note, NoteRefused
from core.model.strict_cbor import Fields
from core.model.witness import hub_witness
from core.record.evidence import (
    VOUCHER_AAD,
    Contradiction,
    StoredCheckpoint,
    WitnessKind,
    checkpoints,
    contradictions,
    cosignatures,
    log_origin,
    restorations,
)
from core.record.sqlcipher import CipherFile

_MAX_VOUCHER: Final = 512

Roots = Callable[[int], bytes | None]
"""The tree hash over so many entries as they stand; None: there are fewer."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What somebody else keeps of this log. `who`: for people to read."""

    who: str
    note: Note


def signer_of(one: StoredCheckpoint, origin: str) -> Certificate:
    """The workstation that signed a checkpoint: certificate, root and signature hold.

    Whether the root is that of the practice is for whoever knows it to say.

    Raises:
        SmilescapeError: one of them does not.
    """
    who = Trust(read_root(one.issuer)).verify(one.signer, Role.WORKSTATION, now_s=None)
    one.note.verify(origin, who.signing_key)
    return who


def countersigned_at(note: Note, kind: WitnessKind, voucher: bytes, signer: Certificate, root: Certificate) -> int:
    """When a witness countersigned, UTC s by its own clock, if its key is vouched for.

    Args:
        voucher: a hub's certificate by `root`, or the word of the workstation `signer` for a chair's key.

    Raises:
        SmilescapeError: voucher or signature do not hold.
    """
    if kind is WitnessKind.HUB:
        hub = Trust(root).verify(voucher, Role.HUB, now_s=None)
        return note.cosigned(hub_witness(hub.kid), hub.signing_key)
    fields = Fields(verify1(voucher, signer.signing_key, VOUCHER_AAD, limit=_MAX_VOUCHER), 2, limit=_MAX_VOUCHER)
    return note.cosigned(fields.text(1, 128), fields.octets(2, 32))


class EvidenceCheck:
    """The signed checkpoints of one file, and what others keep of its log.

    Args:
        roots: kids of the roots that the practice ever had; None: they are not known, and any is taken and named.

    Attributes:
        problems: what is wrong.
        notes: what speaks for the log, and what has to be compared by people.
    """

    def __init__(self, file: CipherFile, *, roots: Collection[bytes] | None = None, seen: Sequence[Seen] = ()) -> None:
        self.problems: list[str] = []
        self.notes: list[str] = []
        self._file = file
        self._roots = roots
        self._seen = list(seen)
        self._signed: list[StoredCheckpoint] = []
        self._against: list[Contradiction] = []
        self._signers: dict[bytes, Certificate] = {}
        self._fingerprints: dict[bytes, None] = {}
        self._witnesses: dict[str, str] = {}
        first = log_origin(str((file.row("SELECT id FROM about") or ("",))[0]))
        self._restored = restorations(file)
        self._origins = [(0, first), *((one.checkpoints, one.origin) for one in self._restored)]
        self._origin = self._origins[-1][1]

    def read(self) -> frozenset[int]:
        """The sizes of which something is claimed."""
        try:
            self._signed = checkpoints(self._file)
            self._against = contradictions(self._file)
        except SmilescapeError as error:
            self.problems.append(f"checkpoints: {error}")
        notes = [one.note for one in self._signed] + [one.note for one in self._against]
        return frozenset(note.checkpoint.size for note in [*notes, *(one.note for one in self._seen)])

    def hold(self, entries: int, roots: Roots) -> None:
        """Hold the log against it."""
        good = 0
        differs: StoredCheckpoint | None = None
        before = 0
        for one in self._signed:
            if one.id != before + 1:
                self.problems.append(f"checkpoint {before + 1} was removed")
            before = one.id
            if not self._counts(one):
                continue
            if roots(one.size) == one.root:
                good = max(good, one.size)
                self._hold_lines(one)
            elif differs is None:
                differs = one
        if differs is not None:
            self.problems.append(f"audit: {_differs(differs.note, entries, good)}")
        self._hold_others(entries, roots, good)
        self._sum_up(entries, good)

    def _counts(self, one: StoredCheckpoint) -> bool:
        """Whether a checkpoint is signed as it has to be."""
        try:
            who = signer_of(one, self._origin_of(one))
        except SmilescapeError as error:
            self.problems.append(f"checkpoint {one.id} of {one.size} entries: {error}")
            return False
        if self._roots is not None and who.issuer not in self._roots:
            self.problems.append(f"checkpoint {one.id} of {one.size} entries: its root was never the practice's")
            return False
        self._signers[who.kid] = who
        self._fingerprints[hashlib.sha256(read_root(one.issuer).signing_key).digest()] = None
        return True

    def _origin_of(self, one: StoredCheckpoint) -> str:
        """The log's name when a checkpoint was made: each restoring gave it another."""
        return [origin for after, origin in self._origins if after < one.id][-1]

    def _hold_lines(self, one: StoredCheckpoint) -> None:
        signer, root = read_unverified(one.signer), read_root(one.issuer)
        for line in cosignatures(self._file, one.id):
            who = f"{line.kind} {line.witness}"
            try:
                note = one.note.with_signatures([line.line])
                at_s = countersigned_at(note, line.kind, line.voucher, signer, root)
            except SmilescapeError as error:
                self.problems.append(f"checkpoint {one.id}, countersigned by {who}: {error}")
                continue
            self._witnesses[who] = f"{who}: {one.size} entries, {moment(at_s * 1_000_000)}"

    def _hold_others(self, entries: int, roots: Roots, good: int) -> None:
        """What witnesses keep: of a log that was set back, or went another way, it is all that tells."""
        told = [Seen(one.witness, one.note) for one in self._against]
        for one in dict.fromkeys((*told, *self._seen)):
            checkpoint = one.note.checkpoint
            if not self._ours(one.note):
                self.notes.append(f"{one.who} holds a checkpoint that no workstation known here signed for this log.")
            elif roots(checkpoint.size) != checkpoint.root:
                self.problems.append(f"audit: {_differs(one.note, entries, good)}; {one.who} has seen it")

    def _ours(self, note: Note) -> bool:
        """Whether a workstation that signs for this log signed it; without any, whatever says so is looked at."""
        if note.checkpoint.origin != self._origin:
            return False
        for signer in self._signers.values():
            try:
                note.verify(self._origin, signer.signing_key)
            except NoteRefused:
                continue
            return True
        return not self._signers

    def _sum_up(self, entries: int, good: int) -> None:
        if not self._signed:
            self.notes.append("No checkpoint was signed: the log agrees with itself, and nothing else speaks for it.")
            return
        for back in self._restored:
            self.notes.append(
                f"Restored on {moment(back.at_us)} from the backup of {moment(back.made_us)}; "
                "what the log said between the two is not in it."
            )
        self.notes.append(f"Signed up to {good} of {entries} entries; checkpoints: {len(self._signed)}.")
        self.notes += [f"Countersigned by {said}." for said in self._witnesses.values()]
        if not self._witnesses:
            self.notes.append("Countersigned by nobody.")
        self.notes += [f"Root of the practice, to be compared: {grouped(one)}" for one in self._fingerprints]


def _differs(note: Note, entries: int, good: int) -> str:
    size = note.checkpoint.size
    if size > entries:
        return f"the log was set back: {size} entries were signed, and {entries} are there"
    return f"the log is not the one signed at {size} entries: the first that was altered is one of {good} to {size - 1}"


def moment(at_us: int) -> str:
    """A moment for people, UTC to the second."""
    return datetime.fromtimestamp(at_us / 1e6, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
