"""Above a patient's pages: who it is, what is known of the visits, the buttons for what lies beside them, the line."""

from collections.abc import Sequence

from PySide6.QtCore import QDateTime, Qt
from PySide6.QtWidgets import QFrame, QHBoxLayout, QScrollArea, QVBoxLayout

from app.console.name_label import NameLabel
from app.console.own_limits import OwnLimits
from app.console.review_words import clock_time, is_today, short_date, visit_title, year
from app.console.store import Store
from core.model.people import Patient, VisitSummary
from core.model.words import Words
from widgets.controls import Button, Card, Label
from widgets.timeline import Timeline, TimelineEntry

MDAS_STEP = 3
"""A change in MDAS that is worth a word."""


class PatientHead(Card):
    """The name as initials until it is touched, where a patient may see the screen.

    Args:
        own: what is done with the name, before the other buttons.

    Attributes:
        line: what shows the visits.
    """

    def __init__(self, store: Store, words: Words, timeline: Timeline, own: Button, buttons: Sequence[Button]) -> None:
        super().__init__()
        self._words = words
        self._timeline = timeline
        self.name = NameLabel(store, words, size=24)
        self.facts = Label(size=13, tone="muted", elide=True)
        self.name.setFixedHeight(29)
        self.facts.setFixedHeight(19)  # together as high as a button
        self.own = OwnLimits()
        who = QVBoxLayout()
        who.setSpacing(0)
        who.addWidget(self.name, 0, Qt.AlignmentFlag.AlignLeft)
        who.addWidget(self.facts)
        line = QHBoxLayout()
        line.setSpacing(12)
        line.addLayout(who, 1)
        line.addWidget(self.own)
        line.addWidget(own)
        for button in buttons:
            line.addWidget(button)
        self.line = area = QScrollArea()
        area.setWidgetResizable(True)
        area.setFrameShape(QFrame.Shape.NoFrame)
        area.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        area.setFixedHeight(timeline.height() + 4)
        area.setWidget(timeline)
        column = QVBoxLayout(self)
        column.setContentsMargins(16, 4, 16, 2)
        column.setSpacing(0)
        column.addLayout(line)
        column.addWidget(area)

    def clear(self) -> None:
        self.name.show_text("")
        self.facts.setText("")
        self.own.set_text("")
        self._timeline.set_entries(())

    def show_patient(self, patient: Patient, visits: Sequence[VisitSummary]) -> None:
        """`visits`: the earliest first."""
        self.name.show_patient(patient)
        self.facts.setText(self._facts_of(visits))
        self._timeline.setAccessibleName(self._words.say("patients.visits", name=self.name.text()))
        self._timeline.set_entries(self._entries(visits))

    def show_own_limits(self, count: int) -> None:
        key = "own_limits_one" if count == 1 else "own_limits"
        self.own.set_text(self._words.say(f"patients.head.{key}", count=count) if count else "")

    def _facts_of(self, visits: Sequence[VisitSummary]) -> str:
        if not visits:
            return ""
        key = "one" if len(visits) == 1 else "many"
        said = self._words.say(f"patients.head.{key}", count=len(visits), year=year(visits[0].began_us))
        known = [visit.mdas for visit in visits if visit.mdas is not None]
        return f"{said} {self._words.say('patients.head.mdas', mdas=known[-1])}" if known else said

    def _entries(self, visits: Sequence[VisitSummary]) -> list[TimelineEntry]:
        now = QDateTime.currentMSecsSinceEpoch() * 1000
        entries = []
        before: int | None = None
        for visit in visits:
            today = is_today(visit.began_us, now)
            same_month = sum(
                short_date(self._words, each.began_us) == short_date(self._words, visit.began_us) for each in visits
            )
            when = short_date(self._words, visit.began_us, day=same_month > 1 or visit is visits[-1])
            if today:
                at = clock_time(visit.began_us)
                when = f"{self._words.say('patients.visit.today')} {at}"
            note = ""
            if visit.mdas is not None and before is not None and abs(visit.mdas - before) >= MDAS_STEP:
                key = "less_afraid" if visit.mdas < before else "more_afraid"
                note = self._words.say(f"patients.head.{key}", mdas=visit.mdas)
            before = visit.mdas if visit.mdas is not None else before
            title = visit_title(self._words, visit)
            kind = "open" if visit.state == "open" else "past"
            entries.append(
                TimelineEntry(id=visit.id, when=when, title=title, kind="open" if kind == "open" else "past", note=note)
            )
        return entries
