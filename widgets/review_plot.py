"""The traces of a visit, row under row on one time axis, zoomed from hours to samples."""

from collections.abc import Callable, Sequence

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QEvent, QPointF, QRectF, Qt, Signal
from PySide6.QtGui import QKeyEvent, QPainter, QPainterPath, QPen, QResizeEvent
from PySide6.QtWidgets import QGraphicsItem, QStyleOptionGraphicsItem, QVBoxLayout, QWidget

from core.model.limits import Limit, LimitOwner
from widgets.marks import paint_owner_mark
from widgets.odontogram_paint import paint_hatch
from widgets.review_data import Floats, ReviewRow, ReviewTrace, row_edges
from widgets.theme import color, tokens

MIN_SPAN_S = 0.02
"""Closest zoom: 20 samples of the fastest channel."""
INSET = 7.0
"""Room above and below a trace within its row, px."""


class ReviewPlot(QWidget):
    """Rows of traces with limits, gaps and the cursors A and B.

    Keys: Left and Right pan, Up and Down zoom, Home shows all; A and B choose a cursor, Shift with Left or Right
    moves it.

    Signals:
        range_changed: seconds since the visit began, from and to; by wheel, drag or key.
        cursors_changed: positions of A and B in the same seconds.
    """

    range_changed = Signal(float, float)
    cursors_changed = Signal(float, float)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._rows: tuple[ReviewRow, ...] = ()
        self._traces: dict[str, ReviewTrace] = {}
        self._length = 1.0
        self._active = "A"
        self._quiet = False
        self._view = pg.GraphicsView(self)
        self._view.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._box = pg.ViewBox(enableMenu=False, defaultPadding=0.0)
        self._view.setCentralItem(self._box)
        self._box.setMouseEnabled(x=True, y=False)
        self._box.invertY(True)
        self._below = _Layer(self._paint_below, self._box.zValue() - 1)
        self._above = _Layer(self._paint_above, 10)
        for layer in (self._below, self._above):
            self._view.scene().addItem(layer)
        self._curves: list[pg.PlotCurveItem] = []
        self._lines = {name: pg.InfiniteLine(angle=90, movable=True) for name in "AB"}
        for line in self._lines.values():
            line.setZValue(5)
            self._box.addItem(line, ignoreBounds=True)
            line.sigPositionChanged.connect(self._cursor_moved)
        self._box.sigXRangeChanged.connect(self._box_moved)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self._view)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self._dress()

    # what it is given

    def set_visit(self, length: float) -> None:
        """A visit of `length` seconds, all of it in view, cursors at a third and two thirds."""
        self._length = max(length, MIN_SPAN_S)
        self._traces = {}
        self._box.setLimits(xMin=0.0, xMax=self._length, minXRange=MIN_SPAN_S)
        self.set_range(0.0, self._length)
        self.set_cursors(self._length / 3, self._length * 2 / 3)
        self._draw_curves()

    def set_rows(self, rows: Sequence[ReviewRow]) -> None:
        self._rows = tuple(rows)
        self._draw_curves()

    def set_traces(self, traces: Sequence[ReviewTrace]) -> None:
        """Newest columns; channels that are no row are kept out."""
        self._traces = {trace.channel: trace for trace in traces}
        self._draw_curves()

    def set_range(self, begin: float, end: float) -> None:
        """Show this range, silently."""
        self._quiet = True
        self._box.setXRange(max(0.0, begin), min(self._length, end), padding=0)
        self._quiet = False
        self._repaint()

    def set_cursors(self, a: float, b: float) -> None:
        for name, at in (("A", a), ("B", b)):
            self._lines[name].setBounds((0.0, self._length))
            self._lines[name].setPos(at)

    # what it shows

    @property
    def rows(self) -> tuple[ReviewRow, ...]:
        return self._rows

    def trace(self, channel: str) -> ReviewTrace | None:
        return self._traces.get(channel)

    @property
    def shown(self) -> tuple[float, float]:
        """Begin and end of the range in view, s since the visit began."""
        (begin, end), _ = self._box.viewRange()
        return float(begin), float(end)

    @property
    def cursors(self) -> tuple[float, float]:
        return float(self._lines["A"].value()), float(self._lines["B"].value())

    def x_of(self, t: float) -> float:
        """Widget pixel of a time."""
        begin, end = self.shown
        return (t - begin) / (end - begin) * self.width()

    def edges(self) -> list[float]:
        """Widget pixels of the rows' edges."""
        return row_edges(self._rows, self.height())

    # Qt

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._box.setYRange(0, max(1, self.height()), padding=0)
        for layer in (self._below, self._above):
            layer.set_room(QRectF(self.rect()))
        self._draw_curves()

    def changeEvent(self, event: QEvent) -> None:
        if event.type() in (QEvent.Type.PaletteChange, QEvent.Type.StyleChange):
            self._dress()
        super().changeEvent(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        begin, end = self.shown
        span = end - begin
        shift = bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
        match event.key():
            case Qt.Key.Key_A | Qt.Key.Key_B:
                self._active = "A" if event.key() == Qt.Key.Key_A else "B"
                if not begin <= self._lines[self._active].value() <= end:
                    self._lines[self._active].setPos((begin + end) / 2)
                self._repaint()
            case Qt.Key.Key_Left | Qt.Key.Key_Right if shift:
                step = span / 100 * (-1 if event.key() == Qt.Key.Key_Left else 1)
                self._lines[self._active].setPos(self._lines[self._active].value() + step)
            case Qt.Key.Key_Left:
                self._move(begin - span / 10, end - span / 10)
            case Qt.Key.Key_Right:
                self._move(begin + span / 10, end + span / 10)
            case Qt.Key.Key_Up | Qt.Key.Key_Plus:
                self._move(begin + span / 6, end - span / 6)
            case Qt.Key.Key_Down | Qt.Key.Key_Minus:
                self._move(begin - span / 4, end + span / 4)
            case Qt.Key.Key_Home:
                self._move(0.0, self._length)
            case _:
                super().keyPressEvent(event)

    # inside

    def _move(self, begin: float, end: float) -> None:
        """Show the range, pushed back inside the visit, as if by hand."""
        span = min(max(end - begin, MIN_SPAN_S), self._length)
        begin = min(max(begin, 0.0), self._length - span)
        self._box.setXRange(begin, begin + span, padding=0)

    def _box_moved(self) -> None:
        self._repaint()
        if not self._quiet:
            self.range_changed.emit(*self.shown)

    def _cursor_moved(self) -> None:
        self._repaint()
        self.cursors_changed.emit(*self.cursors)

    def _repaint(self) -> None:
        self._below.update()
        self._above.update()

    def _dress(self) -> None:
        scheme = tokens()
        self._view.setBackground(color(scheme.surface))
        for line in self._lines.values():
            line.setPen(pg.mkPen(scheme.ink, width=1.25))
            line.setHoverPen(pg.mkPen(scheme.ink, width=3))
        self._draw_curves()

    def _draw_curves(self) -> None:
        for curve in self._curves:
            self._box.removeItem(curve)
        self._curves = []
        edges = self.edges()
        for index, row in enumerate(self._rows):
            trace = self._traces.get(row.spec.key)
            if trace is None or not len(trace.at):
                continue
            x, y = trace.polyline(row.spec.style)
            curve = pg.PlotCurveItem(
                x,
                _placed(y, row, edges[index], edges[index + 1]),
                pen=_trace_pen(row),
                connect="finite",
                antialias=True,
            )
            self._box.addItem(curve, ignoreBounds=True)
            self._curves.append(curve)
        self._repaint()

    def _paint_below(self, painter: QPainter) -> None:
        scheme = tokens()
        a, b = sorted(self.x_of(at) for at in self.cursors)
        painter.fillRect(QRectF(a, 0, b - a, self.height()), color(scheme.bg))
        edges = self.edges()
        for index, row in enumerate(self._rows):
            top, bottom = edges[index], edges[index + 1]
            self._paint_gaps(painter, self._traces.get(row.spec.key), top, bottom)
            for limit, value in _bounds(row):
                y = float(_placed(np.array([value]), row, top, bottom)[0])
                patient = limit.owner is LimitOwner.PATIENT
                pen = QPen(color(scheme.patient if patient else scheme.control), 1.5 if patient else 1.0)
                painter.setPen(pen)
                painter.drawLine(QPointF(0, y), QPointF(self.width(), y))
        painter.setPen(QPen(color(scheme.line), 1))
        for edge in edges:
            y = min(edge + 0.5, self.height() - 0.5)
            painter.drawLine(QPointF(0, y), QPointF(self.width(), y))

    def _paint_gaps(self, painter: QPainter, trace: ReviewTrace | None, top: float, bottom: float) -> None:
        for begin, end in trace.gaps if trace is not None else ():
            left, right = max(self.x_of(begin), -10.0), min(self.x_of(end), self.width() + 10.0)
            if right > left:
                area = QPainterPath()
                area.addRect(QRectF(left, top + 4, max(2.0, right - left), bottom - top - 7))
                paint_hatch(painter, area, pitch=6, pen=QPen(color(tokens().control), 1.0))

    def _paint_above(self, painter: QPainter) -> None:
        scheme = tokens()
        edges = self.edges()
        for index, row in enumerate(self._rows):
            top, bottom = edges[index], edges[index + 1]
            for limit, value in _bounds(row):
                y = float(_placed(np.array([value]), row, top, bottom)[0])
                colour = scheme.patient if limit.owner is LimitOwner.PATIENT else scheme.control
                paint_owner_mark(painter, limit.owner, QPointF(self.width() - 9, y), 10, colour)
            trace = self._traces.get(row.spec.key)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(color(scheme.traces[row.spec.trace % len(scheme.traces)]))
            for at in self.cursors:
                found = trace.value_at(at) if trace is not None else None
                if found is not None:
                    y = float(_placed(np.array([found]), row, top, bottom)[0])
                    painter.drawEllipse(QPointF(self.x_of(at), y), 3.5, 3.5)
        if self.hasFocus():
            painter.setBrush(color(scheme.ink))
            painter.drawRect(QRectF(self.x_of(self._lines[self._active].value()) - 2.5, 0, 5, 10))


class _Layer(QGraphicsItem):
    """Paints in the view's own pixels, under or over what the view box holds."""

    def __init__(self, draw: Callable[[QPainter], None], z: float) -> None:
        super().__init__()
        self._draw = draw
        self._room = QRectF()
        self.setZValue(z)
        self.setAcceptedMouseButtons(Qt.MouseButton.NoButton)

    def boundingRect(self) -> QRectF:
        return self._room

    def set_room(self, room: QRectF) -> None:
        self.prepareGeometryChange()
        self._room = room

    def paint(self, painter: QPainter, option: QStyleOptionGraphicsItem, widget: QWidget | None = None) -> None:
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        self._draw(painter)


def _placed(values: Floats, row: ReviewRow, top: float, bottom: float) -> Floats:
    """Physical values as pixels of the row; what lies beyond its range is drawn at its edge."""
    share = np.clip((values - row.low) / (row.high - row.low), 0.0, 1.0)
    placed: Floats = bottom - INSET - share * (bottom - top - 2 * INSET)
    return placed


def _bounds(row: ReviewRow) -> list[tuple[Limit, float]]:
    """The row's limits as lines, those in its range."""
    pairs = [(limit, value) for limit in row.limits for value in (limit.low, limit.high) if value is not None]
    return [(limit, value) for limit, value in pairs if row.low <= value <= row.high]


def _trace_pen(row: ReviewRow) -> QPen:
    scheme = tokens()
    pen: QPen = pg.mkPen(
        scheme.traces[row.spec.trace % len(scheme.traces)], width=1.0 if row.spec.style == "envelope" else 1.75
    )
    if row.spec.style == "held":
        pen.setDashPattern([0.5, 2.5])
        pen.setCapStyle(Qt.PenCapStyle.RoundCap)
    return pen
