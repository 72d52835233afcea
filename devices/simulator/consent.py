"""What the patient consented to, held by the hub against every order (docs/hub-protocol.md, section 9)."""

from typing import Final

from core.model.hub import PhaseOrder
from devices.hub.session.envelope import AllowedPhase, HubEnvelope, envelope_hash
from devices.hub.session.wire import ENVELOPE_US
from devices.simulator.progress import Progress

_SECOND_US: Final = 1_000_000


class Consent:
    """The envelope in force; none after a boot."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._envelope: HubEnvelope | None = None
        self._hash: bytes | None = None
        self._until_us = 0

    @property
    def envelope(self) -> HubEnvelope | None:
        """What was agreed last, unless it was withdrawn."""
        return self._envelope

    def in_force(self, now_us: int) -> bytes | None:
        """Hash of the envelope, 32 bytes; None without one, or once its time is over."""
        if self._hash is not None and now_us >= self._until_us:
            self.withdraw()
        return self._hash

    def put(self, envelope: HubEnvelope, raw: bytes, now_us: int) -> None:
        """This envelope is in force now; `raw` are its bytes."""
        self._envelope = envelope
        self._hash = envelope_hash(raw)
        self._until_us = now_us + ENVELOPE_US

    def withdraw(self) -> None:
        self._envelope = self._hash = None

    def allows(self, procedure: str, order: PhaseOrder, *, elapsed_us: int = 0) -> bool:
        """Whether an order is inside the envelope. `elapsed_us`: what this very order had delivered before."""
        envelope = self._envelope
        allowed = envelope.phase(order.phase) if envelope is not None and envelope.procedure == procedure else None
        if allowed is None:
            return False
        left_us = allowed.seconds * _SECOND_US - self._progress.delivered_us(procedure, order.phase)
        return _within(order, allowed) and order.seconds * _SECOND_US - elapsed_us <= left_us


def _within(order: PhaseOrder, allowed: AllowedPhase) -> bool:
    return (
        (order.module, order.tooth) == (allowed.module, allowed.tooth)
        and order.dose_percent <= allowed.dose_percent
        and round(order.tissue_limit_c * 100) <= allowed.ceiling_centi_c
    )
