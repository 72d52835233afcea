"""Telemetry frames: what goes in comes out, and nothing else is believed."""

import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.model.block import Provenance, SampleBlock
from devices.errors import FrameError
from devices.hub.frames import (
    BLOCK,
    HEADER,
    MAX_FRAME,
    FetchEnd,
    SampleFrame,
    decode_frame,
    encode_end,
    encode_samples,
)


def block(channel: int = 8, samples: tuple[int, ...] = (1, -2, 32767, -32768), **changes: int) -> SampleBlock:
    fields = {"first_index": 1000, "start_us": 990_000, "period_us": 1000} | changes
    return SampleBlock(
        channel=channel,
        boot=3,
        first_index=fields["first_index"],
        start_us=fields["start_us"],
        period_us=fields["period_us"],
        samples=np.array(samples, np.int16),
        sequence=77,
    )


def frame(*blocks: SampleBlock) -> bytes:
    return encode_samples(3, 77, 1_000_000, blocks or (block(),))


def same(left: SampleBlock, right: SampleBlock) -> bool:
    fields = ("channel", "boot", "first_index", "start_us", "period_us", "provenance", "sequence")
    return np.array_equal(left.samples, right.samples) and all(getattr(left, f) == getattr(right, f) for f in fields)


def test_a_frame_carries_its_blocks() -> None:
    blocks = (block(), block(2, (7000,), start_us=900_000, period_us=100_000, first_index=9))
    record = decode_frame(frame(*blocks), Provenance.LIVE)
    assert isinstance(record, SampleFrame)
    assert (record.boot, record.sequence, record.hub_time_us) == (3, 77, 1_000_000)
    assert all(same(*pair) for pair in zip(record.blocks, blocks, strict=True))


def test_the_layout_is_the_documented_one() -> None:
    expected = bytes.fromhex("01 00 01 00 03000000 4d000000 40420f0000000000")
    expected += bytes.fromhex("08 00 0400 e8030000 10270000 e8030000 0100 feff ff7f 0080")
    assert frame() == expected


def test_provenance_is_that_of_the_way_and_suspect_that_of_the_hub() -> None:
    suspect = SampleBlock(2, 3, 9, 900_000, 100_000, np.array([1], np.int16), Provenance.SUSPECT)
    record = decode_frame(frame(block(), suspect), Provenance.BACKFILLED)
    assert isinstance(record, SampleFrame)
    assert [b.provenance for b in record.blocks] == [Provenance.BACKFILLED, Provenance.SUSPECT]


def test_the_whole_frame_may_be_suspect() -> None:
    body = bytearray(frame())
    body[1] |= 1
    record = decode_frame(bytes(body), Provenance.LIVE)
    assert isinstance(record, SampleFrame)
    assert record.blocks[0].provenance is Provenance.SUSPECT


def test_an_end_record_comes_back() -> None:
    end = FetchEnd(counter=12, sent=64, oldest=100, next_sequence=900)
    assert decode_frame(encode_end(end), Provenance.BACKFILLED) == end


def test_every_truncation_is_refused() -> None:
    whole = frame()
    for length in range(len(whole)):
        with pytest.raises(FrameError):
            decode_frame(whole[:length], Provenance.LIVE)


@pytest.mark.parametrize(
    ("offset", "layout", "value"),
    [
        (2, "<B", 0),
        (2, "<B", 2),
        (2, "<B", 255),
        (HEADER.size + 2, "<H", 0),
        (HEADER.size + 2, "<H", 5),
        (HEADER.size + 2, "<H", 65535),
        (HEADER.size + 4, "<I", 0xFFFF_FFFF),
        (HEADER.size + 8, "<I", 1_000_001),
        (HEADER.size + 12, "<I", 0),
    ],
)
def test_counts_and_times_that_lie_are_refused(offset: int, layout: str, value: int) -> None:
    body = bytearray(frame())
    struct.pack_into(layout, body, offset, value)
    with pytest.raises(FrameError):
        decode_frame(bytes(body), Provenance.LIVE)


def test_a_channel_twice_is_refused() -> None:
    with pytest.raises(FrameError):
        decode_frame(frame(block(), block()), Provenance.LIVE)


def test_what_a_later_minor_appends_is_ignored() -> None:
    record = decode_frame(frame() + b"more", Provenance.LIVE)
    assert isinstance(record, SampleFrame)
    assert same(record.blocks[0], block())


def test_a_sound_frame_of_an_unknown_type_is_nothing() -> None:
    assert decode_frame(b"\x10 of a later version", Provenance.LIVE) is None


def test_the_encoder_makes_no_frame_that_a_record_cannot_carry() -> None:
    fits = (MAX_FRAME - HEADER.size - BLOCK.size) // 2
    assert len(frame(block(samples=(0,) * fits))) == MAX_FRAME
    with pytest.raises(ValueError, match="more than"):
        frame(block(samples=(0,) * (fits + 1)))


@given(st.binary(max_size=300))
def test_garbage_raises_nothing_but_frame_error(data: bytes) -> None:
    for raw in (data, b"\x01" + data, b"\x02" + data):
        try:
            decode_frame(raw, Provenance.LIVE)
        except FrameError:
            pass


@given(st.integers(0, 11), st.binary(min_size=1, max_size=12))
def test_a_forged_header_raises_nothing_but_frame_error(at: int, forged: bytes) -> None:
    body = bytearray(frame())
    body[2 * at : 2 * at + len(forged)] = forged
    try:
        record = decode_frame(bytes(body), Provenance.LIVE)
    except FrameError:
        return
    if isinstance(record, SampleFrame):
        assert sum(len(b.samples) for b in record.blocks) <= MAX_FRAME
        assert all(b.start_us >= 0 and b.period_us > 0 for b in record.blocks)
