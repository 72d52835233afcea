"""Frames a second of the hub's driver on one core: sealed records of eight hubs, put in where bleak puts them.

python -m tests.benchmarks.hub_rate [frames]
"""

import asyncio
import os
import sys
import time
from collections.abc import Callable, Sequence
from typing import cast

import numpy as np
from bleak import BleakClient

from core.model.block import SampleBlock
from core.model.clock import ManualClock, SystemClock
from core.model.hub import HoldCause, HubStatus, TherapyState
from devices.hub import uuids
from devices.hub.commander import Commander
from devices.hub.delivery import Delivery
from devices.hub.documents import Documents
from devices.hub.frames import encode_samples
from devices.hub.incoming import Incoming
from devices.hub.listener import HubListener
from devices.hub.session.keys import Session
from devices.hub.session.records import Opener, Sealer
from devices.hub.session.wire import FromHub
from devices.hub.status import StatusReport
from devices.hub.subscriptions import guarded
from devices.simulator.brain import Brain
from devices.tap import Tap
from tests.devices.hub.store import Store, no_disk
from tests.devices.session.parties import HUB

HUBS = 8
PORTIONS = (512, 64, 7, 1)
"""Records of one hub that wait when they are looked at: 64 at 50,000 a second, 7 at what eight radios can carry."""
REPORT = StatusReport(
    status=HubStatus(
        therapy=TherapyState.IDLE,
        cause=HoldCause.NONE,
        phase=0,
        phase_elapsed_ms=0,
        hub_time_us=0,
        lease_ms=0,
        command_counter=0,
        oldest_sequence=0,
        newest_sequence=-1,
        battery_percent=0,
        rssi_dbm=0,
        missed_events=0,
        memory_percent=0,
        swarm_dose_percent=0,
        patient_stop=False,
    ),
    boot=1,
    next_sequence=0,
    dropped=0,
    streaming=True,
)


class Counter(Store):
    """Counts frames and commits them."""

    frames = 0
    delivery: Delivery

    def blocks_arrived(self, blocks: Sequence[SampleBlock], sequences: Sequence[range]) -> None:
        for numbers in sequences:
            self.frames += len(numbers)
            self.delivery.committed(numbers)


def full(count: int) -> list[bytes]:
    """One block of 93 samples: records of 244 bytes."""
    samples = np.arange(93).astype(np.int16)
    return [
        encode_samples(1, n, 93_000 * (n + 1), [SampleBlock(8, 1, 93 * n, 93_000 * n, 1000, samples)])
        for n in range(count)
    ]


def simulated(count: int) -> list[bytes]:
    """What the simulated hub sends: several channels in a frame."""
    brain, frames = Brain(serial="SH-1", seed=1), list[bytes]()
    while len(frames) < count:
        frames += brain.tick()
    return frames[:count]


async def rate(frames: list[bytes], portion: int) -> float:
    """Frames in a second of processor time."""
    secret = os.urandom(32)
    sealer = Sealer(secret, ManualClock())
    records = [bytearray(sealer.seal(FromHub.TELEMETRY, frame)) for frame in frames]
    clock, hubs = SystemClock(), []
    for _ in range(HUBS):
        counter = Counter()
        listener = cast(HubListener, counter)
        commander = Commander(no_disk, lambda _: None, lambda _: None)
        session = Session(bytes(16), HUB.subject, HUB, Sealer(secret, clock), Opener(secret))
        incoming = Incoming(cast(BleakClient, None), commander, Documents(), listener, clock, lambda _: None)
        incoming.established(session)
        counter.delivery = Delivery(commander, listener)
        incoming.intake = await counter.delivery.begin(session, 1, REPORT, incoming.refuse)
        take = guarded(uuids.TELEMETRY, incoming.handles[uuids.TELEMETRY], Tap(clock), incoming.refuse)
        hubs.append((counter, incoming, cast(Callable[[object, bytearray], None], take)))
    began = time.process_time()
    for at in range(0, len(records), portion):
        for _, incoming, take in hubs:
            for record in records[at : at + portion]:
                take(None, record)
            assert incoming.intake is not None
            incoming.intake.flush()
    spent = time.process_time() - began
    assert all(counter.frames == len(frames) for counter, _, _ in hubs)
    return HUBS * len(frames) / spent


async def main(count: int) -> None:
    for make in (full, simulated):
        frames = make(count // HUBS)
        for portion in PORTIONS:
            found = await rate(frames, portion)
            sys.stdout.write(f"{make.__name__:10s} {portion:4d} records at once: {found:9,.0f} frames/s\n")


if __name__ == "__main__":
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {0})
    asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 57_000))
