"""First paint: eight channels over a range, in a process of its own that has not read the file before."""

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Final

import msgspec
import numpy as np

from app.bench.disk import forget
from app.bench.longterm import LongRecord

COLUMNS: Final = 1_000
_WARM: Final = 7
_ROOT: Final = Path(__file__).parents[2]


class Task(msgspec.Struct, frozen=True):
    """What to paint. `key`: hex, of a record; empty for EDF+, of which the whole file is painted."""

    path: str
    key: str
    channels: tuple[str, ...]
    from_us: int
    to_us: int


class Painted(msgspec.Struct, frozen=True):
    """Milliseconds: from opening the file to the last channel, and the median of the same range again."""

    cold_ms: float
    warm_ms: float


def paint(record: LongRecord, hours: float, rounds: int) -> Painted:
    """The last hours of a record; the median of so many fresh processes."""
    from_us = max(record.from_us, record.to_us - round(hours * 3_600_000_000))
    return _apart(Task(str(record.path), record.key.hex(), record.channels, from_us, record.to_us), rounds)


def paint_edf(path: Path, rounds: int) -> Painted:
    """The whole of an EDF+ file."""
    return _apart(Task(str(path), "", (), 0, 0), rounds)


def _apart(task: Task, rounds: int) -> Painted:
    """The file is forgotten before each."""
    found = []
    for _ in range(rounds):
        forget(Path(task.path))
        done = subprocess.run(
            [sys.executable, "-m", "app.bench.paint"],
            input=msgspec.json.encode(task),
            stdout=subprocess.PIPE,
            cwd=_ROOT,
            env=os.environ | {"PYTHONPATH": str(_ROOT)},
            check=True,
        )
        found.append(msgspec.json.decode(done.stdout, type=Painted))
    return Painted(float(np.median([one.cold_ms for one in found])), float(np.median([one.warm_ms for one in found])))


def _record(task: Task) -> Painted:
    from core.record import RecordReader

    began = time.perf_counter()
    with RecordReader.open(Path(task.path), bytes.fromhex(task.key)) as reader:

        def once() -> float:
            for channel in task.channels:
                got = reader.columns(channel, task.from_us, task.to_us, COLUMNS)
                assert not np.isnan(got.low).any()
            return time.perf_counter()

        cold = once() - began
        return _told(cold, [-time.perf_counter() + once() for _ in range(_WARM)])


def _edf(task: Task) -> Painted:
    import edfio

    def once() -> float:
        began = time.perf_counter()
        for signal in edfio.read_edf(Path(task.path), lazy_load_data=True).signals:
            values = signal.digital
            edges = np.linspace(0, len(values), COLUMNS + 1).astype(int)[:-1]
            np.minimum.reduceat(values, edges)
            np.maximum.reduceat(values, edges)
        return time.perf_counter() - began

    return _told(once(), [once() for _ in range(2)])


def _told(cold_s: float, warm_s: list[float]) -> Painted:
    return Painted(cold_s * 1000, float(np.median(warm_s)) * 1000)


def main() -> None:
    """One task from standard input, what was measured to standard output."""
    task = msgspec.json.decode(sys.stdin.buffer.read(), type=Task)
    sys.stdout.buffer.write(msgspec.json.encode(_record(task) if task.key else _edf(task)))


if __name__ == "__main__":
    main()
