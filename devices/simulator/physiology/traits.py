"""What makes a simulated person this one: always the same for the same number."""

from dataclasses import dataclass

import numpy as np

from devices.simulator.physiology.figures import Physiology
from devices.simulator.physiology.teeth import usual_teeth
from devices.simulator.pulse import resting_pulse

_SALT = 7_919
_LOWEST, _HIGHEST = 5, 25


@dataclass(frozen=True)
class Traits:
    """One person.

    Attributes:
        seed: the person's number; what else differs between people is drawn with it.
        teeth: FDI numbers of the teeth that are there.
        anxiety: about dental treatment, 5–25 as the Modified Dental Anxiety Scale counts.
        reactivity: beats a minute that full arousal adds; drawn apart from anxiety, so some anxious people show none.
        resting_pulse: beats a minute.
        dryness: 0 for normal saliva, up to 1 for none.
        hygiene: 0 for none, up to 1 for no plaque at all.
    """

    seed: int
    teeth: tuple[int, ...]
    anxiety: int
    reactivity: float
    resting_pulse: float
    dryness: float = 0.0
    hygiene: float = 0.7

    @classmethod
    def of(cls, seed: int, figures: Physiology) -> "Traits":
        """The person of this number."""
        person = np.random.default_rng([seed, _SALT])
        share = person.beta(figures.mind.anxiety_shape.value, figures.mind.anxiety_ease.value)
        return cls(
            seed=seed,
            teeth=usual_teeth(seed),
            anxiety=round(_LOWEST + (_HIGHEST - _LOWEST) * share),
            reactivity=figures.heart.reactivity.of(person),
            resting_pulse=resting_pulse(seed),
            hygiene=figures.plaque.usual_hygiene.of(person),
        )

    @property
    def fear(self) -> float:
        """Anxiety as a share, 0–1."""
        return fear_of(self.anxiety)


def fear_of(anxiety: int) -> float:
    """A score of 5–25 as a share, 0–1."""
    return (anxiety - _LOWEST) / (_HIGHEST - _LOWEST)
