"""EDF+C, read back by three programs that are not ours: every sample is the record's."""

import csv
import hashlib
import sys
from itertools import pairwise
from pathlib import Path

import mne
import msgspec
import numpy as np
import numpy.typing as npt
import pytest
from edfio import read_edf

from core.exchange.edf import PADDING, export_edf
from core.exchange.edf_header import physical_range
from core.exchange.manifest import NAME, Manifest, SegmentTold
from core.exchange.uneven import _harmless
from core.model.progress import Cancelled
from core.record import ExportFailed, NotFound, RecordedChannel, RecordReader
from tests.core.exchange.conftest import BELT, HUB, PATIENT, UTC0, Mouth

Raw = npt.NDArray[np.int16]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "out"


@pytest.fixture
def made(mouth: Mouth, reader: RecordReader, folder: Path) -> Manifest:
    return export_edf(reader, mouth.channels(), mouth.begin_us, mouth.end_us, folder)


def held(mouth: Mouth, segment: SegmentTold, number: int) -> Raw:
    """What the record holds where a segment says that its signal lies."""
    told = segment.signals[number]
    stream = mouth.put[(segment.source, segment.boot, told.channel)]
    return np.array([stream[index] for index in range(told.first_index, told.first_index + told.samples)], np.int16)


def test_the_manifest_tells_of_every_file_and_the_files_are_those(made: Manifest, folder: Path) -> None:
    assert msgspec.json.decode((folder / NAME).read_bytes(), type=Manifest) == made
    told = {one.file: (one.bytes, one.sha256) for one in made.segments}
    assert made.uneven_file is not None
    told[made.uneven_file.file] = (made.uneven_file.bytes, made.uneven_file.sha256)
    there = {path.name: path.read_bytes() for path in folder.iterdir() if path.name != NAME}
    assert told == {name: (len(data), hashlib.sha256(data).hexdigest()) for name, data in there.items()}
    assert made.origin.simulated
    assert [(loss.source, loss.first, loss.last) for loss in made.origin.losses] == [(HUB, 40, 44)]


def test_each_sample_stands_in_one_file_once(made: Manifest, mouth: Mouth) -> None:
    found: dict[tuple[str, int, str], list[int]] = {}
    for segment in made.segments:
        for told in segment.signals:
            indexes = range(told.first_index, told.first_index + told.samples)
            found.setdefault((segment.source, segment.boot, told.channel), []).extend(indexes)
    uneven = {(one.source, one.boot, one.channel): one.samples for one in made.uneven}
    assert uneven == {(BELT, 0, "heart_rate"): 50}
    assert found == {stream: sorted(held) for stream, held in mouth.put.items() if stream not in uneven}


def test_runs_that_begin_and_end_together_share_a_file_and_a_gap_begins_another(made: Manifest) -> None:
    shared = [(one.boot, {told.channel for told in one.signals}) for one in made.segments]
    hub = {"jaw_emg", "bite_force", "saliva_ph"}
    assert shared == [(3, {*hub, "saliva_flow"}), (3, hub), (4, {"jaw_emg", "tissue_temperature"})]
    missing = {(gap.channel, gap.first, gap.end) for gap in made.gaps}
    assert missing == {("jaw_emg", 60_613, 63_000), ("bite_force", 12_000, 12_600), ("saliva_ph", 600, 630)}


def test_edfio_reads_every_raw_sample_and_the_scale(made: Manifest, mouth: Mouth, folder: Path) -> None:
    for segment in made.segments:
        edf = read_edf(folder / segment.file)
        assert edf.reserved == "EDF+C"
        assert (edf.num_data_records, edf.data_record_duration) == (segment.records, segment.record_us / 1e6)
        for number, (signal, told) in enumerate(zip(edf.signals, segment.signals, strict=True)):
            digital = signal.digital
            end = told.padded_before + told.samples
            raw = held(mouth, segment, number)
            assert (digital[told.padded_before : end] == raw).all()
            assert (digital[: told.padded_before] == PADDING).all()
            assert (digital[end:] == PADDING).all()
            assert len(digital) == end + told.padded_after
            assert hashlib.sha256(raw.astype("<i2").tobytes()).hexdigest() == told.sha256
            assert signal.data[told.padded_before : end] == pytest.approx(raw * told.scale + told.offset, abs=1e-9)
            assert told.exact_range
            assert signal.sampling_frequency == pytest.approx(1e6 / told.period_us)


