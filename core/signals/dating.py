"""UTC for blocks. The samples of a block lie evenly, and a map of straight lines lets them, but for where it bends."""

from dataclasses import replace
from itertools import pairwise

from core.model.block import SampleBlock
from core.signals.clockmap import ClockMap


def dated(block: SampleBlock, clock: ClockMap) -> list[tuple[SampleBlock, int, int]]:
    """The block, cut where the map bends, each part with the UTC of its first sample and of its end, µs.

    Raises:
        ValueError: the map has seen no arrival yet.
    """
    bends = clock.bends(block.start_us, block.end_us)
    if not bends:
        return [(block, clock.utc_us(block.start_us), clock.utc_us(block.end_us))]
    count = len(block.samples)
    places = sorted({0, count, *(min(count, -(-(bend - block.start_us) // block.period_us)) for bend in bends)})
    parts = [_part(block, begin, end) for begin, end in pairwise(places)]
    return [(part, clock.utc_us(part.start_us), clock.utc_us(part.end_us)) for part in parts]


def _part(block: SampleBlock, begin: int, end: int) -> SampleBlock:
    return replace(
        block,
        first_index=block.first_index + begin,
        start_us=block.start_us + begin * block.period_us,
        samples=block.samples[begin:end],
    )
