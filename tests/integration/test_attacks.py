"""Attacks on a whole practice, in processes of their own: what is found out is told, and nobody is treated by it."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from app.ipc.doubt_messages import LiftDoubt
from app.ipc.messages import Done
from core.model.alarm import AlarmState
from core.model.hub import LinkState, TherapyState
from core.model.hub_doubt import HubDoubt
from core.model.procedure import Doubt
from core.signals.catalogue import load_catalogue
from tests.integration.practice import Practice

CHAIRS = (1, 2)


@pytest.fixture(scope="module")
def besieged(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Practice]:
    """One practice of two chairs for all attacks, in their order."""
    root: Path = tmp_path_factory.mktemp("besieged")
    one = Practice(root / "data", chairs=len(CHAIRS))
    try:
        one.start()
        for chair in CHAIRS:
            one.until(lambda chair=chair: one.chairs[chair].hub and one.caught_up(chair))  # type: ignore[misc]
        yield one
    finally:
        one.close()


def test_one_signed_order_for_every_hub_moves_none_and_alarms_all(besieged: Practice) -> None:
    besieged.break_something("mass_command")
    besieged.until(lambda: {"trust.journal", "trust.many"} <= besieged.alarms())
    for chair in CHAIRS:
        besieged.until(lambda chair=chair: besieged.hub(chair).therapy is TherapyState.IDLE)  # type: ignore[misc]
    besieged.until_frames(20)
    assert besieged.workstation is not None
    (alarm,) = [one for one in besieged.workstation.alarms if one.kind == "trust.journal" and one.chair == 1]
    assert alarm.text.values["what"] == "@trust.journal.unknown"


def test_other_firmware_is_told_until_it_is_mended(besieged: Practice) -> None:
    besieged.break_something("tampered_firmware")
    besieged.until(lambda: "trust.firmware" in besieged.alarms())
    besieged.until_frames(20)
    besieged.break_something("mend")
    besieged.until(lambda: besieged.chairs[1].link is not LinkState.UP)
    besieged.until(lambda: besieged.chairs[1].link is LinkState.UP)
    besieged.until_frames(20)


def test_calm_that_is_played_again_while_the_hub_runs_wild_is_found_out(besieged: Practice) -> None:
    besieged.break_something("spoofed_calm", chair=2)
    besieged.until(lambda: "trust.repeated" in besieged.alarms(), seconds=60.0)
    besieged.stop(2)
    besieged.break_something("mend", chair=2)
    besieged.until(lambda: besieged.chairs[2].link is not LinkState.UP)
    besieged.until(lambda: besieged.hub(2).therapy in (TherapyState.IDLE, TherapyState.HELD))
    besieged.until_frames(20, chair=2)
    assert "trust.repeated" in besieged.alarms(AlarmState.ACTIVE), "another session proves nothing"


def test_a_hub_that_lied_treats_nobody_until_a_dentist_says_so_whatever_was_restarted(besieged: Practice) -> None:
    def doubts() -> tuple[HubDoubt, ...]:
        assert besieged.workstation is not None
        return besieged.workstation.doubts

    def proven() -> bool | None:
        return {item.key: item.passed for item in besieged.view(2).preflight}["proven"]

    found = doubts()
    assert Doubt.REPEATED in {one.doubt for one in found}
    assert {(one.serial, one.chair) for one in found} == {(besieged.serial(2), 2)}, "nobody else's hub is blamed"
    besieged.break_something("reboot_hub", chair=2)
    besieged.until(lambda: besieged.chairs[2].link is not LinkState.UP)
    besieged.until(lambda: besieged.chairs[2].link is LinkState.UP)
    besieged.kill_engine()
    besieged.start()
    besieged.until(lambda: besieged.chairs[2].link is LinkState.UP and besieged.hub(2))
    besieged.until(lambda: "trust.repeated" in besieged.alarms(AlarmState.ACTIVE))
    assert doubts() == found
    assert "trust.many" not in besieged.alarms(), "what is known is no news"
    besieged.seat(2)
    besieged.walk_to_preflight(chair=2)
    besieged.until_frames(20, chair=2)
    assert proven() is False
    for one in found:
        asked = LiftDoubt(serial=one.serial, doubt=one.doubt, found_us=one.found_us, reason="The simulation is over")
        assert isinstance(besieged.ask(asked), Done)
    besieged.until(lambda: not doubts() and proven())


def test_after_all_this_stop_is_answered_and_no_sample_is_missing(besieged: Practice) -> None:
    besieged.stop()
    for chair in CHAIRS:
        besieged.until(lambda chair=chair: besieged.caught_up(chair))  # type: ignore[misc]
    besieged.shut_down()
    kept, made = besieged.kept(1), besieged.made(1)
    assert {key for _, key in kept} == {spec.key for spec in load_catalogue().from_source("hub")}
    for key, samples in kept.items():
        assert np.array_equal(samples, made[key][: len(samples)]), key
    assert besieged.kept(2), "no hole, none doubled; what it said while it lied is another matter"
