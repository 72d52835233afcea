"""How the chart of the teeth is drawn. Units of the chart are 0.1 mm; pens are cosmetic."""

from dataclasses import dataclass

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QBrush, QPainter, QPainterPath, QPen, QTransform

from core.model.dentition import is_primary
from core.model.people import ToothState
from widgets.teeth import WIDTHS, Tooth, teeth
from widgets.theme import RADIUS_CONTROL, color, font, tokens

MIDLINE = 740.0
GAP = 9.0
PRIMARY_EDGES = (0.0, 82.0, 152.5, 229.0, 317.5, 412.5)
"""Of the columns of positions 1–5, from the midline: half-way between the teeth as they are drawn."""
NARROW = 368
"""Below this width in pixels the numbers of untouched teeth are dropped: they would touch each other."""


@dataclass(frozen=True)
class Row:
    """One row of teeth: from where to where it reaches, and where its parts stand.

    Attributes:
        above: middle of the teeth from above.
        number: middle of their numbers.
        side: biting edge of the teeth from the side; None where they are not shown so.
    """

    fdis: tuple[int, ...]
    top: float
    bottom: float
    above: float
    number: float
    side: float | None = None


@dataclass(frozen=True)
class Rows:
    """What a layout shows: its rows from the top, the line between the jaws, and what part of the width is used."""

    rows: tuple[Row, ...]
    line: float
    left: float = 0
    width: float = 1480

    @property
    def top(self) -> float:
        return self.rows[0].top

    @property
    def bottom(self) -> float:
        return self.rows[-1].bottom

    @property
    def height(self) -> float:
        return self.bottom - self.top

    def row_of(self, fdi: int) -> Row | None:
        """None for a tooth that this layout does not show."""
        return next((row for row in self.rows if fdi in row.fdis), None)


@dataclass(frozen=True)
class Chart:
    """Everything the picture depends on, but for size and colours."""

    rows: Rows
    teeth: tuple[ToothState, ...]
    current: int


def column(fdi: int) -> tuple[float, float]:
    """Left and right edge of a tooth's column."""
    place = fdi % 10
    if is_primary(fdi):
        inner, outer = PRIMARY_EDGES[place - 1 : place + 1]
        return (MIDLINE - outer, MIDLINE - inner) if fdi // 10 in (5, 8) else (MIDLINE + inner, MIDLINE + outer)
    inner = sum(WIDTHS[: place - 1]) + (GAP if place > 1 else 0)
    outer = sum(WIDTHS[:place]) + GAP
    if fdi // 10 in (1, 4):
        return MIDLINE - outer, MIDLINE - inner
    return MIDLINE + inner, MIDLINE + outer


def paint_chart(painter: QPainter, chart: Chart, box: QRectF) -> None:
    """Draw the chart so that it fills `box` (pixels, with the proportions of `chart.rows`)."""
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    scale = box.width() / chart.rows.width
    corner = QPointF(box.left() - chart.rows.left * scale, box.top() - chart.rows.top * scale)
    place = QTransform.fromTranslate(corner.x(), corner.y()).scale(scale, scale)
    states = {tooth.fdi: tooth for tooth in chart.teeth}
    _paint_lines(painter, chart.rows, place)
    if chart.current:
        _paint_column(painter, chart, place)
    for row in chart.rows.rows:
        for fdi in row.fdis:
            _paint_tooth(painter, teeth()[fdi], states.get(fdi) or ToothState(fdi=fdi), row, place)
    for row in chart.rows.rows:
        for fdi in row.fdis:
            touched = _touched(states.get(fdi)) or fdi == chart.current
            if touched or box.width() >= NARROW:
                _paint_number(painter, fdi, row, chart, place, touched)


def paint_hatch(painter: QPainter, path: QPainterPath, *, pitch: float, pen: QPen) -> None:
    """Lines at 45° over `path` (pixels), evenly spaced at every device pixel ratio."""
    box = path.boundingRect()
    painter.save()
    painter.setClipPath(path, Qt.ClipOperation.IntersectClip)
    painter.setPen(pen)
    step = pitch * 2**0.5
    first = (box.left() + box.top()) // step
    last = (box.right() + box.bottom()) // step + 1
    for index in range(int(first), int(last) + 1):
        at = index * step
        painter.drawLine(QPointF(at - box.top(), box.top()), QPointF(at - box.bottom(), box.bottom()))
    painter.restore()


