"""The days at home: the answer, each day in words, what the hub noted, and what is said when nothing is known."""

from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from app.console.home_pane import HomePane
from app.console.home_words import answer, basis, day_said, note_said
from core.model.wear import DAY_US, AtHome, EventKind, HomeDay, HomeNote
from core.model.words import Words
from core.people.at_home import SHOWN_DAYS, change
from core.signals.catalogue import load_catalogue
from widgets import theme

LAST = 27_683
"""17 October 2045."""
VISIT = LAST - 41
"""6 September 2045."""
WORN = 16 * 3600
CHANNELS = list(load_catalogue())


def days(since: float = 38, before: float = 52) -> list[HomeDay]:
    """119 days of which five are unknown and three bare, the last one not over."""
    made = []
    for number in range(LAST - 118, LAST + 1):
        if LAST - 78 <= number <= LAST - 74:
            continue
        acid = (since if number > VISIT else before) + (4 if number % 2 else -4)
        made.append(HomeDay(day=number, worn_s=WORN, acid_s=round(acid * 60), attacks=5, lowest_ph=4.9, clenches=2))
    for back in (20, 21, 60):
        made = [HomeDay(day=day.day, worn_s=0) if day.day == LAST - back else day for day in made]
    made[-1] = HomeDay(day=LAST, worn_s=7200, acid_s=0, whole=False)
    return made


def home(**how: float) -> AtHome:
    known = days(**how)
    notes = (
        HomeNote(at_us=(LAST - 3) * DAY_US, kind=EventKind.BATTERY_LOW, value=9),
        HomeNote(at_us=(LAST - 14) * DAY_US, kind=EventKind.SENSOR_SILENT, value=3),
        HomeNote(at_us=(LAST - 100) * DAY_US, kind=EventKind.FAULT, value=0),
    )
    return AtHome(days=tuple(known), visits=(VISIT, LAST), change=change(known, [VISIT, LAST]), notes=notes)


@pytest.fixture
def pane(qtbot: QtBot, qapp: QApplication, words: Words) -> HomePane:
    theme.apply(qapp, "light")
    made = HomePane(words, CHANNELS)
    qtbot.addWidget(made)
    made.resize(1160, 458)
    made.show_home(home())
    made.show()
    return made


def test_the_answer_stands_first_with_what_it_rests_on(pane: HomePane) -> None:
    assert pane.answer.text() == "Less acid since the visit of 6 Sep 2045: 38 min a day, before it 52 min."
    assert pane._basis.text() == "Mean of 38 days since the visit and 71 before it."
    assert pane._facts.text() == "Worn on 82 of 85 known days. Known up to 17 Oct 2045."


def test_the_last_ninety_days_are_shown_with_their_visits(pane: HomePane) -> None:
    marks = pane.strip._marks
    assert len(marks) == SHOWN_DAYS
    kinds = {kind: sum(mark.kind == kind for mark in marks) for kind in ("counted", "part", "bare", "unknown")}
    assert kinds == {"counted": 81, "part": 1, "bare": 3, "unknown": 5}
    assert [position for position, mark in enumerate(marks) if mark.visit] == [SHOWN_DAYS - 42, SHOWN_DAYS - 1]
    before, since = pane.strip._levels
    assert (before.first, before.last, before.label) == (0, SHOWN_DAYS - 43, "52")
    assert (since.first, since.last, since.label) == (SHOWN_DAYS - 41, SHOWN_DAYS - 2, "38")


def test_each_day_is_told_by_pointer_and_keys(pane: HomePane) -> None:
    assert pane.told.text() == "17 Oct 2045, visit: no acid. Worn 2 h so far, not counted."
    QTest.keyClick(pane.strip, Qt.Key.Key_Left)
    said = "16 Oct 2045: 34 min of acid, 5 acid attacks, lowest plaque pH 4.9, 2 clenches. Worn 16 h."
    assert pane.told.text() == said
    assert pane.strip.accessibleDescription() == said
    QTest.mouseMove(pane.strip, pane.strip.day_rect(SHOWN_DAYS - 21).center().toPoint())
    assert pane.told.text() == "27 Sep 2045: no wear recorded."
    QTest.mouseMove(pane.strip, pane.strip.day_rect(SHOWN_DAYS - 76).center().toPoint())
    assert pane.told.text() == "3 Aug 2045: not known."


def test_what_the_hub_noted_leads_to_its_day(pane: HomePane) -> None:
    rows = pane.note_rows()
    assert [row.text() for row in rows] == ["Battery at 9 %", "Plaque pH: silent"], "older than the strip is left out"
    assert rows[0].accessibleName() == "14 Oct Battery at 9 %"
    QTest.mouseClick(rows[1], Qt.MouseButton.LeftButton)
    assert pane.told.text().startswith("3 Oct 2045:")


