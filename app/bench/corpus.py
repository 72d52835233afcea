"""Captured frames: what a hub of full frames would send, made once from a seed. Larger than what a simulated hub sends.

A simulated hub sends what a tick of 50 ms brings, some 42 frames a second of 40 to 222 bytes. Here each frame is filled
to the last byte: the bite force and the pulse wave of its stretch, all that waits of the slow channel of which most
waits, and as many samples of the jaw's EMG as still fit.
"""

import hashlib
from collections.abc import Iterable
from typing import Final

import numpy as np

from core.model.block import SampleBlock, Samples
from core.signals.catalogue import load_catalogue
from devices.hub.frames import BLOCK, FRAME_OVERHEAD, MAX_FRAME, block_size, encode_samples
from devices.simulator.body import Body

_FILLER: Final = "jaw_emg"
_EACH_FRAME: Final = ("bite_force", "pulse_wave")


class _Pending:
    """Samples of one channel that no frame has carried yet."""

    def __init__(self) -> None:
        self._blocks: list[SampleBlock] = []
        self.count = 0

    def add(self, block: SampleBlock) -> None:
        self._blocks.append(block)
        self.count += len(block.samples)

    def take(self, count: int) -> SampleBlock:
        """The oldest `count` samples as one block."""
        first = self._blocks[0]
        samples = np.concatenate([block.samples for block in self._blocks])
        self._blocks = [_part(first, samples, count, len(samples))] if count < len(samples) else []
        self.count -= count
        return _part(first, samples, 0, count)


def _part(block: SampleBlock, samples: Samples, begin: int, end: int) -> SampleBlock:
    return SampleBlock(
        channel=block.channel,
        boot=block.boot,
        first_index=block.first_index + begin,
        start_us=block.start_us + begin * block.period_us,
        period_us=block.period_us,
        samples=samples[begin:end],
    )


def full_frames(count: int, *, seed: int, boot: int, first_sequence: int) -> list[bytes]:
    """So many frames of MAX_FRAME bytes each; the same for the same arguments."""
    catalogue = load_catalogue()
    body = Body(catalogue, seed, boot)
    fast = [catalogue.key(key).number for key in _EACH_FRAME]
    filler = catalogue.key(_FILLER).number
    slow = [spec.number for spec in catalogue.from_source("hub") if spec.number not in (*fast, filler)]
    pending = {number: _Pending() for number in (*fast, filler, *slow)}
    frames: list[bytes] = []
    while len(frames) < count:
        for block in body.tick(0.0):
            pending[block.channel].add(block)
        chosen = [pending[number].take(pending[number].count) for number in fast if pending[number].count]
        told = max((pending[number] for number in slow), key=lambda one: one.count)
        if told.count:
            chosen.append(told.take(told.count))
        room = MAX_FRAME - FRAME_OVERHEAD - sum(block_size(len(block.samples)) for block in chosen)
        fits = (room - BLOCK.size) // 2
        while pending[filler].count < fits:
            for block in body.tick(0.0):
                pending[block.channel].add(block)
        chosen.append(pending[filler].take(fits))
        frames.append(encode_samples(boot, first_sequence + len(frames), body.now_us, chosen))
    return frames


def digest(frames: Iterable[bytes]) -> str:
    """SHA-256 over all of them, hex."""
    whole = hashlib.sha256()
    for frame in frames:
        whole.update(frame)
    return whole.hexdigest()
