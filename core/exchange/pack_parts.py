"""What a patient's data pack is made of: one maker for each part. Another part is one function and one line here."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from core.exchange.edf import export_edf
from core.exchange.fhir.bundle import export_visit
from core.exchange.fhir.context import Detail, Sender
from core.model.people import Patient, VisitSummary
from core.model.progress import Watch
from core.model.wear import AtHome
from core.record import NotFound, RecordReader
from core.record.csv import export_csv
from core.reports.data import Practice


@dataclass(frozen=True, slots=True)
class PackVisit:
    """One visit of the pack: where it is recorded, and what is needed besides.

    Attributes:
        sender: the practice, and the names of operators.
        home: the patient's days at home up to the visit; None when they cannot be read.
        language: of its report.
        others: the records of the other chairs, in which somebody may have written about the patient, or looked.
    """

    reader: RecordReader
    visit: VisitSummary
    patient: Patient
    sender: Sender
    home: AtHome | None = None
    others: Sequence[RecordReader] = ()
    language: str = "en"

    @property
    def range_us(self) -> tuple[int, int]:
        """UTC µs of a visit that has ended."""
        return self.visit.began_us, self.visit.ended_us or self.visit.began_us


PartMaker = Callable[[PackVisit, Path, Watch], None]
"""Writes its files into a folder that is there. SmilescapeError keeps this part out of the pack, which says why;
Cancelled and ExportFailed end the whole."""


def report_pdf(one: PackVisit, folder: Path, watch: Watch) -> None:
    _report(one, folder / "report.pdf", "pdf", watch)


def report_html(one: PackVisit, folder: Path, watch: Watch) -> None:
    _report(one, folder / "report.html", "html", watch)


def signals_edf(one: PackVisit, folder: Path, watch: Watch) -> None:
    export_edf(one.reader, _channels(one), *one.range_us, folder / "edf", patient=one.patient, watch=watch)


def signals_csv(one: PackVisit, folder: Path, watch: Watch) -> None:
    export_csv(one.reader, _channels(one), *one.range_us, folder / "signals.csv", watch)


def fhir(one: PackVisit, folder: Path, watch: Watch) -> None:
    """Every sample stands in the EDF+ beside it."""
    export_visit(
        one.reader,
        one.visit.id,
        folder / "fhir.json",
        sender=one.sender,
        detail=Detail.REDUCED,
        others=one.others,
        home=one.home,
        watch=watch,
    )


PARTS: Final[Sequence[tuple[str, PartMaker]]] = (
    ("report.pdf", report_pdf),
    ("report.html", report_html),
    ("edf", signals_edf),
    ("signals.csv", signals_csv),
    ("fhir.json", fhir),
)


def _report(one: PackVisit, path: Path, form: Literal["pdf", "html"], watch: Watch) -> None:
    # Typst takes its time to load.
    from core.reports.collect import collect
    from core.reports.patient import PLOT_COLUMNS, make_report

    watch(0.0)
    data = collect(
        one.reader,
        one.visit.id,
        practice=Practice(one.sender.practice, one.sender.phone),
        home=one.home,
        names=one.sender.people,
        others=one.others,
        columns=PLOT_COLUMNS[form],
    )
    make_report(data, path, language=one.language, format=form)


def _channels(one: PackVisit) -> list[str]:
    """Raises NotFound: the visit holds no signals."""
    found = [span.channel for span in one.reader.spans(one.visit.id)]
    if not found:
        raise NotFound("No signals were recorded.", "")
    return found
