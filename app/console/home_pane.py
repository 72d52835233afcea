"""What a patient's hubs kept between visits: the answer in a sentence, the days, what the hubs noted."""

from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QHBoxLayout, QPushButton, QScrollArea, QStackedLayout, QVBoxLayout, QWidget

from app.console.home_words import answer, basis, day_said, facts, hours, minutes, note_said
from app.console.review_moments import MomentRow
from app.console.review_words import EPOCH, day_date
from core.model.channel import ChannelSpec
from core.model.wear import DAY_US, AtHome, EventKind, HomeDay
from core.model.words import Words
from core.people.at_home import ENOUGH_S, SHOWN_DAYS, counted, levels, scale_minutes, shown
from widgets.controls import Card, Label
from widgets.day_strip import DayLegend, DayLevel, DayMark, DayStrip, Swatch

ICONS = {EventKind.BATTERY_LOW: "bat", EventKind.SENSOR_SILENT: "link", EventKind.MEMORY_FULL: "rec"}


class HomePane(QWidget):
    """The days at home of one patient."""

    def __init__(self, words: Words, specs: Sequence[ChannelSpec], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._words = words
        self._channels = {spec.number: spec for spec in specs}
        self._first = 0
        self._said: tuple[str, ...] = ()
        self.strip = DayStrip()
        self.strip.setAccessibleName(words.say("patients.home.strip"))
        self.strip.setToolTip(words.say("patients.home.keys"))
        self.answer = Label(size=24, bold=True, wrap=True)
        self.told = Label(elide=True)
        self._facts = Label(tone="muted", elide=True)
        self._basis = Label(tone="muted")
        self.message = Label(size=18, tone="muted", wrap=True)
        self._notes = QScrollArea()
        self._arrange()
        self.strip.day_told.connect(self._tell)

    def show_home(self, home: AtHome | None) -> None:
        """`home` None: it could not be read."""
        if home is None or not home.days:
            key = "unreadable" if home is None else "none"
            self.message.setText(self._words.say(f"patients.home.{key}"))
            self._stack.setCurrentIndex(0)
            return
        self._stack.setCurrentIndex(1)
        self.answer.setText(answer(self._words, home))
        self._basis.setText(basis(self._words, home.change))
        self._facts.setText(facts(self._words, shown(home)))
        self._show_days(home)
        self._show_notes(home)

    def note_rows(self) -> list[QPushButton]:
        """The hub's notes, the newest first."""
        return list(self._notes.findChildren(MomentRow))

    # inside

    def _show_days(self, home: AtHome) -> None:
        last = home.days[-1].day
        self._first = last - SHOWN_DAYS + 1
        known = {day.day: day for day in home.days}
        numbers = range(self._first, last + 1)
        marks = [self._mark(number, known.get(number), visit=number in home.visits) for number in numbers]
        self._said = tuple(mark.said for mark in marks)
        begins = [number for number in numbers if EPOCH.addDays(number).day() == 1]
        self.strip.set_days(
            marks,
            ticks=[(number - self._first, day_date(self._words, number, "MMM")) for number in begins],
            levels=[
                DayLevel(
                    level.first - self._first,
                    level.last - self._first,
                    level.mean.acid_s / 60,
                    str(minutes(level.mean.acid_s)),
                )
                for level in levels(home)
            ],
            ceiling=scale_minutes(shown(home)),
            end=day_date(self._words, last),
            unit=self._words.say("patients.home.minutes"),
        )

    def _mark(self, number: int, day: HomeDay | None, *, visit: bool) -> DayMark:
        said = day_said(self._words, number, day, visit=visit)
        if day is None:
            return DayMark("unknown", said, visit=visit)
        if not day.worn_s:
            return DayMark("bare", said, visit=visit)
        return DayMark("counted" if counted(day) else "part", said, day.acid_s / 60, visit)

    def _show_notes(self, home: AtHome) -> None:
        inner = QWidget()
        column = QVBoxLayout(inner)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        notes = [note for note in home.notes if note.at_us // DAY_US >= self._first]
        for note in notes:
            day = note.at_us // DAY_US
            icon = next((icon for kind, icon in ICONS.items() if kind == note.kind), "flag")
            said = note_said(self._words, note, self._channels)
            row = MomentRow(said, day_date(self._words, day, "d MMM"), icon)
            row.clicked.connect(lambda _checked=False, day=day: self.strip.choose(day - self._first))
            column.addWidget(row)
        if not notes:
            column.addSpacing(12)
            column.addWidget(Label(self._words.say("patients.home.notes.none"), tone="muted", wrap=True))
        column.addStretch()
        self._notes.setWidget(inner)

    def _tell(self, position: int) -> None:
        said = self._said[position] if 0 <= position < len(self._said) else ""
        self.told.setText(said)
        self.told.setToolTip(said)

    def _arrange(self) -> None:
        words = self._words
        empty = Card()
        column = QVBoxLayout(empty)
        column.setContentsMargins(16, 12, 16, 16)
        column.setSpacing(12)
        column.addWidget(Label(words.say("patients.home.title"), size=18, bold=True))
        column.addWidget(self.message)
        column.addStretch()
        days = QWidget()
        row = QHBoxLayout(days)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(16)
        row.addWidget(self._make_days(), 1)
        row.addWidget(self._make_notes())
        self._stack = QStackedLayout(self)
        self._stack.setContentsMargins(0, 0, 0, 0)
        self._stack.addWidget(empty)
        self._stack.addWidget(days)

    def _make_days(self) -> Card:
        head = QHBoxLayout()
        head.setSpacing(10)
        head.addWidget(Label(self._words.say("patients.home.title"), size=18, bold=True))
        head.addWidget(self._facts, 1)
        card = Card()
        column = QVBoxLayout(card)
        column.setContentsMargins(16, 12, 16, 12)
        column.setSpacing(4)
        column.addLayout(head)
        column.addSpacing(8)
        column.addWidget(self.answer)
        column.addWidget(self._basis)
        column.addSpacing(8)
        column.addWidget(self.strip, 1)
        column.addWidget(self.told)
        column.addSpacing(8)
        column.addWidget(self._make_legend())
        return card

    def _make_legend(self) -> DayLegend:
        kinds: tuple[Swatch, ...] = ("counted", "level", "part", "bare", "unknown", "visit")
        said = {
            kind: self._words.say(f"patients.home.legend.{kind}", hours=hours(self._words, ENOUGH_S)) for kind in kinds
        }
        return DayLegend(list(said.items()))

    def _make_notes(self) -> Card:
        self._notes.setWidgetResizable(True)
        self._notes.setFrameShape(QFrame.Shape.NoFrame)
        self._notes.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        side = Card()
        side.setFixedWidth(262)
        column = QVBoxLayout(side)
        column.setContentsMargins(16, 12, 16, 16)
        column.setSpacing(12)
        column.addWidget(Label(self._words.say("patients.home.notes.title"), size=18, bold=True))
        column.addWidget(self._notes, 1)
        return side
