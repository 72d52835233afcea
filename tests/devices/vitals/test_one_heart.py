"""The hub's optics and the belt on the same chest feel one heart: both over the air, read by our own drivers."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from statistics import fmean

import pytest

from core.model.clock import SystemClock
from core.signals.catalogue import load_catalogue
from devices.radio import Radio
from devices.simulator import hub as simulated
from devices.simulator.air import Air
from devices.simulator.brain import Brain
from devices.simulator.control import Breathe, Reassure, Seat
from devices.simulator.heart_rate import Follow, Heart, HeartRateControl, run_heart_rate
from devices.simulator.hub import SimulatedHub
from devices.simulator.journal import JournalWriter
from devices.vitals.heart_rate import HeartRateDriver
from tests.devices.hub.rig import ADDRESS, Rig, until
from tests.devices.vitals.listening import Listener, Orders, driving

SPEED = 20
HUB, STATION, BAND, LISTENER = range(4)
CATALOGUE = load_catalogue()
OPTICAL, BELT = CATALOGUE.key("pulse_rate"), CATALOGUE.key("heart_rate")
SETTLED_S = 12
"""Seconds over which a pulse is averaged: some breaths."""


class Chest:
    """One anxious patient with a hub and a band, twenty times as fast as life."""

    def __init__(self, rig: Rig, belt: Listener) -> None:
        self.rig = rig
        self.belt = belt

    async def lives(self, seconds: float) -> None:
        aim = self.rig.brain.body.now_us + seconds * 1e6
        await until(lambda: self.rig.brain.body.now_us >= aim)

    async def pulses(self) -> tuple[float, float]:
        """What hub and band say of the next while, beats a minute."""
        since, have = self.rig.brain.body.now_us, len(self.belt.of(BELT.number))
        await self.lives(SETTLED_S)
        await until(lambda: len(self.belt.of(BELT.number)) >= have + SETTLED_S)
        optical = [
            value * OPTICAL.scale
            for (_, channel, _), (at_us, value) in self.rig.store.samples.items()
            if channel == OPTICAL.number and at_us >= since
        ]
        belt = [float(block.samples.mean()) * BELT.scale for block in self.belt.of(BELT.number)[have:]]
        return fmean(optical), fmean(belt)


@pytest.fixture
async def chest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Chest]:
    monkeypatch.setattr(simulated, "_PULSE_S", 1 / SPEED)
    beats = Orders[HeartRateControl]()
    async with Air(4) as air:
        radio = Radio.parse(f"bumble:{air.transports[STATION]}")
        await radio.open()
        with JournalWriter(tmp_path / "journal") as writer:
            brain = Brain(serial="SH-1", seed=1, journal=writer)
            rig = Rig(air, radio, brain, tmp_path / "journal")
            rig.hub = SimulatedHub(brain, clock=SystemClock(), speed=SPEED, private=False)
            rig.hub.pulse_told = lambda bpm: beats.give(Follow(bpm=bpm))
            rig.enrol()
            await rig.hub.open(air.transports[HUB], ADDRESS)
            band = run_heart_rate(
                air.transports[BAND], seed=1, control=beats.stream(), sleep=lambda s: asyncio.sleep(s / SPEED)
            )
            rig.tasks += [asyncio.create_task(rig.hub.run()), asyncio.create_task(band)]
            listener = Listener()
            async with driving(HeartRateDriver, air.transports[LISTENER], "C2:5A:00:00:00:01", listener):
                await rig.connect()
                await until(lambda: len(listener.of(BELT.number)) > 0)
                yield Chest(rig, listener)
            for task in rig.tasks:
                task.cancel()
            await asyncio.gather(*rig.tasks, return_exceptions=True)
            await rig.hub.close()
            brain.close()
        await radio.close()


async def test_both_rise_when_treatment_begins_and_fall_with_a_pause_and_kind_words(chest: Chest) -> None:
    calm = await chest.pulses()
    await chest.rig.hub.tell(Seat())
    await chest.rig.driver.read_status()  # an order counts for 5 s of a hub time that flies here
    await chest.rig.begun_phase()
    await chest.lives(25)
    tense = await chest.pulses()
    assert all(after - before > 6 for before, after in zip(calm, tense, strict=True)), (calm, tense)
    await chest.rig.driver.hold()
    for message in (Reassure(), Reassure(), Breathe(seconds=300)):
        await chest.rig.hub.tell(message)
    await chest.lives(90)
    eased = await chest.pulses()
    assert all(before - after > 4 for before, after in zip(tense, eased, strict=True)), (tense, eased)
    for one in (calm, tense, eased):
        assert abs(one[0] - one[1]) < 2, "it is one heart"


def test_a_heart_that_is_not_told_of_any_more_beats_on_as_it_did() -> None:
    heart = Heart(1, bpm=60)
    for second in range(60):
        heart.follow(100 if second >= 20 else 90)
        heart.second()
    told = heart.bpm
    alone = [fmean(60 / interval for interval in heart.second() or (60 / 100,)) for _ in range(60)]
    assert abs(told - 100) <= 2
    assert 90 < fmean(alone) < 110, "not back to what it was born with"
    assert max(alone) - min(alone) > 2, "it breathes by itself again"


@pytest.mark.parametrize(("told", "beats"), [(0.0, 30), (1000.0, 220)])
def test_no_heart_is_told_what_no_heart_does(told: float, beats: int) -> None:
    heart = Heart(1)
    for _ in range(20):
        heart.follow(told)
        heart.second()
    assert abs(heart.bpm - beats) <= 3
