"""Samples on an even grid: each in exactly one run, and none at a wrong time."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from core.exchange.fhir.runs import LONGEST_GAP, MISSING, MOST_SLOTS, Samples, full_data, reduced_data, runs, uneven
from core.model.block import Provenance

SUSPECT = int(Provenance.SUSPECT)


@st.composite
def streams(draw: st.DrawFn) -> Samples:
    """A stream with gaps, jitter, a clock that runs off, and samples that the sensor disowns."""
    period = draw(st.sampled_from([1_000, 5_000, 100_000, 1_000_000]))
    steps = draw(
        st.lists(st.sampled_from([1, 1, 1, 1, 2, LONGEST_GAP + 1, LONGEST_GAP + 2, 500]), min_size=1, max_size=80)
    )
    index = np.cumsum([0, *steps])
    jitter = draw(st.sampled_from([0.0, 0.3, 0.6]))
    random = np.random.default_rng(draw(st.integers(0, 1 << 16)))
    source = np.sort((index + random.uniform(-jitter, jitter, len(index))) * period).astype(np.int64)
    slope = draw(st.sampled_from([1.0, 1.00005, 0.9, 1.2]))
    utc = (1_800_000_000_000_000 + source * slope).astype(np.int64)
    provenance = np.where(random.random(len(index)) < draw(st.sampled_from([0.0, 0.2])), SUSPECT, 0)
    return Samples("hub", 1, period, source, utc, random.integers(-32_768, 32_767, len(index)), provenance)


@given(streams())
def test_each_sample_is_in_one_run_at_its_time(samples: Samples) -> None:
    found = runs(samples)
    assert np.concatenate([run.raw for run in found]).tolist() == samples.raw.tolist()
    tolerance = max(1_000, samples.period_us / 2)
    place = 0
    for run in found:
        mine = slice(place, place + len(run.raw))
        told = run.utc_us[0] + run.slots * float(run.period_us)
        assert np.abs(told - samples.utc_us[mine]).max() <= tolerance + 1
        assert (np.diff(run.slots) >= 1).all()
        assert (np.diff(run.slots) <= LONGEST_GAP + 1).all()
        assert run.slots[0] == 0
        assert run.slots[-1] < MOST_SLOTS
        assert {run.suspect} == set((samples.provenance[mine] == SUSPECT).tolist())
        place += len(run.raw)
    assert place == len(samples.raw)


@given(streams(), st.integers(1, 50))
def test_what_is_written_can_be_read_back(samples: Samples, width: int) -> None:
    for run in runs(samples):
        texts = full_data(run).split(" ")
        assert [int(text) for text in texts if text != MISSING] == run.raw.tolist()
        assert [place for place, text in enumerate(texts) if text != MISSING] == run.slots.tolist()
        reduced = reduced_data(run, width)
        low, mean, high = (part.split(" ") for part in (reduced.low, reduced.mean, reduced.high))
        assert len(low) == len(mean) == len(high) == run.slots[-1] // width + 1
        for column, text in enumerate(low):
            inside = run.raw[run.slots // width == column]
            if text == MISSING:
                assert not len(inside)
                assert mean[column] == high[column] == MISSING
            else:
                assert (int(text), int(high[column])) == (inside.min(), inside.max())
                assert abs(float(mean[column]) - inside.mean()) <= 0.0501


def test_a_stream_on_its_grid_is_one_run_and_one_off_it_is_none() -> None:
    index = np.arange(1_000, dtype=np.int64)
    zeros = np.zeros(1_000, np.int64)
    even = Samples("hub", 1, 1_000, index * 1_000, index * 1_000, index, zeros)
    (run,) = runs(even)
    assert run.period_us == 1_000
    assert not uneven([run])
    beats = np.cumsum(np.tile([700_000, 900_000, 650_000], 334)[:1_000])
    assert uneven(runs(Samples("belt", 1, 1_000_000, beats, beats, index, zeros)))
