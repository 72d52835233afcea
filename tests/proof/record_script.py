"""What a record does in its life, as numbered steps whose whole content follows from their number.

Each step is one commit of three hubs' samples (the second's radio loses frames and fetches them later, the third
sends everything twice and loses some for good), a patient's version, a visit, a procedure, an alarm, an event, an order
and an audit entry. Between steps the record is compacted, settled, closed and opened again. So of any file one can say
to the sample what must be in it: exactly the steps from 0 to some number, which is the length of its audit log.
"""

import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from core.model.alarm import Alarm, AlarmPriority, AlarmState
from core.model.block import Provenance, SampleBlock
from core.model.clock import ManualClock
from core.model.people import Patient, VisitSummary
from core.model.procedure import ProcedureView, Step
from core.model.words import Text
from core.record import Record, RecordReader, StampedBlock
from core.record.orders import SentOrder
from core.signals.clockmap import ClockFit

KEY = bytes(range(32))
HUBS = ("SH-0001", "SH-0002", "SH-0003")
CHANNELS = {"jaw_emg": (8, 200), "saliva_ph": (2, 2)}
"""Number, and samples in a step."""
UTC0 = 1_800_000_000_000_000
STEP_US = 200_000
LATE, LOST = 2, 10
"""The step of 5 whose frames the second hub's radio loses for two steps; the one of 11 that the third hub loses."""


def at(step: int) -> int:
    return UTC0 + step * STEP_US


class Writer:
    """Goes on where the record ends; `told` is called with each step once its commit has returned."""

    def __init__(self, path: Path, told: Callable[[int], None]) -> None:
        self.path = path
        self.record = self._open()
        self.told = told
        resume = self.record.resume_point(HUBS[0])
        self.step = 0 if resume is None else resume + 1

    def _open(self) -> Record:
        clock = ManualClock(utc_us=UTC0)
        if self.path.exists():
            return Record.open(self.path, KEY, clock=clock)
        return Record.create(self.path, KEY, chair=1, simulated=True, clock=clock)

    def go(self) -> None:
        """One step, and what follows it. After an error, the same step may be tried again."""
        step = self.step
        with self.record.transaction():
            write(self.record, step)
        self.step = step + 1
        self.told(step)

    def tidy(self) -> None:
        """What an engine does between commits, and when it is started again."""
        step = self.step - 1
        if step % 25 == 24:
            self.record.close()
            self.record = self._open()
        elif step % 7 == 3:
            self.record.compact(settle=step % 3 == 0)


def write(record: Record, step: int) -> None:
    """The content of one step, within the caller's transaction."""
    for hub, name in enumerate(HUBS):
        blocks = [block for frame, provenance in sent(hub, step) for block in frame_blocks(hub, frame, provenance)]
        record.add_blocks(name, blocks, f"v{step // 10}")
        record.add_sequences(name, [(frame, frame + 1) for frame, _ in sent(hub, step)])
    if step % 11 == LOST:
        record.add_loss(HUBS[2], step, step, at(step))
    _people(record, step)
    record.add_event("mark", Text("mark", {"step": step}), at_us=at(step), visit_id=f"v{step // 10}", author="op")
    record.orders.sent(HUBS[0], SentOrder(hashlib.sha256(b"%d" % step).digest(), 3, step, b"", at(step)))
    if step % 8 == 0:
        record.save_clock_fit(
            HUBS[0], 0, ClockFit(hub0_us=step, utc0_us=at(step), drift=0.0, observations=1, spread_us=0)
        )
    record.audit("step", actor="op", at_us=at(step), body={"step": step})


def _people(record: Record, step: int) -> None:
    visit = f"v{step // 10}"
    record.save_patient(patient(step), author="op", reason=f"step {step}", at_us=at(step))
    if step % 10 == 0:
        record.begin_visit(visit_at(step))
    elif step % 10 == 9:
        record.end_visit(visit, at(step), "complete", (16,), "visit.done")
    if step % 2 == 0:
        record.save_procedure(procedure(step), author="op", at_us=at(step))
    if step % 3 == 0:
        record.save_alarm(alarm(step), at_us=at(step))


def sent(hub: int, step: int) -> list[tuple[int, Provenance]]:
    """The frames that a hub delivers in a step, in their order of arrival."""
    if hub == 0:
        return [(step, Provenance.LIVE)]
    if hub == 1:
        live = [] if step % 5 == LATE else [(step, Provenance.LIVE)]
        return live + ([(step - 2, Provenance.BACKFILLED)] if step % 5 == LATE + 2 else [])
    return [(frame, Provenance.LIVE) for frame in (step, step - 1) if frame >= 0 and frame % 11 != LOST]


