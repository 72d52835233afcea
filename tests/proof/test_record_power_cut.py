"""A power cut after any call to the system: what was acknowledged before is there, whole, and the record verifies.

The calls of a real session are recorded by strace and done again to every prefix; `power_cut.py` says what may be lost
of each. A fair sample here; `pytest tests/proof/test_record_power_cut.py --all-power-cuts -s` goes through all
prefixes, eight times each.
"""

import os
import random
import shutil
import sys
from collections import Counter
from pathlib import Path

import pytest

from tests.proof.power_cut import Call, Disk, can_trace, trace
from tests.proof.record_script import Writer, check

ROOT = Path(__file__).parents[2]
STEPS = 32
SAMPLE = 300
VARIANTS = 8


@pytest.mark.skipif(not can_trace(), reason="strace cannot trace here")
def test_a_power_cut_anywhere_costs_nothing_that_was_acknowledged(
    tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    folder = tmp_path / "traced"
    folder.mkdir()
    command = [sys.executable, "-m", "tests.proof.record_traced", str(folder), str(STEPS)]
    calls = trace(command, folder, tmp_path / "trace.txt", "told", **os.environ | {"PYTHONPATH": str(ROOT)})
    kinds = Counter(call.kind for call in calls)
    assert kinds["told"] == STEPS
    assert min(kinds[kind] for kind in ("create", "write", "cut", "sync", "sync folder", "unlink", "rename")) > 0
    every = request.config.getoption("--all-power-cuts")
    chance = random.Random(1)
    chosen = range(len(calls)) if every else sorted(chance.sample(range(len(calls)), SAMPLE))
    states = _cut(calls, set(chosen), VARIANTS if every else 1, tmp_path / "cut")
    sys.stdout.write(f"\n{states} states after {len(chosen)} of {len(calls)} calls: nothing lost ({dict(kinds)})\n")
    assert states >= len(chosen)


def _cut(calls: list[Call], chosen: set[int], variants: int, folder: Path) -> int:
    disk, told, states = Disk(), -1, 0
    for number, call in enumerate(calls):
        if call.kind == "told":
            told = int(call.data)
        else:
            disk.do(call)
        if number not in chosen:
            continue
        for variant in range(variants):
            chance = random.Random(f"{number} {variant}")
            way = variant if variants > 1 else chance.randrange(4)
            left = disk.after_kill() if way == 0 else disk.least() if way == 1 else disk.after_power_cut(chance)
            _opens(folder, left, told, f"call {number} ({call.kind} {call.name}), way {way}, variant {variant}")
            states += 1
    return states


def _opens(folder: Path, left: dict[str, bytes], told: int, where: str) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    for name, content in left.items():
        (folder / name).write_bytes(content)
    path = folder / "r"
    try:
        steps = check(path) if path.exists() else 0
        assert told + 1 <= steps <= told + 2
        if len(left.get("r-wal", b"")) % 8 == 0 or not path.exists():
            writer = Writer(path, lambda _: None)
            writer.go()
            writer.record.close()
            assert check(path) == steps + 1
    except Exception as error:
        raise AssertionError(f"After {where} with {told + 1} steps told of: {error!r}") from error
