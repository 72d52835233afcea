"""A data folder out of a backup, on whatever machine: the recovery sheet is all that is needed."""

import contextlib
import secrets
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from core.backup.errors import BackupError, BackupFailed
from core.backup.making import Manifest, Watch, check_set, manifests
from core.backup.sealed_file import restore_file
from core.backup.vault import Vault
from core.model.clock import Clock
from core.record.inspect import verify_record
from core.record.keys import KeyStore
from core.record.practice import FILE_NAME, PracticeFile
from core.record.record import Record
from core.record.schema import record_migrations
from core.record.sqlcipher import CipherFile, sync_folder

MARKER = ".simulated"


@dataclass(frozen=True, slots=True)
class Found:
    """A backup that can be restored."""

    folder: Path
    manifest: Manifest


@dataclass(frozen=True, slots=True)
class Draft:
    """A data folder that is restored and stands aside until somebody answers for it.

    Attributes:
        missing: by file name, how many of its patients were erased since the backup.
        keys: of each file, by its name.
    """

    folder: Path
    practice: PracticeFile
    manifest: Manifest
    missing: dict[str, int]
    keys: dict[str, bytes]


def find_backup(place: Path, name: str | None = None) -> Found:
    """The newest backup of a place, or the one that is named. Raises BackupFailed."""
    found = manifests(place)
    for folder, manifest in found.items():
        if name is None or folder.name == name:
            return Found(folder, manifest)
    known = ", ".join(folder.name for folder in found) or "none"
    raise BackupFailed(f"There is no such backup in {place}. Here are: {known}.", "Name another folder or backup.")


@contextlib.contextmanager
def restoring(
    found: Found,
    vault: Vault,
    target: Path,
    keys: KeyStore,
    passphrase: Callable[[], str],
    *,
    clock: Clock,
    watch: Watch = lambda _: True,
) -> Iterator[Draft]:
    """Restore into a folder beside `target`; `finish` puts it there. Without that, nothing is left.

    Raises:
        BackupFailed: `target` holds something already.
        BackupDamaged, BackupCancelled, RecordError.
    """
    if target.exists() and any(target.iterdir()):
        raise BackupFailed(f"{target} is not empty.", "Name a new folder: what is there is never written over.")
    check_set(found.folder, found.manifest, vault)
    part = target.parent / f".part-{target.name}-{secrets.token_hex(4)}"
    part.mkdir(mode=0o700, parents=True)
    try:
        missing, opened = _files(found, vault, part, keys, passphrase, watch)
        practice = _practice(part, opened[FILE_NAME], vault, clock)
        try:
            if found.manifest.simulated:
                (part / MARKER).touch(mode=0o600)
            yield Draft(part, practice, found.manifest, missing, opened)
        finally:
            practice.close()
    finally:
        shutil.rmtree(part, ignore_errors=True)


def finish(draft: Draft, target: Path, *, author: str, clock: Clock) -> None:
    """A dentist answers for it: each log goes on under a new name, and says so. Then it is put in its place."""
    for name, missing in draft.missing.items():
        if name == FILE_NAME:
            continue
        record = Record.open(draft.folder / name, draft.keys[name], clock=clock)
        try:
            with record.transaction():
                one = draft.manifest
                record.restored(one.id, one.made_us, author=author, at_us=clock.utc_us(), missing=missing)
        finally:
            record.close()
    draft.practice.close()
    if target.exists():
        target.rmdir()
    draft.folder.rename(target)
    sync_folder(target.parent)


def _files(
    found: Found, vault: Vault, part: Path, keys: KeyStore, passphrase: Callable[[], str], watch: Watch
) -> tuple[dict[str, int], dict[str, bytes]]:
    total, done, go_on = max(1, sum(one.bytes for one in found.manifest.files)), 0, True

    def progress(count: int) -> None:
        nonlocal done, go_on
        done += count
        go_on = watch(min(1.0, done / total)) and go_on

    missing: dict[str, int] = {}
    opened: dict[str, bytes] = {}
    for one in found.manifest.files:
        path = part / one.name
        opened[one.name] = keys.load_or_create(path, passphrase)
        back = restore_file(
            found.folder / one.copy,
            vault.file_key(found.manifest.id, one.copy),
            path,
            opened[one.name],
            backup=found.manifest.id,
            name=one.copy,
            patients=vault.patients,
            progress=progress,
            cancelled=lambda: not go_on,
        )
        missing[one.name] = len(back.missing)
        if one.name != FILE_NAME:
            _up_to_date(path, opened[one.name])
            problems = verify_record(path, opened[one.name]).problems
            if problems:
                raise BackupError(f"{one.name} does not hold: {problems[0]}.", "Restore another backup.")
    if FILE_NAME not in opened:
        raise BackupError("The backup has no file of the practice.", "Restore another backup.")
    return missing, opened


def _up_to_date(path: Path, key: bytes) -> None:
    """A record of an older version goes through what is new since, before anybody looks at it. Raises RecordNewer."""
    file = CipherFile.open(path, key)
    try:
        file.migrate(record_migrations)
    finally:
        file.close()


def _practice(part: Path, key: bytes, vault: Vault, clock: Clock) -> PracticeFile:
    """With the keys as they are now, which may be newer than the backup."""
    practice = PracticeFile.open(part / FILE_NAME, key, clock=clock)
    try:
        practice.keys.add_patient_keys(vault.patients)
        for patient in vault.erased:
            practice.keys.erase_patient_key(patient)
        sheet = practice.keys.secret("sheet")
        if sheet is None or sheet.data != vault.wrapped:
            practice.keys.keep_secret("sheet", "", b"", vault.wrapped, author="restored")
    except BaseException:
        practice.close()
        raise
    return practice
