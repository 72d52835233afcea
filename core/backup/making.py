"""A backup: every chair's record and the practice's file, copied while they are in use, and restored once to be sure.

Consistent means: of each file the state of one moment, whole transactions only; the moments lie within milliseconds.
No transaction spans two files, and whatever concerns a visit is in one, so nothing of a visit is torn apart.
"""

import contextlib
import hashlib
import hmac
import os
import secrets
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import filelock
import msgspec

from core.backup.belongings import Wearers
from core.backup.errors import BackupCancelled, BackupDamaged, BackupFailed
from core.backup.places import Place, keep_place, places, surplus, take_away
from core.backup.sealed_file import Copied, copy_file, restore_file
from core.backup.vault import Vault, current, replace_file
from core.keys.wrapping import KEY_BYTES
from core.model import cbor
from core.model.clock import Clock
from core.record.errors import RecordError
from core.record.inspect import verify_record
from core.record.practice import FILE_NAME, PracticeFile
from core.record.sqlcipher import CipherFile, sync_folder

MANIFEST: Final = "manifest.json"
_LOCK: Final = "backup.lock"
_PART: Final = ".part-"

Watch = Callable[[float], bool]
"""Told how much is done, 0 to 1; says whether to go on."""


@dataclass(frozen=True, slots=True)
class Source:
    """A file of the data folder and its key."""

    path: Path
    key: bytes

    @property
    def is_practice(self) -> bool:
        return self.path.name == FILE_NAME


class BackedUp(msgspec.Struct, frozen=True, kw_only=True):
    """One file of a backup. `name`: as it is called in a data folder; `sha256`: of the copy, hexadecimal."""

    name: str
    copy: str
    bytes: int
    sha256: str
    rows: int
    patients: int


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """What a backup consists of. `mac`: HMAC-SHA-256 over all else, under a key derived from the master key."""

    format: int = 1
    id: str
    made_us: int
    simulated: bool
    files: tuple[BackedUp, ...]
    mac: str = ""

    def sealed(self, master: bytes) -> "Manifest":
        return msgspec.structs.replace(self, mac=self._mac(master))

    def sound(self, master: bytes) -> bool:
        return hmac.compare_digest(self.mac, self._mac(master))

    def _mac(self, master: bytes) -> str:
        told = cbor.encode(["smilescape/manifest/1", msgspec.structs.replace(self, mac="")])
        return hmac.digest(master, told, hashlib.sha256).hex()


@contextlib.contextmanager
def one_at_a_time(scratch: Path) -> Iterator[None]:
    """Backups and erasures take turns. Raises BackupFailed when another one runs."""
    lock = filelock.FileLock(str(scratch / _LOCK))
    try:
        lock.acquire(timeout=0)
    except filelock.Timeout:
        raise BackupFailed("Another backup or erasure is under way.", "Wait until it is done.") from None
    try:
        yield
    finally:
        lock.release()


def manifests(place: Path) -> dict[Path, Manifest]:
    """The whole backups of a place, the newest first; what was broken off has no manifest."""
    found: dict[Path, Manifest] = {}
    for file in place.glob(f"*/{MANIFEST}"):
        if file.parent.name.startswith("."):
            continue
        with contextlib.suppress(OSError, msgspec.DecodeError, UnicodeDecodeError):
            found[file.parent] = msgspec.json.decode(file.read_bytes(), type=Manifest)
    return dict(sorted(found.items(), key=lambda item: item[1].made_us, reverse=True))


def make_backup(
    place: Path,
    sources: Sequence[Source],
    practice: PracticeFile,
    *,
    clock: Clock,
    simulated: bool,
    scratch: Path,
    watch: Watch = lambda _: True,
) -> Path:
    """Make one in `place`, prove it, take away what is older than need be; returns its folder.

    Args:
        sources: all chairs' records and the practice's file.
        scratch: a folder on this machine, where it is restored once; nothing stays there.

    Raises:
        NoSheet, BackupFailed, BackupCancelled; nothing half is left.
    """
    with one_at_a_time(scratch):
        current(practice.keys)
        made_us = clock.utc_us()
        name = datetime.fromtimestamp(made_us / 1e6, UTC).strftime("backup-%Y%m%dT%H%M%SZ-") + secrets.token_hex(2)
        _prepare(place, sources)
        part = place / f"{_PART}{name}"
        try:
            part.mkdir(mode=0o700)
            work = _Work(part, name, sources, practice, scratch, _Meter(sources, watch))
            vault, files = work.run()
            manifest = Manifest(id=name, made_us=made_us, simulated=simulated, files=files).sealed(vault.master)
            replace_file(part / MANIFEST, msgspec.json.format(msgspec.json.encode(manifest)))
            part.rename(place / name)
            sync_folder(place)
        except OSError as error:
            raise BackupFailed(
                f"The backup could not be written to {place}: {error.strerror}.", "Check the disk, or take another."
            ) from error
        finally:
            shutil.rmtree(part, ignore_errors=True)
        known = next((one for one in places(practice) if one.path == str(place)), Place(path=str(place)))
        fresh = msgspec.structs.replace(known, made_us=made_us, vault=vault.number, erased=len(vault.erased))
        keep_place(practice, fresh)
        _thin(place, vault.master)
        return place / name


class _Meter:
    """Adds up what was copied and restored, and asks whether to go on."""

    def __init__(self, sources: Sequence[Source], watch: Watch) -> None:
        self._total = max(1, 2 * sum(source.path.stat().st_size for source in sources))
        self._watch = watch
        self._done = 0
        self._go_on = watch(0.0)

    def add(self, count: int) -> None:
        before, self._done = self._done, self._done + count
        if before * 200 // self._total != self._done * 200 // self._total:
            self._go_on = self._watch(min(1.0, self._done / self._total)) and self._go_on

    def cancelled(self) -> bool:
        return not self._go_on


