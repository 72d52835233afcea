"""UTC for blocks. A record lays the samples of a block evenly; a long one does not bear that while a clock is bent."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from core.model.block import SampleBlock
from core.signals.clockmap import ClockMap

MOST_AT_ONCE: Final = 50
"""So few samples end before the next begin, however much the map is bent: by 1 % at most, half a period here."""


def dated(block: SampleBlock, clock: ClockMap) -> Iterator[tuple[SampleBlock, int]]:
    """The block with the UTC of its first sample, µs; halved until its samples lie where the map says.

    Raises:
        ValueError: the map has seen no arrival yet.
    """
    utc_us = clock.utc_us(block.start_us)
    bent = clock.utc_us(block.end_us) - utc_us - (block.end_us - block.start_us)
    if len(block.samples) <= MOST_AT_ONCE or abs(bent) * 2 < block.period_us:
        yield block, utc_us
        return
    half = len(block.samples) // 2
    yield from dated(_part(block, 0, half), clock)
    yield from dated(_part(block, half, len(block.samples)), clock)


def _part(block: SampleBlock, begin: int, end: int) -> SampleBlock:
    return replace(
        block,
        first_index=block.first_index + begin,
        start_us=block.start_us + begin * block.period_us,
        samples=block.samples[begin:end],
    )
