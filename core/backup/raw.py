"""Raw samples outside any visit: a row of `tail` holds what came together, and that may be of several people."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from core.backup.belongings import Wearers
from core.record.sqlcipher import CipherFile
from core.record.tail import SLOT_BYTES, Tail, join

_WITHOUT = "SELECT id, visit, data FROM tail WHERE number > 0 AND visit IS NULL ORDER BY number"


@dataclass(frozen=True, slots=True)
class Part:
    """What one row holds of one owner; empty: nobody. `samples`: by source. `whole`: the row holds nothing else."""

    row: int
    owner: str
    data: bytes
    samples: Counter[str]
    whole: bool


class Parting:
    """Parts rows by who had which hub; looks the sources up once."""

    def __init__(self, file: CipherFile, wearers: Wearers) -> None:
        sql = "SELECT m.id, s.name FROM stream m JOIN source s ON s.id = m.source"
        self._names: dict[int, str] = dict(file.rows(sql))
        self._wearers = wearers

    def parts(self, row: int, data: bytes) -> list[Part]:
        """Of a row without a visit. One that cannot be read is nobody's: `verify` finds it."""
        tail = Tail([(row, None, data)])
        if tail.damaged:
            return [Part(row, "", data, Counter(), whole=True)]
        names = [self._names.get(stream, "") for stream in tail.entries["stream"].tolist()]
        moments = tail.entries["utc_us"].tolist()
        owners = [self._wearers.at(name, at_us) for name, at_us in zip(names, moments, strict=True)]
        found = []
        for owner in dict.fromkeys(owners):
            chosen = np.flatnonzero([one == owner for one in owners])
            samples = Counter[str]()
            for entry in chosen.tolist():
                samples[names[entry]] += int(tail.entries["count"][entry])
            whole = len(chosen) == len(tail)
            found.append(Part(row, owner, data if whole else _only(tail, chosen), samples, whole))
        return found


def parted(file: CipherFile, wearers: Wearers) -> Iterator[list[Part]]:
    """Every row without a visit, in its parts."""
    parting = Parting(file, wearers)
    for row, _, data in file.rows(_WITHOUT):
        yield parting.parts(row, data)


def take_raw(file: CipherFile, wearers: Wearers, patient: str) -> None:
    """What is a patient's goes, in the open transaction; what came together with it stays."""
    for parts in parted(file, wearers):
        if all(part.owner != patient for part in parts):
            continue
        left = [part for part in parts if part.owner != patient]
        row = parts[0].row
        if not left:
            file.execute("DELETE FROM tail WHERE id = ?", (row,))
            continue
        file.execute("UPDATE tail SET data = ? WHERE id = ?", (left[0].data, row))
        for part in left[1:]:
            sql = "INSERT INTO tail (number, visit, data) SELECT number, visit, ? FROM tail WHERE id = ?"
            file.execute(sql, (part.data, row))


def _only(tail: Tail, chosen: npt.NDArray[np.int64]) -> bytes:
    """A row with these entries alone."""
    samples = b"".join(tail.data(entry) for entry in chosen.tolist())
    return join(tail.entries[chosen], samples).ljust(SLOT_BYTES, b"\0")
