"""Alarms as IEC 60601-1-8 keeps them apart."""

from enum import IntEnum, StrEnum

import msgspec

from core.model.words import Text


class AlarmPriority(IntEnum):
    """Higher is more urgent; comparable."""

    LOW = 1
    MEDIUM = 2
    HIGH = 3


class AlarmState(StrEnum):
    ACTIVE = "active"
    """The condition is there."""
    LATCHED = "latched"
    """The condition has gone, nobody has acknowledged it yet."""
    ENDED = "ended"


class AudioState(StrEnum):
    ON = "on"
    PAUSED = "paused"
    """Silenced for a time that is shown; ends by itself."""
    SILENT = "silent"
    """No sound can be made (no device, sounder dead): shown, and itself an alarm."""


class Alarm(msgspec.Struct, frozen=True, kw_only=True):
    """One alarm, from onset to end. A change makes a new value with the same id.

    Attributes:
        id: global id of this occurrence.
        kind: key in the alarm catalogue, such as `limit.high` or `link.lost`.
        chair: number of the chair, 0 for the workstation itself.
        text: the sentence; `remedy` is the next step.
        began_us, ended_us: UTC, µs.
        acknowledged_by: operator id, None while nobody has seen it.
    """

    id: str
    kind: str
    chair: int
    priority: AlarmPriority
    state: AlarmState
    text: Text
    remedy: Text
    latching: bool
    began_us: int
    ended_us: int | None = None
    acknowledged_by: str | None = None
    channel: str | None = None
    value: float | None = None
