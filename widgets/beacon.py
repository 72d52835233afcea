"""The alarm beacon: the only thing on the screen that flashes, at the rates of IEC 60601-1-8."""

from PySide6.QtCore import QRectF, QSize, Qt, QTimer
from PySide6.QtGui import QColor, QPainter, QPen
from PySide6.QtWidgets import QAbstractButton, QWidget

from core.model.alarm import AlarmPriority
from widgets.focus import OWN_FOCUS, paint_inner_focus
from widgets.icon import paint_icon
from widgets.marks import alarm_colors, paint_alarm_mark
from widgets.sentence import cell_width
from widgets.theme import font, tokens

FLASH_HZ = {AlarmPriority.HIGH: 2.0, AlarmPriority.MEDIUM: 0.6}
"""IEC 60601-1-8, table 2: high 1.4–2.8 Hz, medium 0.4–0.8 Hz, both lit 20–60 % of the time; low is steady. (check)"""


class Beacon(QAbstractButton):
    """Worst alarm, how many, and whether it can be heard. Pressing it opens the alarm panel."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._priority: AlarmPriority | None = None
        self._title = ""
        self._detail = ""
        self._sound_icon = ""
        self._lit = True
        self.setFixedWidth(156)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setCheckable(True)
        self.setProperty(OWN_FOCUS, True)
        self._timer = QTimer(self)
        self._timer.timeout.connect(self._flip)

    def set_alarm(
        self, priority: AlarmPriority | None, title: str, detail: str, *, sound_icon: str = "", flash: bool = False
    ) -> None:
        """What to say. `flash` only while nobody has seen the alarm."""
        self._priority, self._title, self._detail, self._sound_icon = priority, title, detail, sound_icon
        self.setAccessibleName(f"{title}. {detail}")
        beside = 61 + 24 + (18 if sound_icon else 0)
        self.setFixedWidth(cell_width(title, detail, beside=beside, least=156))
        rate = FLASH_HZ.get(priority) if flash and priority is not None else None
        if rate is None:
            self._timer.stop()
            self._lit = True
        else:
            half = round(500 / rate)
            if not self._timer.isActive() or self._timer.interval() != half:
                self._lit = True
                self._timer.start(half)
        self.update()

    @property
    def priority(self) -> AlarmPriority | None:
        return self._priority

    @property
    def words(self) -> tuple[str, str]:
        return self._title, self._detail

    @property
    def flash_hz(self) -> float:
        """0 when steady."""
        return 500 / self._timer.interval() if self._timer.isActive() else 0.0

    @property
    def lit(self) -> bool:
        return self._lit

    def _flip(self) -> None:
        self._lit = not self._lit
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(156, 80)

    def paintEvent(self, _event: object) -> None:
        scheme = tokens()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        box = QRectF(12.5, 8.5, self.width() - 25, 63)
        ink, muted = scheme.ink, scheme.muted
        if self._priority is not None:
            fill, on = alarm_colors(self._priority, scheme)
            edge = fill if self._priority is AlarmPriority.HIGH or scheme.dark else on
            painter.setPen(QPen(QColor(edge), 1 if self._lit else 3))
            painter.setBrush(QColor(fill if self._lit else scheme.surface))
            inset = 0 if self._lit else 1
            painter.drawRoundedRect(box.adjusted(inset, inset, -inset, -inset), 6, 6)
            if self._lit:
                ink = muted = on
        if self.isChecked() or self.isDown():
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(QPen(QColor(scheme.ink), 2))
            painter.drawRoundedRect(box.adjusted(-3.5, -3.5, 3.5, 3.5), 9, 9)
        if self.hasFocus():
            paint_inner_focus(painter, box.adjusted(-6, -6, 6, 6))
        self._paint_mark(painter, ink, muted)
        painter.setFont(font(15, bold=True))
        painter.setPen(QColor(ink))
        x = 61 if self._priority is not None else 57
        painter.drawText(QRectF(x, 20, self.width() - x, 22), Qt.AlignmentFlag.AlignVCenter, self._title)
        painter.setFont(font(13))
        painter.setPen(QColor(muted))
        painter.drawText(QRectF(x, 42, self.width() - x, 20), Qt.AlignmentFlag.AlignVCenter, self._detail)
        if self._sound_icon:
            width = painter.fontMetrics().horizontalAdvance(self._detail)
            paint_icon(painter, self._sound_icon, QRectF(x + width + 4, 45, 14, 14), muted)
        painter.end()

    def _paint_mark(self, painter: QPainter, ink: str, muted: str) -> None:
        if self._priority is None:
            paint_icon(painter, "bell", QRectF(18, 28, 24, 24), muted)
            return
        if not self._lit:
            paint_alarm_mark(painter, self._priority, QRectF(21, 24, 32, 32), tokens())
            return
        scheme = tokens()
        fill, on = alarm_colors(self._priority, scheme)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        paint_alarm_mark(painter, self._priority, QRectF(21, 24, 32, 32), scheme, colours=(on, fill))
        painter.restore()