def test_no_mean_is_drawn_where_nothing_may_be_compared(pane: HomePane) -> None:
    known = [day for day in days() if day.day > LAST - 30]
    pane.show_home(AtHome(days=tuple(known), change=change(known, [VISIT])))
    assert pane.strip._levels == ()
    assert "Nothing is known of the time before it." in pane.answer.text()
    assert pane.note_rows() == []


def test_nothing_known_and_nothing_readable_are_said(pane: HomePane) -> None:
    pane.show_home(AtHome())
    assert pane.message.isVisible()
    assert not pane.strip.isVisible()
    assert "No day at home is known" in pane.message.text()
    pane.show_home(None)
    assert "could not be read" in pane.message.text()
    pane.show_home(home())
    assert pane.strip.isVisible()


def some(words: Words, known: list[HomeDay], *visits: int) -> str:
    found = AtHome(days=tuple(known), change=change(known, visits))
    return f"{answer(words, found)} {basis(words, found.change)}".strip()


def test_each_answer_claims_no_more_than_is_known(words: Words) -> None:
    assert some(words, days(since=66), VISIT).startswith("More acid since")
    assert some(words, days(since=51), VISIT).startswith(
        "No clear change since the visit of 6 Sep 2045: 51 min of acid"
    )
    assert some(words, [day for day in days() if day.day < VISIT + 4], VISIT) == (
        "Too few days to compare: 3 since the visit of 6 Sep 2045, 71 before it. It takes 7 on each side."
    )
    lazy = [msgspec.structs.replace(day, worn_s=8 * 3600) if day.day > VISIT and day.worn_s else day for day in days()]
    assert some(words, lazy, VISIT).startswith(
        "Not to be compared: worn 8 h a day since the visit of 6 Sep 2045, before it 16 h."
    )
    assert some(words, [day for day in days() if day.day < VISIT + 2], VISIT - 200, LAST) == (
        "52 min of acid a day since the visit of 18 Feb 2045. Nothing is known of the time before it. Mean of 73 days."
    )
    one = [HomeDay(day=VISIT - 3, worn_s=WORN, acid_s=600)]
    assert some(words, one, VISIT) == (
        "10 min of acid a day. No visit lies before these days to compare with. From 1 day."
    )
    assert some(words, [days()[-1]], VISIT) == (
        "No day can be counted yet: none was worn for 6 h and was over when the hub was read."
    )


@pytest.mark.parametrize(
    ("day", "said"),
    [
        (None, "15 Jan 1970: not known."),
        (HomeDay(day=14, worn_s=0), "15 Jan 1970: no wear recorded."),
        (
            HomeDay(day=14, worn_s=600, acid_s=60, attacks=1),
            "15 Jan 1970: 1 min of acid, 1 acid attack. Worn 10 min, not counted.",
        ),
        (HomeDay(day=14, worn_s=WORN, clenches=1), "15 Jan 1970: no acid, 1 clench. Worn 16 h."),
    ],
)
def test_a_day_in_words(words: Words, day: HomeDay | None, said: str) -> None:
    assert day_said(words, 14, day) == said


def test_every_kind_of_event_that_is_shown_has_words(words: Words) -> None:
    by_number = {spec.number: spec for spec in CHANNELS}
    shown = [EventKind.BATTERY_LOW, EventKind.SENSOR_SILENT, EventKind.MEMORY_FULL, EventKind.FAULT, 77]
    for kind in shown:
        said = note_said(words, HomeNote(at_us=0, kind=kind, value=3), by_number)
        assert "[" not in said
        assert "{" not in said
    assert note_said(words, HomeNote(at_us=0, kind=77, value=3), by_number) == "Unknown event 77"
    assert note_said(words, HomeNote(at_us=0, kind=EventKind.SENSOR_SILENT, value=250), by_number) == "250: silent"


def test_nothing_is_cut_at_the_smallest_window(pane: HomePane) -> None:
    QApplication.processEvents()
    assert pane.minimumSizeHint().width() <= 1160
    pane.show_home(home(since=1051.4))
    QApplication.processEvents()
    assert pane.strip.height() >= pane.strip.minimumHeight()
    assert pane.answer.height() >= pane.answer.heightForWidth(pane.answer.width())


@pytest.mark.parametrize("mode", ["light", "dark"])
def test_pictures(pane: HomePane, snap: Callable[..., Path], mode: theme.Mode) -> None:
    for size in ((1160, 458), (1800, 738)):
        assert snap(pane, "home", mode, size).exists()
    pane.show_home(AtHome())
    assert snap(pane, "home-none", mode, (1160, 458)).exists()
