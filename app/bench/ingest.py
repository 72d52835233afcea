"""From the notification callback to the disk: sealed records of eight hubs, on one core, in frames a second."""

import asyncio
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from app.bench.common import say
from app.bench.corpus import digest, full_frames
from app.bench.practice import Practice, Seat
from app.engine.clock import SystemAsyncClock
from app.engine.promptness import promptness
from core.model.block import Provenance, Samples
from core.record import RecordReader
from core.signals.catalogue import load_catalogue
from devices.hub import uuids
from devices.hub.frames import HEADER, SampleFrame, decode_frame
from devices.hub.session.wire import FromHub
from devices.simulator.brain import Brain
from devices.simulator.link import Outgoing
from devices.simulator.wire import ADDRESS, WireRadio

CEILING_FRAMES_S: Final = 5_700.0
"""Eight hubs on eight radios at BLE 2M, records of 244 bytes: what physics lets in."""
HUBS: Final = 8
BURST: Final = 10
"""Records that a radio hands over at once; then the next hub has its turn."""
_TICK_S: Final = 0.01

Arrive = Callable[[bytearray], None]


class ReplayClock(SystemAsyncClock):
    """Tells the time at which what is replayed was captured: hub time passes as it did then, however fast we are."""

    def __init__(self) -> None:
        self._zero = super().monotonic()
        self._utc_us = super().utc_us()
        self.hub_us = 0

    def monotonic(self) -> float:
        return self._zero + self.hub_us / 1e6

    def utc_us(self) -> int:
        return self._utc_us + self.hub_us


@dataclass(frozen=True, slots=True)
class Ingest:
    """What was measured.

    Attributes:
        frames_s: frames a second from the first callback until the last frame was durable, nothing held back.
        frames_cpu_s: the same for each second of processor time: without what the disk and others on the core took.
        share: CPU time over wall time, frames coming at the ceiling; without `pacer`.
        pacer: what of a core it takes to hand the same records over at the ceiling to who does nothing with them.
        corpus: SHA-256 over the plaintexts of all hubs.
    """

    frames_s: float
    frames_cpu_s: float
    share: float
    pacer: float
    corpus: str


class _Station:
    """One hub at the end of a wire, its seat, and its captured records."""

    def __init__(self, number: int, folder: Path, practice: Practice, count: int) -> None:
        self.clock = ReplayClock()
        self.brain = Brain(serial=f"SH-{number}", seed=number)
        practice.enrol(self.brain)
        self.seat = Seat(number, folder, self.clock)
        self.radio = WireRadio(self.brain, self.clock)
        self.frames = full_frames(
            count, seed=number, boot=self.brain.identity.boot, first_sequence=self.brain.memory.next_sequence
        )
        self.records: list[bytearray] = []
        self.seat.bind(self.radio, practice, ADDRESS, f"SH-{number}")

    def capture(self) -> Arrive:
        """The hub makes all of its frames and seals them; what takes them at the other end."""
        self.brain.memory.store(self.frames)
        link = self.radio.link
        assert link is not None
        sealed = (link.seal(Outgoing(FromHub.TELEMETRY, frame)) for frame in self.frames)
        self.records = [bytearray(record) for record in sealed if record is not None]
        return self.radio.callback(uuids.TELEMETRY)

    @property
    def durable(self) -> bool:
        return self.seat.committed == len(self.frames)


@contextmanager
def one_core() -> Iterator[None]:
    """Every thread of this process on one core, where the system can do that."""
    if not hasattr(os, "sched_setaffinity"):
        say("this system cannot confine a process to one core")
        yield
        return
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {max(before)})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def measure_ingest(frames: int, seconds: float) -> Ingest:
    """Every sample that went in is looked for in the records afterwards.

    Args:
        frames: of each hub, as fast as they are taken.
        seconds: at the ceiling.

    Raises:
        RuntimeError: a sample is missing, or something was refused.
    """
    with one_core():
        flat_out, corpus = asyncio.run(_run(frames, pace=None))
        paced, _ = asyncio.run(_run(round(seconds * CEILING_FRAMES_S / HUBS), pace=CEILING_FRAMES_S))
    pacer = paced.pacer_s / paced.wall_s
    share = paced.cpu_s / paced.wall_s - pacer
    say(f"flat out {flat_out.frames / flat_out.wall_s:,.0f} frames/s")
    say(f"at the ceiling {share:.1%} of a core, and {pacer:.1%} for handing the records over")
    return Ingest(flat_out.frames / flat_out.wall_s, flat_out.frames / flat_out.cpu_s, share, pacer, corpus)


