"""A patient's visits along one line."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QFocusEvent, QFontMetricsF, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from widgets.focus import OWN_FOCUS
from widgets.theme import RADIUS_CONTROL, color, font, tokens

Kind = Literal["past", "open", "planned"]
HEIGHT = 92
CELL = 104.0
LINE_Y = 32.0


@dataclass(frozen=True)
class TimelineEntry:
    """One visit. `note`: what changed since the visit before, in the patient's voice."""

    id: str
    when: str
    title: str
    kind: Kind = "past"
    note: str = ""


class Timeline(QWidget):
    """Entries from the oldest to the newest, evenly spaced; one of them is chosen.

    Keys: Left and Right go from visit to visit, Enter opens.

    Signals:
        entry_chosen: id of the entry.
    """

    entry_chosen = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._entries: tuple[TimelineEntry, ...] = ()
        self._chosen = ""
        self._cursor = 0
        self._hovered = -1
        self._by_key = False
        self.setProperty(OWN_FOCUS, True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMouseTracking(True)
        self.setFixedHeight(HEIGHT)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def set_entries(self, entries: Sequence[TimelineEntry]) -> None:
        self._entries = tuple(entries)
        self._cursor = max(0, len(entries) - 1)
        self._chosen = ""
        self.setMinimumWidth(round(len(entries) * (CELL + 8)))
        self._say_cursor()
        self.update()

    def choose(self, entry_id: str) -> None:
        """Mark one entry as the one shown, silently."""
        self._chosen = entry_id
        found = [index for index, entry in enumerate(self._entries) if entry.id == entry_id]
        if found:
            self._cursor = found[0]
        self._say_cursor()
        self.update()

    @property
    def chosen(self) -> str:
        return self._chosen

    def entry_rect(self, entry_id: str) -> QRectF:
        """The entry's cell in widget pixels. Raises StopIteration for an unknown id."""
        return self._cell(next(index for index, entry in enumerate(self._entries) if entry.id == entry_id))

    def sizeHint(self) -> QSize:
        return QSize(max(600, self.minimumWidth()), HEIGHT)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        scheme = tokens()
        for index, entry in enumerate(self._entries):
            if entry.id == self._chosen or index == self._hovered:
                painter.setPen(Qt.PenStyle.NoPen)
                painter.setBrush(color(scheme.sunken, 1.0 if entry.id == self._chosen else 0.5))
                painter.drawRoundedRect(self._cell(index), RADIUS_CONTROL, RADIUS_CONTROL)
        if self._entries:
            painter.setPen(QPen(color(scheme.control), 1.5))
            painter.drawLine(QPointF(0, LINE_Y), QPointF(self.width(), LINE_Y))
        for index, entry in enumerate(self._entries):
            self._paint_entry(painter, index, entry)
        if self._by_key and self.hasFocus() and self._entries:
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(QPen(color(scheme.ink), 2))
            painter.drawRoundedRect(self._cell(self._cursor).adjusted(1, 1, -1, -1), RADIUS_CONTROL, RADIUS_CONTROL)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        hovered = self._at(event.position())
        if hovered != self._hovered:
            self._hovered = hovered
            self.setCursor(Qt.CursorShape.PointingHandCursor if hovered >= 0 else Qt.CursorShape.ArrowCursor)
            self.update()

    def leaveEvent(self, event: object) -> None:
        self._hovered = -1
        self.update()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        self._by_key = False
        index = self._at(event.position())
        if index >= 0:
            self._open(index)

    def focusInEvent(self, event: QFocusEvent) -> None:
        self._by_key = event.reason() in (Qt.FocusReason.TabFocusReason, Qt.FocusReason.BacktabFocusReason)
        super().focusInEvent(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        self._by_key = True
        if event.key() in (Qt.Key.Key_Left, Qt.Key.Key_Right) and self._entries:
            step = -1 if event.key() == Qt.Key.Key_Left else 1
            self._cursor = min(max(0, self._cursor + step), len(self._entries) - 1)
            self._say_cursor()
            self.update()
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space) and self._entries:
            self._open(self._cursor)
        else:
            super().keyPressEvent(event)

    def _open(self, index: int) -> None:
        self.choose(self._entries[index].id)
        self.entry_chosen.emit(self._entries[index].id)

    def _say_cursor(self) -> None:
        entry = self._entries[self._cursor] if self._entries else None
        self.setAccessibleDescription(f"{entry.when}: {entry.title}" if entry else "")

    def _at(self, point: QPointF) -> int:
        return next((index for index in range(len(self._entries)) if self._cell(index).contains(point)), -1)

    def _centre(self, index: int) -> float:
        return self.width() * (index + 0.5) / len(self._entries)

    def _wanted(self, index: int) -> float:
        """The width of an entry's words."""
        entry = self._entries[index]
        when = QFontMetricsF(font(13, bold=True)).horizontalAdvance(entry.when)
        return max(when, QFontMetricsF(font(13)).horizontalAdvance(entry.title)) + 20

    def _cell(self, index: int) -> QRectF:
        width = min(max(CELL, self._wanted(index)), self.width() / len(self._entries) - 4)
        return QRectF(self._centre(index) - width / 2, 2, width, HEIGHT - 4)

    def _paint_entry(self, painter: QPainter, index: int, entry: TimelineEntry) -> None:
        scheme = tokens()
        x = self._centre(index)
        chosen = entry.id == self._chosen
        centre = QPointF(x, LINE_Y)
        if entry.note and index:
            self._paint_note(painter, entry.note, (self._centre(index - 1) + x) / 2)
        if entry.kind == "past" or chosen:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(color(scheme.action if chosen else scheme.ink))
            painter.drawEllipse(centre, 10.0 if chosen else 7.0, 10.0 if chosen else 7.0)
        else:
            pen = QPen(
                color(scheme.ink if entry.kind == "open" else scheme.control), 3 if entry.kind == "open" else 1.5
            )
            if entry.kind == "planned":
                pen.setDashPattern([2, 2])
            painter.setPen(pen)
            painter.setBrush(color(scheme.surface))
            painter.drawEllipse(centre, 6.5, 6.5)
        cell = self._cell(index)
        for text, y, bold in ((entry.when, 47.0, True), (entry.title, 66.0, False)):
            face = font(13, bold=bold)
            painter.setFont(face)
            painter.setPen(color(scheme.ink if bold else scheme.muted))
            room = QRectF(cell.left() + 2, y, cell.width() - 4, 20)
            shown = QFontMetricsF(face).elidedText(text, Qt.TextElideMode.ElideRight, room.width())
            painter.drawText(room, Qt.AlignmentFlag.AlignCenter, shown)

    def _paint_note(self, painter: QPainter, note: str, x: float) -> None:
        plum = color(tokens().patient)
        painter.setPen(QPen(plum, 1.5))
        painter.drawLine(QPointF(x, LINE_Y - 14), QPointF(x, LINE_Y))
        painter.setFont(font(13, bold=True))
        painter.drawText(QRectF(x - 110, 0, 220, 17), Qt.AlignmentFlag.AlignCenter, note)