def test_mne_reads_every_sample_and_the_start(made: Manifest, mouth: Mouth, folder: Path) -> None:
    for segment in made.segments:
        for number, told in enumerate(segment.signals):
            edf = mne.io.read_raw_edf(folder / segment.file, include=[told.label], preload=True, verbose="error")
            values = edf.get_data()[0, told.padded_before : told.padded_before + told.samples]
            expected = (held(mouth, segment, number) * told.scale + told.offset) * (1e-6 if told.unit == "uV" else 1)
            step = told.scale * (1e-6 if told.unit == "uV" else 1)
            assert np.abs(values - expected).max() < step / 100
            started = edf.info["meas_date"]
            assert started is not None
            assert abs(started.timestamp() - segment.start_utc_us / 1e6) < 1


@pytest.mark.skipif(sys.version_info >= (3, 14), reason="pyedflib has no wheel for Python 3.14")
def test_pyedflib_reads_every_raw_sample_and_the_start(made: Manifest, mouth: Mouth, folder: Path) -> None:
    import pyedflib

    for segment in made.segments:
        with pyedflib.EdfReader(str(folder / segment.file)) as edf:
            assert edf.filetype == 1, "EDF+"
            for number, told in enumerate(segment.signals):
                raw = edf.readSignal(number, digital=True)
                end = told.padded_before + told.samples
                assert (raw[told.padded_before : end] == held(mouth, segment, number)).all()
                assert edf.getPhysicalDimension(number) == {"Cel": "degC"}.get(told.unit, told.unit)
            start = edf.getStartdatetime()
            assert f"{start:%Y-%m-%dT%H:%M:%S}" == segment.start_utc[:19]
            # pyedflib divides by 100 what it should by 10 to make microseconds of it.
            assert edf.starttime_subsecond == segment.start_utc_us % 1_000_000 * 10


def test_times_are_those_of_the_record(made: Manifest, reader: RecordReader) -> None:
    first = made.segments[0]
    assert first.start_utc_us == UTC0
    assert first.start_utc == "2027-01-15T08:00:00.123457Z"
    by_name = {told.channel: told for told in first.signals}
    assert by_name["bite_force"].shift_us == 1300
    assert by_name["saliva_flow"].padded_before == 0
    assert by_name["saliva_flow"].shift_us == 4_000_000
    for segment in made.segments:
        for told in segment.signals:
            blocks = [
                block
                for block in reader.samples(segment.source, told.channel)
                if block.boot == segment.boot and block.first_index <= told.first_index < block.end_index
            ]
            at = blocks[0].times_us()[told.first_index - blocks[0].first_index]
            assert abs(int(at) - told.start_utc_us) <= 1
            place = segment.start_hub_us + told.padded_before * told.period_us + told.shift_us
            assert place == told.start_hub_us


