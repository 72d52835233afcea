"""A form for one entry, new or corrected: its fields by kind, its tooth, and for a correction the reason."""

from collections.abc import Callable, Sequence
from enum import StrEnum

import msgspec
from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QPlainTextEdit, QVBoxLayout, QWidget

from app.console.tooth_field import ToothField
from core.model.clinical import (
    MAX_SHORT,
    AdverseEvent,
    Attachment,
    Entry,
    EntryVersion,
    Note,
    Observation,
    Outcome,
    Relation,
    Severity,
    StepDone,
)
from core.model.dentition import Dentition
from core.model.people import ToothState
from core.model.words import Words
from widgets.choices import Choices
from widgets.controls import Button, Card, Label
from widgets.layouts import empty, named

COLUMNS = {"severity": 3, "relation": 3, "outcome": 3}
OPTIONS: dict[str, type[StrEnum]] = {"severity": Severity, "relation": Relation, "outcome": Outcome}
FIELDS: dict[type[Entry], tuple[str, ...]] = {
    Note: (),
    Observation: ("value", "unit"),
    AdverseEvent: ("reported_to",),
    Attachment: ("name",),
    StepDone: (),
}
CHOICES: dict[type[Entry], tuple[str, ...]] = {AdverseEvent: ("severity", "relation", "outcome")}


class FormError(ValueError):
    """What was typed is no value; its text is for people."""


