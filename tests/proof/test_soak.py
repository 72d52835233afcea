"""A nemesis at work: what the hub generated equals what the record holds, sample for sample.

A short history here; `pytest tests/proof/test_soak.py --soak-minutes=30 --soak-seed=7` is a long one of its own.
"""

import time
from pathlib import Path

import pytest

from core.model.hub import LinkState
from devices.simulator.scenarios.registry import MEND
from tests.proof.nemesis import WORST, Nemesis, check_equal, proving_ground


def test_whatever_happens_the_record_equals_what_the_hub_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    seconds = 60 * request.config.getoption("--soak-minutes")
    seed = request.config.getoption("--soak-seed")
    root = tmp_path / "data"
    practice = proving_ground(root, monkeypatch, seed=1 + seed % 900)
    nemesis = Nemesis(practice, root, seed)
    try:
        practice.start()
        practice.until_frames(20)
        nemesis.strike("jump_ahead")
        until = time.monotonic() + seconds
        for deed in nemesis.round(WORST):
            nemesis.strike(deed)
        while time.monotonic() < until:
            for deed in nemesis.round():
                nemesis.strike(deed)
            nemesis.rest()
        nemesis.rest()
        before = practice.made()
        nemesis.rest()
        practice.shut_down()
        assert check_equal(before, practice) == 0
    except AssertionError as error:
        raise AssertionError(f"seed {seed}, after {nemesis.done}: {error}") from error
    finally:
        practice.close()


def test_what_the_hub_itself_had_to_give_up_is_told_as_lost(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    practice = proving_ground(tmp_path / "data", monkeypatch)
    try:
        practice.start()
        practice.until(practice.caught_up)
        practice.until_frames(40)
        practice.break_something("full_memory")
        practice.break_something("drop_link")
        practice.until(lambda: practice.chairs[1].link is not LinkState.UP)
        practice.until(lambda: practice.chairs[1].link is LinkState.UP and practice.caught_up())
        practice.break_something(MEND)
        practice.until_frames(40)
        practice.until(practice.caught_up)
        before = practice.made()
        practice.until_frames(40)
        practice.until(practice.caught_up)
        practice.shut_down()
        missing = check_equal(before, practice, lost=True)
        with practice.reader() as reader:
            frames = sum(loss.last - loss.first + 1 for loss in reader.losses())
        assert missing >= frames > 0, "each frame carries a sample at least"
    finally:
        practice.close()
