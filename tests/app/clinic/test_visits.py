"""What of a visit reaches the simulated patient, and what does not."""

from typing import Any

import msgspec
import pytest

from app.clinic.visits import GUIDED_SECONDS, felt, lasting
from app.console.patient_screen import scene_of
from core.model.hub import LinkState
from core.model.procedure import Hold, HoldOrigin, PhaseState, PhaseView, ProcedureView, Step
from core.model.words import Text
from devices.simulator.control import Breathe, Consent, Control, Person, Reassure, Seat
from tests.app.console.conftest import Sample

SEATED = ProcedureView(visit_id="v", visit_code="V", patient_id="p", chair=1, step=Step.SEAT)
ANSWERS = {f"mdas{item}": 4 for item in range(1, 6)}
PHASE = PhaseView(number=1, module="repair", key="repair.1", tooth=0, seconds=9, dose_percent=80, state=PhaseState.HELD)
HOLD = Hold(
    origin=HoldOrigin.PATIENT, reason=Text("patient.paused"), next_step=Text("patient.paused"), since_us=1, phase=1
)


def at(step: Step, before: ProcedureView = SEATED, **changes: Any) -> ProcedureView:
    return msgspec.structs.replace(before, step=step, **changes)


TREATED = at(Step.TREAT, comfort=ANSWERS, phases=(PHASE,), current_phase=1)


def held(**changes: Any) -> ProcedureView:
    return at(Step.TREAT, TREATED, hold=msgspec.structs.replace(HOLD, **changes))


@pytest.mark.parametrize(
    ("before", "after", "messages"),
    [
        (None, SEATED, [Seat()]),
        (SEATED, at(Step.LISTEN), []),
        (at(Step.LISTEN), at(Step.LISTEN, comfort=ANSWERS), [Person(anxiety=20), Reassure()]),
        (at(Step.LISTEN), at(Step.LISTEN, comfort={"mdas1": 4, "mdas2": 0}), [Reassure()]),
        (at(Step.PLAN), at(Step.CONSENT), [Consent()]),
        (at(Step.CONSENT), at(Step.PREFLIGHT), []),
        (TREATED, held(), [Breathe(seconds=GUIDED_SECONDS)]),
        (held(), held(hub_confirmed=True), [Reassure()]),
        (TREATED, held(hub_confirmed=True), [Reassure(), Breathe(seconds=GUIDED_SECONDS)]),
        (held(origin=HoldOrigin.LIMIT), held(origin=HoldOrigin.LIMIT, hub_confirmed=True), []),
        (held(hub_confirmed=True), held(hub_confirmed=True, hub_checked_us=5), [Reassure()]),
        (held(hub_checked_us=5), held(hub_checked_us=5, patient_yes_us=6), []),
        (held(), TREATED, [Breathe(seconds=0)]),
        (TREATED, at(Step.CLOSE, TREATED, closed=True), [Breathe(seconds=0), Seat(seated=False)]),
        (SEATED, None, [Breathe(seconds=0), Seat(seated=False)]),
        (at(Step.CLOSE, closed=True), None, []),
        (None, None, []),
        (None, held(), [Person(anxiety=20), Seat(), Breathe(seconds=GUIDED_SECONDS)]),
    ],
)
def test_what_is_new_in_a_visit_is_felt_once(
    before: ProcedureView | None, after: ProcedureView | None, messages: list[Control]
) -> None:
    assert felt(before, after) == messages
    assert felt(after, after) == [], "and what is not new is not"


def test_a_hub_that_is_switched_on_again_has_the_same_patient() -> None:
    assert lasting(None) == lasting(at(Step.CLOSE, closed=True)) == []
    assert lasting(at(Step.CONSENT, comfort=ANSWERS)) == [Person(anxiety=20), Consent()]
    assert lasting(TREATED) == [Person(anxiety=20), Seat()]


@pytest.mark.parametrize("view", [TREATED, held(), held(hub_confirmed=True), held(hub_checked_us=5)])
def test_the_patient_breathes_with_the_guide_exactly_while_the_screen_shows_it(view: ProcedureView) -> None:
    scene = scene_of(Sample().chair(1, "held", procedure=view, link=LinkState.UP), fresh=True)
    running = msgspec.structs.replace(TREATED, phases=(msgspec.structs.replace(PHASE, state=PhaseState.RUNNING),))
    guided = [message for message in felt(running, view) if isinstance(message, Breathe)]
    assert scene.breathing is bool(guided)
