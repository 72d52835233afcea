"""*Set-up*: devices, people, keys, backups, settings."""

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QStackedWidget, QVBoxLayout

from app.console.page import Page
from app.console.setup_backups import BackupsPane
from app.console.setup_devices import DevicesPane
from app.console.setup_keys import KeysPane
from app.console.setup_people import PeoplePane
from app.console.setup_settings import SettingsPane
from app.console.store import Store
from core.model.words import Words
from widgets.controls import Button, Card, Label
from widgets.segmented import Segmented


class SetupPage(Page):
    """`mode_chosen` carries `light` or `dark`; `patient_screen_wanted` whether it shall be shown; `erasure_wanted` whom
    somebody thinks of erasing."""

    key = "setup"
    mode_chosen = Signal(str)
    erasure_wanted = Signal(str)
    patient_screen_wanted = Signal(bool)

    def __init__(self, store: Store, words: Words) -> None:
        super().__init__(store, words)
        say = words.say
        self.devices = DevicesPane(store, words)
        self.people = PeoplePane(store, words)
        self.keys = KeysPane(store, words)
        self.backups = BackupsPane(store, words)
        self.settings = SettingsPane(store, words)
        self._panes = {
            "devices": self.devices,
            "people": self.people,
            "keys": self.keys,
            "backups": self.backups,
            "settings": self.settings,
        }
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
        column.addWidget(self._make_strip())
        column.addWidget(self._stack, 1)
        self.tabs.chosen.connect(self.show_pane)
        self.settings.mode_chosen.connect(self.mode_chosen)
        self.settings.patient_screen_wanted.connect(self.patient_screen_wanted)
        self.backups.retention.patient_wanted.connect(self.erasure_wanted)
        store.workstation_changed.connect(self._show_strip)
        self._show_strip()

    def show_pane(self, key: str) -> None:
        self.tabs.choose(key)
        self._stack.setCurrentWidget(self._panes[key])
        if key == "keys":
            self.keys.refresh()
        if key == "backups":
            self.backups.refresh()
        self._show_strip()

    def activated(self) -> None:
        self.settings.refresh()
        self.devices.refresh()
        if self._stack.currentWidget() is self.keys:
            self.keys.refresh()
        if self._stack.currentWidget() is self.backups:
            self.backups.refresh()

    def _make_strip(self) -> Card:
        """Asks for the recovery sheet of the records on every pane but its own, until it was printed."""
        self.strip = Card()
        self.strip_button = Button(self.words.say("backup.sheet.go"), role="pri")
        self.strip_button.clicked.connect(lambda: self.show_pane("backups"))
        row = QHBoxLayout(self.strip)
        row.setContentsMargins(16, 10, 16, 10)
        row.setSpacing(16)
        row.addWidget(Label(self.words.say("backup.sheet.wanted"), bold=True, wrap=True), 1)
        row.addWidget(self.strip_button)
        return self.strip

    def _show_strip(self) -> None:
        station = self.store.workstation
        wanted = station is not None and station.backups is not None and station.backups.sheet_wanted
        self.strip.setVisible(wanted and self._stack.currentWidget() is not self.backups)
