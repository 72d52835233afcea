"""A visit with something of everything, in a real encrypted record."""

from collections.abc import Iterable
from pathlib import Path

import msgspec
import numpy as np

from core.model.alarm import Alarm, AlarmPriority, AlarmState
from core.model.block import Provenance, SampleBlock
from core.model.clock import ManualClock
from core.model.limits import Limit, LimitOwner
from core.model.people import Patient, ToothState, VisitSummary
from core.model.procedure import Choice, Envelope, ModulePlan, PhaseState, PhaseView, Plan, ProcedureView, Step
from core.model.words import Text
from core.record import Record, StampedBlock
from core.signals.catalogue import load_catalogue

KEY = bytes(range(32))
BEGAN = 1_800_000_000_000_000
S = 1_000_000
LASTED_S = 120
DENTIST, HELPER = "0190a000-0000-7000-8000-00000000000a", "0190a000-0000-7000-8000-00000000000b"

PATIENT = Patient(
    id="0190a000-0000-7000-8000-000000000001",
    version=1,
    code="P-7KQ2-MXC",
    given_name="Ilse",
    family_name="Ferrand",
    birth_date="1987-05-19",
    allergies="penicillin",
    phone="0123 456",
)
VISIT = VisitSummary(
    id="0190a000-0000-7000-8000-000000000002",
    patient_id=PATIENT.id,
    code="V-7KQ2MC",
    chair=1,
    began_us=BEGAN,
    ended_us=None,
    state="open",
    title_key="visit.title.procedure",
)
PLAN = Plan(
    modules=(
        ModulePlan(module="repair", choice=Choice.GENTLER, teeth=(36, 11), dose_percent=60),
        ModulePlan(module="balance", choice=Choice.DECLINED),
        ModulePlan(module="augment", choice=Choice.INCLUDED),
    ),
    own_limits=(Limit(channel="pulp_temperature", owner=LimitOwner.PATIENT, high=38.0),),
)


def envelope(version: int) -> Envelope:
    return Envelope(
        id=f"0190a000-0000-7000-8000-0000000000e{version}",
        version=version,
        patient_id=PATIENT.id,
        visit_id=VISIT.id,
        plan=PLAN,
        limits=(),
        signed_by="aloud",
        witness=HELPER,
        signed_us=BEGAN + 20 * S + version,
        sha256=bytes([version]) * 32,
    )


def view(**changes: object) -> ProcedureView:
    states = {
        11: (PhaseState.DONE, PhaseState.SKIPPED),
        36: (PhaseState.DONE, PhaseState.DONE),
        0: (PhaseState.WAITING,),
    }
    phases = [
        PhaseView(
            number=number,
            module="repair" if tooth else "augment",
            key=("seal_dentine", "verify_seal")[place] if tooth else "place_sensors",
            tooth=tooth,
            seconds=60,
            dose_percent=60,
            state=state,
            elapsed_s=60.0 if state is PhaseState.DONE else 0.0,
        )
        for number, (tooth, place, state) in enumerate(
            [(tooth, place, state) for tooth, both in states.items() for place, state in enumerate(both)], 1
        )
    ]
    made = ProcedureView(
        visit_id=VISIT.id,
        visit_code=VISIT.code,
        patient_id=PATIENT.id,
        chair=1,
        step=Step.CLOSE,
        comfort={f"mdas{item}": item % 3 + 1 for item in range(1, 6)},
        plan=PLAN,
        envelope=envelope(2),
        phases=tuple(phases),
        teeth=(
            ToothState(fdi=36, finding="MO", done="O", icdas=3, note="sensitive to cold"),
            ToothState(fdi=18, missing=True),
            ToothState(fdi=21, filled="O"),
            ToothState(fdi=22),
            ToothState(fdi=11),
        ),
        signed_by=DENTIST,
        signed_us=BEGAN + 110 * S,
        closed=True,
    )
    return msgspec.structs.replace(made, **changes)


def block(
    channel: str,
    raw: Iterable[int],
    *,
    at_s: float = 1.0,
    first: int = 0,
    start_us: int | None = None,
    provenance: Provenance = Provenance.LIVE,
    stretch: float = 1.0,
) -> StampedBlock:
    """Samples of a channel from `at_s` seconds after the visit began; index and hub time go on from `first`."""
    spec = load_catalogue().key(channel)
    samples = np.array(list(raw), np.int16)
    start = first * spec.period_us if start_us is None else start_us
    made = SampleBlock(spec.number, 1, first, start, spec.period_us, samples, provenance)
    utc_us = BEGAN + round(at_s * S)
    return StampedBlock(made, utc_us, utc_us + round(len(samples) * spec.period_us * stretch))


