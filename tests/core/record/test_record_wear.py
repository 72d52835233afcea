"""What a hub kept between visits stays, each thing once, and belongs to whoever wore it."""

from pathlib import Path

import pytest

from core.model.clock import ManualClock
from core.model.people import Patient, VisitSummary
from core.model.wear import ChannelDay, DaySummary, EventKind, HubEvent
from core.record import Record, RecordReader
from core.record.orders import JournalRow, SentOrder
from core.record.schema import record_migrations
from core.record.sqlcipher import CipherFile

KEY = bytes(range(32))
DAY_US = 86_400_000_000
TODAY = 20_000


def day(number: int, worn_s: int = 3600) -> DaySummary:
    channels = (ChannelDay(channel=2, count=10, low=-5, high=5, sum=0),)
    return DaySummary(day=number, worn_s=worn_s, acid_s=60, attacks=1, channels=channels)


def event(number: int, value: int = 480) -> HubEvent:
    return HubEvent(number=number, utc_s=1, boot=1, hub_time_us=5, kind=EventKind.ACID_BEGAN, value=value)


def seat(record: Record, patient: str, on: int, hub: str) -> None:
    """A visit of a patient who wears the hub, on a day."""
    at_us = on * DAY_US
    person = Patient(id=patient, version=1, code=patient, given_name=patient, family_name="X", birth_date="1990-01-01")
    visit = VisitSummary(
        id=f"{patient}-{on}",
        patient_id=patient,
        code="V",
        chair=1,
        began_us=at_us,
        ended_us=at_us,
        state="complete",
        title_key="visit.care",
    )
    with record.transaction():
        record.save_patient(person, author="op", reason="new", at_us=at_us)
        record.begin_visit(visit)
        record.worn(hub, visit.id, at_us)


def test_of_a_day_the_newest_summary_counts_and_an_event_stands_once(record: Record, path: Path) -> None:
    for worn_s in (3600, 3600, 7200):
        with record.transaction():
            record.add_wear("hub", [day(1), day(2, worn_s)], [event(0), event(1)], read_us=0)
    with record.transaction():
        record.add_wear("hub", [], [event(1, value=999), event(2)], read_us=0)
    with RecordReader.open(path, KEY) as reader:
        assert reader.days("hub") == [day(1), day(2, 7200)]
        assert reader.hub_events("hub") == [event(0), event(1), event(2)], "what was recorded is never rewritten"
        assert reader.days("another") == []
    rows = record._file.rows("SELECT count(*) FROM hub_day")
    assert rows[0][0] == 3, "what did not change is not written again"


def test_what_was_sent_waits_until_the_hubs_journal_tells_of_it(record: Record, path: Path) -> None:
    def order(number: int, at_us: int = 10) -> SentOrder:
        return SentOrder(bytes((number,)) * 32, 0x10, number, b"doctor", at_us)

    with record.transaction():
        for number in (1, 2, 3):
            record.orders.sent("hub", order(number))
        record.orders.sent("hub", order(4, at_us=99))
        record.orders.answered("hub", order(1).message[:16], 0, b"receipt", 11)
        record.orders.answered("hub", order(2).message[:16], 0x23, b"receipt", 11)
    untold = record.orders.untold("hub", before_us=50)
    assert [(one.counter, one.code) for one in untold] == [(1, 0), (2, 0x23), (3, None)]
    with record.transaction():
        record.orders.add_journal("hub", [JournalRow(7, order(1).message, b"seven"), JournalRow(8, b"", b"eight")])
        record.orders.add_journal("hub", [JournalRow(8, order(2).message, b"forged"), JournalRow(9, b"", b"nine")])
    assert [one.counter for one in record.orders.untold("hub", before_us=50)] == [2, 3]
    assert record.orders.untold("another", before_us=50) == []
    with RecordReader.open(path, KEY) as reader:
        assert reader.hub_journal("hub") == [b"seven", b"eight", b"nine"], "what was read stays as it was"


def test_a_day_belongs_to_whoever_wore_the_hub(record: Record, path: Path) -> None:
    seat(record, "anna", TODAY, "hub")
    seat(record, "bert", TODAY + 10, "hub")
    seat(record, "anna", TODAY + 20, "hub")
    seat(record, "bert", TODAY + 20, "another")
    with record.transaction():
        record.add_wear("hub", [day(TODAY + at) for at in (-3, 0, 9, 10, 19, 20, 25)], [], read_us=0)
        record.add_wear("another", [day(TODAY + 21)], [], read_us=0)

    def worn(patient: str) -> dict[str, list[int]]:
        with RecordReader.open(path, KEY) as reader:
            return {hub: [one.day - TODAY for one in days] for hub, days in reader.days_worn_by(patient).items()}

    assert worn("anna") == {"hub": [-3, 0, 9, 20, 25]}
    assert worn("bert") == {"another": [21], "hub": [10, 19]}
    assert worn("carla") == {}


@pytest.mark.parametrize("table", ["hub_day", "hub_event", "hub_journal", "hub_order", "hub_answer", "worn"])
def test_nothing_of_it_is_changed_or_deleted(record: Record, table: str) -> None:
    seat(record, "anna", TODAY, "hub")
    with record.transaction():
        record.add_wear("hub", [day(1)], [event(0)], read_us=0)
        record.orders.add_journal("hub", [JournalRow(0, b"", b"entry")])
        record.orders.sent("hub", SentOrder(bytes(32), 0x10, 1, b"", 0))
        record.orders.answered("hub", bytes(16), 0, b"", 0)
    for statement in (f"DELETE FROM {table}", f"UPDATE {table} SET source = source"):
        with pytest.raises(Exception, match="append-only"), record.transaction():
            record._file.execute(statement)


def test_a_record_from_before_is_brought_up_to_date(path: Path, clock: ManualClock) -> None:
    file = CipherFile.create(path, KEY)
    with file.transaction():
        record_migrations.apply(file.database, stop_before="m002_between_visits")
        file.execute("INSERT INTO about (id, chair, simulated, created_us) VALUES ('r', 1, 1, 0)")
        file.execute("INSERT INTO source (id, name) VALUES (1, 'hub')")
        file.execute("INSERT INTO sequence_range (source, boot, first, last) VALUES (1, 3, 0, 99)")
        file.execute("INSERT INTO loss (source, boot, first, last, at_us) VALUES (1, 3, 100, 120, 5)")
    file.close()
    record = Record.open(path, KEY, clock=clock)
    assert record.resume_point("hub") is None, "numbers of former boots say nothing about a hub's life"
    record.close()
    with RecordReader.open(path, KEY) as reader:
        assert [(loss.first, loss.last, loss.at_us) for loss in reader.losses()] == [(100, 120, 5)]
        assert reader.verify().ok
