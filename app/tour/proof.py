"""Compares what the hub's own journal says it made with what a fresh reader finds in the closed record.

Both sides are read here from their files, by nothing that took part in the tour.
"""

from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np

from core.model import cbor
from core.model.block import Samples
from core.record import RecordReader
from core.record.keys import KeyStore
from core.signals.catalogue import load_catalogue
from devices.simulator.journal import read_journal


class _Kind(msgspec.Struct):
    kind: str


Key = tuple[int, int]
"""Boot and channel number."""


@dataclass(frozen=True, slots=True)
class Proof:
    """The comparison of one chair.

    Attributes:
        made: samples in the hub's journal up to the last one that is in the record, per boot and channel.
        kept: samples of the hub in the record.
        journalled: all samples in the journal; the hub went on measuring after the record was closed.
        differing: samples whose value differs; missing: holes; doubled: indexes stored twice.
    """

    journalled: int
    made: int
    kept: int
    differing: int
    missing: int
    doubled: int
    backfilled: int
    gaps: int
    audit: dict[str, int]
    verified: bool
    problems: tuple[str, ...]

    @property
    def sound(self) -> bool:
        return self.verified and self.made == self.kept and not (self.differing or self.missing or self.doubled)


def compare(journal: Path, record: Path, passphrase: str) -> Proof:
    """Read both and compare sample by sample."""
    made = _journal(journal)
    key = KeyStore(prefer="file").load(record, lambda: passphrase)
    differing = missing = doubled = kept = backfilled = expected = 0
    with RecordReader.open(record, key) as reader:
        for spec in load_catalogue().from_source("hub"):
            ends: dict[int, int] = {}
            for block in reader.samples(None, spec.key):
                source = made.get((block.boot, spec.number), np.empty(0, np.int16))
                end = ends.get(block.boot, 0)
                missing += max(0, block.first_index - end)
                doubled += max(0, end - block.first_index)
                ends[block.boot] = max(end, block.end_index)
                mine = source[block.first_index : block.end_index]
                differing += abs(len(mine) - len(block.samples))
                differing += int((mine != block.samples[: len(mine)]).sum())
                kept += len(block.samples)
                backfilled += len(block.samples) if block.provenance.name == "BACKFILLED" else 0
            expected += sum(ends.values())
        spans = reader.spans()
        gaps = sum(len(reader.columns(span.channel, span.from_us, span.to_us, 2000).gaps) for span in spans)
        audit: dict[str, int] = {}
        for entry in _entries(reader):
            audit[entry] = audit.get(entry, 0) + 1
        report = reader.verify()
    return Proof(
        journalled=sum(len(samples) for samples in made.values()),
        made=expected,
        kept=kept,
        differing=differing,
        missing=missing,
        doubled=doubled,
        backfilled=backfilled,
        gaps=gaps,
        audit=audit,
        verified=report.ok,
        problems=report.problems,
    )


def _journal(path: Path) -> dict[Key, Samples]:
    parts: dict[Key, list[Samples]] = {}
    for block in read_journal(path):
        parts.setdefault((block.boot, block.channel), []).append(block.samples)
    return {key: np.concatenate(found) for key, found in parts.items()}


def _entries(reader: RecordReader) -> list[str]:
    kinds: list[str] = []
    start = 0
    while page := reader.audit_entries(start):
        kinds += [msgspec.convert(cbor.decode(entry.entry), _Kind).kind for entry in page]
        start += len(page)
    return kinds
