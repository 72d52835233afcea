"""A batch says what its frames say one by one, and its blocks hold each sample once."""

import struct
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.model.block import Provenance, SampleBlock
from devices.errors import FrameError
from devices.hub.batch import Batch, decode_batch
from devices.hub.frames import BLOCK, HEADER, MAX_FRAME, FetchEnd, SampleFrame, decode_frame, encode_end, encode_samples
from devices.hub.merge import merge, merge_few

EVERY_CHANNEL = np.ones(256, np.bool_)
END = FetchEnd(counter=4, sent=9, oldest=1, next_sequence=10)


@st.composite
def sound_frames(draw: st.DrawFn) -> bytes:
    """A frame that an honest hub may send."""
    boot, sequence = draw(st.integers(1, 3)), draw(st.integers(0, 50))
    now = draw(st.integers(10_000_000, 2**40))
    blocks = [
        SampleBlock(
            channel=channel,
            boot=boot,
            first_index=draw(st.integers(0, 1000)),
            start_us=now - draw(st.integers(0, 9_000_000)),
            period_us=draw(st.integers(1, 2**32 - 1)),
            samples=np.array(draw(st.lists(st.integers(-32768, 32767), min_size=1, max_size=3)), np.int16),
            provenance=draw(st.sampled_from((Provenance.LIVE, Provenance.SUSPECT))),
        )
        for channel in draw(st.lists(st.integers(0, 255), min_size=1, max_size=8, unique=True))
    ]
    frame = encode_samples(boot, sequence, now, blocks)
    return bytes((frame[0], draw(st.sampled_from((0, 1, 2, 255))))) + frame[2:] + draw(st.binary(max_size=3))


@st.composite
def spoilt_frames(draw: st.DrawFn) -> bytes:
    """A frame of which a few bytes are others, or the end is missing."""
    frame = bytearray(draw(sound_frames()))
    for _ in range(draw(st.integers(1, 3))):
        frame[draw(st.integers(0, min(len(frame), 60) - 1))] = draw(st.integers(0, 255))
    return bytes(frame[: draw(st.integers(0, len(frame)))]) if draw(st.booleans()) else bytes(frame)


FRAMES = st.one_of(
    sound_frames(), sound_frames(), spoilt_frames(), st.just(encode_end(END)), st.binary(max_size=MAX_FRAME)
)
BATCHES = st.lists(FRAMES, min_size=1, max_size=12)


def one_by_one(frames: Sequence[bytes]) -> list[SampleFrame | FetchEnd | str | None]:
    found: list[SampleFrame | FetchEnd | str | None] = []
    for frame in frames:
        try:
            found.append(decode_frame(frame, Provenance.LIVE))
        except FrameError as error:
            found.append(str(error))
    return found


def blocks_of(batch: Batch, row: int) -> list[SampleBlock]:
    """The blocks of one frame, as the columns tell them."""
    pieces = batch.pieces
    return [
        SampleBlock(
            channel=int(pieces.channel[at]),
            boot=int(batch.boot[row]),
            first_index=int(pieces.first[at]),
            start_us=int(pieces.start_us[at]),
            period_us=int(pieces.period[at]),
            samples=batch.words[pieces.at[at] : pieces.at[at] + pieces.count[at]],
            provenance=Provenance.SUSPECT if pieces.suspect[at] else Provenance.LIVE,
            sequence=int(batch.sequence[row]),
        )
        for at in np.flatnonzero(pieces.row == row)
    ]


def plain(block: SampleBlock) -> tuple[object, ...]:
    return (
        block.channel,
        block.boot,
        block.first_index,
        block.start_us,
        block.period_us,
        block.samples.tolist(),
        block.provenance,
        block.sequence,
    )


@settings(max_examples=150, deadline=None)
@given(BATCHES)
def test_a_batch_says_what_its_frames_say_one_by_one(frames: list[bytes]) -> None:
    batch = decode_batch(frames)
    refused, ends = dict(batch.refused), dict(batch.ends)
    for row, expected in enumerate(one_by_one(frames)):
        assert batch.sound[row] == isinstance(expected, SampleFrame)
        assert ends.get(row) == (expected if isinstance(expected, FetchEnd) else None)
        assert (str(refused[row]) if row in refused else None) == (expected if isinstance(expected, str) else None)
        found = [plain(block) for block in blocks_of(batch, row)]
        assert found == ([plain(block) for block in expected.blocks] if isinstance(expected, SampleFrame) else [])


