"""The hub's therapy state machine (docs/hub-protocol.md, section 9). Pure: told of time, knows no radio."""

from typing import Final

import msgspec

from core.model.hub import HoldCause, PhaseOrder, ReceiptCode, TherapyState

LEASE_US: Final = 3_000_000
MAX_SECONDS: Final = 3600
MAX_TISSUE_C: Final = 42.0

_QUADRANTS: Final = ((1, 8), (2, 8), (3, 8), (4, 8), (5, 5), (6, 5), (7, 5), (8, 5))
_TEETH: Final = frozenset({0} | {q * 10 + n for q, count in _QUADRANTS for n in range(1, count + 1)})


class Orderer(msgspec.Struct, frozen=True):
    """Who began or resumed a phase: kids of the clinician who signed and of the workstation that holds the lease."""

    clinician: bytes
    workstation: bytes


class Therapy:
    """State, cause, phase, lease. Times in µs.

    Args:
        interrupted: the phase that a power loss interrupted and what was delivered of it; (0, 0) for none.

    Attributes:
        phase: of the latest order, 0 for none; it stays after the end, with `elapsed_us`.
        procedure: of that order.
        patient_stop: the patient's button is pressed.
    """

    def __init__(self, procedure: str = "", interrupted: tuple[int, int] = (0, 0)) -> None:
        self.phase, self.elapsed_us = interrupted
        self.state = TherapyState.HELD if self.phase else TherapyState.IDLE
        self.cause = HoldCause.BOOT if self.phase else HoldCause.NONE
        self.procedure = procedure
        self.lease_us = 0
        self.patient_stop = False
        self._order: PhaseOrder | None = None
        self._clinicians: set[bytes] = set()
        self._workstation = b""
        self._broken_off = False

    @property
    def dose(self) -> int:
        """Dose allowed now, %."""
        return self._order.dose_percent if self._order and self.running else 0

    @property
    def running(self) -> bool:
        return self.state is TherapyState.RUNNING

    @property
    def module(self) -> int:
        """Number of the module ordered, 0 without an order."""
        return self._order.module if self._order else 0

    @property
    def tooth(self) -> int:
        """FDI number of the tooth ordered, 0 for the whole mouth."""
        return self._order.tooth if self._order else 0

    @property
    def under_way(self) -> bool:
        """Whether a phase has begun and not ended; a fault ends none."""
        return self.state in (TherapyState.RUNNING, TherapyState.HELD) or self._broken_off

    @property
    def order(self) -> PhaseOrder | None:
        """What runs or is held; None of a phase that a power loss interrupted."""
        return self._order

    @property
    def takes_envelope(self) -> bool:
        """Whether another envelope may come into force now."""
        return self.state is TherapyState.IDLE or (self.state is TherapyState.HELD and self._order is not None)

    @property
    def left_us(self) -> int:
        """What is left of the order; 0 without one."""
        return self._order.seconds * 1_000_000 - self.elapsed_us if self._order else 0

    def advance(self, hub_us: int, lease_us: int, tissue_c: float) -> int:
        """Let time pass: `hub_us` for the phase, `lease_us` for the lease (they differ when hub time is sped up).

        Returns what was delivered of the phase in it, µs.
        """
        if not self.running or self._order is None:
            return 0
        delivered = min(hub_us, self.left_us)
        self.elapsed_us += delivered
        self.lease_us -= lease_us
        if tissue_c >= self._order.tissue_limit_c:
            self.hold(HoldCause.LIMIT)
        elif self.left_us <= 0:
            self._idle()
        elif self.lease_us <= 0:
            self.hold(HoldCause.LEASE)
        return delivered

    def start(self, order: PhaseOrder, procedure: str, by: Orderer, tissue_c: float) -> ReceiptCode:
        if self.state is not TherapyState.IDLE or self.patient_stop:
            return ReceiptCode.NOT_NOW
        within = (
            order.phase >= 1
            and order.module >= 1
            and order.tooth in _TEETH
            and 1 <= order.dose_percent <= 100
            and 1 <= order.seconds <= MAX_SECONDS
            and tissue_c < order.tissue_limit_c <= MAX_TISSUE_C
        )
        if not within:
            return ReceiptCode.OUTSIDE_LIMITS
        self._order = order
        self.procedure = procedure
        self.phase = order.phase
        self.elapsed_us = 0
        self._clinicians.clear()
        self._run(by)
        return ReceiptCode.DONE

    def hold(self, cause: HoldCause) -> ReceiptCode:
        """Hold, if anything runs. A hold keeps its first cause; only STOP replaces another."""
        if self.running:
            self.state = TherapyState.HELD
            self.cause = cause
            self.lease_us = 0
            return ReceiptCode.DONE
        if self.state is TherapyState.HELD:
            return ReceiptCode.ALREADY
        return ReceiptCode.NOT_NOW

    def stop(self) -> ReceiptCode:
        """STOP: never refused."""
        done = self.hold(HoldCause.STOP) is ReceiptCode.DONE
        if self.state is TherapyState.HELD:
            self.cause = HoldCause.STOP
        return ReceiptCode.DONE if done else ReceiptCode.ALREADY

    def withdraw(self, revoked: frozenset[bytes]) -> None:
        """Hold what was ordered by somebody on this list."""
        if self._clinicians & revoked:
            self.hold(HoldCause.COMMAND)

    def fail(self) -> None:
        """A fault of the hub: only a boot helps."""
        self._broken_off = self.under_way
        self.state = TherapyState.FAULT
        self.cause = HoldCause.FAULT
        self.lease_us = 0

    def press_patient_stop(self, pressed: bool) -> None:
        self.patient_stop = pressed
        if pressed:
            self.hold(HoldCause.PATIENT)

    def resume(self, by: Orderer, tissue_c: float) -> ReceiptCode:
        if self.running:
            return ReceiptCode.ALREADY
        if self.state is not TherapyState.HELD or self._order is None or self.patient_stop:
            return ReceiptCode.NOT_NOW
        if tissue_c >= self._order.tissue_limit_c:
            return ReceiptCode.OUTSIDE_LIMITS
        self._run(by)
        return ReceiptCode.DONE

    def end(self) -> ReceiptCode:
        if self.state is TherapyState.IDLE:
            return ReceiptCode.ALREADY
        if self.state is TherapyState.FAULT:
            return ReceiptCode.NOT_NOW
        self._idle()
        return ReceiptCode.DONE

    def clear(self) -> ReceiptCode:
        if self.running:
            return ReceiptCode.NOT_NOW
        code = self.end()
        if self.state is TherapyState.IDLE:
            self.phase = 0
            self.elapsed_us = 0
        return code

    def renew(self, workstation: bytes) -> ReceiptCode:
        if not self.running or workstation != self._workstation:
            return ReceiptCode.NO_LEASE
        self.lease_us = LEASE_US
        return ReceiptCode.DONE

    def _run(self, by: Orderer) -> None:
        self.state = TherapyState.RUNNING
        self.cause = HoldCause.NONE
        self.lease_us = LEASE_US
        self._clinicians.add(by.clinician)
        self._workstation = by.workstation

    def _idle(self) -> None:
        self.state = TherapyState.IDLE
        self.cause = HoldCause.NONE
        self.lease_us = 0
        self._order = None
