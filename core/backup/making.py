"""A backup: every chair's record and the practice's file, copied while they are in use, and restored once to be sure.

Consistent means: of each file the state of one moment, whole transactions only; the moments lie within milliseconds.
No transaction spans two files, and whatever concerns a visit is in one, so nothing of a visit is torn apart.
"""

import contextlib
import hashlib
import hmac
import logging
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
from core.backup.places import PART, Place, forget_place, keep_place, places, surplus, sweep, take_away
from core.backup.proving import prove, sweep_trials
from core.backup.sealed_file import Copied, copy_file
from core.backup.vault import VAULT_NAME, Vault, current, replace_file
from core.keys.wrapping import KEY_BYTES
from core.model import cbor
from core.model.clock import Clock
from core.record.practice import FILE_NAME, PracticeFile
from core.record.sqlcipher import CipherFile, sync_folder

_log = logging.getLogger(__name__)

MANIFEST: Final = "manifest.json"
_LOCK: Final = "backup.lock"
SPARE_BYTES: Final = 500_000_000
"""What a trial leaves free on the disk of the records: with less than that, the workstation tells of a full disk."""

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
        sweep_trials(scratch)
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
        master = current(practice.keys).master
        made_us = clock.utc_us()
        name = datetime.fromtimestamp(made_us / 1e6, UTC).strftime("backup-%Y%m%dT%H%M%SZ-") + secrets.token_hex(2)
        _prepare(place, sources)
        room_for_trial(scratch, max(source.path.stat().st_size for source in sources))
        part, fresh = place / f"{PART}{name}", _is_fresh(place, practice, master)
        try:
            part.mkdir(mode=0o700)
            meter = Meter(2 * sum(source.path.stat().st_size for source in sources), watch)
            work = _Work(part, name, sources, practice, scratch, meter)
            vault, files = work.run()
            manifest = Manifest(id=name, made_us=made_us, simulated=simulated, files=files).sealed(vault.master)
            replace_file(part / MANIFEST, msgspec.json.format(msgspec.json.encode(manifest)))
            part.rename(place / name)
            sync_folder(place)
        except BaseException as error:
            if fresh:  # nothing lies there that an erasure would have to reach
                (place / VAULT_NAME).unlink(missing_ok=True)
                forget_place(practice, str(place))
            if isinstance(error, OSError):
                raise BackupFailed(
                    f"The backup could not be written to {place}: {error.strerror}.", "Check the disk, or take another."
                ) from error
            raise
        finally:
            shutil.rmtree(part, ignore_errors=True)
        keep_place(practice, msgspec.structs.replace(_holding(practice, place, vault), made_us=made_us))
        _thin(place, vault.master)
        return place / name


class Meter:
    """Adds up what was done of `total` bytes, and asks whether to go on."""

    def __init__(self, total: int, watch: Watch) -> None:
        self._total = max(1, total)
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
        meter: Meter,
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
            place = self._part.parent
            # Known before anything lies there: an erasure must reach these keys, also when this process is killed now.
            keep_place(self._practice, _holding(self._practice, place, vault))
            vault.write(place)
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
        target = self._target(source)
        problems = prove(
            target,
            vault.file_key(self._name, target.name),
            backup=self._name,
            source=source.path.name,
            rows=copied.rows,
            patients=vault.patients,
            scratch=self._scratch,
            progress=self._meter.add,
            cancelled=self._meter.cancelled,
        )
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


def _is_fresh(place: Path, practice: PracticeFile, master: bytes) -> bool:
    """Whether nothing is known of a place, and nothing lies there. Raises BackupFailed: others' keys lie there."""
    if any(one.path == str(place) for one in places(practice)):
        return False
    if not (place / VAULT_NAME).exists():
        return True
    try:
        Vault.read_with(place, master)
    except BackupDamaged:
        raise BackupFailed(
            f"{place} holds backups that this practice's key does not open.", "Name another folder for ours."
        ) from None
    return False


def _holding(practice: PracticeFile, place: Path, vault: Vault) -> Place:
    """What is known of a place that holds these keys."""
    known = next((one for one in places(practice) if one.path == str(place)), Place(path=str(place)))
    return msgspec.structs.replace(known, vault=vault.number, erased=len(vault.erased))


def room_for_trial(scratch: Path, largest: int) -> None:
    """Raises BackupFailed: restoring a file of so many bytes would leave the records too little room."""
    needed = largest * 3 // 2 + SPARE_BYTES
    if shutil.disk_usage(scratch).free < needed:
        raise BackupFailed(
            f"There is too little room in {scratch} to try the backup out.", f"Free {needed / 1e9:.1f} GB there."
        )


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
        for name in sweep(place):
            _log.warning("%s in %s was left by a backup that was cut off, and is taken away", name, place)
    except OSError as error:
        raise BackupFailed(f"{place} cannot be used: {error.strerror}.", "Name another folder.") from error


def _thin(place: Path, master: bytes) -> None:
    """Take away what need not be kept; only what this practice made."""
    made = {manifest.made_us: folder for folder, manifest in manifests(place).items() if manifest.sound(master)}
    for at_us in surplus(list(made)):
        with contextlib.suppress(OSError):
            take_away(made[at_us])
