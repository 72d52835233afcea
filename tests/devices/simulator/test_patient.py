"""What a tester says, one JSON object a line, and what it does to patient and sensors."""

import asyncio

import numpy as np
import pytest

from devices.simulator import control
from devices.simulator.brain import Brain
from devices.simulator.control import encode_control, read_control


@pytest.fixture
def brain() -> Brain:
    return Brain(serial="SH-1", seed=1)


def live(brain: Brain, seconds: float) -> None:
    for _ in range(round(seconds * 20)):
        brain.tick()


async def heard(*lines: bytes) -> list[control.Control]:
    stream = asyncio.StreamReader()
    stream.feed_data(b"".join(lines))
    stream.feed_eof()
    return [message async for message in read_control(stream)]


EVERY = (
    control.Chew(seconds=3.0),
    control.Grind(bursts=4, strength=0.5),
    control.Diet(servings=6.0),
    control.Person(anxiety=21, dryness=0.5, hygiene=0.1),
    control.Seat(),
    control.Consent(),
    control.Reassure(),
    control.Breathe(seconds=30.0),
    control.Runaway(percent=50.0, seconds=5.0, deaf=True, faked=True),
    control.Freeze(channel=2),
    control.Unfreeze(channel=2),
    control.Wear(worn=False),
)


async def test_every_message_survives_its_line() -> None:
    assert await heard(*(encode_control(message) for message in EVERY)) == list(EVERY)


async def test_a_message_with_its_name_alone_has_sensible_figures() -> None:
    (message,) = await heard(b'{"type": "runaway"}\n')
    assert message == control.Runaway(percent=60.0, seconds=60.0, deaf=False, faked=False)


@pytest.mark.parametrize(
    "line",
    [
        b'{"type": "runaway", "percent": 201}',
        b'{"type": "runaway", "seconds": -1}',
        b'{"type": "person", "anxiety": 4}',
        b'{"type": "person", "dryness": 1.5}',
        b'{"type": "grind", "bursts": 0}',
        b'{"type": "diet", "servings": 100}',
        b'{"type": "breathe", "seconds": -1}',
        b'{"type": "freeze"}',
        b'{"type": "chew", "minutes": 1}',
    ],
)
async def test_what_cannot_be_is_left_out_and_the_next_line_heard(line: bytes) -> None:
    assert await heard(line + b"\n", b'{"type": "reassure"}\n') == [control.Reassure()]


def test_another_person_sits_down(brain: Brain) -> None:
    body = brain.body
    brain.apply(control.Person(anxiety=25, dryness=0.9, hygiene=0.0))
    live(brain, 1)
    assert body.mind.fear == 1.0
    assert body.mouth.saliva.flow < 0.06
    assert body.mouth.hygiene == 0.0
    brain.apply(control.Person(dryness=0.0))
    live(brain, 1)
    assert (body.mind.fear, body.mouth.hygiene) == (1.0, 0.0), "what is left out stays"
    assert body.mouth.saliva.flow > 0.2


def test_the_chair_consent_and_kindness_are_felt(brain: Brain) -> None:
    mind = brain.body.mind
    brain.apply(control.Person(anxiety=25))
    felt = []
    for message in (control.Seat(), control.Consent(), control.Reassure(), control.Seat(seated=False)):
        brain.apply(message)
        live(brain, 60)
        felt.append(mind.arousal)
    assert 0.2 < felt[0] < felt[1]
    assert felt[3] < felt[2] < felt[1]
    brain.apply(control.Breathe(seconds=2.0))
    assert mind.breathing
    live(brain, 3)
    assert not mind.breathing


def test_chewing_fills_the_mouth_with_saliva(brain: Brain) -> None:
    live(brain, 1)
    rest = brain.body.mouth.saliva.flow
    brain.apply(control.Chew(seconds=10.0))
    live(brain, 5)
    assert brain.body.mouth.saliva.flow > rest + 1.0
    live(brain, 10)
    assert brain.body.mouth.saliva.flow == pytest.approx(rest, abs=0.05)


def test_a_diet_feeds_by_itself(brain: Brain) -> None:
    brain.apply(control.Diet(servings=48.0))
    mouth = brain.body.mouth
    mouth.live(29.8 * 60)
    assert mouth.saliva.sugar == 0
    live(brain, 20)
    assert mouth.saliva.sugar > 100


def test_sensors_freeze_and_come_off_by_message(brain: Brain) -> None:
    live(brain, 1)
    brain.apply(control.Freeze(channel=2))
    blocks = [block for _ in range(20) for block in brain.body.tick(0.0)]
    frozen = np.concatenate([block.samples for block in blocks if block.channel == 2])
    assert len(frozen) == 10
    assert len(set(frozen.tolist())) == 1
    brain.apply(control.Unfreeze(channel=2))
    brain.apply(control.Wear(worn=False))
    assert {block.channel for _ in range(20) for block in brain.body.tick(0.0)} == {12, 13, 14, 15, 16, 17}
