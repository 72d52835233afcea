"""PINs and passphrases: hashed with Argon2id, never kept."""

import unicodedata
from itertools import pairwise

import argon2
from argon2.exceptions import InvalidHashError, VerificationError

from core.model.errors import SmilescapeError

SHORTEST, LONGEST = 4, 12
SHORTEST_PHRASE, LONGEST_PHRASE = 12, 128
"""Of a passphrase, characters. Twelve or more and not only digits, or more than twelve digits."""
FEWEST_DIFFERENT = 5
_hasher = argon2.PasswordHasher.from_parameters(argon2.profiles.RFC_9106_LOW_MEMORY)


class WeakPin(SmilescapeError):  # noqa: N818
    """The PIN or passphrase would be guessed at once."""

    code = "pin.weak"


def normal(secret: str) -> str:
    """NFKC (UAX #15): what looks the same is the same, whichever keyboard typed it. Digits stay what they are."""
    return unicodedata.normalize("NFKC", secret)


def hash_pin(pin: str) -> str:
    """The hash to keep, Argon2id in PHC format.

    Raises:
        WeakPin: neither 4–12 digits nor a passphrase of 12–128 characters; all the same digit, a run such as 1234, a
            pair such as 1212, a year; or a passphrase of fewer than five different characters.
    """
    pin = normal(pin)
    digits = pin.isascii() and pin.isdigit()
    if digits and SHORTEST <= len(pin) <= LONGEST:
        if _trivial(pin):
            raise WeakPin("This PIN is among the first that anybody would try.", "Choose another.")
    elif not SHORTEST_PHRASE <= len(pin) <= LONGEST_PHRASE:
        raise WeakPin(
            f"A PIN has {SHORTEST} to {LONGEST} digits, a passphrase at least {SHORTEST_PHRASE} characters.",
            "Choose another.",
        )
    elif len(set(pin.casefold())) < FEWEST_DIFFERENT:
        raise WeakPin("This passphrase repeats itself.", "Choose one of several words.")
    return _hasher.hash(pin)


def check_pin(kept: str, pin: str) -> bool:
    """Whether the PIN or passphrase fits the hash; False as well for a hash that is damaged."""
    try:
        return _hasher.verify(kept, normal(pin))
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
