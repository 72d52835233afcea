"""`main.py backup …` and `main.py restore`."""

import contextlib
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import msgspec

from app.engine.runtime import MARKER, Folder, MixedData
from app.keys_commands import PracticeMissing, acting, acting_dentist, typed_pin
from app.record_commands import DEMO_PASSPHRASE, moment, open_key
from core.backup.making import Source, make_backup
from core.backup.places import Place, forget_place, keep_place, leftovers, outstanding, places, renew_keys
from core.backup.restoring import find_backup, finish, restoring
from core.backup.sheet import CHECKED_LINE, SheetDraft
from core.backup.vault import Vault, typed_sheet
from core.keys.errors import WrongSecret
from core.keys.sheet import LINES
from core.model.clock import SystemClock
from core.people.pin import check_pin
from core.record.keys import KeyStore
from core.record.practice import PracticeFile
from core.reports.recovery import write_recovery_sheet


@contextlib.contextmanager
def running(data: Path | None, passphrase: str | None) -> Iterator[tuple[Folder, PracticeFile]]:
    """The practice of a data folder, whose engine may run. Raises PracticeMissing, and what opening it raises."""
    root = data or Folder.default()
    if not (root / "practice.sqlite").is_file():
        raise PracticeMissing(f"There is no practice in {root}.", "Name its data folder: --data FOLDER.")
    folder = Folder.open(root, simulated=(root / MARKER).exists())
    key = open_key(folder.practice_file, passphrase)
    file = PracticeFile.open(folder.practice_file, key, clock=SystemClock())
    try:
        yield folder, file
    finally:
        file.close()


def sources_of(folder: Folder, passphrase: str | None) -> list[Source]:
    paths = [*(folder.chair_file(chair) for chair in folder.chairs()), folder.practice_file]
    return [Source(path, open_key(path, passphrase)) for path in paths]


def make(data: Path | None, passphrase: str | None, place: Path) -> int:
    with running(data, passphrase) as (folder, practice), _bar("Backup") as watch:
        made = make_backup(
            place.absolute(),
            sources_of(folder, passphrase),
            practice,
            clock=SystemClock(),
            simulated=folder.simulated,
            scratch=folder.runtime_dir,
            watch=watch,
        )
    click.echo(f"Made and checked: {made}")
    return 0


def list_places(data: Path | None, passphrase: str | None) -> int:
    with running(data, passphrase) as (_, practice):
        behind = {one.path for one in outstanding(practice)}
        for place in places(practice):
            said = f"last {moment(place.made_us or None)}{', daily' if place.daily else ''}"
            click.echo(f"{place.path}: {said}")
            for left in leftovers(Path(place.path)):
                click.echo(f"  {left.name} was cut off; the next backup takes it away.")
            if place.path in behind:
                click.echo("  It still holds keys of patients who were erased. Connect it and run `backup keys`.")
        if not places(practice):
            click.echo("No backup was ever made.")
    return 0


def daily(data: Path | None, passphrase: str | None, place: Path, *, on: bool) -> int:
    path = str(place.absolute())
    with running(data, passphrase) as (_, practice):
        known = next((one for one in places(practice) if one.path == path), Place(path=path))
        keep_place(practice, msgspec.structs.replace(known, daily=on))
    click.echo(f"{path}: {'a backup each day' if on else 'no longer by itself'}.")
    return 0


def renew(data: Path | None, passphrase: str | None) -> int:
    with running(data, passphrase) as (_, practice):
        return told_left(practice)


def told_left(practice: PracticeFile) -> int:
    """Bring the keys to all places, and say where they could not be brought; 1 when there is such a place."""
    left = renew_keys(practice)
    for place in left:
        click.echo(f"Outstanding: {place.path} could not be reached. Connect it and run `backup keys`.", err=True)
    if not left:
        click.echo("Every place has the newest keys.")
    return 1 if left else 0


