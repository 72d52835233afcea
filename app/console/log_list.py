"""The log as a list: one painted row per entry, newest first."""

from collections.abc import Sequence

from PySide6.QtCore import QAbstractListModel, QModelIndex, QPersistentModelIndex, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QPainter
from PySide6.QtWidgets import QListView, QStyledItemDelegate, QStyleOptionViewItem, QWidget

from app.console import status
from app.ipc.messages import LogEntry
from core.model.alarm import AlarmPriority
from core.model.words import Words
from widgets.icon import paint_icon
from widgets.marks import paint_alarm_mark
from widgets.theme import font, tokens

ROW = 48
_ICONS = {"event": "doc", "command": "right", "alarm": "bell"}
_Index = QModelIndex | QPersistentModelIndex


class LogModel(QAbstractListModel):
    """Entries as the engine gave them."""

    def __init__(self, words: Words, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._words = words
        self._entries: list[LogEntry] = []

    def rowCount(self, parent: _Index = QModelIndex()) -> int:  # noqa: B008
        return 0 if parent.isValid() else len(self._entries)

    def data(self, index: _Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        entry = self._entries[index.row()]
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.AccessibleTextRole, Qt.ItemDataRole.ToolTipRole):
            where = self._words.say("shell.chair_name", number=entry.chair) if entry.chair else ""
            said = (status.local_time(entry.at_us, seconds=True), where, self._words.tell(entry.text), entry.actor)
            return ". ".join(part for part in said if part)
        return None

    def entry(self, row: int) -> LogEntry:
        return self._entries[row]

    def set_entries(self, entries: Sequence[LogEntry]) -> None:
        self.beginResetModel()
        self._entries = list(entries)
        self.endResetModel()


class LogDelegate(QStyledItemDelegate):
    """Time, chair, mark, sentence, who, how long."""

    def __init__(self, words: Words, model: LogModel, parent: QWidget) -> None:
        super().__init__(parent)
        self._words = words
        self._model = model

    def sizeHint(self, _option: QStyleOptionViewItem, _index: _Index) -> QSize:
        return QSize(200, ROW)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: _Index) -> None:
        scheme = tokens()
        entry = self._model.entry(index.row())
        box = QRectF(option.rect)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.fillRect(QRectF(box.left(), box.bottom() - 1, box.width(), 1), QColor(scheme.line))
        x, y, height = box.left() + 4, box.top(), box.height()
        painter.setFont(font(15))
        painter.setPen(QColor(scheme.muted))
        middle = int(Qt.AlignmentFlag.AlignVCenter)
        painter.drawText(QRectF(x, y, 74, height), middle, status.local_time(entry.at_us, seconds=True))
        painter.setFont(font(18, bold=True))
        painter.setPen(QColor(scheme.ink))
        painter.drawText(QRectF(x + 80, y, 24, height), middle, str(entry.chair) if entry.chair else "–")
        mark = QRectF(x + 108, y + 12, 24, 24)
        if entry.priority:
            paint_alarm_mark(painter, AlarmPriority(min(3, max(1, entry.priority))), mark, scheme)
        else:
            paint_icon(painter, _ICONS.get(entry.kind, "doc"), mark.adjusted(2, 2, -2, -2), scheme.muted)
        right = box.right() - 8
        side = font(13)
        painter.setFont(side)
        painter.setPen(QColor(scheme.muted))
        aside = [entry.actor] if entry.actor else []
        if entry.duration_s is not None:
            seconds = round(entry.duration_s)
            aside.append(self._words.say("shell.log.lasted", time=f"{seconds // 60}:{seconds % 60:02d}"))
        said = ", ".join(aside)
        width = QFontMetricsF(side).horizontalAdvance(said)
        painter.drawText(QRectF(right - width - 2, y, width + 4, height), middle, said)
        name = font(15, bold=entry.priority >= AlarmPriority.MEDIUM)
        painter.setFont(name)
        painter.setPen(QColor(scheme.ink))
        room = right - width - 16 - (x + 144)
        text = QFontMetricsF(name).elidedText(self._words.tell(entry.text), Qt.TextElideMode.ElideRight, room)
        painter.drawText(QRectF(x + 144, y, room, height), middle, text)
        painter.restore()


class LogList(QListView):
    """Rows that can be read with the arrow keys; nothing to edit."""

    def __init__(self, words: Words, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.log = LogModel(words, self)
        self.setModel(self.log)
        self.setItemDelegate(LogDelegate(words, self.log, self))
        self.setUniformItemSizes(True)
        self.setFrameShape(QListView.Shape.NoFrame)
        self.setStyleSheet("QListView { background: transparent; border: none; outline: none; }")
        self.setVerticalScrollMode(QListView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setAccessibleName(words.say("shell.safety.log"))
