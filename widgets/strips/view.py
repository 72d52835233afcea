"""All strips in one pyqtgraph view: one time axis, one repaint of what changed."""

import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyqtgraph as pg
from PySide6.QtCore import QEvent, QPoint, QPointF, QRect, QRectF, Qt, QTimer, Signal
from PySide6.QtGui import QFontMetricsF, QKeyEvent, QMouseEvent, QPaintEvent, QResizeEvent, QWheelEvent
from PySide6.QtWidgets import QFrame, QGraphicsView, QWidget

from core.model.limits import Limit
from core.model.words import Words
from widgets.strips.history import ChannelHistory
from widgets.strips.item import CURSOR, HEAD_RADIUS, SAMPLE_RADIUS, Dot, Note, Overlay, Rule, SweepItem
from widgets.strips.raster import Lane, SweepRaster
from widgets.strips.sweep import ERASE_US, WINDOW_US, Sweep
from widgets.theme import font, tokens
from widgets.tokens import Tokens

REACH = 7
"""Logical pixels around head and erase gap that overlays may touch."""
NOTE_US = 400_000
"""Shortest gap whose length is written beside it."""
FRAMES = 4096


@dataclass(frozen=True, slots=True)
class HoldSpan:
    """Therapy was held from `from_us` to `to_us` (None: still is); `patient`: by the patient's own stop."""

    from_us: int
    to_us: int | None
    patient: bool
    word: str


@dataclass(frozen=True, slots=True)
class MarkLine:
    at_us: int
    label: str


