"""The hub's desk: each check of section 8, in its order, over real sessions without a radio."""

import pytest

from core.model.hub import Opcode, ReceiptCode, TherapyState
from devices.simulator.brain import Brain
from tests.devices.simulator.visit import Practice, Visit, new_hub

R = ReceiptCode


@pytest.fixture
def practice() -> Practice:
    return Practice()


@pytest.fixture
def brain(practice: Practice) -> Brain:
    hub = new_hub()
    practice.enrol(hub)
    return hub


@pytest.fixture
def visit(brain: Brain, practice: Practice) -> Visit:
    return Visit(brain, practice).shake_hands()


def test_a_session_begins_with_identity_and_status(visit: Visit) -> None:
    card = visit.side.card()
    assert (card.identity.serial, card.identity.boot, card.flags) == ("SH-1", 1, 3)
    assert card.irk == visit.brain.vault.irk
    assert visit.side.statuses
    print("ok")


def test_start_to_end(brain: Brain, practice: Practice) -> None:
    visit = Visit(brain, practice).begin()
    visit.passes(5)
    assert visit.status.status.therapy is TherapyState.RUNNING
    assert visit.status.status.swarm_dose_percent == 80
    assert visit.stop().code is R.DONE
    assert visit.order(Opcode.RESUME) is R.DONE
    visit.passes(3)
    assert visit.order(Opcode.END_PHASE) is R.DONE
    for _ in range(1000):
        brain.tick()
