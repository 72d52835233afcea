"""The way of the samples: safety first, then the record, then the screen."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from app.engine.clock import AsyncClock
from app.engine.recorder import Arrival, Recorder
from app.ipc.ring import RingWriter
from core.model.block import Provenance, SampleBlock
from core.record import Record, StampedBlock
from core.safety.limits import Crossing, LimitMonitor
from core.signals.catalogue import Catalogue
from core.signals.clockmap import ClockFit, ClockMap
from core.signals.dating import dated

Frames: TypeAlias = Sequence[tuple[str, int, int]]
"""Ledger, first frame, one past the last."""


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
        self._early: dict[str, list[tuple[Sequence[SampleBlock], Frames]]] = {}
        self._dated_us: dict[str, int] = {}
        """Source → UTC µs of the newest sample that was dated, not all of them durable yet."""
        self.newest: dict[str, Newest] = {}
        self.visit: Stay | None = None

    def take(self, source: str, blocks: Sequence[SampleBlock], frames: Frames = ()) -> list[Crossing]:
        """Blocks that came together; what limits they crossed or came back within.

        Back-filled blocks that come before the first live one of their boot wait for it: only then is it known what
        time it was.

        Args:
            frames: the frames that brought them.
        """
        at = self._clock.monotonic()
        crossings: list[Crossing] = []
        newest: dict[int, int] = {}
        for block in blocks:
            if block.provenance is not Provenance.BACKFILLED:
                crossings += self._monitor.feed(block, at)
                newest[block.boot] = max(block.end_us - block.period_us, newest.get(block.boot, 0))
                self._remember(block, at)
        for boot, hub_us in newest.items():
            self._observe(source, boot, hub_us, at)
        self._early.setdefault(source, []).append((blocks, frames))
        if self._datable(source, blocks):
            self._keep_early(source)
        return crossings

    def clock_map(self, source: str, boot: int) -> ClockMap:
        """The map from one boot's device time to UTC."""
        found = self._maps.get((source, boot))
        if found is None:
            found = ClockMap(self._clock, not_before_us=self.dated_us(source))
            self._maps[(source, boot)] = found
        return found

    def knows(self, source: str, boot: int) -> bool:
        """Whether samples of this boot can be dated."""
        found = self._maps.get((source, boot))
        return found is not None and found.ready

    def dated_us(self, source: str) -> int:
        """UTC µs of the end of the newest sample that was dated; 0 for none."""
        return self._dated_us.get(source, 0)

    def recall(self, source: str, boot: int, fits: Sequence[ClockFit], *, not_before_us: int = 0) -> None:
        """Date this boot as the record did so far, unless that is known already. Call it before the first frame."""
        if (source, boot) not in self._maps:
            not_before_us = max(not_before_us, self.dated_us(source))
            self._maps[(source, boot)] = ClockMap(self._clock, fits, not_before_us=not_before_us)

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

    def _observe(self, source: str, boot: int, hub_us: int, at: float) -> None:
        """Of what came together, the newest was on its way for the shortest time: it tells most."""
        fits = self.clock_map(source, boot).observe(hub_us, at)
        if not fits:
            return

        def save(record: Record) -> None:
            for fit in fits:
                record.save_clock_fit(source, boot, fit)

        self._recorder.note(save)  # in one commit: a bend says nothing without where it leads

    def _keep_early(self, source: str) -> None:
        """What waited, in its order, as far as it can be dated."""
        waiting = self._early.pop(source)
        for place, (blocks, frames) in enumerate(waiting):
            if not self._datable(source, blocks):
                self._early[source] = waiting[place:]
                return
            self._keep(source, blocks, frames)

    def _datable(self, source: str, blocks: Sequence[SampleBlock]) -> bool:
        return all(self.clock_map(source, boot).ready for boot in {block.boot for block in blocks})

    def _keep(self, source: str, blocks: Sequence[SampleBlock], frames: Frames) -> None:
        """To the record, then to the screen. The frames count with the last of what they brought."""
        stamped = [part for block in blocks for part in self._stamped(source, block)]
        by_visit: dict[str | None, list[StampedBlock]] = {}
        for item in stamped:
            self._dated_us[source] = max(item.end_utc_us, self._dated_us.get(source, 0))
            by_visit.setdefault(self._visit_at(item.utc_us), []).append(item)
        groups = list(by_visit.items()) or [(None, [])]
        for visit_id, items in groups[:-1]:
            self._recorder.add(Arrival(source, (), tuple(items), visit_id))
        visit_id, items = groups[-1]
        self._recorder.add(Arrival(source, tuple(frames), tuple(items), visit_id))
        for item in stamped:
            self._ring.write(item.block, item.utc_us, item.end_utc_us)

    def _stamped(self, source: str, block: SampleBlock) -> list[StampedBlock]:
        """Begin and end are both mapped: what a later fit says of the end must not lie before it."""
        return [StampedBlock(*part) for part in dated(block, self.clock_map(source, block.boot))]

    def _remember(self, block: SampleBlock, at: float) -> None:
        spec = self._catalogue.number(block.channel)
        if spec is None:
            return
        raw = np.abs(block.samples.astype(np.float64)).mean() if spec.style == "envelope" else block.samples[-1]
        value = float(raw) * spec.scale + spec.offset
        self.newest[spec.key] = Newest(value, at)
