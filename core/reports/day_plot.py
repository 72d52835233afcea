"""The days at home as bars, as SVG: one for each day, in minutes of acid."""

from collections.abc import Sequence

from core.model.wear import AtHome, HomeDay
from core.people.at_home import SHOWN_DAYS, counted, levels, scale_minutes, shown
from core.reports.plot import BOTTOM, LEFT, RIGHT, TOP, WIDTH, Label, Scale, frame, placed
from core.reports.svg import CONTROL, INK, LINE, PINE, defs, text

PITCH = (WIDTH - LEFT - RIGHT) / SHOWN_DAYS
BAR = 4.6
VISITS = 10
"""Room for the discs of visits, below the floor."""


def day_plot(home: AtHome, months: Sequence[tuple[int, str]], *, height: int, said: dict[str, str]) -> str:
    """The last 90 days up to the newest known one; what is unknown stays empty.

    Args:
        months: first days of months, and their names.
        said: words for `before` and `since`, beside the means.
    """
    days = shown(home)
    first = days[-1].day - SHOWN_DAYS + 1
    right, floor, top = WIDTH - RIGHT, height - BOTTOM - VISITS, scale_minutes(days)

    def x(day: int) -> float:
        return LEFT + (day - first) * PITCH

    def y(minutes: float) -> float:
        return floor - min(1.0, minutes / top) * (floor - TOP)

    parts = [frame(height)]
    for minutes in (0, top / 2, top):
        parts.append(f'<path d="M{LEFT} {y(minutes):.1f}H{right}" stroke="{LINE}"/>')
        parts.append(text(LEFT - 8, y(minutes) + 4, f"{minutes:g}", anchor="end"))
    parts += [_bar(day, x(day.day), y, floor) for day in days]
    parts.append(f'<path d="M{LEFT} {floor}H{right}" stroke="{CONTROL}" stroke-width="1.2"/>')
    seen = [day for day in home.visits if day >= first]
    parts += [f'<circle cx="{x(day) + PITCH / 2:.1f}" cy="{floor + 7}" r="3.6" fill="{INK}"/>' for day in seen]
    parts += [text(x(day), height - 6, name) for day, name in months if day >= first]
    labels = []
    for level in levels(home):
        minutes = level.mean.acid_s / 60
        parts.append(_level(x(level.first), x(level.last + 1), y(minutes)))
        labels.append(Label(y(minutes), f"{minutes:.0f} {said[level.side]}", INK, bold=True))
    return "".join([*parts, *placed(labels, TOP, floor)]) + "</svg>"


def _level(left: float, right: float, at_y: float) -> str:
    """On a halo of paper, so that it is seen upon bars."""
    line = f'<path d="M{left:.1f} {at_y:.1f}H{right:.1f}" stroke='
    return f'{line}"#FFFFFF" stroke-width="4"/>{line}"{INK}" stroke-width="1.6"/>'


def _bar(day: HomeDay, left: float, y: Scale, floor: float) -> str:
    if not day.worn_s:
        return f'<rect x="{left:.1f}" y="{TOP}" width="{PITCH:.1f}" height="{floor - TOP:.1f}" fill="url(#gap)"/>'
    top = min(y(day.acid_s / 60), floor - 1.5)
    box = (left + (PITCH - BAR) / 2, top, BAR, floor - top)
    if counted(day):
        return _rect(box, f'fill="{PINE}"')
    return _rect((box[0] + 0.5, box[1] + 0.5, box[2] - 1, box[3] - 0.5), f'fill="none" stroke="{PINE}"')


def _rect(box: tuple[float, float, float, float], dress: str) -> str:
    x, y, wide, high = box
    return f'<rect x="{x:.1f}" y="{y:.1f}" width="{wide:.1f}" height="{high:.1f}" {dress}/>'


def day_swatch(kind: str) -> str:
    """A mark of the plot alone, for its legend: `bar`, `part`, `bare`, `unknown` or `visit`."""
    shape = {
        "bar": _rect((4, 1, 6, 12), f'fill="{PINE}"'),
        "part": _rect((4, 1, 6, 12), f'fill="none" stroke="{PINE}"'),
        "bare": '<rect x="0" y="0" width="14" height="14" fill="url(#gap)"/>',
        "unknown": f'<path d="M0 13H14" stroke="{CONTROL}"/>',
        "visit": f'<circle cx="7" cy="7" r="4" fill="{INK}"/>',
    }[kind]
    return f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 14 14">{defs(4)}{shape}</svg>'
