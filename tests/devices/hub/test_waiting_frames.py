"""A status that overtakes frames which wait to be taken in: nothing is missing because of that."""

from collections.abc import Sequence

import pytest

from devices.hub.session.wire import FromHub
from devices.hub.status import decode_status
from devices.simulator.brain import Brain
from devices.simulator.link import Outgoing
from tests.devices.simulator.visit import Practice
from tests.proof.pair import Pair


async def pair_that_streams() -> tuple[Pair, list[bytes]]:
    """And frames that the hub has made and sent, none of them handed on."""
    practice = Practice()
    brain = Brain(serial="SH-0001", seed=1)
    practice.enrol(brain)
    pair = await Pair(practice, brain).meet()
    frames: list[bytes] = []
    while len(frames) < 6:
        frames += brain.tick(50_000)
    pair.hub_says([Outgoing(FromHub.TELEMETRY, frame) for frame in frames])
    return pair, frames


def arrive(pair: Pair, records: Sequence[tuple[FromHub, bytes, bytes]]) -> None:
    for stream, record, _ in records:
        pair.notify(stream, record)


@pytest.mark.parametrize("lost", [0, 1])
async def test_only_what_did_not_come_is_missing_and_only_once_the_rest_is_taken_in(lost: int) -> None:
    pair, frames = await pair_that_streams()
    records = list(pair.waiting)
    arrive(pair, records[lost:])
    missing: list[int] = []
    pair.ears.backfill_changed = missing.append  # type: ignore[method-assign, assignment]
    pair.delivery.heard(decode_status(pair.brain.status()))
    assert missing == [], "they wait"
    pair.flush()
    assert missing == [lost] * (lost > 0)
    assert len(pair.ears.sequences) == len(frames) - lost


async def test_where_nothing_waits_a_status_tells_at_once() -> None:
    pair, frames = await pair_that_streams()
    missing: list[int] = []
    pair.ears.backfill_changed = missing.append  # type: ignore[method-assign, assignment]
    pair.delivery.heard(decode_status(pair.brain.status()))
    assert missing == [len(frames)]
