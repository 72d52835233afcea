"""Whether a copy holds: it is restored once, beside the live files, under a key that nobody keeps."""

import secrets
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from core.backup.sealed_file import restore_file
from core.keys.wrapping import KEY_BYTES
from core.record.errors import RecordError
from core.record.inspect import verify_record
from core.record.practice import FILE_NAME
from core.record.sqlcipher import CipherFile

_TRIAL: Final = "trial-"


def prove(
    copy: Path,
    key: bytes,
    *,
    backup: str,
    source: str,
    rows: int,
    patients: Mapping[str, bytes],
    scratch: Path,
    progress: Callable[[int], None],
    cancelled: Callable[[], bool],
) -> list[str]:
    """What is wrong with a copy, for people; empty: it holds. Nothing stays in `scratch`.

    Args:
        source: the name of the file that was copied.
        rows: how many it had. Of patients whose key is gone, fewer come back.

    Raises:
        BackupDamaged, BackupCancelled.
    """
    trial, fresh = scratch / f"{_TRIAL}{backup}.sqlite", secrets.token_bytes(KEY_BYTES)
    try:
        restored = restore_file(
            copy,
            key,
            trial,
            fresh,
            backup=backup,
            name=copy.name,
            patients=patients,
            progress=progress,
            cancelled=cancelled,
        )
        short = restored.rows != rows and not restored.missing
        problems = [f"{rows - restored.rows} rows are missing"] if short else []
        return problems + _problems(trial, fresh, chair=source != FILE_NAME)
    except RecordError as error:
        return [str(error)]
    finally:
        sweep_trials(scratch, backup)


def sweep_trials(scratch: Path, backup: str = "") -> None:
    """Take away what was restored for a trial, also what a killed process left of any."""
    for left in scratch.glob(f"{_TRIAL}{backup}*"):
        left.unlink(missing_ok=True)


def _problems(path: Path, key: bytes, *, chair: bool) -> list[str]:
    if chair:
        return list(verify_record(path, key).problems)
    file = CipherFile.read(path, key)
    try:
        return [row[0] for row in file.rows("PRAGMA integrity_check(10)") if row[0] != "ok"]
    finally:
        file.close()