def _touched(state: ToothState | None) -> bool:
    return state is not None and bool(state.done or state.planned or state.finding or state.filled)


def _paint_lines(painter: QPainter, rows: Rows, place: QTransform) -> None:
    painter.setPen(QPen(color(tokens().line), 1))
    inset = 12
    painter.drawLine(place.map(QPointF(MIDLINE, rows.top + inset)), place.map(QPointF(MIDLINE, rows.bottom - inset)))
    begin, end = rows.left + 20, rows.left + rows.width - 20
    painter.drawLine(place.map(QPointF(begin, rows.line)), place.map(QPointF(end, rows.line)))


def _paint_column(painter: QPainter, chart: Chart, place: QTransform) -> None:
    row = chart.rows.row_of(chart.current)
    if row is None:
        return
    left, right = column(chart.current)
    top, bottom = row.top, row.bottom
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(color(tokens().sunken))
    painter.drawRoundedRect(
        place.mapRect(QRectF(left, top, right - left, bottom - top)), RADIUS_CONTROL, RADIUS_CONTROL
    )


def _paint_tooth(painter: QPainter, tooth: Tooth, state: ToothState, row: Row, place: QTransform) -> None:
    if row.side is not None and not state.missing:
        _paint_side(painter, tooth, _at(place, tooth.x, row.side))
    above = _at(place, tooth.x, row.above)
    if state.missing:
        pen = QPen(color(tokens().control), 1)
        pen.setDashPattern([4, 3])
        painter.setPen(pen)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawPath(above.map(tooth.outline))
    else:
        _paint_above(painter, tooth, state, above)


def _paint_side(painter: QPainter, tooth: Tooth, place: QTransform) -> None:
    scheme = tokens()
    painter.setPen(_pen(scheme.muted, 1))
    painter.setBrush(color(scheme.bg))
    for root in tooth.roots:
        painter.drawPath(place.map(root))
    painter.setBrush(color(scheme.surface))
    painter.drawPath(place.map(tooth.crown))


def _paint_above(painter: QPainter, tooth: Tooth, state: ToothState, place: QTransform) -> None:
    scheme = tokens()
    outline = place.map(tooth.outline)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(color(scheme.surface))
    painter.drawPath(outline)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.setPen(_pen(scheme.control, 0.8))
    for surface in tooth.surfaces.values():
        painter.drawPath(place.map(surface))
    painter.drawPath(place.map(tooth.grooves))
    for letters, fill in ((state.filled, scheme.control), (state.done, scheme.action)):
        painter.setPen(_pen(fill, 0.8))
        painter.setBrush(QBrush(color(fill)))
        for letter in letters:
            painter.drawPath(place.map(tooth.surfaces[letter]))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    for letter in state.finding:
        paint_hatch(painter, place.map(tooth.surfaces[letter]), pitch=4.2, pen=_pen(scheme.ink, 1.4))
    painter.setPen(_pen(scheme.ink, 1))
    painter.drawPath(outline)
    painter.setPen(_pen(scheme.action, 2.4))
    for letter in state.planned:
        painter.drawPath(place.map(tooth.surfaces[letter]))


def _paint_number(painter: QPainter, fdi: int, row: Row, chart: Chart, place: QTransform, touched: bool) -> None:
    scheme = tokens()
    centre = place.map(QPointF(teeth()[fdi].x, row.number))
    painter.setFont(font(13, bold=touched))
    box = QRectF(centre.x() - 20, centre.y() - 9, 40, 18)
    if fdi == chart.current:
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(color(scheme.action))
        painter.drawRoundedRect(QRectF(centre.x() - 13, centre.y() - 9, 26, 18), RADIUS_CONTROL, RADIUS_CONTROL)
        painter.setPen(color(scheme.on_action))
    else:
        painter.setPen(color(scheme.ink if touched else scheme.muted))
    painter.drawText(box, Qt.AlignmentFlag.AlignCenter, str(fdi))


def _at(place: QTransform, x: float, y: float) -> QTransform:
    return QTransform.fromTranslate(x, y) * place


def _pen(value: str, width: float) -> QPen:
    pen = QPen(color(value), width)
    pen.setJoinStyle(Qt.PenJoinStyle.RoundJoin)
    pen.setCapStyle(Qt.PenCapStyle.RoundCap)
    return pen
