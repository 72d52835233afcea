"""The small parts that every page is made of: buttons, cards, labels, hairlines."""

from typing import Literal

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QFrame, QLabel, QPushButton, QSizePolicy, QWidget

from widgets.icon import paint_icon
from widgets.marks import OwnerMark, StateMark
from widgets.theme import RADIUS_CONTROL, font, tokens
from widgets.tokens import Tokens

__all__ = ["Button", "Card", "Hairline", "Label", "OwnerMark", "Pill", "Role", "StateMark", "Tone"]

Role = Literal["plain", "pri", "plum", "plum_outline", "off"]
Tone = Literal["ink", "muted", "patient", "action"]
_WRAPPED_PAD = 8


class Button(QPushButton):
    """A push button of 48 or, in treatment, 64 px. With `wrap`, a text takes two lines where it is narrow.

    `off` looks closed and cannot be pressed; it says why in its text. Focus is a 2 px ink ring, drawn outside by
    `widgets.focus`.
    """

    def __init__(
        self,
        text: str,
        *,
        role: Role = "plain",
        icon: str | None = None,
        icon_right: bool = False,
        height: int = 48,
        wrap: bool = False,
        size: int | None = None,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(text, parent)
        self._wrap = wrap
        self._role: Role = role
        self._icon = icon
        self._icon_right = icon_right
        self._height = height
        self._font = font(size or (18 if height >= 64 else 15), bold=True)
        self.setFont(self._font)
        self.setFixedHeight(height)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setAccessibleName(text)
        width = QSizePolicy.Policy.Preferred if wrap or height >= 64 else QSizePolicy.Policy.Minimum
        self.setSizePolicy(width, QSizePolicy.Policy.Fixed)
        self.setEnabled(role != "off")

    @property
    def role(self) -> Role:
        return self._role

    def set_role(self, role: Role) -> None:
        self._role = role
        self.setEnabled(role != "off")
        self.update()

    def set_icon(self, name: str | None) -> None:
        self._icon = name
        self.updateGeometry()
        self.update()

    def setText(self, text: str) -> None:
        super().setText(text)
        self.setAccessibleName(text)

    def sizeHint(self) -> QSize:
        text = QFontMetricsF(self._font).horizontalAdvance(self.text())
        icon = (self._icon_size + self._gap) if self._icon else 0
        pad = 17 if self._height < 64 else 20
        return QSize(max(self._height, round(text + icon + 2 * pad)), self._height)

    def minimumSizeHint(self) -> QSize:
        if not self._wrap:
            spare = 20 if self._height >= 64 else 0  # large buttons may stand closer in a narrow card
            return QSize(max(self._height, self.sizeHint().width() - spare), self._height)
        metrics = QFontMetricsF(self._font)
        longest = max((metrics.horizontalAdvance(word) for word in self.text().split()), default=0.0)
        return QSize(max(self._height, round(longest) + 2 * _WRAPPED_PAD), self._height)

    @property
    def _icon_size(self) -> int:
        return 24 if self._height >= 64 else 20

    @property
    def _gap(self) -> int:
        return 10 if self._height >= 64 else 8

    def paintEvent(self, _event: object) -> None:
        scheme = tokens()
        fill, line, ink = _colours(self._role if self.isEnabled() else "off", scheme)
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        box = QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5)
        base = QColor(fill)
        if self.isEnabled() and (self.isDown() or self.isChecked()):
            base = _mixed(base, QColor(scheme.ink), 0.14)
        elif self.isEnabled() and self.underMouse():
            base = _mixed(base, QColor(scheme.ink), 0.05)
        painter.setBrush(base)
        chosen = self.isChecked() and self.isEnabled()
        painter.setPen(QPen(QColor(scheme.ink if chosen else line), 2 if chosen else 1))
        inset = 0.5 if chosen else 0.0
        painter.drawRoundedRect(box.adjusted(inset, inset, -inset, -inset), RADIUS_CONTROL, RADIUS_CONTROL)
        self._paint_content(painter, ink)
        painter.end()

    def _paint_content(self, painter: QPainter, ink: str) -> None:
        metrics = QFontMetricsF(self._font)
        if self._wrap and metrics.horizontalAdvance(self.text()) > self.width() - 2 * _WRAPPED_PAD:
            painter.setFont(self._font)
            painter.setPen(QColor(ink))
            flags = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap
            painter.drawText(QRectF(self.rect()).adjusted(_WRAPPED_PAD, 0, -_WRAPPED_PAD, 0), flags, self.text())
            return
        size, gap = (self._icon_size, self._gap) if self._icon else (0, 0)
        room = self.width() - 2 * 10 - size - gap
        text = metrics.elidedText(self.text(), Qt.TextElideMode.ElideRight, room)
        width = metrics.horizontalAdvance(text)
        if not text:
            gap = 0
        left = (self.width() - width - size - gap) / 2
        middle = self.height() / 2
        text_left = left if self._icon_right else left + size + gap
        if self._icon:
            icon_left = left + width + gap if self._icon_right else left
            paint_icon(painter, self._icon, QRectF(icon_left, middle - size / 2, size, size), ink)
        painter.setFont(self._font)
        painter.setPen(QColor(ink))
        painter.drawText(
            QRectF(text_left, 0, width + 2, self.height()),
            Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft,
            text,
        )


