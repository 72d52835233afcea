"""Notices: what happened and what to do next, shown until somebody has read it."""

from PySide6.QtCore import QRect
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from app.console.store import Store
from core.model.words import Text, Words
from widgets.controls import Button, Label
from widgets.overlay import Panel

_KEPT = 20


class NoticePanel(Panel):
    """The newest notice, and how many wait behind it. The same sentence twice is one notice."""

    def __init__(self, store: Store, words: Words, parent: QWidget, opener: QWidget | None = None) -> None:
        super().__init__(parent, opener)
        self._words = words
        self._waiting: list[tuple[str, str]] = []
        self.text = Label(size=18, bold=True, wrap=True)
        self.remedy = Label(tone="muted", wrap=True)
        self.more = Label(size=13, tone="muted")
        self.dismiss = Button(words.say("shell.notice.dismiss"))
        self.dismiss.clicked.connect(self._next)
        said = QVBoxLayout()
        said.setSpacing(4)
        for label in (self.text, self.remedy, self.more):
            said.addWidget(label)
        said.addStretch()
        row = QHBoxLayout(self)
        row.setContentsMargins(20, 16, 16, 16)
        row.setSpacing(16)
        row.addLayout(said, 1)
        row.addWidget(self.dismiss)
        store.noticed.connect(self.add)
        store.workstation_changed.connect(lambda: self._workstation(store))
        self._last: Text | None = None

    def add(self, text: Text, remedy: Text | None) -> None:
        said = (self._words.tell(text), self._words.tell(remedy) if remedy is not None else "")
        if said in self._waiting:
            return
        self._waiting = [said, *self._waiting][:_KEPT]
        self._show()

    def forget(self) -> None:
        """What was meant for somebody else."""
        self._waiting = []

    def _workstation(self, store: Store) -> None:
        """The workstation's own notice counts once, until it changes."""
        notice = store.workstation.notice if store.workstation is not None else None
        if notice is not None and notice != self._last:
            self.add(notice, None)
        self._last = notice

    def _next(self) -> None:
        self._waiting = self._waiting[1:]
        if self._waiting:
            self._show()
        else:
            self.close_panel()

    def _show(self) -> None:
        text, remedy = self._waiting[0]
        self.text.setText(text)
        self.remedy.setText(remedy)
        self.remedy.setVisible(bool(remedy))
        self.more.setText(self._words.say("shell.notice.more", count=len(self._waiting) - 1))
        self.more.setVisible(len(self._waiting) > 1)
        self.setAccessibleName(f"{text} {remedy}".strip())
        self.show()
        self.raise_()
        self.place()

    def place(self, above: QRect | None = None) -> None:
        """At the left above the bottom bar, or above the alarm panel when that is open."""
        from app.console.alarm_panel import panel_box

        parent = self.parentWidget()
        if parent is None:
            return
        box = panel_box(parent, max(96, self.heightForWidth(508), self.sizeHint().height()))
        if above is not None:
            box.moveBottom(above.top() - 16)
        self.setGeometry(box)
