"""How samples are written down. The codec's number stands with each block, so that a file outlives the choice."""

import zlib
from enum import IntEnum
from typing import TypeVar

import numpy as np
import numpy.typing as npt
from pcodec import ChunkConfig, DeltaSpec, standalone

from core.model.block import Samples
from core.model.errors import SmilescapeError

_T = TypeVar("_T", bound=np.generic)
QUICK, DENSE = 4, 12
"""Levels of pcodec: of blocks that will be written anew, and for good, at some 20 million samples a second."""
_SHORT = 256
"""Below this many samples, automatic choice of the delta order costs more than it saves."""


class CodecError(SmilescapeError):
    """A block does not decode."""

    code = "signals.codec"


class Codec(IntEnum):
    """Numbers are part of the file format and never reused."""

    RAW = 0
    """int16, little-endian."""
    PCODEC = 1
    """pcodec standalone file of int16."""
    PCODEC_TIMED = 2
    """Length (4 bytes), pcodec of int16, pcodec of int64: hub time of each sample, µs past the block's start."""


def encode_raw(samples: Samples) -> bytes:
    return np.ascontiguousarray(samples, dtype="<i2").tobytes()


def encode(
    samples: Samples, offsets: npt.NDArray[np.int64] | None = None, *, level: int = QUICK
) -> tuple[Codec, bytes]:
    """Compress samples, shape (n,), n ≥ 1; `offsets`, shape (n,), only when they are not evenly spaced."""
    packed = pack(np.ascontiguousarray(samples, dtype=np.int16), level)
    if offsets is None:
        return Codec.PCODEC, packed
    return Codec.PCODEC_TIMED, len(packed).to_bytes(4, "little") + packed + pack(np.ascontiguousarray(offsets), level)


def decode(codec: int, data: bytes, count: int) -> tuple[Samples, npt.NDArray[np.int64] | None]:
    """The samples, shape (count,), and their offsets when they are not evenly spaced.

    Raises:
        CodecError: unknown codec, or data that is not `count` samples.
    """
    if codec == Codec.RAW:
        if len(data) != 2 * count:
            raise CodecError(f"A raw block of {count} samples has {len(data)} bytes.")
        return np.frombuffer(data, dtype="<i2").astype(np.int16, copy=False), None
    if codec == Codec.PCODEC:
        return unpack(data, count, np.dtype(np.int16)), None
    if codec == Codec.PCODEC_TIMED:
        middle = 4 + int.from_bytes(data[:4], "little")
        return unpack(data[4:middle], count, np.dtype(np.int16)), unpack(data[middle:], count, np.dtype(np.int64))
    raise CodecError(f"Codec {codec} is not known.", "Update this workstation.")


def checksum(data: bytes) -> int:
    """CRC-32 (ISO 3309, as zlib computes it) of the bytes stored."""
    return zlib.crc32(data)


def pack(values: npt.NDArray[np.generic], level: int) -> bytes:
    """One pcodec standalone file."""
    config = ChunkConfig(compression_level=level)
    if len(values) < _SHORT:
        config = ChunkConfig(compression_level=level, delta_spec=DeltaSpec.try_consecutive(1))
    return bytes(standalone.simple_compress(values, config))


def unpack(data: bytes, count: int, dtype: np.dtype[_T]) -> npt.NDArray[_T]:
    """What `pack` made of `count` values. Raises CodecError."""
    try:
        values = standalone.simple_decompress(data)
    except RuntimeError as error:
        raise CodecError(f"A block of {count} samples does not decode: {error}.") from error
    if not isinstance(values, np.ndarray) or values.dtype != dtype or values.shape != (count,):
        raise CodecError(f"A block of {count} samples decodes to something else.")
    return values
