"""A patient's days at home out of real chair files: whose they are, which are known, what they say."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

import pytest

from core.model.clock import ManualClock
from core.model.people import Patient, VisitSummary
from core.model.wear import DAY_US, AtHome, ChannelDay, DaySummary, EventKind, HomeDay, HomeNote, HubEvent
from core.record import Record, RecordReader
from core.record.at_home import MAX_DAYS, MAX_NOTES, MEMORY_DAYS, at_home
from core.signals.catalogue import load_catalogue

KEY = bytes(range(32))
TODAY = 20_000
PLAQUE = load_catalogue().key("plaque_ph")
WORN = 16 * 3600
MakeChair = Callable[[int], "Chair"]


def day(number: int, worn_s: int = WORN, acid_s: int = 2400, raw_ph: int = 4900) -> DaySummary:
    channels = (ChannelDay(channel=PLAQUE.number, count=10, low=raw_ph, high=7000, sum=60_000),)
    return DaySummary(day=number, worn_s=worn_s, acid_s=acid_s, attacks=3, channels=channels)


class Chair:
    """One chair's file, written as the engine does."""

    def __init__(self, folder: Path, number: int) -> None:
        self.path = folder / f"chair-{number}.sqlite"
        self.number = number
        self.record = Record.create(self.path, KEY, chair=number, simulated=True, clock=ManualClock(TODAY * DAY_US))

    def seat(self, patient: str, on: int, *hubs: str) -> None:
        at_us = on * DAY_US + DAY_US // 2
        person = Patient(
            id=patient, version=1, code=patient, given_name=patient, family_name="", birth_date="1990-01-01"
        )
        visit = VisitSummary(
            id=f"{patient}-{on}-{self.number}",
            patient_id=patient,
            code="V",
            chair=self.number,
            began_us=at_us,
            ended_us=at_us,
            state="complete",
            title_key="visit.care",
        )
        with self.record.transaction():
            self.record.save_patient(person, author="op", reason="new", at_us=at_us)
            self.record.begin_visit(visit)
            for hub in hubs:
                self.record.worn(hub, visit.id, at_us)

    def read(self, hub: str, on: int, days: Sequence[DaySummary], events: Sequence[HubEvent] = ()) -> None:
        with self.record.transaction():
            self.record.add_wear(hub, days, events, read_us=on * DAY_US + DAY_US // 2)


@pytest.fixture
def chair(tmp_path: Path) -> Iterator[MakeChair]:
    chairs: dict[int, Chair] = {}

    def get(number: int) -> Chair:
        if number not in chairs:
            chairs[number] = Chair(tmp_path, number)
        return chairs[number]

    yield get
    for one in chairs.values():
        one.record.close()


def home(patient: str, *chairs: Chair, until: int | None = None) -> AtHome:
    with ExitStack() as stack:
        readers = [stack.enter_context(RecordReader.open(one.path, KEY)) for one in chairs]
        return at_home(readers, patient, until=until)


def numbers(found: AtHome) -> list[int]:
    return [one.day - TODAY for one in found.days]


def test_a_day_is_told_in_the_units_of_people(chair: MakeChair) -> None:
    one = chair(1)
    one.seat("anna", TODAY - 10, "hub")
    one.read("hub", TODAY, [day(TODAY - 5), day(TODAY, worn_s=600)])
    found = home("anna", one)
    assert found.days[-6] == HomeDay(day=TODAY - 5, worn_s=WORN, acid_s=2400, attacks=3, lowest_ph=4.9)
    assert found.days[-1].whole is False, "the day on which the hub is read goes on"


def test_a_day_without_wear_is_told_from_one_that_nobody_knows(chair: MakeChair) -> None:
    one = chair(1)
    one.seat("anna", TODAY - 10, "hub")
    one.read("hub", TODAY, [day(TODAY - 8), day(TODAY - 7), day(TODAY - 3), day(TODAY, worn_s=0)])
    found = home("anna", one)
    assert numbers(found) == list(range(-10, 0)), "neither before the hub came, nor on the day that goes on"
    assert [one.day - TODAY for one in found.days if one.worn_s] == [-8, -7, -3]


def test_days_that_a_broken_link_kept_from_being_read_are_unknown(chair: MakeChair) -> None:
    one = chair(1)
    one.seat("anna", TODAY - 40, "hub")
    one.read("hub", TODAY, [day(TODAY - 39), day(TODAY - 30)])
    assert numbers(home("anna", one)) == list(range(-40, -29)), "the hub told of nothing later"
    one.read("hub", TODAY + 1, [day(TODAY - 10), day(TODAY + 1)])
    found = home("anna", one)
    assert numbers(found) == list(range(-40, 2))
    assert [each.day - TODAY for each in found.days if not each.whole] == [1]


def test_what_a_hub_could_not_remember_is_unknown(chair: MakeChair) -> None:
    one = chair(1)
    one.seat("anna", TODAY - 110, "hub")
    one.read("hub", TODAY - 108, [day(TODAY - 109), day(TODAY - 108)])
    one.read("hub", TODAY, [day(TODAY - 50), day(TODAY)])
    found = home("anna", one)
    assert [number for number in numbers(found) if number < -80] == [-110, -109, -108, *range(1 - MEMORY_DAYS, -80)]
    by_day = {each.day - TODAY: each for each in found.days}
    assert not by_day[-108].whole, "when the hub was asked again it no longer remembered that day"
    assert by_day[-109].whole
    assert by_day[-50].whole


def test_the_newest_summary_counts_and_makes_the_day_whole(chair: MakeChair) -> None:
    one = chair(1)
    one.seat("anna", TODAY - 10, "hub")
    one.read("hub", TODAY - 10, [day(TODAY - 10, worn_s=600, acid_s=0)])
    one.read("hub", TODAY, [day(TODAY - 10, worn_s=WORN, acid_s=1200), day(TODAY - 9)])
    first = home("anna", one).days[0]
    assert (first.worn_s, first.acid_s, first.whole) == (WORN, 1200, True)


def test_a_hub_that_changed_hands_between_chairs_gives_nobody_anothers_days(chair: MakeChair) -> None:
    one, two = chair(1), chair(2)
    one.seat("anna", TODAY - 20, "hub")
    two.seat("bert", TODAY - 10, "hub")
    two.read("hub", TODAY - 10, [day(TODAY - at) for at in (15, 12, 10)])
    two.seat("bert", TODAY, "hub")
    two.read("hub", TODAY, [day(TODAY - at) for at in (5, 4)])
    anna, bert = home("anna", one, two), home("bert", one, two)
    assert [each.day - TODAY for each in anna.days if each.worn_s] == [-15, -12]
    assert [each.day - TODAY for each in bert.days if each.worn_s] == [-10, -5, -4]
    assert set(numbers(anna)).isdisjoint(numbers(bert))
    assert (anna.visits, bert.visits) == ((TODAY - 20,), (TODAY - 10,))
    assert home("carla", one, two) == AtHome()


def test_of_two_hubs_on_a_day_the_one_worn_longer_counts(chair: MakeChair) -> None:
    one, two = chair(1), chair(2)
    one.seat("anna", TODAY - 10, "old")
    two.seat("anna", TODAY - 9, "new")
    one.read("old", TODAY, [day(TODAY - 5, worn_s=3600, acid_s=60), day(TODAY - 4)])
    two.read("new", TODAY, [day(TODAY - 5, worn_s=7200, acid_s=120), day(TODAY)])
    found = {each.day - TODAY: each for each in home("anna", one, two).days}
    assert (found[-5].worn_s, found[-5].acid_s) == (7200, 120)
    assert found[-4].worn_s == WORN
    assert found[-3].worn_s == 0


def test_a_hub_laid_aside_does_not_say_that_the_new_one_was_not_worn(chair: MakeChair) -> None:
    one = chair(1)
    one.seat("anna", TODAY - 20, "old")
    one.seat("anna", TODAY - 10, "new")
    one.read("old", TODAY, [day(TODAY - 15), day(TODAY, worn_s=0)])
    assert numbers(home("anna", one)) == list(range(-20, -10)), "the new hub was not asked: those days are unknown"


def test_a_day_that_was_told_before_it_came_is_not_believed(chair: MakeChair) -> None:
    one = chair(1)
    one.seat("anna", TODAY - 10, "hub")
    one.read("hub", TODAY, [day(TODAY - 1), day(TODAY + 1), day(4_000_000_000)])
    assert home("anna", one).days[-1].day == TODAY - 1


def test_only_so_many_days_come_and_the_change_looks_further_back(chair: MakeChair) -> None:
    one = chair(1)
    one.seat("anna", TODAY - 300, "hub")
    one.seat("anna", TODAY - 200, "hub")
    one.read("hub", TODAY - 200, [day(TODAY - at, acid_s=3600) for at in range(280, 200, -1)])
    one.seat("anna", TODAY, "hub")
    one.read("hub", TODAY, [day(TODAY - at, acid_s=1800) for at in range(80, 0, -1)])
    found = home("anna", one)
    assert len(found.days) < MAX_DAYS
    assert found.days[0].day > TODAY - MAX_DAYS
    assert found.change is not None
    assert (found.change.visit_day, found.change.verdict) == (TODAY - 200, "less")
    assert found.visits == (), "of the days that came along"
    assert (found.change.before.days, found.change.since.days) == (80, 80)
    one.read("hub", TODAY + 60, [day(TODAY + at) for at in range(1, 60)])
    assert len(home("anna", one).days) == MAX_DAYS


def test_a_report_of_an_old_visit_knows_nothing_of_what_came_after(chair: MakeChair) -> None:
    one = chair(1)
    one.seat("anna", TODAY - 20, "hub")
    one.read("hub", TODAY, [day(TODAY - at) for at in range(20, 0, -1)])
    found = home("anna", one, until=TODAY - 10)
    assert found.days[-1].day == TODAY - 10
    assert found.change is not None
    assert found.change.since.days == 10


def test_clenches_are_counted_and_what_staff_should_see_is_listed(chair: MakeChair) -> None:
    one, two = chair(1), chair(2)

    def event(number: int, at: int, kind: int, value: int = 0) -> HubEvent:
        utc_s = 0 if at == 0 else (TODAY + at) * 86_400 + number
        return HubEvent(number=number, utc_s=utc_s, boot=1, hub_time_us=0, kind=kind, value=value)

    events = [
        event(0, -200, EventKind.FAULT),
        event(1, -8, EventKind.CLENCH, 400),
        event(2, -8, EventKind.CLENCH, 300),
        event(3, 0, EventKind.FAULT),
        event(4, -7, EventKind.BATTERY_LOW, 9),
        event(5, -7, EventKind.PUT_IN),
        event(6, -6, 77, 5),
    ]
    one.seat("anna", TODAY - 10, "hub")
    one.read("hub", TODAY, [day(TODAY - at) for at in (8, 7, 6, 0)], events)
    two.seat("anna", TODAY, "hub")
    two.read("hub", TODAY, [day(TODAY - 8)], events)
    found = home("anna", one, two)
    assert {each.day - TODAY: each.clenches for each in found.days if each.clenches} == {-8: 2}
    assert [(note.kind, note.value) for note in found.notes] == [(77, 5), (EventKind.BATTERY_LOW, 9)]
    assert found.notes[0] == HomeNote(at_us=((TODAY - 6) * 86_400 + 6) * 1_000_000, kind=77, value=5)
    one.read("hub", TODAY, [], [event(10 + n, -5, EventKind.FAULT) for n in range(2000)])
    assert len(home("anna", one, two).notes) == MAX_NOTES
