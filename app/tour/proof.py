"""Compares what the hub's own journal says it made with what a fresh reader finds in the closed record.

Run as a process of its own, `python -m app.tour.proof`, by which nothing that took part in the tour is left over: a
`Task` as JSON on standard input, a `Proof` as JSON on standard output.
"""

import csv
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import numpy as np

from app.tour.bare import BareBlock, BareRecord, Int64s, read_bare
from core.model import cbor
from core.model.block import Samples
from core.record import RecordReader
from core.record.keys import KeyStore
from devices.simulator.journal import JournalBlock, read_journal

Key = tuple[int, int]
"""Boot and channel number."""
EXACT_US = 1_000
"""Compaction moves no sample's UTC by more, or by more than a tenth of its period, whichever is longer."""


class Task(msgspec.Struct, frozen=True, kw_only=True):
    """What to compare.

    Attributes:
        due: how many bytes the journal had when the visit was closed on the screen: what it says by then must be in
            the record, and later samples may be.
        csv: samples exported by the console; empty for none.
    """

    chair: int
    journal: str
    record: str
    passphrase: str
    due: int
    csv: str = ""


class Proof(msgspec.Struct, frozen=True, kw_only=True):
    """The comparison of one chair.

    Attributes:
        journalled: samples in the journal; the hub went on measuring until its process was ended.
        due: those of them that were made before the visit was closed.
        kept: samples of the hub in the record.
        missing: samples that were due, or lie before one that is there, and are not there; gaps: in how many places.
        doubled: indexes stored twice.
        differing: samples with another value than the journal's; mistimed: with another hub time.
        unmade: samples in the record that the journal does not know.
        channels: channels of the hub in the record; absent: channels of the journal of which the record has nothing.
        longest_gap_us: longest break of the hub's samples in UTC, beyond one period.
        sensors: samples of other devices, by channel key.
        frames: frames that the hub was told to forget; lost: those it had lost itself.
        csv_rows, csv_differing: rows of the exported file, and those that are not the record's.
        audit: kinds of log entries and how many.
        verified: the record's own full check; problems: what it found.
    """

    chair: int
    journalled: int
    due: int
    kept: int
    missing: int
    gaps: int
    doubled: int
    differing: int
    mistimed: int
    unmade: int
    channels: int
    absent: tuple[int, ...]
    backfilled: int
    longest_gap_us: int
    sensors: dict[str, int]
    frames: int
    lost: int
    csv_rows: int
    csv_differing: int
    audit: dict[str, int]
    verified: bool
    problems: tuple[str, ...]

    @property
    def complete(self) -> bool:
        """Every sample that was due is there, once."""
        return self.due > 0 and self.kept >= self.due and not (self.missing or self.doubled or self.absent)

    @property
    def true(self) -> bool:
        """Every sample that is there is the one that was made, at its time."""
        return not (self.differing or self.mistimed or self.unmade)


class _Made:
    """The journal: samples and their hub times by boot and channel, and how many of them were due."""

    def __init__(self, path: Path, due: int) -> None:
        blocks: dict[Key, list[JournalBlock]] = {}
        counts: dict[Key, int] = {}
        read = len(_MAGIC)
        for block in read_journal(path):
            key = (block.boot, block.channel)
            blocks.setdefault(key, []).append(block)
            read += _HEAD + 2 * len(block.samples)
            if read <= due:
                counts[key] = counts.get(key, 0) + len(block.samples)
        self.samples = {key: np.concatenate([one.samples for one in found]) for key, found in blocks.items()}
        self.at_us = {key: np.concatenate([_times(one) for one in found]) for key, found in blocks.items()}
        self.due = counts

    @property
    def boots(self) -> set[int]:
        return {boot for boot, _ in self.samples}


_MAGIC, _HEAD = b"SMSJRNL1", 28
"""How a journal begins, and the bytes before the samples of each of its records."""


def _times(block: JournalBlock) -> Int64s:
    times: Int64s = block.start_us + np.arange(len(block.samples), dtype=np.int64) * block.period_us
    return times


def prove(task: Task, key: bytes) -> Proof:
    """Read journal and record, and compare sample by sample."""
    record = Path(task.record)
    bare = read_bare(record, key)
    made = _Made(Path(task.journal), task.due)
    hub = _hub_source(bare.blocks, made)
    counted = _compare([block for block in bare.blocks if block.source == hub], made)
    rows, csv_differing = _csv(Path(task.csv), bare) if task.csv else (0, 0)
    sensors: dict[str, int] = {}
    for block in bare.blocks:
        if block.source != hub:
            name = bare.scales[block.channel][0]
            sensors[name] = sensors.get(name, 0) + len(block.samples)
    with RecordReader.open(record, key) as reader:
        audit = _audit(reader)
        report = reader.verify()
    return Proof(
        chair=task.chair,
        journalled=sum(map(len, made.samples.values())),
        due=sum(made.due.values()),
        sensors=sensors,
        frames=bare.frames,
        lost=bare.lost,
        csv_rows=rows,
        csv_differing=csv_differing,
        audit=audit,
        verified=report.ok,
        problems=report.problems,
        **counted,  # type: ignore[arg-type]
    )


