"""Days at home as CSV: every day of every hub, with units, whoever wore it."""

import csv
from pathlib import Path

import pytest

from core.model.people import Patient, VisitSummary
from core.model.wear import DAY_US, ChannelDay, DaySummary, EventKind, HubEvent
from core.record import ExportFailed, Record, RecordReader
from core.record.days_csv import export_days
from core.record.orders import JournalRow
from core.record.types import HubWear
from core.signals.catalogue import load_catalogue

KEY = bytes(range(32))
TODAY = 20_000
PLAQUE = load_catalogue().key("plaque_ph")


def day(number: int, *channels: ChannelDay) -> DaySummary:
    return DaySummary(day=number, worn_s=3600, acid_s=60, attacks=2, channels=channels)


def seat(record: Record, code: str, on: int, hub: str) -> None:
    person = Patient(id=f"p-{code}", version=1, code=code, given_name="Ada", family_name="", birth_date="1990-01-01")
    visit = VisitSummary(
        id=f"{code}-{on}",
        patient_id=person.id,
        code="V",
        chair=1,
        began_us=on * DAY_US,
        ended_us=on * DAY_US,
        state="complete",
        title_key="",
    )
    with record.transaction():
        record.save_patient(person, author="op", reason="new", at_us=on * DAY_US)
        record.begin_visit(visit)
        record.worn(hub, visit.id, on * DAY_US)


def test_a_line_for_each_day_of_each_hub_with_units_and_wearer(record: Record, path: Path, tmp_path: Path) -> None:
    seat(record, "K7QF", TODAY, "HUB-1")
    seat(record, "M2XA", TODAY + 10, "HUB-1")
    plaque = ChannelDay(channel=PLAQUE.number, count=4, low=4800, high=7000, sum=24_000)
    with record.transaction():
        record.add_wear("HUB-1", [day(TODAY + 1, plaque), day(TODAY + 11)], [], read_us=(TODAY + 12) * DAY_US)
        record.add_wear("HUB-2", [day(TODAY), day(4_000_000_000)], [], read_us=(TODAY + 12) * DAY_US)
    out = tmp_path / "days.csv"
    with RecordReader.open(path, KEY) as reader:
        assert export_days(reader, out) == 4
    rows = list(csv.DictReader(out.read_text(encoding="utf-8").splitlines()))
    assert rows[0] == {
        "day (UTC)": "2024-10-05",
        "hub": "HUB-1",
        "patient": "K7QF",
        "worn (s)": "3600",
        "plaque pH below 5.5 (s)": "60",
        "acid attacks (1)": "2",
        "read (UTC)": "2024-10-16T00:00:00Z",
        "plaque_ph samples (1)": "4",
        "plaque_ph low ([pH])": "4.8",
        "plaque_ph mean ([pH])": "6",
        "plaque_ph high ([pH])": "7",
    }
    assert [(row["hub"], row["patient"], row["plaque_ph low ([pH])"]) for row in rows[1:]] == [
        ("HUB-1", "M2XA", ""),
        ("HUB-2", "", ""),
        ("HUB-2", "", ""),
    ]
    assert rows[-1]["day (UTC)"] == "4000000000", "what no calendar has is passed on as it was told"


def test_no_name_of_a_hub_becomes_a_formula(record: Record, path: Path, tmp_path: Path) -> None:
    with record.transaction():
        record.add_wear('=HYPERLINK("x"),', [day(TODAY)], [], read_us=TODAY * DAY_US)
    with RecordReader.open(path, KEY) as reader:
        export_days(reader, tmp_path / "days.csv")
    (row,) = csv.DictReader((tmp_path / "days.csv").read_text(encoding="utf-8").splitlines())
    assert row["hub"] == '\'=HYPERLINK("x"),'


def test_a_record_without_days_is_a_header_and_a_bad_place_leaves_nothing(
    record: Record, path: Path, tmp_path: Path
) -> None:
    record.close()
    with RecordReader.open(path, KEY) as reader:
        assert export_days(reader, tmp_path / "days.csv") == 0
        assert (tmp_path / "days.csv").read_bytes().endswith(b"read (UTC)\r\n")
        with pytest.raises(ExportFailed):
            export_days(reader, tmp_path / "nowhere" / "days.csv")
    assert not list(tmp_path.glob("*.part"))


def test_the_record_at_a_glance_counts_what_hubs_kept(record: Record, path: Path) -> None:
    seat(record, "K7QF", TODAY, "quiet")
    event = HubEvent(number=7, utc_s=0, boot=1, hub_time_us=0, kind=EventKind.FAULT, value=0)
    with record.transaction():
        record.add_wear("HUB-1", [day(TODAY + 1), day(TODAY + 4)], [event], read_us=(TODAY + 5) * DAY_US)
        record.add_wear("HUB-1", [day(TODAY + 4), day(TODAY + 5)], [event], read_us=(TODAY + 6) * DAY_US)
        record.orders.add_journal("HUB-2", [JournalRow(0, b"", b"entry")])
    with RecordReader.open(path, KEY) as reader:
        assert reader.info().wear == (
            HubWear("HUB-1", 3, (TODAY + 1, TODAY + 5), 1, 0),
            HubWear("HUB-2", 0, None, 0, 1),
        )
