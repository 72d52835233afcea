"""How fast samples become durable in a record, how soon after they came, and what that writes."""

import secrets
import time
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from app.bench.disk import written_bytes
from app.bench.longterm import eight
from app.bench.noise import Matrix
from app.engine.promptness import promptness
from app.engine.recorder import Arrival, Committed, Recorder
from core.model.block import SampleBlock
from core.model.clock import SystemClock
from core.record import Packed, Record, StampedBlock

_EIGHT: Final = eight()
COMPACT_EVERY: Final = 50
"""Commits; in the engine ten seconds pass between two compactions."""
_UTC0_US: Final = 1_800_000_000_000_000
_LIVE_S: Final = 0.05


@dataclass(frozen=True, slots=True)
class Ingested:
    """`seconds`: of all commits and compactions, and of closing. `amplification`: bytes to the disk for each byte."""

    path: Path
    key: bytes
    seconds: float
    amplification: float | None


def blocks(matrix: Matrix, at: int, step: int, rate_hz: int) -> list[StampedBlock]:
    """One piece of the corpus as a hub's samples."""
    period_us = 1_000_000 // rate_hz
    start_us = at * period_us
    return [
        StampedBlock(SampleBlock(number, 1, at, start_us, period_us, values), _UTC0_US + start_us)
        for (number, _), values in zip(_EIGHT, matrix[:, at : at + step], strict=True)
    ]


def ingest(path: Path, matrix: Matrix, step: int, rate_hz: int) -> Ingested:
    """The corpus in durable commits as fast as they go, compacted as in the engine."""
    key = secrets.token_bytes(32)
    record = Record.create(path, key, chair=1, simulated=True, clock=SystemClock())
    before, began = written_bytes(), time.perf_counter()
    packing: Future[Packed] | None = None
    with promptness(), ThreadPoolExecutor(1, "packing") as helper:  # as in the engine
        for number, at in enumerate(range(0, matrix.shape[1], step)):
            with record.transaction():
                record.add_blocks("bench", blocks(matrix, at, step, rate_hz), None)
                if packing is not None and packing.done():
                    record.store_compacted(packing.result())
                    packing = None
            if number % COMPACT_EVERY == COMPACT_EVERY - 1 and packing is None:
                task = record.plan_compaction()
                packing = helper.submit(task.pack) if task is not None else None
    record.close()
    took, after = time.perf_counter() - began, written_bytes()
    wrote = None if before is None or after is None else (after - before) / matrix.nbytes
    return Ingested(path, key, took, wrote)


def live(path: Path, matrix: Matrix, rate_hz: int, seconds: float) -> tuple[float, float]:
    """By the engine's own recorder at the pace of life: p99, in seconds, from a sample's arrival to its commit; and the
    processor time for each second.
    """
    record = Record.create(path, secrets.token_bytes(32), chair=1, simulated=True, clock=SystemClock())
    came: dict[int, float] = {}
    waited: list[float] = []

    def committed(done: Committed) -> None:
        now = time.perf_counter()
        waited.extend(now - came.pop(id(arrival)) for arrival in done.arrivals)

    recorder = Recorder(record, committed=committed, failed=lambda _: None)
    recorder.start()
    step = max(1, round(rate_hz * _LIVE_S))
    due = began = time.perf_counter()
    spent = time.process_time()
    for at in range(0, min(round(seconds * rate_hz), matrix.shape[1]), step):
        arrival = Arrival("bench", (), tuple(blocks(matrix, at, step, rate_hz)), None)
        came[id(arrival)] = time.perf_counter()
        recorder.add(arrival)
        due += _LIVE_S
        time.sleep(max(0.0, due - time.perf_counter()))
    share = (time.process_time() - spent) / (time.perf_counter() - began)
    recorder.close()
    return float(np.percentile(waited, 99)), share
