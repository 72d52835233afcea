"""Numbered records that survive a power loss: appended at one end, forgotten at the other, in a few small files."""

import os
import struct
import zlib
from collections import deque
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Final

from core.model.errors import SmilescapeError
from devices.simulator import durable

_HEAD: Final = struct.Struct("<8sII")
"""Magic, number of the file's first record, number of the oldest record that counts."""
_MAGIC: Final = b"SMSLOG03"
_LENGTH: Final = struct.Struct("<HI")
"""Length, and CRC-32 of what follows it: of what was not settled a power cut leaves anything, or zeros."""
_MARK: Final = 0xFFFF
"""In place of a length: the number of the oldest record that counts follows."""
_NUMBER: Final = struct.Struct("<I")
MAX_RECORD: Final = _MARK - 1


class StoreDamaged(SmilescapeError):  # noqa: N818 - named for what is the case
    """What a simulated hub keeps on disk is not what it wrote."""

    code = "simulator.store"

    def __init__(self, path: Path, what: str) -> None:
        super().__init__(
            f"The memory of a simulated hub is damaged: {path} {what}.", "Delete its folder; the hub begins anew."
        )


class RecordLog:
    """Records `oldest` to `next` − 1; in memory alone without a folder.

    Whatever is appended or forgotten has reached the operating system when the call returns, so that a killed process
    loses nothing of it. A power cut takes what was not settled. A write that was cut short leaves no record.

    Args:
        keep: most records held; an older one goes for each that is too many.
        per_file: records in a file; forgotten ones leave the disk file by file.
        first: number of the very first record.
        lasting: whether `settle` reaches the medium. `at_once`: each append and each forgetting is settled by itself.

    Raises:
        StoreDamaged: the files do not follow each other.
    """

    def __init__(
        self,
        folder: Path | None,
        *,
        keep: int,
        per_file: int = 2048,
        first: int = 0,
        lasting: bool = False,
        at_once: bool = False,
    ) -> None:
        self._folder = folder
        self._lasting = lasting
        self._at_once = at_once
        self._unsettled = False
        self._per_file = per_file
        self._records: deque[bytes] = deque()
        self._files: list[tuple[int, Path]] = []
        self._handle: int | None = None
        self.keep = keep
        self.next = first
        if folder is not None:
            if not folder.exists():
                folder.mkdir(parents=True)
                if lasting:
                    durable.settle_folder(folder.parent)
            self._load(folder)

    def __len__(self) -> int:
        return len(self._records)

    @property
    def oldest(self) -> int:
        """Number of the oldest record held; equals `next` when there is none."""
        return self.next - len(self._records)

    def append(self, records: Sequence[bytes]) -> int:
        """Add records; how many old ones had to go for them. Raises ValueError: one is too long."""
        if any(len(record) > MAX_RECORD for record in records):
            raise ValueError(f"a record has {MAX_RECORD} bytes at most")
        if self._folder is not None and records:
            self._write(b"".join(_framed(len(record), record) for record in records), self._folder)
        self._records.extend(records)
        self.next += len(records)
        dropped = max(0, len(self._records) - self.keep)
        self._drop(dropped)
        return dropped

    def forget(self, below: int) -> None:
        """Forget every record below this number, which is at most `next`."""
        count = min(below, self.next) - self.oldest
        if count <= 0:
            return
        if self._folder is not None:
            self._write(_framed(_MARK, _NUMBER.pack(self.oldest + count)), self._folder)
        self._drop(count)

    def read(self, first: int, count: int) -> list[bytes]:
        """What is still held of the records asked for, ascending."""
        start = max(0, first - self.oldest)
        return list(islice(self._records, start, max(start, first + count - self.oldest)))

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._records)

    def settle(self) -> None:
        """Return once everything so far survives a power cut."""
        if self._handle is not None and self._lasting and self._unsettled:
            durable.settle(self._handle)
        self._unsettled = False

    def close(self) -> None:
        self.settle()
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None

    def _drop(self, count: int) -> None:
        for _ in range(count):
            self._records.popleft()
        while len(self._files) > 1 and self._files[1][0] <= self.oldest:
            self._files.pop(0)[1].unlink(missing_ok=True)

    def _write(self, data: bytes, folder: Path) -> None:
        if not self._files or self.next - self._files[-1][0] >= self._per_file:
            self.close()
            path = folder / f"{self.next:010d}.log"
            self._files.append((self.next, path))
            data = _HEAD.pack(_MAGIC, self.next, self.oldest) + data
        if self._handle is None:
            path = self._files[-1][1]
            fresh = not path.exists()
            self._handle = _open(path)
            if fresh and self._lasting:
                durable.settle_folder(folder)
        left = memoryview(data)
        while left:
            left = left[os.write(self._handle, left) :]
        self._unsettled = True
        if self._at_once:
            self.settle()

    def _load(self, folder: Path) -> None:
        paths = sorted(folder.glob("*.log"))
        oldest = 0
        for path in paths:
            data = path.read_bytes()
            if len(data) < _HEAD.size and path is paths[-1]:
                path.unlink()
                continue
            oldest = max(oldest, self._load_file(path, data, last=path is paths[-1]))
        self._drop(max(len(self._records) - self.keep, min(oldest, self.next) - self.oldest, 0))

    def _load_file(self, path: Path, data: bytes, *, last: bool) -> int:
        """Take in one file; the number of the oldest record that counts, as it says."""
        if len(data) < _HEAD.size:
            raise StoreDamaged(path, "is cut short")
        magic, first, oldest = _HEAD.unpack_from(data)
        if magic != _MAGIC or (self._files and first != self.next):
            raise StoreDamaged(path, "does not follow the file before it")
        self.next = first
        self._files.append((first, path))
        at = _HEAD.size
        while at < len(data):
            end, record, mark = _take(data, at)
            if end > len(data) or end < 0:
                if not last:
                    raise StoreDamaged(path, "is cut short, or not what was written")
                os.truncate(path, at)
                break
            if record is None:
                oldest = mark
            else:
                self._records.append(record)
                self.next += 1
            at = end
        return int(oldest)


def _framed(length: int, body: bytes) -> bytes:
    return _LENGTH.pack(length, _checksum(length, body)) + body


def _checksum(length: int, body: bytes) -> int:
    """Of no bytes at all it is not 0, as zeros would have it."""
    return zlib.crc32(body, ~length & 0xFFFF_FFFF)


def _take(data: bytes, at: int) -> tuple[int, bytes | None, int]:
    """Where the record at `at` ends, its bytes, or the mark in its place.

    An end beyond `data`: it was cut short. -1: it is not what was written.
    """
    start = at + _LENGTH.size
    if start > len(data):
        return start, None, 0
    length, checksum = _LENGTH.unpack_from(data, at)
    end = start + (_NUMBER.size if length == _MARK else length)
    body = data[start:end]
    if end > len(data):
        return end, None, 0
    if _checksum(length, body) != checksum:
        return -1, None, 0
    return (end, None, _NUMBER.unpack(body)[0]) if length == _MARK else (end, body, 0)


def _open(path: Path) -> int:
    flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | getattr(os, "O_BINARY", 0)
    return os.open(path, flags, 0o600)
