"""A real visit is felt by the simulated patient: hub and heart-rate band, processes of their own, tell of one heart."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from core.model.intents import Pause
from tests.integration.practice import Practice

HEARTY = 3
"""The first patient of this practice has a heart that answers to what is felt; not everybody's does."""


@pytest.fixture
def hearty(tmp_path: Path) -> Iterator[Practice]:
    one = Practice(tmp_path / "data", seed=HEARTY)
    try:
        one.start()
        yield one
    finally:
        one.close()


def pulses(practice: Practice) -> tuple[float, float]:
    """Hub and band, beats a minute."""
    values = practice.chairs[1].values
    return values["pulse_rate"], values["heart_rate"]


def test_a_visit_is_felt_in_both(hearty: Practice) -> None:
    hearty.seat()
    hearty.until(lambda: pulses(hearty))
    calm = max(pulses(hearty))
    hearty.walk_to_treatment("repair", anxious=5)
    hearty.until(lambda: min(pulses(hearty)) > calm + 6, seconds=60.0)
    tense = max(pulses(hearty))
    hearty.act(Pause(by="patient"))
    hearty.until(lambda: hearty.hold().hub_confirmed)
    hearty.until(lambda: max(pulses(hearty)) < tense - 4, seconds=90.0)
    hub, band = pulses(hearty)
    assert abs(hub - band) < 12, "one heart, seen by one over a second, by the other over some beats"
