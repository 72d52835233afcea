"""Close: what was done, the signature, the report; and after it, the next patient."""

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QVBoxLayout

from app.console.review_moments import MomentList
from app.console.steps.base import StepPanel, mmss, scroller
from app.ipc.messages import Chair, GetVisit, Moment, Reply, VisitDetail
from core.model.intents import SignSummary
from core.model.procedure import PhaseState, ProcedureView
from core.people.comfort import ITEMS, score_mdas
from widgets.controls import Card, Hairline, Label
from widgets.phases import PhaseRow, PhaseRows
from widgets.strips.reading import say_clock

HAPPENED = (
    "comfort_words",
    "consent",
    "held",
    "alarm",
    "patient_yes",
    "resumed",
    "check_in_fine",
    "check_in_unsure",
    "check_in_stop",
    "phase_skipped",
    "order_unknown",
    "ended_early",
    "mark",
)
"""Kinds of moments that a person who signs must have read; the phases stand beside them."""


class ClosePanel(StepPanel):
    """The summary of one visit.

    Signals:
        report_wanted: id of the patient, id of the visit.
        next_wanted: the visit is closed, seat the next patient.
    """

    wide = True
    report_wanted = Signal(str, str)
    next_wanted = Signal()

    def build(self) -> None:
        columns = QHBoxLayout()
        columns.setSpacing(16)
        columns.addWidget(self._build_done(), 3)
        columns.addWidget(self._build_sign(), 2)
        self.body.addLayout(columns, 1)
        self.report = self.button("close.report", icon="doc")
        self.report.clicked.connect(self._report)
        self.left_foot(self.report)
        self.sign = self.primary("close.sign", icon="check")
        self.sign.clicked.connect(lambda: self.act(SignSummary(note=self.note.text().strip())))
        self.next = self.primary("close.next")
        self.next.clicked.connect(self.next_wanted)
        self.wants(SignSummary(), self.sign, self.note)
        self.asks("MakeReport", self.report)
        self.asks("SeatPatient", self.next)

    def _build_done(self) -> Card:
        card = Card()
        column = QVBoxLayout(card)
        column.setContentsMargins(16, 14, 16, 14)
        column.addWidget(Label(self.say("close.done"), size=18, bold=True))
        self.none = Label(self.say("close.nothing"), tone="muted", wrap=True)
        column.addWidget(self.none)
        self.rows = PhaseRows()
        column.addWidget(scroller(self.rows), 1)
        return card

    def _build_sign(self) -> Card:
        card = Card()
        column = QVBoxLayout(card)
        column.setContentsMargins(20, 14, 20, 16)
        column.setSpacing(10)
        self.state = Label("", size=18, bold=True, wrap=True)
        column.addWidget(self.state)
        column.addWidget(Hairline())
        self.facts = [Label("", wrap=True) for _ in range(4)]
        for label in self.facts:
            column.addWidget(label)
        self._asked: tuple[str, int] = ("", 0)
        column.addWidget(Label(self.say("close.happened"), size=15, bold=True))
        self.moments = MomentList(self.words, leads=False)
        self.moments.setMinimumHeight(96)
        column.addWidget(self.moments, 1)
        self.note_name = Label(self.say("close.note"), size=13, tone="muted")
        column.addWidget(self.note_name)
        self.note = QLineEdit()
        self.note.setAccessibleName(self.say("close.note"))
        self.note.setMaxLength(400)
        column.addWidget(self.note)
        return card

    def show_state(self, chair: Chair) -> None:
        view = chair.procedure
        if view is None:
            return
        self.rows.set_rows([self._row(view, place) for place in range(len(view.phases))])
        self.none.setVisible(not view.phases)
        done = sum(phase.state is PhaseState.DONE for phase in view.phases)
        score = score_mdas({item: view.comfort.get(item, 0) for item in ITEMS})
        total = self.words.say("mdas.total", total=score.total) if score.total else self.words.say("mdas.declined")
        said = (
            self.say("close.visit", code=view.visit_code, at=say_clock(view.began_us)[:5]),
            self.say("close.phases", done=done, all=len(view.phases)),
            self.say("close.comfort", total=total),
            self.say("close.early") if view.ended_early else "",
        )
        for label, text in zip(self.facts, said, strict=True):
            label.setText(text)
            label.setVisible(bool(text))
        self._show_signature(view)
        self._ask_moments(view)

    def _ask_moments(self, view: ProcedureView) -> None:
        """Read from the record, as the report will; again when the procedure moved on."""
        asked = (view.visit_id, view.revision)
        if asked != self._asked:
            self._asked = asked
            body = GetVisit(chair=self.number, visit_id=view.visit_id)
            self.store.ask(body, lambda reply: self._take_moments(reply, asked))

    def _take_moments(self, reply: Reply, asked: tuple[str, int]) -> None:
        if asked != self._asked:
            return
        known = reply.moments if isinstance(reply, VisitDetail) else ()
        self.moments.show_moments(self._told_once([one for one in known if one.kind in HAPPENED]))

    def _told_once(self, moments: list[Moment]) -> list[Moment]:
        """Without an alarm that says what a hold beside it says."""
        held = {self.words.tell(one.text).rstrip(".") for one in moments if one.kind == "held"}
        return [one for one in moments if one.kind != "alarm" or self.words.tell(one.text).rstrip(".") not in held]

    def _show_signature(self, view: ProcedureView) -> None:
        self.sign.setVisible(not view.closed)
        self.next.setVisible(view.closed)
        self.note.setVisible(not view.closed)
        self.note_name.setVisible(not view.closed)
        self.blocked.say("")
        if not view.closed:
            self.state.setText(self.say("close.read"))
            return
        people = self.store.workstation.operators if self.store.workstation is not None else ()
        name = next((one.name for one in people if one.id == view.signed_by), view.signed_by or "")
        at = say_clock(view.signed_us)[:5] if view.signed_us is not None else ""
        self.state.setText(self.say("close.closed", name=name, at=at))

    def _row(self, view: ProcedureView, place: int) -> PhaseRow:
        phase = view.phases[place]
        name = self.words.say(f"module.{phase.module}.phase.{phase.key}")
        if phase.tooth:
            name = self.say("treat.with_tooth", phase=name, tooth=phase.tooth)
        spoken = self.say(f"phase.{phase.state.value}")
        done = phase.state is PhaseState.DONE
        figure = mmss(phase.elapsed_s or phase.seconds) if done else spoken
        return PhaseRow("done" if done else "skipped", name, figure, spoken=spoken)

    def _report(self) -> None:
        if self.chair is not None and self.chair.procedure is not None:
            self.report_wanted.emit(self.chair.procedure.patient_id, self.chair.procedure.visit_id)
