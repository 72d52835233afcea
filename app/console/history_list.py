"""The time line as a list: one painted row for each thing, what was corrected with who and why."""

from collections.abc import Sequence

from PySide6.QtCore import (
    QAbstractListModel,
    QItemSelectionModel,
    QModelIndex,
    QPersistentModelIndex,
    QRectF,
    QSize,
    Qt,
    Signal,
)
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QPainter
from PySide6.QtWidgets import QListView, QStyle, QStyledItemDelegate, QStyleOptionViewItem, QWidget

from app.console.history_words import ICONS, HistoryItem, correction, who
from app.console.review_words import clock_time, short_date
from core.model.words import Words
from widgets.icon import paint_icon
from widgets.theme import color, font, tokens

ROW, CORRECTED = 56, 76
_WHEN, _ICON = 106.0, 36.0
_Index = QModelIndex | QPersistentModelIndex


class HistoryModel(QAbstractListModel):
    def __init__(self, words: Words, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._words = words
        self.items: list[HistoryItem] = []
        self.now_us = 0

    def rowCount(self, parent: _Index = QModelIndex()) -> int:  # noqa: B008
        return 0 if parent.isValid() else len(self.items)

    def data(self, index: _Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        item = self.items[index.row()]
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.AccessibleTextRole):
            kind = self._words.say(f"clinical.kind.{item.kind}")
            date = f"{short_date(self._words, item.at_us, day=True)} {clock_time(item.at_us)}"
            parts = (date, kind, item.line, correction(self._words, item, self.now_us))
            return ". ".join(part for part in parts if part)
        if role == Qt.ItemDataRole.ToolTipRole:
            return item.line
        return None

    def set_items(self, items: Sequence[HistoryItem], now_us: int) -> None:
        self.beginResetModel()
        self.items, self.now_us = list(items), now_us
        self.endResetModel()


class HistoryDelegate(QStyledItemDelegate):
    """Date and time, icon, sentence, who; below it how it was corrected. What was withdrawn is struck through."""

    def __init__(self, words: Words, model: HistoryModel, parent: QWidget) -> None:
        super().__init__(parent)
        self._words, self._model = words, model

    def sizeHint(self, _option: QStyleOptionViewItem, index: _Index) -> QSize:
        told = correction(self._words, self._model.items[index.row()], self._model.now_us)
        return QSize(200, CORRECTED if told else ROW)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: _Index) -> None:
        scheme = tokens()
        item = self._model.items[index.row()]
        box = QRectF(option.rect)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        chosen = bool(option.state & QStyle.StateFlag.State_Selected)
        if chosen or option.state & QStyle.StateFlag.State_MouseOver:
            painter.fillRect(box.adjusted(0, 1, 0, 0), color(scheme.sunken, 1.0 if chosen else 0.5))
        if chosen:
            painter.fillRect(QRectF(box.left(), box.top() + 1, 3, box.height() - 1), QColor(scheme.action))
        painter.fillRect(QRectF(box.left(), box.top(), box.width(), 1), QColor(scheme.line))
        ink = QColor(scheme.patient if item.voice == "patient" else scheme.ink)
        x, right = box.left() + 12, box.right() - 10
        line = QRectF(x, box.top() + 1, box.width(), ROW - 2)
        self._when(painter, line, item)
        paint_icon(painter, ICONS[item.kind], QRectF(x + _WHEN, line.center().y() - 10, 20, 20), ink)
        right -= self._side(painter, line, right, item)
        face = font(15, bold=item.kind in ("visit", "adverse"))
        struck = QFont(face)
        struck.setStrikeOut(item.withdrawn)
        painter.setFont(struck)
        painter.setPen(QColor(scheme.muted) if item.withdrawn else ink)
        left = x + _WHEN + _ICON
        text = QFontMetricsF(face).elidedText(item.line, Qt.TextElideMode.ElideRight, right - left)
        painter.drawText(QRectF(left, line.top(), right - left, line.height()), Qt.AlignmentFlag.AlignVCenter, text)
        if told := correction(self._words, item, self._model.now_us):
            self._below(painter, QRectF(left, box.top() + 46, box.right() - 10 - left, 22), told)
        painter.restore()

    def _when(self, painter: QPainter, line: QRectF, item: HistoryItem) -> None:
        scheme = tokens()
        painter.setFont(font(13, bold=True))
        painter.setPen(QColor(scheme.ink))
        middle, half = Qt.AlignmentFlag.AlignVCenter, line.height() / 2
        date = short_date(self._words, item.at_us, day=True)
        painter.drawText(QRectF(line.left(), line.top() + 6, _WHEN, half - 4), middle, date)
        painter.setFont(font(13))
        painter.setPen(QColor(scheme.muted))
        painter.drawText(QRectF(line.left(), line.top() + half - 2, _WHEN, half - 4), middle, clock_time(item.at_us))

    def _side(self, painter: QPainter, line: QRectF, right: float, item: HistoryItem) -> float:
        """Who wrote it, at the right; returns the room that it takes."""
        first = item.versions[0] if item.versions else None
        said = who(self._words, first.author) if first is not None else ""
        if not said:
            return 0.0
        painter.setFont(font(13))
        painter.setPen(QColor(tokens().muted))
        width = QFontMetricsF(font(13)).horizontalAdvance(said)
        painter.drawText(
            QRectF(right - width - 2, line.top(), width + 4, line.height()), Qt.AlignmentFlag.AlignVCenter, said
        )
        return width + 16

    @staticmethod
    def _below(painter: QPainter, room: QRectF, told: str) -> None:
        painter.setFont(font(13))
        painter.setPen(QColor(tokens().muted))
        text = QFontMetricsF(font(13)).elidedText(told, Qt.TextElideMode.ElideRight, room.width())
        painter.drawText(room, Qt.AlignmentFlag.AlignVCenter, text)


class HistoryList(QListView):
    """Rows by arrow keys or touch.

    Signals:
        item_chosen: a HistoryItem.
    """

    item_chosen = Signal(object)

    def __init__(self, words: Words, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.history = HistoryModel(words, self)
        self.setModel(self.history)
        self.setItemDelegate(HistoryDelegate(words, self.history, self))
        self.setFrameShape(QListView.Shape.NoFrame)
        self.setStyleSheet("QListView { background: transparent; border: none; outline: none; }")
        self.setMouseTracking(True)
        self.setVerticalScrollMode(QListView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setResizeMode(QListView.ResizeMode.Adjust)
        self.setAccessibleName(words.say("clinical.title"))
        self.selectionModel().currentChanged.connect(self._current)

    def show_items(self, items: Sequence[HistoryItem], now_us: int) -> None:
        self.history.set_items(items, now_us)

    def choose(self, entry_id: str, kind: str) -> None:
        """Choose a row, as a press would."""
        for row, item in enumerate(self.history.items):
            if (item.id, item.kind) == (entry_id, kind):
                index = self.history.index(row)
                self.selectionModel().setCurrentIndex(index, QItemSelectionModel.SelectionFlag.ClearAndSelect)
                self.scrollTo(index, QListView.ScrollHint.PositionAtCenter)

    def _current(self, index: _Index) -> None:
        if index.isValid():
            self.item_chosen.emit(self.history.items[index.row()])
