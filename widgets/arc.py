"""SVG's elliptical arc on a QPainterPath (SVG 2, appendix B.2.4)."""

import math

from PySide6.QtCore import QPointF, QRectF
from PySide6.QtGui import QPainterPath, QTransform


def arc_to(
    path: QPainterPath, start: QPointF, rx: float, ry: float, rotation: float, large: bool, sweep: bool, end: QPointF
) -> None:
    """Append the arc from `start` to `end`; `rotation` in degrees. Degenerate radii give a line."""
    rx, ry = abs(rx), abs(ry)
    if start == end:
        return
    if not rx or not ry:
        path.lineTo(end)
        return
    turn = math.radians(rotation)
    cos, sin = math.cos(turn), math.sin(turn)
    dx, dy = (start.x() - end.x()) / 2, (start.y() - end.y()) / 2
    x, y = cos * dx + sin * dy, -sin * dx + cos * dy
    grow = math.sqrt(max(1.0, (x / rx) ** 2 + (y / ry) ** 2))
    rx, ry = rx * grow, ry * grow
    across = (rx * y) ** 2 + (ry * x) ** 2
    factor = math.sqrt(max(0.0, (rx * ry) ** 2 - across) / across) * (-1 if large == sweep else 1)
    cx, cy = factor * rx * y / ry, -factor * ry * x / rx
    first = math.degrees(math.atan2((y - cy) / ry, (x - cx) / rx))
    last = math.degrees(math.atan2((-y - cy) / ry, (-x - cx) / rx))
    span = (last - first) % 360 if sweep else -((first - last) % 360)
    arc = QPainterPath()
    box = QRectF(-rx, -ry, 2 * rx, 2 * ry)
    arc.arcMoveTo(box, -first)
    arc.arcTo(box, -first, -span)
    centre_x = cos * cx - sin * cy + (start.x() + end.x()) / 2
    centre_y = sin * cx + cos * cy + (start.y() + end.y()) / 2
    place = QTransform().translate(centre_x, centre_y).rotate(rotation)
    curve = place.map(arc)
    for index in range(1, curve.elementCount(), 3):
        first_control, second_control, to = (curve.elementAt(index + step) for step in range(3))
        path.cubicTo(first_control.x, first_control.y, second_control.x, second_control.y, to.x, to.y)
