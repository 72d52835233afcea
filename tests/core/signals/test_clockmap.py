"""Hub time to UTC under jitter, drift, wall-clock jumps, restarts and sleep."""

import numpy as np
import pytest

from core.model.clock import ManualClock
from core.signals.clockmap import ClockFit, ClockMap

UTC0 = 1_800_000_000_000_000
BOOT_S = 500.0


class Hub:
    """A hub whose clock runs `drift` slower than ours, and whose notifications come late by 5 ms and more."""

    def __init__(self, clock: ManualClock, *, drift: float, seed: int = 1) -> None:
        self.clock, self.drift = clock, drift
        self.random = np.random.default_rng(seed)
        self.began = clock.monotonic() - BOOT_S
        self.utc0 = clock.utc_us()
        self.fits: list[ClockFit] = []

    def run(self, clock_map: ClockMap, seconds: float) -> list[tuple[int, int]]:
        """Live blocks each 100 ms: (hub time, mapped UTC)."""
        mapped = []
        for _ in range(round(seconds * 10)):
            self.clock.advance(0.1)
            hub_us = round((self.clock.monotonic() - self.began) / (1 + self.drift) * 1e6)
            delay_s = 0.005 + float(self.random.exponential(0.030))
            self.fits += clock_map.observe(hub_us, self.clock.monotonic() + delay_s)
            mapped.append((hub_us, clock_map.utc_us(hub_us)))
        return mapped

    def truth(self, hub_us: int) -> float:
        """UTC by the wall clock as it stood at the beginning."""
        return self.utc0 + (hub_us * (1 + self.drift) / 1e6 - BOOT_S) * 1e6


@pytest.mark.parametrize("drift", [0.0, 50e-6, -80e-6])
def test_jitter_and_drift_are_taken_out(drift: float) -> None:
    clock = ManualClock(UTC0)
    hub, clock_map = Hub(clock, drift=drift), ClockMap(clock)
    mapped = hub.run(clock_map, 1200)
    errors = np.array([utc - hub.truth(at) for at, utc in mapped])
    assert np.abs(errors[3000:]).max() < 8000, "after five minutes within 3 ms of the shortest delay"
    assert np.abs(errors).max() < 400_000, "and never worse than the jitter of the first arrival"
    assert clock_map.fit.drift == pytest.approx(drift, abs=5e-6)
    assert 11_000 < clock_map.fit.observations <= 12_000, "the newest fit is at most a minute old"


def test_time_rises_always_and_what_was_mapped_stays() -> None:
    clock = ManualClock(UTC0)
    hub, clock_map = Hub(clock, drift=90e-6, seed=4), ClockMap(clock)
    mapped = hub.run(clock_map, 200)
    utc = np.array([u for _, u in mapped])
    assert np.all(np.diff(utc) > 0)
    assert [clock_map.utc_us(at) for at, _ in mapped] == utc.tolist(), "back-filled samples get the time they had"
    ahead = [clock_map.utc_us(mapped[-1][0] + ms * 1000) for ms in range(0, 100_000, 10)]
    assert np.all(np.diff(ahead) > 0)
    hub.run(clock_map, 150)
    assert [clock_map.utc_us(mapped[-1][0] + ms * 1000) for ms in range(0, 100_000, 10)] == ahead


def test_a_jump_of_the_wall_clock_changes_nothing() -> None:
    def run(jump: float) -> list[tuple[int, int]]:
        clock = ManualClock(UTC0)
        hub, clock_map = Hub(clock, drift=20e-6), ClockMap(clock)
        first = hub.run(clock_map, 100)
        clock.jump_wall(jump)
        return first + hub.run(clock_map, 100)

    assert run(-3600.0) == run(0.0) == run(7200.0)


@pytest.mark.parametrize("seconds", [0.5, 3, 20, 300])
def test_a_restart_goes_on_from_the_recorded_fits(seconds: float) -> None:
    clock = ManualClock(UTC0)
    hub, clock_map = Hub(clock, drift=40e-6), ClockMap(clock)
    before = hub.run(clock_map, seconds)
    clock.jump_wall(-500.0)
    resumed = ClockMap(clock, hub.fits)
    assert resumed.ready
    assert [resumed.utc_us(at) for at, _ in before] == [utc for _, utc in before], "no sample moves"
    after = hub.run(resumed, 300)
    assert after[0][1] > before[-1][1]
    errors = np.array([utc - hub.truth(at) for at, utc in after])
    assert np.abs(errors).max() < 300_000


def test_the_sleep_of_the_machine_does_not_pull_the_map_back() -> None:
    clock = ManualClock(UTC0)
    hub, clock_map = Hub(clock, drift=0.0), ClockMap(clock)
    before = hub.run(clock_map, 100)
    hub.began -= 600  # ten minutes in which the hub's clock ran and our monotonic clock stood still
    after = hub.run(clock_map, 100)
    assert after[0][1] - before[-1][1] == pytest.approx(600_100_000, abs=200_000)
    assert np.all(np.diff([utc for _, utc in after]) > 0)
    assert after[-1][1] - after[0][1] == pytest.approx(99_900_000, abs=200_000), "and it is not slewed away later"


def test_a_map_that_has_seen_nothing_says_so() -> None:
    clock_map = ClockMap(ManualClock(UTC0))
    assert not clock_map.ready
    with pytest.raises(ValueError, match="no arrival"):
        clock_map.utc_us(0)
    fit = ClockFit(hub0_us=1000, utc0_us=UTC0, drift=1e-3, observations=1, spread_us=0)
    assert ClockMap(ManualClock(), [fit]).utc_us(1_001_000) == UTC0 + 1_001_000