class SweepView(pg.GraphicsView):  # type: ignore[misc]
    """The traces. `show_until` moves the head; only what changed is drawn and repainted.

    Signals:
        dragged: seconds that the picture was pulled to the right (to earlier times).
    """

    dragged = Signal(float)

    def __init__(self, histories: Sequence[ChannelHistory], words: Words, parent: QWidget | None = None) -> None:
        super().__init__(parent, useOpenGL=False, background=None)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.enableMouse(False)
        self.setOptimizationFlags(QGraphicsView.OptimizationFlag.DontAdjustForAntialiasing)
        self.setViewportUpdateMode(QGraphicsView.ViewportUpdateMode.MinimalViewportUpdate)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.viewport().setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.histories = list(histories)
        self.holds: tuple[HoldSpan, ...] = ()
        self.marks: tuple[MarkLine, ...] = ()
        self._words = words
        self._limits: dict[str, tuple[Limit, ...]] = {}
        self._rows: list[QRect] = []
        self._item = SweepItem()
        self.addItem(self._item)
        self._dirty: int | None = None
        self._open: list[bool] = [False] * len(self.histories)
        self._sweep: Sweep | None = None
        self._head: int | None = None
        self._head_us = 0
        self._linear = False
        self._stale = True
        self._scheme: Tokens | None = None
        self._drag_from: QPoint | None = None
        self._frames: npt.NDArray[np.float64] = np.zeros(FRAMES)
        self._frame_count = 0
        self._raster_s = 0.0
        self._settle = QTimer(self)
        self._settle.setSingleShot(True)
        self._settle.setInterval(120)
        self._settle.timeout.connect(self._settled)

    # what is shown

    @property
    def sweep(self) -> Sweep | None:
        return self._sweep

    @property
    def raster(self) -> SweepRaster | None:
        """None before the first picture."""
        return self._item.raster

    @property
    def head_us(self) -> int:
        return self._head_us

    def x_of(self, utc_us: int) -> float | None:
        """Logical x of a moment, None when it is not in the picture."""
        if self._sweep is None or self._head is None or not self._sweep.visible(utc_us, self._head):
            return None
        return self._sweep.x(utc_us) / self._ratio

    def set_rows(self, rows: Sequence[QRect]) -> None:
        """Where each strip stands, logical pixels of this view."""
        if list(rows) != self._rows:
            self._rows = list(rows)
            self._item.set_box(QRectF(0, 0, rows[0].width(), rows[-1].bottom() + 1))
            self._settle.start()

    def set_limits(self, limits: Sequence[Limit]) -> None:
        found: dict[str, tuple[Limit, ...]] = {}
        for limit in limits:
            found[limit.channel] = (*found.get(limit.channel, ()), limit)
        if found != self._limits:
            self._limits = found
            self._stale = True

    def set_holds(self, holds: tuple[HoldSpan, ...]) -> None:
        if holds != self.holds:
            self.holds = holds
            self.touch(0)

    def set_marks(self, marks: tuple[MarkLine, ...]) -> None:
        if marks != self.marks:
            self.marks = marks
            self.touch(0)

    def touch(self, from_us: int) -> None:
        """The picture changes from `from_us` on."""
        self._dirty = from_us if self._dirty is None else min(self._dirty, from_us)

    def show_until(self, head_us: int, *, linear: bool = False) -> bool:
        """Draw what is new up to `head_us`; False when nothing is.

        `linear`: the window ends there at the right edge, and nothing is erased.
        """
        begin = time.perf_counter()
        if not self.isVisible() or not self._rows:
            return False
        drawn = self._draw(head_us, linear)
        if drawn:
            self._raster_s += time.perf_counter() - begin
        return drawn

    def frame_times(self) -> npt.NDArray[np.float64]:
        """Raster and paint of the newest frames in which anything changed, ms, oldest first."""
        if self._frame_count <= FRAMES:
            return self._frames[: self._frame_count].copy()
        return np.roll(self._frames, -(self._frame_count % FRAMES))

    # drawing

    @property
    def _ratio(self) -> float:
        return float(self.devicePixelRatioF())

    def _draw(self, head_us: int, linear: bool) -> bool:
        if self._must_rebuild(linear):
            self._rebuild(head_us, linear)
            return True
        assert self._sweep is not None
        if linear and head_us != self._head_us:
            self._sweep = self._new_sweep(head_us, linear)
            self.touch(0)
        before, head = self._head, self._sweep.column(head_us)
        self._head_us = head_us
        if before is None or head < before or head - before >= self._sweep.columns:
            self.touch(0)
            before = head
        self._notice_silence(head_us)
        dirty, self._dirty = self._dirty, None
        if dirty is not None and self._sweep.column(dirty) > head:
            dirty = None  # drawn when the head comes by
        if head == before and dirty is None:
            return False
        self._head = head
        self._draw_from(before if dirty is None else min(before, self._sweep.column(dirty)), head)
        return True

    def _draw_from(self, first: int, head: int) -> None:
        """Draw columns first…head, and those before into which the pen of the first reaches."""
        assert self._sweep is not None
        assert self._item.raster is not None
        oldest = self._sweep.oldest(head)
        first = max(first - self._item.raster.reach, oldest)
        holds = self._hold_ranges(head)
        if first == oldest:
            self._item.raster.redraw(self._sweep, head, holds)
        else:
            self._item.raster.advance(self._sweep, first, head, holds)
        before = self._item.overlay.notes
        self._item.overlay = self._overlay(self._item.raster)
        self._repaint(first, head)
        if self._item.overlay.notes != before:
            for note in (*before, *self._item.overlay.notes):
                self.viewport().update(note.box.toAlignedRect().adjusted(-2, -2, 2, 2))

    def _repaint(self, first: int, head: int) -> None:
        """Ask for one band: what was drawn, the erase gap, and the reach of head dot and cursor."""
        assert self._sweep is not None
        ratio, viewport = self._ratio, self.viewport()
        height = viewport.height()
        left = first - round(REACH * ratio)
        right = head + self._sweep.erase_columns + round(REACH * ratio)
        if right - left >= self._sweep.columns:
            viewport.update()
            return
        width = self._sweep.columns
        x = left % width
        span = right - left
        for begin, end in ((x, min(x + span, width)), (0, x + span - width)):
            if end > begin:
                viewport.update(QRect(int(begin / ratio) - 1, 0, int((end - begin) / ratio) + 4, height))

    def _must_rebuild(self, linear: bool) -> bool:
        if self._settle.isActive() and self._sweep is not None:
            return False
        fresh = self._sweep is not None and self._sweep.columns == self._columns()
        return self._stale or not fresh or linear != self._linear or self._scheme is not tokens()

    def _columns(self) -> int:
        return max(8, round(self._rows[0].width() * self._ratio))

    def _new_sweep(self, head_us: int, linear: bool) -> Sweep:
        if linear:
            # one µs less than a window: the head's own column is the last one, not the first one over again
            return Sweep(head_us - WINDOW_US + 1, self._columns(), erase_us=0)
        origin = head_us - head_us % WINDOW_US - 1000 * WINDOW_US
        return Sweep(origin, self._columns(), erase_us=ERASE_US)

    def _rebuild(self, head_us: int, linear: bool) -> None:
        """New rasters: first picture, new size, new scheme, new limits."""
        self._sweep = self._new_sweep(head_us, linear)
        self._linear, self._scheme, self._stale = linear, tokens(), False
        self._settle.stop()
        self._head_us, self._head = head_us, self._sweep.column(head_us)
        self._notice_silence(head_us)
        ratio, lanes = self._ratio, []
        for history, row in zip(self.histories, self._rows, strict=True):
            limits = self._limits.get(history.spec.key, ())
            top, bottom = round(row.top() * ratio), round((row.bottom() + 1) * ratio)
            lanes.append(Lane.of(history, limits, top, bottom, ratio))
        raster = SweepRaster(lanes, self._sweep.columns, ratio, tokens())
        raster.redraw(self._sweep, self._head, self._hold_ranges(self._head))
        self._item.raster, self._dirty = raster, None
        self._item.overlay = self._overlay(raster)
        self.viewport().update()

    def _notice_silence(self, head_us: int) -> None:
        """A channel that falls silent gets its hatch from its last sample on."""
        assert self._sweep is not None
        for index, history in enumerate(self.histories):
            silent = history.open_gap(self._sweep.start_us(self._sweep.column(head_us) + 1)) is not None
            if silent != self._open[index]:
                self._open[index] = silent
                self.touch(history.last_us or 0)

    def _hold_ranges(self, head: int) -> list[tuple[int, int]]:
        assert self._sweep is not None
        end = self._sweep.start_us(head + 1)
        return [(hold.from_us, end if hold.to_us is None else hold.to_us) for hold in self.holds]

    # overlays

    def _overlay(self, raster: SweepRaster) -> Overlay:
        assert self._sweep is not None
        assert self._head is not None
        sweep, head, ratio = self._sweep, self._head, self._ratio
        head_x = (head % sweep.columns + 0.5) / ratio
        rules = [
            Rule(sweep.x(hold.from_us) / ratio, "patient" if hold.patient else "ink", 2.0)
            for hold in self.holds
            if sweep.visible(hold.from_us, head)
        ]
        rules += [
            Rule(sweep.x(mark.at_us) / ratio, "action", 1.0) for mark in self.marks if sweep.visible(mark.at_us, head)
        ]
        dots: list[Dot] = []
        notes: list[Note] = []
        oldest, newest = sweep.start_us(sweep.oldest(head)), sweep.start_us(head + 1)
        for lane, y in zip(raster.lanes, raster.heads, strict=True):
            spec = lane.history.spec
            if spec.style == "held":
                dots += self._sample_dots(lane, oldest, newest)
            elif spec.style != "envelope" and y is not None and not self._linear:
                dots.append(Dot(QPointF(head_x, y / ratio), HEAD_RADIUS, spec.trace))
            notes += self._notes(lane, oldest, newest)
        if not self._linear:
            rules.append(Rule(head_x, "ink", CURSOR))
        return Overlay(tuple(rules), tuple(notes), tuple(dots))

    def _sample_dots(self, lane: Lane, oldest: int, newest: int) -> list[Dot]:
        assert self._sweep is not None
        history = lane.history
        low, high = (int(place) for place in np.searchsorted(history.times, (oldest, newest)))
        return [
            Dot(
                QPointF(self._sweep.x(int(t)) / self._ratio, lane.scale.y(float(v)) / self._ratio),
                SAMPLE_RADIUS,
                history.spec.trace,
            )
            for t, v in zip(history.times[low:high], history.values[low:high], strict=True)
        ]

    def _notes(self, lane: Lane, oldest: int, newest: int) -> list[Note]:
        """The length of each gap and the word at suspect values, once the head has left room for them."""
        history = lane.history
        top, height = lane.top / self._ratio, (lane.bottom - lane.top) / self._ratio
        found: list[Note] = []
        for low, high in reversed(history.gaps):
            if high <= oldest:
                break
            if low < newest and high - low >= NOTE_US:
                text = self._words.say("chair.strips.gap", seconds=f"{(high - low) / 1e6:.1f}")
                found += self._note(text, high, 6, round(top + height * 0.62 - 8))
        for low, _high in history.suspect_runs(oldest, newest):
            found += self._note(self._words.say("chair.strips.suspect"), low, 0, round(top + height - 34))
        return found

    def _note(self, text: str, at_us: int, shift: int, y: int) -> list[Note]:
        assert self._sweep is not None
        assert self._head is not None
        width = QFontMetricsF(font(13)).horizontalAdvance(text) + 4
        x = self._sweep.x(at_us) / self._ratio + shift
        room_us = round((width + shift + REACH) * self._ratio * WINDOW_US / self._sweep.columns)
        right = self._sweep.columns / self._ratio
        clear = self._head_us >= at_us + room_us and self._sweep.visible(at_us - 400_000, self._head)
        if not clear or x + width > right:
            return []
        return [Note(QRectF(x, y, width, 17), text)]

    # Qt

    def _settled(self) -> None:
        self._stale = True

    def resizeEvent(self, event: QResizeEvent | None) -> None:
        super().resizeEvent(event)
        if event is not None:  # pyqtgraph calls this while it is being made
            self._settle.start()

    def paintEvent(self, event: QPaintEvent) -> None:
        begin = time.perf_counter()
        super().paintEvent(event)
        self._frames[self._frame_count % FRAMES] = (time.perf_counter() - begin + self._raster_s) * 1000
        self._frame_count += 1
        self._raster_s = 0.0

    def event(self, event: QEvent) -> bool:
        if event.type() in (QEvent.Type.PaletteChange, QEvent.Type.DevicePixelRatioChange):
            self._stale = True
        return bool(super().event(event))

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self._drag_from = event.position().toPoint()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self._drag_from is None or not event.buttons() & Qt.MouseButton.LeftButton:
            return
        here = event.position().toPoint()
        moved = here.x() - self._drag_from.x()
        self._drag_from = here
        if moved and self._rows:
            self.dragged.emit(moved / self._rows[0].width() * WINDOW_US / 1e6)

    def mouseReleaseEvent(self, _event: QMouseEvent) -> None:
        self._drag_from = None

    def wheelEvent(self, event: QWheelEvent) -> None:
        event.ignore()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        event.ignore()
