"""What `main.py record csv|edf|parquet|fhir|pack|import` do: out to other programs, and in from them."""

import contextlib
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import click

from app import __version__
from app.record_commands import BadTime, microseconds, open_key
from core.model.clock import SystemClock
from core.model.people import VisitSummary
from core.model.progress import Watch
from core.model.words import load_words
from core.record import NotFound, Record, RecordReader
from core.record.csv import export_csv
from core.signals.catalogue import load_catalogue


@dataclass(frozen=True, slots=True)
class Chosen:
    """What somebody asked for on the command line."""

    file: Path
    channels: tuple[str, ...]
    visit: str | None
    begin: str | None
    end: str | None
    passphrase: str | None


@dataclass(frozen=True, slots=True)
class Opened:
    """The record, and the part of it that was asked for; UTC µs."""

    reader: RecordReader
    channels: tuple[str, ...]
    from_us: int
    to_us: int
    visit: VisitSummary | None


def csv(chosen: Chosen, out: Path) -> int:
    with _opened(chosen) as (found, watch):
        rows = export_csv(found.reader, found.channels, found.from_us, found.to_us, out, watch)
    click.echo(f"{rows} samples of {len(found.channels)} channels in {out}")
    return 0


def parquet(chosen: Chosen, out: Path) -> int:
    from core.exchange.parquet import export_parquet

    with _opened(chosen) as (found, watch):
        rows = export_parquet(found.reader, found.channels, found.from_us, found.to_us, out, watch)
    click.echo(f"{rows} samples of {len(found.channels)} channels in {out}")
    return 0


def edf(chosen: Chosen, out: Path, *, named: bool) -> int:
    from core.exchange.edf import export_edf

    if named and chosen.visit is None:
        raise click.UsageError("--named needs --visit: whose name would it be?")
    with _opened(chosen) as (found, watch):
        patient = found.reader.patient(found.visit.patient_id) if named and found.visit is not None else None
        made = export_edf(found.reader, found.channels, found.from_us, found.to_us, out, patient=patient, watch=watch)
    click.echo(f"{len(made.segments)} EDF files and manifest.json in {out}")
    if made.uneven_file is not None:
        streams = ", ".join(sorted({one.channel for one in made.uneven}))
        click.echo(f"On no even grid, so in {made.uneven_file.file}: {streams}")
    return 0


def fhir(file: Path, code: str, out: Path, passphrase: str | None, *, every_visit: bool, every_sample: bool) -> int:
    from core.exchange.fhir.bundle import Held, export_visits
    from core.exchange.fhir.context import Detail, Sender

    with RecordReader.open(file, open_key(file, passphrase)) as reader:
        chosen = _visit(reader.visits(), code)
        held = [
            Held(reader, visit)
            for visit in reversed(reader.visits(chosen.patient_id))
            if visit.id == chosen.id or every_visit
        ]
        detail = Detail.FULL if every_sample else Detail.REDUCED
        with _progress() as watch:
            written = export_visits(held, out, sender=Sender(__version__), detail=detail, watch=watch)
    visits = "1 visit" if len(held) == 1 else f"{len(held)} visits"
    click.echo(f"{written} resources of {visits} in {out}")
    return 0


def pack(
    files: Sequence[Path], code: str, out: Path, passphrase: str | None, *, language: str, sheet: Path | None
) -> int:
    """The reader process does the same; here it is asked directly."""
    from app.engine.export_work import ExportWork
    from app.engine.open_records import OpenRecords, Refuse
    from app.engine.reader_wire import ChairFile, ReaderSetup
    from app.ipc.export_messages import MakePack, PackMade
    from core.reports.files import write_whole

    place = out.absolute()
    if sheet is not None and sheet.absolute().is_relative_to(place.parent):
        raise click.BadParameter("The code must not lie where the pack goes.", param_hint="--sheet")
    chairs = tuple(
        ChairFile(number, str(file.absolute()), open_key(file, passphrase)) for number, file in enumerate(files, 1)
    )
    records = OpenRecords(ReaderSetup(chairs))
    try:
        found = _visit([visit for reader in records.every() for visit in reader.visits()], code)
        request = MakePack(patient_id=found.patient_id, folder=str(place.parent), name=place.name, language=language)
        with _progress() as watch:
            made = ExportWork(records).serve(request, watch)
    except Refuse as no:
        raise NotFound(load_words().tell(no.refused.text), "") from None
    finally:
        records.close()
    if isinstance(made, PackMade):
        for visit, part, why in made.missing:
            click.echo(f"Not in it: {visit}, {part}: {why}", err=True)
        click.echo(f"{len(made.visits)} visits in {made.folder}")
        click.echo(f"Code: {made.code}. It is shown this once. Give it apart from the stick.")
        if sheet is not None and made.sheet:
            write_whole(sheet, made.sheet)
            sheet.chmod(0o600)
            click.echo(f"{sheet} has it, too: print it, then delete it.")
    return 0


