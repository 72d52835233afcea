"""Patients: everybody on record, one patient's visits along a line, and any visit opened."""

from PySide6.QtWidgets import QStackedLayout, QVBoxLayout, QWidget

from app.console.import_panel import ImportPanel
from app.console.page import Page
from app.console.patients_page_list import PatientList
from app.console.patients_page_visits import VisitsView
from app.console.store import Store
from core.model.words import Words


class PatientsPage(Page):
    """The list until somebody is chosen, then the patient."""

    key = "patients"

    def __init__(self, store: Store, words: Words) -> None:
        super().__init__(store, words)
        self.list = PatientList(store, words)
        self.visits = VisitsView(store, words)
        frame = QWidget()
        column = QVBoxLayout(frame)
        column.setContentsMargins(16, 16, 16, 16)
        column.addWidget(self.list)
        self._stack = QStackedLayout(self)
        self._stack.setContentsMargins(0, 0, 0, 0)
        self._stack.addWidget(frame)
        self._stack.addWidget(self.visits)
        self.imports = ImportPanel(store, words)
        import_frame = QWidget()
        import_column = QVBoxLayout(import_frame)
        import_column.setContentsMargins(16, 16, 16, 16)
        import_column.addWidget(self.imports)
        self._stack.addWidget(import_frame)
        self.list.patient_chosen.connect(self.open_patient)
        self.list.import_wanted.connect(self.open_import)
        self.imports.closed.connect(self.open_list)
        self.imports.added.connect(self.open_patient)
        self.list.entry_chosen.connect(self.open_entry)
        self.visits.left.connect(self.open_list)

    def activated(self) -> None:
        if self._stack.currentIndex() == 0:
            self.list.refresh()
            self.list.search.setFocus()

    def open_patient(self, patient_id: str) -> None:
        """Show one patient's visits."""
        self._stack.setCurrentIndex(1)
        self.visits.open_patient(patient_id)

    def open_entry(self, patient_id: str, entry_id: str, kind: str) -> None:
        """Show one thing of a patient's time line."""
        self._stack.setCurrentIndex(1)
        self.visits.open_entry(patient_id, entry_id, kind)

    def make_report(self, patient_id: str, visit_id: str) -> None:
        self._stack.setCurrentIndex(1)
        self.visits.make_report(patient_id, visit_id)

    def open_import(self) -> None:
        """Take a patient out of a file."""
        self._stack.setCurrentIndex(2)
        self.imports.begin()

    def open_list(self) -> None:
        self._stack.setCurrentIndex(0)
        self.activated()
