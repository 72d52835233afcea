"""Findings on the teeth: choose a tooth on the chart, touch its surfaces, say what is there; its history beside it."""

from collections.abc import Sequence

import msgspec
from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLineEdit, QScrollArea, QStackedWidget, QVBoxLayout, QWidget

from app.console.history_words import HistoryItem, correction, teeth_of, who
from app.console.review_words import short_date
from app.console.teeth_card import Legend
from core.model.clinical import ICDAS, MAX_SHORT, Condition, EntryVersion, Finding, Material, Source, StepDone
from core.model.dentition import Dentition
from core.model.words import Words
from widgets.choices import Choices
from widgets.controls import Button, Card, Hairline, Label
from widgets.layouts import named
from widgets.odontogram import Odontogram
from widgets.segmented import Segmented
from widgets.tooth_pad import ToothPad

CONDITIONS = tuple(one for one in Condition if one is not Condition.NOTED)
MATERIALS = tuple(one for one in Material if one is not Material.SMILESCAPE)
SOURCES = (Source.EXAM, Source.IMAGE, Source.PATIENT, Source.ELSEWHERE)
FILLED = (Condition.RESTORATION, Condition.SEALANT)


class FindingPane(QStackedWidget):
    """The chart, then one tooth.

    Signals:
        saved: a Finding and its reason (empty for a new one).
        left: back to the time line.
    """

    saved = Signal(object, str)
    left = Signal()

    def __init__(self, words: Words, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._words = words
        self._base = Finding(patient_id="", fdi=16, condition=Condition.SOUND)
        self._correcting = False
        self._items: tuple[HistoryItem, ...] = ()
        self._now_us = 0
        say = words.say
        self.chart = Odontogram("occlusal", words)
        self.dentition = Segmented([(one.value, say(f"clinical.dentition.{one.value}")) for one in Dentition])
        self.pad = ToothPad(words)
        self.condition = Choices([(one.value, say(f"clinical.condition.{one.value}")) for one in CONDITIONS], columns=4)
        self.icdas = Choices([(str(code), str(code)) for code in ICDAS], columns=7, optional=True)
        self.material = Choices([(one.value, say(f"clinical.material.{one.value}")) for one in MATERIALS], columns=4)
        self.source = Choices([(one.value, say(f"clinical.source.{one.value}")) for one in SOURCES], columns=4)
        self.text, self.reason = QLineEdit(), QLineEdit()
        self.message = Label(tone="muted", wrap=True)
        self.save = Button(say("clinical.save"), role="pri")
        self.other = Button(say("clinical.other_tooth"))
        self.back = Button(say("clinical.back"))
        self.cancel = Button(say("clinical.cancel"))
        self._title = Label(size=18, bold=True)
        self._past = QScrollArea()
        self.addWidget(self._make_chart())
        self.addWidget(self._make_tooth())
        self.chart.tooth_clicked.connect(self.open_tooth)
        self.dentition.chosen.connect(lambda key: self._show_dentition(Dentition(key)))
        self.condition.chosen.connect(lambda _key: self._fit())
        self.save.clicked.connect(self._save)
        self.other.clicked.connect(lambda: self.setCurrentIndex(0))
        for button in (self.back, self.cancel):
            button.clicked.connect(self.left)
        self._fit()

    def show_items(self, items: Sequence[HistoryItem], now_us: int, dentition: Dentition) -> None:
        """All entries of the patient; the chart is what their findings add up to, with the teeth that it asks for."""
        self._items, self._now_us = tuple(items), now_us
        self._show_dentition(dentition)
        self.chart.set_teeth(teeth_of(items))

    def _show_dentition(self, dentition: Dentition) -> None:
        self.dentition.choose(dentition)
        self.chart.set_dentition(dentition)

    def open_new(self, patient_id: str) -> None:
        self._base = Finding(patient_id=patient_id, fdi=16, condition=Condition.CARIES)
        self._correcting = False
        self.setCurrentIndex(0)
        self.chart.setFocus()

    def open_tooth(self, fdi: int) -> None:
        """A new finding on this tooth."""
        self._fill(msgspec.structs.replace(self._base, fdi=fdi), correcting=False)

    def open_correction(self, row: EntryVersion) -> None:
        if isinstance(row.entry, Finding):
            self._fill(row.entry, correcting=True)

    def say(self, sentence: str) -> None:
        self.message.setText(sentence)
        self.save.setEnabled(True)

    # inside

    def _fill(self, finding: Finding, *, correcting: bool) -> None:
        self._base, self._correcting = finding, correcting
        self._title.setText(self._words.say("clinical.tooth", fdi=finding.fdi))
        self.pad.set_tooth(finding.fdi)
        self.pad.set_surfaces(finding.surfaces)
        self.condition.choose(finding.condition)
        self.icdas.choose("" if finding.icdas is None else str(finding.icdas))
        self.material.choose(finding.material or Material.UNKNOWN)
        self.source.choose(finding.source if finding.source in SOURCES else Source.EXAM)
        self.text.setText(finding.text)
        self.reason.clear()
        self.reason.setVisible(correcting)
        self.other.setVisible(not correcting)
        self.message.setText("")
        self.save.setEnabled(True)
        self._show_past(finding.fdi)
        self._fit()
        self.setCurrentIndex(1)
        self.pad.setFocus()

    def _fit(self) -> None:
        """Only what goes with the condition is asked for."""
        condition = self.condition.key
        self._icdas_row.setVisible(condition == Condition.CARIES)
        self._material_row.setVisible(condition in FILLED)
        self.pad.setEnabled(condition not in (Condition.MISSING, Condition.SOUND))

    def _save(self) -> None:
        reason = self.reason.text().strip()
        if self._correcting and not reason:
            self.message.setText(self._words.say("clinical.reason_hint"))
            self.reason.setFocus()
            return
        condition = Condition(self.condition.key)
        caries, whole = condition is Condition.CARIES, condition in (Condition.MISSING, Condition.SOUND)
        finding = msgspec.structs.replace(
            self._base,
            condition=condition,
            surfaces="" if whole else self.pad.surfaces,
            icdas=int(self.icdas.key) if caries and self.icdas.key else None,
            material=Material(self.material.key) if condition in FILLED else None,
            source=Source(self.source.key),
            text=self.text.text(),
        )
        self.save.setEnabled(False)
        self.saved.emit(finding, reason)

    def _show_past(self, fdi: int) -> None:
        inner = QWidget()
        column = QVBoxLayout(inner)
        column.setContentsMargins(0, 0, 6, 0)
        column.setSpacing(4)
        mine = [item for item in self._items if _on_tooth(item, fdi)]
        for item in mine:
            column.addWidget(Hairline())
            for line, struck in [(item.line, item.withdrawn), *((each, True) for each in reversed(item.older))]:
                said = Label(line, tone="muted" if struck else "ink", wrap=True)
                if struck:
                    face = said.font()
                    face.setStrikeOut(True)
                    said.setFont(face)
                column.addWidget(said)
            told = correction(self._words, item, self._now_us)
            if not told and item.newest is not None:
                told = f"{short_date(self._words, item.at_us, day=True)}, {who(self._words, item.newest.author)}"
            column.addWidget(Label(told, size=13, tone="muted", wrap=True))
        if not mine:
            column.addWidget(Label(self._words.say("clinical.tooth_none"), tone="muted", wrap=True))
        column.addStretch()
        self._past.setWidget(inner)
        self._past_title.setText(self._words.say("clinical.tooth_history", fdi=fdi))

    def _make_chart(self) -> Card:
        card = Card()
        column = QVBoxLayout(card)
        column.setContentsMargins(16, 12, 16, 16)
        column.setSpacing(8)
        head = QHBoxLayout()
        head.addWidget(Label(self._words.say("clinical.choose_tooth"), size=18, bold=True))
        head.addSpacing(12)
        head.addWidget(self.dentition)
        head.addStretch()
        head.addWidget(Legend(self._words))
        column.addLayout(head)
        column.addWidget(self.chart, 1)
        foot = QHBoxLayout()
        foot.addStretch()
        foot.addWidget(self.back)
        column.addLayout(foot)
        return card

    def _make_tooth(self) -> QWidget:
        page = QWidget()
        row = QHBoxLayout(page)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(16)
        card = Card()
        outer = QVBoxLayout(card)
        outer.setContentsMargins(16, 12, 16, 16)
        outer.setSpacing(8)
        head = QHBoxLayout()
        head.addWidget(self._title, 1)
        head.addWidget(self.other)
        outer.addLayout(head)
        sides = QHBoxLayout()
        sides.setSpacing(24)
        sides.addWidget(self.pad, 2)
        sides.addLayout(self._make_fields(), 3)
        outer.addLayout(sides, 1)
        foot = QHBoxLayout()
        foot.setSpacing(12)
        foot.addWidget(self.text, 2)
        foot.addWidget(self.reason, 2)
        foot.addWidget(self.message, 1)
        foot.addWidget(self.cancel)
        foot.addWidget(self.save)
        outer.addLayout(foot)
        row.addWidget(card, 1)
        row.addWidget(self._make_past())
        return page

    def _make_fields(self) -> QVBoxLayout:
        fields = QVBoxLayout()
        fields.setSpacing(8)
        fields.addWidget(self.condition)
        self._icdas_row = self._named("icdas", self.icdas)
        self._material_row = self._named("material", self.material)
        fields.addWidget(self._icdas_row)
        fields.addWidget(self._material_row)
        fields.addWidget(self._named("source", self.source))
        for field, key in ((self.text, "clinical.field.text"), (self.reason, "clinical.reason_hint")):
            field.setMaxLength(MAX_SHORT)
            field.setPlaceholderText(self._words.say(key))
            field.setAccessibleName(self._words.say(key))
        fields.addStretch()
        return fields

    def _named(self, name: str, field: QWidget) -> QWidget:
        return named(self._words.say(f"clinical.field.{name}"), field)

    def _make_past(self) -> Card:
        side = Card()
        side.setFixedWidth(262)
        column = QVBoxLayout(side)
        column.setContentsMargins(16, 12, 12, 12)
        column.setSpacing(8)
        self._past_title = Label(size=18, bold=True)
        column.addWidget(self._past_title)
        self._past.setWidgetResizable(True)
        self._past.setFrameShape(QFrame.Shape.NoFrame)
        self._past.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        column.addWidget(self._past, 1)
        return side


def _on_tooth(item: HistoryItem, fdi: int) -> bool:
    entry = item.newest.entry if item.newest is not None else None
    return isinstance(entry, Finding | StepDone) and entry.fdi == fdi
