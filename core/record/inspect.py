"""What can be asked of a record from outside: `record info` and `record verify`."""

from pathlib import Path

from core.record.errors import RecordDamaged
from core.record.reader import RecordReader
from core.record.types import RecordInfo, VerifyReport


def record_info(path: Path, key: bytes) -> RecordInfo:
    """The record at a glance. Raises RecordMissing, WrongKey, RecordDamaged, RecordNewer, RecordReadOnly."""
    with RecordReader.open(path, key) as reader:
        return reader.info()


def verify_record(path: Path, key: bytes) -> VerifyReport:
    """Check everything; damage that keeps the file from opening is a problem in the report too.

    Raises RecordMissing, WrongKey, RecordNewer, RecordReadOnly: then nothing could be said about it.
    """
    try:
        with RecordReader.open(path, key) as reader:
            return reader.verify()
    except RecordDamaged as error:
        return VerifyReport(ok=False, problems=(str(error),), entries=0, blocks=0, samples=0)
