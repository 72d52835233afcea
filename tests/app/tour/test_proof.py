"""The tour's proof finds whatever a record does wrong: it compares journal and file, and trusts neither writer."""

import dataclasses
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import msgspec
import numpy as np
import pytest
import sqlcipher3

from app.launch import ROOT
from app.tour.proof import Proof, Task, prove
from core.model.block import Provenance, SampleBlock
from core.model.channel import ChannelSpec
from core.model.clock import ManualClock
from core.record import Record, RecordReader, StampedBlock
from core.record.csv import export_csv
from core.record.keys import KeyStore
from core.record.tail import Fresh, pack
from core.signals.catalogue import load_catalogue
from devices.simulator.journal import JournalWriter

KEY = bytes(range(32))
UTC_US = 1_800_000_000_000_000
BOOT = 3
HUB = "SIM-1"
CHANNELS = ("pulp_temperature", "saliva_ph", "spo2")
SECONDS = 30


def block(spec: ChannelSpec, first: int, count: int, **changes: object) -> SampleBlock:
    """Samples `first` to `first + count` of a channel, as the invented hub made them."""
    index = np.arange(first, first + count)
    made = SampleBlock(
        channel=spec.number,
        boot=BOOT,
        first_index=first,
        start_us=first * spec.period_us,
        period_us=spec.period_us,
        samples=(1000 * spec.number + 100 * np.sin(index / 7)).astype(np.int16),
        sequence=0,
    )
    return dataclasses.replace(made, **changes)  # type: ignore[arg-type]


@dataclass
class Visit:
    """A journal and the record of it, closed; `due` is the whole of the journal."""

    folder: Path
    blocks: list[StampedBlock] = field(default_factory=list)

    @property
    def journal(self) -> Path:
        return self.folder / "journal.bin"

    @property
    def record(self) -> Path:
        return self.folder / "chair-1.sqlite"

    def write(self, change: Callable[[list[StampedBlock]], list[StampedBlock]] = lambda blocks: blocks) -> None:
        with self.opened() as record, record.transaction():
            record.add_blocks(HUB, change(self.blocks), None)

    @contextmanager
    def opened(self) -> Iterator[Record]:
        """The journal written, and a new record open; closing it leaves nothing raw."""
        with JournalWriter(self.journal) as journal:
            journal.write([stamped.block for stamped in self.blocks])
        record = Record.create(self.record, KEY, chair=1, simulated=True, clock=ManualClock(utc_us=UTC_US))
        try:
            yield record
        finally:
            record.close()

    def task(self, due: int | None = None, csv: Path | None = None) -> Task:
        return Task(
            chair=1,
            journal=str(self.journal),
            record=str(self.record),
            passphrase="word",
            due=self.journal.stat().st_size if due is None else due,
            csv=str(csv) if csv is not None else "",
        )

    def prove(self, due: int | None = None, csv: Path | None = None) -> Proof:
        return prove(self.task(due, csv), KEY)


@pytest.fixture
def visit(tmp_path: Path) -> Visit:
    catalogue = load_catalogue()
    made = Visit(tmp_path)
    for second in range(0, SECONDS, 2):
        for key in CHANNELS:
            spec = catalogue.key(key)
            count = round(2 * spec.rate_hz)
            first = block(spec, second * round(spec.rate_hz), count)
            made.blocks.append(StampedBlock(first, UTC_US + second * 1_000_000))
    return made


def test_a_record_of_everything_is_complete_and_true(visit: Visit) -> None:
    visit.write()
    proof = visit.prove()
    assert proof.complete
    assert proof.true
    assert proof.verified
    assert proof.kept == proof.due == proof.journalled == SECONDS * (10 + 10 + 1)
    assert proof.channels == len(CHANNELS)


def test_what_was_made_after_the_close_may_be_there_or_not(visit: Visit) -> None:
    whole = visit.blocks
    visit.blocks = whole[:-9]
    visit.write()
    due = visit.journal.stat().st_size
    with JournalWriter(visit.journal) as journal:
        journal.write([stamped.block for stamped in whole[-9:]])
    assert visit.prove(due).complete
    assert not visit.prove().complete, "and then it was due"


@pytest.mark.parametrize("place", [0, 20, -1])
def test_a_block_that_is_not_there_is_missing(visit: Visit, place: int) -> None:
    """At the begin, in the middle, and, where nothing comes after it, at the end."""
    gone = visit.blocks[place].block

    visit.write(lambda blocks: [one for one in blocks if one.block is not gone])
    proof = visit.prove()
    assert proof.missing == len(gone.samples)
    assert proof.gaps == 1
    assert not proof.complete


def test_a_channel_that_is_not_there_is_absent(visit: Visit) -> None:
    number = load_catalogue().key("spo2").number
    visit.write(lambda blocks: [one for one in blocks if one.block.channel != number])
    proof = visit.prove()
    assert proof.absent == (number,)
    assert not proof.complete


