"""The scheme in force: colours, fonts, palette.

Painted widgets ask `tokens()` in `paintEvent`, so that a switch needs a repaint only.
"""

from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Literal

import shiboken6
from PySide6.QtGui import QColor, QFont, QFontDatabase, QPalette
from PySide6.QtWidgets import QApplication

from widgets.tokens import DARK, LIGHT, Tokens

if TYPE_CHECKING:
    from widgets.focus import FocusFollower

Mode = Literal["light", "dark"]
FAMILIES = ["Inter", "Noto Sans CJK SC"]
"""The second draws the names that the first has no letters for."""

SPACING = (4, 8, 12, 16, 24, 32, 48)
TARGET = 48
TARGET_TREATMENT = 64
RADIUS_CONTROL = 6
RADIUS_CARD = 12
RADIUS_PATIENT = 20


class _Scheme:
    tokens: Tokens = LIGHT
    follower: "FocusFollower | None" = None


def tokens() -> Tokens:
    """The colours in force."""
    return _Scheme.tokens


def color(value: str, alpha: float = 1.0) -> QColor:
    """A token as QColor, with `alpha` 0–1."""
    made = QColor(value)
    made.setAlphaF(alpha)
    return made


def font(size: int, *, bold: bool = False, tabular: bool = True) -> QFont:
    """Inter at `size` logical pixels (13, 15, 18, 24, 34 or 56), weight 400 or 600."""
    made = QFont(FAMILIES)
    made.setPixelSize(size)
    made.setWeight(QFont.Weight.DemiBold if bold else QFont.Weight.Normal)
    if tabular:
        made.setFeature(QFont.Tag("tnum"), 1)
    return made


def apply(app: QApplication, mode: Mode) -> None:
    """Switch the whole application to `mode`: fonts, palette, style sheet. May be called again at any time."""
    from widgets.focus import FocusFollower
    from widgets.sheet import style_sheet

    _load_fonts()
    _Scheme.tokens = DARK if mode == "dark" else LIGHT
    sheet = style_sheet(_Scheme.tokens)
    if app.styleSheet() == sheet:
        return
    if app.style().name() != "fusion":
        app.setStyle("Fusion")
    app.setFont(font(15))
    app.setPalette(_palette(_Scheme.tokens))
    app.setStyleSheet(sheet)
    if _Scheme.follower is None or not shiboken6.isValid(_Scheme.follower):
        _Scheme.follower = FocusFollower(app)


@cache
def _load_fonts() -> None:
    for file in (resources.files("resources") / "fonts").iterdir():
        if file.name.endswith((".otf", ".ttf")):
            QFontDatabase.addApplicationFontFromData(file.read_bytes())


def _palette(scheme: Tokens) -> QPalette:
    made = QPalette()
    role = QPalette.ColorRole
    for which, value in (
        (role.Window, scheme.bg),
        (role.Base, scheme.surface),
        (role.AlternateBase, scheme.sunken),
        (role.Button, scheme.surface),
        (role.WindowText, scheme.ink),
        (role.Text, scheme.ink),
        (role.ButtonText, scheme.ink),
        (role.PlaceholderText, scheme.muted),
        (role.Mid, scheme.line),
        (role.Highlight, scheme.action),
        (role.HighlightedText, scheme.on_action),
        (role.ToolTipBase, scheme.surface),
        (role.ToolTipText, scheme.ink),
    ):
        made.setColor(which, QColor(value))
    made.setColor(QPalette.ColorGroup.Disabled, role.ButtonText, QColor(scheme.muted))
    made.setColor(QPalette.ColorGroup.Disabled, role.Text, QColor(scheme.muted))
    return made
