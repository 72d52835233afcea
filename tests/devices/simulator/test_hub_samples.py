"""What a hub measures and keeps: frames against the oracle, memory, sensors that fail, days and events."""

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pytest

from core.model.block import Provenance, SampleBlock
from core.model.wear import EventKind
from core.signals.catalogue import load_catalogue
from devices.hub.frames import MAX_FRAME, SampleFrame, decode_frame
from devices.hub.status import decode_status
from devices.simulator.brain import Brain
from devices.simulator.control import Battery, Fail, Freeze, LimitMemory, Silence, Unfreeze, Unsilence
from devices.simulator.journal import JournalError, JournalWriter, read_journal
from devices.simulator.store import CAPACITY_FRAMES
from devices.simulator.wear import DAY_S
from tests.devices.simulator.visit import NOW_S, new_hub

TISSUE, PLAQUE, BITE = 12, 3, 7
DAY = NOW_S // DAY_S


def decoded(frames: Iterable[bytes]) -> list[SampleBlock]:
    blocks: list[SampleBlock] = []
    for raw in frames:
        frame = decode_frame(raw, Provenance.LIVE)
        assert isinstance(frame, SampleFrame)
        blocks += frame.blocks
    return blocks


def lived(brain: Brain, seconds: float) -> list[SampleBlock]:
    return decoded(frame for _ in range(round(seconds * 20)) for frame in brain.tick())


def kinds(brain: Brain) -> list[tuple[int, int]]:
    return [(event.kind, event.value) for event in brain.wear.events(0, 10_000)]


