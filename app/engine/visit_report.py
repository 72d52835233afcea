"""The report of one visit, with what only the records of all chairs together tell."""

from pathlib import Path
from typing import TYPE_CHECKING

from app.engine.open_records import OpenRecords
from app.ipc.export_messages import ReportFormat
from core.model.people import VisitSummary
from core.model.wear import DAY_US

if TYPE_CHECKING:
    from core.reports.patient import ReportMade


def visit_report(
    records: OpenRecords, chair: int, visit: VisitSummary, path: Path, form: ReportFormat, language: str
) -> "ReportMade":
    """Write it. Raises Refuse, NotFound, ReportFailed, WordsError."""
    # Typst takes its time to load; what else the reader process does needs none of it.
    from core.reports.collect import collect
    from core.reports.patient import PLOT_COLUMNS, make_report

    reader = records.of(chair)
    data = collect(
        reader,
        visit.id,
        practice=records.practice,
        home=records.home(visit.patient_id, until=visit.began_us // DAY_US),
        names=records.names,
        others=[other for other in records.every() if other is not reader],
        columns=PLOT_COLUMNS[form],
    )
    return make_report(data, path, language=language, format=form)
