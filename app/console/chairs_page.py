"""*Chairs*: every chair at a glance, each card always in the same place."""

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QVBoxLayout, QWidget

from app.console.chair_card import ChairCard
from app.console.demo_strip import DemoStrip
from app.console.page import Page
from app.console.steps.base import scroller
from app.console.store import Store
from app.console.trends import Trends
from core.model.words import Words
from widgets.controls import Label


def grid_columns(count: int) -> int:
    """1–8 chairs: at most two rows above four, never a card narrower than 270 px at 1280."""
    return 1 if count == 1 else 2 if count <= 4 else 3 if count <= 6 else 4


class ChairsPage(Page):
    """`opened` carries the number of the chair to go to."""

    key = "chairs"
    opened = Signal(int)

    def __init__(self, store: Store, words: Words, trends: Trends, strip: DemoStrip | None = None) -> None:
        super().__init__(store, words)
        self._trends = trends
        self.cards: dict[int, ChairCard] = {}
        self.title = Label(words.say("shell.rail.chairs"), size=24, bold=True)
        self.summary = Label(tone="muted")
        self.empty = Label(tone="muted", size=18, wrap=True)
        head = QHBoxLayout()
        head.setSpacing(13)
        head.addWidget(self.title)
        head.addWidget(self.summary, 1)
        self._head = QWidget()
        self._head.setFixedHeight(48)
        self._head.setLayout(head)
        head.setContentsMargins(0, 0, 0, 0)
        cards = QWidget()
        self._grid = QGridLayout(cards)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setSpacing(16)
        self._cards = scroller(cards)  # scrolls in a very low window alone
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(16, 16, 16, 16)
        self._column.setSpacing(12)
        if strip is not None:
            self._column.addWidget(strip)
        self._column.addWidget(self._head)
        self._column.addWidget(self.empty)
        self._column.addWidget(self._cards, 1)
        store.chair_changed.connect(self._chair)
        for signal in (store.workstation_changed, store.link_changed):
            signal.connect(self.refresh)
        self.refresh()

    def _chair(self, number: int) -> None:
        if number not in self.cards:
            self.refresh()
        elif self.isVisible():
            self.cards[number].refresh()
            self._summarise()

    def activated(self) -> None:
        self.refresh()

    def refresh(self) -> None:
        numbers = [chair.number for chair in self.store.chairs()]
        if numbers != list(self.cards):
            self._build(numbers)
        for card in self.cards.values():
            card.refresh()
        self._summarise()

    def _build(self, numbers: list[int]) -> None:
        for card in self.cards.values():
            self._grid.removeWidget(card)
            card.hide()
            card.deleteLater()
        self.cards = {}
        columns = grid_columns(len(numbers))
        for place, number in enumerate(numbers):
            card = ChairCard(self.store, self.words, self._trends, number)
            card.opened.connect(self.opened)
            self._grid.addWidget(card, place // columns, place % columns)
            self.cards[number] = card
        for column in range(8):
            self._grid.setColumnStretch(column, 1 if column < columns and numbers else 0)
        for row in range(8):
            self._grid.setRowStretch(row, 1 if row * columns < len(numbers) else 0)

    def _summarise(self) -> None:
        chairs = self.store.chairs()
        say = self.words.say
        busy = sum(chair.patient is not None for chair in chairs)
        recording = sum(chair.recording_since_us is not None for chair in chairs)
        if not self.store.answering:
            self.summary.setText(say("shell.chairs.old" if chairs else "shell.chairs.waiting"))
        else:
            self.summary.setText(say("shell.chairs.summary", busy=busy, count=len(chairs), recording=recording))
        self.summary.setVisible(bool(chairs))
        self.empty.setVisible(not chairs)
        self.empty.setText(say("shell.chairs.none" if self.store.answering else "shell.chairs.waiting"))
