"""`main.py patient erase` and `main.py patient overdue`."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

import click

from app.backup_commands import told_left
from app.keys_commands import Practice, acting, new_keys, opened
from app.record_commands import moment, open_key
from core.backup.erasing import Plan, erase, pending, plan_erasure
from core.backup.errors import EraseRefused
from core.backup.making import one_at_a_time
from core.backup.overdue import overdue as list_overdue
from core.backup.retention import Retention, load_retention
from core.record import NotFound, Record


def erase_patient(code: str | None, reason: str, data: Path | None, passphrase: str | None, who: str | None) -> int:
    rules = load_retention()
    with acting(data, passphrase, who) as (practice, unlocked), one_at_a_time(practice.folder.runtime_dir):
        folder = practice.folder
        with _records(practice, passphrase) as records:
            patient = _named(records, code) if code is not None else _pending(practice)
            plan = plan_erasure(records, patient, rules.kept_kinds)
            exports = [path for path in folder.exports.rglob("*") if any(one in path.name for one in plan.codes)]
            _show(plan, rules, exports)
            click.confirm("Erase this patient for good", abort=True)
            if code is not None and click.prompt("Type the patient's code once more") != code:
                raise EraseRefused("The codes differ. Nothing was erased.", "Begin again.")
            at_us = practice.clock.utc_us()
            erase(
                records,
                practice.file,
                patient,
                rules.kept_kinds,
                author=unlocked.operator_id,
                reason=reason,
                at_us=at_us,
            )
        for path in (*exports, *folder.runtime_dir.glob("*.ring")):
            if path.is_file():
                path.unlink()
        left = told_left(practice.file)
    new_keys(folder, passphrase)
    click.echo("Erased. The files have new keys, so that their former pages open no more.")
    return left


def overdue(data: Path | None, passphrase: str | None) -> int:
    years = load_retention().years
    with opened(data, passphrase) as practice, _records(practice, passphrase) as records:
        found = list_overdue(records, years, practice.clock.utc_us())
        for one in found:
            click.echo(f"{one.patient.code}  last seen {moment(one.last_us)[:10]}")
        click.echo(f"Not seen for {years} years: {len(found)}.")
    return 0


@contextlib.contextmanager
def _records(practice: Practice, passphrase: str | None) -> Iterator[list[Record]]:
    """The records of all chairs, open to be written."""
    with contextlib.ExitStack() as stack:
        found = [practice.record] if practice.record is not None else []
        for chair in practice.folder.chairs()[1:]:
            path = practice.folder.chair_file(chair)
            found.append(Record.open(path, open_key(path, passphrase), clock=practice.clock))
            stack.callback(found[-1].close)
        yield found


def _named(records: list[Record], code: str) -> str:
    for record in records:
        for one in record.patients():
            if one.code == code:
                return one.id
    raise NotFound(f"There is no patient {code}.", "Take the code from the list of patients.")


def _pending(practice: Practice) -> str:
    patient = pending(practice.file)
    if not patient:
        raise EraseRefused("No erasure was cut off.", "Name the patient's code.")
    return patient


def _show(plan: Plan, rules: Retention, exports: list[Path]) -> None:
    click.echo(f"Visits: {', '.join(plan.codes) or 'none'}\nWhat goes, in rows:")
    for what, count in sorted(plan.goes.items()):
        click.echo(f"  {what:12} {count}")
    for path in exports:
        click.echo(f"  {path}")
    click.echo("What stays, as the practice's rules in retention.toml say:")
    for one in rules.stays:
        rows = f" Rows: {plan.stays[one.what]}." if one.what in plan.stays else ""
        click.echo(f"  {one.what:12} {one.why}{rows}")
    for source, count in sorted(plan.nobodys.items()):
        click.echo(f"  {source:12} Samples outside any visit that belong to nobody known: {count}.")
    click.echo("Prints, data packs and files elsewhere are not reached.")
