"""*Set-up*: devices, people, keys, settings."""

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QStackedWidget, QVBoxLayout

from app.console.page import Page
from app.console.setup_devices import DevicesPane
from app.console.setup_keys import KeysPane
from app.console.setup_people import PeoplePane
from app.console.setup_settings import SettingsPane
from app.console.store import Store
from core.model.words import Words
from widgets.controls import Label
from widgets.segmented import Segmented


class SetupPage(Page):
    """`mode_chosen` carries `light` or `dark`; `patient_screen_wanted` whether it shall be shown."""

    key = "setup"
    mode_chosen = Signal(str)
    patient_screen_wanted = Signal(bool)

    def __init__(self, store: Store, words: Words) -> None:
        super().__init__(store, words)
        say = words.say
        self.devices = DevicesPane(store, words)
        self.people = PeoplePane(store, words)
        self.keys = KeysPane(store, words)
        self.settings = SettingsPane(store, words)
        self._panes = {"devices": self.devices, "people": self.people, "keys": self.keys, "settings": self.settings}
        self.tabs = Segmented([(key, say(f"shell.setup.{key}")) for key in self._panes])
        self._stack = QStackedWidget()
        for pane in self._panes.values():
            self._stack.addWidget(pane)
        head = QHBoxLayout()
        head.setSpacing(24)
        head.addWidget(Label(say("shell.rail.setup"), size=24, bold=True))
        head.addWidget(self.tabs, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(16, 16, 16, 16)
        column.setSpacing(12)
        column.addLayout(head)
        column.addWidget(self._stack, 1)
        self.tabs.chosen.connect(self.show_pane)
        self.settings.mode_chosen.connect(self.mode_chosen)
        self.settings.patient_screen_wanted.connect(self.patient_screen_wanted)

    def show_pane(self, key: str) -> None:
        self.tabs.choose(key)
        self._stack.setCurrentWidget(self._panes[key])
        if key == "keys":
            self.keys.refresh()

    def activated(self) -> None:
        self.settings.refresh()
        self.devices.refresh()
        if self._stack.currentWidget() is self.keys:
            self.keys.refresh()
