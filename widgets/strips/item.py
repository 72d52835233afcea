"""The strips as one item of a pyqtgraph scene: their raster, and what lies over it."""

from dataclasses import dataclass

import pyqtgraph as pg
from PySide6.QtCore import QPointF, QRect, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPen
from PySide6.QtWidgets import QStyleOptionGraphicsItem, QWidget

from widgets.strips.raster import SweepRaster
from widgets.theme import font, tokens

HEAD_RADIUS = 3.5
SAMPLE_RADIUS = 4.0
CURSOR = 1.5


@dataclass(frozen=True, slots=True)
class Rule:
    """A vertical line at a moment: x in logical pixels, its colour a token's name."""

    x: float
    token: str
    width: float


@dataclass(frozen=True, slots=True)
class Note:
    """A word in the picture, such as the length of a gap; logical pixels."""

    box: QRectF
    text: str


@dataclass(frozen=True, slots=True)
class Dot:
    """Where a trace ends, or where a held value was sampled; `trace` is its colour's index."""

    at: QPointF
    radius: float
    trace: int


@dataclass(frozen=True, slots=True)
class Overlay:
    """What is painted over the raster."""

    rules: tuple[Rule, ...] = ()
    notes: tuple[Note, ...] = ()
    dots: tuple[Dot, ...] = ()


class SweepItem(pg.GraphicsObject):  # type: ignore[misc]
    """Paints the raster device pixel by device pixel, whatever the ratio; stretched while its size is out of date."""

    def __init__(self) -> None:
        super().__init__()
        self.setFlag(self.GraphicsItemFlag.ItemUsesExtendedStyleOption)
        self.setAcceptedMouseButtons(Qt.MouseButton.NoButton)
        self.raster: SweepRaster | None = None
        self.overlay = Overlay()
        self._box = QRectF()

    def set_box(self, box: QRectF) -> None:
        """Where the strip stands, logical pixels of the scene."""
        self.prepareGeometryChange()
        self._box = QRectF(0, 0, box.width(), box.height())
        self.setPos(box.topLeft())

    def viewTransformChanged(self) -> None:
        """Strips stand still: there is no view box to follow."""

    def viewRangeChanged(self, *_args: object) -> None:
        """As above."""

    def boundingRect(self) -> QRectF:
        return self._box

    def paint(self, painter: QPainter, option: QStyleOptionGraphicsItem, _widget: QWidget | None = None) -> None:
        if self.raster is None:
            return
        exposed: QRectF = option.exposedRect
        raster = self.raster
        fits = abs(raster.width - self._box.width() * raster.ratio) <= 1.5
        if fits and abs(raster.height - self._box.height() * raster.ratio) <= 1.5:
            self._blit(painter, raster, exposed)
        else:
            painter.drawImage(self._box, raster.image)
        self._paint_overlay(painter, exposed)

    @staticmethod
    def _blit(painter: QPainter, raster: SweepRaster, exposed: QRectF) -> None:
        ratio = raster.ratio
        left = max(int(exposed.left() * ratio) - 1, 0)
        right = min(int(exposed.right() * ratio) + 2, raster.width)
        part = QRect(left, 0, right - left, raster.height)
        painter.save()
        painter.scale(1 / ratio, 1 / ratio)
        painter.drawImage(part.topLeft(), raster.image, part)
        painter.restore()

    def _paint_overlay(self, painter: QPainter, exposed: QRectF) -> None:
        scheme, over = tokens(), self.overlay
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        for note in over.notes:
            if note.box.intersects(exposed):
                painter.setFont(font(13))
                painter.setPen(QColor(scheme.muted))
                painter.drawText(note.box, Qt.AlignmentFlag.AlignCenter, note.text)
        for rule in over.rules:
            painter.setPen(QPen(QColor(getattr(scheme, rule.token)), rule.width))
            painter.drawLine(QPointF(rule.x, 0), QPointF(rule.x, self._box.height()))
        painter.setPen(Qt.PenStyle.NoPen)
        for dot in over.dots:
            if exposed.left() - 5 <= dot.at.x() <= exposed.right() + 5:
                painter.setBrush(QColor(scheme.traces[dot.trace]))
                painter.drawEllipse(dot.at, dot.radius, dot.radius)
