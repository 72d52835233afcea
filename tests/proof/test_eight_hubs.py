"""Eight chairs in one engine: one is jammed, one reboots, one treats; STOP for all holds; nothing is lost."""

from pathlib import Path

import pytest

from core.model.hub import LinkState, TherapyState
from tests.proof.nemesis import CALM_S, check_equal, proving_ground

CHAIRS = range(1, 9)
JAMMED, REBOOTED, TREATED = 2, 5, 1


def test_eight_hubs_at_once_in_one_engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    practice = proving_ground(tmp_path / "data", monkeypatch, chairs=len(CHAIRS))
    try:
        practice.start()
        for chair in CHAIRS:
            practice.until(lambda chair=chair: practice.hub(chair).newest_sequence > 40, CALM_S)  # type: ignore[misc]
        boots = {chair: practice.chairs[chair].identity for chair in CHAIRS}
        assert len({one.serial for one in boots.values() if one is not None}) == len(CHAIRS)
        practice.go_on(TREATED)
        practice.break_something("jam", JAMMED)
        practice.break_something("reboot_hub", REBOOTED)
        practice.until(lambda: practice.chairs[JAMMED].link is not LinkState.UP, CALM_S)
        practice.until(lambda: practice.chairs[REBOOTED].identity != boots[REBOOTED], CALM_S)
        practice.until(lambda: practice.hub(TREATED).therapy is TherapyState.RUNNING)
        assert practice.view(TREATED).hold is None, "what happens at one chair holds no other"
        practice.stop(0)
        practice.until(lambda: practice.hub(TREATED).therapy is TherapyState.HELD)
        practice.until(lambda: all(practice.caught_up(chair) for chair in CHAIRS), CALM_S)
        before = {chair: practice.made(chair) for chair in CHAIRS}
        for chair in CHAIRS:
            practice.until_frames(20, chair)
            practice.until(lambda chair=chair: practice.caught_up(chair), CALM_S)  # type: ignore[misc]
        others = {chair: boots[chair] for chair in CHAIRS if chair != REBOOTED}
        assert {chair: practice.chairs[chair].identity for chair in others} == others
        practice.shut_down()
        for chair in CHAIRS:
            assert check_equal(before[chair], practice, chair) == 0, chair
    finally:
        practice.close()
