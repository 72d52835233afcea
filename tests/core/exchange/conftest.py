"""A record with what makes exports hard: rates from 0.1 Hz to 1 kHz, late starts, gaps, a restart, a jittery sensor."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from core.model.alarm import Alarm, AlarmPriority, AlarmState
from core.model.block import Provenance, SampleBlock
from core.model.clock import ManualClock
from core.model.people import Patient, VisitSummary
from core.model.words import Text
from core.record import Record, RecordReader, StampedBlock
from core.signals.catalogue import load_catalogue

KEY = bytes(range(32))
UTC0 = 1_800_000_000_123_457
"""Not on a whole second, nor on a whole millisecond."""
DRIFT_PPM = 40
HUB = "SN-1#ab12"
BELT = "C0:5E:00:00:00:09"
PATIENT = Patient(
    id="p-1", version=1, code="K7QF", given_name="Zoë", family_name="Berg", birth_date="1980-01-02", simulated=True
)
VISIT = VisitSummary(
    id="v-1",
    patient_id="p-1",
    code="V-77AB",
    chair=1,
    began_us=UTC0,
    ended_us=UTC0 + 95_000_000,
    state="complete",
    title_key="visit.title",
)

Raw = npt.NDArray[np.int16]


@dataclass
class Mouth:
    """What was put into the record, by source, boot, channel and index."""

    path: Path
    put: dict[tuple[str, int, str], dict[int, int]] = field(default_factory=dict)
    begin_us: int = UTC0
    end_us: int = UTC0 + 200_000_000

    def channels(self) -> list[str]:
        return sorted({key for _, _, key in self.put})

    def open(self) -> RecordReader:
        return RecordReader.open(self.path, KEY)


def raw_of(first: int, count: int, number: int) -> Raw:
    """All of int16, its ends too."""
    values = (np.arange(first, first + count) * 7919 + number * 104_729) % 65_536 - 32_768
    return values.astype(np.int16)


class Writer:
    """Adds blocks whose UTC drifts against hub time."""

    def __init__(self, record: Record, mouth: Mouth) -> None:
        self._record, self._mouth = record, mouth

    def add(
        self,
        key: str,
        first: int,
        count: int,
        *,
        source: str = HUB,
        boot: int = 3,
        late_us: int = 0,
        jitter_us: int = 0,
        provenance: Provenance = Provenance.LIVE,
        at_us: int = 0,
    ) -> None:
        spec = load_catalogue().key(key)
        raw = raw_of(first, count, spec.number)
        start = first * spec.period_us + late_us + jitter_us
        block = SampleBlock(spec.number, boot, first, start, spec.period_us, raw, provenance)
        utc, end = (UTC0 + at_us + at + at * DRIFT_PPM // 1_000_000 for at in (start, block.end_us))
        with self._record.transaction():
            self._record.add_blocks(source, [StampedBlock(block, utc, end)], VISIT.id)
        held = self._mouth.put.setdefault((source, boot, key), {})
        held.update(zip(range(first, first + count), raw.tolist(), strict=True))


@pytest.fixture
def mouth(tmp_path: Path) -> Mouth:
    mouth = Mouth(tmp_path / "chair-1.sqlite")
    record = Record.create(mouth.path, KEY, chair=1, simulated=True, clock=ManualClock(UTC0))
    write = Writer(record, mouth)
    with record.transaction():
        record.save_patient(PATIENT, author="op", reason="new", at_us=UTC0)
        record.begin_visit(VISIT)
        record.add_event("seated", Text("log.seated", {"patient": "Zoë"}), at_us=UTC0 + 1, visit_id="v-1", author="op")
        record.add_event(
            "mark", Text("log.mark_named", {"label": "Zoë coughs"}), at_us=UTC0 + 5_500_000, visit_id="v-1", author="op"
        )
        record.save_alarm(
            Alarm(
                id="a-1",
                kind="hub.silent",
                chair=1,
                priority=AlarmPriority.MEDIUM,
                state=AlarmState.ENDED,
                text=Text("log.gap_filled", {"seconds": 3}),
                remedy=Text("log.mark"),
                latching=False,
                began_us=UTC0 + 7_000_000,
                ended_us=UTC0 + 9_000_000,
            )
        )
        record.add_loss(HUB, 40, 44, UTC0 + 61_000_000)
    for second in range(0, 60):
        write.add("jaw_emg", second * 1000, 1000)
        write.add("bite_force", second * 200, 200, late_us=1300)
        write.add("saliva_ph", second * 10, 10, late_us=20_000)
    write.add("jaw_emg", 60_000, 613)  # no whole second
    for index in range(6):
        write.add("saliva_flow", index, 1, late_us=4_000_000)
    for second in range(63, 90):  # three seconds are missing
        write.add("jaw_emg", second * 1000, 1000, provenance=Provenance.BACKFILLED if second < 70 else Provenance.LIVE)
        write.add("bite_force", second * 200, 200, late_us=1300)
        write.add("saliva_ph", second * 10, 10, late_us=20_000)
    for second in range(5):  # the hub restarted
        write.add("jaw_emg", second * 1000, 1000, boot=4, at_us=100_000_000)
        write.add("tissue_temperature", second * 10, 10, boot=4, at_us=100_000_000)
    rng = np.random.default_rng(7)
    at = 0
    for index in range(50):  # a belt whose second is shorter
        write.add("heart_rate", index, 1, source=BELT, boot=0, jitter_us=at)
        at -= int(rng.integers(20_000, 40_000))
    record.close()
    return mouth


@pytest.fixture
def reader(mouth: Mouth) -> Iterator[RecordReader]:
    with mouth.open() as reader:
        yield reader


def raw_by_stream(mouth: Mouth) -> Iterator[tuple[tuple[str, int, str], Raw]]:
    for stream, held in mouth.put.items():
        yield stream, np.array([held[index] for index in sorted(held)], np.int16)
