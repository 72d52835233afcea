"""Visits as they happen, each written into a real record and read back as a report reads it."""

from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np

from core.model.alarm import Alarm, AlarmPriority, AlarmState
from core.model.block import SampleBlock
from core.model.clock import ManualClock
from core.model.limits import Limit, LimitOwner
from core.model.people import Patient, ToothState, VisitSummary
from core.model.procedure import (
    Baseline,
    Choice,
    Envelope,
    ModulePlan,
    PhaseState,
    PhaseView,
    Plan,
    ProcedureView,
    Step,
)
from core.model.wear import DAY_US, DaySummary
from core.model.words import Text
from core.people.teeth import healthy_teeth
from core.procedure.modules import load_modules
from core.record import Record, RecordReader, StampedBlock
from core.record.at_home import at_home
from core.reports.collect import PLOTTED, collect
from core.reports.data import Practice, ReportData
from core.signals.catalogue import load_catalogue

KEY = bytes(range(32))
BEGAN = 1_800_000_000_000_000
MINUTE_US = 60_000_000
LASTS_US = 12 * MINUTE_US


@dataclass(frozen=True)
class Happened:
    """A moment: minutes after the beginning, kind, key of the words, and their values."""

    minute: float
    kind: str
    key: str
    values: dict[str, str]
    voice: str = "staff"


@dataclass(frozen=True)
class Story:
    """One visit, in what makes it different from others."""

    choices: tuple[Choice, ...]
    done: tuple[PhaseState, ...]
    channels: tuple[str, ...] = PLOTTED
    moments: tuple[Happened, ...] = ()
    alarms: tuple[tuple[str, AlarmPriority, bool], ...] = ()
    own_limit: bool = False
    ended_early: bool = False
    signed: bool = True
    closed: bool = True
    home: bool = False


def _said(minute: float, kind: str, voice: str = "staff", **values: str) -> Happened:
    return Happened(minute, kind, f"note.{kind}", values, voice)


def _held(minute: float, why: str) -> Happened:
    return Happened(minute, "held", f"hold.{why}.reason", {}, "device")


_BEGIN = (_said(0, "seated"), _said(1, "comfort_words", "patient", words="Please tell me before each step."))
_FINE = _said(5, "check_in_fine", "patient", words="")
STORIES = {
    "all went well": Story(
        (Choice.INCLUDED, Choice.INCLUDED, Choice.INCLUDED),
        (PhaseState.DONE,),
        moments=(*_BEGIN, _said(2, "baseline_done"), _said(3, "consent", "patient"), _FINE),
        home=True,
    ),
    "ended early after alarms": Story(
        (Choice.INCLUDED, Choice.GENTLER, Choice.DECLINED),
        (PhaseState.DONE, PhaseState.SKIPPED),
        moments=(*_BEGIN, _held(4, "limit"), _said(5, "resumed"), _held(7, "link"), _said(8, "ended_early")),
        alarms=(
            ("limit.high", AlarmPriority.HIGH, True),
            ("link.lost", AlarmPriority.MEDIUM, True),
            ("sensor.silent", AlarmPriority.LOW, True),
        ),
        ended_early=True,
    ),
    "held by the patient": Story(
        (Choice.GENTLER, Choice.DECLINED, Choice.DECLINED),
        (PhaseState.DONE,),
        moments=(
            *_BEGIN,
            _held(4, "patient"),
            _said(5, "patient_yes", "patient"),
            _said(5, "resumed"),
            _said(6, "check_in_unsure", "patient", words="It feels warm."),
            _held(7, "patient_stop"),
            _said(8, "patient_yes", "patient"),
            _said(8, "resumed"),
        ),
        alarms=(("hub.patient_stop", AlarmPriority.MEDIUM, True),),
        own_limit=True,
    ),
    "nothing was wanted": Story((Choice.DECLINED,) * 3, (), channels=(), moments=(_said(0, "seated"),)),
    "a hub that was not trusted": Story(
        (Choice.INCLUDED, Choice.INCLUDED, Choice.INCLUDED),
        (PhaseState.UNKNOWN, PhaseState.WAITING),
        channels=("heart_rate", "spo2"),
        moments=(*_BEGIN, _held(4, "trust_dose"), _said(6, "ended_early")),
        alarms=(("trust.dose", AlarmPriority.HIGH, False), ("trust.journal", AlarmPriority.HIGH, False)),
        ended_early=True,
        signed=False,
        closed=False,
    ),
}


