"""The block at the right of the strips: whose limit each hairline is, and its value."""

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QPointF, QRect, QRectF, Qt
from PySide6.QtGui import QColor, QPainter
from PySide6.QtWidgets import QWidget

from core.model.channel import ChannelSpec
from core.model.limits import Limit, LimitOwner
from widgets.marks import paint_owner_mark
from widgets.strips.raster import PADDING, ValueScale
from widgets.strips.reading import say_bound
from widgets.theme import font, tokens

MARK = 10.0
APART = 16.0


@dataclass(frozen=True, slots=True)
class Sign:
    """One bound in the gutter: y in logical pixels from the top of the strips."""

    y: float
    owner: LimitOwner
    text: str


class Gutter(QWidget):
    """Signs of every limit, pushed apart where they would lie upon each other."""

    def __init__(self, specs: Sequence[ChannelSpec], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._specs = list(specs)
        self._rows: list[QRect] = []
        self._limits: tuple[Limit, ...] = ()
        self._signs: list[Sign] = []

    @property
    def signs(self) -> list[Sign]:
        return list(self._signs)

    def set_rows(self, rows: Sequence[QRect]) -> None:
        self._rows = list(rows)
        self._place()

    def set_limits(self, limits: Sequence[Limit]) -> None:
        if tuple(limits) != self._limits:
            self._limits = tuple(limits)
            self._place()

    def paintEvent(self, _event: object) -> None:
        scheme = tokens()
        painter = QPainter(self)
        for row in self._rows:
            painter.fillRect(QRect(0, row.bottom(), self.width(), 1), QColor(scheme.line))
        for sign in self._signs:
            own = sign.owner is LimitOwner.PATIENT
            colour = scheme.patient if own else scheme.muted
            paint_owner_mark(painter, sign.owner, QPointF(14, sign.y), MARK, colour)
            painter.setFont(font(13, bold=own))
            painter.setPen(QColor(colour))
            box = QRectF(26, sign.y - 10, self.width() - 28, 20)
            painter.drawText(box, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, sign.text)
        painter.end()

    def _place(self) -> None:
        self._signs = []
        for spec, row in zip(self._specs, self._rows, strict=False):
            limits = [limit for limit in self._limits if limit.channel == spec.key]
            scale = ValueScale.of_limits(spec, limits, PADDING, row.height() - PADDING)
            signs = [
                Sign(row.top() + scale.y(bound), limit.owner, say_bound(spec, bound))
                for limit in limits
                for bound in (limit.low, limit.high)
                if bound is not None and scale.holds(bound)
            ]
            self._signs += _apart(signs, row.top() + 9, row.bottom() - 9)
        self.update()


def _apart(signs: list[Sign], top: float, bottom: float) -> list[Sign]:
    """From the top down, then from the bottom up, so that none leaves its row as long as they fit."""
    placed = sorted(signs, key=lambda sign: sign.y)
    ys = [sign.y for sign in placed]
    for index, y in enumerate(ys):
        ys[index] = max(y, top if index == 0 else ys[index - 1] + APART)
    for index in range(len(ys) - 1, -1, -1):
        ys[index] = min(ys[index], bottom if index == len(ys) - 1 else ys[index + 1] - APART)
    return [Sign(y, sign.owner, sign.text) for y, sign in zip(ys, placed, strict=True)]
