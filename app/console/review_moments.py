"""The moments of a visit: a list whose every line leads to its place in the traces."""

from collections.abc import Sequence

from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QFontMetricsF, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QFrame, QPushButton, QScrollArea, QVBoxLayout, QWidget

from app.console.review_words import clock_time
from app.ipc.messages import Moment
from core.model.words import Words
from widgets.controls import Label
from widgets.icon import paint_icon
from widgets.theme import color, font, tokens

ICONS = (
    ("consent", "hand"),
    ("check_in", "talk"),
    ("checkin", "talk"),
    ("comfort", "talk"),
    ("phase", "play"),
    ("start", "play"),
    ("resume", "play"),
    ("hold", "pause"),
    ("held", "pause"),
    ("patient_yes", "hand"),
    ("seated", "people"),
    ("pause", "pause"),
    ("stop", "pause"),
    ("gap", "link"),
    ("link", "link"),
    ("hub", "link"),
    ("verify", "check"),
    ("check", "check"),
    ("sign", "doc"),
    ("summary", "doc"),
    ("alarm", "bell"),
    ("limit", "bell"),
    ("mark", "flag"),
)
"""Part of a moment's kind → icon; the first that fits."""


class MomentList(QScrollArea):
    """Moments by time; a click or Enter leads there, where `leads` says that there is a place to go to.

    Signals:
        moment_chosen: UTC µs.
    """

    moment_chosen = Signal(object)

    def __init__(self, words: Words, parent: QWidget | None = None, *, leads: bool = True) -> None:
        super().__init__(parent)
        self._words = words
        self._leads = leads
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.show_moments(())

    def show_moments(self, moments: Sequence[Moment]) -> None:
        inner = QWidget()
        column = QVBoxLayout(inner)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        for moment in sorted(moments, key=lambda each: each.at_us):
            icon = next((icon for part, icon in ICONS if part in moment.kind), "clock")
            row = MomentRow(self._words.tell(moment.text), clock_time(moment.at_us), icon, moment.voice)
            row.set_pressable(self._leads)
            row.clicked.connect(lambda _checked=False, at=moment.at_us: self.moment_chosen.emit(at))
            column.addWidget(row)
        if not moments:
            column.addSpacing(12)
            column.addWidget(Label(self._words.say("patients.moments.none"), tone="muted", wrap=True))
        column.addStretch()
        self.setWidget(inner)

    def sizeHint(self) -> QSize:
        """It scrolls: it asks for little, however long it is."""
        return QSize(200, 96)

    def rows(self) -> list[QPushButton]:
        """The lines from the earliest to the latest."""
        return list(self.findChildren(MomentRow))


class MomentRow(QPushButton):
    """One line: an icon, a sentence, and when it was."""

    def __init__(self, sentence: str, at: str, icon: str, voice: str = "device") -> None:
        super().__init__(sentence)
        self._at, self._icon, self._voice = at, icon, voice
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setAccessibleName(f"{self._at} {sentence}")
        self.setToolTip(sentence)

    def set_pressable(self, pressable: bool) -> None:
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents, not pressable)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus if pressable else Qt.FocusPolicy.NoFocus)
        self.setFixedHeight(48 if pressable else 32)

    def sizeHint(self) -> QSize:
        return QSize(120, 48)

    def minimumSizeHint(self) -> QSize:
        return QSize(120, 48)

    def paintEvent(self, event: QPaintEvent) -> None:
        scheme = tokens()
        painter = QPainter(self)
        painter.setPen(QPen(color(scheme.line), 1))
        painter.drawLine(0, 0, self.width(), 0)
        if self.underMouse() or self.hasFocus():
            painter.fillRect(self.rect().adjusted(0, 1, 0, 0), color(scheme.sunken, 0.6))
        ink = QColor(scheme.patient if self._voice == "patient" else scheme.ink)
        paint_icon(painter, self._icon, QRectF(0, (self.height() - 20) / 2, 20, 20), ink)
        painter.setFont(font(13))
        painter.setPen(color(scheme.muted))
        time_width = QFontMetricsF(font(13)).horizontalAdvance(self._at)
        right = QRectF(self.width() - time_width, 0, time_width, self.height())
        painter.drawText(right, Qt.AlignmentFlag.AlignCenter, self._at)
        painter.setFont(font(15))
        painter.setPen(ink)
        room = QRectF(30, 0, right.left() - 38, self.height())
        text = QFontMetricsF(font(15)).elidedText(self.text(), Qt.TextElideMode.ElideRight, room.width())
        painter.drawText(room, Qt.AlignmentFlag.AlignVCenter, text)
