"""A session with record, practice file and key file, again and again, with another call failing each time.

`python -m tests.proof.record_faults FOLDER MOST SEED` under libfiu's preload prints one JSON object. `MOST` 0: each
call with each of its errors.
"""

import gc
import json
import random
import shutil
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import keyring.backend

from core.model.clock import ManualClock
from core.model.errors import SmilescapeError
from core.record import DiskFailing, KeyStore, PracticeFile, RecordReader
from core.record.errors import RecordError
from tests.proof.faults import CALLS, Faults
from tests.proof.record_script import KEY, UTC0, Writer, check

T = TypeVar("T")
PATIENCE = 4
"""So often is a thing tried before it counts as impossible. One call failed, so the second time it works."""


class Keyring(keyring.backend.KeyringBackend):
    """A keyring in memory: what is tested is the key file."""

    priority = 1.0

    def __init__(self) -> None:
        self.kept: dict[tuple[str, str], str] = {}

    def get_password(self, service: str, username: str) -> str | None:
        return self.kept.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self.kept[service, username] = password


class Session:
    """Attributes: errors: what was told, each by its code."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.told: list[int] = []
        self.errors: list[str] = []

    def run(self) -> None:
        key = self._practice()
        writer = self._again(lambda: Writer(self.folder / "r", self.told.append))
        self._steps(writer, 4)
        self._again(lambda: writer.record.compact(settle=True))
        self._steps(writer, 2)
        self._again(writer.record.close)
        self._again(self._verify)
        writer = self._again(lambda: Writer(self.folder / "r", self.told.append))
        self._steps(writer, 2)
        self._again(writer.record.close)
        assert self._again(lambda: KeyStore("keyring", self.ring).load(self.folder / "p", str)) == key

    def _verify(self) -> None:
        """A disk that fails while it is looked through is told as a problem of the file."""
        with RecordReader.open(self.folder / "r", KEY) as reader:
            report = reader.verify()
        if not report.ok:
            raise DiskFailing(report.problems[0], "Again.")
        assert report.entries == 6

    def _practice(self) -> bytes:
        path, clock = self.folder / "p", ManualClock(utc_us=UTC0)
        self.ring = Keyring()
        key = self._again(lambda: KeyStore("keyring", self.ring).load_or_create(path, str))
        file = self._again(
            lambda: (PracticeFile.open if path.exists() else PracticeFile.create)(path, key, clock=clock)
        )
        self._again(lambda: file.set_setting("practice.name", '"Elm Street"'))
        self._again(file.close)
        file = self._again(lambda: PracticeFile.open(path, key, clock=clock))
        assert self._again(lambda: file.setting("practice.name")) == '"Elm Street"'
        self._again(file.close)
        return key

    def _steps(self, writer: Writer, count: int) -> None:
        for _ in range(count):
            self._again(writer.go)

    def _again(self, act: Callable[[], T]) -> T:
        """As the engine does: what failed is tried again. Any error but a typed one with a remedy ends the session."""
        for left in range(PATIENCE, -1, -1):
            try:
                return act()
            except SmilescapeError as error:
                self.errors.append(error.code)
                if not left or not error.remedy or type(error) is RecordError:  # it must say what to do
                    raise
            except MemoryError:  # no memory is no matter of the record's
                self.errors.append("memory")
        raise AssertionError("unreachable")


def once(folder: Path, faults: Faults, kind: str, at: int, error: int) -> dict[str, object]:
    """One session with one fault: what was told, and what was wrong with it."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    gc.collect()
    handles = len(list(Path("/proc/self/fd").iterdir()))
    session, wrong = Session(folder), ""
    faults.arm(kind, at, error)
    try:
        session.run()
        faults.disarm()
        gc.collect()
        assert check(folder / "r") == len(session.told) == 8, "what was acknowledged is there"
        assert len(list(Path("/proc/self/fd").iterdir())) == handles, "a file was left open"
        left = {path.name for path in folder.iterdir()} - {
            "r",
            "r-wal",
            "r-shm",
            "r.lock",
            "p",
            "p-wal",
            "p-shm",
            "p.key",
        }
        assert not left or kind == "io/dir/unlink", f"left over: {left}"
    except Exception:
        wrong = traceback.format_exc()
    faults.disarm()
    return {"fault": [kind, at, error], "errors": session.errors, "wrong": wrong}


def main(folder: Path, most: int, seed: int) -> None:
    faults = Faults()
    once(folder, faults, "", 0, 0)  # what Python reads once only is read
    calm = once(folder, faults, "", 0, 0)
    counted = dict(faults.counted)
    points = [(kind, at, error) for kind in CALLS for at in range(1, counted.get(kind, 0) + 1) for error in CALLS[kind]]
    chosen = points if not most else _fair(points, most, random.Random(seed))
    results = [once(folder, faults, *point) for point in chosen]
    faults.close()
    told: dict[str, int] = {}
    for code in (str(code) for result in results for code in result["errors"]):  # type: ignore[attr-defined]
        told[code] = told.get(code, 0) + 1
    wrong = [result for result in [calm, *results] if result["wrong"]]
    sys.stdout.write(json.dumps({"calls": counted, "sessions": len(results), "told": told, "wrong": wrong}))


def _fair(points: list[tuple[str, int, int]], most: int, chance: random.Random) -> list[tuple[str, int, int]]:
    """A sample of every kind and error, as even as can be."""
    strata: dict[tuple[str, int], list[tuple[str, int, int]]] = {}
    for point in chance.sample(points, len(points)):
        strata.setdefault((point[0], point[2]), []).append(point)
    layers = max(1, most // len(strata))
    return [point for stratum in strata.values() for point in stratum[:layers]]


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
