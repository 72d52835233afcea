"""Durable commits into an encrypted record against a plain append of the same bytes."""

import os
import secrets
import tempfile
import time
from pathlib import Path

import numpy as np

from app.bench.common import Report, figure, report, say
from core.model.block import SampleBlock
from core.model.clock import SystemClock
from core.record import Record, RecordReader, StampedBlock
from core.signals.catalogue import load_catalogue

COMMIT_US = 200_000


def bench_record(seconds: int = 300) -> Report:
    """Two hubs' samples in commits of 200 ms, as fast as they go, compaction included; then the whole read back."""
    with tempfile.TemporaryDirectory(prefix="smilescape-bench-") as folder:
        root = Path(folder)
        say(f"{seconds} s of two hubs into {root}")
        commits = [_commit(number) for number in range(seconds * 1_000_000 // COMMIT_US)]
        samples = sum(len(item.block.samples) for commit in commits for item in commit)
        plain_s = _append(root / "plain.bin", commits)
        key = secrets.token_bytes(32)
        ours_s, p99 = _ingest(root / "bench.sqlite", key, commits)
        stored = (root / "bench.sqlite").stat().st_size
        ours_read, brute = _read(root / "bench.sqlite", key)
    return report(
        "record",
        figure("durable ingest", samples / ours_s, "samples/s", "append + fdatasync", samples / plain_s, ">=0.2"),
        figure("commit p99", p99 * 1000, "ms", "commit interval", COMMIT_US / 1000, "<=0.5"),
        figure("closed file", stored / samples, "bytes/sample", "int16", 2.0, "<=1.0"),
        figure("1000 columns of all", ours_read * 1000, "ms", "numpy over every sample", brute * 1000, "<=0.5"),
    )


def _commit(number: int) -> list[StampedBlock]:
    rng = np.random.default_rng(number)
    found: list[StampedBlock] = []
    begin = number * COMMIT_US
    for boot in (1, 2):
        for spec in load_catalogue().from_source("hub"):
            first, last = -(-begin // spec.period_us), -(-(begin + COMMIT_US) // spec.period_us)
            if last == first:
                continue
            t = np.arange(first, last) * spec.period_us / 1e6
            raw = (1000 * np.sin(t) + rng.normal(0, 20, last - first)).astype(np.int16)
            block = SampleBlock(
                channel=spec.number,
                boot=boot,
                first_index=first,
                start_us=first * spec.period_us,
                period_us=spec.period_us,
                samples=raw,
                sequence=number,
            )
            found.append(StampedBlock(block, 1_800_000_000_000_000 + first * spec.period_us))
    return found


def _append(path: Path, commits: list[list[StampedBlock]]) -> float:
    began = time.perf_counter()
    with path.open("wb", buffering=0) as out:
        for commit in commits:
            out.write(b"".join(item.block.samples.tobytes() for item in commit))
            os.fsync(out.fileno())
    return time.perf_counter() - began


def _ingest(path: Path, key: bytes, commits: list[list[StampedBlock]]) -> tuple[float, float]:
    record = Record.create(path, key, chair=1, simulated=True, clock=SystemClock())
    times: list[float] = []
    began = time.perf_counter()
    for number, commit in enumerate(commits):
        at = time.perf_counter()
        with record.transaction():
            record.add_blocks("bench", commit, None)
        times.append(time.perf_counter() - at)
        if number % 5 == 4:
            record.compact()
    record.close()
    return time.perf_counter() - began, float(np.percentile(times, 99))


def _read(path: Path, key: bytes) -> tuple[float, float]:
    with RecordReader.open(path, key) as reader:
        span = next(span for span in reader.spans() if span.channel == "jaw_emg")
        ours = min(_timed(lambda: reader.columns("jaw_emg", span.from_us, span.to_us, 1000)) for _ in range(5))

        def brute() -> None:
            values = np.concatenate([block.samples for block in reader.samples(None, "jaw_emg")])
            edges = np.linspace(0, len(values), 1001).astype(int)[:-1]
            np.minimum.reduceat(values, edges)
            np.maximum.reduceat(values, edges)

        return ours, min(_timed(brute) for _ in range(5))


def _timed(run: object) -> float:
    assert callable(run)
    began = time.perf_counter()
    run()
    return time.perf_counter() - began
