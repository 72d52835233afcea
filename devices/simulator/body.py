"""The patient and the swarm, sampled: int16 blocks on the hub's clock in fixed ticks."""

import math
from collections.abc import Callable
from typing import Final

import numpy as np

from core.model.block import SampleBlock, Samples
from core.model.channel import ChannelSpec
from core.model.errors import SmilescapeError
from core.signals.catalogue import Catalogue
from devices.simulator.physiology.dose import Dose, waste_heat
from devices.simulator.physiology.drift import Floats
from devices.simulator.physiology.figures import Physiology, load_physiology
from devices.simulator.physiology.heart import Heart
from devices.simulator.physiology.jaw import Jaw
from devices.simulator.physiology.mind import Mind
from devices.simulator.physiology.mouth import Mouth
from devices.simulator.physiology.swarm import FULL, Swarm
from devices.simulator.physiology.traits import Traits
from devices.simulator.physiology.warmth import Warmth

TICK_US: Final = 50_000
_TICK_S: Final = TICK_US / 1e6
_MOUTH_TICKS: Final = 10
"""Chemistry takes minutes: a step each half second is sharp enough, and ten times cheaper than one each tick."""
_MOUTH_S: Final = _TICK_S * _MOUTH_TICKS
_PERSON: Final = 65_537
_LOWEST: Final = np.iinfo(np.int16).min
_HIGHEST: Final = np.iinfo(np.int16).max
_IN_THE_MOUTH: Final = frozenset(
    {
        "pulp_temperature",
        "saliva_ph",
        "plaque_ph",
        "saliva_flow",
        "lactate",
        "volatile_sulphur",
        "bite_force",
        "jaw_emg",
        "pulse_wave",
        "spo2",
        "pulse_rate",
    }
)
"""Channels that measure nothing while the hub is out of the mouth."""

Sampler = Callable[[Floats], Floats]
"""Physical values at these hub times, s, all within the last tick."""
Reading = Callable[[], float]


class NotSimulated(SmilescapeError):  # noqa: N818 - named for what is the case
    """The catalogue gives the hub a channel that the simulated mouth does not have."""

    code = "simulator.channel"


