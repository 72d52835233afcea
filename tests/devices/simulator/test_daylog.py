"""The hub's day: what was worn, what acid there was, what each channel read, and what happened."""

import numpy as np
import pytest

from core.model.block import SampleBlock
from core.signals.catalogue import load_catalogue
from devices.simulator.body import TICK_US, Body
from devices.simulator.daylog import CAPACITY, Day, DayEvent, DayEventKind, DayLog, Tally
from devices.simulator.physiology.drift import Floats

CATALOGUE = load_catalogue()
FORCE, TISSUE, SALIVA = (CATALOGUE.key(key) for key in ("bite_force", "tissue_temperature", "saliva_ph"))
SECOND = 1_000_000
NEUTRAL = np.array([6.8, 6.9])
TEETH = (16, 31)


class Hub:
    """A log on a clock of its own, fed whatever a test wants; the tissue is warm unless it says otherwise."""

    def __init__(self) -> None:
        self.log = DayLog(CATALOGUE, TEETH)
        self.now_us = 0
        self.battery = 90
        self.ph: Floats = NEUTRAL
        self.tissue_c = 35.6
        self.force_n = 0.0
        self.saliva = True

    def live(self, seconds: float) -> None:
        for _ in range(round(seconds * SECOND / TICK_US)):
            start, self.now_us = self.now_us, self.now_us + TICK_US
            blocks = [self._block(FORCE.number, FORCE.period_us, start, self.force_n / FORCE.scale)]
            if start % TISSUE.period_us == 0:
                blocks.append(self._block(TISSUE.number, TISSUE.period_us, start, self.tissue_c / TISSUE.scale))
                if self.saliva:
                    blocks.append(self._block(SALIVA.number, SALIVA.period_us, start, 7.0 / SALIVA.scale))
            self.log.feed(self.now_us, blocks, self.ph, self.battery)

    def close(self) -> Day:
        return self.log.close(self.ph, self.battery)

    def events(self, *kinds: DayEventKind) -> list[DayEvent]:
        return [event for event in self.close().events if event.kind in kinds]

    @staticmethod
    def _block(channel: int, period_us: int, start_us: int, raw: float) -> SampleBlock:
        count = max(1, TICK_US // period_us)
        samples = np.full(count, round(raw), dtype=np.int16)
        return SampleBlock(channel, 1, start_us // period_us, start_us, period_us, samples)


@pytest.fixture
def hub() -> Hub:
    return Hub()


def test_every_sample_of_a_real_body_is_counted_exactly() -> None:
    body = Body(CATALOGUE, seed=1, boot=1)
    log = DayLog(CATALOGUE, body.mouth.teeth.fdi)
    parts: dict[int, list[np.ndarray[tuple[int], np.dtype[np.int16]]]] = {}
    for _ in range(20 * 31):
        blocks = body.tick(0.0)
        log.feed(body.now_us, blocks, body.mouth.plaque.ph, 90)
        for block in blocks:
            parts.setdefault(block.channel, []).append(block.samples)
    day = log.close(body.mouth.plaque.ph, 90)
    for number, rows in parts.items():
        row = np.concatenate(rows).astype(np.int64)
        assert day.tallies[number] == Tally(len(row), row.min(), row.max(), row.sum())
    assert set(day.tallies) == {spec.number for spec in CATALOGUE.from_source("hub")}
    assert (day.began_us, day.ended_us, day.worn_s) == (0, 31 * SECOND, 31.0)
    assert (day.acid_s, day.attacks, day.left_out) == (0.0, 0, 0)


def test_an_acid_attack_is_counted_with_its_depth_its_length_and_its_tooth(hub: Hub) -> None:
    for ph, seconds in ((NEUTRAL, 60), ([5.4, 6.5], 60), ([4.9, 5.3], 120), ([5.4, 6.2], 60), ([6.0, 6.5], 30)):
        hub.ph = np.array(ph)
        hub.live(seconds)
    day = hub.close()
    assert day.acid_s == 240
    assert day.tooth_acid_s == {16: 240, 31: 120}
    assert day.attacks == 1
    began, ended = (event for event in day.events if event.kind.startswith("acid"))
    assert (began.kind, began.at_us, began.value) == (DayEventKind.ACID_BEGAN, 61 * SECOND, 5.4)
    assert (ended.kind, ended.at_us, ended.tooth) == (DayEventKind.ACID_ENDED, began.at_us, 16)
    assert ended.value == 4.9
    assert ended.seconds / 60 == pytest.approx(4.0, abs=0.05)


def test_lingering_at_the_border_is_one_attack(hub: Hub) -> None:
    for turn in range(20):
        hub.ph = np.array([5.45 if turn % 2 else 5.55, 6.5])
        hub.live(5)
    assert hub.close().attacks == 1


def test_an_attack_over_midnight_is_counted_in_the_day_in_which_it_began(hub: Hub) -> None:
    hub.ph = np.array([5.0, 6.5])
    hub.live(60)
    first = hub.close()
    hub.live(60)
    hub.ph = NEUTRAL
    hub.live(5)
    second = hub.close()
    assert (first.attacks, second.attacks) == (1, 0)
    assert first.acid_s + second.acid_s == 120
    assert [event.kind for event in second.events] == [DayEventKind.ACID_ENDED]
    assert second.began_us == first.ended_us == 60 * SECOND


def test_the_next_day_begins_empty(hub: Hub) -> None:
    hub.live(10)
    hub.close()
    hub.tissue_c = 36.0
    hub.live(5)
    day = hub.close()
    assert day.worn_s == 5
    assert day.tallies[TISSUE.number] == Tally(50, 3600, 3600, 50 * 3600)


def test_a_sugar_attack_of_the_model_shows_in_the_day() -> None:
    body = Body(CATALOGUE, seed=1, boot=1)
    log = DayLog(CATALOGUE, body.mouth.teeth.fdi)
    body.mouth.eat_sugar(1.0)
    for _ in range(40 * 60):
        body.mouth.step(1.0)
        body.now_us += SECOND
        log.feed(body.now_us, [], body.mouth.plaque.ph, 90)
    day = log.close(body.mouth.plaque.ph, 90)
    assert day.attacks == 1
    assert 5 * 60 < day.acid_s < 30 * 60
    assert day.tooth_acid_s[16] == day.acid_s
    assert day.tooth_acid_s[31] == 0
    assert [event.tooth in (16, 17, 26, 27) for event in day.events if event.kind is DayEventKind.ACID_ENDED] == [True]


def test_a_clench_is_an_episode_with_its_peak_and_its_length(hub: Hub) -> None:
    hub.live(5.05)
    hub.force_n = 180.0
    hub.live(2.0)
    hub.force_n = 20.0
    hub.live(0.1)
    hub.force_n = 240.0
    hub.live(1.0)
    hub.force_n = 0.0
    hub.live(3)
    (event,) = hub.events(DayEventKind.CLENCH)
    assert event.at_us == 5_050_000
    assert event.seconds == pytest.approx(3.1)
    assert event.value == 240.0
    assert event.channel == FORCE.number


def test_a_short_bite_and_chewing_are_no_clench(hub: Hub) -> None:
    for _ in range(20):
        hub.force_n = 150.0
        hub.live(0.3)
        hub.force_n = 0.0
        hub.live(0.35)
    hub.live(2)
    assert hub.events(DayEventKind.CLENCH) == []


@pytest.mark.parametrize("how", ["clench", "chew"])
def test_the_bodys_own_clench_counts_and_its_chewing_does_not(how: str) -> None:
    body = Body(CATALOGUE, seed=3, boot=1)
    log = DayLog(CATALOGUE, body.mouth.teeth.fdi)
    if how == "clench":
        body.clench(seconds=3.0, strength=1.0)
    else:
        body.chew(seconds=10.0)
    for _ in range(20 * 12):
        log.feed(body.now_us + TICK_US, body.tick(0.0), body.mouth.plaque.ph, 90)
    found = [event for event in log.close(body.mouth.plaque.ph, 90).events if event.kind is DayEventKind.CLENCH]
    if how == "clench":
        assert found[0].seconds == pytest.approx(3.0, abs=0.2)
        assert found[0].value > 240
    else:
        assert found == []


def test_a_sensor_that_falls_silent_is_told_once_and_again_when_it_is_back(hub: Hub) -> None:
    hub.live(5)
    hub.saliva = False
    hub.live(60)
    hub.saliva = True
    hub.live(5)
    silent = [event for event in hub.close().events if event.channel == SALIVA.number]
    assert [event.kind for event in silent] == [DayEventKind.SENSOR_SILENT, DayEventKind.SENSOR_BACK]
    assert silent[0].at_us == pytest.approx(5 * SECOND, abs=SALIVA.period_us)
    assert silent[1].seconds == pytest.approx(60, abs=2)


def test_a_slow_sensor_is_given_its_time() -> None:
    body = Body(CATALOGUE, seed=1, boot=1)
    log = DayLog(CATALOGUE, body.mouth.teeth.fdi)
    for _ in range(20 * 50):
        log.feed(body.now_us + TICK_US, body.tick(0.0), body.mouth.plaque.ph, 90)
    silent = [event for event in log.close(body.mouth.plaque.ph, 90).events if event.kind is DayEventKind.SENSOR_SILENT]
    assert silent == []


def test_out_of_the_mouth_nothing_is_worn_acid_or_silent(hub: Hub) -> None:
    hub.live(10)
    hub.tissue_c, hub.ph, hub.saliva = 24.0, np.array([5.0, 5.0]), False
    hub.live(60)
    hub.tissue_c, hub.ph, hub.saliva = 35.0, NEUTRAL, True
    hub.live(10)
    day = hub.close()
    assert day.worn_s == pytest.approx(20, abs=1)
    assert day.acid_s == 0
    kinds = [event.kind for event in day.events if event.channel in (0, SALIVA.number)]
    assert kinds == [DayEventKind.TAKEN_OUT, DayEventKind.PUT_IN]


def test_a_low_battery_is_told_once_until_it_was_charged(hub: Hub) -> None:
    for percent in (16, 14, 16, 13, 25, 14):
        hub.battery = percent
        hub.live(2)
    assert [event.value for event in hub.events(DayEventKind.BATTERY_LOW)] == [14.0, 14.0]


def test_a_wild_day_keeps_its_first_events_and_counts_the_others(hub: Hub) -> None:
    for turn in range(CAPACITY + 20):
        hub.ph = np.array([5.0 if turn % 2 else 6.8, 6.8])
        hub.live(1)
    day = hub.close()
    assert len(day.events) == CAPACITY
    assert day.left_out > 0
    assert day.attacks == (CAPACITY + 20) // 2
