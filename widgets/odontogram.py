"""The chart of the teeth: what is there, what was found, what is planned, what is done."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, assert_never

from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QFocusEvent, QHelpEvent, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen, QPixmap
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from core.model.dentition import Dentition
from core.model.people import ToothState
from core.model.words import Words, load_words
from widgets.focus import OWN_FOCUS
from widgets.odontogram_paint import Chart, Row, Rows, column, paint_chart
from widgets.teeth import LOWER, LOWER_PRIMARY, UPPER, UPPER_PRIMARY, is_front, teeth
from widgets.theme import RADIUS_CONTROL, color, tokens
from widgets.tokens import Tokens

Layout = Literal["full", "occlusal"]
KINDS = ("done", "planned", "finding", "filled")

FULL = Rows((Row(UPPER, 0, 458, 334, 430, 256), Row(LOWER, 458, 908, 582, 486, 660)), line=458)
OCCLUSAL = Rows((Row(UPPER, 264, 458, 334, 430), Row(LOWER, 458, 644, 582, 486)), line=458)
PRIMARY = Rows(
    (Row(UPPER_PRIMARY, 0, 146, 58, 124), Row(LOWER_PRIMARY, 146, 288, 232, 168)), line=146, left=300, width=880
)
MIXED = Rows(
    (
        Row(UPPER, 0, 154, 62, 136),
        Row(UPPER_PRIMARY, 154, 300, 212, 278),
        Row(LOWER_PRIMARY, 300, 442, 386, 322),
        Row(LOWER, 442, 594, 534, 460),
    ),
    line=300,
)
"""Primary rows stand inside the permanent ones, as on paper; roots are not shown beside them."""
MIXED_TALL = Rows(
    (
        Row(UPPER, 0, 196, 62, 156),
        Row(UPPER_PRIMARY, 196, 400, 262, 352),
        Row(LOWER_PRIMARY, 400, 600, 538, 448),
        Row(LOWER, 600, 796, 734, 640),
    ),
    line=400,
)


@dataclass(frozen=True)
class _Drawn:
    """What the cached picture was made from: it is made again when any of it differs."""

    chart: Chart
    ratio: float
    size: QSize
    scheme: Tokens


class Odontogram(QWidget):
    """The teeth in their rows, by FDI number: permanent, primary, or both. The legend is the card's.

    Signals:
        tooth_clicked: FDI number, by mouse, touch, Enter or Space.
    """

    tooth_clicked = Signal(int)

    def __init__(self, layout: Layout = "full", words: Words | None = None, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._words = words or load_words("en")
        self._layout = layout
        self._rows = _rows_of(layout, Dentition.PERMANENT)
        self._teeth: dict[int, ToothState] = {}
        self._current = 0
        self._cursor = UPPER[0]
        self._hovered = 0
        self._by_key = False
        self._drawn: _Drawn | None = None
        self._picture = QPixmap()
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setProperty(OWN_FOCUS, True)
        self.setMouseTracking(True)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setAccessibleName(self._words.say("odontogram.name"))
        self._say_cursor()

    def set_teeth(self, teeth: Sequence[ToothState]) -> None:
        """What to show; teeth that are not named are sound."""
        self._teeth = {tooth.fdi: tooth for tooth in teeth}
        self._say_cursor()
        self.update()

    def set_dentition(self, dentition: Dentition) -> None:
        """Which teeth there are."""
        rows = _rows_of(self._layout, dentition)
        if rows == self._rows:
            return
        self._rows = rows
        self._hovered = 0
        if rows.row_of(self._cursor) is None:
            self._cursor = rows.rows[0].fdis[0]
        self._say_cursor()
        self.updateGeometry()
        self.update()

    def set_current(self, fdi: int) -> None:
        """The tooth being worked on; 0 for none. One that is not shown is not marked."""
        if fdi and fdi not in teeth():
            raise ValueError(f"no tooth has the FDI number {fdi}")
        self._current = fdi
        if fdi and self._rows.row_of(fdi) is not None:
            self._cursor = fdi
        self._say_cursor()
        self.update()

    @property
    def cursor_tooth(self) -> int:
        """The tooth that the keyboard is on."""
        return self._cursor

    def tooth_at(self, point: QPointF) -> int:
        """FDI number of the tooth whose column is at `point` (widget pixels); 0 beside the chart."""
        box = self.chart_rect()
        if not box.contains(point):
            return 0
        x = (point.x() - box.left()) / self._scale + self._rows.left
        y = (point.y() - box.top()) / self._scale + self._rows.top
        row = next((row for row in self._rows.rows if y < row.bottom), self._rows.rows[-1])
        return next((fdi for fdi in row.fdis if column(fdi)[0] <= x < column(fdi)[1]), 0)

    def tooth_rect(self, fdi: int) -> QRectF:
        """The tooth's part of its row in widget pixels; empty for one that is not shown."""
        row = self._rows.row_of(fdi)
        if row is None:
            return QRectF()
        left, right = column(fdi)
        scale, box = self._scale, self.chart_rect()
        return QRectF(
            box.left() + (left - self._rows.left) * scale,
            box.top() + (row.top - self._rows.top) * scale,
            (right - left) * scale,
            (row.bottom - row.top) * scale,
        )

    def describe(self, fdi: int) -> str:
        """One sentence for people who hear the chart."""
        return describe_tooth(self._words, self._teeth.get(fdi) or ToothState(fdi=fdi), current=fdi == self._current)

    def chart_rect(self) -> QRectF:
        """Where the chart is drawn: as large as fits, centred."""
        width, height = self._rows.width * self._scale, self._rows.height * self._scale
        return QRectF((self.width() - width) / 2, (self.height() - height) / 2, width, height)

    @property
    def _scale(self) -> float:
        return min(self.width() / self._rows.width, self.height() / self._rows.height)

    # Qt

    def sizeHint(self) -> QSize:
        return QSize(424, round(424 * self._rows.height / self._rows.width))

    def minimumSizeHint(self) -> QSize:
        return QSize(280, round(280 * self._rows.height / self._rows.width))

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        scheme = tokens()
        if self._hovered:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(color(scheme.sunken, 0.6))
            painter.drawRoundedRect(self.tooth_rect(self._hovered), RADIUS_CONTROL, RADIUS_CONTROL)
        painter.drawPixmap(0, 0, self._cached())
        if self._by_key and self.hasFocus():
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(QPen(color(scheme.ink), 2))
            ring = self.tooth_rect(self._cursor).intersected(QRectF(self.rect()).adjusted(1, 1, -1, -1))
            painter.drawRoundedRect(ring, RADIUS_CONTROL, RADIUS_CONTROL)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        self._hover(self.tooth_at(event.position()))

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        self._by_key = False
        fdi = self.tooth_at(event.position())
        if fdi and event.button() is Qt.MouseButton.LeftButton:
            self._move_cursor(fdi)
            self.tooth_clicked.emit(fdi)

    def leaveEvent(self, event: QEvent) -> None:
        self._hover(0)

    def focusInEvent(self, event: QFocusEvent) -> None:
        self._by_key = event.reason() in (Qt.FocusReason.TabFocusReason, Qt.FocusReason.BacktabFocusReason)
        self._say_cursor()
        super().focusInEvent(event)

    def event(self, event: QEvent) -> bool:
        if isinstance(event, QHelpEvent) and event.type() is QEvent.Type.ToolTip:
            fdi = self.tooth_at(QPointF(event.pos()))
            QToolTip.showText(event.globalPos(), self.describe(fdi) if fdi else "", self)
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        self._by_key = True
        rows = [each.fdis for each in self._rows.rows]
        at = next(number for number, each in enumerate(rows) if self._cursor in each)
        row = rows[at]
        place = row.index(self._cursor)
        match event.key():
            case Qt.Key.Key_Left:
                self._move_cursor(row[max(0, place - 1)])
            case Qt.Key.Key_Right:
                self._move_cursor(row[min(len(row) - 1, place + 1)])
            case Qt.Key.Key_Up if at > 0:
                self._move_cursor(_nearest(rows[at - 1], self._cursor))
            case Qt.Key.Key_Down if at < len(rows) - 1:
                self._move_cursor(_nearest(rows[at + 1], self._cursor))
            case Qt.Key.Key_Home:
                self._move_cursor(row[0])
            case Qt.Key.Key_End:
                self._move_cursor(row[-1])
            case Qt.Key.Key_Return | Qt.Key.Key_Enter | Qt.Key.Key_Space:
                self.tooth_clicked.emit(self._cursor)
            case _:
                super().keyPressEvent(event)

    # inside

    def _move_cursor(self, fdi: int) -> None:
        self._cursor = fdi
        self._say_cursor()
        self.update()

    def _say_cursor(self) -> None:
        self.setAccessibleDescription(self.describe(self._cursor))

    def _hover(self, fdi: int) -> None:
        if fdi == self._hovered:
            return
        self._hovered = fdi
        if fdi:
            self.setCursor(Qt.CursorShape.PointingHandCursor)
        else:
            self.unsetCursor()
        self.update()

    def _cached(self) -> QPixmap:
        chart = Chart(rows=self._rows, teeth=tuple(self._teeth.values()), current=self._current)
        wanted = _Drawn(chart=chart, ratio=self.devicePixelRatioF(), size=self.size(), scheme=tokens())
        if wanted != self._drawn:
            self._picture = QPixmap(wanted.size * wanted.ratio)
            self._picture.setDevicePixelRatio(wanted.ratio)
            self._picture.fill(Qt.GlobalColor.transparent)
            painter = QPainter(self._picture)
            paint_chart(painter, chart, self.chart_rect())
            painter.end()
            self._drawn = wanted
        return self._picture


