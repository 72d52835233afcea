"""What a place of backups holds, and whether a backup in it still opens."""

from dataclasses import dataclass
from pathlib import Path

import msgspec

from core.backup.errors import BackupCancelled, BackupFailed
from core.backup.making import Manifest, Meter, Watch, check_set, manifests, one_at_a_time, room_for_trial
from core.backup.places import Place, keep_place, leftovers, places
from core.backup.proving import prove
from core.backup.restoring import find_backup
from core.backup.vault import Vault, current
from core.model.clock import Clock
from core.record.practice import FILE_NAME, PracticeFile


@dataclass(frozen=True, slots=True)
class Kept:
    """A backup in a place.

    Attributes:
        bytes: of all its files.
        chairs: how many records it holds.
        ours: it was made by this practice, and its manifest is as it was written.
        checked_us: when it was opened last to see whether it holds, UTC µs: after it was made, or at a later check.
    """

    name: str
    made_us: int
    bytes: int
    chairs: int
    ours: bool
    checked_us: int


@dataclass(frozen=True, slots=True)
class Shelf:
    """A place as it is now. `there`: it can be reached; `cut_off`: names of what broken backups left in it."""

    place: Place
    there: bool
    kept: tuple[Kept, ...]
    cut_off: tuple[str, ...]


def look_at(practice: PracticeFile) -> list[Shelf]:
    """Every place that is known, with what lies there: reads each manifest, opens nothing."""
    master = practice.keys.secret("backup")
    shelves = []
    for place in places(practice):
        folder = Path(place.path)
        kept = [
            Kept(
                path.name,
                one.made_us,
                sum(file.bytes for file in one.files),
                sum(file.name != FILE_NAME for file in one.files),
                master is not None and one.sound(master.data),
                max(place.checked.get(path.name, 0), one.made_us),
            )
            for path, one in manifests(folder).items()
        ]
        shelves.append(Shelf(place, folder.is_dir(), tuple(kept), tuple(one.name for one in leftovers(folder))))
    return shelves


def check_backup(
    place: Path,
    name: str | None,
    practice: PracticeFile,
    *,
    clock: Clock,
    scratch: Path,
    watch: Watch = lambda _: True,
) -> Manifest:
    """Open a backup with the keys that lie beside it, as a new machine would, and look through all that is in it.

    Raises:
        BackupDamaged, BackupFailed: it would not restore, and why.
        BackupCancelled, NoSheet.
    """
    with one_at_a_time(scratch):
        found = find_backup(place, name)
        vault = Vault.read_with(place, current(practice.keys).master)
        sizes = [one.bytes for one in found.manifest.files]
        room_for_trial(scratch, max(sizes))
        meter = Meter(sum(sizes), watch)
        check_set(found.folder, found.manifest, vault)
        for one in found.manifest.files:
            problems = prove(
                found.folder / one.copy,
                vault.file_key(found.manifest.id, one.copy),
                backup=found.manifest.id,
                source=one.name,
                rows=one.rows,
                patients=vault.patients,
                scratch=scratch,
                progress=meter.add,
                cancelled=meter.cancelled,
            )
            if meter.cancelled():
                raise BackupCancelled
            if problems:
                raise BackupFailed(f"{one.copy} of {name} does not hold: {problems[0]}.", "Make another backup now.")
        _remember(practice, place, found.folder.name, clock.utc_us())
        return found.manifest


def _remember(practice: PracticeFile, place: Path, name: str, at_us: int) -> None:
    known = next((one for one in places(practice) if one.path == str(place)), None)
    if known is not None:
        there = {path.name for path in manifests(place)}
        checked = {one: at for one, at in known.checked.items() if one in there}
        keep_place(practice, msgspec.structs.replace(known, checked={**checked, name: at_us}))
