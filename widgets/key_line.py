"""One key in a list: its state as a mark and a word, whose it is, and its number."""

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QPainter, QPen, QPolygonF
from PySide6.QtWidgets import QAbstractButton, QSizePolicy, QWidget

from core.model.keys import KeyState
from widgets.marks import paint_state_mark
from widgets.theme import RADIUS_CONTROL, font, tokens
from widgets.tokens import Tokens

_HEIGHT = 60
_MARK, _PAD, _GAP = 24, 12, 12


def paint_key_mark(painter: QPainter, state: KeyState, rect: QRectF, scheme: Tokens) -> None:
    """A shape of its own for each state: ring with tick, half disc, dotted ring, disc with cross, question mark.

    Args:
        rect: square, logical pixels.
    """
    if state is KeyState.SOON:
        paint_state_mark(painter, "waiting", rect, scheme)
        return
    if state is KeyState.EXPIRED:
        paint_state_mark(painter, "no_hub", rect, scheme)
        return
    if state is KeyState.NONE:
        paint_state_mark(painter, "unknown", rect, scheme)
        return
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.translate(rect.topLeft())
    painter.scale(rect.width() / 24, rect.height() / 24)
    revoked = state is KeyState.REVOKED
    painter.setPen(QPen(QColor(scheme.ink), 1.6))
    painter.setBrush(QColor(scheme.ink) if revoked else Qt.BrushStyle.NoBrush)
    painter.drawEllipse(QRectF(1.6, 1.6, 20.8, 20.8))
    pen = QPen(QColor(scheme.surface if revoked else scheme.ink), 2)
    pen.setCapStyle(Qt.PenCapStyle.RoundCap)
    pen.setJoinStyle(Qt.PenJoinStyle.RoundJoin)
    painter.setPen(pen)
    if revoked:
        painter.drawLine(QPointF(8, 8), QPointF(16, 16))
        painter.drawLine(QPointF(16, 8), QPointF(8, 16))
    else:
        painter.drawPolyline(QPolygonF([QPointF(7.2, 12.4), QPointF(10.6, 15.8), QPointF(17, 8.8)]))
    painter.restore()


class KeyMark(QWidget):
    """The mark of one state; `say` is its accessible name."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._state = KeyState.NONE
        self.setFixedSize(_MARK, _MARK)

    def set_state(self, state: KeyState, say: str) -> None:
        self._state = state
        self.setAccessibleName(say)
        self.update()

    def paintEvent(self, _event: object) -> None:
        painter = QPainter(self)
        paint_key_mark(painter, self._state, QRectF(self.rect()).adjusted(1, 1, -1, -1), tokens())
        painter.end()


class KeyLine(QAbstractButton):
    """A row to choose. `word` says the state, `detail` is one line below the title."""

    def __init__(
        self, state: KeyState, *, title: str, detail: str, word: str, note: str = "", parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._state, self._title, self._detail, self._word, self._note = state, title, detail, word, note
        self.setCheckable(True)
        self.setFixedHeight(_HEIGHT)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAccessibleName(", ".join(part for part in (title, note, word, detail) if part))

    @property
    def state(self) -> KeyState:
        return self._state

    @property
    def words(self) -> tuple[str, str, str]:
        """Title, line below it, state."""
        return self._title, self._detail, self._word

    def sizeHint(self) -> QSize:
        return QSize(320, _HEIGHT)

    def minimumSizeHint(self) -> QSize:
        return QSize(200, _HEIGHT)

    def paintEvent(self, _event: object) -> None:
        scheme = tokens()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if self.isChecked() or self.underMouse():
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(scheme.sunken if self.isChecked() else scheme.bg))
            painter.drawRoundedRect(QRectF(self.rect()), RADIUS_CONTROL, RADIUS_CONTROL)
        paint_key_mark(painter, self._state, QRectF(_PAD, (_HEIGHT - _MARK) / 2, _MARK, _MARK), scheme)
        right = self._paint_word(painter, scheme)
        self._paint_text(painter, scheme, right)
        painter.end()

    def _paint_word(self, painter: QPainter, scheme: Tokens) -> float:
        """The state's word at the right end; where it begins."""
        face = font(15, bold=True)
        width = QFontMetricsF(face).horizontalAdvance(self._word) + 2
        left = self.width() - _PAD - width
        painter.setFont(face)
        painter.setPen(QColor(scheme.ink))
        painter.drawText(QRectF(left, 0, width, _HEIGHT), Qt.AlignmentFlag.AlignVCenter, self._word)
        return left

    def _paint_text(self, painter: QPainter, scheme: Tokens, right: float) -> None:
        left = _PAD + _MARK + _GAP
        room = right - _GAP - left
        face, small = font(15, bold=True), font(13)
        note = QFontMetricsF(small).horizontalAdvance(self._note) + 8 if self._note else 0
        title = QFontMetricsF(face).elidedText(self._title, Qt.TextElideMode.ElideRight, room - note)
        painter.setFont(face)
        painter.setPen(QColor(scheme.ink))
        painter.drawText(QPointF(left, 26), title)
        painter.setFont(small)
        painter.setPen(QColor(scheme.muted))
        if self._note:
            painter.drawText(QPointF(left + QFontMetricsF(face).horizontalAdvance(title) + 8, 26), self._note)
        detail = QFontMetricsF(small).elidedText(self._detail, Qt.TextElideMode.ElideRight, room)
        painter.drawText(QPointF(left, 46), detail)
