"""One visit under review: the whole of it in a band, its traces below, two cursors."""

from collections.abc import Sequence

import numpy as np
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QMenu, QVBoxLayout, QWidget

from app.console.review_fetch import Ask, RangeFetcher
from app.console.review_words import clock_time, duration, long_date, number, visit_title
from app.ipc.messages import VisitDetail
from core.model.channel import IMPORTED, ChannelSpec, imported
from core.model.words import Words
from widgets.controls import Button, Card, Label
from widgets.review_axis import ReviewAxis
from widgets.review_band import ReviewBand
from widgets.review_data import ReviewRow, ReviewTrace, fitted_range
from widgets.review_plot import ReviewPlot
from widgets.review_rows import WIDTH as LABELS
from widgets.review_rows import ReviewRows, RowReading

PREFERRED = ("pulp_temperature", "heart_rate", "saliva_ph", "swarm_dose")
"""Shown first, where the record holds them."""
MOST_ROWS = 6
JUMP_S = 360.0
"""Range shown round a moment, unless a closer one is in view."""


class ReviewCard(Card):
    """The traces of one visit."""

    def __init__(self, words: Words, ask: Ask, specs: Sequence[ChannelSpec], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._words = words
        self._specs = {spec.key: spec for spec in (*specs, *map(imported, specs))}
        self._detail: VisitDetail | None = None
        self._overview: dict[str, ReviewTrace] = {}
        self._length = 1.0
        self.fetcher = RangeFetcher(ask, self)
        self.fetcher.fetched.connect(self._fetched)
        self.fetcher.refused.connect(lambda reply: self._say_state(words.tell(reply.text)))
        self._build()
        self._settle = QTimer(self, singleShot=True, interval=0)
        self._settle.timeout.connect(self._want)

    # what it is given

    def open_visit(self, detail: VisitDetail) -> None:
        """Show the whole of a visit."""
        visit = detail.visit
        self._detail = detail
        ends = [visit.began_us + 1_000_000, *(span.to_us for span in detail.channels)]
        self._length = ((visit.ended_us or max(ends)) - visit.began_us) / 1e6
        self._overview = {}
        title = self._words.say(
            "patients.review.title",
            date=long_date(self._words, visit.began_us),
            title=visit_title(self._words, visit),
        )
        self._title.setText(title)
        self._facts.setText(
            self._words.say(
                "patients.review.facts",
                chair=visit.chair,
                duration=duration(self._words, self._length),
                state=self._words.say(f"patients.visit.state.{visit.state.replace(' ', '_')}"),
            )
        )
        self.fetcher.open_visit(visit.began_us)
        self.band.set_visit(self._length)
        self.plot.set_visit(self._length)
        self._show_rows([key for key in PREFERRED if key in self._recorded()] or self._recorded()[:4])

    def jump(self, at_us: int) -> None:
        """Put cursor A on a moment, in the middle of the view."""
        if self._detail is None:
            return
        at = (at_us - self._detail.visit.began_us) / 1e6
        begin, end = self.plot.shown
        span = min(JUMP_S, end - begin, self._length)
        begin = min(max(0.0, at - span / 2), self._length - span)
        self._go(begin, begin + span)
        _, b = self.plot.cursors
        if not begin <= b <= begin + span:
            b = min(at + span / 4, self._length)
        self.plot.set_cursors(min(max(0.0, at), self._length), b)

    @property
    def shown_us(self) -> tuple[int, int]:
        """The range in view, UTC µs."""
        origin = self._detail.visit.began_us if self._detail is not None else 0
        begin, end = self.plot.shown
        return origin + round(begin * 1e6), origin + round(end * 1e6)

    @property
    def channels(self) -> tuple[str, ...]:
        """Keys of the rows shown."""
        return tuple(row.spec.key for row in self.plot.rows)

    def set_channel_shown(self, key: str, shown: bool) -> None:
        """Add or leave out a row; at most six, the one shown longest gives way."""
        keys = [each for each in self.channels if each != key]
        if shown:
            keys = [*keys[-(MOST_ROWS - 1) :], key]
        if keys:
            order = self._recorded()
            self._show_rows(sorted(keys, key=order.index))

    # inside

    def _build(self) -> None:
        words = self._words
        self.band = ReviewBand()
        self.band.setAccessibleName(words.say("patients.review.band"))
        self.plot = ReviewPlot()
        self.plot.setAccessibleName(words.say("patients.review.plot"))
        self.plot.setToolTip(words.say("patients.review.keys"))
        self.rows = ReviewRows()
        self.rows.setAccessibleName(words.say("patients.review.rows"))
        self.axis = ReviewAxis()
        self._state = Label(size=15, tone="muted")
        grid = QGridLayout()
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(0)
        grid.setVerticalSpacing(0)
        grid.addLayout(self._whole_column(), 0, 0)
        grid.addWidget(self.band, 0, 1)
        grid.setRowMinimumHeight(1, 12)
        grid.addWidget(self.rows, 2, 0)
        grid.addWidget(self.plot, 2, 1)
        grid.addWidget(self._state, 3, 0)
        grid.addWidget(self.axis, 3, 1)
        grid.setRowStretch(2, 1)
        grid.setColumnStretch(1, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(16, 8, 16, 0)
        column.setSpacing(6)
        column.addLayout(self._head())
        column.addLayout(grid, 1)
        self.plot.range_changed.connect(self._moved)
        self.plot.cursors_changed.connect(lambda _a, _b: self._read())
        self.band.range_changed.connect(self._go)
        self.axis.flag_dragged.connect(self._drag_flag)

    def _head(self) -> QHBoxLayout:
        self._title = Label(size=18, bold=True)
        self._facts = Label(tone="muted")
        self._between = Label(bold=True)
        self._signals = Button(self._words.say("patients.review.signals"), icon="setup")
        self._menu = QMenu(self._signals)
        self._signals.setMenu(self._menu)
        head = QHBoxLayout()
        head.setSpacing(10)
        said = QVBoxLayout()
        said.setSpacing(0)
        said.addWidget(self._title)
        said.addWidget(self._facts)
        head.addLayout(said, 1)
        head.addWidget(self._between)
        head.addSpacing(8)
        head.addWidget(self._signals)
        return head

    def _whole_column(self) -> QVBoxLayout:
        self._part = Label(size=13, tone="muted", wrap=True)
        self._part.setFixedWidth(LABELS)
        whole = QVBoxLayout()
        whole.setSpacing(0)
        whole.addStretch()
        whole.addWidget(Label(self._words.say("patients.review.whole"), size=13, bold=True))
        whole.addWidget(self._part)
        whole.addStretch()
        return whole

    def _recorded(self) -> list[str]:
        """Keys of what the visit holds, the preferred first."""
        if self._detail is None:
            return []
        held = [span.channel for span in self._detail.channels if span.channel in self._specs]
        return sorted(held, key=lambda key: (PREFERRED.index(key) if key in PREFERRED else 99, self._specs[key].number))

    def _show_rows(self, keys: Sequence[str]) -> None:
        self.plot.set_rows([self._row(key) for key in keys])
        self._menu.clear()
        for key in self._recorded():
            mark = self._words.say("patients.review.imported") if key.startswith(IMPORTED) else ""
            action = self._menu.addAction(f"{self._name(key)} {mark}".strip())
            action.setCheckable(True)
            action.setChecked(key in keys)
            action.toggled.connect(lambda on, key=key: self.set_channel_shown(key, on))
        self._say_state("" if keys else self._words.say("patients.review.nothing"))
        self._read()
        self._settle.start()

    def _row(self, key: str) -> ReviewRow:
        spec = self._specs[key]
        procedure = self._detail.procedure if self._detail is not None else None
        limits = tuple(limit for limit in (procedure.limits if procedure else ()) if limit.channel == key)
        low, high = fitted_range(spec, self._overview.get(key), limits)
        return ReviewRow(spec=spec, name=self._name(key), low=low, high=high, limits=limits)

    def _name(self, key: str) -> str:
        return self._words.say(f"channel.{key.removeprefix(IMPORTED)}.name")

    def _want(self) -> None:
        if self._detail is None or not self.channels:
            return
        begin, end = self.plot.shown
        if any(key not in self._overview for key in self.channels):
            begin, end = 0.0, self._length
        self.fetcher.want(
            chair=self._detail.visit.chair,
            visit_id=self._detail.visit.id,
            channels=self.channels,
            begin=begin,
            end=end,
            columns=round(self.plot.width() * self.devicePixelRatioF()),
        )

    def _fetched(self, traces: list[ReviewTrace]) -> None:
        self._say_state("")
        missing = [key for key in self.channels if key not in self._overview]
        if missing:
            self._overview.update({trace.channel: trace for trace in traces})
            for key in missing:
                self._overview.setdefault(key, _empty(key))
            self.plot.set_rows([self._row(key) for key in self.channels])
            first = self.plot.rows[0].spec
            self.band.set_trace(self._overview[first.key], first.trace)
        self.plot.set_traces(traces)
        self._read()
        if missing and self.plot.shown != (0.0, self._length):
            self._want()

    def _moved(self, begin: float, end: float) -> None:
        self.band.set_window(begin, end)
        self._read()
        self._want()

    def _go(self, begin: float, end: float) -> None:
        self.plot.set_range(begin, end)
        self.band.set_window(*self.plot.shown)
        self._read()
        self._want()

    def _drag_flag(self, name: str, share: float) -> None:
        begin, end = self.plot.shown
        at = begin + share * (end - begin)
        a, b = self.plot.cursors
        self.plot.set_cursors(at if name == "A" else a, at if name == "B" else b)

    def _read(self) -> None:
        """Say what the cursors and the range say."""
        if self._detail is None:
            return
        words, origin = self._words, self._detail.visit.began_us
        a, b = self.plot.cursors
        begin, end = self.plot.shown
        span = end - begin
        fine = span < 5

        def at(t: float) -> str:
            return clock_time(origin + round(t * 1e6), seconds=True, fine=fine)

        flags = {name: ((t - begin) / span, f"{name} {at(t)}") for name, t in (("A", a), ("B", b))}
        self.axis.show_times(at(begin), at(end), flags)
        self._between.setText(words.say("patients.review.between", duration=duration(words, abs(b - a))))
        part, whole = duration(words, span), duration(words, self._length)
        self._part.setText(whole if part == whole else words.say("patients.review.part", part=part, whole=whole))
        self.rows.show_rows(self.plot.rows, [self._reading(row, a, b) for row in self.plot.rows])

    def _reading(self, row: ReviewRow, a: float, b: float) -> RowReading:
        first, second = (self._value(row.spec.key, t) for t in (a, b))
        none = self._words.say("patients.review.no_value")
        said = [none if value is None else number(row.spec, value) for value in (first, second)]
        change = none if first is None or second is None else number(row.spec, second - first, signed=True)
        between = self._words.say("patients.review.from_to", a=said[0], b=said[1])
        mark = self._words.say("patients.review.imported") if row.spec.key.startswith(IMPORTED) else ""
        return RowReading(change=change, unit=row.spec.display_unit, between=between, mark=mark)

    def _value(self, key: str, t: float) -> float | None:
        """What was measured at a cursor, in view or not: what was read of the whole visit knows it, too."""
        begin, end = self.plot.shown
        trace = self.plot.trace(key) if begin <= t <= end else self._overview.get(key)
        return trace.value_at(t) if trace is not None else None

    def _say_state(self, sentence: str) -> None:
        self._state.setText(sentence)


def _empty(key: str) -> ReviewTrace:
    none = np.empty(0)
    return ReviewTrace(channel=key, at=none, low=none, high=none)
