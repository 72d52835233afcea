"""The plot of one signal over a visit, as SVG. Every point comes from the record."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from core.model.limits import Limit, LimitOwner
from core.reports.data import Signal
from core.reports.svg import CONTROL, LINE, MUTED, PINE, PLUM, defs, mark, text

Scale = Callable[[float], float]
WIDTH = 760
LEFT, RIGHT, TOP, BOTTOM = 46, 118, 10, 26
PITCH = 14.0
"""Least distance of two labels."""
MINUTE_US = 60_000_000


@dataclass(frozen=True, slots=True)
class Label:
    """What stands at the right end of a line."""

    at_y: float
    text: str
    colour: str
    bold: bool = False
    mark: LimitOwner | None = None


def plot(signal: Signal, *, from_us: int, to_us: int, height: int, said: dict[str, str]) -> str:
    """One signal over a visit as SVG, with its limits, their owners' marks, and gaps hatched.

    `said`: words for `minutes` and `measured`, for each limit owner, and the `decimal` sign. Every point comes from
    the record. What a page redraws when it is zoomed carries a class: `gaps`, `curve`, `time`.
    """
    low, high = shown_range(signal)
    right, bottom = WIDTH - RIGHT, height - BOTTOM

    def x(at_us: float) -> float:
        return LEFT + (at_us - from_us) / max(1, to_us - from_us) * (right - LEFT)

    def y(value: float) -> float:
        return bottom - (value - low) / (high - low) * (bottom - TOP)

    parts = [frame(height)]
    for value in _ticks(low, high):
        parts.append(f'<path d="M{LEFT} {y(value):.1f}H{right}" stroke="{LINE}"/>')
        parts.append(text(LEFT - 8, y(value) + 4, _figure(value, said), anchor="end"))
    parts += ['<g class="time">', *_time_axis(x, from_us, to_us, height - 6, said), '</g><g class="gaps">']
    for begin, end in signal.gaps:
        left, wide = x(begin), max(1.0, x(end) - x(begin))
        parts.append(f'<rect x="{left:.1f}" y="{TOP}" width="{wide:.1f}" height="{bottom - TOP}" fill="url(#gap)"/>')
    parts.append("</g>")
    parts += [_limit_line(limit, y(bound)) for limit, bound in _bounds(signal)]
    parts.append(
        f'<path class="curve" d="{_curve(signal, x, y)}" fill="none" stroke="{PINE}" stroke-width="1.8" '
        'stroke-linejoin="round"/>'
    )
    labels = [_limit_label(limit, bound, y(bound), said) for limit, bound in _bounds(signal)]
    last = np.flatnonzero(np.isfinite(signal.columns.low))
    if len(last):
        value = float(signal.columns.low[last[-1]] + signal.columns.high[last[-1]]) / 2
        labels.append(Label(y(value), said["measured"], PINE, bold=True))
    return "".join([*parts, *placed(labels, TOP, bottom)]) + "</svg>"


def _curve(signal: Signal, x: Scale, y: Scale) -> str:
    """Down and up again through every column, broken where nothing was recorded."""
    path: list[str] = []
    pen = "M"
    columns = signal.columns
    for at, low, high in zip(columns.at_us.tolist(), columns.low.tolist(), columns.high.tolist(), strict=True):
        if not np.isfinite(low):
            if signal.spec.style != "held":
                pen = "M"
            continue
        path.append(f"{pen}{x(at):.1f} {y(low):.1f}")
        pen = "L"
        if high > low:
            path.append(f"L{x(at):.1f} {y(high):.1f}")
    return "".join(path)


def _time_axis(x: Scale, from_us: int, to_us: int, at_y: float, said: dict[str, str]) -> Iterable[str]:
    step = _minute_step((to_us - from_us) / MINUTE_US)
    count = int((to_us - from_us) / MINUTE_US / step)
    for number in range(count + 1):
        label = _figure(number * step, said) + (f" {said['minutes']}" if number == count else "")
        yield text(x(from_us + number * step * MINUTE_US), at_y, label, anchor="middle")


def _bounds(signal: Signal) -> list[tuple[Limit, float]]:
    return [(limit, bound) for limit in signal.limits for bound in (limit.low, limit.high) if bound is not None]


def _limit_line(limit: Limit, at_y: float) -> str:
    own = limit.owner is LimitOwner.PATIENT
    colour, wide = (PLUM, 1.5) if own else (CONTROL, 1)
    return f'<path d="M{LEFT} {at_y:.1f}H{WIDTH - RIGHT}" stroke="{colour}" stroke-width="{wide}"/>'


def _limit_label(limit: Limit, bound: float, at_y: float, said: dict[str, str]) -> Label:
    own = limit.owner is LimitOwner.PATIENT
    return Label(
        at_y, f"{_figure(bound, said)} {said[limit.owner.value]}", PLUM if own else MUTED, bold=own, mark=limit.owner
    )


def _figure(value: float, said: dict[str, str]) -> str:
    return f"{value:g}".replace(".", said.get("decimal", "."))


def placed(labels: list[Label], top: float, bottom: float) -> Iterable[str]:
    """The labels at the right, each near its line and none upon another."""
    ordered = sorted(labels, key=lambda label: label.at_y)
    places: list[float] = []
    for label in ordered:
        places.append(max(label.at_y, places[-1] + PITCH if places else top))
    floor = bottom
    for number in reversed(range(len(places))):
        places[number] = min(places[number], floor)
        floor = places[number] - PITCH
    for label, at_y in zip(ordered, places, strict=True):
        left = WIDTH - RIGHT + 8.0
        if label.mark is not None:
            yield mark(label.mark, left + 4, at_y)
            left += 14
        yield text(left, at_y + 4, label.text, colour=label.colour, bold=label.bold)


def shown_range(signal: Signal) -> tuple[float, float]:
    """What was measured and what limits it, with some air; never thinner than a tenth of the channel."""
    bounds = [bound for _, bound in _bounds(signal)]
    low = min([signal.lowest, *bounds])
    high = max([signal.highest, *bounds])
    least = (signal.spec.high - signal.spec.low) * 0.1
    air = max((high - low) * 0.12, (least - (high - low)) / 2)
    return low - air, high + air


def _ticks(low: float, high: float) -> Sequence[float]:
    step = 10.0 ** np.floor(np.log10((high - low) / 2))
    for factor in (1, 2, 5, 10):
        if (high - low) / (step * factor) <= 5:
            step *= factor
            break
    first = np.ceil(low / step)  # may be a negative zero, which + 0.0 takes its sign from
    return [round(float(number * step), 6) + 0.0 for number in np.arange(first, np.floor(high / step) + 1)]


def _minute_step(minutes: float) -> float:
    return next((step for step in (0.25, 0.5, 1, 2, 5, 10, 15, 30, 60) if minutes / step <= 6), 120)


def frame(height: int) -> str:
    """The beginning of a plot: its size, its letters, the hatch."""
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" '
        f'font-family="Inter" font-size="12">{defs(6)}'
    )
