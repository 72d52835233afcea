"""The left rail: five places, and on *Chair* the hub's link and battery at its foot. In a narrow window icons alone."""

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QColor, QPainter
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from app.console import status
from app.console.store import Store
from core.model.words import Words
from widgets.cells import RailItem, RailStatus
from widgets.controls import Hairline
from widgets.theme import tokens

WIDTH, NARROW = 88, 64
PLACES = (("chairs", "chairs"), ("chair", "chair"), ("patients", "people"), ("safety", "shield"), ("setup", "setup"))
"""Page key and icon."""


class Rail(QWidget):
    """`chosen` carries the key of a page."""

    chosen = Signal(str)

    def __init__(self, store: Store, words: Words, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._store = store
        self._words = words
        self.setFixedWidth(WIDTH)
        self.items: dict[str, RailItem] = {}
        column = QVBoxLayout(self)
        column.setContentsMargins(4, 8, 4, 8)
        column.setSpacing(8)
        for number, (key, icon) in enumerate(PLACES, 1):
            item = RailItem(icon, words.say(f"shell.rail.{key}"))
            item.setToolTip(words.say("shell.rail.shortcut", place=words.say(f"shell.rail.{key}"), number=number))
            item.clicked.connect(lambda _=False, key=key: self.chosen.emit(key))
            column.addWidget(item, 0, Qt.AlignmentFlag.AlignHCenter)
            self.items[key] = item
        column.addStretch()
        self._foot = QWidget()
        foot = QVBoxLayout(self._foot)
        foot.setContentsMargins(0, 0, 0, 0)
        foot.setSpacing(0)
        self.link = RailStatus("link")
        self.battery = RailStatus("bat")
        line = QHBoxLayout()
        line.setContentsMargins(12, 0, 12, 0)
        line.addWidget(Hairline())
        foot.addLayout(line)
        foot.addSpacing(8)
        foot.addWidget(self.link, 0, Qt.AlignmentFlag.AlignHCenter)
        foot.addWidget(self.battery, 0, Qt.AlignmentFlag.AlignHCenter)
        column.addWidget(self._foot)
        for signal in (store.chair_changed, store.link_changed, store.current_changed):
            signal.connect(self.refresh)
        self.show_place("chairs")

    def set_narrow(self, narrow: bool) -> None:
        """Icons alone, or with their words."""
        self.setFixedWidth(NARROW if narrow else WIDTH)
        for item in self.items.values():
            item.set_narrow(narrow)
        for foot in (self.link, self.battery):
            foot.set_narrow(narrow)

    def show_place(self, key: str) -> None:
        """Mark the page in front."""
        self._place = key
        for place, item in self.items.items():
            item.setChecked(place == key)
        self.refresh()

    @property
    def place(self) -> str:
        """Key of the page in front."""
        return self._place

    def refresh(self) -> None:
        chair = self._store.chair(self._store.current)
        self._foot.setVisible(self._place == "chair" and chair is not None)
        if chair is not None:
            self.link.say(status.link_words(self._store, self._words, chair, foot=True))
            self.battery.say(status.battery_words(self._store, self._words, chair))

    def paintEvent(self, _event: object) -> None:
        scheme = tokens()
        painter = QPainter(self)
        painter.fillRect(self.rect(), QColor(scheme.surface))
        painter.fillRect(self.width() - 1, 0, 1, self.height(), QColor(scheme.line))
        painter.end()
