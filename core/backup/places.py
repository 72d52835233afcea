"""Where backups lie, and how many are kept. A place is a folder that a person named."""

import shutil
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import msgspec

from core.backup.vault import Vault, current
from core.record.practice import PracticeFile

_SETTING: Final = "backup.places"
PART: Final = ".part-"
_GONE: Final = ".gone-"
DAYS, WEEKS, MONTHS = 7, 5, 12
"""Kept are the newest backup of each of so many days, weeks and months that had one."""


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """A folder with backups.

    Attributes:
        made_us: when the last good one was begun, UTC µs; 0: none yet.
        vault: number of the keys that were written there last.
        erased: how many patients those keys had erased.
        daily: the workstation makes one here each day by itself.
        checked: by a backup's name, when it was opened last to see whether it holds, UTC µs.
    """

    path: str
    made_us: int = 0
    vault: int = 0
    erased: int = 0
    daily: bool = False
    checked: dict[str, int] = {}


def places(practice: PracticeFile) -> list[Place]:
    stored = practice.setting(_SETTING)
    return msgspec.json.decode(stored, type=list[Place]) if stored is not None else []


def keep_place(practice: PracticeFile, place: Place) -> None:
    """Remember a place, or what is new of it."""
    kept = [one for one in places(practice) if one.path != place.path]
    _save(practice, [*kept, place])


def forget_place(practice: PracticeFile, path: str) -> bool:
    """Whether it was known. What lies there stays, and no erasure reaches it any more."""
    known = places(practice)
    kept = [one for one in known if one.path != path]
    if len(kept) != len(known):
        _save(practice, kept)
    return len(kept) != len(known)


def outstanding(practice: PracticeFile) -> list[Place]:
    """Places whose keys still open what was erased since they were written."""
    erased = len(practice.keys.erased_patients())
    return [one for one in places(practice) if one.erased < erased]


def renew_keys(practice: PracticeFile) -> list[Place]:
    """Write the newest keys to every place that can be reached; returns those that hold older ones still."""
    if not places(practice):
        return []
    vault = current(practice.keys)
    for place in places(practice):
        _renew(practice, place, vault)
    return [one for one in places(practice) if one.vault != vault.number]


def _renew(practice: PracticeFile, place: Place, vault: Vault) -> None:
    folder = Path(place.path)
    if not folder.is_dir():
        return
    try:
        vault.write(folder)
    except OSError:
        return
    keep_place(practice, msgspec.structs.replace(place, vault=vault.number, erased=len(vault.erased)))


def surplus(made_us: Sequence[int]) -> list[int]:
    """Of backups made at these moments, those that need not be kept."""
    kept: set[int] = set()
    newest_first = sorted(made_us, reverse=True)
    for form, most in (("%Y-%j", DAYS), ("%G-%V", WEEKS), ("%Y-%m", MONTHS)):
        newest: dict[str, int] = {}
        for at_us in newest_first:
            newest.setdefault(datetime.fromtimestamp(at_us / 1e6, UTC).strftime(form), at_us)
        kept |= set(list(newest.values())[:most])
    return [at_us for at_us in newest_first if at_us not in kept]


def take_away(folder: Path) -> None:
    """Remove a backup; broken off half-way, what is left is not taken for one."""
    away = folder.with_name(f"{_GONE}{folder.name}")
    folder.rename(away)
    shutil.rmtree(away, ignore_errors=True)


def leftovers(place: Path) -> list[Path]:
    """What backups that were cut off by the end of their process left in a place; nothing counts on it."""
    return sorted(one for start in (PART, _GONE) for one in place.glob(f"{start}*"))


def sweep(place: Path) -> list[str]:
    """Take that away, while no other backup is made there; the names of what went."""
    gone = []
    for left in leftovers(place):
        shutil.rmtree(left, ignore_errors=True)
        if not left.exists():
            gone.append(left.name)
    return gone


def _save(practice: PracticeFile, all_of: list[Place]) -> None:
    practice.set_setting(_SETTING, msgspec.json.encode(all_of).decode())
