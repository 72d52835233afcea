"""Vector pictures for the report: the plot of one signal, and the chart of the teeth."""

import re
from collections.abc import Callable, Iterable, Sequence
from functools import cache
from importlib import resources
from xml.sax.saxutils import escape

import numpy as np

from core.model.limits import LimitOwner
from core.model.people import ToothState
from core.reports.data import Signal

INK, MUTED, LINE, CONTROL, PINE, PLUM, PORCELAIN = (
    "#1E2826",
    "#57615E",
    "#D8D4C9",
    "#857F73",
    "#1F6657",
    "#6B4A8E",
    "#F5F3EE",
)
Scale = Callable[[float], float]
WIDTH = 760
LEFT, RIGHT, TOP, BOTTOM = 46, 118, 10, 26
MINUTE_US = 60_000_000
EDGE_US = 3_000_000


def plot(signal: Signal, *, from_us: int, to_us: int, height: int, name: str, said: dict[str, str]) -> str:
    """One signal over a visit as SVG, with its limits, their owners' marks, and gaps hatched.

    `said`: words for `minutes`, and for each limit owner. Every point comes from the record.
    """
    low, high = _range(signal)
    right, bottom = WIDTH - RIGHT, height - BOTTOM

    def x(at_us: float) -> float:
        return LEFT + (at_us - from_us) / max(1, to_us - from_us) * (right - LEFT)

    def y(value: float) -> float:
        return bottom - (value - low) / (high - low) * (bottom - TOP)

    parts = [_frame(height)]
    for value in _ticks(low, high):
        parts.append(f'<path d="M{LEFT} {y(value):.1f}H{right}" stroke="{LINE}"/>')
        parts.append(_text(LEFT - 8, y(value) + 4, f"{value:g}", anchor="end"))
    step = _minute_step((to_us - from_us) / MINUTE_US)
    count = int((to_us - from_us) / MINUTE_US / step)
    for number in range(count + 1):
        at = from_us + number * step * MINUTE_US
        label = f"{number * step:g}" + (f" {said['minutes']}" if number == count else "")
        parts.append(_text(x(at), height - 6, label, anchor="middle"))
    for begin, end in shown_gaps(signal, from_us, to_us):
        left, wide = x(begin), x(end) - x(begin)
        if wide > 0.5:
            parts.append(
                f'<rect x="{left:.1f}" y="{TOP}" width="{wide:.1f}" height="{bottom - TOP}" fill="url(#gap)"/>'
            )
    parts += _limits(signal, y, right, said)
    parts.append(
        f'<path d="{_curve(signal, x, y)}" fill="none" stroke="{PINE}" stroke-width="2" stroke-linejoin="round"/>'
    )
    last = np.flatnonzero(np.isfinite(signal.columns.low))
    if len(last):
        value = float(signal.columns.low[last[-1]] + signal.columns.high[last[-1]]) / 2
        parts.append(_text(right + 8, y(value) + 4, name, colour=PINE, bold=True))
    return "".join(parts) + "</svg>"


def teeth(states: Iterable[ToothState]) -> str:
    """The chewing surfaces of all permanent teeth as SVG: done filled pine, findings hatched, missing dashed."""
    found = {state.fdi: state for state in states}

    def dressed(match: re.Match[str]) -> str:
        fdi, part = int(match.group("fdi")), match.group("part")
        state = found.get(fdi, ToothState(fdi=fdi))
        return f"{match.group(0)[:-2]}{_dress(state, part)}/>"

    body = re.sub(r'<path id="t(?P<fdi>\d\d)-(?P<part>[MDBLO]|fis)"[^>]*/>', dressed, _occlusal())
    changed = {state.fdi for state in found.values() if state.done or state.finding or state.planned}
    body = re.sub(
        r'<text id="t(\d\d)-no" class="n"',
        lambda match: match.group(0) + (' font-weight="600"' if int(match.group(1)) in changed else f' fill="{MUTED}"'),
        body,
    )
    style = (
        f"<style>.s{{fill:#fff;stroke:{MUTED};stroke-width:2.4}}.f{{fill:none;stroke:{CONTROL};stroke-width:2}}"
        f".n{{fill:{INK};text-anchor:middle;font-size:26px}}</style>"
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 268 1480 384" font-family="Inter">{_defs(9)}{style}'
        f'<path d="M740 280V640M40 460H1440" stroke="{LINE}" stroke-width="2"/>{body}</svg>'
    )


def shown_gaps(signal: Signal, from_us: int, to_us: int) -> list[tuple[int, int]]:
    """Gaps as UTC µs. A channel begins and ends a little inside the visit; that is no gap."""
    edge = max(EDGE_US, 2 * signal.spec.period_us)
    return [
        (max(begin, from_us), min(end, to_us))
        for begin, end in signal.columns.gaps
        if end - begin > edge or (begin > from_us and end < to_us)
    ]


def _dress(state: ToothState, part: str) -> str:
    if state.missing:
        return (
            ' style="fill:none;stroke:none"'
            if part in ("fis", "O")
            else (f' style="fill:none;stroke:{CONTROL};stroke-dasharray:7 7"')
        )
    if part in state.done:
        return f' style="fill:{PINE};stroke:{PINE}"'
    if part in state.finding:
        return ' style="fill:url(#gap)"'
    if part in state.filled:
        return f' style="fill:{CONTROL}"'
    return ""


@cache
def _occlusal() -> str:
    """The groups of the permanent teeth without crowns and roots."""
    text = (resources.files("resources") / "teeth" / "teeth.svg").read_text(encoding="utf-8")
    groups = re.findall(r'<g id="t[1-4]\d">.*?</text></g>', text, flags=re.DOTALL)
    return re.sub(r'<path id="t\d\d-(?:root2?|crown)"[^>]*/>', "", "".join(groups))


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


def _limits(signal: Signal, y: Scale, right: float, said: dict[str, str]) -> list[str]:
    parts: list[str] = []
    for limit in signal.limits:
        for bound in (limit.low, limit.high):
            if bound is None:
                continue
            colour = PLUM if limit.owner is LimitOwner.PATIENT else CONTROL
            at = y(bound)
            parts.append(f'<path d="M{LEFT} {at:.1f}H{right}" stroke="{colour}"/>')
            parts.append(_text(right + 8, at + 4, f"{bound:g} {said[limit.owner.value]}", colour=colour))
    return parts


def _range(signal: Signal) -> tuple[float, float]:
    """What was measured and what limits it, with some air; never thinner than a tenth of the channel."""
    bounds = [bound for limit in signal.limits for bound in (limit.low, limit.high) if bound is not None]
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
    first = np.ceil(low / step)
    return [round(float(number * step), 6) for number in np.arange(first, np.floor(high / step) + 1)]


def _minute_step(minutes: float) -> float:
    return next((step for step in (0.25, 0.5, 1, 2, 5, 10, 15, 30, 60) if minutes / step <= 6), 120)


def _text(x: float, y: float, text: str, *, anchor: str = "start", colour: str = MUTED, bold: bool = False) -> str:
    weight = ' font-weight="600"' if bold else ""
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{colour}"{weight}>{escape(text)}</text>'


def _frame(height: int) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" '
        f'font-family="Inter" font-size="12">{_defs(6)}'
    )


def _defs(pitch: int) -> str:
    return (
        f'<defs><pattern id="gap" width="{pitch}" height="{pitch}" patternUnits="userSpaceOnUse" '
        f'patternTransform="rotate(45)"><path d="M0 0V{pitch}" stroke="{INK}" stroke-width="{pitch * 0.55}"/>'
        "</pattern></defs>"
    )
