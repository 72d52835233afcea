"""Signals recorded elsewhere: taken in exactly or refused with the place, and never mixed with a hub's."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import numpy as np
import pytest
from edfio import Edf, EdfSignal, Recording

from core.exchange import incoming
from core.exchange.edf import export_edf
from core.exchange.incoming import (
    ImportRefused,
    Incoming,
    Taken,
    digest_of,
    import_signals,
    look_into,
    parse_zone,
    read_signals,
)
from core.model.block import Provenance
from core.model.clock import ManualClock
from core.model.progress import Cancelled
from core.record import Record, RecordReader
from core.signals.catalogue import load_catalogue
from tests.core.exchange.conftest import HUB, KEY, UTC0, VISIT, Mouth

CATALOGUE = load_catalogue()
GOOD = (
    "utc,channel,value,unit\n2027-01-15T09:00:00Z,saliva_ph,6.84,[pH]\n2027-01-15T11:00:00.1+02:00,saliva_ph,6.9,[pH]\n"
)


def moment(text: str) -> int:
    return round(datetime.fromisoformat(text).timestamp() * 1e6)


@pytest.fixture
def record(mouth: Mouth) -> Iterator[Record]:
    made = Record.open(mouth.path, KEY, clock=ManualClock(UTC0))
    yield made
    made.close()


def file(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "in.csv"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_csv_is_taken_in_with_its_times_and_values(record: Record, mouth: Mouth, tmp_path: Path) -> None:
    before = {(key, source): held for (source, _, key), held in mouth.put.items()}
    path = file(tmp_path, GOOD)
    found = list(read_signals(path, CATALOGUE))
    assert import_signals(record, found, digest_of(path), visit_id=VISIT.id, author="op", at_us=UTC0) == Taken(2, 0)
    assert import_signals(record, found, digest_of(path), visit_id=VISIT.id, author="op", at_us=UTC0) == Taken(0, 2), (
        "twice adds nothing"
    )
    record.close()
    with mouth.open() as reader:
        blocks = list(reader.samples(None, "imported.saliva_ph"))
        at_us = np.concatenate([block.times_us() for block in blocks])
        assert at_us.tolist() == [moment("2027-01-15T09:00:00+00:00"), moment("2027-01-15T09:00:00.1+00:00")]
        assert np.concatenate([block.samples for block in blocks]).tolist() == [6840, 6900]
        assert {block.provenance for block in blocks} == {Provenance.IMPORTED}
        assert reader.channel("imported.saliva_ph").unit == "[pH]"
        live = sum(len(block.samples) for block in reader.samples(None, "saliva_ph"))
        assert live == len(before[("saliva_ph", HUB)]), "nothing came among what the hub measured"
        assert "imported" in [moment.kind for moment in reader.moments(VISIT.id)]
        assert reader.verify().ok


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("time,channel\n", "Line 1: there is no column 'utc'"),
        (GOOD + "2027-01-15T09:00:01,saliva_ph,6.8,[pH]\n", "Line 4, utc: '2027-01-15T09:00:01' has no time zone"),
        (GOOD + "yesterday,saliva_ph,6.8,[pH]\n", "Line 4, utc: 'yesterday' is no moment"),
        (GOOD + "2027-01-15T09:00:01Z,saliva_ph,6,8,[pH]\n", "Line 4, row: 5 fields instead of 4"),
        (GOOD + "2027-01-15T09:00:01Z,saliva_ph,wet,[pH]\n", "Line 4, value: 'wet' is no number"),
        (GOOD + "2027-01-15T09:00:01Z,saliva_ph,nan,[pH]\n", "Line 4, value: 'nan' is no measurement"),
        (GOOD + "2027-01-15T09:00:01Z,saliva_ph,6.8,mV\n", "Line 4, unit: 'mV', but saliva_ph is in '[pH]'"),
        (GOOD + "2027-01-15T09:00:01Z,mood,6.8,1\n", "Line 4, channel: 'mood' is no channel"),
        (GOOD + "2027-01-15T09:00:01Z,saliva_ph,99,[pH]\n", "Channel saliva_ph: 99 is out of range"),
        (GOOD + "2027-01-15T09:00:00Z,saliva_ph,6.8,[pH]\n", "two samples have the same time"),
        ("utc,channel,value,unit\n", "holds no samples"),
        ("\x00\x01", "Line 1: there is no column"),
    ],
)
def test_what_cannot_be_taken_in_is_named_with_its_place(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(ImportRefused) as refused:
        list(read_signals(file(tmp_path, text), CATALOGUE))
    assert said in str(refused.value)
    assert refused.value.remedy


def test_bytes_that_are_no_text_and_files_that_are_too_large_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "in.csv"
    path.write_bytes(b"utc,channel,value,unit\n\xff\xfe\n")
    with pytest.raises(ImportRefused, match="UTF-8"):
        list(read_signals(path, CATALOGUE))
    monkeypatch.setattr("core.exchange.incoming.MOST_BYTES", 10)
    with pytest.raises(ImportRefused, match="Cut it"):
        list(read_signals(path, CATALOGUE))
    with pytest.raises(ImportRefused, match="Check the path"):
        list(read_signals(tmp_path / "none.csv", CATALOGUE))


def test_our_own_edf_comes_back_sample_for_sample(
    mouth: Mouth, reader: RecordReader, record: Record, tmp_path: Path
) -> None:
    made = export_edf(reader, ["jaw_emg", "saliva_ph"], mouth.begin_us, mouth.end_us, tmp_path / "edf")
    path = tmp_path / "edf" / made.segments[0].file
    found = list(read_signals(path, CATALOGUE, zone=parse_zone("Z")))
    import_signals(record, found, digest_of(path), visit_id=VISIT.id, author="op", at_us=UTC0)
    for told in made.segments[0].signals:
        blocks = list(reader.samples(None, f"imported.{told.channel}"))
        stream = mouth.put[(HUB, 3, told.channel)]
        expected = [stream[index] for index in range(told.first_index, told.first_index + told.samples)]
        assert np.concatenate([block.samples for block in blocks]).tolist() == expected
        begins = int(blocks[0].times_us()[0])
        assert abs(begins - told.start_utc_us) <= told.period_us // 2, "EDF has one start for all signals"


def test_an_edf_of_another_maker_needs_its_zone_and_names(record: Record, mouth: Mouth, tmp_path: Path) -> None:
    values = np.round(np.linspace(6.0, 7.0, 99), 3)
    signal = EdfSignal(values, 3, label="pH saliva", physical_dimension="[pH]", physical_range=(0, 14))
    other = EdfSignal(np.zeros(99), 3, label="Snoring", physical_dimension="mV", physical_range=(-1, 1))
    start = datetime(2027, 1, 15, 22, 30, tzinfo=UTC)
    edf = Edf([signal, other], recording=Recording(startdate=start.date()), starttime=start.time().replace(tzinfo=None))
    path = tmp_path / "night.edf"
    edf.write(path)
    with pytest.raises(ImportRefused, match="time zone"):
        list(read_signals(path, CATALOGUE))
    zone = parse_zone("+02:00")
    with pytest.raises(ImportRefused, match=r"Signal 'pH saliva'.*is no channel.*Map it"):
        list(read_signals(path, CATALOGUE, zone=zone))
    (found,) = read_signals(path, CATALOGUE, zone=zone, names={"pH saliva": "saliva_ph", "Snoring": ""})
    assert found.samples.tolist() == pytest.approx((values * 1000).tolist(), abs=1)
    assert found.at_us[0] == moment("2027-01-15T20:30:00+00:00")
    import_signals(record, [found], digest_of(path), visit_id=VISIT.id, author="op", at_us=UTC0)
    with mouth.open() as reader:
        blocks = list(reader.samples(None, "imported.saliva_ph"))
        assert np.abs(np.concatenate([block.times_us() for block in blocks]) - found.at_us).max() <= 1000
    path.write_bytes(path.read_bytes()[:300])
    with pytest.raises(ImportRefused):
        list(read_signals(path, CATALOGUE, zone=zone))


def test_zones() -> None:
    assert parse_zone("Z") == UTC
    assert parse_zone("-05:30") == timezone(-timedelta(hours=5, minutes=30))
    for wrong in ("", "Europe/Paris", "+99:00", "2"):
        with pytest.raises(ImportRefused):
            parse_zone(wrong)


def test_a_failure_in_the_middle_leaves_nothing(record: Record, mouth: Mouth, tmp_path: Path) -> None:
    path = file(tmp_path, GOOD)
    found = list(read_signals(path, CATALOGUE))
    record._file.execute("CREATE TEMP TRIGGER stop BEFORE INSERT ON audit BEGIN SELECT RAISE(ABORT, 'stop'); END")
    with pytest.raises(Exception, match="stop"):
        import_signals(record, found, digest_of(path), visit_id=VISIT.id, author="op", at_us=UTC0)
    with mouth.open() as reader:
        assert "imported.saliva_ph" not in [channel.key for channel in reader.channels()]
        assert "imported" not in [one.kind for one in reader.moments(VISIT.id)]


def test_a_file_is_looked_into_before_anybody_says_what_is_what(tmp_path: Path) -> None:
    path = file(tmp_path, GOOD + "2027-01-15T09:00:02Z,pH saliva,6.7,[pH]\n2027-01-15T09:00:01Z,Snoring,3,dB\n")
    ph, named, snoring = look_into(path, CATALOGUE)
    assert (ph.name, ph.unit, ph.samples, ph.channel) == ("saliva_ph", "[pH]", 2, "saliva_ph")
    assert (ph.from_us, ph.to_us) == (moment("2027-01-15T09:00:00+00:00"), moment("2027-01-15T09:00:00.1+00:00"))
    assert (named.channel, named.choices) == ("", ("saliva_ph", "plaque_ph"))
    assert (snoring.channel, snoring.choices) == ("", ())
    mixed = file(tmp_path, GOOD + "2027-01-15T09:00:02Z,saliva_ph,6.7,1\n")
    with pytest.raises(ImportRefused, match="Line 4, unit"):
        look_into(mixed, CATALOGUE)
    with pytest.raises(ImportRefused, match="Line 2, value"):
        look_into(file(tmp_path, "utc,channel,value,unit\n2027-01-15T09:00:00Z,x,none,1\n"), CATALOGUE)


def test_an_edf_is_looked_into_once_its_zone_is_known(tmp_path: Path) -> None:
    signal = EdfSignal(np.linspace(6, 7, 20), 2, label="pH saliva", physical_dimension="[pH]", physical_range=(6, 7))
    path = tmp_path / "night.edf"
    start = datetime(2027, 1, 15, 23, 0, 0, tzinfo=UTC)
    Edf([signal], recording=Recording(startdate=start.date()), starttime=start.time()).write(path)
    with pytest.raises(ImportRefused, match="time zone"):
        look_into(path, CATALOGUE)
    (found,) = look_into(path, CATALOGUE, zone=parse_zone("+02:00"))
    assert (found.samples, found.channel) == (20, "")
    assert (found.from_us, found.to_us) == (moment("2027-01-15T21:00:00+00:00"), moment("2027-01-15T21:00:09.5+00:00"))


def test_a_long_signal_goes_in_pieces_and_comes_out_as_one(
    record: Record, mouth: Mouth, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(incoming, "PIECE", 40)
    values = np.round(np.linspace(6.0, 7.0, 99), 3)
    signal = EdfSignal(values, 3, label="saliva_ph", physical_dimension="[pH]", physical_range=(0, 14))
    edf = Edf([signal], recording=Recording(startdate=datetime(2027, 1, 15, tzinfo=UTC).date()))
    edf.write(tmp_path / "night.edf")
    rows = [f"2027-01-15T09:{at // 60:02d}:{at % 60:02d}Z,saliva_ph,{value},[pH]\n" for at, value in enumerate(values)]
    table = file(tmp_path, "utc,channel,value,unit\n" + "".join(reversed(rows)))
    for path, step_us in ((tmp_path / "night.edf", 1e6 / 3), (table, 1e6)):
        pieces = list(read_signals(path, CATALOGUE, zone=parse_zone("Z")))
        assert [(len(one.samples), one.first) for one in pieces] == [(40, 0), (40, 40), (19, 80)]
        taken = import_signals(record, pieces, digest_of(path), visit_id=VISIT.id, author="op", at_us=UTC0)
        assert taken == Taken(99, 0)
        again = import_signals(record, pieces, digest_of(path), visit_id=VISIT.id, author="op", at_us=UTC0)
        assert again == Taken(0, 99)
        with mouth.open() as reader:
            blocks = list(reader.samples(f"import:{digest_of(path)[:16]}", "imported.saliva_ph"))
        assert [block.first_index for block in blocks] == list(np.cumsum([0, *(len(b.samples) for b in blocks[:-1])]))
        assert np.concatenate([block.samples for block in blocks]).tolist() == pytest.approx(values * 1000, abs=1)
        at_us = np.concatenate([block.times_us() for block in blocks])
        assert np.abs(at_us - at_us[0] - np.arange(99) * step_us).max() <= 1000


def test_what_ends_it_between_two_pieces_leaves_nothing(record: Record, mouth: Mouth, tmp_path: Path) -> None:
    (whole,) = read_signals(file(tmp_path, GOOD), CATALOGUE)

    def ended() -> Iterator[Incoming]:
        yield whole
        raise Cancelled

    with pytest.raises(Cancelled):
        import_signals(record, ended(), "ab" * 32, visit_id=VISIT.id, author="op", at_us=UTC0)
    with mouth.open() as reader:
        assert "imported.saliva_ph" not in [channel.key for channel in reader.channels()]
        assert "imported" not in [one.kind for one in reader.moments(VISIT.id)]


def test_two_signals_never_share_a_channel(tmp_path: Path) -> None:
    text = GOOD + "2027-01-15T09:00:02Z,other,6.7,[pH]\n"
    with pytest.raises(ImportRefused, match=r"Line 4, channel: 'saliva_ph' is saliva_ph, too\. Leave one out: other="):
        list(read_signals(file(tmp_path, text), CATALOGUE, names={"other": "saliva_ph"}))


def test_a_file_that_is_too_large_says_how_large_it_may_be(tmp_path: Path) -> None:
    path = tmp_path / "large.csv"
    with path.open("wb") as out:
        out.truncate(incoming.MOST_BYTES + 1)  # takes no room
    with pytest.raises(ImportRefused, match=r"large\.csv has 512 MiB\. Cut it into files of 512 MiB\."):
        look_into(path, CATALOGUE)
