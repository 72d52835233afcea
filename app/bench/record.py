"""A sealed record against a plain append, four other ways to keep samples, and the densest packing there is."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import numpy as np

from app.bench.common import Figure, Report, figure, report, say, seconds
from app.bench.disk import IN_MEMORY, file_system
from app.bench.durable import Ingested, ingest, live
from app.bench.longterm import RATE_HZ, LongRecord, eight, write_long
from app.bench.noise import Matrix, digest, noisy
from app.bench.paint import COLUMNS, Painted, paint, paint_edf
from app.bench.peers import Kept, absent, append, hdf5, parquet, pcodec_alone, peers, sealed, write_edf
from core.record import RecordReader

INGEST_HZ: Final = 1_000
STEP: Final = 200
"""Samples of a channel to a commit of 200 ms."""
_DURABLE_MS: Final = 300.0
_PAINT_MS: Final = {24: 15.0, 720: 30.0}
_PEER_SHARE: Final = 60
"""Slower peers take so small a part of the corpus: their rate does not depend on it."""
_NAMES: Final = {1: "1 hour", 24: "24 hours", 720: "30 days"}


def bench_record(
    folder: Path | None = None, *, seconds_of: int = 3600, days: float = 30.0, live_s: float = 25, rounds: int = 5
) -> Report:
    """One sustained run of eight channels of 1 kHz, `seconds_of` seconds of them; then reviews of up to `days` days."""
    with _room(folder) as root:
        disk = file_system(root)
        if disk in IN_MEMORY:
            say(f"{root} is {disk}, which is no disk: nothing here is durable. Choose another with --folder.")
        for peer in absent():
            say(f"Not measured: {peer}.")
        matrix = noisy(seconds_of * INGEST_HZ, INGEST_HZ)
        corpus = digest(matrix)
        say(f"{matrix.size:,} samples, SHA-256 {corpus[:16]}…, into {root} ({disk})")
        figures = _durable(root, matrix, live_s)
        figures += _reviews(root, days, rounds)
    made = report("record", *figures)
    made.machine.update(disk=disk, corpus=corpus, absent="; ".join(absent()) or "nothing")
    return made


@contextmanager
def _room(folder: Path | None) -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="smilescape-bench-", dir=folder) as made:
        yield Path(made)


# ingest and size


def _durable(root: Path, matrix: Matrix, live_s: float) -> list[Figure]:
    plain = matrix.size / append(root / "plain.bin", matrix, STEP)
    ours = ingest(root / "ours.sqlite", matrix, STEP, INGEST_HZ)
    bare = matrix.size / sealed(root / "sealed.sqlite", matrix, STEP)
    again = matrix.size / append(root / "plain.bin", matrix, STEP)
    plain = (plain + again) / 2  # before and after, since disks change their pace
    rate, size = matrix.size / ours.seconds, ours.path.stat().st_size / matrix.size
    part = np.ascontiguousarray(matrix[:, : max(STEP * 5, matrix.shape[1] // _PEER_SHARE // STEP * STEP)])
    kept: dict[str, Kept] = {}
    for name, run in peers().items():
        say(name)
        kept[name] = run(root / f"peer-{len(kept)}", part, STEP, INGEST_HZ)
    say("live")
    p99_s, share = live(root / "live.sqlite", matrix, INGEST_HZ, live_s)
    alone = pcodec_alone(matrix)
    found = [
        figure("durable ingest", rate, "samples/s", "append + fdatasync, not encrypted", plain, ">=0.7"),
        figure("durable ingest", rate, "samples/s", "SQLCipher alone, a row each commit", bare, ">=0.7"),
        *(figure("durable ingest", rate, "samples/s", name, peer.rate, ">=1") for name, peer in kept.items()),
        figure("durable after, p99", p99_s * 1000, "ms", "promise", _DURABLE_MS, "<=1"),
        figure("processor at the pace of life", share, "of a core", "a core", 1.0, "<=0.1"),
    ]
    if ours.amplification is not None:
        found.append(figure("written", ours.amplification, "bytes/byte", "each byte once", 1.0, "<=8"))
    found += _sizes(root, matrix, size, alone, kept)
    return [*found, _all_of_it(ours)]


def _sizes(root: Path, matrix: Matrix, size: float, alone: float, kept: dict[str, Kept]) -> list[Figure]:
    others = {"int16": 2.0, "Parquet, zstd": parquet(root / "all.parquet", matrix)}
    if not absent():
        others["HDF5, shuffle and gzip"] = hdf5(root / "all.h5", matrix)
    whole = matrix[:, : matrix.shape[1] // INGEST_HZ * INGEST_HZ]
    write_edf(root / "all.edf", whole, INGEST_HZ)
    others["EDF+"] = (root / "all.edf").stat().st_size / whole.size
    others |= {name: one.bytes_per_sample for name, one in kept.items() if name.startswith("row")}
    return [
        figure("final size", size, "bytes/sample", "pcodec level 12 alone", alone, "<=1.1"),
        *(figure("final size", size, "bytes/sample", name, peer, "<=1") for name, peer in others.items()),
    ]


def _all_of_it(ours: Ingested) -> Figure:
    """Columns over everything against numpy over every sample."""
    key = eight()[-1][1]
    with RecordReader.open(ours.path, ours.key) as reader:
        span = next(span for span in reader.spans() if span.channel == key)

        def brute() -> None:
            values = np.concatenate([block.samples for block in reader.samples(None, key)])
            edges = np.linspace(0, len(values), COLUMNS + 1).astype(int)[:-1]
            np.minimum.reduceat(values, edges)
            np.maximum.reduceat(values, edges)

        mine = min(seconds(lambda: reader.columns(key, span.from_us, span.to_us, COLUMNS)) for _ in range(5))
        theirs = min(seconds(brute) for _ in range(3))
    return figure("1000 columns of all", mine * 1000, "ms", "numpy over every sample", theirs * 1000, "<=0.5")


# reviews


def _reviews(root: Path, days: float, rounds: int) -> list[Figure]:
    """Records of one hour, one day and `days` days; each as far as it goes."""
    hours = sorted({min(1.0, days * 24), min(24.0, days * 24), days * 24})
    edf = root / "day.edf"
    day = hours[min(1, len(hours) - 1)]
    write_edf(edf, _tiled(day), RATE_HZ)
    theirs = paint_edf(edf, rounds)
    edf.unlink()
    short = write_long(root / "short.sqlite", hours[0])
    alone = paint(short, hours[0], rounds)
    long = write_long(root / "long.sqlite", hours[-1])
    views = {length: paint(long, length, rounds) for length in hours}
    found: list[Figure] = []
    for length, view in views.items():
        found += _view(length, view, day, theirs)
    first, last = _told(hours[0]), _told(hours[-1])
    near, peer = f"{first} of {last}, warm", f"{first} of a record of that length"
    size, dense = long.bytes_per_sample, "pcodec level 12 alone"
    found.append(figure(near, views[hours[0]].warm_ms, "ms", peer, alone.warm_ms, "<=1.5"))
    found.append(figure(f"size of {last}", size, "bytes/sample", dense, long.alone, "<=1.1"))
    return [*found, _growth(short, long)]


def _view(length: float, view: Painted, day: float, edf: Painted) -> list[Figure]:
    aim_ms = _PAINT_MS.get(round(length), _PAINT_MS[24])
    times = length / day
    told = f"reading EDF+ of {_told(day)}" + (f", {times:g} times" if times != 1 else "")
    found = []
    for how, mine, theirs in (("cold", view.cold_ms, edf.cold_ms), ("warm", view.warm_ms, edf.warm_ms)):
        name = f"first paint of {_told(length)}, {how}"
        found.append(figure(name, mine, "ms", "aim", aim_ms, "<=1"))
        if times >= 1:
            found.append(figure(name, mine, "ms", told, theirs * times, "<=1"))
    return found


def _growth(short: LongRecord, long: LongRecord) -> Figure:
    name = f"size of {_told((long.to_us - long.from_us) / 3.6e9)}"
    other = f"of {_told((short.to_us - short.from_us) / 3.6e9)}"
    return figure(name, long.bytes_per_sample, "bytes/sample", other, short.bytes_per_sample, "<=1")


def _tiled(hours: float) -> Matrix:
    """A day of the corpus, an hour of it again and again."""
    total = max(1, round(hours * 3600)) * RATE_HZ
    piece = noisy(min(total, 3600 * RATE_HZ), RATE_HZ)
    return np.tile(piece, (1, -(-total // piece.shape[1])))[:, :total]


def _told(hours: float) -> str:
    return _NAMES.get(round(hours), f"{hours:g} hours") if hours >= 1 else f"{hours * 60:.0f} minutes"
