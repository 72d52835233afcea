"""Settings: light or dark, the patient screen, and what is known of the practice."""

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from app.console.setup_practice import PracticeForm
from app.console.store import Store
from app.ipc.access_messages import SetLock, SetNames
from core.model.words import Words
from widgets.controls import Card, Hairline, Label
from widgets.segmented import Segmented
from widgets.theme import tokens

_LABEL = 240
LOCKS = (2, 5, 10, 15)
"""Minutes that are offered; the engine takes any from 1 to 15."""


class SettingsPane(QWidget):
    """Emits what is chosen; the window carries it out."""

    mode_chosen = Signal(str)
    patient_screen_wanted = Signal(bool)

    def __init__(self, store: Store, words: Words) -> None:
        super().__init__()
        self._store = store
        say = words.say
        self.mode = Segmented([("light", say("shell.settings.light")), ("dark", say("shell.settings.dark"))])
        self.patient_screen = Segmented([("off", say("shell.settings.off")), ("on", say("shell.settings.on"))])
        self.names = Segmented([("hidden", say("clinical.privacy.hidden")), ("shown", say("clinical.privacy.shown"))])
        self.lock = Segmented([(str(minutes), say("shell.settings.minutes", minutes=minutes)) for minutes in LOCKS])
        self.practice = PracticeForm(store, words)
        self.folder = Label(wrap=True)
        self.folder.setTextInteractionFlags(
            Qt.TextInteractionFlag.TextSelectableByMouse | Qt.TextInteractionFlag.TextSelectableByKeyboard
        )
        card = Card()
        column = QVBoxLayout(card)
        column.setContentsMargins(16, 10, 16, 10)
        column.setSpacing(8)
        for key, value in (
            ("mode", self.mode),
            ("patient_screen", self.patient_screen),
            ("names", self.names),
            ("lock", self.lock),
            ("practice", self.practice),
            ("folder", self.folder),
            ("language", Label(say("shell.settings.english"))),
            ("keys", Label(say("shell.settings.keys_list"), wrap=True)),
        ):
            row = QHBoxLayout()
            row.setSpacing(16)
            label = Label(say(f"shell.settings.{key}"), bold=True)
            label.setFixedWidth(_LABEL)
            label.setMinimumHeight(48)
            value.setAccessibleName(label.text())
            row.addWidget(label)
            row.addWidget(value, 1)
            column.addLayout(row)
            column.addWidget(Hairline())
        column.addStretch()
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(card)
        self.mode.chosen.connect(self.mode_chosen)
        self.patient_screen.chosen.connect(lambda key: self.patient_screen_wanted.emit(key == "on"))
        self.names.chosen.connect(lambda key: store.ask(SetNames(shown=key == "shown")))
        self.lock.chosen.connect(lambda key: store.ask(SetLock(minutes=int(key))))
        store.link_changed.connect(self.refresh)
        store.workstation_changed.connect(self._say_kept)
        self.refresh()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange:
            self.mode.choose("dark" if tokens().dark else "light")

    def refresh(self) -> None:
        self.mode.choose("dark" if tokens().dark else "light")
        self.practice.refresh()
        self._say_kept()
        self.folder.setText(self._store.data_folder or "–")

    def _say_kept(self) -> None:
        """What the workstation keeps, as it keeps it now."""
        station = self._store.workstation
        self.names.choose("hidden" if self._store.discreet else "shown")
        self.names.setEnabled(self._store.may("SetNames"))
        self.lock.setEnabled(self._store.may("SetLock"))
        if station is not None and station.lock_minutes in LOCKS:
            self.lock.choose(str(station.lock_minutes))
