"""One choice out of few, all in sight: no list that must be opened, and none that grabs the keyboard from STOP."""

from collections.abc import Sequence

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QButtonGroup, QGridLayout, QWidget

from widgets.controls import Button


class Segmented(QWidget):
    """Buttons of which exactly one is chosen. `chosen` carries its key; setting it by code is silent.

    `columns`: how many stand beside each other before the next line begins.
    """

    chosen = Signal(str)

    def __init__(
        self, options: Sequence[tuple[str, str]], parent: QWidget | None = None, *, columns: int = 100
    ) -> None:
        super().__init__(parent)
        self._columns = columns
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setSpacing(12)
        self._grid.setColumnStretch(columns, 1)
        self._group = QButtonGroup(self)
        self._group.setExclusive(True)
        self._buttons: dict[str, Button] = {}
        self.set_options(options)

    def set_options(self, options: Sequence[tuple[str, str]]) -> None:
        """(key, text) pairs; the choice is kept where it still exists."""
        if [key for key, _ in options] == list(self._buttons):
            return
        kept = self.key
        for button in self._buttons.values():
            self._group.removeButton(button)
            button.hide()
            button.deleteLater()
        self._buttons = {}
        for place, (key, text) in enumerate(options):
            button = Button(text)
            button.setCheckable(True)
            button.clicked.connect(lambda _=False, key=key: self.chosen.emit(key))
            self._group.addButton(button)
            self._grid.addWidget(button, place // self._columns, place % self._columns)
            self._buttons[key] = button
        self.choose(kept if kept in self._buttons else next(iter(self._buttons), ""))

    @property
    def key(self) -> str:
        return next((key for key, button in self._buttons.items() if button.isChecked()), "")

    def choose(self, key: str) -> None:
        if key in self._buttons:
            self._buttons[key].setChecked(True)

    def button(self, key: str) -> Button:
        return self._buttons[key]
