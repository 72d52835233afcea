"""Consent: what will be done, in the patient's words, and the patient's yes."""

from collections.abc import Iterator

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from app.console.steps.base import StepPanel, say_limit, scroller
from app.ipc.messages import Chair
from core.model.intents import BackToStep, NextStep, SignConsent
from core.model.procedure import Choice, Plan, ProcedureView, Step
from widgets.controls import Card, Hairline, Label, Tone
from widgets.strips.reading import say_clock


class ConsentPanel(StepPanel):
    """Left: what the patient agrees to. Right: the yes, on the patient screen or aloud."""

    wide = True

    def build(self) -> None:
        columns = QHBoxLayout()
        columns.setSpacing(16)
        columns.addWidget(self._build_text(), 3)
        columns.addWidget(self._build_yes(), 2)
        self.body.addLayout(columns, 1)
        self.change = self.button("consent.change")
        self.change.clicked.connect(lambda: self.act(BackToStep(step=Step.PLAN.value)))
        self.left_foot(self.change)
        self.go_on = self.primary("consent.go_on")
        self.go_on.clicked.connect(lambda: self.act(NextStep()))
        self.wants(NextStep(), self.go_on)
        self.wants(BackToStep(step=Step.PLAN.value), self.change)
        self.wants(SignConsent(how="aloud"), self.agree, self.aloud)

    def _build_text(self) -> Card:
        card = Card()
        column = QVBoxLayout(card)
        column.setContentsMargins(20, 16, 16, 16)
        self.lead = Label("", size=18, bold=True, wrap=True)
        column.addWidget(self.lead)
        self.told = QWidget()
        self.text = QVBoxLayout(self.told)
        self.text.setContentsMargins(0, 4, 8, 0)
        self.text.setSpacing(6)
        self.text.addStretch(1)
        column.addWidget(scroller(self.told), 1)
        self._shown: list[tuple[str, Tone, bool]] = []
        return card

    def _build_yes(self) -> Card:
        card = Card()
        column = QVBoxLayout(card)
        column.setContentsMargins(20, 16, 20, 16)
        column.setSpacing(12)
        self.shown = Label("", tone="patient", wrap=True)
        column.addWidget(self.shown)
        column.addWidget(Hairline())
        self.state = Label("", size=18, bold=True, wrap=True)
        column.addWidget(self.state)
        self.version = Label("", size=13, tone="muted", wrap=True)
        column.addWidget(self.version)
        column.addStretch(1)
        self.agree = self.button("consent.agree", role="plum", icon="hand")
        self.agree.setFixedHeight(64)
        self.agree.clicked.connect(lambda: self.act(SignConsent(how="patient_screen")))
        column.addWidget(self.agree)
        self.aloud = self.button("consent.aloud", role="plum_outline", icon="talk")
        self.aloud.clicked.connect(lambda: self.act(SignConsent(how="aloud")))
        column.addWidget(self.aloud)
        self.freely = Label(self.say("consent.freely"), size=13, tone="muted", wrap=True)
        column.addWidget(self.freely)
        return card

    def show_state(self, chair: Chair) -> None:
        view = chair.procedure
        if view is None or view.plan is None:
            return
        name = chair.patient.given_name if chair.patient is not None else ""
        self.lead.setText(self.say("consent.lead", patient=name))
        self.shown.setText(self.say("consent.on_screen", patient=name))
        self._show_text(list(self._sentences(view.plan)))
        self._show_yes(view, name)
        self.close_button(self.go_on, view.blocked)

    def _show_yes(self, view: ProcedureView, name: str) -> None:
        envelope = view.envelope
        signed = envelope is not None and envelope.plan == view.plan
        for button in (self.agree, self.aloud):
            button.setVisible(not signed)
        if not signed or envelope is None:
            self.state.setText(self.say("consent.open", patient=name))
            version = view.plan.version if view.plan is not None else 1
            self.version.setText(self.say("consent.plan_version", version=version))
            return
        self.state.setText(self.say("consent.signed", patient=name))
        self.version.setText(
            self.say(
                "consent.envelope",
                version=envelope.version,
                at=say_clock(envelope.signed_us)[:5],
                how=self.say(f"consent.how.{envelope.signed_by}"),
                mark=envelope.sha256.hex()[:8],
            )
        )

    def _sentences(self, plan: Plan) -> Iterator[tuple[str, Tone, bool]]:
        for row in plan.modules:
            base = f"module.{row.module}"
            if row.choice is Choice.DECLINED:
                yield self.say("consent.declined", module=self.words.say(f"{base}.name")), "muted", False
                continue
            where = ", ".join(str(tooth) for tooth in row.teeth) or self.words.say("module.whole_mouth")
            heading = self.say("consent.module", module=self.words.say(f"{base}.name"), where=where)
            yield heading, "ink", True
            yield self.words.say(f"{base}.does"), "ink", False
            yield self.words.say(f"{base}.risk"), "ink", False
            yield self.words.say(f"{base}.evidence"), "muted", False
            if row.choice is Choice.GENTLER:
                yield self.words.say(f"{base}.gentler"), "patient", False
        for limit in plan.own_limits:
            channel, value = say_limit(self.words, limit)
            key = "consent.own_limit" if limit.high is not None else "consent.own_limit_low"
            yield self.say(key, channel=channel, value=value), "patient", True
        yield self.say("consent.stop"), "patient", True
        yield self.say("consent.data", choice=self.words.say(plan.data_choice)), "patient", False

    def _show_text(self, sentences: list[tuple[str, Tone, bool]]) -> None:
        if sentences == self._shown:
            return
        self._shown = sentences
        while self.text.count() > 1:
            taken = self.text.takeAt(0)
            old = taken.widget() if taken is not None else None
            if old is not None:
                old.hide()
                old.deleteLater()
        for place, (sentence, tone, bold) in enumerate(sentences):
            label = Label(sentence, tone=tone, bold=bold, wrap=True)
            label.setTextInteractionFlags(Qt.TextInteractionFlag.NoTextInteraction)
            if bold and place:
                label.setContentsMargins(0, 8, 0, 0)
            self.text.insertWidget(place, label)
