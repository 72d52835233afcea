"""The simulated hub's therapy: it holds by itself."""

import msgspec
import pytest

from core.model.hub import HoldCause, PhaseOrder, ReceiptCode, TherapyState
from devices.simulator.therapy import LEASE_US, Orderer, Therapy

ORDER = PhaseOrder(phase=1, module=1, tooth=0, seconds=60, dose_percent=80, tissue_limit_c=39.0)
BY = Orderer(clinician=b"clinic..", workstation=b"station.")
S = 1_000_000


@pytest.fixture
def running() -> Therapy:
    therapy = Therapy()
    assert therapy.start(ORDER, "P", BY, 36.0) is ReceiptCode.DONE
    return therapy


def test_a_phase_runs_to_its_end_while_it_is_renewed(running: Therapy) -> None:
    for second in range(60):
        assert running.state is TherapyState.RUNNING, second
        assert running.dose == 80
        running.advance(S, S, 36.5)
        running.renew(BY.workstation)
    assert (running.state, running.cause, running.dose) == (TherapyState.IDLE, HoldCause.NONE, 0)
    assert (running.phase, running.elapsed_us) == (1, 60 * S)


def test_without_renewal_it_holds_after_exactly_the_lease(running: Therapy) -> None:
    running.advance(LEASE_US - 1, LEASE_US - 1, 36.0)
    assert running.state is TherapyState.RUNNING
    running.advance(1, 1, 36.0)
    assert (running.state, running.cause, running.dose) == (TherapyState.HELD, HoldCause.LEASE, 0)


def test_a_renewal_never_resumes(running: Therapy) -> None:
    running.advance(LEASE_US, LEASE_US, 36.0)
    assert running.renew(BY.workstation) is ReceiptCode.NO_LEASE
    assert running.state is TherapyState.HELD


def test_time_held_is_not_time_delivered(running: Therapy) -> None:
    running.advance(2 * S, 2 * S, 36.0)
    running.hold(HoldCause.COMMAND)
    running.advance(100 * S, 100 * S, 36.0)
    assert running.resume(BY, 36.0) is ReceiptCode.DONE
    assert running.elapsed_us == 2 * S
    assert running.lease_us == LEASE_US


def test_the_ceiling_holds_and_keeps_it_held(running: Therapy) -> None:
    running.advance(50_000, 50_000, 39.0)
    assert (running.state, running.cause) == (TherapyState.HELD, HoldCause.LIMIT)
    assert running.resume(BY, 39.2) is ReceiptCode.OUTSIDE_LIMITS
    assert running.resume(BY, 38.0) is ReceiptCode.DONE


def test_stop_is_never_refused_and_replaces_every_cause(running: Therapy) -> None:
    assert running.stop() is ReceiptCode.DONE
    assert running.stop() is ReceiptCode.ALREADY
    assert running.cause is HoldCause.STOP
    running.resume(BY, 36.0)
    running.hold(HoldCause.LIMIT)
    running.stop()
    assert running.cause is HoldCause.STOP
    assert Therapy().stop() is ReceiptCode.ALREADY


def test_a_pressed_button_holds_and_bars_the_way_back(running: Therapy) -> None:
    running.press_patient_stop(True)
    assert (running.state, running.cause) == (TherapyState.HELD, HoldCause.PATIENT)
    assert running.resume(BY, 36.0) is ReceiptCode.NOT_NOW
    running.clear()
    assert running.start(ORDER, "P", BY, 36.0) is ReceiptCode.NOT_NOW
    running.press_patient_stop(False)
    assert running.start(ORDER, "P", BY, 36.0) is ReceiptCode.DONE


def test_one_phase_at_a_time(running: Therapy) -> None:
    assert running.start(ORDER, "P", BY, 36.0) is ReceiptCode.NOT_NOW
    running.hold(HoldCause.COMMAND)
    assert running.start(ORDER, "P", BY, 36.0) is ReceiptCode.NOT_NOW
    assert running.end() is ReceiptCode.DONE
    assert running.start(ORDER, "P", BY, 36.0) is ReceiptCode.DONE


@pytest.mark.parametrize(
    "change",
    [
        {"phase": 0},
        {"module": 0},
        {"tooth": 19},
        {"tooth": 56},
        {"dose_percent": 0},
        {"dose_percent": 101},
        {"seconds": 0},
        {"seconds": 3601},
        {"tissue_limit_c": 42.01},
        {"tissue_limit_c": 36.0},
    ],
)
def test_what_is_beyond_the_device_is_refused(change: dict[str, float]) -> None:
    therapy = Therapy()
    assert therapy.start(msgspec.structs.replace(ORDER, **change), "P", BY, 36.0) is ReceiptCode.OUTSIDE_LIMITS
    assert therapy.state is TherapyState.IDLE


def test_after_an_interrupted_boot_only_an_end_is_possible() -> None:
    therapy = Therapy("P", (4, 0))
    assert (therapy.state, therapy.cause, therapy.phase) == (TherapyState.HELD, HoldCause.BOOT, 4)
    assert therapy.resume(BY, 36.0) is ReceiptCode.NOT_NOW
    assert therapy.clear() is ReceiptCode.DONE
    assert (therapy.state, therapy.phase) == (TherapyState.IDLE, 0)


def test_a_fault_is_left_by_a_boot_only(running: Therapy) -> None:
    running.fail()
    assert running.dose == 0
    for act in (
        running.clear,
        running.end,
        lambda: running.resume(BY, 36.0),
        lambda: running.start(ORDER, "P", BY, 36.0),
    ):
        assert act() is ReceiptCode.NOT_NOW
    running.stop()
    assert (running.state, running.cause) == (TherapyState.FAULT, HoldCause.FAULT)


def test_only_the_workstation_that_began_or_resumed_renews(running: Therapy) -> None:
    other = Orderer(clinician=BY.clinician, workstation=b"another.")
    assert running.renew(other.workstation) is ReceiptCode.NO_LEASE
    running.advance(2 * S, 2 * S, 36.0)
    assert running.resume(other, 36.0) is ReceiptCode.ALREADY
    assert running.renew(other.workstation) is ReceiptCode.NO_LEASE, "what runs is not taken over"
    running.hold(HoldCause.COMMAND)
    running.resume(other, 36.0)
    assert running.renew(BY.workstation) is ReceiptCode.NO_LEASE
    assert running.renew(other.workstation) is ReceiptCode.DONE


@pytest.mark.parametrize("revoked", [BY.clinician, b"resumer."])
def test_what_somebody_ordered_who_counts_no_more_is_held(running: Therapy, revoked: bytes) -> None:
    running.hold(HoldCause.LIMIT)
    running.resume(Orderer(clinician=b"resumer.", workstation=BY.workstation), 36.0)
    running.withdraw(frozenset({b"somebody"}))
    assert running.state is TherapyState.RUNNING
    running.withdraw(frozenset({revoked}))
    assert (running.state, running.cause) == (TherapyState.HELD, HoldCause.COMMAND)


def test_no_more_is_counted_than_was_ordered(running: Therapy) -> None:
    running.renew(BY.workstation)
    assert sum(running.advance(50_000 + n % 7, 0, 36.0) for n in range(2000)) == 60 * S
    assert running.elapsed_us == 60 * S
