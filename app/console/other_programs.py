"""A visit and other programs: the formats, what goes into a FHIR bundle, signals that come in. One at a time."""

from pathlib import Path

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QStackedWidget, QWidget

from app.console.export_panel import ExportPanel
from app.console.fhir_panel import FhirPanel
from app.console.signals_panel import SignalsPanel
from app.console.store import Store
from app.ipc.messages import VisitDetail
from core.model.words import Words


class OtherPrograms(QStackedWidget):
    """Signals:
    closed: back to the visit.
    taken_in: the visit holds more than before.
    """

    closed = Signal()
    taken_in = Signal()

    def __init__(self, store: Store, words: Words, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._detail: VisitDetail | None = None
        self._visits = 1
        self.exports = ExportPanel(store, words)
        self.fhir = FhirPanel(store, words)
        self.signals = SignalsPanel(store, words)
        for panel in (self.exports, self.fhir, self.signals):
            self.addWidget(panel)
        self.exports.closed.connect(self.closed)
        self.exports.fhir_wanted.connect(self._open_fhir)
        self.exports.signals_wanted.connect(self._open_signals)
        self.signals.taken_in.connect(self.taken_in)
        for chosen in (self.fhir, self.signals):
            chosen.closed.connect(lambda: self.setCurrentWidget(self.exports))

    def open_visit(self, detail: VisitDetail, visits: int, usual: Path) -> None:
        """A visit of a patient who has so many. `usual`: where files go when nobody chooses; it is there already."""
        self._detail, self._visits = detail, visits
        self.exports.show_visit(detail, usual)
        self.setCurrentWidget(self.exports)

    def refresh(self, detail: VisitDetail) -> None:
        """The same visit holds more by now."""
        self._detail = detail
        self.exports.refresh(detail)

    def _open_fhir(self, folder: str) -> None:
        if self._detail is not None:
            self.fhir.open_visit(self._detail.visit, self._visits, Path(folder))
            self.setCurrentWidget(self.fhir)

    def _open_signals(self) -> None:
        if self._detail is not None:
            self.signals.open_visit(self._detail.visit)
            self.setCurrentWidget(self.signals)
