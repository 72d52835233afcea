"""Patients: everybody on record, one patient's visits along a line, and any visit opened."""

import contextlib

from PySide6.QtWidgets import QStackedLayout, QVBoxLayout, QWidget

from app.console.day_reports import DayReports
from app.console.import_panel import ImportPanel
from app.console.page import Page
from app.console.patients_page_list import PatientList
from app.console.patients_page_visits import VisitsView
from app.console.review_words import export_folder
from app.console.store import Store
from core.model.words import Words


class PatientsPage(Page):
    """The list until somebody is chosen, then the patient."""

    key = "patients"

    def __init__(self, store: Store, words: Words) -> None:
        super().__init__(store, words)
        self.list = PatientList(store, words)
        self.visits = VisitsView(store, words)
        self.day = DayReports(store, words)
        self.imports = ImportPanel(store, words)
        self._stack = QStackedLayout(self)
        self._stack.setContentsMargins(0, 0, 0, 0)
        self._frames: dict[QWidget, QWidget] = {self.visits: self.visits}
        self._stack.addWidget(self._framed(self.list))
        self._stack.addWidget(self.visits)
        self._stack.addWidget(self._framed(self.day))
        self._stack.addWidget(self._framed(self.imports))
        self.list.patient_chosen.connect(self.open_patient)
        self.list.day_wanted.connect(self.open_day)
        self.list.import_wanted.connect(self.open_import)
        self.list.entry_chosen.connect(self.open_entry)
        self.day.closed.connect(self.open_list)
        self.imports.closed.connect(self.open_list)
        self.imports.added.connect(self.open_patient)
        self.visits.left.connect(self.open_list)

    def activated(self) -> None:
        if self._stack.currentWidget() is self._frames[self.list]:
            self.list.refresh()
            self.list.search.setFocus()

    def open_patient(self, patient_id: str) -> None:
        """Show one patient's visits."""
        self._show(self.visits)
        self.visits.open_patient(patient_id)

    def open_entry(self, patient_id: str, entry_id: str, kind: str) -> None:
        """Show one thing of a patient's time line."""
        self._show(self.visits)
        self.visits.open_entry(patient_id, entry_id, kind)

    def open_erasure(self, patient_id: str) -> None:
        """Show what erasing a patient would take."""
        self._show(self.visits)
        self.visits.open_patient(patient_id)
        self.visits.show_erasure()

    def make_report(self, patient_id: str, visit_id: str) -> None:
        self._show(self.visits)
        self.visits.make_report(patient_id, visit_id)

    def open_day(self) -> None:
        """The reports of today, of all chairs."""
        folder = export_folder(self.store.data_folder)
        with contextlib.suppress(OSError):  # the field says that it is not there
            folder.mkdir(parents=True, exist_ok=True)
        self._show(self.day)
        self.day.open_today(folder)

    def open_import(self) -> None:
        """Take a patient out of a file."""
        self._show(self.imports)
        self.imports.begin()

    def open_list(self) -> None:
        self._show(self.list)
        self.activated()

    def _show(self, panel: QWidget) -> None:
        self._stack.setCurrentWidget(self._frames[panel])

    def _framed(self, panel: QWidget) -> QWidget:
        """With the page's margin around it."""
        frame = self._frames[panel] = QWidget()
        column = QVBoxLayout(frame)
        column.setContentsMargins(16, 16, 16, 16)
        column.addWidget(panel)
        return frame
