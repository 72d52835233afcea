"""The one outline icon family: 24 px, 1.75 stroke, from `resources/icons/icons.json`, always used with words."""

import json
import re
from functools import cache
from importlib import resources

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QIcon, QPainter, QPainterPath, QPen, QPixmap

GRID = 24.0
STROKE = 1.75


def icon_names() -> list[str]:
    """Every icon of the family."""
    return sorted(_paths())


def paint_icon(painter: QPainter, name: str, box: QRectF, colour: QColor | str) -> None:
    """Draw `name` into `box` (square, logical pixels). Raises KeyError on an unknown name."""
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.translate(box.topLeft())
    painter.scale(box.width() / GRID, box.height() / GRID)
    pen = QPen(QColor(colour), STROKE)
    pen.setCapStyle(Qt.PenCapStyle.RoundCap)
    pen.setJoinStyle(Qt.PenJoinStyle.RoundJoin)
    painter.setPen(pen)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.drawPath(icon_path(name))
    painter.restore()


def icon(name: str, colour: QColor | str, size: int = 24, ratio: float = 2.0) -> QIcon:
    """`name` as QIcon for buttons, rendered at `ratio` device pixels per logical pixel."""
    pixmap = QPixmap(round(size * ratio), round(size * ratio))
    pixmap.setDevicePixelRatio(ratio)
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    paint_icon(painter, name, QRectF(0, 0, size, size), colour)
    painter.end()
    return QIcon(pixmap)


@cache
def icon_path(name: str) -> QPainterPath:
    """The outline on the 24 × 24 grid."""
    return svg_path(_paths()[name])


@cache
def _paths() -> dict[str, str]:
    found: dict[str, str] = json.loads((resources.files("resources") / "icons" / "icons.json").read_text())["paths"]
    return found


_TOKEN = re.compile(r"([MmLlHhVvCcZzAaSsQq])|(-?(?:\d+\.\d*|\.\d+|\d+)(?:[eE]-?\d+)?)")
_ARITY = {"m": 2, "l": 2, "h": 1, "v": 1, "c": 6, "s": 4, "q": 4, "a": 7, "z": 0}


def svg_path(data: str) -> QPainterPath:
    """SVG path data as QPainterPath: M L H V C S Q A Z, absolute and relative."""
    from widgets.arc import arc_to

    path = QPainterPath()
    at = QPointF()
    start = QPointF()
    control = QPointF()
    for command, args in _commands(data):
        kind = command.lower()
        base = at if command.islower() else QPointF()
        if kind == "z":
            path.closeSubpath()
            at = control = start
            continue
        if kind == "h":
            points = [QPointF(args[0] + base.x(), at.y())]
        elif kind == "v":
            points = [QPointF(at.x(), args[0] + base.y())]
        elif kind == "a":
            points = [QPointF(args[5], args[6]) + base]
        else:
            points = [QPointF(args[i], args[i + 1]) + base for i in range(0, len(args), 2)]
        end = points[-1]
        if kind == "m":
            path.moveTo(end)
            start = end
        elif kind in "lhv":
            path.lineTo(end)
        elif kind == "c":
            path.cubicTo(*points)
        elif kind == "s":
            path.cubicTo(at + (at - control), *points)
        elif kind == "q":
            path.quadTo(*points)
        elif kind == "a":
            arc_to(path, at, args[0], args[1], args[2], bool(args[3]), bool(args[4]), end)
        control = points[-2] if kind in "csq" else end
        at = end
    return path


def _commands(data: str) -> list[tuple[str, list[float]]]:
    """The path as commands with exactly their arity; repeated arguments repeat the command (after M: L)."""
    found: list[tuple[str, list[float]]] = []
    command = ""
    numbers: list[float] = []
    for letter, number in _TOKEN.findall(_split_flags(data)):
        if letter:
            command = letter
            numbers = []
            if letter in "zZ":
                found.append((letter, []))
            continue
        numbers.append(float(number))
        if len(numbers) == _ARITY[command.lower()]:
            found.append((command, numbers))
            numbers = []
            command = {"M": "L", "m": "l"}.get(command, command)
    return found


def _split_flags(data: str) -> str:
    """Arc flags may stand without a separator ("0 011.4 2"): set them apart."""
    number = r"(-?(?:\d+\.?\d*|\.\d+))"
    sep = r"[\s,]*"
    arc = re.compile(rf"{number}{sep}{number}{sep}{number}{sep}([01]){sep}([01]){sep}{number}{sep}{number}")

    def spread(part: re.Match[str]) -> str:
        return part.group(1) + arc.sub(r"\1 \2 \3 \4 \5 \6 \7 ", part.group(2))

    return re.sub(r"([aA])([^a-zA-Z]*)", spread, data)
