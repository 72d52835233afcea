"""Creating, opening, writing, reading: what every user of a record relies on."""

from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from core.model.alarm import Alarm, AlarmPriority, AlarmState
from core.model.clock import ManualClock
from core.model.people import Patient, VisitSummary
from core.model.procedure import ProcedureView, Step
from core.model.words import Text
from core.record import (
    NotFound,
    Record,
    RecordBusy,
    RecordExists,
    RecordMissing,
    RecordNewer,
    RecordReader,
    StaleVersion,
    StampedBlock,
    WrongKey,
)
from core.record.errors import ChannelChanged
from core.record.schema import record_migrations
from core.record.sqlcipher import CipherFile
from core.signals.catalogue import Catalogue, load_catalogue
from core.signals.clockmap import ClockFit

KEY = bytes(range(32))
UTC0 = 1_800_000_000_000_000
MakeBlock = Callable[..., StampedBlock]

ANNA = Patient(id="p1", version=1, code="A1", given_name="Anna", family_name="Weber", birth_date="1990-02-03")
VISIT = VisitSummary(
    id="v1", patient_id="p1", code="V1", chair=1, began_us=UTC0, ended_us=None, state="open", title_key="visit.care"
)


def test_nothing_readable_stands_in_the_file(record: Record, path: Path) -> None:
    with record.transaction():
        record.save_patient(ANNA, author="op", reason="new", at_us=UTC0)
    record.close()
    raw = path.read_bytes()
    assert not raw.startswith(b"SQLite format 3")
    assert b"Weber" not in raw
    assert b"patient" not in raw


def test_a_second_writer_is_refused_and_readers_are_not(record: Record, path: Path, clock: ManualClock) -> None:
    with pytest.raises(RecordBusy):
        Record.open(path, KEY, clock=clock)
    with RecordReader.open(path, KEY) as reader, record.transaction():
        record.save_patient(ANNA, author="op", reason="new", at_us=UTC0)
        assert reader.patients() == [], "what is not committed is not seen"
    with RecordReader.open(path, KEY) as reader:
        assert reader.patients() == [ANNA]
    record.close()
    Record.open(path, KEY, clock=clock).close()


def test_wrong_key_missing_file_and_existing_file_have_their_own_errors(
    record: Record, path: Path, clock: ManualClock
) -> None:
    record.close()
    with pytest.raises(WrongKey):
        Record.open(path, bytes(32), clock=clock)
    with pytest.raises(WrongKey):
        RecordReader.open(path, b"short")
    with pytest.raises(RecordMissing):
        RecordReader.open(path.with_name("other"), KEY)
    assert not path.with_name("other").exists()
    with pytest.raises(RecordExists):
        Record.create(path, KEY, chair=1, simulated=True, clock=clock)
    with pytest.raises(RecordMissing):
        Record.create(path.parent / "none" / "x", KEY, chair=1, simulated=True, clock=clock)


def test_a_newer_file_is_left_alone(record: Record, path: Path, clock: ManualClock) -> None:
    record.close()
    file = CipherFile.open(path, KEY)
    file.execute(
        "INSERT INTO _sqlite_migrations (migration_set, name, applied_at) VALUES (?, 'm999_future', '')",
        (record_migrations.name,),
    )
    file.close()
    with pytest.raises(RecordNewer, match=r"m999_future.*Update"):
        Record.open(path, KEY, clock=clock)
    with pytest.raises(RecordNewer):
        RecordReader.open(path, KEY)


def test_a_transaction_is_all_or_nothing(record: Record, stamped: MakeBlock) -> None:
    def half_done() -> None:
        with record.transaction():
            record.add_blocks("hub", [stamped(0, 100)], None)
            record.add_sequences("hub", [(0, 3)])
            record.save_patient(ANNA, author="op", reason="new", at_us=UTC0)
            record.audit("test", actor="op", at_us=UTC0, body={})
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        half_done()
    assert record.patients() == []
    assert record.resume_point("hub") is None
    with record.transaction():
        assert record.add_blocks("hub", [stamped(0, 100)], None) == 100, "what was rolled back is not remembered"
        assert record.audit("test", actor="op", at_us=UTC0, body={}).sequence == 0


def test_writing_outside_a_transaction_is_a_programming_error(record: Record, stamped: MakeBlock) -> None:
    with pytest.raises(RuntimeError, match="transaction"):
        record.add_blocks("hub", [stamped(0, 1)], None)
    with pytest.raises(RuntimeError, match="transaction"):
        record.audit("test", actor="op", at_us=UTC0, body={})


def test_patients_are_versions(record: Record, path: Path) -> None:
    with record.transaction():
        record.save_patient(ANNA, author="op", reason="new", at_us=UTC0)
        again = record.save_patient(ANNA, author="op", reason="seated again", at_us=UTC0 + 1)
        married = record.save_patient(
            Patient(id="p1", version=1, code="A1", given_name="Anna", family_name="Roth", birth_date="1990-02-03"),
            author="op",
            reason="married",
            at_us=UTC0 + 2,
        )
    assert (again.version, married.version) == (1, 2)
    assert record.patient("p1") == married
    with record.transaction(), pytest.raises(StaleVersion):
        record.save_patient(ANNA, author="op", reason="from an old screen", at_us=UTC0 + 3)
    with RecordReader.open(path, KEY) as reader:
        assert reader.patient_history("p1") == [ANNA, married]
        assert reader.patients() == [married]
        assert reader.patient("p2") is None


