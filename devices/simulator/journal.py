"""The simulated hub's journal: every sample it ever made, so that somebody else can check that none was lost.

It shares nothing with the frames on the air. File: the magic, then records of a header and
int16 samples, little-endian.
"""

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Final

import numpy as np

from core.model.block import SampleBlock, Samples
from core.model.errors import SmilescapeError

_MAGIC: Final = b"SMSJRNL1"
_HEAD: Final = struct.Struct("<IIIIQI")
_WIRE: Final = np.dtype("<i2")


class JournalError(SmilescapeError):
    """The file is not a journal."""

    code = "simulator.journal"


@dataclass(frozen=True, slots=True)
class JournalBlock:
    """Consecutive samples of one channel, as they were made; times in hub µs since boot, samples shape (n,)."""

    boot: int
    channel: int
    first_index: int
    start_us: int
    period_us: int
    samples: Samples


class JournalWriter:
    """Appends; each call reaches the operating system before it returns: a killed hub loses at most one tick."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("ab", buffering=0)
        if self._file.tell() == 0:
            self._file.write(_MAGIC)

    def write(self, blocks: Sequence[SampleBlock]) -> None:
        parts: list[bytes] = []
        for block in blocks:
            head = _HEAD.pack(
                block.boot, block.channel, block.first_index, block.period_us, block.start_us, len(block.samples)
            )
            parts += (head, block.samples.astype(_WIRE).tobytes())
        self._file.write(b"".join(parts))

    def close(self) -> None:
        self._file.close()

    def __enter__(self) -> "JournalWriter":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def read_journal(path: Path) -> Iterator[JournalBlock]:
    """Everything in the journal, in the order in which it was made; a torn last record is left out.

    Raises:
        JournalError: the file is not a journal.
    """
    with path.open("rb") as file:
        if file.read(len(_MAGIC)) != _MAGIC:
            raise JournalError(f"{path} is not a hub journal.", "Choose the file that the simulated hub wrote.")
        while len(head := file.read(_HEAD.size)) == _HEAD.size:
            boot, channel, first_index, period_us, start_us, count = _HEAD.unpack(head)
            raw = file.read(2 * count)
            if len(raw) < 2 * count:
                return
            yield JournalBlock(boot, channel, first_index, start_us, period_us, np.frombuffer(raw, _WIRE))
