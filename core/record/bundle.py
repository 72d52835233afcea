"""Evidence for strangers: entries of the audit log with everything that it takes to verify them, and nothing of ours.

`docs/verify.md` tells how, with openssl and forty lines of Python. No name of a file tells whose entries they are.
"""

import itertools
import json
import shutil
import tempfile
import zipfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from core.model import cbor
from core.model.certificate import read_unverified
from core.model.cose import kid_of, parse1
from core.model.note import Note
from core.record.errors import ExportFailed, NotFound
from core.record.evidence import StoredCheckpoint, WitnessKind
from core.record.reader import RecordReader
from core.record.types import AuditEntry

FORMAT: Final = "smilescape evidence 1"
_PAGE: Final = 1000


@dataclass(frozen=True, slots=True)
class Bundled:
    """What went into a bundle. `uncovered`: entries that were wanted and that nobody has signed yet."""

    entries: int
    checkpoints: int
    uncovered: int


def export_bundle(reader: RecordReader, wanted: Iterable[int], out: Path) -> Bundled:
    """Write a bundle of these entries into a new folder, or into one file when `out` ends in `.zip`.

    Raises:
        NotFound: nothing of the log is signed, or none of the entries is.
        ExportFailed: it cannot be written, or `out` is there already. No half bundle is left.
        NoteRefused, RecordDamaged.
    """
    signed = [one for one in reader.checkpoints() if one.note.checkpoint.origin == reader.origin]
    if not signed:
        raise NotFound("Nothing of this log was signed yet.", "Open the workstation, log in, and close it again.")
    if out.exists():
        raise ExportFailed(f"{out} is there already.", "Choose another name.")
    numbers = sorted(set(wanted))
    covered = [number for number in numbers if number < signed[-1].size]
    if not covered:
        raise NotFound("None of these entries was signed yet.", "Open the workstation, log in, and close it again.")
    try:
        with tempfile.TemporaryDirectory(prefix=".evidence-", dir=out.absolute().parent) as place:
            folder = Path(place) / "bundle"
            _Writer(reader, folder).write(covered, signed)
            if out.suffix == ".zip":
                _zip(folder, Path(place) / "bundle.zip").replace(out)
            else:
                folder.replace(out)
    except OSError as error:
        raise ExportFailed(f"{out} cannot be written: {error.strerror}.", "Choose another place.") from error
    return Bundled(len(covered), len(signed), len(numbers) - len(covered))


def entries_of_visit(reader: RecordReader, visit_id: str) -> list[int]:
    """Entries that name a visit, in order; of nobody else's, though they lie between."""
    return [entry.sequence for entry in _all(reader) if _names(entry, visit_id)]


class _Writer:
    def __init__(self, reader: RecordReader, folder: Path) -> None:
        self._reader = reader
        self._folder = folder
        for name in ("entries", "proofs", "checkpoints", "keys"):
            (folder / name).mkdir(parents=True)

    def write(self, covered: Sequence[int], signed: Sequence[StoredCheckpoint]) -> None:
        newest = signed[-1]
        for number in covered:
            (entry,) = self._reader.audit_entries(number, 1)
            self._entry(entry, newest.size)
        told = [self._checkpoint(one) for one in signed]
        for old, new in itertools.pairwise(sorted({one.size for one in signed})):
            path = [one.hex() for one in self._reader.consistency(old, new)]
            self._json(f"proofs/consistency-{old}-{new}.json", {"old": old, "size": new, "path": path})
        self._json(
            "bundle.json",
            {
                "format": FORMAT,
                "origin": self._reader.origin,
                "entries": [f"{number:08}" for number in covered],
                "checkpoints": told,
            },
        )

    def _entry(self, entry: AuditEntry, size: int) -> None:
        name = f"{entry.sequence:08}"
        (self._folder / "entries" / f"{name}.cbor").write_bytes(entry.entry)
        self._json(f"entries/{name}.json", _readable(cbor.decode(entry.entry)))
        path = self._reader.inclusion(entry.sequence, size)
        proof = {"index": entry.sequence, "size": size, "path": [one.hex() for one in path]}
        self._json(f"proofs/inclusion-{name}.json", proof)

    def _checkpoint(self, one: StoredCheckpoint) -> dict[str, object]:
        lines = self._reader.cosignatures(one.id)
        note: Note = one.note.with_signatures(line.line for line in lines)
        name = f"{one.id:06}-{one.size}.txt"
        (self._folder / "checkpoints" / name).write_text(note.encode(), encoding="utf-8", newline="\n")
        return {
            "file": name,
            "root": self._certificate("root", one.issuer),
            "workstation": self._certificate("workstation", one.signer),
            "witnesses": [
                {
                    "kind": line.kind.value,
                    "name": line.line.name,
                    "key": self._certificate("hub", line.voucher)
                    if line.kind is WitnessKind.HUB
                    else self._voucher(line.voucher),
                }
                for line in lines
            ],
        }

    def _certificate(self, kind: str, raw: bytes) -> str:
        return self._key(f"{kind}-{read_unverified(raw).kid.hex()}", raw)

    def _voucher(self, raw: bytes) -> str:
        return self._key(f"chair-{kid_of(parse1(raw).unverified[-32:]).hex()}", raw)

    def _key(self, stem: str, raw: bytes) -> str:
        """A key may have several certificates: each has a name of its own."""
        for name in (f"{stem}.cbor", *(f"{stem}-{number}.cbor" for number in range(2, 1000))):
            file = self._folder / "keys" / name
            if not file.exists():
                file.write_bytes(raw)
            if file.read_bytes() == raw:
                return name
        raise ExportFailed(f"{stem} has too many certificates.", "Send the log to support.")

    def _json(self, name: str, value: object) -> None:
        text = json.dumps(value, ensure_ascii=False, indent=1) + "\n"
        (self._folder / name).write_text(text, encoding="utf-8", newline="\n")


def _all(reader: RecordReader) -> Iterable[AuditEntry]:
    start = 0
    while page := reader.audit_entries(start, _PAGE):
        yield from page
        start = page[-1].sequence + 1


def _names(entry: AuditEntry, visit_id: str) -> bool:
    if visit_id.encode() not in entry.entry:
        return False
    plain = cbor.decode(entry.entry)
    body = plain.get("body") if isinstance(plain, dict) else None
    return isinstance(body, dict) and body.get("visit") == visit_id


def _readable(value: object) -> object:
    """Bytes as hexadecimal digits."""
    match value:
        case bytes():
            return value.hex()
        case dict():
            return {str(_readable(key)): _readable(one) for key, one in value.items()}
        case list():
            return [_readable(one) for one in value]
    return value


def _zip(folder: Path, out: Path) -> Path:
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in sorted(folder.rglob("*")):
            if file.is_file():
                archive.write(file, file.relative_to(folder))
    shutil.rmtree(folder)
    return out
