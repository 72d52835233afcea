"""`main.py record …`: look into a chair's record without the workstation."""

import sys
from datetime import UTC, datetime
from pathlib import Path

import click

from core.model.errors import SmilescapeError
from core.model.wear import day_iso
from core.record import NotFound, RecordMissing, RecordReader
from core.record.bundle import entries_of_visit, export_bundle
from core.record.days_csv import export_days
from core.record.inspect import practice_roots, record_info, verify_record
from core.record.keys import KeyStore
from core.record.practice import FILE_NAME

DEMO_PASSPHRASE = "simulated"


class BadTime(SmilescapeError):  # noqa: N818
    """A moment that cannot be read."""

    code = "cli.time"


def open_key(file: Path, passphrase: str | None) -> bytes:
    """The record's key, from keyring or key file. A simulated record opens without being asked.

    Raises RecordMissing, KeyMissing, WrongPassphrase, KeyFileDamaged.
    """
    if not file.exists():
        raise RecordMissing(f"There is no record at {file}.", "Check the path.")
    if file.is_dir():
        raise RecordMissing(f"{file} is a folder.", "Name the record in it, such as chair-1.sqlite.")
    simulated = (file.parent / ".simulated").exists()

    def ask() -> str:
        if passphrase is not None:
            return passphrase
        if simulated:
            return DEMO_PASSPHRASE
        if not sys.stdin.isatty():
            raise click.UsageError("The key file needs its passphrase. Give --passphrase or SMILESCAPE_PASSPHRASE.")
        text: str = click.prompt("Passphrase", hide_input=True)
        return text

    return KeyStore().load(file, ask)


def info(file: Path, passphrase: str | None) -> int:
    found = record_info(file, open_key(file, passphrase))
    rows = [
        ("record", found.id),
        ("chair", str(found.chair)),
        ("data", "simulated" if found.simulated else "real"),
        ("created", moment(found.created_us)),
        ("schema", found.schema),
        ("size", f"{found.size_bytes / 1e6:.1f} MB"),
        ("patients", str(found.patients)),
        ("visits", str(found.visits)),
        ("events", str(found.events)),
        ("alarms", str(found.alarms)),
        ("audit log", f"{found.audit.size} entries, root {found.audit.root.hex()}"),
        ("samples", f"{found.samples} in {found.blocks} blocks"),
        ("from", moment(found.from_us)),
        ("to", moment(found.to_us)),
        ("frames lost", str(len(found.losses))),
    ]
    for name, value in rows:
        click.echo(f"{name:12} {value}")
    for span in found.channels:
        click.echo(f"  {span.channel:20} {span.samples:>10}  {moment(span.from_us)}  {moment(span.to_us)}")
    for hub in found.wear:
        between = f" ({day_iso(hub.span[0])} to {day_iso(hub.span[1])})" if hub.span else ""
        kept = f"days {hub.days}{between}, events {hub.events}, journal entries {hub.journal}"
        click.echo(f"  {hub.source:20} at home: {kept}")
    return 0


def days(file: Path, out: Path, passphrase: str | None) -> int:
    with RecordReader.open(file, open_key(file, passphrase)) as reader:
        rows = export_days(reader, out)
    click.echo(f"{rows} days in {out}")
    return 0


def verify(file: Path, passphrase: str | None) -> int:
    """Also asks what lies beside it: the practice's file for its roots, other chairs for what they have seen."""
    witnesses: dict[Path, bytes] = {}
    silent: list[str] = []
    roots: frozenset[bytes] | None = None
    key = open_key(file, passphrase)
    for other in sorted(file.parent.glob("*.sqlite")):
        if other.samefile(file):
            continue
        try:
            other_key = open_key(other, passphrase)
            if other.name == FILE_NAME:
                roots = practice_roots(other, other_key)
            else:
                witnesses[other] = other_key
        except (SmilescapeError, click.UsageError) as error:
            silent.append(f"{other.name} could not be asked: {error}")
    report = verify_record(file, key, roots=roots, witnesses=witnesses)
    for note in (*report.notes, *silent):
        click.echo(note)
    if report.ok:
        click.echo(f"Sound: {report.blocks} blocks, {report.samples} samples, {report.entries} log entries.")
        return 0
    for problem in report.problems:
        click.echo(problem, err=True)
    click.echo("Not sound. Keep the file, and restore the last backup.", err=True)
    return 1


def bundle(file: Path, out: Path, visit: str | None, entries: str | None, passphrase: str | None) -> int:
    with RecordReader.open(file, open_key(file, passphrase)) as reader:
        size = reader.audit_head().size
        if visit is not None:
            found = [one for one in reader.visits() if visit in (one.code, one.id)]
            if not found:
                raise NotFound(f"There is no visit {visit} in {file.name}.", "Take its code from the time line.")
            wanted = entries_of_visit(reader, found[0].id)
        else:
            wanted = [number for number in entry_range(entries or f"0-{size}") if number < size]
        made = export_bundle(reader, wanted, out)
    click.echo(f"Log entries: {made.entries}, checkpoints: {made.checkpoints}, in {out}. See docs/verify.md.")
    if made.uncovered:
        click.echo(f"Left out: {made.uncovered}. Nothing that is signed covers these entries yet.", err=True)
    return 0


def entry_range(text: str) -> range:
    """`7` or `7-12`, both included."""
    first, dash, last = text.partition("-")
    if not first.isdigit() or (dash and not last.isdigit()):
        raise click.BadParameter(f"{text!r} is neither a number nor a range such as 7-12.", param_hint="--entries")
    return range(int(first), int(last or first) + 1)


def microseconds(text: str) -> int:
    """UTC µs of an ISO 8601 moment; without an offset it is UTC. Raises BadTime."""
    try:
        when = datetime.fromisoformat(text)
    except ValueError:
        raise BadTime(f"{text!r} is no moment.", "Write it like 2045-11-22T10:20:00.") from None
    if when.tzinfo is None:
        when = when.replace(tzinfo=UTC)
    since = when - datetime(1970, 1, 1, tzinfo=UTC)
    return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds


def moment(at_us: int | None) -> str:
    """A moment for people, UTC to the second."""
    if at_us is None:
        return "-"
    return datetime.fromtimestamp(at_us / 1e6, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
