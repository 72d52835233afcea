"""What a foreign driver delivers, looked at before it is believed: channel, amount, values."""

import math
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from core.model.block import Provenance, SampleBlock, Samples
from core.model.channel import ChannelSpec
from core.model.clock import Clock

LARGEST_CALL: Final = 4096
"""Values in one call."""
AHEAD_S: Final = 10.0
"""Seconds' worth of samples that may come at once, after a silence."""
PACE: Final = 1.5
"""How much faster than its rate a channel may be in the long run: no sensor's clock is that wrong."""
_INT16: Final = np.iinfo(np.int16)


@dataclass(slots=True)
class _Account:
    """How many more samples a channel may bring; refilled as time goes by."""

    left: float
    at: float


class Guard:
    """The `Deliver` of one connection. Called in any thread; passes blocks and faults on as they come.

    Args:
        blocks: takes sound blocks.
        fault: takes a sentence about what was refused.
    """

    def __init__(
        self,
        channels: Sequence[ChannelSpec],
        boot: int,
        *,
        clock: Clock,
        blocks: Callable[[tuple[SampleBlock, ...]], None],
        fault: Callable[[str], None],
    ) -> None:
        self._channels = {spec.key: spec for spec in channels}
        self._boot = boot
        self._clock = clock
        self._blocks = blocks
        self._fault = fault
        self._lock = threading.Lock()
        self._next_index: dict[str, int] = {}
        self._accounts: dict[str, _Account] = {}
        self._sequence = 0
        self.open = True

    def __call__(self, channel: str, values: Sequence[float], *, suspect: bool = False) -> None:
        with self._lock:
            if not self.open:
                return
            now = self._clock.monotonic()
            try:
                spec, numbers = self._checked(channel, values, now)
            except ValueError as error:
                self._fault(str(error))
                return
            blocks = self._cut(spec, numbers, now, suspect=suspect)
        if blocks:
            self._blocks(blocks)

    def close(self) -> None:
        """Take nothing more."""
        self.open = False

    def _checked(self, channel: str, values: Sequence[float], now: float) -> tuple[ChannelSpec, "list[float]"]:
        """Raises ValueError with what is wrong."""
        spec = self._channels.get(channel) if isinstance(channel, str) else None
        if spec is None:
            raise ValueError(f"it has no channel {channel!r:.40}")
        try:
            if len(values) > LARGEST_CALL:
                raise ValueError(f"{len(values)} samples of {channel} in one call")
            numbers = [float(value) for value in values]
        except (TypeError, OverflowError) as error:
            raise ValueError(f"what it delivers for {channel} is no list of numbers") from error
        account = self._accounts.setdefault(channel, _Account(AHEAD_S * spec.rate_hz + 1, now))
        account.left = min(AHEAD_S * spec.rate_hz + 1, account.left + (now - account.at) * PACE * spec.rate_hz)
        account.at = now
        if len(numbers) > account.left:
            raise ValueError(f"more samples of {channel} than {spec.rate_hz:g} a second")
        account.left -= len(numbers)
        return spec, numbers

    def _cut(self, spec: ChannelSpec, numbers: "list[float]", now: float, *, suspect: bool) -> tuple[SampleBlock, ...]:
        """Blocks between the values that are none; those leave a gap."""
        first = self._next_index.get(spec.key, 0)
        self._next_index[spec.key] = first + len(numbers)
        begin_us = max(0, round(now * 1_000_000) - len(numbers) * spec.period_us)
        raw = [self._raw(spec, number) for number in numbers]
        blocks: list[SampleBlock] = []
        run: list[int] = []
        for place, value in enumerate([*raw, None]):
            if value is not None:
                run.append(value)
                continue
            if run:
                at, samples = place - len(run), np.array(run, np.int16)
                blocks.append(self._block(spec, first + at, begin_us + at * spec.period_us, samples, suspect=suspect))
            run = []
        if any(value is None and math.isfinite(number) for value, number in zip(raw, numbers, strict=True)):
            self._fault(f"a value of {spec.key} is beyond what can be recorded")
        self._sequence += 1
        return tuple(blocks)

    def _raw(self, spec: ChannelSpec, number: float) -> int | None:
        if not math.isfinite(number):
            return None
        raw = (number - spec.offset) / spec.scale
        return round(raw) if _INT16.min <= raw <= _INT16.max else None

    def _block(self, spec: ChannelSpec, first: int, start_us: int, samples: Samples, *, suspect: bool) -> SampleBlock:
        return SampleBlock(
            channel=spec.number,
            boot=self._boot,
            first_index=first,
            start_us=start_us,
            period_us=spec.period_us,
            samples=samples,
            provenance=Provenance.SUSPECT if suspect else Provenance.LIVE,
            sequence=self._sequence,
        )