def test_uneven_samples_stand_beside_with_their_own_times(made: Manifest, mouth: Mouth, folder: Path) -> None:
    with (folder / "uneven.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    stream = mouth.put[(BELT, 0, "heart_rate")]
    assert [(int(row["index"]), int(row["raw"])) for row in rows] == list(stream.items())
    assert {(row["source"], row["channel"], row["unit"]) for row in rows} == {(BELT, "heart_rate", "/min")}
    times = [int(row["hub_us"]) for row in rows]
    assert times == sorted(times)
    assert len({later - earlier for earlier, later in pairwise(times)}) > 10
    assert _harmless("=1+1") == "'=1+1"


def test_annotations_say_what_happened_and_name_nobody(made: Manifest, folder: Path) -> None:
    said = [note.text for segment in made.segments for note in read_edf(folder / segment.file).annotations]
    assert "mark: Mark: X" in said
    assert "seated: X seated" in said
    assert {"alarm: Gap of 3 s filled from the hub's memory", "backfilled@@jaw_emg"} <= set(said)
    assert "gap of 2.387 s before this@@jaw_emg" in said
    assert "no data@@jaw_emg" in said
    for path in folder.iterdir():
        for name in ("Zoë", "Zoe", "Berg", "K7QF", "JAN-1980", "1980-01", "V-77AB"):
            assert name.encode() not in path.read_bytes()
    mark = next(note for note in read_edf(folder / "segment-001.edf").annotations if note.text.startswith("mark"))
    assert mark.onset == pytest.approx(5.5, abs=1e-6)


def test_who_asks_for_it_gets_the_patient_in_the_header(mouth: Mouth, reader: RecordReader, folder: Path) -> None:
    export_edf(reader, ["saliva_ph"], mouth.begin_us, mouth.end_us, folder, patient=PATIENT)
    edf = read_edf(folder / "segment-001.edf")
    assert edf.local_patient_identification == "K7QF X 02-JAN-1980 Zoe_Berg"
    assert "mark: Mark: Zoë coughs" in [note.text for note in edf.annotations]


def test_a_part_begins_and_ends_where_it_was_asked_for(mouth: Mouth, reader: RecordReader, folder: Path) -> None:
    made = export_edf(reader, ["jaw_emg"], UTC0 + 10_000_000, UTC0 + 20_000_000, folder)
    (told,) = made.segments[0].signals
    assert told.start_utc_us >= UTC0 + 10_000_000
    assert told.end_utc_us - told.period_us < UTC0 + 20_000_000
    assert told.samples in (9999, 10_000)
    with pytest.raises(NotFound, match="another range"):
        export_edf(reader, ["jaw_emg"], 1, 2, folder.with_name("none"))


def test_a_long_run_goes_on_in_the_next_file_without_a_sample_of_padding_between(
    mouth: Mouth, reader: RecordReader, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.exchange.edf_plan.LONGEST_FILE_US", 25_000_000)
    made = export_edf(reader, ["jaw_emg", "bite_force", "saliva_flow"], mouth.begin_us, UTC0 + 61_000_000, folder)
    assert [one.continues for one in made.segments] == ["", *(one.file for one in made.segments[:-1])]
    assert [one.records * one.record_us for one in made.segments] == [20_000_000] * 3 + [10_000_000]
    for channel in ("jaw_emg", "bite_force", "saliva_flow"):
        parts = [
            (segment, number)
            for segment in made.segments
            for number, told in enumerate(segment.signals)
            if told.channel == channel
        ]
        read = [read_edf(folder / one.file).signals[n].digital[: one.signals[n].samples] for one, n in parts]
        stream = mouth.put[(HUB, 3, channel)]
        reached = parts[-1][0].signals[parts[-1][1]]
        assert np.concatenate(read).tolist() == [stream[i] for i in range(reached.first_index + reached.samples)]
        assert all(segment.signals[number].padded_after == 0 for segment, number in parts[:-1])


def test_what_is_there_already_is_not_replaced(mouth: Mouth, reader: RecordReader, folder: Path) -> None:
    folder.mkdir()
    (folder / "mine").write_text("kept")
    with pytest.raises(ExportFailed, match="there already"):
        export_edf(reader, ["saliva_ph"], mouth.begin_us, mouth.end_us, folder)
    assert [path.name for path in folder.iterdir()] == ["mine"]


@pytest.mark.parametrize("when", [0.1, 0.5, 0.99])
def test_whoever_cancels_leaves_nothing(mouth: Mouth, reader: RecordReader, folder: Path, when: float) -> None:
    before = sorted(folder.parent.iterdir())

    def watch(done: float) -> None:
        if done >= when:
            raise Cancelled

    with pytest.raises(Cancelled):
        export_edf(reader, mouth.channels(), mouth.begin_us, mouth.end_us, folder, watch=watch)
    assert sorted(folder.parent.iterdir()) == before


@pytest.mark.parametrize(
    ("scale", "offset", "exact"),
    [(0.001, 0.0, True), (0.1, 0.0, True), (1.0, 0.0, True), (0.25, 10.0, True), (1 / 3, 0.0, False), (1e-6, 0, False)],
)
def test_the_header_says_whether_its_scale_is_exact(scale: float, offset: float, exact: bool) -> None:
    found = physical_range(RecordedChannel(200, "other", "1", scale, offset))
    assert found.exact is exact
    assert max(len(found.low), len(found.high)) <= 8
    assert (float(found.high) - float(found.low)) / 65_535 == pytest.approx(scale, rel=2e-3)
