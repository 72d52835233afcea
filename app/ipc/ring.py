"""Live samples from the engine to the console: a preallocated file per chair, mapped by both.

The engine writes and never waits; the console maps the file read-only and polls. Each slot carries its sequence, the
writer's generation and a CRC-32 of all that, and is checked after copying: what was overwritten meanwhile is
counted, never delivered. An engine that starts again writes a new generation into the same file (a mapped file
cannot be replaced on Windows).

File: a header page, then `slots` slots of `slot_bytes`. Slot: see `_SLOT`, then int16 samples. Little-endian.
"""

import mmap
import os
import secrets
import struct
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np

from core.model.block import Provenance, SampleBlock
from core.model.errors import SmilescapeError

_PAGE = 4096
_MAGIC = 0x31474E49525F4D53
"""`SM_RING1`."""
_SLOT = struct.Struct("<IHBBQQqqqqqI")
"""crc, count, channel, provenance, generation, number, utc_us, first_index, start_us, period_us, sequence, boot."""
_CRC = struct.Struct("<I")
_BODY = struct.Struct("<HBBQQqqqqqI")
"""All of a slot's fields but the first, which covers them and the samples."""
_HEADER_WORDS = 5
_FIELD_MAGIC, _FIELD_SLOTS, _FIELD_BYTES, _FIELD_GENERATION, _FIELD_HEAD = range(_HEADER_WORDS)
_BENT = 50
"""So few samples are half a period off at the end, however much a clock is bent: by 1 % at most."""
_PATIENCE = 3
"""Polls that a slot may stay unreadable without having been overwritten, before it counts as skipped."""


class RingUnavailable(SmilescapeError):  # noqa: N818
    """The ring file cannot be made."""

    code = "ipc.ring_unavailable"


class LiveBlock(NamedTuple):
    """A block and the UTC µs of its first sample."""

    block: SampleBlock
    utc_us: int


@dataclass(frozen=True, slots=True)
class RingPoll:
    """What is new.

    Attributes:
        skipped: blocks that were overwritten before they could be read, or were damaged.
        restarted: a new engine writes now; its blocks come from the first one on.
    """

    blocks: list[LiveBlock]
    skipped: int = 0
    restarted: bool = False


_WIPED = 1 << 16


