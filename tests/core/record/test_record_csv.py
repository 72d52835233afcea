"""CSV of a range."""

import csv
from collections.abc import Callable
from pathlib import Path

import pytest

from core.model.block import Provenance
from core.record import ExportFailed, NotFound, Record, RecordDamaged, RecordReader, StampedBlock
from core.record.csv import export_csv
from core.record.tail import ENTRY

KEY = bytes(range(32))
UTC0 = 1_800_000_000_000_000
MakeBlock = Callable[..., StampedBlock]


@pytest.fixture
def reader(record: Record, path: Path, stamped: MakeBlock) -> RecordReader:
    with record.transaction():
        record.add_blocks("hub", [stamped(0, 50), stamped(0, 3, channel=2, period_us=100_000)], None)
        record.add_blocks("hub", [stamped(50, 50, provenance=Provenance.BACKFILLED)], None)
    return RecordReader.open(path, KEY)


def test_rows_are_the_samples_of_the_range(reader: RecordReader, tmp_path: Path) -> None:
    out = tmp_path / "out.csv"
    assert export_csv(reader, ["jaw_emg", "saliva_ph"], UTC0 + 48_000, UTC0 + 200_000, out) == 53
    with out.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert rows[0] == {
        "utc": "2027-01-15T08:00:00.048000Z",
        "channel": "jaw_emg",
        "value": str(round(((48 * 7919) % 4001 - 2000) * 0.1, 1)).removesuffix(".0"),
        "unit": "uV",
        "provenance": "live",
    }
    assert [row["provenance"] for row in rows[:52]] == ["live"] * 2 + ["backfilled"] * 50
    assert [(row["channel"], row["utc"][-8:]) for row in rows[52:]] == [("saliva_ph", ".100000Z")]
    assert float(rows[-1]["value"]) == pytest.approx((7919 % 4001 - 2000) * 0.001)
    reader.close()


def test_a_failure_leaves_no_half_file(reader: RecordReader, record: Record, tmp_path: Path) -> None:
    out = tmp_path / "out.csv"
    out.write_text("what was there before")
    before = sorted(entry.name for entry in tmp_path.iterdir())
    with pytest.raises(NotFound):
        export_csv(reader, ["jaw_emg", "unknown"], UTC0, UTC0 + 1, out)
    ((row, data),) = record._file.rows("SELECT id, data FROM tail WHERE number > 0")
    at = 4 + 3 * ENTRY.itemsize + 2 * 50  # behind three entries and the first 50 samples: the slow channel
    spoilt = data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]
    record._file.execute("UPDATE tail SET data = ? WHERE id = ?", (spoilt, row))
    with pytest.raises(RecordDamaged):
        export_csv(reader, ["jaw_emg", "saliva_ph"], UTC0, UTC0 + 1_000_000, out)
    assert out.read_text() == "what was there before"
    assert sorted(entry.name for entry in tmp_path.iterdir()) == before
    with pytest.raises(ExportFailed, match="Choose another place"):
        export_csv(reader, ["jaw_emg"], UTC0, UTC0 + 1, tmp_path / "none" / "out.csv")
    reader.close()
