"""What the clinic tells the air, and that it takes it back."""

import io
import sys
from pathlib import Path

import msgspec
import pytest

from app.clinic.__main__ import main
from app.clinic.air_faults import air_faults
from app.clinic.config import ClinicConfig
from core.model.words import load_words
from devices.simulator.air_control import Calm, SetTiming
from devices.simulator.conditions import RadioConditions

USUAL = SetTiming(interval_ms=30)
NOW = 1000.0


def state(conditions: RadioConditions) -> tuple[object, ...]:
    """Everything that a radio may suffer now."""
    return (
        conditions.hears(NOW),
        conditions.timing.interval_ms,
        conditions.timing.phy,
        conditions.errors,
        conditions.meddles,
        conditions.cut,
    )


@pytest.mark.parametrize("name", air_faults(USUAL))
def test_each_fault_changes_the_air_and_takes_it_back(name: str) -> None:
    fault = air_faults(USUAL)[name]
    conditions = RadioConditions()
    conditions.tell(USUAL, NOW)
    usual = state(conditions)
    for message in fault.begin:
        conditions.tell(message, NOW)
    assert (state(conditions) == usual) == (name == "calm_air")
    assert (fault.seconds > 0) == bool(fault.end)
    for message in fault.end:
        conditions.tell(message, NOW)
    if not fault.end:  # over by itself, or with the write; but anybody may end it
        for message in (Calm(), USUAL):
            conditions.tell(message, NOW)
    assert state(conditions) == usual


def test_each_has_a_name_that_people_read() -> None:
    words = load_words("en")
    said = [words.say(f"shell.demo.fault.{name}") for name in air_faults(USUAL)]
    assert len(set(said)) == len(air_faults(USUAL))
    assert all(said)


@pytest.mark.parametrize("interval_ms", [7, 31, 5000])
def test_a_clinic_at_an_impossible_interval_says_so(
    interval_ms: float, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    config = msgspec.json.encode(ClinicConfig(runtime=str(tmp_path), chairs=0, interval_ms=interval_ms))
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(config)))
    assert main() == 3
    assert "connection interval" in capsys.readouterr().err