class RingWriter:
    """The engine's end. One writer per file; the engine's lock sees to that.

    Raises:
        RingUnavailable: the file cannot be created at its full size. (It is allocated at once: a sparse file on a
            full disk would kill the process when written through the map.)
    """

    def __init__(self, path: Path, slots: int = 4096, slot_bytes: int = 1024) -> None:
        if slot_bytes % 8 or slot_bytes <= _SLOT.size or slots < 2:
            raise ValueError("slot_bytes must be a multiple of 8 with room for samples, and slots at least 2")
        self._slots = slots
        self._slot_bytes = slot_bytes
        self._room = (slot_bytes - _SLOT.size) // 2
        self._generation = secrets.randbits(63) | 1
        try:
            self._map = _allocate(path, _PAGE + slots * slot_bytes)
        except OSError as error:
            raise RingUnavailable(
                f"The live file {path} cannot be made: {error.strerror}.", "Free disk space, or choose another folder."
            ) from error
        # Aligned 64-bit words are written whole; struct would write them byte by byte.
        self._header = np.frombuffer(self._map, np.uint64, _HEADER_WORDS)
        self._header[_FIELD_HEAD] = 0
        self._header[_FIELD_SLOTS] = slots
        self._header[_FIELD_BYTES] = slot_bytes
        self._header[_FIELD_GENERATION] = self._generation
        self._header[_FIELD_MAGIC] = _MAGIC
        self._head = 0

    def write(self, block: SampleBlock, utc_us: int, end_utc_us: int | None = None) -> None:
        """Publish a block whose first sample was taken at `utc_us`, and whose last one period before `end_utc_us`.

        Blocks larger than a slot are split; so are long ones whose samples lie closer or wider than their period says,
        since a reader lays those of a slot by the period.
        """
        raw = np.ascontiguousarray(block.samples, "<i2").tobytes()
        count = len(raw) // 2
        lasted_us = count * block.period_us
        mapped_us = lasted_us if end_utc_us is None else end_utc_us - utc_us
        room = self._room
        if 2 * abs(mapped_us - lasted_us) * min(count, room) > lasted_us:
            room = min(room, _BENT)
        for offset in range(0, count, room):
            piece = raw[2 * offset : 2 * (offset + room)]
            self._put(block, utc_us + offset * mapped_us // count, offset, piece)
        self._header[_FIELD_HEAD] = self._head

    def wipe(self) -> None:
        """Overwrite all that it holds; readers begin anew."""
        self._header[_FIELD_HEAD] = 0
        self._generation = secrets.randbits(63) | 1
        self._header[_FIELD_GENERATION] = self._generation
        self._head = 0
        for at in range(_PAGE, _PAGE + self._slots * self._slot_bytes, _WIPED):
            end = min(at + _WIPED, _PAGE + self._slots * self._slot_bytes)
            self._map[at:end] = bytes(end - at)

    def close(self) -> None:
        """Let go of the file; what it holds can still be read."""
        del self._header
        self._map.close()

    def _put(self, block: SampleBlock, utc_us: int, offset: int, payload: bytes) -> None:
        body = _BODY.pack(
            len(payload) // 2,
            block.channel,
            block.provenance,
            self._generation,
            self._head,
            utc_us,
            block.first_index + offset,
            block.start_us + offset * block.period_us,
            block.period_us,
            block.sequence,
            block.boot,
        )
        covered = body + payload
        at = _PAGE + (self._head % self._slots) * self._slot_bytes
        self._map[at : at + _CRC.size + len(covered)] = _CRC.pack(zlib.crc32(covered)) + covered
        self._head += 1


class RingReader:
    """The console's end. Never raises on what it reads; a file that is not there yet has nothing new.

    Args:
        from_start: begin with what the ring still holds, to redraw strips; otherwise with what comes from now on.
    """

    def __init__(self, path: Path, *, from_start: bool = False) -> None:
        self._path = path
        self._from_start = from_start
        self._map: mmap.mmap | None = None
        self._file: tuple[int, int, int] | None = None
        self._slots = 0
        self._slot_bytes = 0
        self._generation = 0
        self._next = 0
        self._stuck = 0

    def poll(self) -> RingPoll:
        """Everything published since the last poll, in its order."""
        if self._map is None and not self._open():
            return RingPoll([])
        generation, head = self._position()
        restarted = generation != self._generation
        if restarted:
            first = self._generation == 0
            self._generation = generation
            if not self._fits(self._header, len(self._map or b"")):
                self.close()
                return RingPoll([])
            self._next = max(0, head - self._slots) if self._from_start or not first else head
            self._stuck = 0
            restarted = not first
        if head <= self._next:
            if self._replaced():
                self.close()
            return RingPoll([], restarted=restarted)
        blocks, skipped = self._read_to(head)
        if restarted:
            skipped += max(0, head - self._slots)
        return RingPoll(blocks, skipped, restarted)

    def close(self) -> None:
        """Let go of the file. A later poll opens it again."""
        if self._map is not None:
            del self._header
            self._map.close()
            self._map = None

    def _read_to(self, head: int) -> tuple[list[LiveBlock], int]:
        blocks: list[LiveBlock] = []
        oldest = max(self._next, head - self._slots)
        skipped = oldest - self._next
        self._next = oldest
        while self._next < head:
            live = self._copy(self._next)
            if live is not None:
                blocks.append(live)
                self._stuck = 0
            elif self._lapped():
                skipped += 1
            else:  # published, but not yet visible to this processor; or damaged
                self._stuck += 1
                if self._stuck < _PATIENCE:
                    break
                self._stuck = 0
                skipped += 1
            self._next += 1
        return blocks, skipped

    def _lapped(self) -> bool:
        """Whether the writer has begun, or may have begun, to write over the slot that is to be read next."""
        generation, head = self._position()
        return generation != self._generation or head - self._next >= self._slots

    def _position(self) -> tuple[int, int]:
        while True:
            generation = int(self._header[_FIELD_GENERATION])
            head = int(self._header[_FIELD_HEAD])
            if generation == int(self._header[_FIELD_GENERATION]):
                return generation, head

    def _copy(self, number: int) -> LiveBlock | None:
        """The block in the slot of `number`; None when the slot holds another one, or half of one."""
        assert self._map is not None
        at = _PAGE + (number % self._slots) * self._slot_bytes
        data = self._map[at : at + self._slot_bytes]
        crc, count, channel, provenance, generation, found, utc_us, first, start, period, sequence, boot = (
            _SLOT.unpack_from(data)
        )
        end = _SLOT.size + 2 * count
        if found != number or generation != self._generation or end > len(data):
            return None
        if zlib.crc32(memoryview(data)[_CRC.size : end]) != crc:
            return None
        samples = np.frombuffer(data, "<i2", count, _SLOT.size)
        block = SampleBlock(channel, boot, first, start, period, samples, Provenance(provenance), sequence)
        return LiveBlock(block, utc_us)

    def _open(self) -> bool:
        try:
            with self._path.open("rb") as stream:
                state = os.fstat(stream.fileno())
                mapped = mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ)
        except (OSError, ValueError):  # not there yet, or still empty
            return False
        words = np.frombuffer(mapped, np.uint64, _HEADER_WORDS) if len(mapped) >= _PAGE else None
        if words is None or int(words[_FIELD_MAGIC]) != _MAGIC or not self._fits(words, len(mapped)):
            del words
            mapped.close()
            return False
        self._map, self._header = mapped, words
        self._file = (state.st_dev, state.st_ino, state.st_size)
        return True

    def _fits(self, words: "np.ndarray[tuple[int], np.dtype[np.uint64]]", size: int) -> bool:
        self._slots, self._slot_bytes = int(words[_FIELD_SLOTS]), int(words[_FIELD_BYTES])
        return self._slots > 0 and self._slot_bytes > _SLOT.size and _PAGE + self._slots * self._slot_bytes == size

    def _replaced(self) -> bool:
        """Whether the path leads to another file now: an engine with another geometry, or a folder made anew."""
        try:
            state = self._path.stat()
        except OSError:
            return False
        return (state.st_dev, state.st_ino, state.st_size) != self._file


def _allocate(path: Path, size: int) -> mmap.mmap:
    """Map `path` for writing at `size` bytes, all of them allocated; the same file as before when it fits."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if path.exists() and path.stat().st_size != size:
        path.unlink()
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_BINARY", 0), 0o600)
    try:
        if hasattr(os, "posix_fallocate"):
            os.posix_fallocate(descriptor, 0, size)
        elif os.fstat(descriptor).st_size != size:
            for _ in range(0, size, _PAGE):
                os.write(descriptor, bytes(min(_PAGE, size - os.lseek(descriptor, 0, os.SEEK_CUR))))
        return mmap.mmap(descriptor, size, access=mmap.ACCESS_WRITE)
    finally:
        os.close(descriptor)
