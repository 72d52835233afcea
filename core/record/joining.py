"""Blocks that follow each other, made one: a commit then costs a row for each channel, however they came in."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Final

import numpy as np

from core.record.types import StampedBlock

MOVED_US: Final = 100
"""By no more than this may joining move the UTC of a sample: a tenth of a period at 1 kHz."""


def joined(blocks: Iterable[StampedBlock]) -> list[StampedBlock]:
    """The same samples in fewer blocks; those of a channel stay in the order in which they came."""
    runs: dict[tuple[int, int], list[list[StampedBlock]]] = {}
    for item in blocks:
        of_channel = runs.setdefault((item.block.boot, item.block.channel), [])
        if of_channel and _follows(of_channel[-1], item):
            of_channel[-1].append(item)
        else:
            of_channel.append([item])
    return [_one(run) for of_channel in runs.values() for run in of_channel]


def _follows(run: list[StampedBlock], item: StampedBlock) -> bool:
    first, last, block = run[0], run[-1].block, item.block
    same = (last.end_index, last.end_us, last.period_us, last.provenance) == (
        block.first_index,
        block.start_us,
        block.period_us,
        block.provenance,
    )
    passed_us = block.start_us - first.block.start_us
    return same and all(
        abs(moved_us) <= MOVED_US
        for moved_us in (
            item.utc_us - first.utc_us - passed_us,
            item.end_utc_us - first.utc_us - passed_us - len(block.samples) * block.period_us,
        )
    )


def _one(run: list[StampedBlock]) -> StampedBlock:
    if len(run) == 1:
        return run[0]
    samples = np.concatenate([item.block.samples for item in run])
    sequence = max(item.block.sequence for item in run)
    block = replace(run[0].block, samples=samples, sequence=sequence)
    return StampedBlock(block, run[0].utc_us, run[-1].end_utc_us)
