"""PINs: hashed with Argon2id, never kept."""

from itertools import pairwise

import argon2
from argon2.exceptions import InvalidHashError, VerificationError

from core.model.errors import SmilescapeError

SHORTEST, LONGEST = 4, 12
_hasher = argon2.PasswordHasher.from_parameters(argon2.profiles.RFC_9106_LOW_MEMORY)


class WeakPin(SmilescapeError):  # noqa: N818
    """The PIN would be guessed at once."""

    code = "pin.weak"


def hash_pin(pin: str) -> str:
    """The hash to keep, Argon2id in PHC format.

    Raises:
        WeakPin: not 4–12 digits, all the same digit, a run such as 1234, a pair such as 1212, or a year.
    """
    if not (pin.isascii() and pin.isdigit() and SHORTEST <= len(pin) <= LONGEST):
        raise WeakPin(f"A PIN has {SHORTEST} to {LONGEST} digits.", "Choose another.")
    if _trivial(pin):
        raise WeakPin("This PIN is among the first that anybody would try.", "Choose another.")
    return _hasher.hash(pin)


def check_pin(kept: str, pin: str) -> bool:
    """Whether the PIN fits the hash; False as well for a hash that is damaged."""
    try:
        return _hasher.verify(kept, pin)
    except (VerificationError, InvalidHashError):
        return False


def _trivial(pin: str) -> bool:
    steps = {(int(after) - int(before)) % 10 for before, after in pairwise(pin)}
    if len(steps) == 1 and steps <= {0, 1, 9}:
        return True
    half = len(pin) // 2
    if len(pin) % 2 == 0 and pin[:half] == pin[half:]:
        return True
    return len(pin) == 4 and pin[:2] in ("19", "20")