@settings(max_examples=100, deadline=None)
@given(BATCHES, st.data())
def test_blocks_hold_each_sample_of_the_kept_frames_once(frames: list[bytes], data: st.DataObject) -> None:
    batch = decode_batch(frames)
    flags = st.lists(st.booleans(), min_size=len(frames), max_size=len(frames))
    kept = batch.sound & np.array(data.draw(flags))
    backfilled = np.array(data.draw(flags))
    expected = []
    for row in np.flatnonzero(kept).tolist():
        for block in blocks_of(batch, row):
            way = Provenance.BACKFILLED if backfilled[row] else Provenance.LIVE
            provenance = Provenance.SUSPECT if block.provenance is Provenance.SUSPECT else way
            expected += singles(block, provenance)
    found = []
    kept_blocks = [
        replace(block, provenance=Provenance.BACKFILLED if backfilled[row] and not suspect(block) else block.provenance)
        for row in np.flatnonzero(kept).tolist()
        for block in blocks_of(batch, row)
    ]
    for boot, blocks in merge(batch, kept, backfilled, EVERY_CHANNEL):
        assert {block.boot for block in blocks} == {boot}
        few = merge_few([block for block in kept_blocks if block.boot == boot])
        assert not any(mergeable(left, right) for left, right in pairwise(few))
        assert sorted(one for block in few for one in singles(block, block.provenance)) == sorted(
            one for block in blocks for one in singles(block, block.provenance)
        )
        assert not any(mergeable(left, right) for left, right in pairwise(blocks))
        for block in blocks:
            assert not block.samples.flags.writeable
            assert block.samples.dtype == np.int16
            found += singles(block, block.provenance)
    assert sorted(found) == sorted(expected)


def suspect(block: SampleBlock) -> bool:
    return block.provenance is Provenance.SUSPECT


def singles(block: SampleBlock, provenance: Provenance) -> list[tuple[int, ...]]:
    """Each sample with all that is known of it but its frame."""
    return [
        (
            block.boot,
            block.channel,
            block.first_index + n,
            block.start_us + n * block.period_us,
            block.period_us,
            value,
            provenance,
        )
        for n, value in enumerate(block.samples.tolist())
    ]


def mergeable(left: SampleBlock, right: SampleBlock) -> bool:
    return (left.channel, left.end_index, left.end_us, left.period_us, left.provenance) == (
        right.channel,
        right.first_index,
        right.start_us,
        right.period_us,
        right.provenance,
    )


def stream(frames: int, *, first: int = 0) -> list[bytes]:
    """Frames of two channels, each sample its own index."""
    made = []
    for number in range(first, first + frames):
        fast = range(25 * number, 25 * number + 25)
        blocks = [
            SampleBlock(8, 1, fast.start, fast.start * 1000, 1000, np.array(fast, np.int16)),
            SampleBlock(2, 1, number, number * 25_000, 25_000, np.array([number], np.int16)),
        ]
        made.append(encode_samples(1, number, (number + 1) * 25_000, blocks))
    return made


def merged(
    frames: list[bytes], channels: np.ndarray[tuple[int], np.dtype[np.bool_]] = EVERY_CHANNEL
) -> list[SampleBlock]:
    batch = decode_batch(frames)
    nothing = np.zeros(len(frames), np.bool_)
    return [block for _, blocks in merge(batch, batch.sound, nothing, channels) for block in blocks]


@pytest.mark.parametrize("frames", [1, 2, 100])
def test_a_steady_stream_becomes_one_block_for_each_channel(frames: int) -> None:
    blocks = merged(stream(frames, first=3))
    assert [(block.channel, len(block.samples), block.sequence) for block in blocks] == [
        (2, frames, frames + 2),
        (8, 25 * frames, frames + 2),
    ]
    assert blocks[1].samples.tolist() == list(range(75, 75 + 25 * frames))
    assert (blocks[1].first_index, blocks[1].start_us) == (75, 75_000)


def test_frames_in_any_order_become_the_same_blocks_and_a_gap_parts_them() -> None:
    frames = stream(20)
    assert [plain(one) for one in merged(frames[::-1])] == [plain(one) for one in merged(frames)]
    parted = merged(frames[:10] + frames[11:])
    assert [(block.channel, len(block.samples)) for block in parted] == [(2, 10), (2, 9), (8, 250), (8, 225)]


def test_a_channel_that_is_not_known_is_left_out() -> None:
    known = np.zeros(256, np.bool_)
    known[2] = True
    assert [block.channel for block in merged(stream(5), known)] == [2]


def test_a_spoilt_frame_in_the_middle_costs_only_itself() -> None:
    frames = stream(30)
    body = bytearray(frames[10])
    struct.pack_into("<H", body, HEADER.size + 2, 9999)
    frames[10] = bytes(body)
    frames[20] = frames[20][: HEADER.size + BLOCK.size]
    batch = decode_batch(frames)
    assert [row for row, _ in batch.refused] == [10, 20]
    assert np.flatnonzero(~batch.sound).tolist() == [10, 20]


def test_a_time_that_turns_round_is_never_merged_over() -> None:
    late = SampleBlock(2, 1, 0, 2**64 - 1000, 1000, np.array([1], np.int16))
    early = SampleBlock(2, 1, 1, 0, 1000, np.array([2], np.int16))
    frames = [encode_samples(1, 0, 2**64 - 1, [late]), encode_samples(1, 1, 5, [early])]
    assert len(merged(frames)) == 2
