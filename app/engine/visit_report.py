"""What is printed for a patient, with what only the records of all chairs together tell."""

from pathlib import Path
from typing import TYPE_CHECKING

from app.engine.open_records import OpenRecords
from app.ipc.export_messages import ReportFormat
from core.model.clock import SystemClock
from core.model.people import Patient, VisitSummary
from core.model.wear import DAY_US
from core.record.versions import utc_offset_s

if TYPE_CHECKING:
    from core.model.access import View
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


def views_sheet(records: OpenRecords, patient: Patient, views: "list[View]", path: Path, language: str) -> "ReportMade":
    """Who looked at a patient's data, to take home. Raises ReportFailed, WordsError."""
    from core.reports.looked import LookedData, print_looked

    now_us = SystemClock().utc_us()
    data = LookedData(
        patient=patient,
        views=views,
        names=records.names,
        practice=records.practice,
        made_us=now_us,
        utc_offset_s=utc_offset_s(now_us),
    )
    return print_looked(data, path, language=language)