def test_an_empty_record_proves_nothing(visit: Visit) -> None:
    visit.write(lambda _blocks: [])
    assert not visit.prove().complete
    assert not visit.prove(due=0).complete


def changed(stamped: StampedBlock, **changes: object) -> StampedBlock:
    return dataclasses.replace(stamped, block=dataclasses.replace(stamped.block, **changes))  # type: ignore[arg-type]


def test_one_sample_of_another_value_differs(visit: Visit) -> None:
    def forge(blocks: list[StampedBlock]) -> list[StampedBlock]:
        samples = blocks[10].block.samples.copy()
        samples[1] += 1
        return [*blocks[:10], changed(blocks[10], samples=samples), *blocks[11:]]

    visit.write(forge)
    proof = visit.prove()
    assert proof.differing == 1
    assert not proof.true


def test_a_block_at_another_hub_time_is_mistimed(visit: Visit) -> None:
    def shift(blocks: list[StampedBlock]) -> list[StampedBlock]:
        return [*blocks[:-1], changed(blocks[-1], start_us=blocks[-1].block.start_us + 5_000)]

    visit.write(shift)
    proof = visit.prove()
    assert proof.mistimed == len(visit.blocks[-1].block.samples)
    assert not proof.true


def test_samples_that_nobody_made_are_named(visit: Visit) -> None:
    last = visit.blocks[-1].block
    spec = load_catalogue().key("spo2")
    more = StampedBlock(block(spec, last.first_index + len(last.samples), 4), UTC_US + SECONDS * 1_000_000)
    visit.write(lambda blocks: [*blocks, more])
    proof = visit.prove()
    assert proof.unmade == 4
    assert not proof.true


def test_a_sample_stored_twice_is_seen_even_where_the_store_would_not_let_it_in(visit: Visit) -> None:
    visit.write()
    connection = sqlcipher3.connect(str(visit.record))
    connection.execute(f"PRAGMA key = \"x'{KEY.hex()}'\"")
    connection.execute("PRAGMA cipher_page_size = 16384")
    stream, channel = connection.execute("SELECT stream, channel FROM block WHERE first_index = 0 LIMIT 1").fetchone()
    again = pack([Fresh((stream, channel, 0, 1, 0, 1000, UTC_US, UTC_US + 1000), 0, np.zeros(1, np.int16))])
    with connection:
        connection.execute("INSERT INTO tail VALUES (99, 1, NULL, ?)", (again,))
    connection.close()
    proof = visit.prove()
    assert proof.doubled > 0
    assert not proof.complete


def test_raw_and_compacted_blocks_read_alike(visit: Visit) -> None:
    visit.write()
    closed = visit.prove()
    other = Visit(visit.folder / "open", visit.blocks)
    other.folder.mkdir()
    with other.opened() as record:
        with record.transaction():
            record.add_blocks(HUB, visit.blocks, None)
        raw = other.prove()
    assert raw == closed
    assert raw.complete
    assert raw.true


def test_backfilled_samples_are_counted(visit: Visit) -> None:
    visit.write(lambda blocks: [changed(blocks[0], provenance=Provenance.BACKFILLED), *blocks[1:]])
    assert visit.prove().backfilled == len(visit.blocks[0].block.samples)


def test_an_export_is_compared_row_by_row(visit: Visit) -> None:
    visit.write()
    out = visit.folder / "samples.csv"
    with RecordReader.open(visit.record, KEY) as reader:
        rows = export_csv(reader, CHANNELS, UTC_US, UTC_US + 10_000_000, out)
    proof = visit.prove(csv=out)
    assert (proof.csv_rows, proof.csv_differing) == (rows, 0)
    lines = out.read_text(encoding="utf-8").splitlines(keepends=True)
    fields = lines[5].split(",")
    lines[5] = ",".join([*fields[:2], "99.99", *fields[3:]])
    out.write_text("".join(lines), encoding="utf-8", newline="")
    assert visit.prove(csv=out).csv_differing == 1


def test_a_process_of_its_own_needs_the_files_and_the_passphrase_alone(visit: Visit) -> None:
    """As the tour asks it."""
    key = KeyStore(prefer="file").load_or_create(visit.record, lambda: "word")
    with JournalWriter(visit.journal) as journal:
        journal.write([stamped.block for stamped in visit.blocks])
    record = Record.create(visit.record, key, chair=1, simulated=True, clock=ManualClock(utc_us=UTC_US))
    with record.transaction():
        record.add_blocks(HUB, visit.blocks, None)
    record.close()
    ended = subprocess.run(
        [sys.executable, "-m", "app.tour.proof"],
        input=msgspec.json.encode(visit.task()),
        stdout=subprocess.PIPE,
        cwd=ROOT,
        check=True,
    )
    proof = msgspec.json.decode(ended.stdout, type=Proof)
    assert proof.complete
    assert proof.true
