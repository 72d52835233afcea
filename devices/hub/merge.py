"""Blocks of one channel that follow each other, made one: what the recorder and the screen are quickest with."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from core.model.block import Provenance, SampleBlock, Samples
from devices.hub.batch import Batch, Flags, Numbers


def merge(batch: Batch, kept: Flags, backfilled: Flags, channels: Flags) -> Iterator[tuple[int, list[SampleBlock]]]:
    """The samples of the frames that are kept, boot by boot.

    Args:
        kept: frames whose samples are wanted; only sound ones may be.
        backfilled: frames that came on History.
        channels: channels that are known, shape (256,).

    Yields:
        A boot, and its blocks by channel and index: one for each run of consecutive samples of the same period and
        provenance. `sequence` is that of the newest frame of the run; samples are read-only.
    """
    pieces = batch.pieces
    wanted = kept[pieces.row] & channels[pieces.channel]
    boots = batch.boot[pieces.row]
    for boot in distinct(boots[wanted]):
        chosen = np.flatnonzero(wanted & (boots == boot))
        key = pieces.channel[chosen] << 32 | pieces.first[chosen]
        yield boot, _blocks(batch, boot, chosen[np.argsort(key, kind="stable")], backfilled)


def distinct(numbers: Numbers) -> list[int]:
    """The different ones, ascending. Mostly there is but one, which is found quickest by looking for its like."""
    if not len(numbers):
        return []
    first = int(numbers[0])
    return [first] if (numbers == first).all() else np.unique(numbers).tolist()


def merge_few(blocks: Sequence[SampleBlock]) -> list[SampleBlock]:
    """The same for a few blocks of one boot, which are quicker merged one by one."""
    runs: list[list[SampleBlock]] = []
    for block in sorted(blocks, key=lambda one: (one.channel, one.first_index)):
        if runs and _follows(runs[-1][-1], block):
            runs[-1].append(block)
        else:
            runs.append([block])
    return [_joined(run) for run in runs]


def _follows(before: SampleBlock, after: SampleBlock) -> bool:
    return (before.channel, before.end_index, before.end_us, before.period_us, before.provenance) == (
        after.channel,
        after.first_index,
        after.start_us,
        after.period_us,
        after.provenance,
    )


def _joined(run: list[SampleBlock]) -> SampleBlock:
    if len(run) == 1:
        return run[0]
    samples = np.concatenate([block.samples for block in run])
    samples.flags.writeable = False
    return replace(run[0], samples=samples, sequence=max(block.sequence for block in run))


def _blocks(batch: Batch, boot: int, order: Numbers, backfilled: Flags) -> list[SampleBlock]:
    pieces = batch.pieces
    row, channel, count = pieces.row[order], pieces.channel[order], pieces.count[order]
    first, start, period = pieces.first[order], pieces.start_us[order], pieces.period[order]
    provenance = np.where(
        pieces.suspect[order],
        Provenance.SUSPECT,
        np.where(backfilled[row], Provenance.BACKFILLED, Provenance.LIVE),
    )
    follows = (channel[1:] == channel[:-1]) & (period[1:] == period[:-1]) & (provenance[1:] == provenance[:-1])
    follows &= first[1:] == first[:-1] + count[:-1]
    follows &= (start[1:] == start[:-1] + (count * period)[:-1].astype(np.uint64)) & (start[1:] > start[:-1])
    samples = _gathered(batch, pieces.at[order], count)
    begins = np.concatenate(([0], np.flatnonzero(~follows) + 1))
    newest = np.maximum.reduceat(batch.sequence[row], begins).tolist()
    edges = np.concatenate(([0], np.cumsum(count)))
    bounds = edges[np.append(begins, len(order))].tolist()
    return [
        SampleBlock(
            channel=of_channel,
            boot=boot,
            first_index=of_first,
            start_us=of_start,
            period_us=of_period,
            samples=samples[begin:end],
            provenance=Provenance(of_provenance),
            sequence=of_sequence,
        )
        for of_channel, of_first, of_start, of_period, of_provenance, of_sequence, begin, end in zip(
            channel[begins].tolist(),
            first[begins].tolist(),
            start[begins].tolist(),
            period[begins].tolist(),
            provenance[begins].tolist(),
            newest,
            bounds[:-1],
            bounds[1:],
            strict=True,
        )
    ]


def _gathered(batch: Batch, at: Numbers, count: Numbers) -> Samples:
    """The samples of the pieces, one after another."""
    ends = np.cumsum(count)
    place = np.arange(int(ends[-1])) + np.repeat(at - (ends - count), count)
    samples: Samples = batch.words[place]
    samples.flags.writeable = False
    return samples
