"""Each call to the system fails once: a typed error that says what to do, or success; nothing acknowledged is lost.

A fair sample here; `pytest tests/proof/test_record_faults.py --all-faults -s` fails each call with each error that it
may have: about three thousand sessions.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.proof.faults import preload, preloaded

ROOT = Path(__file__).parents[2]


@pytest.mark.skipif(preload() is None, reason="libfiu is not installed (Debian: fiu-utils)")
def test_one_failed_call_costs_nothing_and_is_told(tmp_path: Path, request: pytest.FixtureRequest) -> None:
    every = request.config.getoption("--all-faults")
    command = [sys.executable, "-m", "tests.proof.record_faults", str(tmp_path / "r"), "0" if every else "100", "1"]
    environment = os.environ | {"PYTHONPATH": str(ROOT)} | preloaded()
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    wrong = result.pop("wrong")
    sys.stdout.write(f"\n{result}\n")
    assert wrong == [], "\n".join(f"{one['fault']}: told {one['errors']}\n{one['wrong']}" for one in wrong)
    assert result["sessions"] > (2000 if every else 60)
    assert min(result["calls"].get(kind, 0) for kind in ("io/rw/pwrite", "io/sync/fsync", "io/oc/open")) > 20
    assert result["told"].get("record.disk_failing", 0) > 0, "faults reach the record"
