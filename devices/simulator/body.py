"""The mouth and the swarm, sampled: int16 blocks on the hub's clock in fixed ticks."""

import math
from collections.abc import Callable
from typing import Final

import numpy as np

from core.model.block import SampleBlock
from core.model.channel import ChannelSpec
from core.model.errors import SmilescapeError
from core.signals.catalogue import Catalogue
from devices.simulator.mouth import Chemistry, Floats, Heart, Jaw, Times, Warmth
from devices.simulator.pulse import resting_pulse
from devices.simulator.swarm import Swarm

TICK_US: Final = 50_000
_TICK_S: Final = TICK_US / 1e6
_INT16: Final = np.iinfo(np.int16)

Sampler = Callable[[Times], Floats]
"""Physical values at these hub times, s, all within the last tick."""


class NotSimulated(SmilescapeError):  # noqa: N818 - named for what is the case
    """The catalogue gives the hub a channel that the simulated mouth does not have."""

    code = "simulator.channel"


class Body:
    """Makes every sample of one boot. Same seed, boot and inputs: the same samples. Raises NotSimulated.

    Attributes:
        now_us: hub time; a multiple of the tick.
    """

    def __init__(self, catalogue: Catalogue, seed: int, boot: int) -> None:
        streams = np.random.SeedSequence([seed, boot]).spawn(6)
        chemistry, warmth, heart, jaw, swarm, noise = (np.random.default_rng(stream) for stream in streams)
        self.chemistry = Chemistry(chemistry)
        self.warmth = Warmth(warmth)
        self.heart = Heart(heart, resting_pulse(seed))
        self.jaw = Jaw(jaw)
        self.swarm = Swarm(swarm, self.warmth.tissue)
        self.now_us = 0
        self._noise = noise
        self._boot = boot
        self._channels = [(spec, self._sampler(spec)) for spec in catalogue.from_source("hub")]
        self._silent: set[int] = set()

    def clench(self, seconds: float, strength: float) -> None:
        self.jaw.clench(self.now_us / 1e6, seconds, strength)

    def silence(self, channel: int) -> None:
        """A sensor comes off: no samples, and their indexes are left out."""
        self._silent.add(channel)

    def unsilence(self, channel: int) -> None:
        self._silent.discard(channel)

    def tick(self, ordered_dose: float) -> list[SampleBlock]:
        """Let one tick pass with `ordered_dose` % allowed; what was sampled in it, by falling rate."""
        start_us, self.now_us = self.now_us, self.now_us + TICK_US
        self.swarm.step(_TICK_S, ordered_dose, self.warmth.tissue)
        dose = self.swarm.dose / 100
        self.chemistry.step(_TICK_S, dose)
        self.warmth.step(_TICK_S, dose)
        self.heart.step(_TICK_S)
        self.jaw.step(self.now_us / 1e6)
        blocks = []
        for spec, sampler in self._channels:
            block = self._block(spec, sampler, start_us)
            if block is not None and spec.number not in self._silent:
                blocks.append(block)
        blocks.sort(key=lambda block: block.period_us)
        return blocks

    def _block(self, spec: ChannelSpec, sampler: Sampler, start_us: int) -> SampleBlock | None:
        period = spec.period_us
        first = -(-start_us // period)
        end = -(-self.now_us // period)
        if first == end:
            return None
        values = sampler(np.arange(first, end, dtype=np.float64) * (period / 1e6))
        raw = np.rint((values - spec.offset) / spec.scale)
        return SampleBlock(
            channel=spec.number,
            boot=self._boot,
            first_index=first,
            start_us=first * period,
            period_us=period,
            samples=np.clip(raw, _INT16.min, _INT16.max).astype(np.int16),
        )

    def _sampler(self, spec: ChannelSpec) -> Sampler:
        fast: dict[str, Sampler] = {
            "bite_force": self.jaw.force,
            "jaw_emg": self.jaw.emg,
            "pulse_wave": lambda times: self.heart.pulse_wave(self.now_us / 1e6 - times),
        }
        if spec.key in fast:
            return fast[spec.key]
        known = self._slow().get(spec.key)
        if known is None:
            raise NotSimulated(
                f"The simulated mouth has no {spec.key}.",
                "Add it to devices/simulator/body.py, or take it off the hub.",
            )
        read, noise = known
        return lambda times: np.asarray(read() + noise * self._noise.standard_normal(len(times)))

    def _slow(self) -> dict[str, tuple[Callable[[], float], float]]:
        """How each slow channel is read, and the noise of its sensor; physical units."""
        return {
            "pulp_temperature": (lambda: self.warmth.pulp, 0.015),
            "saliva_ph": (lambda: self.chemistry.saliva_ph, 0.004),
            "plaque_ph": (lambda: self.chemistry.plaque_ph, 0.006),
            "saliva_flow": (lambda: self.chemistry.flow, 0.004),
            "lactate": (lambda: self.chemistry.lactate, 0.004),
            "volatile_sulphur": (lambda: self.chemistry.sulphur, 1.0),
            "spo2": (lambda: self.heart.spo2, 0.05),
            "pulse_rate": (lambda: self.heart.rate, 0.2),
            "tissue_temperature": (lambda: self.warmth.tissue, 0.015),
            "swarm_energy": (lambda: self.swarm.energy, 0.02),
            "swarm_live": (lambda: self.swarm.live, 0.02),
            "swarm_temperature": (lambda: self.swarm.temperature, 0.02),
            "swarm_sync_error": (lambda: self.swarm.sync_error, 0.05),
            "swarm_dose": (lambda: math.floor(self.swarm.dose * 100) / 100, 0.0),
        }