class Card(QFrame):
    """A surface with a hairline and radius 12; `attention` gives the 2 px ink border of a card that needs someone."""

    def __init__(self, parent: QWidget | None = None, *, attention: bool = False) -> None:
        super().__init__(parent)
        self._attention = attention

    def set_attention(self, attention: bool) -> None:
        if attention != self._attention:
            self._attention = attention
            self.update()

    @property
    def attention(self) -> bool:
        return self._attention

    def paintEvent(self, _event: object) -> None:
        scheme = tokens()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        width = 2.0 if self._attention else 1.0
        painter.setPen(QPen(QColor(scheme.ink if self._attention else scheme.line), width))
        painter.setBrush(QColor(scheme.surface))
        half = width / 2
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(half, half, -half, -half), 12 - half, 12 - half)
        painter.end()


class Label(QLabel):
    """Text in one of the house's sizes and tones; its colour follows the scheme. `elide` ends a long line in dots."""

    def __init__(
        self,
        text: str = "",
        *,
        size: int = 15,
        bold: bool = False,
        tone: Tone = "ink",
        wrap: bool = False,
        elide: bool = False,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(text, parent)
        self._elide = elide
        if elide:
            self.setMinimumWidth(0)
            self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.setFont(font(size, bold=bold))
        self.setWordWrap(wrap)
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setProperty("tone", tone)

    def set_tone(self, tone: Tone) -> None:
        if self.property("tone") != tone:
            self.setProperty("tone", tone)
            self.style().unpolish(self)
            self.style().polish(self)

    def paintEvent(self, event: QPaintEvent) -> None:
        if not self._elide:
            super().paintEvent(event)
            return
        painter = QPainter(self)
        said = self.fontMetrics().elidedText(self.text(), Qt.TextElideMode.ElideRight, self.width())
        painter.setPen(self.palette().color(self.foregroundRole()))
        painter.drawText(self.rect(), int(self.alignment()), said)
        painter.end()


class Hairline(QFrame):
    """A line of 1 px, lying (default) or standing."""

    def __init__(self, parent: QWidget | None = None, *, vertical: bool = False) -> None:
        super().__init__(parent)
        if vertical:
            self.setFixedWidth(1)
        else:
            self.setFixedHeight(1)

    def paintEvent(self, _event: object) -> None:
        painter = QPainter(self)
        painter.fillRect(self.rect(), QColor(tokens().line))
        painter.end()


class Pill(QWidget):
    """A word in a rounded outline: SIMULATED, a battery, a choice made."""

    def __init__(self, text: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._text = text
        self._font = font(13, bold=True)
        self._font.setLetterSpacing(self._font.SpacingType.PercentageSpacing, 106)
        self.setAccessibleName(text)
        self.setFixedHeight(28)
        self.setFixedWidth(round(QFontMetricsF(self._font).horizontalAdvance(text)) + 24)

    def paintEvent(self, _event: object) -> None:
        scheme = tokens()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(QColor(scheme.ink), 1.5))
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(0.75, 0.75, -0.75, -0.75), 6, 6)
        painter.setFont(self._font)
        painter.drawText(self.rect(), Qt.AlignmentFlag.AlignCenter, self._text)
        painter.end()


def _colours(role: Role, scheme: Tokens) -> tuple[str, str, str]:
    """Fill, line and text of a role."""
    return {
        "plain": (scheme.surface, scheme.control, scheme.ink),
        "pri": (scheme.action, scheme.action, scheme.on_action),
        "plum": (scheme.patient, scheme.patient, scheme.on_patient),
        "plum_outline": (scheme.surface, scheme.patient, scheme.patient),
        "off": (scheme.sunken, scheme.line, scheme.muted),
    }[role]


def _mixed(base: QColor, other: QColor, share: float) -> QColor:
    return QColor.fromRgbF(
        base.redF() + (other.redF() - base.redF()) * share,
        base.greenF() + (other.greenF() - base.greenF()) * share,
        base.blueF() + (other.blueF() - base.blueF()) * share,
    )
