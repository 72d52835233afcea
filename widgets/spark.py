"""A line without axes: how one value went, where it stands, its limit, and since when it is silent."""

import itertools

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QPainter, QPainterPath, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from core.model.limits import LimitOwner
from widgets.marks import paint_owner_mark
from widgets.odontogram_paint import paint_hatch
from widgets.theme import color, tokens

Floats = npt.NDArray[np.float64]

_MARGIN = 7.0
"""Room for the head's dot and the limit's mark, logical pixels."""


class SparkLine(QWidget):
    """One trace, scaled to a fixed range, so that two cards can be compared."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._t: Floats = np.empty(0)
        self._y: Floats = np.empty(0)
        self._low, self._high = 0.0, 1.0
        self._colour = 0
        self._limit: float | None = None
        self._owner = LimitOwner.PROTOCOL
        self._gap_from: float | None = None
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def set_points(
        self,
        t: npt.NDArray[np.floating],
        y: npt.NDArray[np.floating],
        low: float,
        high: float,
        colour_index: int,
        limit: float | None = None,
        gap_from: float | None = None,
        owner: LimitOwner = LimitOwner.PROTOCOL,
    ) -> None:
        """Show `y` over `t`, both of shape (n,); NaN in `y` is a break.

        Args:
            t: seconds, ascending.
            low, high: range drawn, physical; values beyond it are drawn at the edge.
            colour_index: index into the trace colours.
            gap_from: silent since then: hatched from there to the right edge, and no dot at the head.
                The right edge is `t[-1]`: end with a NaN at the present.

        Raises:
            ValueError: `t` and `y` differ in shape, or the range is empty.
        """
        if t.shape != y.shape or t.ndim != 1:
            raise ValueError(f"t and y must be one-dimensional and alike, not {t.shape} and {y.shape}")
        if not low < high:
            raise ValueError(f"empty range {low} to {high}")
        self._t, self._y = np.asarray(t, dtype=np.float64), np.asarray(y, dtype=np.float64)
        self._low, self._high = low, high
        self._colour, self._limit, self._gap_from, self._owner = colour_index, limit, gap_from, owner
        self.update()

    def clear(self) -> None:
        """Nothing to show."""
        self._t = self._y = np.empty(0)
        self._limit = self._gap_from = None
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(240, 66)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        scheme = tokens()
        right = self.width() - _MARGIN
        if self._gap_from is not None and len(self._t):
            self._paint_gap(painter, right)
        if self._limit is not None:
            patient = self._owner is LimitOwner.PATIENT
            colour = scheme.patient if patient else scheme.control
            y = self._place_y(np.array([self._limit]))[0]
            painter.setPen(QPen(color(colour), 1.5 if patient else 1.0))
            painter.drawLine(QPointF(0, y), QPointF(right, y))
            paint_owner_mark(painter, self._owner, QPointF(right, y), 10, colour)
        if len(self._t):
            self._paint_trace(painter)
        painter.end()

    def _paint_trace(self, painter: QPainter) -> None:
        x, y = self._place_x(self._t), self._place_y(self._y)
        x, y = _thinned(x, y, max(2, self.width()))
        known = np.isfinite(y)
        path = QPainterPath()
        down = False
        for index in range(len(x)):
            if not known[index]:
                down = False
            elif down:
                path.lineTo(x[index], y[index])
            else:
                path.moveTo(x[index], y[index])
                down = True
        colour = color(tokens().traces[self._colour % len(tokens().traces)])
        pen = QPen(colour, 1.75)
        pen.setJoinStyle(Qt.PenJoinStyle.RoundJoin)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(pen)
        painter.drawPath(path)
        if self._gap_from is None and known[-1]:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(colour)
            painter.drawEllipse(QPointF(x[-1], y[-1]), 4, 4)

    def _paint_gap(self, painter: QPainter, right: float) -> None:
        assert self._gap_from is not None
        left = float(self._place_x(np.array([self._gap_from]))[0])
        gap = QPainterPath()
        gap.addRect(QRectF(min(left, right - 6), 2, max(6.0, right - left), self.height() - 4))
        paint_hatch(painter, gap, pitch=6, pen=QPen(color(tokens().control), 1.5))

    def _place_x(self, t: Floats) -> Floats:
        begin = self._t[0]
        end = self._t[-1]
        span = end - begin or 1.0
        placed: Floats = (t - begin) / span * (self.width() - _MARGIN)
        return np.clip(placed, 0, self.width() - _MARGIN)

    def _place_y(self, y: Floats) -> Floats:
        share = np.clip((y - self._low) / (self._high - self._low), 0.0, 1.0)
        placed: Floats = _MARGIN + (1 - share) * (self.height() - 2 * _MARGIN)
        return placed


def _thinned(x: Floats, y: Floats, columns: int) -> tuple[Floats, Floats]:
    """At most two points a column, lowest and highest in their order of time, so that no peak is lost."""
    if len(x) <= 2 * columns:
        return x, y
    edges = np.linspace(0, len(x), columns + 1).astype(int)
    keep: list[int] = []
    for begin, end in itertools.pairwise(edges):
        part = y[begin:end]
        if np.isnan(part).all():
            keep.append(begin)
            continue
        keep.extend(sorted({int(begin + np.nanargmin(part)), int(begin + np.nanargmax(part))}))
    if keep[-1] != len(x) - 1:
        keep.append(len(x) - 1)
    return x[keep], y[keep]
