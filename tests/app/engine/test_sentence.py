"""What a chair says of itself while therapy is held: why, and the one thing to do next."""

from datetime import datetime

import pytest

from app.engine.sentence import Situation, sentence
from core.model.hub import HoldCause, HubStatus, LinkState, TherapyState
from core.model.procedure import Hold, HoldOrigin, PhaseState, PhaseView, ProcedureView, Step
from core.model.words import Text, load_words

NOW_US = 1_800_000_000_000_000
STATUS = HubStatus(
    therapy=TherapyState.HELD,
    cause=HoldCause.STOP,
    phase=1,
    phase_elapsed_ms=4000,
    hub_time_us=1,
    lease_ms=0,
    command_counter=3,
    oldest_sequence=1,
    newest_sequence=9,
    battery_percent=80,
    rssi_dbm=-50,
    missed_events=0,
    memory_percent=1,
    swarm_dose_percent=0,
    patient_stop=False,
    received_monotonic=1.0,
)


def told(
    origin: HoldOrigin,
    *,
    link: LinkState = LinkState.UP,
    status: HubStatus | None = STATUS,
    checked_us: int | None = None,
    yes_us: int | None = None,
    confirmed: bool = True,
    was_held: bool = False,
    heard_us: int | None = NOW_US,
) -> tuple[str, str, str]:
    """State, reason and next step, in words."""
    hold = Hold(
        origin=origin,
        reason=Text(f"hold.{origin.value}.reason"),
        next_step=Text(f"hold.{origin.value}.next"),
        since_us=NOW_US,
        phase=1,
        hub_confirmed=confirmed,
        hub_was_held=was_held,
        hub_checked_us=checked_us,
        patient_yes_us=yes_us,
    )
    phase = PhaseView(
        number=1, module="repair", key="seal", tooth=44, seconds=60, dose_percent=10, state=PhaseState.HELD
    )
    view = ProcedureView(
        visit_id="v",
        visit_code="V-1",
        patient_id="p",
        chair=1,
        step=Step.TREAT,
        phases=(phase,),
        current_phase=1,
        hold=hold,
    )
    said = sentence(
        Situation(
            bound=True,
            link=link,
            link_reason=None,
            status=status,
            view=view,
            patient="Ada",
            silent_s=0.0,
            now_us=NOW_US + 60_000_000,
            heard_us=heard_us,
        )
    )
    words = load_words()
    return said.state, words.tell(said.reason), words.tell(said.next_step)


def test_each_reason_asks_for_its_own_next_step() -> None:
    assert told(HoldOrigin.LIMIT)[2] == "Wait until it is back, then check the hub."
    assert told(HoldOrigin.DISK)[2] == "Make room on the disk, then check the hub."


def test_nobody_is_told_to_wait_for_a_link_that_is_there() -> None:
    assert told(HoldOrigin.LINK) == ("held", "Hub link lost.", "Look at the patient. Then check the hub.")


@pytest.mark.parametrize("origin", list(HoldOrigin))
def test_without_a_link_there_is_nothing_to_check_yet(origin: HoldOrigin) -> None:
    wait = "Wait for the link"
    assert told(origin, link=LinkState.LOST)[2].endswith(f"{wait}.")
    assert told(origin, status=None)[2].endswith(f"{wait}.")


@pytest.mark.parametrize("origin", list(HoldOrigin))
def test_a_hold_is_told_as_past_once_the_hub_is_not_heard_any_more(origin: HoldOrigin) -> None:
    at = datetime.fromtimestamp(NOW_US / 1e6).astimezone().strftime("%H:%M")
    said = f"Held when last heard, {at}. Wait for the link."
    for link, status in ((LinkState.LOST, STATUS), (LinkState.UP, None), (LinkState.LOST, None)):
        state, reason, step = told(origin, link=link, status=status)
        assert (state, step) == ("was_held", said)
        assert reason == load_words().say(f"hold.{origin.value}.reason")
    assert told(origin, link=LinkState.LOST, confirmed=False, was_held=True)[0] == "was_held"


def test_what_the_hub_never_said_is_not_told_as_past() -> None:
    assert told(HoldOrigin.LINK, link=LinkState.LOST, confirmed=False)[0] == "holding"
    before_restart = told(HoldOrigin.ENGINE, link=LinkState.LOST, confirmed=False, was_held=True, heard_us=None)
    assert before_restart[0] == "holding", "this engine never heard it"


@pytest.mark.parametrize("origin", list(HoldOrigin))
def test_after_each_touch_the_next_one_is_named(origin: HoldOrigin) -> None:
    assert told(origin, checked_us=NOW_US)[2] == "Next: Ada's yes, then resume."
    assert told(origin, checked_us=NOW_US, yes_us=NOW_US)[2] == "Next: resume, when both of you are ready."
