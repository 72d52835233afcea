"""The cells of the top bar and the rail: flat, as high as their bar, painted."""

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QPainter, QPen
from PySide6.QtWidgets import QAbstractButton, QSizePolicy, QWidget

from core.model.alarm import AlarmPriority
from widgets.focus import OWN_FOCUS, paint_inner_focus
from widgets.icon import paint_icon
from widgets.marks import paint_alarm_mark
from widgets.theme import RADIUS_CONTROL, font, tokens


class ChairCell(QAbstractButton):
    """Number, step word, alarm mark. Below 108 px the word gives way to the mark; it stays in the accessible name."""

    def __init__(self, number: int, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.number = number
        self._word = ""
        self._priority: AlarmPriority | None = None
        self.setCheckable(True)
        self.setFixedSize(124, 56)
        self.setProperty(OWN_FOCUS, True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setCursor(Qt.CursorShape.PointingHandCursor)

    def set_chair(self, word: str, priority: AlarmPriority | None, say: str) -> None:
        self.setAccessibleName(say)
        if (word, priority) != (self._word, self._priority):
            self._word, self._priority = word, priority
            self.update()

    @property
    def word(self) -> str:
        return self._word

    @property
    def priority(self) -> AlarmPriority | None:
        return self._priority

    def paintEvent(self, _event: object) -> None:
        scheme = tokens()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        box = self.rect()
        current = self.isChecked()
        if current or self.isDown():
            painter.fillRect(box, QColor(scheme.bg))
        if current:
            painter.fillRect(0, box.height() - 3, box.width() - 1, 3, QColor(scheme.action))
        painter.fillRect(box.width() - 1, 0, 1, box.height(), QColor(scheme.line))
        digits = font(24, bold=True)
        painter.setFont(digits)
        painter.setPen(QColor(scheme.ink))
        painter.drawText(QRectF(18, 0, 40, 55), Qt.AlignmentFlag.AlignVCenter, str(self.number))
        x = 18 + QFontMetricsF(digits).horizontalAdvance(str(self.number)) + 9
        end = box.width() - 8
        if self._priority is not None:
            paint_alarm_mark(painter, self._priority, QRectF(end - 26, 17, 22, 22), scheme)
            end -= 30
        if box.width() >= 108:
            words = font(15, bold=current)
            painter.setFont(words)
            painter.setPen(QColor(scheme.ink if current else scheme.muted))
            metrics = QFontMetricsF(words)
            lines = self._word.split() if metrics.horizontalAdvance(self._word) > end - x else [self._word]
            said = "\n".join(metrics.elidedText(line, Qt.TextElideMode.ElideRight, end - x) for line in lines[:2])
            painter.drawText(QRectF(x, 1, end - x + 2, 55), Qt.AlignmentFlag.AlignVCenter, said)
        if self.hasFocus():
            paint_inner_focus(painter, QRectF(box).adjusted(4, 4, -5, -5))
        painter.end()


class RailItem(QAbstractButton):
    """72 × 72: icon over word; the current one on sunken ground. Narrow, 56 × 56 with the icon alone."""

    def __init__(self, icon: str, text: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._icon = icon
        self.setText(text)
        self.setAccessibleName(text)
        self.setCheckable(True)
        self._narrow = False
        self.setFixedSize(72, 72)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setCursor(Qt.CursorShape.PointingHandCursor)

    def set_narrow(self, narrow: bool) -> None:
        """The icon alone, or with its word; the word stays the accessible name."""
        self._narrow = narrow
        side = 56 if narrow else 72
        self.setFixedSize(side, side)

    def paintEvent(self, _event: object) -> None:
        scheme = tokens()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        current = self.isChecked()
        ink = scheme.ink if current else scheme.muted
        if current or self.isDown() or self.underMouse():
            painter.setPen(Qt.PenStyle.NoPen)
            ground = QColor(scheme.sunken)
            ground.setAlphaF(1.0 if current else 0.55)
            painter.setBrush(ground)
            painter.drawRoundedRect(QRectF(self.rect()), RADIUS_CONTROL, RADIUS_CONTROL)
        if self._narrow:
            paint_icon(painter, self._icon, QRectF(16, 16, 24, 24), ink)
        else:
            paint_icon(painter, self._icon, QRectF(24, 13, 24, 24), ink)
            painter.setFont(font(13, bold=current))
            painter.setPen(QColor(ink))
            painter.drawText(QRectF(0, 41, 72, 20), Qt.AlignmentFlag.AlignCenter, self.text())
        painter.end()


class RailStatus(QWidget):
    """Icon over a word at the foot of the rail; nothing to press."""

    def __init__(self, icon: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._icon = icon
        self._text = ""
        self._narrow = False
        self.setFixedSize(80, 50)

    def set_narrow(self, narrow: bool) -> None:
        """The icon alone; what it says is its tip and its accessible name."""
        self._narrow = narrow
        self.setFixedSize(56 if narrow else 80, 30 if narrow else 50)

    def say(self, text: str) -> None:
        self.setAccessibleName(text)
        self.setToolTip(text)
        if text != self._text:
            self._text = text
            self.update()

    def paintEvent(self, _event: object) -> None:
        scheme = tokens()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        paint_icon(painter, self._icon, QRectF((self.width() - 20) / 2, 3, 20, 20), scheme.muted)
        if self._narrow:
            painter.end()
            return
        painter.setFont(font(13))
        painter.setPen(QColor(scheme.muted))
        painter.drawText(QRectF(0, 25, 80, 20), Qt.AlignmentFlag.AlignCenter, self._text)
        painter.end()


class PersonButton(QAbstractButton):
    """Who is logged in: icon, name over role; opens the operator's menu."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._role = ""
        self.setFixedHeight(56)
        self.setProperty(OWN_FOCUS, True)
        self.setSizePolicy(QSizePolicy.Policy.Minimum, QSizePolicy.Policy.Fixed)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setCheckable(True)

    def set_person(self, name: str, role: str) -> None:
        self._role = role
        self.setText(name)
        self.setAccessibleName(f"{name}, {role}")
        self.updateGeometry()
        self.update()

    def sizeHint(self) -> QSize:
        name = QFontMetricsF(font(15, bold=True)).horizontalAdvance(self.text())
        role = QFontMetricsF(font(13)).horizontalAdvance(self._role)
        return QSize(round(max(name, role)) + 34 + 8 + 24, 56)

    def minimumSizeHint(self) -> QSize:
        return self.sizeHint()

    def paintEvent(self, _event: object) -> None:
        scheme = tokens()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if self.isChecked() or self.isDown():
            painter.fillRect(self.rect(), QColor(scheme.bg))
        paint_icon(painter, "user", QRectF(8, 16, 24, 24), scheme.muted)
        painter.setPen(QColor(scheme.ink))
        painter.setFont(font(15, bold=True))
        painter.drawText(QRectF(42, 9, self.width() - 42, 22), Qt.AlignmentFlag.AlignVCenter, self.text())
        painter.setPen(QColor(scheme.muted))
        painter.setFont(font(13))
        painter.drawText(QRectF(42, 28, self.width() - 42, 18), Qt.AlignmentFlag.AlignVCenter, self._role)
        if self.hasFocus():
            paint_inner_focus(painter, QRectF(self.rect()).adjusted(1, 4, -5, -5))
        painter.end()


class MarkButton(QAbstractButton):
    """The SIMULATED (or DRILL) mark; where there is something behind it, it can be pressed."""

    def __init__(self, text: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setText(text)
        self.setAccessibleName(text)
        self._font = font(13, bold=True)
        self._font.setLetterSpacing(self._font.SpacingType.PercentageSpacing, 106)
        self.setFixedSize(round(QFontMetricsF(self._font).horizontalAdvance(text)) + 24, 48)
        self.setCheckable(True)

    def set_pressable(self, pressable: bool) -> None:
        self.setEnabled(pressable)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus if pressable else Qt.FocusPolicy.NoFocus)
        self.setCursor(Qt.CursorShape.PointingHandCursor if pressable else Qt.CursorShape.ArrowCursor)

    def paintEvent(self, _event: object) -> None:
        scheme = tokens()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        box = QRectF(0.75, 10.75, self.width() - 1.5, 26.5)
        if self.isDown() or self.isChecked():
            painter.setBrush(QColor(scheme.sunken))
        painter.setPen(QPen(QColor(scheme.ink), 1.5))
        painter.drawRoundedRect(box, 6, 6)
        painter.setFont(self._font)
        painter.drawText(box, Qt.AlignmentFlag.AlignCenter, self.text())
        painter.end()