def frame_blocks(hub: int, frame: int, provenance: Provenance) -> Iterator[StampedBlock]:
    for number, count in CHANNELS.values():
        samples = values(hub, np.arange(frame * count, (frame + 1) * count))
        block = SampleBlock(number, 0, frame * count, frame * STEP_US, STEP_US // count, samples, provenance)
        yield StampedBlock(block, at(frame))


def values(hub: int, index: np.ndarray) -> np.ndarray:
    return ((index * 7919 + hub * 31) % 4001 - 2000).astype(np.int16)


def patient(step: int) -> Patient:
    who = step % 4
    return Patient(
        id=f"p{who}",
        version=step // 4 + 1,
        code=f"A{who}",
        given_name="Anna",
        family_name=f"Name {step}",
        birth_date="1990-02-03",
    )


def visit_at(step: int) -> VisitSummary:
    number = step // 10
    return VisitSummary(
        id=f"v{number}",
        patient_id=f"p{number % 4}",
        code=f"V{number}",
        chair=1,
        began_us=at(number * 10),
        ended_us=None,
        state="open",
        title_key="visit.care",
    )


def procedure(step: int) -> ProcedureView:
    number = step // 10
    return ProcedureView(
        visit_id=f"v{number}",
        visit_code=f"V{number}",
        patient_id=f"p{number % 4}",
        chair=1,
        step=Step.TREAT,
        revision=step,
    )


def alarm(step: int) -> Alarm:
    ends = step % 6 == 3
    return Alarm(
        id=f"a{step // 6}",
        kind="link.lost",
        chair=1,
        priority=AlarmPriority.HIGH,
        state=AlarmState.ENDED if ends else AlarmState.ACTIVE,
        text=Text("alarm.link"),
        remedy=Text("alarm.link.remedy"),
        latching=True,
        began_us=at(step - step % 6),
        ended_us=at(step) if ends else None,
    )


# what must be in a file


def check(path: Path) -> int:
    """The file holds exactly the steps from 0 to some number, whole, and verifies. Returns how many that is."""
    with RecordReader.open(path, KEY) as reader:
        report = reader.verify()
        assert report.problems == ()
        steps = report.entries
        _check_samples(reader, steps)
        _check_people(reader, steps)
        samples = sum(len(list(frames_of(hub, steps))) for hub in range(3)) * sum(n for _, n in CHANNELS.values())
        assert report.samples == samples, "no sample stands there that no step brought"
        assert [loss.first for loss in reader.losses()] == list(range(LOST, steps, 11))
        assert [fit.hub0_us for fit in reader.clock_fits(HUBS[0], 0)] == list(range(0, steps, 8))
        return steps


def frames_of(hub: int, steps: int) -> Iterator[tuple[int, Provenance]]:
    """The frames whose samples are there after so many steps."""
    seen = {frame: provenance for step in range(steps) for frame, provenance in sent(hub, step)}
    yield from sorted(seen.items())


def _check_samples(reader: RecordReader, steps: int) -> None:
    for hub, name in enumerate(HUBS):
        frames = list(frames_of(hub, steps))
        for channel, (_, count) in CHANNELS.items():
            expected = np.array([frame for frame, _ in frames], np.int64)[:, None] * count + np.arange(count)
            late = np.array([provenance for _, provenance in frames], np.int64).repeat(count)
            blocks = list(reader.samples(name, channel)) if steps else []
            index = np.concatenate([np.arange(b.first_index, b.end_index) for b in blocks] or [np.array([], np.int64)])
            assert np.array_equal(index, expected.ravel()), f"{name} {channel}: other samples than were committed"
            found = np.concatenate([b.samples for b in blocks] or [np.array([], np.int16)])
            assert np.array_equal(found, values(hub, index)), f"{name} {channel}: other values"
            said = np.concatenate([np.full(len(b.samples), int(b.provenance)) for b in blocks] or [late])
            assert np.array_equal(said, late), f"{name} {channel}: other provenance"


def _check_people(reader: RecordReader, steps: int) -> None:
    for who in range(4):
        assert reader.patient_history(f"p{who}") == [patient(step) for step in range(who, steps, 4)]
    assert len(reader.visits()) == -(-steps // 10)
    for number in range(-(-steps // 10)):
        first, last = number * 10, min(number * 10 + 10, steps)
        visit = reader.visit(f"v{number}")
        assert visit is not None
        assert (visit.code, visit.state) == (f"V{number}", "complete" if last == first + 10 else "open")
        marks = [moment.text.values["step"] for moment in reader.moments(visit.id) if moment.kind == "mark"]
        assert marks == list(range(first, last))
        assert reader.procedure_history(visit.id) == [procedure(step) for step in range(first, last, 2)]
    newest = {alarm(step).id: alarm(step) for step in range(0, steps, 3)}
    assert reader.alarms() == list(newest.values())
