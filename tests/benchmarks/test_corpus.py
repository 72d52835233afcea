"""The captured frames of `bench link`: full, always the same, and nothing of the simulated patient left out."""

from app.bench.corpus import digest, full_frames
from core.model.block import Provenance
from core.signals.catalogue import load_catalogue
from devices.hub.frames import MAX_FRAME, SampleFrame, decode_frame


def test_each_frame_is_full_and_every_sample_stands_in_the_next_one() -> None:
    frames = full_frames(700, seed=3, boot=2, first_sequence=7)
    ends: dict[int, int] = {}
    for number, frame in enumerate(frames):
        decoded = decode_frame(frame, Provenance.LIVE)
        assert isinstance(decoded, SampleFrame)
        assert (decoded.boot, decoded.sequence) == (2, 7 + number)
        for block in decoded.blocks:
            assert block.first_index == ends.get(block.channel, 0)
            ends[block.channel] = block.end_index
    assert {len(frame) for frame in frames} == {MAX_FRAME}
    assert set(ends) == {spec.number for spec in load_catalogue().from_source("hub")}


def test_the_same_seed_makes_the_same_frames() -> None:
    def made(seed: int) -> str:
        return digest(full_frames(30, seed=seed, boot=1, first_sequence=0))

    assert made(1) == made(1) != made(2)
