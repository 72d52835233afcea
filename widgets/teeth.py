"""The shapes of the teeth, from `resources/teeth/teeth.svg`: units 0.1 mm, each tooth centred on its column."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from xml.etree import ElementTree

from PySide6.QtGui import QPainterPath

from widgets.icon import svg_path

UPPER: tuple[int, ...] = (18, 17, 16, 15, 14, 13, 12, 11, 21, 22, 23, 24, 25, 26, 27, 28)
"""The upper row as the chart shows it: the patient's right is at the left."""
LOWER: tuple[int, ...] = (48, 47, 46, 45, 44, 43, 42, 41, 31, 32, 33, 34, 35, 36, 37, 38)
UPPER_PRIMARY: tuple[int, ...] = (55, 54, 53, 52, 51, 61, 62, 63, 64, 65)
LOWER_PRIMARY: tuple[int, ...] = (85, 84, 83, 82, 81, 71, 72, 73, 74, 75)
SURFACES = "BMLDO"

WIDTHS = (90.0, 74.0, 82.0, 78.0, 78.0, 112.0, 106.0, 98.0)
"""Column widths of positions 1–8 from the midline."""

_SVG = "{http://www.w3.org/2000/svg}"


@dataclass(frozen=True)
class Tooth:
    """One tooth's outlines.

    Attributes:
        x: centre of its column in the chart.
        outline: from above, all surfaces together; `surfaces` are its parts by letter out of "BMLDO".
        grooves: fissures or ridges, open curves, from above.
        crown, roots: from the side; y 0 is the biting edge. A palatal root lies behind the others and comes first.
    """

    fdi: int
    x: float
    outline: QPainterPath
    surfaces: Mapping[str, QPainterPath]
    grooves: QPainterPath
    crown: QPainterPath
    roots: tuple[QPainterPath, ...]


def is_upper(fdi: int) -> bool:
    return fdi // 10 in (1, 2, 5, 6)


def is_front(fdi: int) -> bool:
    """Incisors and canines: their biting surface is an edge."""
    return fdi % 10 <= 3


@cache
def teeth() -> Mapping[int, Tooth]:
    """Every tooth by its FDI number, permanent and primary."""
    root = ElementTree.fromstring((resources.files("resources") / "teeth" / "teeth.svg").read_text(encoding="utf-8"))
    return {tooth.fdi: tooth for tooth in (_tooth(group) for group in root.findall(f"{_SVG}g"))}


def _tooth(group: ElementTree.Element) -> Tooth:
    fdi = int(group.attrib["id"].removeprefix("t"))
    side = group.find(f"{_SVG}g")
    assert side is not None
    x = float(side.attrib["transform"].removeprefix("translate(").split()[0])
    paths = {
        path.attrib["id"].partition("-")[2]: svg_path(path.attrib["d"])
        for path in group.iter(f"{_SVG}path")
        if path.attrib["d"]
    }
    return Tooth(
        fdi=fdi,
        x=x,
        outline=_outline([paths[letter] for letter in "BMLD"]),
        surfaces={letter: paths[letter] for letter in SURFACES},
        grooves=paths["fis"],
        crown=paths["crown"],
        roots=tuple(paths[name] for name in ("root2", "root") if name in paths),
    )


def _outline(sectors: list[QPainterPath]) -> QPainterPath:
    """Each sector begins with its outer edge, up to its first straight line: end to end they go once round."""
    outline = QPainterPath()
    for sector in sectors:
        start = sector.elementAt(0)
        if outline.isEmpty():
            outline.moveTo(start.x, start.y)
        index = 1
        while sector.elementAt(index).type is QPainterPath.ElementType.CurveToElement:
            first, second, end = (sector.elementAt(index + step) for step in range(3))
            outline.cubicTo(first.x, first.y, second.x, second.y, end.x, end.y)
            index += 3
    outline.closeSubpath()
    return outline
