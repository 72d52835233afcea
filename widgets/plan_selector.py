"""One choice out of few in a field of 48 px; the list opens under it, inside the page, never as a window."""

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QEvent, QObject, QPoint, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QFontMetricsF, QHideEvent, QKeyEvent, QPainter, QPen
from PySide6.QtWidgets import QAbstractButton, QFrame, QSizePolicy, QVBoxLayout, QWidget

from widgets.icon import paint_icon
from widgets.theme import font, tokens


@dataclass(frozen=True, slots=True)
class ChoiceOption:
    """`token` names the colour; `dashed` is for what was left out."""

    key: str
    text: str
    icon: str
    token: str = "action"
    dashed: bool = False


class _Row(QAbstractButton):
    def __init__(self, option: ChoiceOption, parent: QWidget) -> None:
        super().__init__(parent)
        self.option = option
        self.setFixedHeight(48)
        self.setAccessibleName(option.text)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def sizeHint(self) -> QSize:
        return QSize(160, 48)

    def paintEvent(self, _event: object) -> None:
        scheme = tokens()
        painter = QPainter(self)
        if self.underMouse() or self.hasFocus():
            painter.fillRect(self.rect(), QColor(scheme.sunken))
        _paint_option(painter, self.option, self.width())
        painter.end()


class _List(QFrame):
    """The open list: a child of the page, above everything in it."""

    def __init__(self, owner: "ChoiceSelector", options: Sequence[ChoiceOption]) -> None:
        super().__init__(owner.window())
        self._owner = owner
        column = QVBoxLayout(self)
        column.setContentsMargins(2, 2, 2, 2)
        column.setSpacing(0)
        self.rows = [_Row(option, self) for option in options]
        for row in self.rows:
            row.clicked.connect(lambda _=False, key=row.option.key: owner.pick(key))
            column.addWidget(row)
        self.setGeometry(self._place(owner, len(options)))
        self.raise_()
        self.show()

    @staticmethod
    def _place(owner: "ChoiceSelector", count: int) -> QRect:
        corner = owner.mapTo(owner.window(), QPoint(0, owner.height() + 4))
        return QRect(corner, QSize(owner.width(), 48 * count + 4))

    def paintEvent(self, _event: object) -> None:
        scheme = tokens()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(QColor(scheme.ink), 1.5))
        painter.setBrush(QColor(scheme.surface))
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(0.75, 0.75, -0.75, -0.75), 6, 6)
        painter.end()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        here = next((place for place, row in enumerate(self.rows) if row.hasFocus()), 0)
        if event.key() == Qt.Key.Key_Escape:
            self._owner.fold()
        elif event.key() in (Qt.Key.Key_Down, Qt.Key.Key_Up):
            step = 1 if event.key() == Qt.Key.Key_Down else -1
            self.rows[(here + step) % len(self.rows)].setFocus(Qt.FocusReason.TabFocusReason)
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.rows[here].click()
        else:
            super().keyPressEvent(event)


class ChoiceSelector(QAbstractButton):
    """Shows the choice in its colour. `chosen` carries the key when a person chose; setting it by code is silent."""

    chosen = Signal(str)

    def __init__(self, options: Sequence[ChoiceOption], name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._options = list(options)
        self._name = name
        self._key = self._options[0].key
        self._list: _List | None = None
        self.setFixedHeight(48)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.clicked.connect(self.unfold)
        self._say()

    @property
    def key(self) -> str:
        return self._key

    @property
    def options(self) -> list[QAbstractButton]:
        """The rows of the open list; empty while it is folded."""
        return list(self._list.rows) if self._list is not None else []

    def choose(self, key: str) -> None:
        self._key = key
        self._say()
        self.update()

    def pick(self, key: str) -> None:
        """As a person does."""
        self.fold()
        if key != self._key:
            self.choose(key)
            self.chosen.emit(key)

    def unfold(self) -> None:
        if self._list is not None:
            self.fold()
            return
        self._list = _List(self, self._options)
        here = next(row for row in self._list.rows if row.option.key == self._key)
        here.setFocus(Qt.FocusReason.PopupFocusReason)
        self.window().installEventFilter(self)

    def fold(self) -> None:
        if self._list is None:
            return
        self.window().removeEventFilter(self)
        self._list.hide()
        self._list.deleteLater()
        self._list = None
        self.setFocus(Qt.FocusReason.PopupFocusReason)

    def eventFilter(self, _watched: QObject, event: QEvent) -> bool:
        if event.type() in (QEvent.Type.Resize, QEvent.Type.MouseButtonPress):
            self.fold()
        return False

    def hideEvent(self, event: QHideEvent) -> None:
        self.fold()
        super().hideEvent(event)

    def sizeHint(self) -> QSize:
        widest = max(QFontMetricsF(font(15, bold=True)).horizontalAdvance(option.text) for option in self._options)
        return QSize(round(widest) + 96, 48)

    def paintEvent(self, _event: object) -> None:
        scheme = tokens()
        option = next(one for one in self._options if one.key == self._key)
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        pen = QPen(QColor(getattr(scheme, option.token)), 1 if option.dashed else 2)
        if option.dashed:
            pen.setDashPattern([3, 3])
        painter.setPen(pen)
        painter.setBrush(QColor(scheme.surface))
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(1, 1, -1, -1), 6, 6)
        _paint_option(painter, option, self.width())
        chevron = QRectF(self.width() - 36, 14, 20, 20)
        painter.translate(chevron.center())
        painter.rotate(90)
        paint_icon(painter, "right", QRectF(-10, -10, 20, 20), scheme.ink)
        painter.end()

    def _say(self) -> None:
        text = next(option.text for option in self._options if option.key == self._key)
        self.setAccessibleName(f"{self._name}: {text}")


def _paint_option(painter: QPainter, option: ChoiceOption, width: int) -> None:
    colour = getattr(tokens(), option.token)
    paint_icon(painter, option.icon, QRectF(17, 15, 18, 18), colour)
    painter.setFont(font(15, bold=True))
    painter.setPen(QColor(colour))
    painter.drawText(QRectF(45, 0, width - 80, 48), Qt.AlignmentFlag.AlignVCenter, option.text)
