import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.model.block import Provenance
from devices.errors import FrameError
from devices.simulator.heart_rate import Heart, encode_measurement
from devices.vitals.heart_rate import HeartRate, HeartRateBlocks, parse_heart_rate

# Flags and layouts worked out by hand from the service's text, not from either implementation.
VECTORS = [
    ("0048", HeartRate(bpm=72)),
    ("014801", HeartRate(bpm=328)),
    ("0448", HeartRate(bpm=72, contact=False)),
    ("0648", HeartRate(bpm=72, contact=True)),
    ("0248", HeartRate(bpm=72)),  # "detected" without "supported" says nothing
    ("08480a01", HeartRate(bpm=72, energy_kj=266)),
    ("10480004", HeartRate(bpm=72, rr_s=(1.0,))),
    ("104800040002", HeartRate(bpm=72, rr_s=(1.0, 0.5))),
    ("1f480064000104", HeartRate(bpm=72, contact=True, energy_kj=100, rr_s=(1025 / 1024,))),
    ("e048", HeartRate(bpm=72)),  # reserved bits are ignored
]


@pytest.mark.parametrize(("frame", "meant"), VECTORS)
def test_a_measurement_means_what_the_service_says(frame: str, meant: HeartRate) -> None:
    assert parse_heart_rate(bytes.fromhex(frame)) == meant


@pytest.mark.parametrize(
    "frame", ["", "00", "0148", "0848", "084801", "1048", "104804", "1048000400", "004800", "01480100"]
)
def test_a_truncated_or_overlong_measurement_is_refused(frame: str) -> None:
    with pytest.raises(FrameError):
        parse_heart_rate(bytes.fromhex(frame))


@given(st.binary(max_size=40))
def test_no_bytes_raise_anything_but_a_frame_error(data: bytes) -> None:
    try:
        measurement = parse_heart_rate(data)
    except FrameError:
        return
    assert 0 <= measurement.bpm <= 0xFFFF
    assert all(0 <= interval < 64 for interval in measurement.rr_s)


@given(
    st.integers(0, 0xFFFF),
    st.sampled_from([None, True, False]),
    st.none() | st.integers(0, 0xFFFF),
    st.lists(st.integers(0, 0xFFFF), max_size=9),
)
def test_what_the_simulator_writes_is_read_back(
    bpm: int, contact: bool | None, energy: int | None, ticks: list[int]
) -> None:
    rr_s = tuple(tick / 1024 for tick in ticks)
    data = encode_measurement(bpm, contact=contact, energy_kj=energy, rr_s=rr_s)
    assert parse_heart_rate(data) == HeartRate(bpm=bpm, contact=contact, energy_kj=energy, rr_s=rr_s)


def test_beats_are_laid_end_to_end_while_arrivals_jitter() -> None:
    blocks = HeartRateBlocks(boot=7)
    arrivals = [10_000_000, 11_200_000, 11_900_000]
    beats = [
        block
        for arrival in arrivals
        for block in blocks.of(HeartRate(bpm=60, rr_s=(0.5, 0.5)), arrival)
        if block.channel == 65
    ]
    assert [beat.start_us for beat in beats] == [9_000_000 + 500_000 * number for number in range(6)]
    assert [beat.first_index for beat in beats] == list(range(6))
    assert all(beat.period_us == 500_000 and beat.samples[0] == 500 and beat.boot == 7 for beat in beats)


def test_lost_beats_leave_a_gap_and_time_never_runs_backwards() -> None:
    blocks = HeartRateBlocks(boot=1)
    first = blocks.of(HeartRate(bpm=60, rr_s=(1.0,)), 10_000_000)[1]
    late = blocks.of(HeartRate(bpm=60, rr_s=(1.0,)), 20_000_000)[1]
    early = blocks.of(HeartRate(bpm=60, rr_s=(5.0,)), 21_000_000)[1]
    assert (first.start_us, late.start_us, early.start_us) == (9_000_000, 19_000_000, 20_000_000)


def test_doubtful_values_are_kept_as_suspect() -> None:
    blocks = HeartRateBlocks(boot=1)
    lifted = blocks.of(HeartRate(bpm=70, contact=False, rr_s=(1.0,)), 1_000_000)
    absurd = blocks.of(HeartRate(bpm=40_000, energy_kj=65_535), 2_000_000)
    plain = blocks.of(HeartRate(bpm=70, contact=True, energy_kj=3), 3_000_000)
    assert {block.provenance for block in lifted + absurd} == {Provenance.SUSPECT}
    assert {block.provenance for block in plain} == {Provenance.LIVE}
    assert [int(block.samples[0]) for block in absurd] == [32_767, 32_767]
    assert [block.sequence for block in plain] == [2, 2]


def test_the_same_seed_beats_the_same_and_no_beat_is_lost() -> None:
    one, two = Heart(3), Heart(3)
    seconds = [one.second() for _ in range(120)]
    assert seconds == [two.second() for _ in range(120)]
    assert seconds != [Heart(4).second() for _ in range(120)]
    total = sum(map(sum, seconds))
    assert 119 < total <= 120
