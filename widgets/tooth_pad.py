"""One tooth, large, seen from above: each surface can be touched with a glove."""

from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QFocusEvent, QKeyEvent, QMouseEvent, QPainter, QPainterPath, QPaintEvent, QPen, QTransform
from PySide6.QtWidgets import QSizePolicy, QWidget

from core.model.clinical import SURFACES
from core.model.words import Words
from widgets.focus import OWN_FOCUS
from widgets.odontogram_paint import paint_hatch
from widgets.teeth import is_front, teeth
from widgets.theme import color, font, tokens

_REACH = 24.0
"""How far from a surface's own outline a touch still counts, px: half of what a glove needs."""


class ToothPad(QWidget):
    """Signals:
    surfaces_changed: the chosen surfaces out of "MDBLO", in that order.
    """

    surfaces_changed = Signal(str)

    def __init__(self, words: Words, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._words = words
        self._fdi = 16
        self._chosen = ""
        self._by_key = False
        self.setProperty(OWN_FOCUS, True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumSize(220, 220)
        self.set_tooth(16)

    def set_tooth(self, fdi: int) -> None:
        self._fdi = fdi
        self.set_surfaces("")

    @property
    def surfaces(self) -> str:
        return self._chosen

    def set_surfaces(self, surfaces: str) -> None:
        """Silent."""
        self._chosen = "".join(letter for letter in SURFACES if letter in surfaces)
        said = ", ".join(self._name(letter) for letter in self._chosen) or self._words.say("clinical.field.none")
        self.setAccessibleName(self._words.say("clinical.tooth", fdi=self._fdi))
        self.setAccessibleDescription(said)
        self.setToolTip(self._words.say("clinical.surfaces_hint"))
        self.update()

    def toggle(self, letter: str) -> None:
        """Choose a surface, or no longer."""
        rest = self._chosen.replace(letter, "")
        self.set_surfaces(rest if letter in self._chosen else rest + letter)
        self.surfaces_changed.emit(self._chosen)

    def surface_at(self, point: QPointF) -> str:
        """Its letter; empty beside the tooth. Between two surfaces, the one whose middle is nearer."""
        place = self._place()
        paths = {letter: place.map(path) for letter, path in teeth()[self._fdi].surfaces.items()}
        inside = [letter for letter, path in paths.items() if path.contains(point)]
        touch = QPainterPath()
        touch.addEllipse(point, _REACH, _REACH)
        near = inside or [letter for letter, path in paths.items() if path.intersects(touch)]
        return min(near, key=lambda letter: _distance(paths[letter].boundingRect().center(), point), default="")

    def surface_centre(self, letter: str) -> QPointF:
        """A point inside the surface, in widget pixels."""
        path = self._place().map(teeth()[self._fdi].surfaces[letter])
        box = path.boundingRect()
        points = [box.center()] + [path.pointAtPercent(step / 20) for step in range(20)]
        middle = self.rect().center()
        outward = [p + (p - QPointF(middle)) * -0.06 for p in points]
        return next((p for p in (*points, *outward) if self.surface_at(p) == letter), box.center())

    # Qt

    def sizeHint(self) -> QSize:
        return QSize(300, 300)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        letter = self.surface_at(event.position())
        if letter and event.button() is Qt.MouseButton.LeftButton:
            self.toggle(letter)

    def focusInEvent(self, event: QFocusEvent) -> None:
        self._by_key = event.reason() in (Qt.FocusReason.TabFocusReason, Qt.FocusReason.BacktabFocusReason)
        self.update()
        super().focusInEvent(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        self._by_key = True
        letter = event.text().upper()
        if letter and letter in SURFACES:
            self.toggle(letter)
        else:
            super().keyPressEvent(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        scheme = tokens()
        tooth, place = teeth()[self._fdi], self._place()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(color(scheme.bg))
        painter.drawPath(place.map(tooth.outline))
        for letter, path in tooth.surfaces.items():
            shape = place.map(path)
            if letter in self._chosen:
                painter.setPen(Qt.PenStyle.NoPen)
                painter.setBrush(color(scheme.sunken))
                painter.drawPath(shape)
                paint_hatch(painter, shape, pitch=9, pen=QPen(color(scheme.ink), 1.5))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(QPen(color(scheme.ink if letter in self._chosen else scheme.control), 2))
            painter.drawPath(shape)
        painter.setPen(QPen(color(scheme.line), 2))
        painter.drawPath(place.map(tooth.grooves))
        self._paint_letters(painter)
        if self._by_key and self.hasFocus():
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(QPen(color(scheme.ink), 2))
            painter.drawRoundedRect(QRectF(self.rect()).adjusted(1, 1, -1, -1), 6, 6)

    # inside

    def _paint_letters(self, painter: QPainter) -> None:
        """Around the tooth, each beside its surface; the biting surface's in its middle."""
        scheme = tokens()
        middle = QPointF(self.rect().center())
        box = self._place().map(teeth()[self._fdi].outline).boundingRect()
        for letter, path in teeth()[self._fdi].surfaces.items():
            at = self._place().map(path).boundingRect().center()
            if letter != "O":
                away = at - middle
                if abs(away.x()) > abs(away.y()):
                    at = QPointF(box.right() + 18 if away.x() > 0 else box.left() - 18, middle.y())
                else:
                    at = QPointF(middle.x(), box.bottom() + 16 if away.y() > 0 else box.top() - 16)
            painter.setFont(font(18, bold=True))
            painter.setPen(color(scheme.ink if letter in self._chosen else scheme.muted))
            room = QRectF(at.x() - 16, at.y() - 14, 32, 28)
            if letter == "O":
                painter.setBrush(color(scheme.surface))
                pen = painter.pen()
                painter.setPen(Qt.PenStyle.NoPen)
                painter.drawEllipse(room.adjusted(2, 0, -2, 0))
                painter.setPen(pen)
            painter.drawText(room, Qt.AlignmentFlag.AlignCenter, letter)

    def _place(self) -> QTransform:
        outline = teeth()[self._fdi].outline.boundingRect()
        room = QRectF(self.rect()).adjusted(40, 36, -40, -36)
        scale = min(room.width() / outline.width(), room.height() / outline.height())
        middle = room.center() - outline.center() * scale
        return QTransform.fromTranslate(middle.x(), middle.y()).scale(scale, scale)

    def _name(self, letter: str) -> str:
        front = is_front(self._fdi) and letter in "BO"
        return self._words.say(f"odontogram.surface.{'front_' if front else ''}{letter.lower()}")


def _distance(one: QPointF, other: QPointF) -> float:
    away = one - other
    return away.x() ** 2 + away.y() ** 2
