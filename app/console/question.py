"""A question in the window, above everything but the bottom bar: closing while therapy runs."""

from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from core.model.words import Words
from widgets.controls import Button, Label
from widgets.overlay import Panel, Veil

_WIDTH = 620
_PAD = 32


class Question(Veil):
    """`ask` shows it; the safe answer has the focus, and Escape gives it."""

    def __init__(self, words: Words, parent: QWidget) -> None:
        super().__init__(parent, see_through=True)
        self._words = words
        self._yes: Callable[[], None] | None = None
        self.title = Label(size=24, bold=True, wrap=True)
        self.sentence = Label(size=18, tone="muted", wrap=True)
        self.no = Button("", height=64)
        self.yes = Button("", role="pri", height=64)
        self._box = box = Panel(self)
        box.show()
        inner = QVBoxLayout(box)
        inner.setContentsMargins(_PAD, 28, _PAD, 28)
        inner.setSpacing(12)
        inner.addWidget(self.title)
        inner.addWidget(self.sentence)
        inner.addSpacing(16)
        row = QHBoxLayout()
        row.setSpacing(12)
        row.addWidget(self.no)
        row.addStretch()
        row.addWidget(self.yes)
        inner.addLayout(row)
        column = QVBoxLayout(self)
        column.addStretch()
        column.addWidget(box, 0, Qt.AlignmentFlag.AlignHCenter)
        column.addStretch()
        self.no.clicked.connect(self.hide)
        self.yes.clicked.connect(self._answer)

    def ask(self, key: str, yes: Callable[[], None]) -> None:
        """Words of `key`: title, sentence, yes, no."""
        self._yes = yes
        for part, widget in (("title", self.title), ("sentence", self.sentence), ("yes", self.yes), ("no", self.no)):
            widget.setText(self._words.say(f"{key}.{part}"))
        self.setAccessibleName(self.title.text())
        lines = sum(label.heightForWidth(_WIDTH - 2 * _PAD) for label in (self.title, self.sentence))
        self._box.setFixedSize(_WIDTH, lines + 64 + 2 * 28 + 16 + 3 * 12)
        self.show()
        self.raise_()
        self.no.setFocus()

    def _answer(self) -> None:
        self.hide()
        if self._yes is not None:
            self._yes()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.hide()
            return
        super().keyPressEvent(event)
