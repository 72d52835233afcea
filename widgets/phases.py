"""The phases of a treatment as rows, and the lines of a check: a mark, a name, a figure."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from widgets.icon import paint_icon
from widgets.marks import paint_state_mark
from widgets.theme import font, tokens

Mark = Literal["done", "running", "held", "waiting", "skipped", "unknown", "failed"]
ROW = 32
ROW_TALL = 40
MARK = 20


@dataclass(frozen=True, slots=True)
class PhaseRow:
    """One row, words already said.

    Attributes:
        progress: 0–1, shown under the current row only.
        spoken: what somebody hears who does not see the mark.
    """

    mark: Mark
    name: str
    figure: str
    current: bool = False
    progress: float = 0.0
    spoken: str = ""


class PhaseRows(QWidget):
    """Rows of phases; the current one is sunken, with its progress under it."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._rows: tuple[PhaseRow, ...] = ()
        self._height = ROW
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    @property
    def rows(self) -> tuple[PhaseRow, ...]:
        return self._rows

    @property
    def row_height(self) -> int:
        return self._height

    def set_rows(self, rows: Sequence[PhaseRow]) -> None:
        if tuple(rows) == self._rows:
            return
        grown = len(rows) != len(self._rows)
        self._rows = tuple(rows)
        self.setAccessibleName(". ".join(f"{row.name}, {row.spoken}, {row.figure}" for row in rows))
        if grown:
            self.setFixedHeight(self.sizeHint().height())
        self.update()

    def set_tall(self, tall: bool) -> None:
        self._height = ROW_TALL if tall else ROW
        self.setFixedHeight(self.sizeHint().height())

    def sizeHint(self) -> QSize:
        return QSize(320, self._height * len(self._rows))

    def paintEvent(self, _event: object) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        for place, row in enumerate(self._rows):
            self._paint_row(painter, row, QRectF(0, place * self._height, self.width(), self._height))
        painter.end()

    def _paint_row(self, painter: QPainter, row: PhaseRow, box: QRectF) -> None:
        scheme = tokens()
        if row.current:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(scheme.sunken))
            painter.drawRoundedRect(box, 6, 6)
            rail = QRectF(box.left() + 2, box.bottom() - 3, box.width() - 4, 3)
            painter.setBrush(QColor(scheme.line))
            painter.drawRoundedRect(rail, 1.5, 1.5)
            painter.setBrush(QColor(scheme.action))
            rail.setWidth(rail.width() * min(max(row.progress, 0.0), 1.0))
            painter.drawRoundedRect(rail, 1.5, 1.5)
        mark = QRectF(box.left() + 8, box.center().y() - MARK / 2, MARK, MARK)
        paint_row_mark(painter, row.mark, mark)
        painter.setFont(font(15, bold=row.current))
        painter.setPen(QColor(scheme.ink if row.current else scheme.muted))
        inner = box.adjusted(38, 0, -8, 0)
        painter.drawText(inner, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight, row.figure)
        painter.drawText(inner, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, row.name)


def paint_row_mark(painter: QPainter, mark: Mark, box: QRectF) -> None:
    """The mark of one row: a check, a disc with play, a square with bars, an open circle, a cross, a triangle."""
    scheme = tokens()
    if mark == "done":
        paint_icon(painter, "check", box, scheme.ink)
    elif mark in ("running", "held", "unknown"):
        paint_state_mark(painter, {"running": "treating"}.get(mark, mark), box, scheme)
    elif mark == "failed":
        paint_icon(painter, "x", box, scheme.ink)
    elif mark == "skipped":
        paint_icon(painter, "skip", box, scheme.muted)
    else:
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(QPen(QColor(scheme.control), 1.6))
        painter.drawEllipse(box.adjusted(1.5, 1.5, -1.5, -1.5))


class RowMark(QWidget):
    """One such mark as a widget of its own."""

    def __init__(self, mark: Mark = "waiting", size: int = MARK, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._mark: Mark = mark
        self.setFixedSize(size, size)

    def set_mark(self, mark: Mark, spoken: str) -> None:
        self._mark = mark
        self.setAccessibleName(spoken)
        self.update()

    @property
    def mark(self) -> Mark:
        return self._mark

    def paintEvent(self, _event: object) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        paint_row_mark(painter, self._mark, QRectF(self.rect()))
        painter.end()


class TouchRing(QWidget):
    """The ring before one of the three touches: its number, or a check on a filled disc once it is done."""

    def __init__(self, number: int, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._number = number
        self._token, self._done = "muted", False
        self.setFixedSize(32, 32)

    def set_state(self, token: str, done: bool) -> None:
        """`token`: the colour's name."""
        self._token, self._done = token, done
        self.update()

    def paintEvent(self, _event: object) -> None:
        scheme = tokens()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if self._done:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(scheme.action))
            painter.drawEllipse(QPointF(16, 16), 16, 16)
            paint_icon(painter, "check", QRectF(6, 6, 20, 20), scheme.on_action)
        else:
            colour = QColor(getattr(scheme, self._token))
            painter.setPen(QPen(colour, 2))
            painter.drawEllipse(QPointF(16, 16), 15, 15)
            painter.setFont(font(15))
            painter.drawText(self.rect(), Qt.AlignmentFlag.AlignCenter, str(self._number))
        painter.end()


class ProgressRing(QWidget):
    """How far something measured has come: a ring with a figure in it."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._share, self._figure = 0.0, ""
        self.setFixedSize(112, 112)

    def set_progress(self, share: float, figure: str) -> None:
        """`share` 0–1."""
        self._share, self._figure = share, figure
        self.setAccessibleName(figure)
        self.update()

    def paintEvent(self, _event: object) -> None:
        scheme = tokens()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        box = QRectF(self.rect()).adjusted(5, 5, -5, -5)
        painter.setPen(QPen(QColor(scheme.line), 8))
        painter.drawEllipse(box)
        pen = QPen(QColor(scheme.action), 8)
        pen.setCapStyle(Qt.PenCapStyle.RoundCap)
        painter.setPen(pen)
        if self._share > 0:
            painter.drawArc(box, 90 * 16, -round(360 * 16 * min(self._share, 1.0)))
        painter.setPen(QColor(scheme.ink))
        painter.setFont(font(24, bold=True))
        painter.drawText(self.rect(), Qt.AlignmentFlag.AlignCenter, self._figure)
        painter.end()
