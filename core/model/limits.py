"""Limits that only tighten, each with its owner."""

from enum import StrEnum

import msgspec


class LimitOwner(StrEnum):
    """Whose limit it is; each has its own mark on the screen."""

    PATIENT = "patient"
    CLINICIAN = "clinician"
    PROTOCOL = "protocol"
    DEVICE = "device"


class Limit(msgspec.Struct, frozen=True, kw_only=True):
    """One bound of one channel.

    Attributes:
        channel: key of the channel.
        low, high: physical bounds; None is unbounded.
        reason: words key that says why the limit exists.
        holds: whether crossing it holds therapy, or only raises an alarm.
    """

    channel: str
    owner: LimitOwner
    low: float | None = None
    high: float | None = None
    reason: str = ""
    priority: str = "medium"
    holds: bool = False
    seconds: float = 0.0
    """How long the value must stay beyond the bound before the limit counts as crossed."""
