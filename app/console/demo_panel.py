"""What can be broken in the simulated clinic: the body, the devices and their radio, and attacks."""

from typing import Protocol

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QScrollArea, QStackedWidget, QVBoxLayout, QWidget

from app.console import bottombar
from app.console.store import Store
from core.model.errors import SmilescapeError
from core.model.words import Text, Words
from widgets.controls import Button, Label
from widgets.overlay import Panel
from widgets.segmented import Segmented

GROUPS: dict[str, tuple[str, ...]] = {
    "body": ("sugar", "clench", "pulse_up", "warm_tooth", "patient_stop"),
    "devices": (
        *("drop_link", "jam", "slow_radio", "lossy_radio", "drop_mid_write", "lose_receipts", "damage_frames"),
        *("reboot_hub", "silence_sensor", "freeze_sensor", "full_memory", "battery_low", "clock_drift"),
        *("runaway", "fault", "mend"),
    ),
    "attacks": (
        *("replay", "forged_command", "forged_receipts", "stolen_key", "outside_consent", "mass_command"),
        *("cloned_hub", "spoofed_reconnect", "downgrade", "tampered_firmware", "rolled_back_firmware"),
        *("spoofed_calm", "journal_tampering", "jamming", "garbage"),
    ),
}
"""What each group holds; names of triggers."""
FAULTS: tuple[str, ...] = tuple(name for group in GROUPS.values() for name in group)
_COLUMNS = 2
_BUTTON = 216
_WIDE = 1160
_GAP = 16
_ROW = 60
_FIXED = 152
"""Height of head, groups and margins."""


class Demo(Protocol):
    """Who plays the simulated clinic."""

    def trigger(self, chair: int, name: str) -> None:
        """Make one of `FAULTS` happen at a chair; never waits."""
        ...


class DemoPanel(Panel):
    """Which chair, which group, and a button for each thing, beside what will be seen.

    Attributes:
        chairs, groups: what is chosen.
        buttons: by name.
    """

    def __init__(self, store: Store, words: Words, demo: Demo, parent: QWidget, opener: QWidget | None = None) -> None:
        super().__init__(parent, opener)
        self._store = store
        self._words = words
        self._demo = demo
        self.buttons: dict[str, Button] = {}
        self.chairs = Segmented([])
        self.groups = Segmented([(key, words.say(f"shell.demo.group.{key}")) for key in GROUPS])
        self._pages = QStackedWidget()
        for names in GROUPS.values():
            self._pages.addWidget(self._page(names))
        self.groups.chosen.connect(self._show_group)
        column = QVBoxLayout(self)
        column.setContentsMargins(20, 16, 16, 16)
        column.setSpacing(12)
        column.addLayout(self._head())
        column.addWidget(self.groups)
        column.addWidget(self._pages, 1)
        self.setAccessibleName(words.say("shell.demo.break"))

    def _head(self) -> QHBoxLayout:
        head = QHBoxLayout()
        head.setSpacing(24)
        head.addWidget(Label(self._words.say("shell.demo.break"), size=18, bold=True))
        head.addWidget(self.chairs, 1)
        close = Button(self._words.say("shell.close"))
        close.clicked.connect(self.close_panel)
        head.addWidget(close)
        return head

    def _page(self, names: tuple[str, ...]) -> QScrollArea:
        grid = QGridLayout()
        grid.setContentsMargins(2, 2, 8, 2)
        grid.setHorizontalSpacing(24)
        grid.setVerticalSpacing(12)
        rows = -(-len(names) // _COLUMNS)
        for place, name in enumerate(names):
            grid.addLayout(self._row(name), place % rows, place // rows)
        for column in range(_COLUMNS):
            grid.setColumnStretch(column, 1)
        grid.setRowStretch(rows, 1)
        inner = QWidget()
        inner.setLayout(grid)
        area = QScrollArea()
        area.setWidget(inner)
        area.setWidgetResizable(True)
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        return area

    def _row(self, name: str) -> QHBoxLayout:
        seen = self._words.say(f"shell.demo.seen.{name}")
        button = Button(self._words.say(f"shell.demo.fault.{name}"))
        button.setFixedWidth(_BUTTON)
        button.setAccessibleDescription(seen)
        button.clicked.connect(lambda: self._break(name))
        self.buttons[name] = button
        row = QHBoxLayout()
        row.setSpacing(12)
        row.addWidget(button)
        row.addWidget(Label(seen, size=13, tone="muted", wrap=True), 1)
        return row

    def _break(self, name: str) -> None:
        try:
            self._demo.trigger(int(self.chairs.key or 0), name)
        except SmilescapeError:
            self._store.notice(Text("shell.demo.gone"), Text("shell.demo.gone_remedy"))

    def open_at(self, right: int, top: int) -> None:
        """Below `top`, ending at `right`, and never as low as STOP."""
        chairs = [chair.number for chair in self._store.chairs()]
        self.chairs.set_options(
            [(str(number), self._words.say("shell.chair_name", number=number)) for number in chairs]
        )
        if self._store.current:
            self.chairs.choose(str(self._store.current))
        width = min(_WIDE, right - _GAP)
        self.setGeometry(right - width, top, width, self.height())
        self._fit()
        self.show()
        self.raise_()
        self.buttons[GROUPS[self.groups.key][0]].setFocus()

    def _show_group(self, key: str) -> None:
        self._pages.setCurrentIndex(list(GROUPS).index(key))
        self._fit()

    def _fit(self) -> None:
        """As high as the group needs, so that the chair stays in sight; scrolled where there is less room."""
        rows = -(-len(GROUPS[self.groups.key]) // _COLUMNS)
        room = self.window().height() - bottombar.HEIGHT - _GAP - self.y()
        self.resize(self.width(), min(room, _FIXED + rows * _ROW))
