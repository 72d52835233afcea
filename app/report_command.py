"""`main.py record report`: the report of a visit, without the workstation."""

from pathlib import Path

import click

from app.record_commands import moment, open_key
from core.model.people import VisitSummary
from core.model.wear import DAY_US
from core.record import NotFound, RecordReader
from core.record.at_home import at_home
from core.reports.collect import collect
from core.reports.data import Practice
from core.reports.patient import PLOT_COLUMNS, Format, make_report

LIST = "list"


def report(
    file: Path,
    wanted: str,
    out: Path | None,
    form: Format,
    language: str,
    practice: tuple[str, str],
    passphrase: str | None,
) -> int:
    """Write a report, or list the visits.

    Raises NotFound, ReportFailed, WordsError, and what opening a record raises.
    """
    with RecordReader.open(file, open_key(file, passphrase)) as reader:
        visits = reader.visits()
        if wanted == LIST:
            for visit in visits:
                click.echo(f"{visit.code:12} {moment(visit.began_us)}  {visit.state}")
            return 0
        visit = _found(visits, wanted)
        home = at_home([reader], visit.patient_id, until=visit.began_us // DAY_US)
        data = collect(reader, visit.id, practice=Practice(*practice), home=home, columns=PLOT_COLUMNS[form])
    made = make_report(data, out or Path(f"{visit.code}.{form}"), language=language, format=form)
    click.echo(f"{made.path}")
    return 0


def _found(visits: list[VisitSummary], wanted: str) -> VisitSummary:
    found = next((visit for visit in visits if wanted in (visit.id, visit.code)), None)
    if found is None:
        raise NotFound(f"The record has no visit {wanted!r}.", "`--visit list` names those it has.")
    return found
