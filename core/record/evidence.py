"""Checkpoints of a record's audit log, who countersigned them, and what this record has seen of other logs.

`docs/record.md` says what that proves and what not.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from core.model import cbor
from core.model.certificate import Certificate
from core.model.cose import KeySigner, Signer, sign1
from core.model.errors import SmilescapeError
from core.model.ids import new_id
from core.model.note import Checkpoint, Note, NoteSignature, cosign, read_note, read_signature, sign_checkpoint
from core.model.witness import Verdict, judge
from core.record.audit import AuditLog
from core.record.errors import RecordError
from core.record.sqlcipher import CipherFile

VOUCHER_AAD: Final = b"smilescape/chair-witness/1"
"""External data of a workstation's word for the key with which a chair's record countersigns."""


class LogAltered(RecordError):  # noqa: N818 - named for what is the case
    """The audit log does not contain what was signed of it before: nothing more of it is signed."""

    code = "evidence.altered"


class WitnessRefused(SmilescapeError):  # noqa: N818 - named for what is the case
    """A witness does not countersign.

    Attributes:
        seen: the last checkpoint that it countersigned, as it keeps it; None: it knows none.
    """

    code = "evidence.refused"

    def __init__(self, verdict: Verdict, seen: Note | None) -> None:
        super().__init__(f"The checkpoint was not countersigned: {verdict.value}.", "Run `record verify`.")
        self.verdict = verdict
        self.seen = seen


class WitnessKind(StrEnum):
    """Who countersigns."""

    HUB = "hub"
    CHAIR = "chair"


@dataclass(frozen=True, slots=True)
class Signing:
    """Who signs for the log: this workstation's key, its certificate, and that of the root which issued it."""

    signer: Signer
    certificate: Certificate
    root: Certificate


@dataclass(frozen=True, slots=True)
class Cosignature:
    """A witness's line below a checkpoint.

    Attributes:
        witness: a hub's serial, or the number of a chair.
        voucher: why its key counts: a hub's certificate, or the workstation's word for a chair's key.
        at_us: when it came, UTC µs.
    """

    kind: WitnessKind
    witness: str
    line: NoteSignature
    voucher: bytes
    at_us: int


@dataclass(frozen=True, slots=True)
class Contradiction:
    """A checkpoint of this log that a witness holds and the log did not contain. `kind`: rolled_back or forked."""

    kind: str
    witness: str
    note: Note
    at_us: int


@dataclass(frozen=True, slots=True)
class StoredCheckpoint:
    """A signed checkpoint as it is kept.

    Attributes:
        note: with the log's own signature alone.
        signer, issuer: certificate of the workstation that signed, and of the root that certified it.
    """

    id: int
    note: Note
    signer: bytes
    issuer: bytes
    reason: str
    at_us: int

    @property
    def size(self) -> int:
        return self.note.checkpoint.size

    @property
    def root(self) -> bytes:
        return self.note.checkpoint.root


def log_origin(record_id: str) -> str:
    """The name of a record's audit log, until it is restored from a backup."""
    return f"smilescape/record/{record_id}"


@dataclass(frozen=True, slots=True)
class Restoration:
    """That a record was restored from a backup on purpose: its log goes on under a name of its own.

    Attributes:
        origin: that name. Witnesses keep what they saw under the one before.
        backup, made_us: which backup, and when it was made, UTC µs.
        checkpoints: id of the last checkpoint under the name before; 0: there was none.
    """

    origin: str
    backup: str
    made_us: int
    checkpoints: int
    author: str
    at_us: int


def restorations(file: CipherFile) -> list[Restoration]:
    """In order; a file from before m006 has none."""
    if file.row("SELECT 1 FROM sqlite_master WHERE name = 'restored'") is None:
        return []
    sql = "SELECT origin, backup, made_us, checkpoints, author, at_us FROM restored ORDER BY id"
    return [Restoration(*row) for row in file.rows(sql)]


def current_origin(file: CipherFile, record_id: str) -> str:
    """The name of a record's audit log now."""
    found = restorations(file)
    return found[-1].origin if found else log_origin(record_id)


