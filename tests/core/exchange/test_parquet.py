"""Parquet, read back by pyarrow: every sample, its times, its unit, where it comes from."""

import json
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from core.exchange.parquet import METADATA, export_parquet
from core.exchange.table import ROWS
from core.model.progress import Cancelled
from core.record import NotFound, RecordReader
from core.signals.catalogue import load_catalogue
from tests.core.exchange.conftest import Mouth, raw_by_stream


def test_every_sample_is_there_with_its_times_and_unit(mouth: Mouth, reader: RecordReader, tmp_path: Path) -> None:
    path = tmp_path / "all.parquet"
    rows = export_parquet(reader, mouth.channels(), mouth.begin_us, mouth.end_us, path)
    table = pq.read_table(path)
    assert rows == len(table) == sum(len(held) for held in mouth.put.values())
    columns = {name: np.array(table[name].to_pylist()) for name in ("source", "boot", "channel", "unit", "provenance")}
    utc, hub = table["utc"].cast("int64").to_numpy(), table["hub_us"].to_numpy()
    for (source, boot, channel), raw in raw_by_stream(mouth):
        spec = load_catalogue().key(channel)
        mine = (columns["source"] == source) & (columns["boot"] == boot) & (columns["channel"] == channel)
        assert table["index"].to_numpy()[mine].tolist() == sorted(mouth.put[(source, boot, channel)])
        assert (table["raw"].to_numpy()[mine] == raw).all()
        assert table["value"].to_numpy()[mine] == pytest.approx(raw * spec.scale + spec.offset, abs=1e-9)
        assert set(columns["unit"][mine]) == {spec.unit}
        stored = [block for block in reader.samples(source, channel) if block.boot == boot]
        assert (utc[mine] == np.concatenate([block.times_us() for block in stored])).all()
        grid = [block.start_us + np.arange(len(block.samples)) * block.period_us for block in stored]
        assert (hub[mine] == np.concatenate(grid)).all()
    assert set(columns["provenance"]) == {"live", "backfilled"}
    assert (columns["provenance"] == "backfilled").sum() == 7000


def test_the_schema_tells_scale_unit_range_and_losses(mouth: Mouth, reader: RecordReader, tmp_path: Path) -> None:
    path = tmp_path / "emg.parquet"
    export_parquet(reader, ["jaw_emg"], mouth.begin_us, mouth.end_us, path)
    file = pq.ParquetFile(path)
    told = json.loads(file.schema_arrow.metadata[METADATA])
    assert told["channels"] == [{"key": "jaw_emg", "number": 8, "unit": "uV", "scale": 0.1, "offset": 0.0}]
    assert (told["from_us"], told["to_us"], told["simulated"]) == (mouth.begin_us, mouth.end_us, True)
    assert [(loss["first"], loss["last"]) for loss in told["losses"]] == [(40, 44)]
    assert str(file.schema_arrow.field("utc").type) == "timestamp[us, tz=UTC]"
    assert file.metadata.row_group(0).column(0).compression == "ZSTD"


def test_rows_go_out_in_groups_of_one_channel_each(
    mouth: Mouth, reader: RecordReader, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.exchange.table.ROWS", 10_000)
    path = tmp_path / "all.parquet"
    export_parquet(reader, ["jaw_emg", "saliva_ph"], mouth.begin_us, mouth.end_us, path)
    file = pq.ParquetFile(path)
    groups = [file.read_row_group(number) for number in range(file.num_row_groups)]
    assert max(len(group) for group in groups) <= 10_000 < ROWS
    assert all(len(group["channel"].unique()) == 1 for group in groups)
    assert sum(len(group) for group in groups) == file.metadata.num_rows


@pytest.mark.parametrize("why", ["cancel", "unknown channel"])
def test_what_fails_leaves_nothing_and_keeps_what_was_there(
    mouth: Mouth, reader: RecordReader, tmp_path: Path, why: str
) -> None:
    path = tmp_path / "all.parquet"
    path.write_bytes(b"before")
    there = sorted(tmp_path.iterdir())

    def watch(done: float) -> None:
        if why == "cancel":
            raise Cancelled

    channels = ["jaw_emg", "saliva_ph"] if why == "cancel" else ["jaw_emg", "nothing"]
    with pytest.raises(Cancelled if why == "cancel" else NotFound):
        export_parquet(reader, channels, mouth.begin_us, mouth.end_us, path, watch)
    assert sorted(tmp_path.iterdir()) == there
    assert path.read_bytes() == b"before"
