"""How much of each phase was delivered, kept so that a power loss never makes it less."""

from typing import Final

from devices.simulator.store import Store, UnderWay
from devices.simulator.therapy import Therapy

_AHEAD_US: Final = 1_000_000
"""While a phase runs, what is written is ahead of what was delivered by up to so much; it need not be written often."""
_PROCEDURES_KEPT: Final = 16


class Progress:
    """µs of each phase, by procedure, and the phase that is under way."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._delivered = {procedure: dict(phases) for procedure, phases in store.state.delivered.items()}

    def delivered_us(self, procedure: str, phase: int) -> int:
        """What was delivered of a phase, however often it was begun."""
        return self._delivered.get(procedure, {}).get(phase, 0)

    def add(self, procedure: str, phase: int, us: int) -> None:
        """So much more was delivered. The latest procedures are remembered."""
        phases = self._delivered.pop(procedure, {})
        phases[phase] = phases.get(phase, 0) + us
        self._delivered[procedure] = phases
        while len(self._delivered) > _PROCEDURES_KEPT:
            del self._delivered[next(iter(self._delivered))]

    def keep(self, therapy: Therapy) -> None:
        """Write what has to outlive a power loss at this moment."""
        state = self._store.state
        if not therapy.under_way:
            if state.under_way is not None:
                self._write(None, ahead_us=0)
            return
        written = state.under_way
        same = written is not None and (written.procedure, written.phase) == (therapy.procedure, therapy.phase)
        if therapy.running:
            if not same or written is None or therapy.elapsed_us > written.elapsed_us:
                self._write(therapy, ahead_us=_AHEAD_US)
        elif not same or written is None or therapy.elapsed_us != written.elapsed_us:
            self._write(therapy, ahead_us=0)

    def _write(self, therapy: Therapy | None, *, ahead_us: int) -> None:
        state = self._store.state
        state.delivered = {procedure: dict(phases) for procedure, phases in self._delivered.items()}
        state.under_way = None
        if therapy is not None:
            ahead_us = min(ahead_us, therapy.left_us)
            state.under_way = UnderWay(therapy.procedure, therapy.phase, therapy.elapsed_us + ahead_us)
            phases = state.delivered.setdefault(therapy.procedure, {})
            phases[therapy.phase] = phases.get(therapy.phase, 0) + ahead_us
        self._store.save()
