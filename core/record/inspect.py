"""What can be asked of a record from outside: `record info` and `record verify`."""

from collections.abc import Collection, Mapping
from dataclasses import replace
from pathlib import Path

from core.model.errors import SmilescapeError
from core.record.errors import RecordDamaged
from core.record.reader import RecordReader
from core.record.sqlcipher import CipherFile
from core.record.types import RecordInfo, VerifyReport
from core.record.verify_evidence import Seen


def record_info(path: Path, key: bytes) -> RecordInfo:
    """The record at a glance. Raises RecordMissing, WrongKey, RecordDamaged, RecordNewer, RecordReadOnly."""
    with RecordReader.open(path, key) as reader:
        return reader.info()


def verify_record(
    path: Path, key: bytes, *, roots: Collection[bytes] | None = None, witnesses: Mapping[Path, bytes] | None = None
) -> VerifyReport:
    """Check everything; damage that keeps the file from opening is a problem in the report too.

    Args:
        roots: kids of the roots that the practice ever had; None: not known, and any is taken and named.
        witnesses: other chairs' records, with their keys, that are asked what they have seen of this one.

    Raises RecordMissing, WrongKey, RecordNewer, RecordReadOnly: then nothing could be said about it.
    """
    try:
        with RecordReader.open(path, key) as reader:
            seen, silent = _seen(reader.origin, witnesses or {})
            report = reader.verify(roots=roots, seen=seen)
    except RecordDamaged as error:
        return VerifyReport(ok=False, problems=(str(error),), entries=0, blocks=0, samples=0)
    return replace(report, notes=(*report.notes, *silent))


def practice_roots(path: Path, key: bytes) -> frozenset[bytes]:
    """Kids of all roots that a practice ever had, from its file. Raises RecordMissing, WrongKey, RecordDamaged."""
    file = CipherFile.read(path, key)
    try:
        return frozenset(bytes(row[0]) for row in file.rows("SELECT kid FROM certificate WHERE role = 0"))
    finally:
        file.close()


def _seen(origin: str, witnesses: Mapping[Path, bytes]) -> tuple[list[Seen], list[str]]:
    """What others keep of a log, and who could not be asked."""
    seen: list[Seen] = []
    silent: list[str] = []
    for path, key in witnesses.items():
        try:
            with RecordReader.open(path, key) as other:
                note = other.witnessed(origin)
        except SmilescapeError as error:
            silent.append(f"{path.name} could not be asked: {error}")
            continue
        if note is not None:
            seen.append(Seen(path.name, note))
    return seen, silent