def test_history_cannot_be_changed_behind_our_back(record: Record, path: Path) -> None:
    with record.transaction():
        record.save_patient(ANNA, author="op", reason="new", at_us=UTC0)
        record.add_event("mark", Text("mark"), at_us=UTC0, visit_id=None, author="op")
        record.audit("test", actor="op", at_us=UTC0, body={})
    record.close()
    file = CipherFile.open(path, KEY)
    for statement in ("UPDATE version SET author = 'x'", "DELETE FROM event", "UPDATE audit SET entry = x''"):
        with pytest.raises(Exception, match="append-only"):
            file.execute(statement)
    file.close()


def test_a_visit_from_beginning_to_end(record: Record, path: Path) -> None:
    view = ProcedureView(visit_id="v1", visit_code="V1", patient_id="p1", chair=1, step=Step.SEAT)
    done = ProcedureView(visit_id="v1", visit_code="V1", patient_id="p1", chair=1, step=Step.CLOSE, revision=1)
    alarm = Alarm(
        id="a1",
        kind="link.lost",
        chair=1,
        priority=AlarmPriority.HIGH,
        state=AlarmState.ACTIVE,
        text=Text("alarm.link", {"chair": 1}),
        remedy=Text("alarm.link.remedy"),
        latching=True,
        began_us=UTC0 + 5,
    )
    with record.transaction():
        record.save_patient(ANNA, author="op", reason="new", at_us=UTC0)
        record.begin_visit(VISIT)
        record.save_procedure(view, author="op", at_us=UTC0)
        record.save_alarm(alarm)
        record.add_event(
            "mark", Text("mark", {"n": 1}), at_us=UTC0 + 9, visit_id="v1", author="op", voice="patient", data=b"\x00"
        )
    assert record.open_visit() == VISIT
    assert record.alarms(active=True) == [alarm]
    ended = Alarm(
        **{name: getattr(alarm, name) for name in alarm.__struct_fields__}
        | {"state": AlarmState.ENDED, "ended_us": UTC0 + 2_000_005}
    )
    with record.transaction():
        record.save_procedure(done, author="op", at_us=UTC0 + 10)
        record.save_alarm(ended)
        after = record.end_visit("v1", UTC0 + 60_000_000, "complete", (16,), "visit.done", mdas=7)
        with pytest.raises(NotFound):
            record.end_visit("v2", 0, "complete", (), "")
    assert record.open_visit() is None
    assert record.alarms(active=True) == []
    assert record.procedure("v1") == done
    with RecordReader.open(path, KEY) as reader:
        assert reader.timeline("p1").visits == (after,)
        assert (after.teeth, after.mdas, after.state) == ((16,), 7, "complete")
        assert reader.procedure_history("v1") == [view, done]
        moments = reader.moments("v1")
        assert [(m.kind, m.voice) for m in moments] == [("alarm", "device"), ("mark", "patient")]
        assert (moments[1].text, moments[1].data) == (Text("mark", {"n": 1}), b"\x00")
        log = reader.log(limit=10)
        assert [(e.kind, e.priority, e.duration_s) for e in log] == [("event", 0, None), ("alarm", 3, 2.0)]
        assert reader.log(before_us=UTC0 + 9) == log[1:]
        with pytest.raises(NotFound):
            reader.timeline("p2")


def test_pages_of_the_log_that_begin_where_the_last_one_ended_miss_nothing(record: Record, path: Path) -> None:
    """Several things happen in one microsecond, as when all chairs are stopped."""
    with record.transaction():
        for number, at_us in enumerate((1, 2, 2, 2, 3, 4, 4)):
            record.add_event("mark", Text("mark", {"n": number}), at_us=at_us, visit_id=None, author="op")
    with RecordReader.open(path, KEY) as reader:
        whole = reader.log()
        assert [one.at_us for one in whole] == [4, 4, 3, 2, 2, 2, 1]
        for limit in range(1, 9):
            paged, before = [], None
            while page := reader.log(before, limit):
                assert len(page) >= limit or page[-1].at_us == 1
                paged += page
                before = page[-1].at_us
            assert paged == whole


def test_clock_fits_come_back(record: Record, path: Path) -> None:
    fits = [ClockFit(hub0_us=i, utc0_us=UTC0, drift=1e-6 * i, observations=i, spread_us=3) for i in range(2)]
    with record.transaction():
        for fit in fits:
            record.save_clock_fit("hub", 4, fit)
    assert record.clock_fits("hub", 4) == fits
    assert record.clock_fits("hub", 5) == []
    with RecordReader.open(path, KEY) as reader:
        assert reader.clock_fits("hub", 4) == fits


def changed(number: int, **fields: object) -> Catalogue:
    """The catalogue with another meaning of one of our channels, under the number given."""
    first, *rest = load_catalogue()
    return Catalogue([msgspec.structs.replace(first, number=number, **fields), *rest])


def test_a_plug_ins_number_that_meant_another_channel_closes_nobody_out(
    path: Path, clock: ManualClock, stamped: MakeBlock
) -> None:
    Record.create(path, KEY, chair=1, simulated=True, clock=clock, catalogue=changed(200, key="theirs_once")).close()
    record = Record.open(path, KEY, clock=clock, catalogue=changed(200, key="theirs_now"))
    with record.transaction():
        taken = record.add_blocks("sensor", [stamped(0, 10, channel=200)], None)
        ours = record.add_blocks("sensor", [stamped(0, 10)], None)
    record.close()
    assert (taken, ours) == (0, 10), "samples never stand under another channel's name; all others go on"


def test_a_number_of_ours_that_meant_another_channel_is_refused(path: Path, clock: ManualClock) -> None:
    Record.create(path, KEY, chair=1, simulated=True, clock=clock, catalogue=changed(100, key="once")).close()
    with pytest.raises(ChannelChanged):
        Record.open(path, KEY, clock=clock, catalogue=changed(100, key="now"))
