"""The chewing surfaces of the teeth, as SVG out of `resources/teeth/teeth.svg`."""

import re
from collections.abc import Iterable
from functools import cache
from importlib import resources

from core.model.clinical import FIRST_PRIMARY
from core.model.people import ToothState
from core.reports.svg import CONTROL, INK, LINE, MUTED, PINE, defs

_HEIGHT, _MILK_HEIGHT = 384, 360
_MILK_UP = 472
"""The drawing has the milk teeth far below, under crowns and roots that are left out here."""


def teeth(states: Iterable[ToothState]) -> str:
    """The chewing surfaces of all permanent teeth as SVG, and below them of those milk teeth that are in `states`: done
    filled pine, findings hatched, missing dashed."""
    found = {state.fdi: state for state in states}

    def dressed(match: re.Match[str]) -> str:
        fdi, part = int(match.group("fdi")), match.group("part")
        state = found.get(fdi, ToothState(fdi=fdi))
        rest = match.group("rest")
        if part == "fis":
            rest = rest.replace('class="f"', 'class="gone"') if state.missing else rest
        return "<path " + rest.replace('class="s"', f'class="{_dress(state, part)}"') + "/>"

    milk = "".join(group for fdi, group in _occlusal().items() if fdi >= FIRST_PRIMARY and fdi in found)
    permanent = "".join(group for fdi, group in _occlusal().items() if fdi < FIRST_PRIMARY)
    drawn = permanent + (f'<g transform="translate(0 {-_MILK_UP})">{milk}</g>' if milk else "")
    body = re.sub(r'<path id="t(?P<fdi>\d\d)-(?P<part>[MDBLO]|fis)" (?P<rest>[^>]*)/>', dressed, drawn)
    changed = {state.fdi for state in found.values() if state.done or state.finding or state.planned}
    body = re.sub(
        r'<text id="t(\d\d)-no" class="n"',
        lambda match: '<text class="n"' if int(match.group(1)) in changed else '<text class="m"',
        body,
    )
    style = (
        f"<style>.s{{fill:#fff;stroke:{MUTED};stroke-width:2.4}}.f{{fill:none;stroke:{CONTROL};stroke-width:2}}"
        f".done{{fill:{PINE};stroke:{PINE};stroke-width:2.4}}.finding{{fill:url(#gap);stroke:{MUTED};stroke-width:2.4}}"
        f".filled{{fill:{CONTROL};stroke:{MUTED};stroke-width:2.4}}.gone{{fill:none;stroke:none}}"
        f".missing{{fill:none;stroke:{CONTROL};stroke-width:2.4;stroke-dasharray:7 7}}"
        f".n{{fill:{INK};text-anchor:middle;font-size:26px;font-weight:600}}"
        f".m{{fill:{MUTED};text-anchor:middle;font-size:26px}}</style>"
    )
    height = _HEIGHT + (_MILK_HEIGHT if milk else 0)
    lines = "M740 280V640M40 460H1440" + ("M740 690V1000M300 828H1180" if milk else "")
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 268 1480 {height}" font-family="Inter">{defs(9)}{style}'
        f'<path d="{lines}" stroke="{LINE}" stroke-width="2"/>{body}</svg>'
    )


def _dress(state: ToothState, part: str) -> str:
    """The class of one surface."""
    if state.missing:
        return "gone" if part == "O" else "missing"
    for kind, surfaces in (("done", state.done), ("finding", state.finding), ("filled", state.filled)):
        if part in surfaces:
            return kind
    return "s"


@cache
def _occlusal() -> dict[int, str]:
    """The group of each tooth without crown and roots, by FDI number."""
    text = (resources.files("resources") / "teeth" / "teeth.svg").read_text(encoding="utf-8")
    found: dict[int, str] = {}
    for fdi, group in re.findall(r'<g id="t([1-8]\d)">(.*?</text></g>)', text, flags=re.DOTALL):
        bare = re.sub(r'<path id="t\d\d-(?:root2?|crown)"[^>]*/>', "", group)
        found[int(fdi)] = f"<g>{bare}"  # an id may stand once in a page; charts stand in it several times
    return found
