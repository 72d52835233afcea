"""What the pictures of the report share: colours, the hatch, marks, icons."""

from functools import cache
from importlib import resources
from xml.sax.saxutils import escape

import msgspec

from core.model.limits import LimitOwner

INK, MUTED, LINE, CONTROL, PINE, PLUM = "#1E2826", "#57615E", "#D8D4C9", "#857F73", "#1F6657", "#6B4A8E"
"""The light theme's tokens."""


class _Icons(msgspec.Struct, frozen=True, rename={"view_box": "viewBox"}):
    view_box: str
    stroke: float
    paths: dict[str, str]


def mark(owner: LimitOwner, x: float, y: float) -> str:
    """The owner's mark: disc patient, ring clinician, square protocol, triangle device."""
    match owner:
        case LimitOwner.PATIENT:
            return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4" fill="{PLUM}"/>'
        case LimitOwner.CLINICIAN:
            return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3.4" fill="none" stroke="{INK}" stroke-width="1.4"/>'
        case LimitOwner.PROTOCOL:
            return f'<rect x="{x - 3.5:.1f}" y="{y - 3.5:.1f}" width="7" height="7" fill="{INK}"/>'
        case LimitOwner.DEVICE:
            return f'<path d="M{x:.1f} {y - 4:.1f}l4.4 7.6h-8.8z" fill="{INK}"/>'


def owner_mark(owner: LimitOwner) -> str:
    """The mark alone, for the legend."""
    return f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 10 10">{mark(owner, 5, 5)}</svg>'


@cache
def icon(name: str) -> str:
    """An icon of the family, in pine."""
    family = msgspec.json.decode((resources.files("resources") / "icons" / "icons.json").read_bytes(), type=_Icons)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="{family.view_box}"><path d="{family.paths[name]}" '
        f'fill="none" stroke="{PINE}" stroke-width="{family.stroke}" stroke-linecap="round" '
        'stroke-linejoin="round"/></svg>'
    )


def swatch(kind: str) -> str:
    """A tooth's surface as the chart dresses it, for the legend: `done`, `finding`, `filled` or `missing`."""
    dress = {
        "done": f'fill="{PINE}" stroke="{PINE}"',
        "finding": f'fill="url(#gap)" stroke="{INK}"',
        "filled": f'fill="{CONTROL}" stroke="{MUTED}"',
        "missing": f'fill="none" stroke="{CONTROL}" stroke-dasharray="2 2"',
    }[kind]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 14 14">{defs(3)}'
        f'<rect x="1" y="1" width="12" height="12" rx="3" {dress}/></svg>'
    )


def text(x: float, y: float, said: str, *, anchor: str = "start", colour: str = MUTED, bold: bool = False) -> str:
    weight = ' font-weight="600"' if bold else ""
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{colour}"{weight}>{escape(said)}</text>'


def defs(pitch: int) -> str:
    return (
        f'<defs><pattern id="gap" width="{pitch}" height="{pitch}" patternUnits="userSpaceOnUse" '
        f'patternTransform="rotate(45)"><path d="M0 0V{pitch}" stroke="{INK}" stroke-width="{pitch * 0.55}"/>'
        "</pattern></defs>"
    )
