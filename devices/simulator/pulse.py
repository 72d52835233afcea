"""How fast a simulated heart beats at rest: one figure for the hub's optics and for a belt on the same chest."""

import random

from devices.simulator.physiology.figures import load_physiology


def resting_pulse(person: int) -> float:
    """Beats a minute of this person, always the same."""
    rest = load_physiology().heart.rest
    return random.Random(f"rest {person}").uniform(rest.value - rest.spread, rest.value + rest.spread)