class _Work:
    def __init__(
        self,
        part: Path,
        name: str,
        sources: Sequence[Source],
        practice: PracticeFile,
        scratch: Path,
        meter: _Meter,
    ) -> None:
        self._part, self._name, self._sources = part, name, sources
        self._practice, self._scratch, self._meter = practice, scratch, meter

    def run(self) -> tuple[Vault, tuple[BackedUp, ...]]:
        with contextlib.ExitStack() as stack:
            files: dict[Source, CipherFile] = {}
            for source in self._sources:
                files[source] = CipherFile.read(source.path, source.key)
                stack.callback(files[source].close)
            for file in files.values():
                stack.enter_context(file.reading())
                file.row("SELECT count(*) FROM sqlite_master")  # the snapshot is taken by the first read
            chairs = [file for source, file in files.items() if not source.is_practice]
            vault = self._vault(chairs)
            vault.write(self._part.parent)
            wearers = Wearers.of(chairs)
            copied = {
                source: self._copy(source, file, vault, None if source.is_practice else wearers)
                for source, file in files.items()
            }
        return vault, tuple(self._proven(source, one, vault) for source, one in copied.items())

    def _vault(self, chairs: Sequence[CipherFile]) -> Vault:
        """With a key for everybody who is in these records."""
        keys = self._practice.keys
        known = keys.patient_keys().keys() | keys.erased_patients().keys()
        people = "SELECT entity FROM version WHERE kind = 'patient' UNION SELECT owner FROM version"
        everybody = {row[0] for file in chairs for row in file.rows(people) if row[0]}
        keys.add_patient_keys({patient: secrets.token_bytes(KEY_BYTES) for patient in everybody - known})
        return current(keys)

    def _copy(self, source: Source, file: CipherFile, vault: Vault, wearers: Wearers | None) -> Copied:
        target = self._target(source)
        made = copy_file(
            file,
            target,
            vault.file_key(self._name, target.name),
            backup=self._name,
            name=target.name,
            key_of=vault.patients.__getitem__,
            wearers=wearers,
            erased=vault.erased,
            progress=self._meter.add,
            cancelled=self._meter.cancelled,
        )
        with target.open("rb+") as written:
            os.fsync(written.fileno())
        return made

    def _target(self, source: Source) -> Path:
        return self._part / f"{source.path.stem}.backup"

    def _proven(self, source: Source, copied: Copied, vault: Vault) -> BackedUp:
        """Restore it beside the live files, under a key that nobody keeps, and look whether it is sound."""
        target = self._target(source)
        trial, key = self._scratch / f"trial-{self._name}.sqlite", secrets.token_bytes(KEY_BYTES)
        try:
            restored = restore_file(
                target,
                vault.file_key(self._name, target.name),
                trial,
                key,
                backup=self._name,
                name=target.name,
                patients=vault.patients,
                progress=self._meter.add,
                cancelled=self._meter.cancelled,
            )
            problems = [] if restored.rows == copied.rows else [f"{copied.rows - restored.rows} rows are missing"]
            problems += _problems(trial, key, chair=not source.is_practice)
        except RecordError as error:
            problems = [str(error)]
        finally:
            for end in ("", "-wal", "-shm", "-journal"):
                trial.with_name(trial.name + end).unlink(missing_ok=True)
        if self._meter.cancelled():
            raise BackupCancelled
        if problems:
            raise BackupFailed(
                f"The backup of {source.path.name} does not hold: {problems[0]}.",
                "Run `record verify` on the file itself, and make the backup again.",
            )
        return BackedUp(
            name=source.path.name,
            copy=target.name,
            bytes=target.stat().st_size,
            sha256=digest(target),
            rows=copied.rows,
            patients=len(copied.patients),
        )


def _problems(path: Path, key: bytes, *, chair: bool) -> list[str]:
    if chair:
        return list(verify_record(path, key).problems)
    file = CipherFile.read(path, key)
    try:
        return [row[0] for row in file.rows("PRAGMA integrity_check(10)") if row[0] != "ok"]
    finally:
        file.close()


def digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def check_set(folder: Path, manifest: Manifest, vault: Vault) -> None:
    """Whether a backup is what was made. Raises BackupDamaged."""
    if manifest.format != 1 or not manifest.sound(vault.master):
        raise BackupDamaged(f"{folder / MANIFEST} is not what was written.", "Take another backup.")
    for one in manifest.files:
        try:
            same = digest(folder / one.copy) == one.sha256
        except OSError:
            same = False
        if not same:
            raise BackupDamaged(f"{folder / one.copy} is not what was written.", "Take another backup.")


def _prepare(place: Path, sources: Sequence[Source]) -> None:
    """Raises BackupFailed."""
    if any(place.resolve().is_relative_to(source.path.parent.resolve()) for source in sources):
        raise BackupFailed("A backup beside the data is lost with it.", "Name a folder on another disk.")
    try:
        place.mkdir(mode=0o700, exist_ok=True)
        for left in place.glob(f"{_PART}*"):
            shutil.rmtree(left, ignore_errors=True)  # a backup that was cut off by the end of its process
    except OSError as error:
        raise BackupFailed(f"{place} cannot be used: {error.strerror}.", "Name another folder.") from error


def _thin(place: Path, master: bytes) -> None:
    """Take away what need not be kept; only what this practice made."""
    made = {manifest.made_us: folder for folder, manifest in manifests(place).items() if manifest.sound(master)}
    for at_us in surplus(list(made)):
        with contextlib.suppress(OSError):
            take_away(made[at_us])