def mark_restored(file: CipherFile, record_id: str, backup: str, made_us: int, *, author: str, at_us: int) -> str:
    """Give the log a new name, within the open transaction; returns it."""
    origin = f"{log_origin(record_id)}/{new_id()}"
    row = file.row("SELECT coalesce(max(id), 0) FROM checkpoint")
    last = int(row[0]) if row is not None else 0
    file.execute(
        "INSERT INTO restored (origin, backup, made_us, checkpoints, author, at_us) VALUES (?, ?, ?, ?, ?, ?)",
        (origin, backup, made_us, last, author, at_us),
    )
    return origin


def chair_witness(record_id: str) -> str:
    """The name under which a record countersigns for others."""
    return f"smilescape/witness/{record_id}"


def vouch(name: str, public: bytes, signing: Signing) -> bytes:
    """The workstation's word that a record which it keeps countersigns with this key."""
    return sign1(cbor.encode({1: name, 2: public}), signing.signer, VOUCHER_AAD)


class CheckpointBook:
    """Writes within the open transaction, and finds. Nothing of it is ever changed."""

    def __init__(self, file: CipherFile, log: AuditLog, record_id: str) -> None:
        self._file = file
        self._log = log
        self.origin = current_origin(file, record_id)

    def make(self, signing: Signing, *, at_us: int, reason: str) -> StoredCheckpoint | None:
        """Sign how far the log reaches now; None when it is empty, or the newest of this key says so already.

        Raises:
            LogAltered: it does not contain what was signed last.
            RecordDamaged
        """
        size, newest = self._log.size(), self.newest()
        if newest is not None:
            if newest.size > size or self._log.tree.root_at(newest.size) != newest.root:
                raise LogAltered(
                    f"The audit log does not contain what was signed of it at {newest.size} entries.",
                    "Run `record verify`, and keep the file.",
                )
            if newest.size == size and newest.signer == signing.certificate.raw:
                return None
        if not size:
            return None
        note = sign_checkpoint(Checkpoint(self.origin, size, self._log.tree.root_at(size)), signing.signer)
        made = (size, note.checkpoint.root, note.encode(), signing.certificate.raw, signing.root.raw, reason, at_us)
        number = self._file.execute(
            "INSERT INTO checkpoint (size, root, note, signer, issuer, reason, at_us) VALUES (?, ?, ?, ?, ?, ?, ?)",
            made,
        )
        return StoredCheckpoint(number, note, signing.certificate.raw, signing.root.raw, reason, at_us)

    def newest(self) -> StoredCheckpoint | None:
        found = checkpoints(self._file, "ORDER BY id DESC LIMIT 1")
        return found[0] if found else None

    def unsigned(self) -> int:
        """Entries that no checkpoint covers."""
        newest = self.newest()
        return self._log.size() - (newest.size if newest is not None else 0)

    def shorter(self, size: int) -> bool:
        """Whether the log has fewer entries."""
        return self._log.size() < size

    def countersigned_last(self) -> tuple[StoredCheckpoint, list[Cosignature]] | None:
        """The newest checkpoint that somebody countersigned, and who."""
        row = self._file.row("SELECT max(checkpoint) FROM cosignature")
        if row is None or row[0] is None:
            return None
        (found,) = checkpoints(self._file, f"WHERE id = {int(row[0])}")
        return found, cosignatures(self._file, found.id)

    def consistency(self, old: int, size: int) -> list[bytes]:
        """Raises RecordDamaged, ValueError."""
        return self._log.tree.consistency(old, size)

    def contains(self, seen: Checkpoint) -> bool:
        """Whether the log is one that begins with what somebody has seen of it. Raises RecordDamaged."""
        return seen.size <= self._log.size() and self._log.tree.root_at(seen.size) == seen.root

    def countersigned(self, checkpoint: StoredCheckpoint, one: Cosignature) -> None:
        self._file.execute(
            "INSERT INTO cosignature (checkpoint, kind, witness, line, voucher, at_us) VALUES (?, ?, ?, ?, ?, ?)",
            (checkpoint.id, one.kind.value, one.witness, one.line.line, one.voucher, one.at_us),
        )

    def contradicted(self, one: Contradiction) -> bool:
        """Keep what speaks against this log; False when it is known already."""
        row = (one.kind, one.witness, one.note.checkpoint.size, one.note.encode())
        known = self._file.row(
            "SELECT 1 FROM contradiction WHERE kind = ? AND witness = ? AND size = ? AND note = ?", row
        )
        if known is None:
            self._file.execute(
                "INSERT INTO contradiction (kind, witness, size, note, at_us) VALUES (?, ?, ?, ?, ?)",
                (*row, one.at_us),
            )
        return known is None


