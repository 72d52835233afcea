"""Other ways to keep the same samples, each as durable as it can be: 200 ms are on the disk before the next come."""

import datetime
import os
import secrets
import sqlite3
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import edfio
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import sqlcipher3
import sqlite_utils
from pcodec import ChunkConfig, standalone

from app.bench.noise import Matrix
from core.record.sqlcipher import PAGE_BYTES


@dataclass(frozen=True, slots=True)
class Kept:
    """What a peer did: samples a second until durable, and what they take on the disk."""

    rate: float
    bytes_per_sample: float


Peer = Callable[[Path, Matrix, int, int], Kept]
"""Keeps a corpus of so many Hz, in commits of so many samples of each channel, at a path."""


def peers() -> dict[str, Peer]:
    """By name. A peer whose library is not installed is left out here and named by `absent`."""
    found: dict[str, Peer] = {
        "row per sample, executemany": _executemany,
        "row per sample, sqlite-utils insert_all": _insert_all,
        "EDF+ (edfio), a file each commit": _edf,
    }
    return found if absent() else found | {"HDF5 (h5py), append and flush": _hdf5}


def absent() -> list[str]:
    """Peers that cannot be measured here, and why."""
    try:
        import h5py  # noqa: F401
    except ImportError:
        return ["HDF5: h5py is not installed; it comes with the tools for development"]
    return []


def append(path: Path, matrix: Matrix, step: int) -> float:
    """Seconds for a plain append with fdatasync."""
    sync = getattr(os, "fdatasync", os.fsync)
    began = time.perf_counter()
    with path.open("wb", buffering=0) as out:
        for at in range(0, matrix.shape[1], step):
            out.write(matrix[:, at : at + step].tobytes())
            sync(out.fileno())
    return time.perf_counter() - began


def sealed(path: Path, matrix: Matrix, step: int) -> float:
    """Seconds for the same commits in SQLCipher and nothing else: one row each, no index, nothing packed."""
    connection = sqlcipher3.connect(path, isolation_level=None)
    connection.execute(f"PRAGMA key = \"x'{secrets.token_hex(48)}'\"")
    connection.execute(f"PRAGMA cipher_page_size = {PAGE_BYTES}")
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA wal_autocheckpoint = 256")
    connection.execute("CREATE TABLE piece (id INTEGER PRIMARY KEY, data BLOB NOT NULL)")
    began = time.perf_counter()
    for at in range(0, matrix.shape[1], step):
        connection.execute("BEGIN")
        connection.execute("INSERT INTO piece (data) VALUES (?)", (matrix[:, at : at + step].tobytes(),))
        connection.execute("COMMIT")
    connection.close()
    return time.perf_counter() - began


def pcodec_alone(matrix: Matrix) -> float:
    """Bytes a sample of each channel packed as one, level 12: no index, no pyramid, not encrypted, not a file."""
    config = ChunkConfig(compression_level=12)
    return sum(len(standalone.simple_compress(np.ascontiguousarray(row), config)) for row in matrix) / matrix.size


def parquet(path: Path, matrix: Matrix) -> float:
    """Bytes a sample in one Parquet file, zstd, a column for each channel."""
    pq.write_table(pa.table({f"c{number}": row for number, row in enumerate(matrix)}), path, compression="zstd")
    return path.stat().st_size / matrix.size


def hdf5(path: Path, matrix: Matrix) -> float:
    """Bytes a sample in one HDF5 file, shuffled and gzipped."""
    import h5py

    with h5py.File(path, "w") as file:
        chunks = (1, min(65_536, matrix.shape[1]))
        file.create_dataset("samples", data=matrix, chunks=chunks, shuffle=True, compression="gzip")
    return path.stat().st_size / matrix.size


def write_edf(path: Path, matrix: Matrix, rate_hz: int, record_s: float = 1.0) -> None:
    """One EDF+C file; its length is a multiple of `record_s`."""
    signals = [
        edfio.EdfSignal.from_digital(
            row, rate_hz, label=f"c{number}", digital_range=(-32_768, 32_767), physical_range=(-32_768, 32_767)
        )
        for number, row in enumerate(matrix)
    ]
    edfio.Edf(signals, starttime=datetime.time(0), data_record_duration=record_s).write(path)


def _edf(path: Path, matrix: Matrix, step: int, rate_hz: int) -> Kept:
    """edfio cannot append, and a file that was not finished cannot be read."""
    path.mkdir()
    size, began = 0, time.perf_counter()
    for number, at in enumerate(range(0, matrix.shape[1] - step + 1, step)):
        part = path / f"{number}.edf"
        write_edf(part, matrix[:, at : at + step], rate_hz, step / rate_hz)
        with part.open("rb") as file:
            os.fsync(file.fileno())
        size += part.stat().st_size
    return Kept(matrix.size / (time.perf_counter() - began), size / matrix.size)


def _executemany(path: Path, matrix: Matrix, step: int, rate_hz: int) -> Kept:
    file = sqlite3.connect(path)
    file.execute("PRAGMA journal_mode = WAL")
    file.execute("PRAGMA synchronous = FULL")
    file.execute("CREATE TABLE sample (channel INTEGER, at_us INTEGER, value INTEGER)")
    began = time.perf_counter()
    for at in range(0, matrix.shape[1], step):
        with file:
            file.executemany("INSERT INTO sample VALUES (?, ?, ?)", _rows(matrix, at, step, rate_hz))
    took = time.perf_counter() - began
    file.close()
    return Kept(matrix.size / took, path.stat().st_size / matrix.size)


def _insert_all(path: Path, matrix: Matrix, step: int, rate_hz: int) -> Kept:
    database = sqlite_utils.Database(path)
    database.enable_wal()
    database.execute("PRAGMA synchronous = FULL")
    began = time.perf_counter()
    for at in range(0, matrix.shape[1], step):
        rows = ({"channel": c, "at_us": t, "value": v} for c, t, v in _rows(matrix, at, step, rate_hz))
        database.table("sample").insert_all(rows)
    took = time.perf_counter() - began
    database.close()
    return Kept(matrix.size / took, path.stat().st_size / matrix.size)


def _hdf5(path: Path, matrix: Matrix, step: int, rate_hz: int) -> Kept:
    import h5py

    del rate_hz
    channels, n = matrix.shape
    began = time.perf_counter()
    with h5py.File(path, "w") as file, path.open("rb") as raw:
        samples = file.create_dataset(
            "samples", (channels, 0), "i2", maxshape=(channels, None), chunks=(channels, step)
        )
        for at in range(0, n, step):
            part = matrix[:, at : at + step]
            samples.resize(at + part.shape[1], axis=1)
            samples[:, at:] = part
            file.flush()
            os.fsync(raw.fileno())
    return Kept(matrix.size / (time.perf_counter() - began), path.stat().st_size / matrix.size)


_US: Final = 1_000_000


def _rows(matrix: Matrix, at: int, step: int, rate_hz: int) -> Iterator[tuple[int, int, int]]:
    for channel, values in enumerate(matrix[:, at : at + step].tolist()):
        for number, value in enumerate(values):
            yield channel, (at + number) * _US // rate_hz, value