@dataclass(frozen=True, slots=True)
class _Spent:
    frames: int
    wall_s: float
    cpu_s: float
    pacer_s: float


async def _run(count: int, *, pace: float | None) -> tuple[_Spent, str]:
    with tempfile.TemporaryDirectory(prefix="smilescape-bench-") as folder:
        practice = Practice()
        stations = [_Station(number, Path(folder), practice, count) for number in range(1, HUBS + 1)]
        corpus = digest(frame for station in stations for frame in station.frames)
        say(f"{HUBS} x {count} frames, corpus {corpus[:16]}")
        async with asyncio.timeout(60):
            for station in stations:
                await station.seat.up.wait()
        arrivals = [station.capture() for station in stations]
        with promptness():  # as the engine's
            pacer_s = await _handed_over(stations, pace) if pace is not None else 0.0
            began, cpu = time.perf_counter(), time.process_time()
            await _inject(stations, arrivals, pace)
            while not all(station.durable for station in stations):  # noqa: ASYNC110 - told from the records' threads
                await asyncio.sleep(_TICK_S)
        spent = _Spent(HUBS * count, time.perf_counter() - began, time.process_time() - cpu, pacer_s)
        for station in stations:
            await station.seat.close()
            _check(station)
        return spent, corpus


async def _handed_over(stations: list[_Station], pace: float) -> float:
    """CPU seconds that handing over takes by itself: the loop that wakes, and the records that are looked up.

    Those of the loop's thread: what the records' threads do while nothing comes counts as ours.
    """
    began = time.thread_time()
    await _inject(stations, [lambda _: None] * len(stations), pace)
    spent = time.thread_time() - began
    for station in stations:
        station.clock.hub_us = 0
    return spent


async def _inject(stations: list[_Station], arrivals: list[Arrive], pace: float | None) -> None:
    """Hand the records over in turns, as fast as they are taken or `pace` a second; the loop runs each 10 ms."""
    count = len(stations[0].records)
    began = yielded = time.perf_counter()
    for first in range(0, count, BURST):
        if pace is not None:
            ahead = began + first * HUBS / pace - time.perf_counter()
            if ahead > 0:
                await asyncio.sleep(ahead)
        elif time.perf_counter() - yielded >= _TICK_S:
            await asyncio.sleep(0)
            yielded = time.perf_counter()
        for station, arrive in zip(stations, arrivals, strict=True):
            station.clock.hub_us = HEADER.unpack_from(station.frames[min(first + BURST, count) - 1])[-1]
            for record in station.records[first : first + BURST]:
                arrive(record)


def _check(station: _Station) -> None:
    """Whether the record holds every sample of the captured frames, and nothing was found wrong with them."""
    seat = station.seat
    if seat.problems or seat.doubts:
        raise RuntimeError(f"{station.brain.identity.serial}: {seat.problems[:3]} {seat.doubts}")
    sent: dict[int, list[Samples]] = {}
    for frame in station.frames:
        decoded = decode_frame(frame, Provenance.LIVE)
        assert isinstance(decoded, SampleFrame)
        for block in decoded.blocks:
            sent.setdefault(block.channel, []).append(block.samples)
    with RecordReader.open(seat.path, seat.key) as reader:
        for number, parts in sent.items():
            spec = load_catalogue().number(number)
            assert spec is not None
            kept = np.concatenate([block.samples for block in reader.samples(None, spec.key)])
            if not np.array_equal(kept, np.concatenate(parts)):
                raise RuntimeError(f"{station.brain.identity.serial}: samples of {spec.key} are missing in the record")
