"""The live strips card: rows of traces with their values, limits and time."""

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import QHideEvent, QKeyEvent, QResizeEvent, QShowEvent, QWheelEvent
from PySide6.QtWidgets import QWidget

from core.model.block import Provenance, Samples
from core.model.channel import ChannelSpec
from core.model.clock import Clock
from core.model.limits import Limit
from core.model.words import Words
from widgets.controls import Card
from widgets.strips.axis import Axis, AxisWord
from widgets.strips.geometry import Geometry
from widgets.strips.gutter import Gutter
from widgets.strips.header import Header
from widgets.strips.history import KEEP_S, ChannelHistory
from widgets.strips.reading import reading, say_clock, say_value
from widgets.strips.readouts import Readouts
from widgets.strips.sweep import GRID_US, WINDOW_US
from widgets.strips.view import HoldSpan, MarkLine, SweepView

FRAME_MS = 16
DELAY_US = 250_000
"""The head runs this far behind the clock, so that samples are there when it comes by."""
VALUES_US = 250_000
"""Values change at most this often: faster ones cannot be read."""
STEP_S = 5.0
WHEEL_S = 2.0


class Strips(Card):
    """Live traces of several channels. Frozen, it lets one look back while values go on.

    Signals:
        mark_wanted: a marker at this moment.
        frozen_changed: whether the picture stands still.
        values_changed: channel key → what is read now (str), for whoever shows values only.
    """

    mark_wanted = Signal()
    frozen_changed = Signal(bool)
    values_changed = Signal(dict)

    def __init__(self, specs: Sequence[ChannelSpec], clock: Clock, words: Words, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._clock, self._words = clock, words
        self._specs = list(specs)
        self._histories = {spec.number: ChannelHistory(spec) for spec in specs}
        self._notes: dict[str, str] = {}
        self._seconds = {
            us: words.say("chair.strips.seconds", seconds=us // 1_000_000) for us in range(0, WINDOW_US + 1, GRID_US)
        }
        self._frozen_us: int | None = None
        self._back_us = 0
        self._values_at = 0
        self.header = Header(words, self)
        self.readouts = Readouts(specs, self)
        self.view = SweepView([self._histories[spec.number] for spec in specs], words, self)
        self.gutter = Gutter(specs, self)
        self.axis = Axis(self)
        self.header.freeze_toggled.connect(self.set_frozen)
        self.header.mark_clicked.connect(self.mark_wanted)
        self.view.dragged.connect(self.look_back)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAccessibleName(words.say("chair.strips.title"))
        self._timer = QTimer(self)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.setInterval(FRAME_MS)
        self._timer.timeout.connect(self.tick)
        self._say_labels()

    # data in

    def push(
        self,
        number: int,
        utc_us: int,
        raw: Samples,
        period_us: int,
        provenance: Provenance = Provenance.LIVE,
    ) -> None:
        """Take in samples of one channel, raw, from `utc_us` on. Channels that are not drawn are left."""
        history = self._histories.get(number)
        if history is None:
            return
        changed = history.add(utc_us, raw, period_us, provenance)
        if changed is not None:
            self.view.touch(changed)

    def clear(self) -> None:
        """Forget everything: another chair."""
        for history in self._histories.values():
            history.clear()
        self.set_frozen(False)
        self.view.set_holds(())
        self.view.set_marks(())
        self.view.touch(0)
        self._values_at = 0

    def set_limits(self, limits: Sequence[Limit]) -> None:
        self.view.set_limits(limits)
        self.gutter.set_limits(limits)

    def set_patient(self, name: str) -> None:
        """By what name the patient's own limits are marked."""
        self.header.set_patient(name)

    def set_notes(self, notes: Mapping[str, str]) -> None:
        """What stands behind a channel's name, such as the tooth being worked on; by channel key."""
        if dict(notes) != self._notes:
            self._notes = dict(notes)
            self._say_labels()

    def set_hold(self, since_us: int | None, *, patient: bool = False, word: str = "") -> None:
        """Therapy is held since then; None: it is not (what was stays in the picture until it is swept over)."""
        holds = self.view.holds
        running = holds[-1] if holds and holds[-1].to_us is None else None
        if since_us is None:
            if running is not None:
                ended = HoldSpan(running.from_us, self._clock.utc_us(), running.patient, running.word)
                self.view.set_holds((*holds[:-1], ended))
            return
        if running is None or running.from_us != since_us:
            same = bool(holds) and holds[-1].from_us == since_us  # it was not known meanwhile whether it goes on
            self.view.set_holds((*(holds[:-1] if same else holds)[-8:], HoldSpan(since_us, None, patient, word)))

    def add_mark(self, utc_us: int, label: str) -> None:
        self.view.set_marks((*self.view.marks[-64:], MarkLine(utc_us, label)))

    def set_watching(self, watching: bool) -> None:
        """Show the strips, or hide them and go on saying their values."""
        self.setVisible(watching)
        if not watching:
            self._timer.start(VALUES_US // 1000)

    # what can be asked

    @property
    def frozen(self) -> bool:
        return self._frozen_us is not None

    @property
    def specs(self) -> list[ChannelSpec]:
        return list(self._specs)

    def history(self, number: int) -> ChannelHistory:
        """What is known of one channel. Raises KeyError."""
        return self._histories[number]

    def frame_times(self) -> npt.NDArray[np.float64]:
        """Raster and paint of the newest frames in which anything changed, ms."""
        return self.view.frame_times()

    def values(self) -> dict[str, str]:
        """Channel key → what is read now."""
        now = self._clock.utc_us()
        return {spec.key: say_value(spec, reading(self._histories[spec.number], now)) for spec in self._specs}

    # freeze and look back

    def set_frozen(self, frozen: bool) -> None:
        """Stop the picture, or let it go on."""
        if frozen == self.frozen:
            return
        self._frozen_us = self.view.head_us or self._clock.utc_us() - DELAY_US if frozen else None
        self._back_us = 0
        self._say_frozen()
        self.tick()
        self.frozen_changed.emit(frozen)

    def look_back(self, seconds: float) -> None:
        """Move the frozen picture by that much towards earlier times (negative: later)."""
        if self._frozen_us is None:
            return
        farthest = KEEP_S * 1_000_000 - WINDOW_US
        firsts = [int(history.times[0]) for history in self._histories.values() if len(history.times)]
        if firsts:
            farthest = min(farthest, max(0, self._frozen_us - min(firsts) - WINDOW_US // 3))
        self._back_us = min(max(0, self._back_us + round(seconds * 1e6)), farthest)
        self._say_frozen()
        self.tick()

    # the frame

    def tick(self) -> None:
        """One frame: draw what is new, say values and time."""
        now = self._clock.utc_us()
        if self._frozen_us is None:
            drawn = self.view.show_until(now - DELAY_US)
        else:
            drawn = self.view.show_until(self._frozen_us - self._back_us, linear=self._back_us > 0)
        if abs(now - self._values_at) >= VALUES_US:
            self._values_at = now
            values = self.values()
            self.readouts.set_values(list(values.values()))
            self.values_changed.emit(values)
        if drawn:
            self._say_axis()

    def _say_axis(self) -> None:
        sweep = self.view.sweep
        if sweep is None:
            return
        width = self.view.width()
        linear = self._back_us > 0
        head = AxisWord(
            width if linear else round(self.view.x_of(self.view.head_us) or 0),
            say_clock(self.view.head_us),
            "ink",
            bold=True,
        )
        words = [head]
        for hold in reversed(self.view.holds):
            x = self.view.x_of(hold.from_us)
            if x is not None:
                words.append(AxisWord(x, hold.word, "patient" if hold.patient else "ink", bold=True))
        for mark in reversed(self.view.marks):
            x = self.view.x_of(mark.at_us)
            if x is not None:
                words.append(AxisWord(x, mark.label, "action", bold=True))
        for second in range(0, WINDOW_US + 1, 2 * GRID_US if linear else GRID_US):
            said = say_clock(sweep.origin_us + second) if linear else self._seconds[second]
            words.append(AxisWord(second * width / WINDOW_US, said))
        self.axis.set_words(words)

    def _say_frozen(self) -> None:
        if self._frozen_us is None:
            self.header.set_frozen("")
            return
        key = "chair.strips.looking_back" if self._back_us else "chair.strips.frozen_note"
        back = round(self._back_us / 1e6)
        self.header.set_frozen(
            self._words.say(key, at=say_clock(self._frozen_us - self._back_us), back=f"{back // 60}:{back % 60:02d}")
        )

    def _say_labels(self) -> None:
        labels = []
        for spec in self._specs:
            name = self._words.say(f"channel.{spec.key}.name")
            note = self._notes.get(spec.key)
            labels.append(self._words.say("chair.strips.label", name=name, note=note) if note else name)
        self.readouts.set_labels(labels)

    # Qt

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        place = Geometry.of(self._specs, self.width(), self.height())
        self.header.setGeometry(place.header)
        self.readouts.setGeometry(place.labels)
        self.view.setGeometry(place.traces)
        self.gutter.setGeometry(place.gutter)
        self.axis.setGeometry(place.axis)
        self.axis.set_left(place.traces.left() - place.axis.left())
        self.readouts.set_rows(place.rows)
        self.view.set_rows(place.rows)
        self.gutter.set_rows(place.rows)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._timer.start(FRAME_MS)

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self._timer.stop()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        steps = {
            Qt.Key.Key_Left: STEP_S,
            Qt.Key.Key_Right: -STEP_S,
            Qt.Key.Key_PageUp: 30.0,
            Qt.Key.Key_PageDown: -30.0,
        }
        step = steps.get(Qt.Key(event.key()))
        if self.frozen and step is not None:
            self.look_back(step)
        elif self.frozen and event.key() == Qt.Key.Key_Escape:
            self.set_frozen(False)
        else:
            super().keyPressEvent(event)

    def wheelEvent(self, event: QWheelEvent) -> None:
        if self.frozen:
            self.look_back(WHEEL_S * event.angleDelta().y() / 120)
            event.accept()
        else:
            super().wheelEvent(event)
