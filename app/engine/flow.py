"""The way of the samples: safety first, then the record, then the screen."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from app.engine.clock import AsyncClock
from app.engine.recorder import Arrival, Recorder
from app.ipc.ring import RingWriter
from core.model.block import Provenance, SampleBlock
from core.record import StampedBlock
from core.safety.limits import Crossing, LimitMonitor
from core.signals.catalogue import Catalogue
from core.signals.clockmap import ClockFit, ClockMap


@dataclass(slots=True)
class Newest:
    """The newest value of a channel, physical, and when it came (monotonic s)."""

    value: float
    at: float


@dataclass(frozen=True, slots=True)
class Stay:
    """The time of a visit, UTC µs; `ended_us` None while it is open."""

    visit_id: str
    began_us: int
    ended_us: int | None = None


class SampleFlow:
    """Takes every block of one chair, whatever device it came from.

    Attributes:
        newest: channel key → newest live value.
        visit: the open visit or the last one, None before the first. What belongs to it is decided by when it was
            measured, not by when it arrived.
    """

    def __init__(
        self, *, catalogue: Catalogue, monitor: LimitMonitor, recorder: Recorder, ring: RingWriter, clock: AsyncClock
    ) -> None:
        self._catalogue = catalogue
        self._monitor = monitor
        self._recorder = recorder
        self._ring = ring
        self._clock = clock
        self._maps: dict[tuple[str, int], ClockMap] = {}
        self._early: dict[tuple[str, int], list[tuple[tuple[SampleBlock, ...], int | None]]] = {}
        self.newest: dict[str, Newest] = {}
        self.visit: Stay | None = None

    def take(self, source: str, blocks: Sequence[SampleBlock], sequence: int | None) -> list[Crossing]:
        """One frame's blocks; what limits they crossed or came back within.

        Back-filled blocks that come before the first live one wait for it: only then is it known what time it was.
        """
        if not blocks:
            return []
        at = self._clock.monotonic()
        crossings: list[Crossing] = []
        boot = blocks[0].boot
        clock_map = self.clock_map(source, boot)
        fits: list[ClockFit] = []
        for block in blocks:
            if block.provenance is not Provenance.BACKFILLED:
                crossings += self._monitor.feed(block, at)
                fits += clock_map.observe(block.end_us, at)
                self._remember(block, at)
        for fit in fits:
            self._recorder.note(lambda record, fit=fit: record.save_clock_fit(source, boot, fit))  # type: ignore[misc]
        if not clock_map.ready:
            self._early.setdefault((source, boot), []).append((tuple(blocks), sequence))
            return crossings
        for waited, number in self._early.pop((source, boot), []):
            self._keep(source, waited, number, clock_map)
        self._keep(source, blocks, sequence, clock_map)
        return crossings

    def clock_map(self, source: str, boot: int) -> ClockMap:
        """The map from one boot's device time to UTC."""
        return self._maps.setdefault((source, boot), ClockMap(self._clock))

    def recall(self, source: str, boot: int, fits: Sequence[ClockFit]) -> None:
        """Date this boot as the record did so far, unless that is known already. Call it before the first frame."""
        self._maps.setdefault((source, boot), ClockMap(self._clock, fits))

    def values(self, fresh_s: float = 2.0) -> dict[str, float]:
        """Values that are fresh: not older than `fresh_s` or two periods of their channel."""
        now = self._clock.monotonic()
        return {
            key: newest.value
            for key, newest in self.newest.items()
            if now - newest.at <= max(fresh_s, 2 * self._catalogue.key(key).period_us / 1e6)
        }

    def _visit_at(self, utc_us: int) -> str | None:
        stay = self.visit
        if stay is None or utc_us < stay.began_us or (stay.ended_us is not None and utc_us >= stay.ended_us):
            return None
        return stay.visit_id

    def _keep(self, source: str, blocks: Sequence[SampleBlock], sequence: int | None, clock_map: ClockMap) -> None:
        """To the record, then to the screen."""
        stamped = tuple(StampedBlock(block, clock_map.utc_us(block.start_us)) for block in blocks)
        visit_id = self._visit_at(stamped[0].utc_us)
        self._recorder.add(Arrival(source, blocks[0].boot, sequence, stamped, visit_id))
        for item in stamped:
            self._ring.write(item.block, item.utc_us)

    def _remember(self, block: SampleBlock, at: float) -> None:
        spec = self._catalogue.number(block.channel)
        if spec is None:
            return
        raw = block.samples.astype(np.float64)
        value = float(np.abs(raw).mean() if spec.style == "envelope" else raw[-1]) * spec.scale + spec.offset
        self.newest[spec.key] = Newest(value, at)
