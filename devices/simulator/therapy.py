"""The hub's therapy state machine (docs/hub-protocol.md, section 7). Pure: told of time, knows no radio."""

from typing import Final

from core.model.hub import HoldCause, PhaseOrder, ReceiptCode, TherapyState

LEASE_US: Final = 3_000_000
MAX_SECONDS: Final = 3600
MAX_TISSUE_C: Final = 42.0

_QUADRANTS: Final = ((1, 8), (2, 8), (3, 8), (4, 8), (5, 5), (6, 5), (7, 5), (8, 5))
_TEETH: Final = frozenset({0} | {q * 10 + n for q, count in _QUADRANTS for n in range(1, count + 1)})


class Therapy:
    """State, cause, phase, lease. Times in µs.

    Attributes:
        phase: of the latest order, 0 for none; it stays after the end, with `elapsed_us`.
        patient_stop: the patient's button is pressed.
    """

    def __init__(self, interrupted_phase: int = 0) -> None:
        self.state = TherapyState.HELD if interrupted_phase else TherapyState.IDLE
        self.cause = HoldCause.BOOT if interrupted_phase else HoldCause.NONE
        self.phase = interrupted_phase
        self.elapsed_us = 0
        self.lease_us = 0
        self.patient_stop = False
        self._order: PhaseOrder | None = None

    @property
    def dose(self) -> int:
        """Dose allowed now, %."""
        return self._order.dose_percent if self._order and self.state is TherapyState.RUNNING else 0

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
        """Whether a phase has begun and not ended."""
        return self.state in (TherapyState.RUNNING, TherapyState.HELD)

    def advance(self, hub_us: int, lease_us: int, tissue_c: float) -> None:
        """Let time pass: `hub_us` for the phase, `lease_us` for the lease (they differ when hub time is sped up)."""
        if self.state is not TherapyState.RUNNING or self._order is None:
            return
        self.elapsed_us += hub_us
        self.lease_us -= lease_us
        if tissue_c >= self._order.tissue_limit_c:
            self.hold(HoldCause.LIMIT)
        elif self.elapsed_us >= self._order.seconds * 1_000_000:
            self.elapsed_us = self._order.seconds * 1_000_000
            self._idle()
        elif self.lease_us <= 0:
            self.hold(HoldCause.LEASE)

    def start(self, order: PhaseOrder, tissue_c: float) -> ReceiptCode:
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
        self.phase = order.phase
        self.elapsed_us = 0
        self._run()
        return ReceiptCode.DONE

    def hold(self, cause: HoldCause) -> ReceiptCode:
        """Hold, if anything runs. A hold keeps its first cause; only STOP replaces another."""
        if self.state is TherapyState.RUNNING:
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

    def fail(self) -> None:
        """A fault of the hub: only a boot helps."""
        self.state = TherapyState.FAULT
        self.cause = HoldCause.FAULT
        self.lease_us = 0

    def press_patient_stop(self, pressed: bool) -> None:
        self.patient_stop = pressed
        if pressed:
            self.hold(HoldCause.PATIENT)

    def resume(self, tissue_c: float) -> ReceiptCode:
        if self.state is TherapyState.RUNNING:
            return ReceiptCode.ALREADY
        if self.state is not TherapyState.HELD or self._order is None or self.patient_stop:
            return ReceiptCode.NOT_NOW
        if tissue_c >= self._order.tissue_limit_c:
            return ReceiptCode.OUTSIDE_LIMITS
        self._run()
        return ReceiptCode.DONE

    def end(self) -> ReceiptCode:
        if self.state is TherapyState.IDLE:
            return ReceiptCode.ALREADY
        if self.state is TherapyState.FAULT:
            return ReceiptCode.NOT_NOW
        self._idle()
        return ReceiptCode.DONE

    def clear(self) -> ReceiptCode:
        if self.state is TherapyState.RUNNING:
            return ReceiptCode.NOT_NOW
        code = self.end()
        if self.state is TherapyState.IDLE:
            self.phase = 0
            self.elapsed_us = 0
        return code

    def renew(self) -> ReceiptCode:
        if self.state is not TherapyState.RUNNING:
            return ReceiptCode.NO_LEASE
        self.lease_us = LEASE_US
        return ReceiptCode.DONE

    def _run(self) -> None:
        self.state = TherapyState.RUNNING
        self.cause = HoldCause.NONE
        self.lease_us = LEASE_US

    def _idle(self) -> None:
        self.state = TherapyState.IDLE
        self.cause = HoldCause.NONE
        self.lease_us = 0
        self._order = None
