"""How tense the patient is: it rises with the chair, consent and treatment, and falls with kindness. Illustrative."""

import math
from enum import Enum

from devices.simulator.physiology.figures import MindFigures


class Moment(Enum):
    """Where the patient believes the visit stands."""

    AWAY = "away"
    SEAT = "seat"
    CONSENT = "consent"
    TREATMENT = "treatment"
    PAUSE = "pause"


class Mind:
    """Arousal of one patient.

    Attributes:
        fear: anxiety as a share, 0–1; see `Traits`.
        arousal: 0 at rest; 1 is that of a very anxious patient under treatment.
        breathing: whether the patient follows the breathing guide.
    """

    def __init__(self, figures: MindFigures, fear: float) -> None:
        self._figures = figures
        self._levels = {
            Moment.AWAY: 0.0,
            Moment.SEAT: figures.seat.value,
            Moment.CONSENT: figures.consent.value,
            Moment.TREATMENT: figures.treatment.value,
            Moment.PAUSE: figures.pause.value,
        }
        self._moment = Moment.AWAY
        self._comfort = 0.0
        self._breathe_s = 0.0
        self._pause_s = 0.0
        self.fear = fear
        self.arousal = 0.0

    @property
    def breathing(self) -> bool:
        return self._breathe_s > 0

    def meet(self, moment: Moment) -> None:
        """The visit goes on to this; treatment and pause are felt by themselves, from the dose."""
        self._moment = moment

    def reassure(self) -> None:
        """A kind word, an explanation, a hand: each helps, none for ever."""
        self._comfort += self._figures.reassurance.value

    def breathe(self, seconds: float) -> None:
        """Follow the breathing guide for so long; 0 ends it."""
        self._breathe_s = seconds

    def step(self, seconds: float, treated: bool, tissue_c: float) -> None:
        """Let time pass; `treated`: a dose is felt, at `tissue_c` °C."""
        figures = self._figures
        if treated and self._moment is not Moment.TREATMENT:
            self._moment = Moment.TREATMENT
            self.arousal += figures.onset.value * self._felt() * max(0.0, 1.0 - self.arousal)
        elif not treated and self._moment is Moment.TREATMENT:
            self._moment = Moment.PAUSE
            self._pause_s = 60.0 * figures.pause_lasts.value
        elif self._moment is Moment.PAUSE:
            self._pause_s -= seconds
            if self._pause_s <= 0:
                self._moment = Moment.AWAY
        self._breathe_s = max(0.0, self._breathe_s - seconds)
        self._comfort *= math.exp(-seconds / (60.0 * figures.reassurance_lasts.value))
        comfort = self._comfort + (figures.breathing.value if self.breathing else 0.0)
        hot = figures.heat.value * max(0.0, tissue_c - figures.heat_from.value)
        aim = (self._levels[self._moment] * self._felt() + hot) * (1.0 - min(figures.comfort_most.value, comfort))
        lag = figures.rise.value if aim > self.arousal else figures.fall.value
        self.arousal += (aim - self.arousal) * -math.expm1(-seconds / lag)

    def _felt(self) -> float:
        """How strongly this patient feels a moment."""
        floor = self._figures.calm_floor.value
        return floor + (1.0 - floor) * self.fear
