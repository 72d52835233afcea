"""The strips as one picture in device pixels, rastered by numpy column by column."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PySide6.QtGui import QColor, QImage

from core.model.channel import ChannelSpec
from core.model.limits import Limit, LimitOwner
from widgets.strips.history import ChannelHistory, Spans
from widgets.strips.sweep import GRID_US, WINDOW_US, Sweep
from widgets.tokens import Tokens

Pixels = npt.NDArray[np.uint8]
Coverage = npt.NDArray[np.float32]

PEN = 1.75
ENVELOPE_PEN = 1.0
PADDING = 7.0
HATCH_PITCH = 6.0
HATCH_PEN = 1.5
DOTS = (3.25, 6.5)
"""A held value: dots of 1.5 with round ends every 5, as seen: on, pitch."""
DASHES = (4.0, 8.0)
Range = tuple[int, int]
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class ValueScale:
    """Physical values to device pixels from the top."""

    low: float
    high: float
    top: float
    bottom: float

    @classmethod
    def of_limits(cls, spec: ChannelSpec, limits: Sequence[Limit], top: float, bottom: float) -> "ValueScale":
        """The channel's range, widened for limits just outside it."""
        span = spec.high - spec.low
        bounds = [b for limit in limits for b in (limit.low, limit.high) if b is not None]
        near = [b for b in bounds if spec.low - span / 4 <= b <= spec.high + span / 4]
        return cls(min([spec.low, *near]), max([spec.high, *near]), top, bottom)

    def y(self, value: float) -> float:
        return self.bottom - (value - self.low) / (self.high - self.low) * (self.bottom - self.top)

    def inside(self, value: float) -> float:
        return min(max(value, self.low), self.high)

    def holds(self, value: float) -> bool:
        return self.low <= value <= self.high

    def ys(self, values: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """As `y`, values beyond the range at its borders; NaN stays NaN."""
        step = (self.bottom - self.top) / (self.high - self.low)
        found = np.float32(self.bottom + self.low * step) - values * np.float32(step)
        placed: npt.NDArray[np.float32] = np.minimum(np.maximum(found, np.float32(self.top)), np.float32(self.bottom))
        return placed


@dataclass(frozen=True, slots=True)
class Lane:
    """One strip of the picture: rows `top` to `bottom` (device pixels), and how values stand in them."""

    history: ChannelHistory
    limits: tuple[Limit, ...]
    top: int
    bottom: int
    scale: ValueScale

    @classmethod
    def of(cls, history: ChannelHistory, limits: Sequence[Limit], top: int, bottom: int, ratio: float) -> "Lane":
        inner = PADDING * ratio
        scale = ValueScale.of_limits(history.spec, limits, top + inner, bottom - inner)
        return cls(history, tuple(limits), top, bottom, scale)


class SweepRaster:
    """All strips, one under the other. `image` shows `pixels`, shape (height, width, 4), blue first.

    One matrix operation serves all strips: for a few new columns numpy's fixed cost is all there is.
    """

    def __init__(self, lanes: Sequence[Lane], width: int, ratio: float, scheme: Tokens) -> None:
        self.lanes = list(lanes)
        self.width, self.height, self.ratio = width, lanes[-1].bottom, ratio
        self.heads: list[float | None] = [None] * len(lanes)
        """Where each trace stands at the newest column, device pixels."""
        self._parts = 3 if ratio < 1.5 else 2
        self.reach = math.ceil(PEN / 2 * ratio)
        """Columns beside its own into which a pen reaches."""
        heights = [lane.bottom - lane.top for lane in lanes]
        self._lane_of_row = np.repeat(np.arange(len(lanes)), heights)
        self._rows = np.arange(self.height, dtype=np.float32)[:, None]
        specs = [lane.history.spec for lane in lanes]
        self._colours = np.stack([_bgr(scheme.traces[spec.trace]) for spec in specs])[self._lane_of_row][:, None, :]
        self._halves = np.array(
            [[(ENVELOPE_PEN if spec.style == "envelope" else PEN) / 2 * ratio] for spec in specs], np.float32
        )
        reach = int(PEN / 2 * ratio * self._parts)
        squares = {shift: self._halves**2 - (shift / self._parts) ** 2 for shift in range(-reach, reach + 1)}
        self._rises = {
            shift: np.where(square >= 0, np.sqrt(np.maximum(square, 0)), np.nan).astype(np.float32)
            for shift, square in squares.items()
        }
        self._dotted = np.array([[spec.style == "held"] for spec in specs])
        self._hatch_colour = _bgr(scheme.control)
        self._hatch = np.concatenate([_hatch(width, height, ratio) for height in heights])
        self._ground = self._paint_ground(scheme, scheme.surface)
        self._held_ground = self._paint_ground(scheme, scheme.sunken)
        self.pixels = self._ground.copy()
        self.image = QImage(self.pixels.data, width, self.height, width * 4, QImage.Format.Format_RGB32)

    def redraw(self, sweep: Sweep, head: int, holds: Sequence[Range]) -> None:
        """Everything afresh."""
        self.pixels[:] = self._ground
        self._draw(sweep, sweep.oldest(head), head, holds)

    def advance(self, sweep: Sweep, first: int, head: int, holds: Sequence[Range]) -> None:
        """Draw columns first…head (counted without end) and keep the gap ahead of the head empty."""
        self._draw(sweep, max(first, sweep.oldest(head)), head, holds)
        self._erase(head + 1, sweep.erase_columns)

    def _draw(self, sweep: Sweep, first: int, head: int, holds: Sequence[Range]) -> None:
        until = sweep.start_us(head + 1)
        before = first - self.reach  # the pens of those columns reach into the first
        edges = sweep.edges(before, head, self._parts)
        spans = [lane.history.spans(edges, until) for lane in self.lanes]
        trace = self._trace(spans, before * self._parts)[:, self.reach :]
        gaps = self._gap_columns(sweep, first, head, until)
        held = self._held_columns(sweep, first, head, holds)
        x, done, count = first % self.width, 0, head - first + 1
        while done < count:
            step = min(self.width - x, count - done)
            part = slice(done, done + step)
            self._blend(slice(x, x + step), trace[:, part], gaps, held[part], part)
            x, done = 0, done + step
        self._find_heads(spans)

    def _trace(self, spans: Sequence[Spans], start: int) -> Coverage:
        """How far strokes cover each pixel: the union of round pens along a trace, averaged over a column's parts."""
        parts, count = self._parts, len(spans[0].low)
        reach = max(self._rises)
        shape = (len(spans), count + 2 * reach)
        top, bottom = np.full(shape, np.nan, np.float32), np.full(shape, np.nan, np.float32)
        for index, (span, lane) in enumerate(zip(spans, self.lanes, strict=True)):
            top[index, reach : reach + count] = lane.scale.ys(span.high)
            bottom[index, reach : reach + count] = lane.scale.ys(span.low)
        upper, lower = (
            np.full((len(spans), count), np.nan, np.float32),
            np.full((len(spans), count), np.nan, np.float32),
        )
        for shift, rise in self._rises.items():
            part = slice(reach + shift, reach + shift + count)
            np.fmin(upper, top[:, part] - rise, out=upper)
            np.fmax(lower, bottom[:, part] + rise, out=lower)
        shown = ~np.isnan(upper) & self._pattern(spans, start)
        upper[~shown], lower[~shown] = 1e6, -1e6
        lanes = self._lane_of_row
        cover = np.minimum(self._rows + 1, lower[lanes]) - np.maximum(self._rows, upper[lanes])
        np.maximum(cover, 0, out=cover)
        np.minimum(cover, 1, out=cover)
        averaged: Coverage = cover.reshape(self.height, -1, parts).mean(axis=2)
        return averaged

    def _pattern(self, spans: Sequence[Spans], start: int) -> npt.NDArray[np.bool_]:
        """Where ink may be: dots for held values, dashes for suspect ones, all else; fixed to the picture."""
        across = np.arange(start, start + len(spans[0].low)) % (self.width * self._parts) / (self._parts * self.ratio)
        shown: npt.NDArray[np.bool_] = ~self._dotted | (across % DOTS[1] < DOTS[0])
        doubted = np.stack([span.suspect for span in spans])
        return shown & ~(doubted & (across % DASHES[1] >= DASHES[0]))

    def _blend(
        self, x: slice, trace: Coverage, gaps: Sequence[npt.NDArray[np.bool_] | None], held: Mask, part: slice
    ) -> None:
        ground = self._ground[:, x]
        if held.any():
            ground = np.where(held[None, :, None], self._held_ground[:, x], ground)
        picture = ground.astype(np.float32)
        for lane, mask in zip(self.lanes, gaps, strict=True):
            if mask is not None and mask[part].any():
                rows = slice(lane.top, lane.bottom)
                hatch = (self._hatch[rows, x] * mask[part])[:, :, None]
                picture[rows] += (self._hatch_colour - picture[rows]) * hatch
        picture += (self._colours - picture) * trace[:, :, None]
        picture += np.float32(0.5)
        self.pixels[:, x] = picture.astype(np.uint8)

    def _erase(self, first: int, count: int) -> None:
        x = first % self.width
        right = min(x + count, self.width)
        self.pixels[:, x:right] = self._ground[:, x:right]
        rest = x + count - self.width
        if rest > 0:
            self.pixels[:, :rest] = self._ground[:, :rest]

    def _gap_columns(self, sweep: Sweep, first: int, last: int, until: int) -> list[Mask | None]:
        """For each strip which of columns first…last lie in a gap; None where none do."""
        begin, end = sweep.start_us(first), sweep.start_us(last + 1)
        found: list[Mask | None] = []
        for lane in self.lanes:
            mask: Mask | None = None
            growing = lane.history.open_gap(until)
            for low, high in [*([growing] if growing else []), *reversed(lane.history.gaps)]:
                if high < begin:
                    break
                if low > end:
                    continue
                mask = np.zeros(last - first + 1, np.bool_) if mask is None else mask
                left = sweep.column(low)
                mask[max(left - first, 0) : max(max(sweep.column(high), left + 1) - first, 0)] = True
            found.append(mask)
        return found

    @staticmethod
    def _held_columns(sweep: Sweep, first: int, last: int, holds: Sequence[Range]) -> Mask:
        mask = np.zeros(last - first + 1, np.bool_)
        for low, high in holds:
            mask[max(sweep.column(low) - first, 0) : max(sweep.column(high) - first, 0)] = True
        return mask

    def _find_heads(self, spans: Sequence[Spans]) -> None:
        for index, (span, lane) in enumerate(zip(spans, self.lanes, strict=True)):
            middle = float(span.low[-1] + span.high[-1]) / 2
            self.heads[index] = None if math.isnan(middle) else lane.scale.y(lane.scale.inside(middle))

    def _paint_ground(self, scheme: Tokens, fill: str) -> Pixels:
        ground = np.empty((self.height, self.width, 4), np.float32)
        base, line = _bgr(fill), _bgr(scheme.line)
        ground[:] = base
        thin = max(1, round(self.ratio))
        for moment in range(GRID_US, WINDOW_US, GRID_US):
            x = moment * self.width // WINDOW_US
            ground[:, x : x + thin] = base + (line - base) * 0.55
        for lane in self.lanes:
            for limit in sorted(lane.limits, key=lambda one: one.owner is LimitOwner.PATIENT):
                own = limit.owner is LimitOwner.PATIENT
                thick = max(1, math.floor((1.5 if own else 1.0) * self.ratio + 0.5))
                for bound in (limit.low, limit.high):
                    if bound is not None and lane.scale.holds(bound):
                        y = round(lane.scale.y(bound) - thick / 2)
                        ground[y : y + thick] = _bgr(scheme.patient if own else scheme.control)
            ground[lane.bottom - thin : lane.bottom] = line
        return np.ascontiguousarray(np.rint(ground).astype(np.uint8))


def _bgr(value: str) -> npt.NDArray[np.float32]:
    colour = QColor(value)
    return np.array([colour.blue(), colour.green(), colour.red(), 255], np.float32)


def _hatch(width: int, height: int, ratio: float) -> Coverage:
    """Lines at 45 degrees, kept off the row's borders."""
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    pitch = HATCH_PITCH * ratio
    distance = np.abs(((x + y) / np.float32(math.sqrt(2))) % pitch - pitch / 2)
    cover: Coverage = np.clip(HATCH_PEN * ratio / 2 - distance + 0.5, 0.0, 1.0).astype(np.float32)
    edge = round(4 * ratio)
    cover[:edge] = 0
    cover[-edge:] = 0
    return cover
