"""The rule of every witness: a log may only grow. Pure; hub and chairs keep what they saw, each in its own way."""

from collections.abc import Sequence
from enum import Enum
from typing import Final

from core.model.merkle import is_consistent
from core.model.note import Checkpoint

HUB_WITNESS: Final = "smilescape/hub/"


def hub_witness(kid: bytes) -> str:
    """The name under which a hub countersigns with the key of this kid."""
    return HUB_WITNESS + kid.hex()


class Verdict(Enum):
    """What a witness says to a checkpoint. Only `GROWN` is countersigned."""

    GROWN = "grown"
    """It is what was seen last, or has grown from it."""
    MOVED = "moved"
    """The proof begins elsewhere than at what was seen last: make one from there."""
    ROLLED_BACK = "rolled_back"
    """It is smaller than what was seen."""
    FORKED = "forked"
    """It does not contain what was seen."""


def judge(seen: Checkpoint | None, fresh: Checkpoint, old: int, path: Sequence[bytes]) -> Verdict:
    """Hold a checkpoint of a log against the last that was countersigned of it.

    Args:
        seen: None when this log was never seen; `old` has to be 0 then.
        old, path: consistency proof from the size `old` to that of `fresh`.
    """
    held = seen.size if seen is not None else 0
    if fresh.size < held:
        return Verdict.ROLLED_BACK
    if old != held:
        return Verdict.MOVED
    if seen is None or held == 0:
        return Verdict.FORKED if path else Verdict.GROWN
    return Verdict.GROWN if is_consistent(held, seen.root, fresh.size, fresh.root, path) else Verdict.FORKED