def limit_alarm(identity: str = "0190a000-0000-7000-8000-0000000000f1", **changes: object) -> Alarm:
    made = Alarm(
        id=identity,
        kind="limit.high",
        chair=1,
        priority=AlarmPriority.HIGH,
        state=AlarmState.ENDED,
        text=Text("alarm.limit.high.text", {"channel": "@channel.pulp_temperature.name", "value": 39.2}),
        remedy=Text("alarm.limit.high.remedy"),
        latching=True,
        began_us=BEGAN + 60 * S,
        ended_us=BEGAN + 70 * S,
        acknowledged_by=HELPER,
        channel="pulp_temperature",
        value=39.2,
    )
    return msgspec.structs.replace(made, **changes)


def write(
    path: Path,
    *blocks: tuple[str, StampedBlock],
    patient: Patient = PATIENT,
    procedure: ProcedureView | None = None,
    simulated: bool = False,
    visit: VisitSummary = VISIT,
) -> Path:
    """A closed record with one visit; `blocks` by the name of their device."""
    clock = ManualClock(utc_us=BEGAN + (LASTED_S + 60) * S)
    record = Record.create(path, KEY, chair=visit.chair, simulated=simulated, clock=clock)
    visit = msgspec.structs.replace(visit, simulated=simulated)
    shown = view() if procedure is None else procedure
    with record.transaction():
        record.save_patient(
            msgspec.structs.replace(patient, simulated=simulated), author=HELPER, reason="x", at_us=BEGAN
        )
        record.begin_visit(visit)
        body = {"visit": visit.id, "patient": patient.id}
        record.audit("visit.begun", actor=HELPER, at_us=visit.began_us, body=body)
        record.audit("event.link", actor="workstation", at_us=visit.began_us, body={"visit": None})
        first = msgspec.structs.replace(shown, envelope=envelope(1), signed_by=None, closed=False)
        record.save_procedure(first, author=HELPER, at_us=visit.began_us + S)
        record.save_procedure(shown, author=DENTIST, at_us=visit.began_us + 2 * S)
        for number, at in ((1, 30), (3, 50), (4, 70)):
            ordered = Text("note.phase_ordered", {"number": number, "phase": "@x", "module": "@x", "where": 11})
            record.add_event("phase_ordered", ordered, at_us=visit.began_us + at * S, visit_id=visit.id, author=DENTIST)
            done = msgspec.structs.replace(ordered, key="note.phase_done")
            at_us = visit.began_us + (at + 9) * S
            record.add_event("phase_done", done, at_us=at_us, visit_id=visit.id, author="workstation")
        for code, actor in ((0, DENTIST), (0x25, DENTIST)):
            receipt: dict[str, object] = {"visit": visit.id, "opcode": 16, "code": code, "raw": b"signed"}
            record.audit("command.receipt", actor=actor, at_us=visit.began_us + 31 * S, body=receipt)
        record.audit("view", actor=HELPER, at_us=visit.began_us + 115 * S, body={"patient": patient.id})
        record.audit("view", actor=HELPER, at_us=visit.began_us + 116 * S, body={"patient": "somebody else"})
        if shown.signed_by is not None:
            signed = Text("note.signed", {"name": "Dr Vale", "note": "Went well."})
            record.add_event("signed", signed, at_us=visit.began_us + 110 * S, visit_id=visit.id, author=DENTIST)
        record.save_alarm(limit_alarm())
        record.save_alarm(limit_alarm("0190a000-0000-7000-8000-0000000000f2", kind="link.lost"))
        record.save_alarm(limit_alarm("0190a000-0000-7000-8000-0000000000f3", began_us=BEGAN - 1))
        for source, one in blocks:
            record.add_blocks(source, [one], visit.id)
        record.end_visit(visit.id, visit.began_us + LASTED_S * S, "complete", (36,), "visit.title.procedure")
    record.close()
    return path


def everything() -> list[tuple[str, StampedBlock]]:
    """Hub, belt, oximeter and thermometer."""
    wave = np.round(3600 + 40 * np.sin(np.arange(900) / 40)).astype(int)
    return [
        ("SIM-1", block("pulp_temperature", wave)),
        ("SIM-1", block("jaw_emg", (np.arange(5_500) * 7919) % 4001 - 2000)),
        ("SIM-1", block("spo2", [975] * 60)),
        ("C2:5A", block("heart_rate", [70 + beat % 5 for beat in range(60)])),
        ("C2:5B", block("spot_spo2", [970], at_s=5)),
        ("C2:5B", block("spot_pulse", [705], at_s=5)),
        ("C2:5C", block("body_temperature", [3655], at_s=8)),
    ]
