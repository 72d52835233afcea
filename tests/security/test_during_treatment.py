"""Attacks in the middle of a treatment, on a whole practice: air, hub and engine in processes of their own.

One practice for all of them, in their order. After each, therapy is held until people have looked, or stays so where it
must; at the end nothing that the hub measured is missing.
"""

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from app.ipc import messages as ipc
from app.ipc.doubt_messages import LiftDoubt
from core.model.hub import LinkState, TherapyState
from core.model.hub_doubt import HubDoubt
from core.model.intents import CheckHub, Resume
from core.model.procedure import HoldOrigin
from core.safety.detectors import load_rules
from core.signals.catalogue import load_catalogue
from tests.integration.practice import Practice

FEW = 6
"""Times that a handful of forgeries is sent: together more than the 32 that a hub forgives."""
A_WHILE_US = 2_000_000


@pytest.fixture(scope="module")
def treated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Practice]:
    root: Path = tmp_path_factory.mktemp("treated")
    one = Practice(root / "data")
    try:
        one.start()
        yield one
    finally:
        one.close()


def phase(practice: Practice) -> tuple[int, TherapyState]:
    return practice.hub().phase, practice.hub().therapy


def raised(practice: Practice, alarm: str) -> bool:
    return alarm in practice.alarms()


def held(practice: Practice, *origins: HoldOrigin) -> None:
    """Until we hold for one of these reasons, and the hub has said that no dose flows."""
    practice.until(lambda: practice.hold().origin in origins and practice.hold().hub_confirmed)
    practice.until(lambda: practice.hub().therapy is TherapyState.HELD and practice.hub().swarm_dose_percent == 0)


def goes_on(practice: Practice) -> None:
    """Signals, and by the three touches the very phase that was held, under a clinician's signature."""
    practice.until_frames(20)
    number = practice.view().current_phase
    practice.resume()
    practice.until(lambda: phase(practice) == (number, TherapyState.RUNNING))


def proven(practice: Practice) -> bool:
    return practice.view().facts.hub_proven is True


def lift(practice: Practice) -> None:
    """A dentist takes every doubt back, by name and for a reason; what was found anew meanwhile is looked at again."""

    def changed(found: tuple[HubDoubt, ...]) -> bool:
        assert practice.workstation is not None
        return proven(practice) or practice.workstation.doubts != found

    while not proven(practice):
        assert practice.workstation is not None
        found = practice.workstation.doubts
        for one in found:
            reason = "Looked at, and mended"
            practice.ask(LiftDoubt(serial=one.serial, doubt=one.doubt, found_us=one.found_us, reason=reason))
        practice.until(partial(changed, found))


def test_old_orders_and_answers_in_the_middle_of_a_phase_hold_it_and_order_nothing(treated: Practice) -> None:
    """Whoever replays drops the link, too: the outcome is a hold, which nothing that is old takes back."""
    treated.go_on()
    treated.break_something("replay")
    treated.until(lambda: raised(treated, "frame.refused"))
    held(treated, HoldOrigin.LINK)
    treated.until(lambda: treated.chairs[1].link is LinkState.UP)
    treated.until_frames(20)
    assert treated.hub().therapy is TherapyState.HELD, "the old START, sent once more in the new session, began nothing"
    assert not raised(treated, "trust.journal"), "nor did the hub take it for an order"
    goes_on(treated)


def test_forged_orders_in_the_middle_of_a_phase_end_nothing_and_in_numbers_hold_it(treated: Practice) -> None:
    treated.go_on()
    before = phase(treated)
    treated.break_something("forged_command")
    treated.until(lambda: raised(treated, "frame.refused"))
    treated.until_frames(20)
    assert phase(treated) == before, "a forged STOP, END or START does nothing, to the patient's harm or comfort"
    assert treated.view().hold is None
    for _ in range(FEW):
        treated.break_something("forged_command")
        treated.until_frames(10)
    held(treated, HoldOrigin.LINK)
    goes_on(treated)


def test_forged_answers_in_numbers_in_the_middle_of_a_phase_hold_it(treated: Practice) -> None:
    treated.go_on()
    for name in ("garbage", "forged_command"):  # 30 and 2: as many as we forgive, and fewer than the hub forgives
        treated.break_something(name)
        treated.until_frames(20)
    treated.until(lambda: raised(treated, "trust.session"))
    held(treated, HoldOrigin.TRUST, HoldOrigin.LINK)  # the hub may have had enough at the same time
    reply = treated.ask(ipc.Act(chair=1, revision=treated.view().revision, intent=Resume()))
    assert isinstance(reply, ipc.Refused), "nobody resumes before the hub was looked at and the patient asked"
    goes_on(treated)


def test_a_runaway_in_the_middle_of_a_phase_is_found_by_its_energy_and_held_until_lifted(treated: Practice) -> None:
    """What the hub delivers is no longer what it was ordered; status and dose channel do not matter."""
    treated.go_on()
    treated.break_something("runaway")
    treated.until(lambda: raised(treated, "trust.dose"), seconds=60.0)
    held(treated, HoldOrigin.TRUST)
    treated.act(CheckHub())
    treated.until(lambda: treated.view().facts.hub_proven is False)
    treated.until_frames(20)
    reply = treated.ask(ipc.Act(chair=1, revision=treated.view().revision, intent=Resume()))
    assert isinstance(reply, ipc.Refused)
    assert treated.hub().therapy is TherapyState.HELD, "a hub that ran wild gets no order that treats"
    treated.stop()
    treated.break_something("mend")
    treated.break_something("drop_link")
    treated.until(lambda: treated.chairs[1].link is not LinkState.UP)
    treated.until(lambda: treated.chairs[1].link is LinkState.UP)
    treated.until_frames(20)
    treated.until(lambda: treated.view().facts.hub_proven is False)  # that it behaves again says nothing
    span_us = round(1e6 * load_rules().dose.span_s)
    judged_us = treated.hub().hub_time_us + span_us + A_WHILE_US
    treated.until(lambda: treated.hub().hub_time_us > judged_us, seconds=4 * span_us / 1e6)
    lift(treated)
    goes_on(treated)
    treated.stop()
    held(treated, HoldOrigin.OPERATOR)
    treated.sign()
    treated.until(lambda: treated.view().closed)


def test_and_every_sample_of_it_is_in_the_record(treated: Practice) -> None:
    treated.until(treated.hub)
    lived_s = treated.hub().hub_time_us / 1e6
    treated.until(treated.caught_up)
    treated.shut_down()
    made, kept = treated.made(), treated.kept()
    newest = max(boot for boot, _ in kept)
    assert kept.keys() == {(boot, key) for boot, key in made if boot <= newest}
    for (boot, key), samples in kept.items():
        assert np.array_equal(samples, made[boot, key][: len(samples)]), key
        whole = lived_s * load_catalogue().key(key).rate_hz if boot == newest else len(made[boot, key])
        assert len(samples) >= int(whole), key
    with treated.reader() as reader:
        assert reader.verify().problems == ()
        assert reader.losses() == []
