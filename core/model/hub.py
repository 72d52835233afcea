"""What a hub says of itself, what it is told, and what it answers."""

from enum import IntEnum, StrEnum

import msgspec


class LinkState(StrEnum):
    """The state of one Bluetooth link. UNKNOWN is a state of its own."""

    ABSENT = "absent"
    SEARCHING = "searching"
    CONNECTING = "connecting"
    UP = "up"
    LOST = "lost"
    REFUSED = "refused"
    """Connected, but not a hub that we may talk to (unknown profile version, wrong identity)."""


class TherapyState(IntEnum):
    """The hub's own therapy state, as its status characteristic reports it."""

    IDLE = 0
    RUNNING = 1
    HELD = 2
    FAULT = 3
    UNKNOWN = 255
    """Never sent by a hub: what we show while we have no fresh status."""


class HoldCause(IntEnum):
    """Why the hub holds."""

    NONE = 0
    STOP = 1
    COMMAND = 2
    LEASE = 3
    """The lease ran out: nobody renewed it within 3 s."""
    LINK = 4
    LIMIT = 5
    PATIENT = 6
    """The patient pressed the stop button on the hub."""
    FAULT = 7
    BOOT = 8


class Opcode(IntEnum):
    """Commands of protocol version 2 (docs/hub-protocol.md, section 8)."""

    START_STREAM = 0x01
    STOP_STREAM = 0x02
    ACKNOWLEDGE = 0x03
    FETCH = 0x04
    REPORT = 0x05
    TIME = 0x06
    START_PHASE = 0x10
    HOLD = 0x11
    RESUME = 0x12
    END_PHASE = 0x13
    RENEW_LEASE = 0x14
    CLEAR = 0x15
    """Back to idle after a hold: ends the phase for good."""
    SET_ENVELOPE = 0x20
    ATTEST = 0x24
    JOURNAL = 0x28
    SUMMARIES = 0x2C
    EVENTS = 0x2D
    WITNESS = 0x34
    WITNESSED = 0x35
    ENROL = 0x40
    REVOKE = 0x41
    CLINICIAN = 0x42
    REKEY = 0x43


class ReceiptCode(IntEnum):
    """The hub's answer to a command."""

    DONE = 0x00
    ALREADY = 0x01
    """The state asked for was there already."""
    MALFORMED = 0x10
    UNKNOWN_OPCODE = 0x11
    NOT_NOW = 0x12
    """Not allowed in the present therapy state."""
    OUTSIDE_LIMITS = 0x13
    STALE_COUNTER = 0x14
    NO_LEASE = 0x15
    NOT_STORED = 0x16
    """What was asked for is no longer in memory."""
    BUSY = 0x17
    NOT_SIGNED = 0x20
    EXPIRED = 0x21
    NO_ENVELOPE = 0x22
    OUTSIDE_ENVELOPE = 0x23
    """The patient did not consent to this."""
    READ_ONLY = 0x24
    REFUSED = 0x25
    """Not enrolled; or a certificate, key or list that does not count."""
    CONTRADICTED = 0x26
    """A log does not contain what the hub saw of it before."""


class HubIdentity(msgspec.Struct, frozen=True, kw_only=True):
    """Read once after each connect."""

    serial: str
    model: str
    firmware: str
    hardware: str
    profile_major: int
    profile_minor: int
    boot: int
    simulated: bool


class HubStatus(msgspec.Struct, frozen=True, kw_only=True):
    """The hub's status characteristic, decoded.

    Attributes:
        hub_time_us: hub time when it was written, µs since boot.
        lease_ms: what is left of the lease; 0 when there is none.
        command_counter: highest counter the hub has accepted.
        oldest_sequence, newest_sequence: what its memory still holds.
        missed_events: connection events that the hub's radio missed since connect; 0 when it does not tell the hub.
        swarm_dose_percent: dose now being delivered, 0–100.
        received_monotonic: local monotonic time of arrival, s.
    """

    therapy: TherapyState
    cause: HoldCause
    phase: int
    phase_elapsed_ms: int
    hub_time_us: int
    lease_ms: int
    command_counter: int
    oldest_sequence: int
    newest_sequence: int
    battery_percent: int
    rssi_dbm: int
    missed_events: int
    memory_percent: int
    swarm_dose_percent: int
    patient_stop: bool
    received_monotonic: float = 0.0


class PhaseOrder(msgspec.Struct, frozen=True, kw_only=True):
    """What START_PHASE carries: one phase of one module, with the ceilings the hub enforces by itself.

    Attributes:
        phase: number of the phase within the plan, 1–65535.
        module: wire number of the module.
        tooth: FDI number, 0 for the whole mouth.
        seconds: how long it runs.
        dose_percent: 0–100.
        tissue_limit_c: tissue temperature at which the hub holds by itself, °C.
        envelope_sha256: hash of the consent that the procedure rests on, 32 bytes; not on the air.
    """

    phase: int
    module: int
    tooth: int
    seconds: int
    dose_percent: int
    tissue_limit_c: float
    envelope_sha256: bytes = b""


class Receipt(msgspec.Struct, frozen=True, kw_only=True):
    """The hub's answer to one command.

    Attributes:
        opcode: the command answered; 0 for STOP.
        counter: its counter; 0 for STOP, which needs none.
        therapy: therapy state after it.
        raw: the signed message of the hub, for the audit log.
    """

    opcode: int
    counter: int
    code: ReceiptCode
    therapy: TherapyState
    cause: HoldCause
    hub_time_us: int
    raw: bytes = b""

    @property
    def accepted(self) -> bool:
        return self.code in (ReceiptCode.DONE, ReceiptCode.ALREADY)


class DeviceSeen(msgspec.Struct, frozen=True, kw_only=True):
    """One advertiser found by a scan.

    Attributes:
        kind: key of the kind that its advertised services tell (`devices/kinds.py`), `other` when none is known.
        enrolled, open: of a hub: it belongs to a practice; it may be enrolled now. None where it is not told.
    """

    address: str
    name: str
    kind: str
    rssi_dbm: int
    battery_percent: int | None = None
    profile_major: int | None = None
    enrolled: bool | None = None
    open: bool | None = None


class DeviceInfo(msgspec.Struct, frozen=True, kw_only=True):
    """Device Information (0x180A) and Battery (0x180F), None where the device has none."""

    manufacturer: str | None = None
    model: str | None = None
    serial: str | None = None
    firmware: str | None = None
    hardware: str | None = None
    software: str | None = None
    battery_percent: int | None = None
