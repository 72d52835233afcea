"""Limits only tighten: which of several counts, and whether samples keep it."""

from collections.abc import Iterable, Sequence

import msgspec

from core.model.limits import Limit, LimitOwner
from core.signals.catalogue import Catalogue

PRIORITIES = ("low", "medium", "high")
_RANK = {LimitOwner.PATIENT: 0, LimitOwner.CLINICIAN: 1, LimitOwner.PROTOCOL: 2, LimitOwner.DEVICE: 3}


def limit_fault(limit: Limit, channels: Catalogue) -> str:
    """What is wrong with a limit; empty when it is sound."""
    if limit.channel not in channels:
        return "names no known channel"
    if limit.low is None and limit.high is None:
        return "bounds nothing"
    if limit.low is not None and limit.high is not None and limit.low >= limit.high:
        return f"leaves no room between {limit.low:g} and {limit.high:g}"
    if limit.priority not in PRIORITIES:
        return f"has priority {limit.priority!r}, not one of low, medium, high"
    if limit.seconds < 0:
        return "waits a negative time"
    return ""


def strictest(limits: Iterable[Limit]) -> tuple[Limit, ...]:
    """The limits that count, one-sided, each with its own owner and reason.

    On each side of each channel the tightest wins; equal bounds go to patient, clinician, protocol, device in turn.
    A looser limit survives only where it does more than every tighter one: it holds where they only warn, its alarm is
    more urgent, or it waits less. So a warning at pH 6.0 never hides the hold at 5.5, nor a patient's 38 °C the
    high alarm at 39 °C.
    """
    kept: list[Limit] = []
    for limit in sorted(_sides(limits), key=_order):
        if not any(_covers(other, limit) for other in kept):
            kept.append(limit)
    return tuple(kept)


def tightest(limits: Iterable[Limit], channel: str, *, high: bool) -> Limit | None:
    """The tightest limit that holds therapy on one side of a channel; None when nothing bounds it."""
    side = [limit for limit in strictest(limits) if limit.channel == channel and limit.holds]
    side = [limit for limit in side if (limit.high if high else limit.low) is not None]
    return side[0] if side else None


def _sides(limits: Iterable[Limit]) -> list[Limit]:
    sides: list[Limit] = []
    for limit in limits:
        if limit.high is not None:
            sides.append(msgspec.structs.replace(limit, low=None))
        if limit.low is not None:
            sides.append(msgspec.structs.replace(limit, high=None))
    return sides


def _order(limit: Limit) -> tuple[str, bool, float, int, bool, int, float]:
    high = limit.high is not None
    bound = limit.high if limit.high is not None else -(limit.low or 0.0)
    return (
        limit.channel,
        high,
        bound,
        _RANK[limit.owner],
        not limit.holds,
        -PRIORITIES.index(limit.priority),
        limit.seconds,
    )


def _covers(tighter: Limit, limit: Limit) -> bool:
    """Whether `tighter`, already found at least as tight, does all that `limit` does."""
    return (
        tighter.channel == limit.channel
        and (tighter.high is None) == (limit.high is None)
        and tighter.holds >= limit.holds
        and PRIORITIES.index(tighter.priority) >= PRIORITIES.index(limit.priority)
        and tighter.seconds <= limit.seconds
    )


def crossed_by(limits: Sequence[Limit], channel: str, value: float) -> tuple[Limit, ...]:
    """The limits of a channel that a single value is beyond."""
    return tuple(
        limit
        for limit in limits
        if limit.channel == channel
        and ((limit.high is not None and value > limit.high) or (limit.low is not None and value < limit.low))
    )
