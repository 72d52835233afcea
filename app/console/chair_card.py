"""One chair on the *Chairs* page: number, state, patient, a line of its last ten minutes, worst alarm, one button."""

import numpy as np
from PySide6.QtCore import QRectF, Qt, Signal
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QPainter, QPen, QResizeEvent
from PySide6.QtWidgets import QWidget

from app.console import status
from app.console.discreet import listed
from app.console.store import Store
from app.console.trends import WINDOWS, Trends
from app.ipc.messages import Chair
from core.model.alarm import Alarm, AlarmPriority
from core.model.channel import ChannelSpec
from core.model.limits import Limit, LimitOwner
from core.model.words import Words
from core.signals.catalogue import load_catalogue
from widgets.controls import Button, Card
from widgets.icon import paint_icon
from widgets.marks import alarm_colors, paint_alarm_mark, paint_state_mark
from widgets.reveal import Reveal
from widgets.spark import SparkLine
from widgets.theme import RADIUS_CONTROL, font, tokens

LOWEST = 144
"""The least height in which nothing lies upon something else, px."""
_PAD = 20
_SPARK = 132
_REASON = 42
"""Two lines of the reason, in a narrow card."""
_NARROW = 470
_CHIP = 150
"""Below this an alarm shows its mark alone; its sentence is the reason."""
_TALL, _LOW = 400, 190
"""Heights from which values are shown, and under which state, patient and button stand closer and no line is drawn."""
_VALUES = 88
_VALUE_COUNT = 4
_TELLING = ("pulp_temperature", "heart_rate", "saliva_ph", "spo2")
_LEFT = int(Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft)
_RIGHT = int(Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight)