class EntryForm(Card):
    """Words at the left, choices or teeth at the right, Save at the bottom right.

    Signals:
        saved: the Entry as typed, the reason (empty for a new one).
        cancelled: it was put away.
    """

    saved = Signal(object, str)
    cancelled = Signal()

    def __init__(self, words: Words, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._words = words
        self._entry: Entry | None = None
        self._correcting = False
        self._withdrawing = False
        self.title = Label(size=18, bold=True)
        self.text = QPlainTextEdit()
        self.text.setTabChangesFocus(True)
        self.text.setAccessibleName(words.say("clinical.field.text"))
        self.reason = QLineEdit()
        self.reason.setMaxLength(MAX_SHORT)
        self.reason.setAccessibleName(words.say("clinical.reason"))
        self.message = Label(tone="muted", wrap=True)
        self.save = Button(words.say("clinical.save"), role="pri")
        self.cancel = Button(words.say("clinical.cancel"))
        self.lines: dict[str, QLineEdit] = {}
        self.choices: dict[str, Choices] = {}
        self.tooth = ToothField(words)
        self._arrange()
        self.save.clicked.connect(self._save)
        self.cancel.clicked.connect(self.cancelled)

    def open_new(self, entry: Entry, title: str) -> None:
        """Fill in a new entry that has its patient already."""
        self._open(entry, title, correcting=False)

    def open_correction(self, row: EntryVersion, title: str, *, withdraw: bool = False) -> None:
        """Correct a version, or say why it is withdrawn."""
        self._open(row.entry, title, correcting=True, withdraw=withdraw)

    def show_teeth(self, teeth: Sequence[ToothState], dentition: Dentition) -> None:
        """What the patient's findings add up to."""
        self.tooth.show_teeth(teeth, dentition)

    def say(self, sentence: str) -> None:
        self.message.setText(sentence)
        self.save.setEnabled(True)

    # inside

    def _open(self, entry: Entry, title: str, *, correcting: bool, withdraw: bool = False) -> None:
        self._entry, self._correcting, self._withdrawing = entry, correcting, withdraw
        self.title.setText(title)
        self.message.setText("")
        self.save.setEnabled(True)
        self.save.setText(self._words.say("clinical.withdraw" if withdraw else "clinical.save"))
        self.text.setPlainText(entry.text)
        self.text.setEnabled(not withdraw)
        self.text.setPlaceholderText(self._words.say("clinical.step_hint") if _in_words(entry) else "")
        self._build(entry)
        for widget in (*self.lines.values(), *self.choices.values(), self.tooth):
            widget.setEnabled(not withdraw)
        self.reason.clear()
        self._reason_row.setVisible(correcting)
        hint = "withdraw_hint" if withdraw else "reason_hint"
        self.reason.setPlaceholderText(self._words.say(f"clinical.{hint}"))
        (self.reason if withdraw else self.text).setFocus()

    def _build(self, entry: Entry) -> None:
        for layout in (self._left, self._right):
            empty(layout)
        self.lines, self.choices = {}, {}
        for name in FIELDS.get(type(entry), ()):
            line = QLineEdit(_text(getattr(entry, name)))
            line.setMaxLength(MAX_SHORT)
            self._left.addWidget(self._named(name, line))
            self.lines[name] = line
        for name in CHOICES.get(type(entry), ()):
            options = [(one.value, self._words.say(f"clinical.{name}.{one.value}")) for one in OPTIONS[name]]
            choice = Choices(options, columns=COLUMNS[name])
            choice.choose(str(getattr(entry, name)))
            self._right.addWidget(self._named(name, choice))
            self.choices[name] = choice
        self._right.addStretch()
        step = _in_words(entry)
        self.tooth.setVisible(step)
        self.tooth.choose(entry.fdi if isinstance(entry, StepDone) else 0)
        for place, shown in ((1, bool(self.choices)), (2, step)):
            self._sides.setStretch(place, int(shown))

    def _named(self, name: str, field: QWidget) -> QWidget:
        return named(self._words.say(f"clinical.field.{name}"), field)

    def _arrange(self) -> None:
        left = QVBoxLayout()
        left.setSpacing(8)
        left.addWidget(Label(self._words.say("clinical.field.text"), size=13, bold=True))
        left.addWidget(self.text, 1)
        self._left = QHBoxLayout()
        self._left.setSpacing(12)
        left.addLayout(self._left)
        self._right = QVBoxLayout()
        self._right.setSpacing(8)
        self._sides = QHBoxLayout()
        self._sides.setSpacing(24)
        self._sides.addLayout(left, 1)
        self._sides.addLayout(self._right, 1)
        self._sides.addWidget(self.tooth, 1)
        self._reason_row = self._named_reason()
        foot = QHBoxLayout()
        foot.setSpacing(12)
        foot.addWidget(self._reason_row, 1)
        foot.addWidget(self.message, 1)
        foot.addWidget(self.cancel, 0, Qt.AlignmentFlag.AlignBottom)
        foot.addWidget(self.save, 0, Qt.AlignmentFlag.AlignBottom)
        column = QVBoxLayout(self)
        column.setContentsMargins(16, 12, 16, 16)
        column.setSpacing(8)
        column.addWidget(self.title)
        column.addLayout(self._sides, 1)
        column.addLayout(foot)

    def _named_reason(self) -> QWidget:
        return named(self._words.say("clinical.reason"), self.reason)

    def _save(self) -> None:
        if self._entry is None:
            return
        try:
            entry = self._typed(self._entry)
        except FormError as error:
            self.message.setText(str(error))
            return
        reason = self.reason.text().strip()
        if self._correcting and not reason:
            self.message.setText(self.reason.placeholderText())
            self.reason.setFocus()
            return
        self.save.setEnabled(False)
        self.saved.emit(entry, reason)

    def _typed(self, entry: Entry) -> Entry:
        """Raises FormError."""
        if self._withdrawing:
            return msgspec.structs.replace(entry, withdrawn=True)
        changes: dict[str, object] = {"text": self.text.toPlainText()}
        changes |= {name: OPTIONS[name](choice.key) for name, choice in self.choices.items()}
        for name, line in self.lines.items():
            read: Callable[[str], object] = self._number if name == "value" else str.strip
            changes[name] = read(line.text())
        if _in_words(entry):
            changes["fdi"] = self.tooth.fdi
        return msgspec.structs.replace(entry, **changes)

    def _number(self, text: str) -> float | None:
        said = text.strip().replace(",", ".")
        if not said:
            return None
        try:
            return float(said)
        except ValueError:
            raise FormError(self._words.say("clinical.number", text=text)) from None


def _in_words(entry: Entry) -> bool:
    """A step whose tooth a person says: that of the procedure's own steps follows from the order."""
    return isinstance(entry, StepDone) and not entry.module


def _text(value: object) -> str:
    return "" if value is None else f"{value:g}" if isinstance(value, float) else str(value)


def kinds_for(allowed: Sequence[type[Entry]]) -> list[type[Entry]]:
    """What can be written by a form, in the order of their buttons."""
    return [kind for kind in (Note, Observation, StepDone, AdverseEvent) if kind in allowed]