def _hub_source(blocks: Sequence[BareBlock], made: _Made) -> str:
    """The source whose channels are those of the journal."""
    wanted = {channel for _, channel in made.samples}
    return next((block.source for block in blocks if block.channel in wanted), "")


def _compare(blocks: Sequence[BareBlock], made: _Made) -> dict[str, object]:
    gaps = missing = doubled = differing = mistimed = unmade = kept = backfilled = longest = 0
    ends: dict[Key, int] = {}
    ended_utc: dict[Key, int] = {}
    for block in blocks:  # in order of their first sample
        key = (block.boot, block.channel)
        source: Samples = made.samples.get(key, np.empty(0, np.int16))
        times: Int64s = made.at_us.get(key, np.empty(0, np.int64))
        end = ends.get(key, 0)
        last = block.first_index + len(block.samples)
        missing += max(0, block.first_index - end)
        gaps += block.first_index > end
        doubled += max(0, min(end, last) - block.first_index)
        ends[key] = max(end, last)
        mine, at_us = source[block.first_index : last], times[block.first_index : last]
        unmade += len(block.samples) - len(mine)
        differing += int((mine != block.samples[: len(mine)]).sum())
        mistimed += int((np.abs(at_us - block.at_us[: len(mine)]) > EXACT_US).sum())
        kept += len(block.samples)
        backfilled += len(block.samples) if block.backfilled else 0
        period = int(block.at_us[1] - block.at_us[0]) if len(block.at_us) > 1 else 0
        if key in ended_utc and period:
            longest = max(longest, int(block.utc_us[0]) - ended_utc[key] - period)
        ended_utc[key] = int(block.utc_us[-1])
    for key, count in made.due.items():
        missing += max(0, count - ends.get(key, 0))
        gaps += count > ends.get(key, 0)
    return {
        "kept": kept,
        "missing": missing,
        "gaps": gaps,
        "doubled": doubled,
        "differing": differing,
        "mistimed": mistimed,
        "unmade": unmade,
        "channels": len({channel for _, channel in ends}),
        "absent": tuple(sorted({channel for _, channel in made.due} - {channel for _, channel in ends})),
        "backfilled": backfilled,
        "longest_gap_us": longest,
    }


def _csv(path: Path, record: BareRecord) -> tuple[int, int]:
    """Rows of an exported file, and how many of them are not what the record has at that time."""
    known: dict[str, tuple[Int64s, Samples, float, float, float]] = {}
    for number, (name, scale, zero) in record.scales.items():
        mine = [block for block in record.blocks if block.channel == number]
        if mine:
            utc = np.concatenate([block.utc_us for block in mine])
            order = np.argsort(utc, kind="stable")
            period = float(np.median(np.diff(utc[order]))) if len(utc) > 1 else 0.0
            exact = max(EXACT_US, period / 10)
            known[name] = (utc[order], np.concatenate([block.samples for block in mine])[order], scale, zero, exact)
    rows = differing = 0
    with path.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            rows += 1
            utc, samples, scale, zero, exact = known[row["channel"]]
            since = datetime.fromisoformat(row["utc"]) - datetime(1970, 1, 1, tzinfo=UTC)
            at = round(since.total_seconds() * 1_000_000)
            place = int(np.clip(np.searchsorted(utc, at), 1, len(utc) - 1))
            near = (place - 1, place)
            then = [float(samples[one]) * scale + zero for one in near if abs(int(utc[one]) - at) <= exact]
            differing += not any(abs(float(row["value"]) - value) < scale / 2 for value in then)
    return rows, differing


class _Kind(msgspec.Struct):
    kind: str


def _audit(reader: RecordReader) -> dict[str, int]:
    found: dict[str, int] = {}
    start = 0
    while page := reader.audit_entries(start):
        for entry in page:
            kind = msgspec.convert(cbor.decode(entry.entry), _Kind).kind
            found[kind] = found.get(kind, 0) + 1
        start += len(page)
    return found


def main() -> None:
    task = msgspec.json.decode(sys.stdin.buffer.read(), type=Task)
    key = KeyStore(prefer="file").load(Path(task.record), lambda: task.passphrase)
    sys.stdout.buffer.write(msgspec.json.encode(prove(task, key)))


if __name__ == "__main__":
    main()
