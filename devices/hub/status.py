"""The status characteristic (docs/hub-protocol.md, section 9)."""

import struct
from typing import Final

import msgspec

from core.model.hub import HoldCause, HubStatus, TherapyState
from devices.errors import FrameError

_LAYOUT: Final = struct.Struct("<BBBBHHIQIIIIIIBbBB16s")

_SINCE_2_1: Final = struct.Struct("<I")

NO_ENVELOPE: Final = bytes(16)
_PATIENT: Final = 1
_OVERFLOW: Final = 2
_STREAMING: Final = 4


class StatusReport(msgspec.Struct, frozen=True, kw_only=True):
    """A status with what only the driver needs.

    Attributes:
        next_sequence: sequence of the next frame; `oldest` equals it when memory is empty.
        dropped: frames that memory lost unacknowledged since boot.
        envelope: first half of the hash of the consent envelope in force, 16 bytes; zeros without one.
        events_dropped: events that full memory dropped before a workstation was told; None of a hub of profile 2.0.
    """

    status: HubStatus
    boot: int
    next_sequence: int
    dropped: int
    streaming: bool
    envelope: bytes = NO_ENVELOPE
    events_dropped: int | None = None


def encode_status(report: StatusReport) -> bytes:
    """The characteristic's value. Raises struct.error when a number is out of its range."""
    status = report.status
    flags = (
        (_PATIENT if status.patient_stop else 0)
        | (_OVERFLOW if report.dropped else 0)
        | (_STREAMING if report.streaming else 0)
    )
    since = b"" if report.events_dropped is None else _SINCE_2_1.pack(report.events_dropped)
    packed = _LAYOUT.pack(
        status.therapy,
        status.cause,
        flags,
        status.swarm_dose_percent,
        status.phase,
        status.lease_ms,
        status.phase_elapsed_ms,
        status.hub_time_us,
        report.boot,
        status.command_counter,
        status.oldest_sequence,
        report.next_sequence,
        status.missed_events,
        report.dropped,
        status.battery_percent,
        status.rssi_dbm,
        status.memory_percent,
        0,
        report.envelope,
    )
    return packed + since


def decode_status(data: bytes, received_monotonic: float = 0.0) -> StatusReport:
    """Decode a status; trailing bytes of a later minor version are ignored.

    Raises:
        FrameError: too short, a state that this version does not know, percentages above 100, memory turned round.
    """
    if len(data) < _LAYOUT.size:
        raise FrameError(f"A status of {len(data)} bytes is too short.")
    (
        therapy,
        cause,
        flags,
        dose,
        phase,
        lease_ms,
        elapsed_ms,
        hub_time_us,
        boot,
        counter,
        oldest,
        next_sequence,
        missed,
        dropped,
        battery,
        rssi,
        memory,
        _,
        envelope,
    ) = _LAYOUT.unpack_from(data)
    later = data[_LAYOUT.size :]
    events_dropped = _SINCE_2_1.unpack_from(later)[0] if len(later) >= _SINCE_2_1.size else None
    if therapy not in _STATES or cause not in _CAUSES:
        raise FrameError(f"A status tells therapy state {therapy} with cause {cause}.")
    if max(battery, memory, dose) > 100 or oldest > next_sequence:
        raise FrameError("A status tells more than the whole.")
    status = HubStatus(
        therapy=TherapyState(therapy),
        cause=HoldCause(cause),
        phase=phase,
        phase_elapsed_ms=elapsed_ms,
        hub_time_us=hub_time_us,
        lease_ms=lease_ms,
        command_counter=counter,
        oldest_sequence=oldest,
        newest_sequence=next_sequence - 1,
        battery_percent=battery,
        rssi_dbm=rssi,
        missed_events=missed,
        memory_percent=memory,
        swarm_dose_percent=dose,
        patient_stop=bool(flags & _PATIENT),
        received_monotonic=received_monotonic,
    )
    return StatusReport(
        status=status,
        boot=boot,
        next_sequence=next_sequence,
        dropped=dropped,
        streaming=bool(flags & _STREAMING),
        envelope=envelope,
        events_dropped=events_dropped,
    )


_STATES: Final = frozenset(TherapyState) - {TherapyState.UNKNOWN}
_CAUSES: Final = frozenset(HoldCause)
