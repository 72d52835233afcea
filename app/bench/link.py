"""Frames of a hub through decoding, limits and the live ring on one core, against what hubs can send."""

import tempfile
import time
from pathlib import Path

import numpy as np

from app.bench.common import Report, figure, report, say
from app.ipc.ring import RingWriter
from core.model.block import Provenance, SampleBlock
from core.safety.limit_table import load_limits
from core.safety.limits import LimitMonitor, strictest
from core.signals.catalogue import load_catalogue
from devices.hub.frames import SampleFrame, decode_frame, encode_samples
from devices.simulator.body import Body

HUB_FRAMES_S = 42.0
"""What one simulated hub sends (docs/hub-protocol.md)."""
CEILING_FRAMES_S = 5_700.0
"""Eight hubs on eight BLE 2M radios, 244-byte frames: the physical limit."""
LONGEST_BLOCK = 40


def bench_link(seconds: int = 60, rounds: int = 5) -> Report:
    """Frames are made by the simulated hub's body and encoded once; what is timed is everything behind the callback."""
    frames = _frames(seconds)
    say(f"{len(frames)} frames, {rounds} rounds")
    rates = []
    with tempfile.TemporaryDirectory(prefix="smilescape-bench-") as folder:
        for number in range(rounds):
            ring = RingWriter(Path(folder) / f"{number}.ring")
            monitor = LimitMonitor(strictest(load_limits().limits), load_catalogue())
            began = time.perf_counter()
            for at, frame in enumerate(frames):
                decoded = decode_frame(frame, Provenance.LIVE)
                assert isinstance(decoded, SampleFrame)
                for block in decoded.blocks:
                    monitor.feed(block, float(at))
                    ring.write(block, block.start_us)
            rates.append(len(frames) / (time.perf_counter() - began))
            ring.close()
    rate = float(np.median(rates))
    return report(
        "link",
        figure("decode, limits, ring", rate, "frames/s", "one hub", HUB_FRAMES_S, ">=20"),
        figure("decode, limits, ring", rate, "frames/s", "eight hubs at the BLE 2M ceiling", CEILING_FRAMES_S, ">=1"),
    )


def _frames(seconds: int) -> list[bytes]:
    body = Body(load_catalogue(), seed=1, boot=1)
    frames: list[bytes] = []
    for _ in range(seconds * 20):
        for block in body.tick(0.0):
            for part in _parts(block):
                frames.append(encode_samples(1, len(frames), body.now_us, [part]))
    return frames


def _parts(block: SampleBlock) -> list[SampleBlock]:
    """A block in pieces that fit a frame."""
    return [
        SampleBlock(
            channel=block.channel,
            boot=block.boot,
            first_index=block.first_index + begin,
            start_us=block.start_us + begin * block.period_us,
            period_us=block.period_us,
            samples=block.samples[begin : begin + LONGEST_BLOCK],
        )
        for begin in range(0, len(block.samples), LONGEST_BLOCK)
    ]
