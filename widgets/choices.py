"""One choice out of several in rows of equal buttons: everything in sight, each large enough for a glove."""

from collections.abc import Sequence

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QButtonGroup, QGridLayout, QSizePolicy, QWidget

from widgets.controls import Button


class Choices(QWidget):
    """`chosen` carries the key that a person chose; `choose` is silent. With `optional`, a second press unchooses."""

    chosen = Signal(str)

    def __init__(
        self,
        options: Sequence[tuple[str, str]],
        *,
        columns: int,
        optional: bool = False,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._optional = optional
        self._group = QButtonGroup(self)
        self._group.setExclusive(not optional)
        self._buttons: dict[str, Button] = {}
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(8)
        grid.setVerticalSpacing(8)
        for place, (key, text) in enumerate(options):
            button = Button(text, wrap=True)
            button.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
            button.setCheckable(True)
            button.clicked.connect(lambda on, key=key: self._press(key, on))
            self._group.addButton(button)
            self._buttons[key] = button
            grid.addWidget(button, place // columns, place % columns)
        for column in range(columns):
            grid.setColumnStretch(column, 1)

    @property
    def key(self) -> str:
        """Empty when nothing is chosen."""
        return next((key for key, button in self._buttons.items() if button.isChecked()), "")

    def choose(self, key: str) -> None:
        for each, button in self._buttons.items():
            button.setChecked(each == key)

    def button(self, key: str) -> Button:
        return self._buttons[key]

    def _press(self, key: str, on: bool) -> None:
        if self._optional:
            for each, button in self._buttons.items():
                button.setChecked(on and each == key)
        self.chosen.emit(self.key)