def describe_tooth(words: Words, tooth: ToothState, *, current: bool = False) -> str:
    """The tooth's state in one sentence: number, then what is there, most recent first."""
    parts = [words.say("odontogram.current")] if current else []
    if tooth.missing:
        parts.append(words.say("odontogram.missing"))
    for kind in KINDS:
        surfaces: str = getattr(tooth, kind)
        if surfaces:
            names = ", ".join(_surface(words, letter, tooth.fdi) for letter in surfaces)
            parts.append(words.say(f"odontogram.{kind}", surfaces=names))
    if tooth.note:
        parts.append(tooth.note)
    if not parts:
        parts = [words.say("odontogram.sound")]
    return words.say("odontogram.tooth", fdi=tooth.fdi, state="; ".join(parts))


def _surface(words: Words, letter: str, fdi: int) -> str:
    front = is_front(fdi) and letter in "BO"
    return words.say(f"odontogram.surface.{'front_' if front else ''}{letter.lower()}")


def _nearest(row: tuple[int, ...], fdi: int) -> int:
    """The tooth of a row that stands over or under another."""
    return min(row, key=lambda other: abs(teeth()[other].x - teeth()[fdi].x))


def _rows_of(layout: Layout, dentition: Dentition) -> Rows:
    if dentition is Dentition.PRIMARY:
        return PRIMARY
    mixed = dentition is Dentition.MIXED
    match layout:
        case "full":
            return MIXED_TALL if mixed else FULL
        case "occlusal":
            return MIXED if mixed else OCCLUSAL
        case _:
            assert_never(layout)
