"""Codecs give back what they were given, and refuse everything else."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from core.signals.codec import Codec, CodecError, decode, encode, encode_raw

samples_of = hnp.arrays(np.int16, st.integers(1, 700), elements=st.integers(-32768, 32767))


@given(samples=samples_of, timed=st.booleans(), raw=st.booleans())
def test_round_trip(samples: "np.ndarray[tuple[int], np.dtype[np.int16]]", timed: bool, raw: bool) -> None:
    offsets = np.cumsum(np.abs(samples.astype(np.int64)) + 1) if timed else None
    codec, data = (Codec.RAW, encode_raw(samples)) if raw else encode(samples, offsets)
    back, times = decode(codec, data, len(samples))
    np.testing.assert_array_equal(back, samples)
    assert back.dtype == np.int16
    if timed and not raw:
        assert offsets is not None
        assert times is not None
        np.testing.assert_array_equal(times, offsets)
    else:
        assert times is None


@given(codec=st.sampled_from([*Codec, 99]), data=st.binary(max_size=60), count=st.integers(1, 40))
def test_nonsense_is_refused(codec: int, data: bytes, count: int) -> None:
    try:
        samples, _ = decode(codec, data, count)
    except CodecError:
        return
    assert codec == Codec.RAW
    assert len(samples) == count


@pytest.mark.parametrize("cut", [0, 1, 10, -1])
def test_a_cut_block_is_refused(cut: int) -> None:
    samples = np.arange(1000, dtype=np.int16)
    for codec, data in (encode(samples), encode(samples, np.arange(1000, dtype=np.int64) ** 2)):
        with pytest.raises(CodecError):
            decode(codec, data[:cut], 1000)
        with pytest.raises(CodecError):
            decode(codec, data, 999)


def test_signals_take_well_under_the_two_bytes_of_raw() -> None:
    rng = np.random.default_rng(1)
    wave = (2000 * np.sin(np.arange(16_384) / 40) + rng.normal(0, 3, 16_384)).astype(np.int16)
    _, data = encode(wave)
    assert len(data) < 0.5 * len(encode_raw(wave))
