"""The chewing surfaces of the teeth, as SVG out of `resources/teeth/teeth.svg`."""

import re
from collections.abc import Iterable
from functools import cache
from importlib import resources

from core.model.people import ToothState
from core.reports.svg import CONTROL, INK, LINE, MUTED, PINE, defs


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
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 268 1480 384" font-family="Inter">{defs(9)}{style}'
        f'<path d="M740 280V640M40 460H1440" stroke="{LINE}" stroke-width="2"/>{body}</svg>'
    )


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
