"""How fast a simulated heart beats at rest: one figure for the hub's optics and for a belt on the same chest."""

import random
from typing import Final

REST: Final = (60.0, 80.0)
"""Beats a minute of most seated adults (National Health Statistics Reports 41, 2011, resting pulse). (check)"""


def resting_pulse(person: int) -> float:
    """Beats a minute of this person, always the same."""
    return random.Random(f"rest {person}").uniform(*REST)
