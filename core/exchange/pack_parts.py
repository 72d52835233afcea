"""What a patient's data pack is made of: one maker for each part. Another part is one function and one line here."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from core.exchange.edf import export_edf
from core.model.people import Patient, VisitSummary
from core.model.progress import Watch
from core.model.wear import AtHome
from core.record import NotFound, RecordReader
from core.record.csv import export_csv
from core.reports.data import Practice


@dataclass(frozen=True, slots=True)
class PackVisit:
    """One visit of the pack: where it is recorded, and what its report needs besides."""

    reader: RecordReader
    visit: VisitSummary
    patient: Patient
    practice: Practice
    home: AtHome | None

    @property
    def range_us(self) -> tuple[int, int]:
        """UTC µs of a visit that has ended."""
        return self.visit.began_us, self.visit.ended_us or self.visit.began_us


PartMaker = Callable[[PackVisit, Path, Watch], None]
"""Writes its files into a folder that is there. SmilescapeError keeps this part out of the pack, which says why;
Cancelled and ExportFailed end the whole."""


def report(one: PackVisit, folder: Path, watch: Watch) -> None:
    # Typst takes its time to load.
    from core.reports.collect import collect
    from core.reports.patient import make_report

    watch(0.0)
    make_report(collect(one.reader, one.visit.id, practice=one.practice, home=one.home), folder / "report.pdf")


def signals_edf(one: PackVisit, folder: Path, watch: Watch) -> None:
    export_edf(one.reader, _channels(one), *one.range_us, folder / "edf", patient=one.patient, watch=watch)


def signals_csv(one: PackVisit, folder: Path, watch: Watch) -> None:
    export_csv(one.reader, _channels(one), *one.range_us, folder / "signals.csv", watch)


PARTS: Final[Sequence[tuple[str, PartMaker]]] = (
    ("report.pdf", report),
    ("edf", signals_edf),
    ("signals.csv", signals_csv),
)


def _channels(one: PackVisit) -> list[str]:
    """Raises NotFound: the visit holds no signals."""
    found = [span.channel for span in one.reader.spans(one.visit.id)]
    if not found:
        raise NotFound("No signals were recorded.", "")
    return found
