"""One patient: the time line of all visits over all chairs, and the visit that is looked at."""

from pathlib import Path

from PySide6.QtCore import Qt, QUrl, Signal
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QHBoxLayout, QStackedWidget, QVBoxLayout, QWidget

from app.console.erase_panel import ErasePanel
from app.console.history_pane import HistoryPane
from app.console.home_pane import HomePane
from app.console.other_programs import OtherPrograms
from app.console.patient_form import PatientForm
from app.console.patients_page_head import PatientHead
from app.console.report_panel import ReportPanel, report_name
from app.console.review_moments import MomentList
from app.console.review_words import clock_time, export_folder
from app.console.store import Store
from app.console.views_pane import ViewsPane
from app.ipc.export_messages import ExportSamples
from app.ipc.messages import (
    Done,
    GetTimeline,
    GetVisit,
    MakeReport,
    Refused,
    Reply,
    ReportMade,
    Timeline,
    VisitDetail,
)
from core.model.people import Patient, VisitSummary
from core.model.words import Text, Words
from core.signals.catalogue import load_catalogue
from widgets.controls import Button, Card, Label
from widgets.timeline import Timeline as TimelineWidget


class VisitsView(QWidget):
    """Time line above, review and moments below; the report takes their place when it is made.

    Signals:
        left: back to all patients.
    """

    left = Signal()

    def __init__(self, store: Store, words: Words) -> None:
        super().__init__()
        from app.console.review_card import ReviewCard

        self._store, self._words = store, words
        self._patient_id = ""
        self._patient: Patient | None = None
        self._visits: dict[str, VisitSummary] = {}
        self._detail: VisitDetail | None = None
        self._asked = 0
        self._report_of = ""
        self._entry_of: tuple[str, str] | None = None
        self.timeline = TimelineWidget()
        self.review = ReviewCard(words, store.ask, list(load_catalogue()))
        self.home = HomePane(words, list(load_catalogue()))
        self.history = HistoryPane(store, words)
        self.moments = MomentList(words)
        self.report = ReportPanel(words)
        self.others = OtherPrograms(store, words)
        self.erasing = ErasePanel(store, words)
        self.csv_button = Button(words.say("patients.actions.csv"))
        self.report_button = Button(words.say("patients.actions.report"), role="pri", icon="doc")
        self.others_button = Button(words.say("exchange.visit.open"))
        self.csv_button.setObjectName("patients.csv")
        self.others_button.setObjectName("patients.others")
        self.report_button.setObjectName("patients.report")
        self.all_button = Button(words.say("patients.all"), icon="people")
        self.views = ViewsPane(store, words)
        self.home_button = self._aside("patients.home", words.say("patients.home.title"), "home")
        self.history_button = self._aside("patients.history", words.say("clinical.open"), "doc")
        self.views_button = self._aside("patients.views", words.say("views.button"), "eye")
        self.correct_button = self._aside("patients.correct", words.say("patients.correct.open"), "user")
        self.erase_button = Button(words.say("backup.erase.open"))
        self.erase_button.setObjectName("patients.erase")
        self.form = PatientForm(store, words, self.erase_button)
        self._asides = {
            self.correct_button: self.form,
            self.home_button: self.home,
            self.history_button: self.history,
            self.views_button: self.views,
        }
        self._acts = {
            self.correct_button: "CorrectPatient",
            self.views_button: "ListViews",
            self.csv_button: "ExportSamples",
            self.others_button: "ExportFhir",
            self.report_button: "MakeReport",
        }
        self.retry = Button(words.say("patients.retry"))
        beside = (self.history_button, self.views_button, self.home_button, self.all_button)
        self.head = PatientHead(store, words, self.timeline, self.correct_button, beside)
        self._written = Path()
        self._arrange()
        self._connect()

    def _connect(self) -> None:
        self.timeline.entry_chosen.connect(self._choose_visit)
        self.moments.moment_chosen.connect(self.review.jump)
        self.csv_button.clicked.connect(self._export)
        self.others_button.clicked.connect(self._open_others)
        self.others.closed.connect(lambda: self._front(self._visit_pane))
        self.others.taken_in.connect(self._refresh_visit)
        self.report_button.clicked.connect(lambda: self._make_report("pdf", "en"))
        self.report.wanted.connect(self._make_report)
        self.report.closed.connect(lambda: self._front(self._visit_pane))
        self.all_button.clicked.connect(self.left)
        self.erase_button.clicked.connect(self.show_erasure)
        self.erasing.closed.connect(lambda: self.open_patient(self._patient_id))
        self.erasing.gone.connect(self._gone)
        self.erasing.erased.connect(self.left)
        self._store.workstation_changed.connect(self._person_changed)
        self.home_button.clicked.connect(self._show_home)
        self.history_button.clicked.connect(self.show_history)
        self.history.visit_wanted.connect(self._choose_visit)
        self.views_button.clicked.connect(self._show_views)
        self.correct_button.clicked.connect(self._correct)
        self.form.cancelled.connect(lambda: self._bring(self.correct_button, False))
        self.form.saved.connect(lambda: self.open_patient(self._patient_id))
        self.retry.clicked.connect(lambda: self.open_patient(self._patient_id))

    def open_patient(self, patient_id: str, entry: tuple[str, str] | None = None) -> None:
        """Ask for the patient's time line; `entry`: id and kind of one thing on it to be shown."""
        if patient_id != self._patient_id:
            self.head.clear()
            self.history.clear()
        self._patient_id = patient_id
        for button in (self.views_button, self.erase_button):
            button.setEnabled(True)
        self._detail = self._patient = None
        self._report_of = ""
        self._entry_of = entry
        self.timeline.setFocus()
        for button in (self.home_button, self.history_button, self.correct_button):
            button.setEnabled(False)
        for button, act in self._acts.items():
            button.setVisible(self._store.may(act))
        for button in self._asides:
            button.setChecked(False)
        self._say(self._words.say("patients.loading"))
        asked = self._next()
        self._store.ask(GetTimeline(patient_id=patient_id), lambda reply: self._take_timeline(reply, asked))

    def make_report(self, patient_id: str, visit_id: str) -> None:
        """Open a visit, then make its report."""
        self.open_patient(patient_id)
        self._report_of = visit_id

    def open_entry(self, patient_id: str, entry_id: str, kind: str) -> None:
        """Open a patient at one thing of the time line."""
        self.open_patient(patient_id, (entry_id, kind))

    def open_visit(self, visit_id: str) -> None:
        """Ask for one visit of the time line."""
        visit = self._visits[visit_id]
        self.timeline.choose(visit_id)
        if self._detail is None:
            self._say(self._words.say("patients.loading"))
        asked = self._next()
        self._store.ask(GetVisit(chair=visit.chair, visit_id=visit_id), lambda reply: self._take_visit(reply, asked))

    def show_erasure(self) -> None:
        """What erasing this patient would take; they are shown again when somebody thinks better of it."""
        for button in self._asides:
            self._bring(button, False)
        self._front(self.erasing)
        self.erasing.open_patient(self._patient_id)

    def _gone(self) -> None:
        """They were erased: nothing of them stays on the screen."""
        self._patient_id, self._detail, self._visits = "", None, {}
        self._patient = None
        self.head.clear()
        self.history.clear()
        for button in (*self._asides, self.erase_button):
            button.setEnabled(False)

    def _person_changed(self) -> None:
        """Only a dentist erases; what was begun ends with them."""
        may = self._store.may("ErasePatient")
        self.erase_button.setVisible(may)
        if not may and self._panes.currentWidget() is self.erasing:
            self.left.emit()

    def _choose_visit(self, visit_id: str) -> None:
        for button in self._asides:
            self._bring(button, False)
        self.open_visit(visit_id)

    # what comes back

    def _take_timeline(self, reply: Reply, asked: int) -> None:
        if asked != self._asked:
            return
        if isinstance(reply, Refused):
            self._refused(reply)
        elif isinstance(reply, Timeline):
            visits = sorted(reply.visits, key=lambda visit: visit.began_us)
            self._visits = {visit.id: visit for visit in visits}
            self._patient = reply.patient
            self.correct_button.setEnabled(True)
            self.head.show_patient(reply.patient, visits)
            self.home.show_home(reply.home)
            self.home_button.setEnabled(True)
            self.history.show_timeline(reply)
            self.history_button.setEnabled(True)
            if self._entry_of:
                self._find_entry()
            if visits:
                self.open_visit(self._report_of if self._report_of in self._visits else visits[-1].id)
            else:
                self._say(self._words.say("patients.head.none"))

    def _take_visit(self, reply: Reply, asked: int) -> None:
        if asked != self._asked:
            return
        if isinstance(reply, Refused):
            self._refused(reply)
        elif isinstance(reply, VisitDetail):
            self._fill(reply)
            plan = reply.procedure.plan if reply.procedure is not None else None
            self.head.show_own_limits(len(plan.own_limits) if plan is not None else 0)
            self._front(self._visit_pane)
            self._written_row.hide()
            if self._report_of == reply.visit.id:
                self._report_of = ""
                self._make_report("pdf", "en")

    def _fill(self, detail: VisitDetail) -> None:
        self._detail = detail
        self.review.open_visit(detail)
        self.moments.show_moments(detail.moments)

    def _refused(self, reply: Refused) -> None:
        remedy = self._words.tell(reply.remedy) if reply.remedy else ""
        self._say(f"{self._words.tell(reply.text)} {remedy}".strip(), retry=True)

    # what goes out

    def _export(self) -> None:
        detail = self._detail
        if detail is None or not self.review.channels:
            return
        begin, end = self.review.shown_us
        span = f"{clock_time(begin, seconds=True)}-{clock_time(end, seconds=True)}".replace(":", "")
        path = self._path_for(f"{detail.visit.code}-{span}.csv")
        if path is None:
            return
        self.csv_button.setEnabled(False)
        self.csv_button.setText(self._words.say("patients.actions.csv_busy"))
        body = ExportSamples(
            chair=detail.visit.chair,
            visit_id=detail.visit.id,
            format="csv",
            channels=self.review.channels,
            from_us=begin,
            to_us=end,
            path=str(path),
        )
        self._store.ask(body, lambda reply: self._exported(reply, path))

    def _exported(self, reply: Reply, path: Path) -> None:
        self.csv_button.setEnabled(True)
        self.csv_button.setText(self._words.say("patients.actions.csv"))
        if isinstance(reply, Refused):
            self._store.notice(reply.text, reply.remedy)
        elif isinstance(reply, Done):
            self._written = path
            self._written_row.show()
            self._written_label.setToolTip(str(path))

    def _open_others(self) -> None:
        usual = self._path_for("")
        if self._detail is not None and usual is not None:
            self.others.open_visit(self._detail, len(self._visits), usual)
            self._front(self.others)

    def _refresh_visit(self) -> None:
        """The visit holds more now; what is in front stays there."""
        if self._detail is not None:
            visit = self._detail.visit
            self._store.ask(GetVisit(chair=visit.chair, visit_id=visit.id), self._take_again)

    def _take_again(self, reply: Reply) -> None:
        if isinstance(reply, VisitDetail) and self._detail is not None and reply.visit.id == self._detail.visit.id:
            self._fill(reply)
            self.others.refresh(reply)

    def _make_report(self, form: str, language: str) -> None:
        detail = self._detail
        name = report_name(detail.visit.code, form, language) if detail is not None else ""
        path = self._path_for(name) if detail is not None else None
        if detail is None or path is None:
            return
        self.report_button.setEnabled(False)
        self.report_button.setText(self._words.say("patients.actions.report_busy"))
        self.report.set_busy(True)
        body = MakeReport(
            chair=detail.visit.chair,
            visit_id=detail.visit.id,
            path=str(path),
            format="html" if form == "html" else "pdf",
            language=language,
        )
        self._store.ask(body, lambda reply: self._reported(reply, body))

    def _reported(self, reply: Reply, asked: MakeReport) -> None:
        self.report_button.setEnabled(True)
        self.report_button.setText(self._words.say("patients.actions.report"))
        self.report.set_busy(False)
        if isinstance(reply, Refused):
            self._store.notice(reply.text, reply.remedy)
        elif isinstance(reply, ReportMade):
            self._front(self.report)
            self.report.show_report(reply, asked)

    def _path_for(self, name: str) -> Path | None:
        """A file in the folder of exports, which is made; a notice when it cannot be."""
        folder = export_folder(self._store.data_folder)
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError:
            self._store.notice(Text("patients.folder.text", {"folder": str(folder)}), Text("patients.folder.remedy"))
            return None
        return folder / name

    # how it looks

    def _arrange(self) -> None:
        self._message = Label(size=18, tone="muted", wrap=True)
        message_pane = Card()
        column = QVBoxLayout(message_pane)
        column.setContentsMargins(24, 24, 24, 24)
        column.setSpacing(16)
        column.addWidget(self._message)
        column.addWidget(self.retry, 0, Qt.AlignmentFlag.AlignLeft)
        column.addStretch()
        self._message_pane = message_pane
        self._behind: QWidget = message_pane
        self._visit_pane = self._make_visit_pane()
        self._panes = QStackedWidget()
        asides = (self.home, self.history, self.views, self.form, self.erasing)
        for pane in (message_pane, self._visit_pane, self.report, self.others, *asides):
            self._panes.addWidget(pane)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(16, 16, 16, 16)
        whole.setSpacing(16)
        whole.addWidget(self.head)
        whole.addWidget(self._panes, 1)

    @staticmethod
    def _aside(name: str, text: str, icon: str) -> Button:
        button = Button(text, icon=icon)
        button.setObjectName(name)
        button.setCheckable(True)
        return button

    def _make_visit_pane(self) -> QWidget:
        side = Card()
        side.setFixedWidth(262)
        column = QVBoxLayout(side)
        column.setContentsMargins(16, 12, 16, 16)
        column.setSpacing(12)
        column.addWidget(Label(self._words.say("patients.moments.title"), size=18, bold=True))
        column.addWidget(self.moments, 1)
        column.addWidget(self._make_written_row())
        column.addWidget(self.csv_button)
        column.addWidget(self.others_button)
        column.addWidget(self.report_button)
        pane = QWidget()
        row = QHBoxLayout(pane)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(16)
        row.addWidget(self.review, 1)
        row.addWidget(side)
        return pane

    def _make_written_row(self) -> QWidget:
        self._written_label = Label(self._words.say("patients.actions.csv_done"), size=13, tone="muted")
        self.open_csv_folder = Button(self._words.say("patients.actions.open_folder"))
        self.open_csv_folder.clicked.connect(
            lambda: QDesktopServices.openUrl(QUrl.fromLocalFile(str(self._written.parent)))
        )
        self._written_row = QWidget()
        row = QVBoxLayout(self._written_row)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(4)
        row.addWidget(self._written_label)
        row.addWidget(self.open_csv_folder)
        self._written_row.hide()
        return self._written_row

    def _say(self, sentence: str, *, retry: bool = False) -> None:
        self._message.setText(sentence)
        self.retry.setVisible(retry)
        self._front(self._message_pane)

    def _show_home(self, shown: bool) -> None:
        self._bring(self.home_button, shown)

    def show_history(self, shown: bool) -> None:
        self._bring(self.history_button, shown)

    def _show_views(self, shown: bool) -> None:
        if shown:
            own = self._patient.code if self._patient is not None else ""
            last = max(self._visits.values(), key=lambda visit: visit.began_us, default=None)
            self.views.open_patient(self._patient_id, last.code if last is not None and own else own)
        self._bring(self.views_button, shown)

    def _correct(self, shown: bool) -> None:
        self._bring(self.correct_button, shown)
        if shown and self._patient is not None:
            self.form.open_patient(self._patient)

    def _bring(self, wanted: Button, shown: bool) -> None:
        """Its pane in front of what is open, alone, until it is put away; an answer that comes waits behind."""
        for button in self._asides:
            button.setChecked(shown if button is wanted else button.isChecked() and not shown)
        self._show_pane()

    def _show_pane(self) -> None:
        pane = next((pane for button, pane in self._asides.items() if button.isChecked()), self._behind)
        self._panes.setCurrentWidget(pane)
        self.head.line.setVisible(pane is not self.erasing)  # its lists need the room

    def _front(self, pane: QWidget) -> None:
        self._behind = pane
        self._show_pane()

    def _find_entry(self) -> None:
        (entry_id, kind), self._entry_of = self._entry_of or ("", ""), None
        self.show_history(True)
        self.history.list.choose(entry_id, kind)

    def _next(self) -> int:
        self._asked += 1
        return self._asked
