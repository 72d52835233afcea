"""Each benchmark runs, on little work, and reports what it measured. Nothing here asserts on time."""

import math
import sys
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner

from app.bench import BENCHES, run_bench
from app.bench.common import Report, figure
from app.bench.disk import file_system
from app.bench.draw import bench_draw
from app.bench.durable import ingest
from app.bench.link import bench_link
from app.bench.longterm import write_long
from app.bench.noise import digest, noisy
from app.bench.peers import absent, peers
from app.bench.record import bench_record
from app.bench.search import bench_search
from app.bench.stop import bench_stop
from app.cli import cli
from core.model.clock import SystemClock
from core.record import Record, RecordReader

SMALL: dict[str, Callable[[], Report]] = {
    "draw": lambda: bench_draw(frames=20),
    "record": lambda: bench_record(seconds_of=4, days=0.01, live_s=0.5, rounds=1),
    "link": lambda: bench_link(frames=150, seconds=0.2, through=100, rounds=1, stops=2, intervals_ms=(15.0,), hubs=2),
    "search": lambda: bench_search(visits=400),
    "stop": lambda: bench_stop(presses=3),
}


@pytest.mark.parametrize("name", list(SMALL))
def test_it_reports_figures_beside_a_peer_as_one_json_object(
    name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(BENCHES, name, (SMALL[name], "small"))
    monkeypatch.setattr("app.bench._must_be_a_disk", lambda _: None)
    assert run_bench(name) == 0
    found = msgspec.json.decode(capsys.readouterr().out, type=Report)
    assert found.bench == name
    assert found.figures
    for one in found.figures:
        assert math.isfinite(one.value)
        assert one.value > 0
        assert one.peer_value > 0
        assert one.ratio == pytest.approx(one.value / one.peer_value, rel=0.02, abs=0.001)


def test_a_sealed_record_is_packed_about_as_densely_as_can_be(tmp_path: Path) -> None:
    """Of the ratios of `bench record`, those that do not hang on the machine."""
    matrix = noisy(120 * 1000, 1000)
    corpus = digest(matrix)
    assert corpus.startswith("3c09fc27a366d966"), corpus
    empty = tmp_path / "empty.sqlite"
    Record.create(empty, bytes(range(32)), chair=1, simulated=True, clock=SystemClock()).close()
    ours = ingest(tmp_path / "ours", matrix, 200, 1000)
    sealed = (ours.path.stat().st_size - empty.stat().st_size) / matrix.size
    assert sealed < 1.2, "with indexes and pyramid; each table of an empty record takes a page of 16 KiB"
    part = matrix[:, :2000]
    rows = peers()["row per sample, executemany"](tmp_path / "rows", part, 200, 1000)
    assert rows.bytes_per_sample > 5 * sealed
    long = write_long(tmp_path / "long", 12)
    assert long.bytes_per_sample / long.alone < 1.1
    with RecordReader.open(long.path, long.key) as reader:
        assert reader.verify().problems == ()
        assert reader.info().samples == long.samples


def test_where_it_is_written_is_told_and_memory_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert file_system(tmp_path) not in ("", "unknown") or sys.platform != "linux"
    monkeypatch.setattr("app.bench.disk.file_system", lambda _: "tmpfs")
    refused = CliRunner().invoke(cli, ["bench", "record", "--folder", str(tmp_path)])
    assert refused.exit_code == 2
    assert "memory and no disk" in refused.output
    other = CliRunner().invoke(cli, ["bench", "draw", "--days", "1"])
    assert "Only `bench record` takes --days" in other.output


def test_a_peer_that_is_not_installed_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "h5py", None)
    assert absent() == ["HDF5: h5py is not installed; it comes with the tools for development"]
    assert not any("HDF5" in name for name in peers())


def test_every_benchmark_is_tried_here() -> None:
    assert set(SMALL) == set(BENCHES)


def test_the_aim_decides_what_is_met() -> None:
    assert figure("a", 1.0, "s", "b", 2.0, "<=0.5").met
    assert not figure("a", 1.1, "s", "b", 2.0, "<=0.5").met
    assert figure("a", 3.0, "s", "b", 2.0, ">=1.5").met
    assert not figure("a", 2.9, "s", "b", 2.0, ">=1.5").met


def test_without_a_name_it_lists_and_a_wrong_name_is_said() -> None:
    listed = CliRunner().invoke(cli, ["bench"], standalone_mode=False)
    assert all(name in listed.output for name in BENCHES)
    wrong = CliRunner().invoke(cli, ["bench", "nothing"])
    assert wrong.exit_code == 2
    assert "There is no benchmark" in wrong.output
    assert not wrong.output.startswith("Traceback")
