"""Which folder to write into: typed, the usual one, or a stick that is plugged in. No dialog that would cover STOP."""

import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from PySide6.QtCore import QStorageInfo, Signal
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QVBoxLayout, QWidget

from core.model.words import Words
from widgets.controls import Button, Label

MOST_STICKS = 3
_MOUNTS = ("/media/", "/run/media/", "/Volumes/")

Sticks = Callable[[], Sequence[tuple[str, Path]]]


def plugged_in() -> list[tuple[str, Path]]:
    """Name and folder of every drive that somebody plugged in and that can be written."""
    found = []
    for volume in QStorageInfo.mountedVolumes():
        root = volume.rootPath()
        outside = (sys.platform == "win32" and not volume.isRoot()) or root.startswith(_MOUNTS)
        if outside and volume.isReady() and not volume.isReadOnly():
            found.append((volume.displayName(), Path(root)))
    return found[:MOST_STICKS]


class PlaceField(QWidget):
    """A folder that is there. `changed`: another one was named."""

    changed = Signal()

    def __init__(self, words: Words, sticks: Sticks = plugged_in, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._words = words
        self._sticks = sticks
        self._usual = Path()
        caption = Label(words.say("exchange.place.caption"), size=13, bold=True)
        self.field = QLineEdit()
        self.field.setAccessibleName(caption.text())
        caption.setBuddy(self.field)
        self._problem = Label(size=13, tone="muted")
        self._row = QHBoxLayout()
        self._row.setSpacing(12)
        self.buttons: list[Button] = []
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        column.addWidget(caption)
        column.addLayout(self._row)
        column.addWidget(self._problem)
        self._row.addWidget(self.field, 1)
        self.field.textChanged.connect(self._check)

    @property
    def folder(self) -> Path | None:
        """None while what is named is no folder."""
        typed = Path(self.field.text().strip())
        return typed if typed.is_absolute() and typed.is_dir() else None

    def refresh(self, usual: Path) -> None:
        """Offer what is plugged in now, and the usual folder; what was typed stays."""
        self._usual = usual
        for button in self.buttons:
            self._row.removeWidget(button)
            button.hide()
            button.deleteLater()
        sticks = list(self._sticks())
        places = [(self._words.say("exchange.place.usual"), usual), *sticks] if sticks else []
        self.buttons = []
        for name, path in places:
            button = Button(name)
            button.clicked.connect(lambda _checked=False, each=path: self.field.setText(str(each)))
            self._row.addWidget(button)
            self.buttons.append(button)
        if not self.field.text().strip():
            self.field.setText(str(usual))
        self._check()

    def _check(self) -> None:
        typed = Path(self.field.text().strip())
        key = "" if self.folder is not None else "missing" if typed.is_absolute() else "full_path"
        self._problem.setText(self._words.say(f"exchange.place.{key}") if key else "")
        self._problem.setVisible(bool(key))
        self.changed.emit()
