"""Patients: everybody on record, one patient's visits along a line, and any visit opened."""

import contextlib

from PySide6.QtWidgets import QStackedLayout, QVBoxLayout, QWidget

from app.console.day_reports import DayReports
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
        frame = QWidget()
        column = QVBoxLayout(frame)
        column.setContentsMargins(16, 16, 16, 16)
        column.addWidget(self.list)
        self._stack = QStackedLayout(self)
        self._stack.setContentsMargins(0, 0, 0, 0)
        self._stack.addWidget(frame)
        self._stack.addWidget(self.visits)
        self.day = DayReports(store, words)
        day_frame = QWidget()
        day_column = QVBoxLayout(day_frame)
        day_column.setContentsMargins(16, 16, 16, 16)
        day_column.addWidget(self.day)
        self._stack.addWidget(day_frame)
        self.list.day_wanted.connect(self.open_day)
        self.day.closed.connect(self.open_list)
        self.list.patient_chosen.connect(self.open_patient)
        self.visits.left.connect(self.open_list)

    def activated(self) -> None:
        if self._stack.currentIndex() == 0:
            self.list.refresh()
            self.list.search.setFocus()

    def open_patient(self, patient_id: str) -> None:
        """Show one patient's visits."""
        self._stack.setCurrentIndex(1)
        self.visits.open_patient(patient_id)

    def make_report(self, patient_id: str, visit_id: str) -> None:
        self._stack.setCurrentIndex(1)
        self.visits.make_report(patient_id, visit_id)

    def open_day(self) -> None:
        """The reports of today, of all chairs."""
        folder = export_folder(self.store.data_folder)
        with contextlib.suppress(OSError):  # the field says that it is not there
            folder.mkdir(parents=True, exist_ok=True)
        self._stack.setCurrentIndex(2)
        self.day.open_today(folder)

    def open_list(self) -> None:
        self._stack.setCurrentIndex(0)
        self.activated()
