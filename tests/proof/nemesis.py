"""Somebody who wants a sample to be lost: a seeded history of mishaps on one practice, and what must hold after it."""

import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from random import Random
from typing import Final

import numpy as np
import pytest

import app.launch
from core.model.block import Provenance, Samples
from core.model.hub import LinkState
from core.record import RecordReader
from core.signals.catalogue import load_catalogue
from devices.hub.session.journal import decode_entry
from tests.integration.practice import ENGINE, Practice
from tests.proof.engine_process import CLOCK, OFFSET

CALM_S: Final = 90.0
"""How long a practice may take to catch up after the worst."""
_DAY_US: Final = 86_400_000_000
_OWN: Final = {ENGINE: "tests.proof.engine_process", "app.clinic": "tests.proof.clinic_process"}

_AIR: Final = ("drop_link", "jam", "lossy_radio", "slow_radio", "doubled", "delayed", "reordered", "damaged", "thrifty")
_HUB: Final = ("reboot_hub", "vanish", "lose_receipts", "damage_frames", "drop_mid_write")

WORST: Final = (
    *("drop_link", "jam", "doubled", "delayed", "damaged"),
    *("reboot_hub", "vanish", "kill_engine", "jump_ahead", "jump_back"),
)
"""One of each kind."""

Key = tuple[int, str]
"""Boot and channel."""


def proving_ground(root: Path, monkeypatch: pytest.MonkeyPatch, *, chairs: int = 1, seed: int = 1) -> Practice:
    """A practice in real processes whose clock can be set and whose air can do anything."""
    root.mkdir(parents=True, exist_ok=True)
    clock = root.parent / f"{root.name}.clock"
    clock.write_bytes(OFFSET.pack(0))
    monkeypatch.setenv(CLOCK, str(clock))
    spawn = app.launch.spawn
    monkeypatch.setattr(
        app.launch, "spawn", lambda arguments, *more: spawn([_OWN.get(one, one) for one in arguments], *more)
    )
    monkeypatch.setattr(app.launch, "START_SECONDS", 120.0)
    return Practice(root, chairs=chairs, seed=seed)


class Nemesis:
    """Attributes:
    done: what was done so far, in order.
    """

    def __init__(self, practice: Practice, root: Path, seed: int) -> None:
        self.done: list[str] = []
        self._practice = practice
        self._clock = root.parent / f"{root.name}.clock"
        self._offset = 0
        self._random = Random(seed)
        self._deeds: dict[str, Callable[[], object]] = {
            **{name: lambda name=name: practice.break_something(name) for name in (*_AIR, *_HUB)},  # type: ignore[misc]
            "kill_engine": self._kill,
            "jump_ahead": lambda: self._jump(self._random.randrange(_DAY_US)),
            # Not to before the enrolment: a certificate that is not valid yet is refused, and rightly.
            "jump_back": lambda: self._jump(-self._random.randrange(self._offset + 1)),
            "stop": lambda: practice.stop(0),
        }

    def round(self, deeds: Sequence[str] = ()) -> list[str]:
        """Each of these deeds, every one that there is without any, in an order of its own."""
        chosen = sorted(deeds or self._deeds)
        self._random.shuffle(chosen)
        return chosen

    def strike(self, deed: str) -> None:
        """Do it, and let it work for a moment."""
        self.done.append(deed)
        self._deeds[deed]()
        threading.Event().wait(self._random.uniform(0.2, 1.5))

    def rest(self) -> None:
        """Nothing is wrong any more; until everything that the hub made so far is in the record."""
        practice = self._practice
        practice.break_something("calm_air")
        practice.until(lambda: practice.chairs[1].link is LinkState.UP, CALM_S)
        practice.until(practice.hub, CALM_S)
        goal = practice.hub().newest_sequence + 10
        practice.until(lambda: practice.hub().newest_sequence >= goal and practice.caught_up(), CALM_S)

    def _kill(self) -> None:
        self._practice.kill_engine()
        self._practice.start()

    def _jump(self, by_us: int) -> None:
        self._offset += by_us
        with self._clock.open("r+b") as file:
            file.write(OFFSET.pack(self._offset))


def check_equal(before: dict[Key, Samples], practice: Practice, chair: int = 1, *, lost: bool = False) -> int:
    """The closed record against the hub's journal, sample for sample; how many the record lacks.

    Args:
        before: what the hub had made when everything was known to be here.
        lost: frames were lost in the hub: the record may lack what lies between, and must say so.
    """
    made, missing = practice.made(chair), 0
    with practice.reader(chair) as reader:
        assert reader.verify().problems == ()
        assert bool(reader.losses()) == lost
        kept = _kept(reader)
        assert kept.keys() >= before.keys()
        for key, samples in made.items():
            index, values = kept.get(key, (np.empty(0, np.int64), np.empty(0, np.int16)))
            assert np.all(np.diff(index) > 0), f"{key} has a sample twice"
            assert np.array_equal(values, samples[index]), f"{key} has other values"
            wanted = len(before[key]) if key in before else 0
            if not lost:
                assert np.array_equal(index, np.arange(len(index))), f"{key} has a hole"
                assert len(index) >= wanted, f"{key} ends at {len(index)} of {wanted}"
            missing += wanted - int(np.count_nonzero(index < wanted))
        _check_times(reader)
        _check_memory(reader, _serial(practice, chair))
    return missing


def _kept(reader: RecordReader) -> dict[Key, tuple[np.ndarray, np.ndarray]]:
    """Index and value of each sample."""
    parts: dict[Key, list[tuple[np.ndarray, np.ndarray]]] = {}
    for spec in load_catalogue().from_source("hub"):
        for block in reader.samples(None, spec.key):
            index = block.first_index + np.arange(len(block.samples))
            parts.setdefault((block.boot, spec.key), []).append((index, block.samples))
            assert block.provenance in Provenance
    return {
        key: (np.concatenate([one for one, _ in found]), np.concatenate([one for _, one in found]))
        for key, found in parts.items()
    }


def _check_times(reader: RecordReader) -> None:
    """UTC rises over boots and over every jump of the clock."""
    for spec in load_catalogue().from_source("hub"):
        ends, before = 0, ""
        for block in reader.samples(None, spec.key):
            times = block.times_us()
            place = f"{block.provenance.name} {block.first_index} of boot {block.boot}, hub time {block.start_us} µs"
            assert np.all(np.diff(times) > 0), f"{spec.key}: time stands: {place}"
            assert times[0] > ends, f"{spec.key}: time went back by {ends - int(times[0])} µs: {place} after {before}"
            ends, before = int(times[-1]), place


def _check_memory(reader: RecordReader, source: str) -> None:
    """Nothing of the hub's journal and events was passed over."""
    entries = [decode_entry(raw).number for raw in reader.hub_journal(source)]
    assert entries == list(range(len(entries)))
    assert entries
    events = [one.number for one in reader.hub_events(source)]
    assert events == list(range(len(events)))


def _serial(practice: Practice, chair: int) -> str:
    identity = practice.chairs[chair].identity
    assert identity is not None
    return identity.serial