def test_frames_carry_exactly_what_the_oracle_says(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    with JournalWriter(path) as oracle:
        brain = new_hub(journal=oracle)
        frames = [frame for _ in range(100) for frame in brain.tick()]
    made = list(read_journal(path))
    blocks = decoded(frames)
    assert len(made) == len(blocks)
    for ours, theirs in zip(blocks, made, strict=True):
        assert (ours.channel, ours.first_index, ours.start_us) == (theirs.channel, theirs.first_index, theirs.start_us)
        assert np.array_equal(ours.samples, theirs.samples)
    assert max(map(len, frames)) <= MAX_FRAME
    assert frames == brain.memory.fetch(0, len(frames))


def test_a_torn_oracle_reads_up_to_the_tear(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    with JournalWriter(path) as oracle:
        lived(new_hub(journal=oracle), 1)
    whole = list(read_journal(path))
    for cut in (1, 9, 30):
        path.write_bytes(path.read_bytes()[:-cut])
        assert 0 < len(list(read_journal(path))) < len(whole)


def test_any_other_file_is_no_oracle(tmp_path: Path) -> None:
    path = tmp_path / "other"
    path.write_bytes(b"something else")
    with pytest.raises(JournalError):
        list(read_journal(path))


def test_memory_holds_ten_minutes_at_full_rate() -> None:
    brain = new_hub()
    ten_seconds = sum(len(brain.tick()) for _ in range(10 * 20))
    assert 60 * ten_seconds < CAPACITY_FRAMES


def test_a_full_memory_drops_the_oldest_says_so_and_remembers_when() -> None:
    brain = new_hub(capacity=50)
    lived(brain, 3)
    report = decode_status(brain.status())
    assert report.dropped == report.status.oldest_sequence == report.next_sequence - 50
    assert report.status.memory_percent == 100
    ((kind, value),) = [event for event in kinds(brain) if event[0] == EventKind.MEMORY_FULL]
    assert (kind, value) == (EventKind.MEMORY_FULL, 1)


def test_memory_can_be_made_full() -> None:
    brain = new_hub()
    lived(brain, 2)
    brain.apply(LimitMemory())
    lived(brain, 1)
    report = decode_status(brain.status())
    assert report.status.oldest_sequence == report.next_sequence - 1
    assert report.dropped > 0


def test_a_silent_sensor_leaves_its_indexes_out_and_is_noted() -> None:
    brain = new_hub()
    lived(brain, 1)
    brain.apply(Silence(channel=BITE))
    assert BITE not in {block.channel for block in lived(brain, 5)}
    brain.apply(Unsilence(channel=BITE))
    back = next(block for block in lived(brain, 2) if block.channel == BITE)
    assert back.first_index == 200 * 6
    assert [event for event in kinds(brain) if event[1] == BITE] == [
        (EventKind.SENSOR_SILENT, BITE),
        (EventKind.SENSOR_BACK, BITE),
    ]


def test_a_frozen_sensor_repeats_itself_under_the_right_numbers() -> None:
    brain = new_hub()
    lived(brain, 1)
    brain.apply(Freeze(channel=TISSUE))
    frozen = [block for block in lived(brain, 3) if block.channel == TISSUE]
    assert len({value for block in frozen for value in block.samples.tolist()}) == 1
    assert [block.first_index for block in frozen] == list(range(10, 40))
    brain.apply(Unfreeze(channel=TISSUE))
    thawed = [value for block in lived(brain, 3) if block.channel == TISSUE for value in block.samples.tolist()]
    assert len(set(thawed)) > 1


def test_weak_battery_and_faults_are_noted_once() -> None:
    brain = new_hub()
    lived(brain, 1)
    brain.apply(Battery(percent=15))
    lived(brain, 1)
    brain.apply(Fail())
    assert [event for event in kinds(brain) if event[0] in (EventKind.BATTERY_LOW, EventKind.FAULT)] == [
        (EventKind.BATTERY_LOW, 15),
        (EventKind.FAULT, 0),
    ]
    assert decode_status(brain.status()).status.battery_percent == 15


def test_a_day_adds_up_to_what_was_sampled() -> None:
    brain = new_hub()
    brain.parts.store.state.began[1] = NOW_S * 1_000_000
    blocks = lived(brain, 30)
    (day,) = brain.wear.days(DAY, 1)
    assert (day.worn_s, day.acid_s) == (30, 0)
    for one in day.channels:
        samples = np.concatenate([block.samples for block in blocks if block.channel == one.channel])
        assert (one.count, one.low, one.high, one.sum) == (
            len(samples),
            samples.min(),
            samples.max(),
            samples.sum(dtype=np.int64),
        )
    assert len(day.channels) == len(load_catalogue().from_source("hub"))


def test_acid_and_wear_are_counted_by_the_second() -> None:
    brain = new_hub()
    wear, catalogue = brain.wear, load_catalogue()
    brain.parts.store.state.began[1] = NOW_S * 1_000_000

    def second(at: int, celsius: float, ph: float) -> None:
        values = {catalogue.key("tissue_temperature"): celsius, catalogue.key("plaque_ph"): ph}
        blocks = [
            SampleBlock(
                spec.number, 1, at * 10, at * 1_000_000, 100_000, np.full(10, round(value / spec.scale), np.int16)
            )
            for spec, value in values.items()
        ]
        wear.add(blocks, (at + 1) * 1_000_000)

    mouth = [(36.0, 6.8)] * 5 + [(36.0, 5.2)] * 7 + [(36.0, 6.0)] * 3 + [(22.0, 5.0)] * 4 + [(36.0, 5.1)] * 2
    for at, (celsius, ph) in enumerate(mouth):
        second(at, celsius, ph)
    (day,) = wear.days(DAY, 1)
    assert (day.worn_s, day.acid_s, day.attacks) == (17, 9, 2)
    assert kinds(brain) == [
        (EventKind.PUT_IN, 0),
        (EventKind.ACID_BEGAN, 520),
        (EventKind.ACID_ENDED, 7),
        (EventKind.TAKEN_OUT, 0),
        (EventKind.PUT_IN, 0),
        (EventKind.ACID_BEGAN, 510),
    ]


def test_midnight_parts_the_days() -> None:
    brain = new_hub()
    brain.parts.store.state.began[1] = (DAY + 1) * DAY_S * 1_000_000 - 10_000_000
    lived(brain, 30)
    assert [(day.day, day.worn_s) for day in brain.wear.days(DAY, 5)] == [(DAY, 9), (DAY + 1, 21)]
    assert brain.wear.days(DAY + 1, 1)[0].worn_s == 21


def test_events_get_their_time_when_it_is_told() -> None:
    brain = new_hub()
    lived(brain, 3)
    assert brain.wear.events(0, 1)[0].utc_s == 0
    brain.parts.store.state.began[1] = NOW_S * 1_000_000
    assert brain.wear.events(0, 1)[0].utc_s == NOW_S + 1