class Body:
    """Makes every sample of one boot. Same person, boot and inputs: the same samples. Raises NotSimulated.

    Args:
        mind: of the patient, who does not feel anew because a hub restarts.

    Attributes:
        now_us: hub time; a multiple of the tick.
        mouth, warmth, mind, heart, jaw, swarm: the organs, and what the hub hears from its nanobots.
        worn: whether the hub is in the mouth.
    """

    def __init__(
        self,
        catalogue: Catalogue,
        seed: int,
        boot: int,
        *,
        traits: Traits | None = None,
        figures: Physiology | None = None,
        mind: Mind | None = None,
    ) -> None:
        figures = figures or load_physiology()
        traits = traits or Traits.of(seed, figures)
        people = (np.random.default_rng(one) for one in np.random.SeedSequence([traits.seed, _PERSON]).spawn(4))
        noises = (np.random.default_rng(one) for one in np.random.SeedSequence([seed, boot]).spawn(5))
        mouth, warmth, heart, swarm = people
        mouth_noise, heart_noise, jaw_noise, swarm_noise, self._noise = noises
        self.mouth = Mouth(figures, traits, mouth, mouth_noise)
        self.warmth = Warmth(figures.warmth, warmth)
        self.mind = mind or Mind(figures.mind, traits.fear)
        self.heart = Heart(figures.heart, traits.resting_pulse, traits.reactivity, heart, heart_noise)
        self.jaw = Jaw(figures.jaw, jaw_noise)
        self.swarm = Swarm(figures.swarm, swarm, swarm_noise, self.warmth.tissue)
        self.now_us = 0
        self.worn = True
        self._ticks = 0
        self._boot = boot
        specs = sorted(catalogue.from_source("hub"), key=lambda spec: spec.period_us)
        self._lines = [self._line(spec) for spec in specs]
        self._silent: set[int] = set()
        self._frozen: dict[int, np.int16 | None] = {}

    def clench(self, seconds: float, strength: float) -> None:
        self.jaw.clench(self.now_us / 1e6, seconds, strength)

    def chew(self, seconds: float) -> None:
        self.jaw.chew(self.now_us / 1e6, seconds)

    def grind(self, bursts: int, strength: float) -> None:
        self.jaw.grind(self.now_us / 1e6, bursts, strength)

    def silence(self, channel: int) -> None:
        """A sensor comes off: no samples, and their indexes are left out."""
        self._silent.add(channel)

    def unsilence(self, channel: int) -> None:
        self._silent.discard(channel)

    def freeze(self, channel: int) -> None:
        """A sensor hangs: it repeats its last value (or the first to come) exactly, and its indexes go on."""
        last = next((line.last for line in self._lines if line.spec.number == channel), None)
        self._frozen.setdefault(channel, None if last is None else last[-1])

    def unfreeze(self, channel: int) -> None:
        self._frozen.pop(channel, None)

    def wear(self, worn: bool) -> None:
        """Put the hub into the mouth, or take it out: what needs the mouth falls silent, the rest meets the room."""
        self.worn = self.warmth.worn = worn

    def tick(self, ordered_dose: float, module: int = 0, tooth: int = 0) -> list[SampleBlock]:
        """Let one tick pass; what was sampled in it, by falling rate.

        Args:
            ordered_dose: allowed now, %.
            module, tooth: of the order; see `Dose`.
        """
        self.now_us += TICK_US
        self._live(ordered_dose, module, tooth)
        self._ticks += 1
        blocks = []
        for line in self._lines:
            if line.due_us < self.now_us:
                block = self._block(line)
                if block.channel not in self._silent and (self.worn or not line.needs_mouth):
                    blocks.append(block)
        return blocks

    def _live(self, ordered: float, module: int, tooth: int) -> None:
        self.swarm.step(_TICK_S, ordered, self.warmth.tissue)
        share = self.swarm.dose / FULL
        self.warmth.step(_TICK_S, waste_heat(share), self.mouth.gums.warmth)
        self.mind.step(_TICK_S, share > 0, self.warmth.tissue)
        self.heart.step(_TICK_S, self.mind.arousal, self.mind.breathing)
        self.jaw.step(self.now_us / 1e6)
        if self._ticks % _MOUTH_TICKS == 0:
            self.mouth.step(_MOUTH_S, Dose(share, module, tooth), self.jaw.chewing(self.now_us / 1e6))

    def _block(self, line: "_Line") -> SampleBlock:
        spec, period = line.spec, line.period_us
        first = line.due_us // period
        end = -(-self.now_us // period)
        line.due_us = end * period
        if line.fast is not None:
            values = line.fast(np.arange(first, end, dtype=np.float64) * (period / 1e6))
        else:
            values = line.read() + line.noise * self._noise.standard_normal(end - first)
        raw = np.rint((values - spec.offset) / spec.scale)
        samples = raw.clip(_LOWEST, _HIGHEST).astype(np.int16)
        if spec.number in self._frozen:
            samples = self._repeated(spec.number, samples)
        line.last = samples
        return SampleBlock(
            channel=spec.number,
            boot=self._boot,
            first_index=first,
            start_us=first * period,
            period_us=period,
            samples=samples,
        )

    def _repeated(self, channel: int, samples: Samples) -> Samples:
        value = self._frozen[channel]
        if value is None:
            value = self._frozen[channel] = samples[0]
        return np.full(len(samples), value, dtype=np.int16)

    def _line(self, spec: ChannelSpec) -> "_Line":
        fast: dict[str, Sampler] = {
            "bite_force": self.jaw.force,
            "jaw_emg": self.jaw.emg,
            "pulse_wave": lambda times: self.heart.pulse_wave(self.now_us / 1e6 - times),
        }
        if spec.key in fast:
            return _Line(spec, fast=fast[spec.key])
        known = self._slow().get(spec.key)
        if known is None:
            raise NotSimulated(
                f"The simulated mouth has no {spec.key}.",
                "Add it to devices/simulator/body.py, or take it off the hub.",
            )
        return _Line(spec, read=known[0], noise=known[1])

    def _slow(self) -> dict[str, tuple[Reading, float]]:
        """How each slow channel is read, and the noise of its sensor; physical units."""
        return {
            "pulp_temperature": (lambda: self.warmth.pulp, 0.015),
            "saliva_ph": (lambda: self.mouth.saliva_ph, 0.004),
            "plaque_ph": (lambda: self.mouth.plaque_ph, 0.006),
            "saliva_flow": (lambda: self.mouth.flow, 0.004),
            "lactate": (lambda: self.mouth.lactate, 0.004),
            "volatile_sulphur": (lambda: self.mouth.sulphur, 1.0),
            "spo2": (lambda: self.heart.spo2, 0.05),
            "pulse_rate": (lambda: self.heart.rate, 0.2),
            "tissue_temperature": (lambda: self.warmth.tissue, 0.015),
            "swarm_energy": (lambda: self.swarm.energy, 0.02),
            "swarm_live": (lambda: self.swarm.live, 0.02),
            "swarm_temperature": (lambda: self.swarm.temperature, 0.02),
            "swarm_sync_error": (lambda: self.swarm.sync_error, 0.05),
            "swarm_dose": (lambda: math.floor(self.swarm.told * 100) / 100, 0.0),
        }


class _Line:
    """One channel on its way: when its next sample is due, and what came last."""

    def __init__(
        self, spec: ChannelSpec, *, fast: Sampler | None = None, read: Reading = float, noise: float = 0.0
    ) -> None:
        self.spec = spec
        self.fast = fast
        self.read = read
        self.noise = noise
        self.needs_mouth = spec.key in _IN_THE_MOUTH
        self.period_us = spec.period_us
        self.due_us = 0
        self.last: Samples | None = None