def take_in(
    file: Path,
    signals: Path,
    *,
    visit: str,
    mapped: Sequence[str],
    zone: str | None,
    author: str,
    passphrase: str | None,
) -> int:
    """Whatever is wrong in the file, and wherever, ends it with nothing taken in."""
    from core.exchange.incoming import digest_of, import_signals, parse_zone, read_signals

    wrong = [one for one in mapped if "=" not in one]
    if wrong:
        raise click.BadParameter(f"{wrong[0]!r} is not NAME=KEY.", param_hint="--map")
    names = dict(one.rsplit("=", 1) for one in mapped)
    key = open_key(file, passphrase)
    chosen_zone = parse_zone(zone) if zone else None
    digest = digest_of(signals)
    clock = SystemClock()
    record = Record.open(file, key, clock=clock)
    try:
        known = _visit(record.visits(None), visit)
        with _progress() as watch:
            found = read_signals(signals, load_catalogue(), zone=chosen_zone, names=names, watch=watch)
            taken = import_signals(record, found, digest, visit_id=known.id, author=author, at_us=clock.utc_us())
    finally:
        record.close()
    click.echo(f"{taken.stored} samples imported; {taken.known} were there already.")
    return 0


@contextlib.contextmanager
def _opened(chosen: Chosen) -> Iterator[tuple[Opened, Watch]]:
    """Raises NotFound, BadTime, and what opening a record raises."""
    catalogue = load_catalogue()
    with RecordReader.open(chosen.file, open_key(chosen.file, chosen.passphrase)) as reader:
        spans = reader.spans()
        held = [span.channel for span in spans]
        unknown = [key for key in chosen.channels if key not in catalogue and key not in held]
        if unknown:
            known = ", ".join(dict.fromkeys([*(spec.key for spec in catalogue), *held]))
            raise click.BadParameter(f"{unknown[0]} is no channel. Channels: {known}.", param_hint="--channel")
        visit = _visit(reader.visits(), chosen.visit) if chosen.visit is not None else None
        from_us = visit.began_us if visit else min((span.from_us for span in spans), default=0)
        to_us = max((span.to_us for span in spans), default=0) + 1
        to_us = visit.ended_us if visit is not None and visit.ended_us is not None else to_us
        from_us = microseconds(chosen.begin) if chosen.begin else from_us
        to_us = microseconds(chosen.end) if chosen.end else to_us
        if to_us <= from_us:
            raise BadTime("The range ends before it begins.", "Swap --from and --to.")
        with _progress() as watch:
            yield Opened(reader, chosen.channels or tuple(held), from_us, to_us, visit), watch


def _visit(visits: Iterable[VisitSummary], code: str) -> VisitSummary:
    """Raises NotFound."""
    wanted = code.strip().casefold()
    found = next((visit for visit in visits if visit.code.casefold() == wanted), None)
    if found is None:
        raise NotFound(f"There is no visit {code}.", "Check the code, and look in the other chairs' records.")
    return found


@contextlib.contextmanager
def _progress() -> Iterator[Watch]:
    """Percent on standard error, where somebody looks at it."""
    seen = -1

    def watch(done: float) -> None:
        nonlocal seen
        percent = int(done * 100)
        if percent != seen and sys.stderr.isatty():
            click.echo(f"\r{percent:3d} %", nl=False, err=True)
        seen = percent

    try:
        yield watch
    finally:
        if seen >= 0 and sys.stderr.isatty():
            click.echo("\r     \r", nl=False, err=True)
