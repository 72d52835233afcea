"""A visit in which everything happened that can, and visits out of real records, for the tests of reports."""

import dataclasses
from collections.abc import Iterator

import msgspec
import numpy as np

from core.model.alarm import Alarm, AlarmPriority, AlarmState
from core.model.limits import Limit, LimitOwner
from core.model.people import Patient, VisitSummary
from core.model.procedure import Choice, ModulePlan, PhaseState, PhaseView, Plan, ProcedureView, Step
from core.model.wear import DAY_US, AtHome, HomeDay
from core.model.words import Text, load_words
from core.people.at_home import change
from core.people.teeth import healthy_teeth
from core.procedure.modules import load_modules
from core.record.types import Columns
from core.reports.collect import PLOTTED
from core.reports.data import Happening, Pause, Practice, ReportData, Signal, View
from core.reports.letters import literal
from core.safety.alarm_catalogue import load_alarms
from core.signals.catalogue import load_catalogue

BEGAN = 1_800_000_000_000_000
WORDS = load_words("en")


def visit(**changes: object) -> ReportData:
    """A visit of ten minutes in which everything happened that can."""
    data = ReportData(
        practice=Practice("Mill Street", "0123 456"),
        patient=Patient(
            id="p", version=1, code="P", given_name="Ilse", family_name="F", birth_date="1987-05-19", simulated=True
        ),
        visit=VisitSummary(
            id="v",
            patient_id="p",
            code="V",
            chair=1,
            began_us=BEGAN,
            ended_us=BEGAN + 600_000_000,
            state="complete",
            title_key="visit.title.procedure",
            simulated=True,
        ),
        procedure=_procedure(),
        signals=tuple(_signal(key) for key in PLOTTED),
        more_signals=True,
        happenings=tuple(_moments()),
        pauses=(
            Pause(True, True, BEGAN + 60_000_000, BEGAN + 90_000_000, "hold.patient.reason"),
            Pause(False, True, BEGAN + 120_000_000, BEGAN + 130_000_000, "hold.limit.reason"),
        ),
        alarms=tuple(_alarms()),
        signed_by="Dr Vale",
        made_us=BEGAN + 700_000_000,
        utc_offset_s=3600,
        home=at_home(),
        teeth_before=healthy_teeth(),
        views=(View("d", "visit", 3, BEGAN + 650_000_000), View("x", "report", 1, BEGAN)),
        names={"d": "Dr Vale"},
    )
    return dataclasses.replace(data, **changes)  # type: ignore[arg-type]


TODAY = BEGAN // DAY_US
SEAT = TODAY - 40


def at_home(since: float = 38, before: float = 52, days: int = 90, **how: int) -> AtHome:
    """Days up to the visit, each kind among them, the last of them not over."""
    known = []
    for day in range(TODAY - days + 1, TODAY):
        minutes = (since if day > SEAT else before) + (3 if day % 2 else -3)
        worn_s = how.get("worn_s", 50_000) if day > SEAT else 50_000
        known.append(HomeDay(day=day, worn_s=worn_s, acid_s=round(minutes * 60), attacks=4))
    known = [day for day in known if day.day % 20]
    known += [HomeDay(day=TODAY - 10, worn_s=0), HomeDay(day=TODAY, worn_s=600, whole=False)]
    ordered = sorted({day.day: day for day in known}.values(), key=lambda day: day.day)
    return AtHome(days=tuple(ordered), visits=(SEAT, TODAY), change=change(ordered, [SEAT, TODAY]))


def full_visit(given_name: str = "Ilse", words: str = "hm") -> ReportData:
    """The same, with a curve that has a gap, and with what a patient is called and said."""
    data = visit()
    said = Happening(BEGAN, "comfort_words", Text("note.comfort_words", {"words": literal(words)}), "patient")
    return dataclasses.replace(
        data,
        patient=msgspec.structs.replace(data.patient, given_name=given_name),
        happenings=(*data.happenings, said),
        signals=tuple(_with_gap(signal) for signal in data.signals),
    )


def _with_gap(signal: Signal) -> Signal:
    """A sample each second for ten minutes, none between 1:00 and 1:30."""
    at = BEGAN + np.arange(600, dtype=np.int64) * 1_000_000
    level = (37.5 + 0.5 * np.sin(np.arange(600) / 30)).astype(np.float32)
    level[60:90] = np.nan
    return dataclasses.replace(
        signal, columns=Columns(at_us=at, low=level, high=level, mean=level, gaps=(), samples=True)
    )


def _procedure() -> ProcedureView:
    phases = [
        PhaseView(
            number=number,
            module=module.key,
            key=phase.key,
            tooth=36,
            seconds=60,
            dose_percent=50,
            state=PhaseState.DONE,
        )
        for module in load_modules()
        for number, phase in enumerate(module.phases, 1)
    ]
    plan = Plan(
        modules=tuple(
            ModulePlan(module=module.key, choice=choice, teeth=(36,))
            for module, choice in zip(load_modules(), Choice, strict=False)
        ),
        own_limits=(Limit(channel="pulp_temperature", high=38.0, owner=LimitOwner.PATIENT, reason="limit.reason.own"),),
    )
    return ProcedureView(
        visit_id="v",
        visit_code="V",
        patient_id="p",
        chair=1,
        step=Step.CLOSE,
        phases=tuple(phases),
        teeth=healthy_teeth(),
        plan=plan,
        signed_us=BEGAN + 650_000_000,
    )


def _signal(key: str) -> Signal:
    at = BEGAN + np.arange(10, dtype=np.int64) * 60_000_000
    level = np.full(10, 37.0, np.float32)
    columns = Columns(at_us=at, low=level, high=level + 1, mean=level, gaps=(), samples=False)
    limits = tuple(Limit(channel=key, high=39.0, owner=owner, reason="limit.reason.own") for owner in LimitOwner)
    return Signal(
        load_catalogue().key(key),
        columns,
        37.0,
        38.0,
        37.5,
        limits,
        ((BEGAN + 60_000_000, BEGAN + 90_000_000),),
        rest=37.25,
        ending=37.75,
    )


def _moments() -> Iterator[Happening]:
    kinds = [key.removeprefix("report.moment.") for key in WORDS.keys() if key.startswith("report.moment.")]  # noqa: SIM118
    for kind in sorted(kinds):
        values = {"words": "hm", "phase": "@module.repair.phase.seal_dentine", "name": "Dr Vale"}
        yield Happening(BEGAN, kind, Text(f"note.{kind}", dict(values)), "patient")
    for cause in holds():
        yield Happening(BEGAN, "held", Text(f"hold.{cause}.reason", {}), "device")


def holds() -> list[str]:
    return sorted({key.split(".")[1] for key in WORDS.keys() if key.startswith("hold.")})  # noqa: SIM118


def _alarms() -> Iterator[Alarm]:
    for number, kind in enumerate(load_alarms().kinds):
        text = Text(f"alarm.{kind}.text", {"name": "@channel.pulp_temperature.name"})
        yield Alarm(
            id=str(number),
            chair=1,
            kind=kind,
            priority=AlarmPriority.LOW,
            state=AlarmState.ENDED,
            text=text,
            remedy=text,
            began_us=BEGAN,
            ended_us=BEGAN + 60_000_000,
            latching=False,
        )