class WitnessBook:
    """What this record has seen of the logs of other chairs, and the key with which it says so."""

    def __init__(self, file: CipherFile, record_id: str) -> None:
        self._file = file
        self.name = chair_witness(record_id)

    def public(self) -> bytes:
        """The public half of this record's own key, which is made at the first call, within the open transaction."""
        return self._signer().public

    def seen(self, origin: str) -> Note | None:
        """The last checkpoint of a log that was countersigned here, with our own line below it."""
        row = self._file.row("SELECT note FROM witnessed WHERE origin = ? ORDER BY id DESC LIMIT 1", (origin,))
        return read_note(row[0]) if row else None

    def countersign(self, fresh: Note, log_key: bytes, old: int, path: Sequence[bytes], *, at_us: int) -> NoteSignature:
        """Keep a checkpoint of another log, and countersign it.

        Args:
            log_key: the Ed25519 key that signs for that log now.
            old, path: consistency proof from what is seen already.

        Raises:
            NoteRefused: the log itself did not sign it.
            WitnessRefused: it is not what was seen, grown.
        """
        fresh.verify(fresh.checkpoint.origin, log_key)
        seen = self.seen(fresh.checkpoint.origin)
        verdict = judge(seen.checkpoint if seen is not None else None, fresh.checkpoint, old, path)
        if verdict is not Verdict.GROWN:
            raise WitnessRefused(verdict, seen)
        line = cosign(fresh, self.name, self._signer(), at_us // 1_000_000)
        if seen is None or seen.checkpoint != fresh.checkpoint:
            one = fresh.checkpoint
            self._file.execute(
                "INSERT INTO witnessed (origin, size, root, note, at_us) VALUES (?, ?, ?, ?, ?)",
                (one.origin, one.size, one.root, fresh.with_signatures([line]).encode(), at_us),
            )
        return line

    def _signer(self) -> KeySigner:
        row = self._file.row("SELECT seed FROM witness_key")
        if row is not None:
            return KeySigner(bytes(row[0]))
        fresh = KeySigner()
        self._file.execute("INSERT INTO witness_key (id, seed) VALUES (1, ?)", (fresh.seed,))
        return fresh


def checkpoints(file: CipherFile, rest: str = "ORDER BY id") -> list[StoredCheckpoint]:
    """As they were made."""
    rows = file.rows(f"SELECT id, note, signer, issuer, reason, at_us FROM checkpoint {rest}")
    return [StoredCheckpoint(row[0], read_note(row[1]), *row[2:]) for row in rows]


def cosignatures(file: CipherFile, checkpoint: int) -> list[Cosignature]:
    """Below one checkpoint; of each witness the newest."""
    sql = "SELECT kind, witness, line, voucher, at_us FROM cosignature WHERE checkpoint = ? ORDER BY id"
    found = [
        Cosignature(WitnessKind(kind), witness, read_signature(line), voucher, at_us)
        for kind, witness, line, voucher, at_us in file.rows(sql, (checkpoint,))
    ]
    return list({(one.line.name, one.line.key_id): one for one in found}.values())


def contradictions(file: CipherFile) -> list[Contradiction]:
    sql = "SELECT kind, witness, note, at_us FROM contradiction ORDER BY id"
    return [Contradiction(kind, who, read_note(note), at_us) for kind, who, note, at_us in file.rows(sql)]


def witnessed(file: CipherFile, origin: str) -> list[Note]:
    """Every checkpoint of another log that was countersigned in this record, in order."""
    sql = "SELECT note FROM witnessed WHERE origin = ? ORDER BY id"
    return [read_note(note) for (note,) in file.rows(sql, (origin,))]
