"""Min, max and mean of every 256 samples, so that a long recording opens without decoding it; columns of a plot."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from core.model.block import Samples
from core.model.errors import SmilescapeError
from core.signals.codec import DENSE, CodecError, pack, unpack

STRIDE = 256
"""Samples to an entry. Below it decoding is as quick, and the pyramid would cost more space."""

_ENTRY_BYTES = 8
Times = npt.NDArray[np.int64]
Values = npt.NDArray[np.float64]


class PyramidError(SmilescapeError):
    """A stored pyramid is not one."""

    code = "signals.pyramid"


@dataclass(frozen=True, slots=True)
class Pyramid:
    """Entries over consecutive runs of `STRIDE` samples, the last one shorter.

    Attributes:
        low, high: int16, shape (n,).
        mean: float32, shape (n,).
    """

    low: Samples
    high: Samples
    mean: npt.NDArray[np.float32]

    @classmethod
    def of(cls, samples: Samples) -> "Pyramid":
        """The pyramid over `samples`, shape (n,), n ≥ 1."""
        starts, counts = np.arange(0, len(samples), STRIDE), _counts(len(samples))
        total = np.add.reduceat(samples.astype(np.int64), starts)
        return cls(
            np.minimum.reduceat(samples, starts),
            np.maximum.reduceat(samples, starts),
            (total / counts).astype(np.float32),
        )

    def to_bytes(self) -> bytes:
        """All lows, all highs (int16), all means (float32), little-endian."""
        return self.low.astype("<i2").tobytes() + self.high.astype("<i2").tobytes() + self.mean.astype("<f4").tobytes()

    def packed(self, count: int) -> bytes:
        """The same in a third of the space: three pcodec files, lows, highs and sums (int32), the first two after
        their length (4 bytes). What would not be shorter stays plain, so the length tells which it is.
        """
        total = np.rint(self.mean.astype(np.float64) * _counts(count)).astype(np.int32)
        low, high = pack(self.low, DENSE), pack(self.high, DENSE)
        found = b"".join((len(low).to_bytes(4, "little"), low, len(high).to_bytes(4, "little"), high))
        found += pack(total, DENSE)
        return found if len(found) < len(self.low) * _ENTRY_BYTES else self.to_bytes()

    @classmethod
    def from_bytes(cls, data: bytes, count: int) -> "Pyramid":
        """Read the pyramid over `count` samples, plain or packed. Raises PyramidError."""
        n = -(-count // STRIDE)
        if len(data) < n * _ENTRY_BYTES:
            return cls._unpacked(data, count)
        if len(data) > n * _ENTRY_BYTES:
            raise PyramidError(f"The pyramid over {count} samples has {len(data)} bytes.")
        low, high = np.frombuffer(data, "<i2", n), np.frombuffer(data, "<i2", n, 2 * n)
        return cls(low.astype(np.int16), high.astype(np.int16), np.frombuffer(data, "<f4", n, 4 * n).astype(np.float32))

    def coarser(self, factor: int, count: int) -> "Pyramid":
        """Entries over `factor` times as many of the `count` samples."""
        if factor == 1:
            return self
        starts = np.arange(0, len(self.low), factor)
        n = _counts(count)
        total = np.add.reduceat(self.mean * n, starts) / np.add.reduceat(n, starts)
        low, high = np.minimum.reduceat(self.low, starts), np.maximum.reduceat(self.high, starts)
        return Pyramid(low, high, total.astype(np.float32))

    @classmethod
    def _unpacked(cls, data: bytes, count: int) -> "Pyramid":
        n = -(-count // STRIDE)
        a = 4 + int.from_bytes(data[:4], "little")
        b = a + 4 + int.from_bytes(data[a : a + 4], "little")
        try:
            low, high = unpack(data[4:a], n, np.dtype(np.int16)), unpack(data[a + 4 : b], n, np.dtype(np.int16))
            total = unpack(data[b:], n, np.dtype(np.int32))
        except CodecError as error:
            raise PyramidError(f"The pyramid over {count} samples does not decode: {error}") from error
        return cls(low, high, (total / _counts(count)).astype(np.float32))


def _counts(count: int) -> Times:
    """Samples to each entry."""
    starts = np.arange(0, count, STRIDE)
    return np.diff(np.append(starts, count))


class Binner:
    """Gathers samples and pyramid entries into `columns` equal columns of [from_us, to_us).

    A column's low and high never miss an extreme. An entry that lies across a border counts to both columns, so an
    envelope may reach over by less than one entry; single samples are exact.
    """

    def __init__(self, from_us: int, to_us: int, columns: int) -> None:
        self._from_us, self._to_us, self._n = from_us, to_us, columns
        self._low = np.full(columns, np.inf)
        self._high = np.full(columns, -np.inf)
        self._total = np.zeros(columns)
        self._count = np.zeros(columns)

    def add_samples(self, at_us: Times, values: Samples) -> None:
        """Times and raw values, shape (n,); what lies outside the range is left out."""
        inside = (at_us >= self._from_us) & (at_us < self._to_us)
        column, value = self._column(at_us[inside]), values[inside].astype(np.int64)
        if not len(column):
            return
        steps = np.diff(column)
        if np.any(steps < 0):
            order = np.argsort(column, kind="stable")
            column, value = column[order], value[order]
            steps = np.diff(column)
        starts = np.append(0, np.flatnonzero(steps) + 1)  # runs of one column: reduced at once, not sample by sample
        column = column[starts]
        self._extend(column, np.minimum.reduceat(value, starts), np.maximum.reduceat(value, starts))
        self._total[column] += np.add.reduceat(value, starts)
        self._count[column] += np.diff(np.append(starts, len(value)))

    def add_entries(self, first_us: Times, last_us: Times, low: Values, high: Values, mean: Values, n: Values) -> None:
        """Entries over n samples each, the first at `first_us` and the last at `last_us`; all of shape (m,)."""
        inside = (last_us >= self._from_us) & (first_us < self._to_us)
        first_us, last_us = first_us[inside], last_us[inside]
        left = self._column(np.maximum(first_us, self._from_us))
        right = self._column(np.minimum(last_us, self._to_us - 1))
        # An entry is at most half a column long (the caller sees to it), so it touches at most two.
        low, high = low[inside], high[inside]
        if len(left) and not np.any(np.diff(left) < 0):
            starts = np.append(0, np.flatnonzero(np.diff(left)) + 1)
            self._extend(left[starts], np.minimum.reduceat(low, starts), np.maximum.reduceat(high, starts))
        else:
            self._extend(left, low, high)
        across = right != left
        self._extend(right[across], low[across], high[across])
        middle = np.clip((first_us + last_us) // 2, self._from_us, self._to_us - 1)
        column = self._column(middle)
        self._total += np.bincount(column, mean[inside] * n[inside], self._n)
        self._count += np.bincount(column, n[inside], self._n)

    def result(self) -> tuple[Times, Values, Values, Values]:
        """Middle of each column (µs), low, high and mean, shape (columns,); NaN where nothing is."""
        empty = self._low > self._high
        low, high = np.where(empty, np.nan, self._low), np.where(empty, np.nan, self._high)
        # A column may hold only a part of an entry whose middle lies next door: then the envelope is all we know.
        counted = np.maximum(self._count, 1)
        mean = np.where(self._count > 0, self._total / counted, (low + high) / 2)
        edges = np.arange(self._n, dtype=np.int64) * 2 + 1
        return self._from_us + edges * (self._to_us - self._from_us) // (2 * self._n), low, high, mean

    def _column(self, at_us: Times) -> Times:
        return (at_us - self._from_us) * self._n // (self._to_us - self._from_us)

    def _extend(self, column: Times, low: Values | Times, high: Values | Times) -> None:
        np.minimum.at(self._low, column, low)
        np.maximum.at(self._high, column, high)
