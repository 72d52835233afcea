"""Each benchmark runs, on little work, and reports what it measured. Nothing here asserts on time."""

import json
import math
from collections.abc import Callable

import msgspec
import pytest
from click.testing import CliRunner

from app.bench import BENCHES
from app.bench.common import Report, figure
from app.bench.draw import bench_draw
from app.bench.link import bench_link
from app.bench.record import bench_record
from app.bench.search import bench_search
from app.bench.stop import bench_stop
from app.cli import cli

SMALL: dict[str, Callable[[], Report]] = {
    "draw": lambda: bench_draw(frames=20),
    "record": lambda: bench_record(seconds=4),
    "link": lambda: bench_link(frames=150, seconds=0.2, through=100, rounds=1, stops=2, intervals_ms=(15.0,), hubs=2),
    "search": lambda: bench_search(visits=400),
    "stop": lambda: bench_stop(presses=3),
}


@pytest.mark.parametrize("name", list(SMALL))
def test_it_reports_figures_beside_a_peer(name: str) -> None:
    found = msgspec.json.decode(msgspec.json.encode(SMALL[name]()), type=Report)
    assert found.bench == name
    assert found.figures
    for one in found.figures:
        assert math.isfinite(one.value)
        assert one.value > 0
        assert one.peer_value > 0
        assert one.ratio == pytest.approx(one.value / one.peer_value, rel=0.02, abs=0.001)


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


def test_standard_output_is_one_json_object(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from app.bench import run_bench

    monkeypatch.setitem(BENCHES, "record", (SMALL["record"], "small"))
    assert run_bench("record") == 0
    assert json.loads(capsys.readouterr().out)["bench"] == "record"