def forget(data: Path | None, passphrase: str | None, place: Path) -> int:
    with running(data, passphrase) as (_, practice):
        known = forget_place(practice, str(place.absolute()))
    click.echo("Forgotten." if known else "It was not known.")
    return 0 if known else 1


def sheet(data: Path | None, passphrase: str | None, who: str | None, out: Path | None) -> int:
    with acting(data, passphrase, who) as (practice, unlocked):
        draft = SheetDraft.draw()
        operator = acting_dentist(practice.file, unlocked.operator_id)
        if out is not None:
            write_recovery_sheet(draft.lines, _name(practice.file), practice.clock.utc_us(), out)
            click.echo(f"{out} is to be printed, locked away, and deleted here.")
        else:
            click.echo("Recovery sheet for backups. Keep it locked away, not beside the backups:")
            click.echo("whoever has both can read every record.\n")
            for number, line in enumerate(draft.lines, 1):
                click.echo(f"  {number}  {line}")
        try:
            _typed_back(draft)
        except BaseException:
            if out is not None:
                out.unlink(missing_ok=True)
            raise
        draft.take(practice.file.keys, author=operator.id)
        practice.note("backup_sheet", operator.id, {}, name=operator.name)
        return told_left(practice.file)


def _name(file: PracticeFile) -> str:
    stored = file.setting("practice.name")
    return msgspec.json.decode(stored, type=str) if stored is not None else ""


def _typed_back(draft: SheetDraft) -> None:
    """A sheet counts once somebody has shown that it can be read."""
    while not draft.read_back(str(click.prompt(f"Type line {CHECKED_LINE} of the sheet"))):
        click.echo("That is not how it was printed.")


def restore_into(place: Path, name: str | None, data: Path, passphrase: str | None, who: str | None) -> int:
    found = find_backup(place, name)
    made = found.manifest.made_us
    click.echo(f"Backup of {moment(made)}, {len(found.manifest.files)} files. What came after is not in it.")
    lines = [str(click.prompt(f"Line {number} of the recovery sheet")) for number in range(1, LINES + 1)]
    vault = Vault.read(place, typed_sheet(lines))
    clock, target = SystemClock(), data.absolute()
    if found.manifest.simulated and target == Folder.default().absolute():
        raise MixedData("The backup holds simulated data.", "Name another folder than that of the practice.")
    wrapped = passphrase or (DEMO_PASSPHRASE if found.manifest.simulated else None)
    keys = KeyStore(prefer="file" if wrapped is not None else "keyring")
    with (
        _bar("Restoring") as watch,
        restoring(found, vault, target, keys, lambda: wrapped or _new_passphrase(), clock=clock, watch=watch) as draft,
    ):
        operator = acting_dentist(draft.practice, who)
        pin = typed_pin(operator)
        if not operator.demo and not check_pin(draft.practice.pin_hash(operator.id), pin):
            raise WrongSecret
        finish(draft, target, author=operator.id, clock=clock)
    click.echo(f"Restored into {target}. {operator.name} answers for it; each audit log says so.")
    if any(draft.missing.values()):
        click.echo(f"Patients erased since, who did not come back: {max(draft.missing.values())}.")
    click.echo("The old machine must not go on with these data. See docs/keys.md for what hubs need.")
    return 0


def _new_passphrase() -> str:
    text: str = click.prompt("Passphrase for the new keys", hide_input=True, confirmation_prompt=True)
    return text


class _Bar:
    """Progress on a terminal; a Ctrl-C breaks off in good order."""

    def __init__(self, title: str) -> None:
        self._title = title
        self._said = -1

    def __call__(self, done: float) -> bool:
        percent = int(done * 100)
        if sys.stderr.isatty() and percent != self._said:
            self._said = percent
            click.echo(f"\r{self._title}: {percent} %", nl=False, err=True)
        return True


@contextlib.contextmanager
def _bar(title: str) -> Iterator[_Bar]:
    yield _Bar(title)
    if sys.stderr.isatty():
        click.echo("", err=True)
