"""One line of the list of patients: somebody, or something that was found about somebody."""

from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import QFontMetricsF, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QPushButton

from app.console.discreet import listed
from app.console.history_words import ICONS, line_of
from app.console.review_words import birth_date, short_date, visit_title
from core.model.search import Found
from core.model.words import Words
from widgets.icon import paint_icon
from widgets.reveal import Reveal
from widgets.theme import color, font, tokens

HEIGHT = 64


class FoundRow(QPushButton):
    """Name or initials, and what belongs to it. Where names are hidden, the first touch shows them, the second opens.

    Signals:
        opened: it was meant.
    """

    opened = Signal()

    def __init__(self, found: Found, chair: int | None, words: Words, *, discreet: bool) -> None:
        super().__init__()
        self.found = found
        self._words = words
        self._chair = words.say("patients.in_chair", chair=chair) if chair else ""
        self.reveal = Reveal(self, discreet=discreet)
        self.reveal.changed.connect(self._say)
        self.setFixedHeight(HEIGHT)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.clicked.connect(self._press)
        self._say()

    @property
    def person(self) -> str:
        code = self.found.visit.code if self.found.visit is not None else ""
        return listed(self._words, self.found.patient, code, shown=self.reveal.shown)

    def sizeHint(self) -> QSize:
        return QSize(480, HEIGHT)

    def paintEvent(self, event: QPaintEvent) -> None:
        scheme = tokens()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(color(scheme.line), 1))
        painter.drawLine(0, 0, self.width(), 0)
        if self.underMouse() or self.hasFocus():
            painter.fillRect(self.rect().adjusted(0, 1, 0, 0), color(scheme.sunken, 0.6))
        middle = Qt.AlignmentFlag.AlignVCenter
        paint_icon(painter, ICONS[self.found.kind], QRectF(12, 22, 20, 20), scheme.muted)
        somebody = self.found.kind == "patient"
        begin, end_of_all = 0.34 * self.width(), self.width() - 150.0
        third = 0.58 * self.width() if somebody else begin + 120
        first, second = self._told()
        texts = (
            (self.person, font(18, bold=True), scheme.ink, 44.0, begin),
            (first, font(15), scheme.muted, begin, third),
            (second, font(15, bold=somebody), scheme.ink, third, end_of_all),
        )
        for text, face, ink, left, end in texts:
            painter.setFont(face)
            painter.setPen(color(ink))
            shown = QFontMetricsF(face).elidedText(text, Qt.TextElideMode.ElideRight, end - left - 12)
            painter.drawText(QRectF(left, 0, end - left, HEIGHT), middle, shown)
        painter.setFont(font(15, bold=True))
        painter.setPen(color(scheme.action))
        right = QRectF(self.width() - 150, 0, 110, HEIGHT)
        painter.drawText(right, middle | Qt.AlignmentFlag.AlignRight, self._chair)
        paint_icon(painter, "right", QRectF(self.width() - 32, 22, 20, 20), scheme.muted)

    def _told(self) -> tuple[str, str]:
        """The two columns beside the name. While it is hidden, nothing that tells of the person or their mouth."""
        say, found = self._words.say, self.found
        if found.kind == "patient":
            if self.reveal.shown:
                born = say("patients.born", date=birth_date(self._words, found.patient))
                allergies = found.patient.allergies
                return born, say("patients.allergy", allergies=allergies) if allergies else ""
            at_us = found.last_us
            return say("clinical.search.last", date=short_date(self._words, at_us, day=True)) if at_us else "", ""
        date = short_date(self._words, found.at_us, day=True)
        return date, self._what() if self.reveal.shown else say(f"clinical.kind.{found.kind}")

    def _what(self) -> str:
        found = self.found
        if found.entry is not None:
            return line_of(self._words, found.entry)
        if found.event is not None:
            return self._words.tell(found.event)
        return visit_title(self._words, found.visit) if found.visit is not None else ""

    def _press(self) -> None:
        if not self.reveal.touch():
            self.opened.emit()

    def _say(self) -> None:
        first, second = self._told()
        self.setText(self.person)
        self.setAccessibleName(self._words.say("patients.open", name=self.person))
        self.setAccessibleDescription(" ".join(part for part in (first, second, self._chair) if part))
        self.setToolTip("" if self.reveal.shown else self._words.say("clinical.search.reveal"))
        self.update()