def recorded(folder: Path, story: Story) -> ReportData:
    """The visit, written into an encrypted record in `folder` and collected out of it."""
    path = folder / "chair-1.sqlite"
    record = Record.create(path, KEY, chair=1, simulated=True, clock=ManualClock(BEGAN + LASTS_US + MINUTE_US))
    with record.transaction():
        _write(record, story)
    record.close()
    with RecordReader.open(path, KEY) as reader:
        home = at_home([reader], "p1", until=BEGAN // DAY_US) if story.home else None
        return collect(
            reader,
            "v1",
            practice=Practice("Mill Street", "020 5550 0142"),
            clock=ManualClock(BEGAN + LASTS_US + MINUTE_US),
            home=home,
            names={"d": "Dr Vale", "a": "Sam Ortega"},
        )


def _write(record: Record, story: Story) -> None:
    patient = Patient(
        id="p1",
        version=1,
        code="P-1",
        given_name="Ilse",
        family_name="Ferrand",
        birth_date="1987-05-19",
        simulated=True,
    )
    visit = VisitSummary(
        id="v1",
        patient_id="p1",
        code="V-1",
        chair=1,
        began_us=BEGAN,
        ended_us=None,
        state="open",
        title_key="visit.title.procedure",
        mdas=17,
        simulated=True,
    )
    record.save_patient(patient, author="d", reason="test", at_us=BEGAN)
    record.begin_visit(visit)
    view = _procedure(story)
    before = msgspec.structs.replace(view, step=Step.CONSENT, phases=(), teeth=_teeth(done=False), envelope=None)
    record.save_procedure(before, author="d", at_us=BEGAN)
    record.save_procedure(view, author="d", at_us=BEGAN + MINUTE_US)
    record.add_blocks("hub", [_block(key) for key in story.channels], "v1")
    for one in story.moments:
        at_us = BEGAN + round(one.minute * MINUTE_US)
        record.add_event(
            one.kind, Text(one.key, dict(one.values)), at_us=at_us, visit_id="v1", author="d", voice=one.voice
        )
    for number, (kind, priority, over) in enumerate(story.alarms):
        record.save_alarm(_alarm(number, kind, priority, over=over), author="a", at_us=BEGAN)
    for actor, request in (("d", "GetVisit"), ("a", "GetVisit"), ("a", "GetVisit"), ("d", "MakeReport")):
        record.audit("view", actor=actor, at_us=BEGAN + LASTS_US, body={"request": request, "visit": "v1"})
    record.audit("view", actor="d", at_us=BEGAN, body={"request": "GetTimeline", "patient": "somebody else"})
    if story.home:
        today = BEGAN // DAY_US
        record.worn("hub", "v1", BEGAN)
        days = [DaySummary(day=today - ago, worn_s=60_000, acid_s=2400, attacks=4) for ago in range(60, 0, -1)]
        record.add_wear("hub", days, [], read_us=BEGAN)
    if story.signed:
        at_us = BEGAN + LASTS_US
        record.add_event("signed", Text("note.signed", {"name": "Dr Vale"}), at_us=at_us, visit_id="v1", author="d")
    if story.closed:
        state = "ended early" if story.ended_early else "complete"
        record.end_visit("v1", BEGAN + LASTS_US, state, (36,), "visit.title.procedure")


def _procedure(story: Story) -> ProcedureView:
    modules = load_modules()
    plan = Plan(
        modules=tuple(
            ModulePlan(module=module.key, choice=choice, teeth=(36,) if module.per_tooth else ())
            for module, choice in zip(modules, story.choices, strict=True)
        ),
        own_limits=_own(story),
    )
    wanted = [module for module, choice in zip(modules, story.choices, strict=True) if choice is not Choice.DECLINED]
    steps = [(module, phase) for module in wanted for phase in module.phases]
    phases = tuple(
        PhaseView(
            number=number,
            module=module.key,
            key=phase.key,
            tooth=36 if module.per_tooth else 0,
            seconds=phase.seconds,
            dose_percent=100,
            state=_state(story, number),
            elapsed_s=_delivered(story, number, phase.seconds),
        )
        for number, (module, phase) in enumerate(steps, 1)
    )
    limits = (Limit(channel="pulp_temperature", high=39.0, owner=LimitOwner.PROTOCOL, holds=True), *_own(story))
    envelope = Envelope(
        id="e",
        version=2,
        patient_id="p1",
        visit_id="v1",
        plan=plan,
        limits=limits,
        signed_by="patient_screen",
        witness="a",
        signed_us=BEGAN + 3 * MINUTE_US,
        sha256=bytes(range(32)),
    )
    return ProcedureView(
        visit_id="v1",
        visit_code="V-1",
        patient_id="p1",
        chair=1,
        step=Step.CLOSE,
        baseline=Baseline(means={"pulp_temperature": 35.9, "heart_rate": 71.0}),
        plan=plan,
        envelope=envelope if phases else None,
        phases=phases,
        teeth=_teeth(done=PhaseState.DONE in story.done),
        limits=limits,
        ended_early=story.ended_early,
        signed_us=BEGAN + LASTS_US if story.signed else None,
    )


def _state(story: Story, number: int) -> PhaseState:
    return story.done[min(number // 3, len(story.done) - 1)]


def _delivered(story: Story, number: int, seconds: int) -> float:
    """All of it, half of what nobody knows of, and nothing of what never began."""
    return {PhaseState.DONE: 1.0, PhaseState.UNKNOWN: 0.5}.get(_state(story, number), 0.0) * seconds


def _own(story: Story) -> tuple[Limit, ...]:
    return (Limit(channel="pulp_temperature", high=38.0, owner=LimitOwner.PATIENT),) if story.own_limit else ()


def _teeth(*, done: bool) -> tuple[ToothState, ...]:
    charted = {
        36: ToothState(fdi=36, finding="O", icdas=2, done="O" if done else ""),
        46: ToothState(fdi=46, filled="MOD"),
        28: ToothState(fdi=28, missing=True),
    }
    return tuple(charted.get(tooth.fdi, tooth) for tooth in healthy_teeth())


def _block(key: str) -> StampedBlock:
    """Ten minutes at the channel's rate, or one sample a second where it is quicker; the sixth minute is missing."""
    spec = load_catalogue().key(key)
    period_us = max(spec.period_us, 1_000_000)
    count = max(2, LASTS_US // period_us)
    middle = (spec.normal_low or spec.low) + ((spec.normal_high or spec.high) - (spec.normal_low or spec.low)) / 2
    wave = middle + (spec.high - spec.low) * 0.02 * np.sin(np.arange(count) / 20)
    samples = np.round((wave - spec.offset) / spec.scale).astype(np.int16)
    block = SampleBlock(
        channel=spec.number, boot=1, first_index=0, start_us=0, period_us=period_us, samples=samples, sequence=0
    )
    return StampedBlock(block, BEGAN)


def _alarm(number: int, kind: str, priority: AlarmPriority, *, over: bool) -> Alarm:
    text = Text(f"alarm.{kind}.text", {"name": "@channel.pulp_temperature.name"})
    began = BEGAN + (4 + number) * MINUTE_US
    limit = kind.startswith("limit")
    return Alarm(
        id=str(number),
        chair=1,
        kind=kind,
        priority=priority,
        state=AlarmState.ENDED if over else AlarmState.ACTIVE,
        text=text,
        remedy=text,
        latching=False,
        began_us=began,
        ended_us=began + 45_000_000 if over else None,
        acknowledged_by="a",
        channel="pulp_temperature" if limit else None,
        value=39.2 if limit else None,
    )