class ChairCard(Card):
    """`opened` carries the number of the chair."""

    opened = Signal(int)

    def __init__(self, store: Store, words: Words, trends: Trends, number: int, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._store = store
        self._words = words
        self._trends = trends
        self.number = number
        self._said = status.Said("unknown", "", "", "")
        self._reveal = Reveal(self, discreet=store.discreet, by_press=True)
        self._reveal.changed.connect(self.update)
        store.discreet_changed.connect(self._discreet_changed)
        self.spark = SparkLine(self)
        self.setMinimumHeight(LOWEST)
        self.button = Button(words.say("shell.chairs.open"), parent=self)
        self.button.clicked.connect(lambda: self.opened.emit(self.number))
        self._spec: ChannelSpec | None = None
        self._window = WINDOWS[0]
        self.refresh()

    # what is known

    @property
    def said(self) -> status.Said:
        return self._said

    def refresh(self) -> None:
        """Take over what the store says now."""
        chair = self._store.chair(self.number)
        if chair is None:
            return
        self._said = status.chair_says(self._store, self._words, chair, with_alarm=False)
        needy = self._store.answering and status.needs_someone(self._store, chair)
        self.set_attention(needy)
        say = self._words.say
        seat = chair.patient is None and chair.hub_address is not None
        self.button.setText(
            say("shell.chairs.open_number", number=self.number)
            if needy
            else say("shell.chairs.seat" if seat else "shell.chairs.open")
        )
        self.button.setAccessibleName(f"{self.button.text()}, {say('shell.chair_name', number=self.number)}")
        self.button.set_role("pri" if needy else "plain")
        self.button.setVisible(self._store.may("Act") or (chair.patient is not None and chair.shown))
        patient = self._patient(chair, shown=not self._store.discreet)
        name = f"{say('shell.chair_name', number=self.number)}. {self._said.headline} {self._said.reason} {patient}."
        self.setAccessibleName(name)
        self.setToolTip(f"{self._said.reason} {self._said.next_step}")
        self._trace(chair)
        self._place()
        self.update()

    def _discreet_changed(self) -> None:
        self._reveal.set_discreet(self._store.discreet)
        self.refresh()  # what is read aloud, too

    def _trace(self, chair: Chair) -> None:
        self._spec = self._telling(chair)
        if self._spec is None:
            self.spark.clear()
            return
        t, y, silent = self._trends.line(self.number, self._spec.key)
        self._window = self._trends.window(self.number, self._spec.key)
        t, y = np.insert(t, 0, t[-1] - self._window), np.insert(y, 0, np.nan)  # before the first value nothing is known
        limit = _strictest(chair, self._spec.key)
        value = None if limit is None else limit.high if limit.high is not None else limit.low
        owner = limit.owner if limit is not None else LimitOwner.PROTOCOL
        spec = self._spec
        low, high = min(spec.low, value or spec.low), max(spec.high, value or spec.high)
        self.spark.set_points(t, y, low, high, spec.trace, value, silent, owner)

    def _telling(self, chair: Chair) -> ChannelSpec | None:
        """The channel that says most now: that of the worst alarm, else the first known of those a dentist looks at."""
        catalogue = load_catalogue()
        known = self._trends.channels(self.number)
        alarms = [alarm.channel for alarm in self._store.alarms(self.number) if alarm.channel in known]
        wanted = [*alarms, *(_TELLING if chair.procedure is not None else _TELLING[1:])]
        return next((catalogue.key(key) for key in wanted if key in known and key in catalogue), None)

    # where things lie

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._place()

    def _place(self) -> None:
        size = self.button.sizeHint()
        self.button.setGeometry(self.width() - _PAD - size.width(), self.height() - self._foot, size.width(), 48)
        bottom = self.height() - self._foot - 12 - (_VALUES if self._tall else 0)
        top = _SPARK + (_REASON if self._narrow else 0)
        room = bottom - top
        self.spark.setVisible(room >= 24 and not self._low and self._spec is not None)
        self.spark.setGeometry(_PAD, top, self.width() - 2 * _PAD + 7, max(24, min(room, 260)))

    @property
    def _tall(self) -> bool:
        return self.height() >= _TALL

    @property
    def _low(self) -> bool:
        return self.height() < _LOW

    @property
    def _foot(self) -> int:
        """From the bottom up to the button's upper edge."""
        return 56 if self._low else 64

    @property
    def _rule(self) -> int:
        return 60 if self._low else 92

    @property
    def _who(self) -> int:
        return 64 if self._low else 102

    @property
    def _narrow(self) -> bool:
        return self.width() < _NARROW

    # what is drawn

    def paintEvent(self, event: object) -> None:
        super().paintEvent(event)
        chair = self._store.chair(self.number)
        if chair is None:
            return
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        self._paint_state(painter)
        painter.fillRect(_PAD, self._rule, self.width() - 2 * _PAD, 1, QColor(tokens().line))
        self._paint_who(painter, chair)
        if self._tall:
            self._paint_values(painter, chair)
        self._paint_foot(painter, chair)
        painter.end()

    def _paint_state(self, painter: QPainter) -> None:
        scheme = tokens()
        narrow = self._narrow
        if self._low:
            self._paint_low_state(painter)
            return
        _text(painter, QRectF(20, 17, 60, 60), str(self.number), font(56, bold=True), scheme.ink)
        size = 36 if narrow else 44
        paint_state_mark(painter, self._said.mark, QRectF(80, 48 - size / 2, size, size), scheme)
        x = 80 + size + 16
        head = font(24 if narrow else 34, bold=True)
        colour = scheme.patient if self._said.patient else scheme.ink
        room = self.width() - x - _PAD
        if narrow:
            _text(painter, QRectF(x, 30, room, 36), self._said.headline, head, colour)
            painter.setFont(font(15))
            painter.setPen(QColor(scheme.ink))
            lines = QRectF(_PAD, _SPARK, self.width() - 2 * _PAD, _REASON)
            painter.drawText(lines, int(Qt.AlignmentFlag.AlignTop) | int(Qt.TextFlag.TextWordWrap), self._said.reason)
            return
        used = _text(painter, QRectF(x, 16, room, 44), self._said.headline, head, colour)
        left = room - used - 10
        _text(painter, QRectF(x + used + 10, 25, left, 30), self._said.reason, font(18), scheme.ink)
        _text(painter, QRectF(x, 56, room, 22), self._said.next_step, font(15), scheme.muted)

    def _paint_low_state(self, painter: QPainter) -> None:
        scheme = tokens()
        _text(painter, QRectF(20, 8, 40, 46), str(self.number), font(34, bold=True), scheme.ink)
        paint_state_mark(painter, self._said.mark, QRectF(58, 13, 36, 36), scheme)
        room = self.width() - 108 - _PAD
        colour = scheme.patient if self._said.patient else scheme.ink
        _text(painter, QRectF(108, 5, room, 30), self._said.headline, font(24, bold=True), colour)
        _text(painter, QRectF(108, 35, room, 20), self._said.reason, font(15), scheme.ink)

    def _paint_who(self, painter: QPainter, chair: Chair) -> None:
        scheme = tokens()
        right = float(self.width() - _PAD)
        spec = self._spec
        if spec is not None:
            shown = self._value(spec)
            width = QFontMetricsF(font(18, bold=True)).horizontalAdvance(shown)
            _text(painter, QRectF(right - width - 2, self._who, width + 2, 24), shown, font(18, bold=True), scheme.ink)
            label = self._words.say(
                "shell.chairs.trend", channel=self._words.say(f"channel.{spec.key}.name"), minutes=self._window // 60
            )
            colour = scheme.traces[spec.trace % len(scheme.traces)]
            name = font(13, bold=True)
            wide = QFontMetricsF(name).horizontalAdvance(label)
            right -= width + 10
            if right - wide > self.width() / 2 or not self._narrow:
                _text(painter, QRectF(right - wide, self._who + 1, wide + 2, 24), label, name, colour, align=_RIGHT)
                right -= wide + 16
        patient = self._patient(chair, shown=self._reveal.shown)
        used = _text(painter, QRectF(_PAD, self._who, right - _PAD, 24), patient, font(18, bold=True), scheme.ink)
        step = status.step_line(self._words, chair)
        x = _PAD + used + 10
        if right - x > 40:
            _text(painter, QRectF(x, self._who + 1, right - x, 24), step, font(15), scheme.muted)

    def _patient(self, chair: Chair, *, shown: bool) -> str:
        if chair.patient is None:
            return self._words.say("shell.chairs.no_patient")
        code = chair.procedure.visit_code if chair.procedure is not None else ""
        return listed(self._words, chair.patient, code, shown=shown)

    def _paint_values(self, painter: QPainter, chair: Chair) -> None:
        scheme = tokens()
        specs = [spec for spec in load_catalogue().strips if spec.pinned or spec.key in _TELLING][:_VALUE_COUNT]
        top = self.height() - self._foot - 12 - _VALUES + 10
        wide = (self.width() - 2 * _PAD) / max(1, len(specs))
        painter.fillRect(_PAD, round(top) - 6, self.width() - 2 * _PAD, 1, QColor(scheme.line))
        for place, spec in enumerate(specs):
            x = _PAD + place * wide
            name = self._words.say(f"channel.{spec.key}.name")
            colour = scheme.traces[spec.trace % len(scheme.traces)]
            _text(painter, QRectF(x, top + 4, wide - 8, 20), name, font(13, bold=True), colour)
            value = self._store.value(self.number, spec.key)
            said = self._words.say("shell.unknown") if value is None else f"{value:.{spec.decimals}f}"
            used = _text(painter, QRectF(x, top + 26, wide - 8, 40), said, font(34, bold=True), scheme.ink)
            if value is not None and wide - used > 44:
                box = QRectF(x + used + 6, top + 36, wide - used - 14, 24)
                _text(painter, box, spec.display_unit, font(13), scheme.muted)

    def _paint_foot(self, painter: QPainter, chair: Chair) -> None:
        scheme = tokens()
        alarm = status.worst_alarm(self._store, self.number)
        top = self.height() - self._foot
        room = self.button.x() - _PAD - 16
        x = float(_PAD)
        if not self._store.answering:
            paint_icon(painter, "bell", QRectF(x, top + 14, 20, 20), scheme.muted)
            said = self._words.say("shell.beacon.unknown")
            _text(painter, QRectF(x + 26, top + 12, room - 26, 24), said, font(15), scheme.muted)
            return
        if alarm is not None:
            self._paint_alarm(painter, alarm, QRectF(x, top, room, 48))
            return
        link = status.link_words(self._store, self._words, chair)
        battery = status.battery_words(self._store, self._words, chair)
        for icon, said in (("bell", self._words.say("shell.beacon.none")), ("link", link), ("bat", battery)):
            width = QFontMetricsF(font(15)).horizontalAdvance(said) + 26
            if x + width > _PAD + room:
                continue
            paint_icon(painter, icon, QRectF(x, top + 14, 20, 20), scheme.muted)
            _text(painter, QRectF(x + 26, top + 12, width, 24), said, font(15), scheme.muted)
            x += width + 24

    def _paint_alarm(self, painter: QPainter, alarm: Alarm, box: QRectF) -> None:
        scheme = tokens()
        low = alarm.priority is AlarmPriority.LOW
        fill, ink = alarm_colors(alarm.priority, scheme)
        name = font(15, bold=True)
        said = self._words.tell(alarm.text)
        if low:
            said = self._words.say("shell.chairs.low", alarm=said)
            fill, ink = scheme.surface, scheme.ink
        metrics = QFontMetricsF(name)
        width = min(box.width(), metrics.horizontalAdvance(said) + 66)
        if box.width() < _CHIP:
            width, said = 48.0, ""
        edge = scheme.line if low else scheme.surface if alarm.priority is AlarmPriority.HIGH else scheme.on_alarm
        painter.setPen(QPen(QColor(edge), 1))
        painter.setBrush(QColor(fill))
        chip = QRectF(box.left() + 0.5, box.top() + 0.5, width - 1, box.height() - 1)
        painter.drawRoundedRect(chip, RADIUS_CONTROL, RADIUS_CONTROL)
        own = None if low else (ink, fill)
        paint_alarm_mark(painter, alarm.priority, QRectF(box.left() + 11, box.top() + 12, 24, 24), scheme, colours=own)
        _text(painter, QRectF(box.left() + 45, box.top(), width - 56, 48), said, name, ink)

    def _value(self, spec: ChannelSpec) -> str:
        value = self._store.value(self.number, spec.key)
        if value is None:
            return self._words.say("shell.unknown")
        return f"{value:.{spec.decimals}f} {spec.display_unit}".rstrip()


def _strictest(chair: Chair, channel: str) -> Limit | None:
    """The upper bound that is met first, or the lower one where there is no upper."""
    mine = [limit for limit in chair.limits if limit.channel == channel]
    upper = [limit for limit in mine if limit.high is not None]
    if upper:
        return min(upper, key=lambda limit: limit.high or 0.0)
    lower = [limit for limit in mine if limit.low is not None]
    return max(lower, key=lambda limit: limit.low or 0.0) if lower else None


def _text(painter: QPainter, box: QRectF, text: str, face: QFont, colour: str, *, align: int = _LEFT) -> float:
    """Draw one elided line; returns the width it took."""
    metrics = QFontMetricsF(face)
    said = metrics.elidedText(text, Qt.TextElideMode.ElideRight, max(0.0, box.width()))
    painter.setFont(face)
    painter.setPen(QColor(colour))
    painter.drawText(box, align, said)
    return metrics.horizontalAdvance(said)
