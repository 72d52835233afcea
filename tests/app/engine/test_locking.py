"""The lock after idle, emergencies, companions and who looked, on a whole engine with a clock that the test moves."""

from collections.abc import AsyncIterator
from pathlib import Path

import argon2
import msgspec
import pytest
from argon2.profiles import CHEAPEST

from app.engine.clock import ManualAsyncClock, settle
from app.engine.emergency_desk import SECONDS, EmergencyDesk
from app.engine.house import Engine
from app.engine.idle import DEFAULT_MINUTES, attended
from app.engine.runtime import Folder
from app.engine.server import Session
from app.engine_config import EngineConfig
from app.ipc import messages as ipc
from app.ipc.access_messages import (
    Active,
    AddCompanion,
    EndEmergency,
    ListViews,
    OpenInEmergency,
    PrintViews,
    SeenEmergency,
    SetLock,
    SetNames,
    Views,
    WithdrawCompanion,
)
from app.ipc.export_messages import ExportFhir, MakePack
from app.ipc.refusals import as_refused
from core.model import cbor
from core.model.access import View
from core.model.intents import Pause, Resume
from core.model.people import Operator, Patient, Role
from core.model.procedure import STEPS, HoldOrigin, ProcedureView, Step
from core.model.words import load_words
from core.people.demo import load_demo
from core.record import RecordReader
from tests.app.engine.test_access import secrets_of, service
from tests.app.engine.test_watch import treat

PIN = "739154"
MINUTE = 60.0
LONG = DEFAULT_MINUTES * MINUTE + 1
WHY = "He collapsed, nobody else is here"


@pytest.fixture(autouse=True)
def cheap(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core.keys.wrapping.RFC_9106_LOW_MEMORY", CHEAPEST)
    monkeypatch.setattr("core.people.pin._hasher", argon2.PasswordHasher.from_parameters(CHEAPEST))


@pytest.fixture
def clock() -> ManualAsyncClock:
    return ManualAsyncClock()


@pytest.fixture
async def engine(tmp_path: Path, clock: ManualAsyncClock) -> AsyncIterator[Engine]:
    folder = Folder.open(tmp_path / "data", simulated=True)
    nobody = "bumble:tcp-client:127.0.0.1:9"
    config = EngineConfig(
        data_folder=str(folder.root), radio=nobody, chairs=2, simulated=True, passphrase="simulated", sound=False
    )
    one = Engine(config, folder, clock)
    try:
        await one.open()
        one.server._sessions[None] = Session(1, "console", 1, clock.monotonic())  # type: ignore[index]
        yield one
        one.server._sessions.clear()
    finally:
        await one.close()


async def ask(engine: Engine, body: ipc.Request) -> ipc.Reply:
    try:
        return await service(engine).handle(body, Session(1, "console", 1, 0.0))
    except Exception as error:
        return as_refused(error)


async def no(engine: Engine, body: ipc.Request) -> str:
    reply = await ask(engine, body)
    assert isinstance(reply, ipc.Refused), reply
    said = [load_words().tell(text) for text in (reply.text, reply.remedy) if text is not None]
    assert not [line for line in said if "[" in line or "{" in line], said
    return reply.code


async def done(engine: Engine, body: ipc.Request) -> str:
    reply = await ask(engine, body)
    assert isinstance(reply, ipc.Done), reply
    return reply.id


async def somebody(engine: Engine, role: Role) -> Operator:
    """An account, made by the demo's dentist, and logged in."""
    await done(engine, ipc.Login(operator_id=load_demo().operator.id))
    made = await done(engine, ipc.AddOperator(name=f"{role.value.title()} One", role=role.value, pin=PIN))
    return await enter(engine, made)


async def enter(engine: Engine, operator_id: str) -> Operator:
    await done(engine, ipc.Login(operator_id=operator_id, pin=PIN))
    operator = who(engine)
    assert operator is not None
    return operator


def who(engine: Engine) -> Operator | None:
    """Who is logged in now."""
    return engine.people.operator


def sent(engine: Engine) -> str:
    return repr(engine.server._newest)


def station(engine: Engine) -> ipc.Workstation:
    return next(push for push in engine.server._newest.values() if isinstance(push, ipc.Workstation))


def named(engine: Engine, patient: Patient) -> bool:
    return any(text in sent(engine) for text in secrets_of(patient) if text)


# idle


async def test_who_touches_nothing_is_locked_out_and_who_touches_is_not(
    engine: Engine, clock: ManualAsyncClock
) -> None:
    dentist = await somebody(engine, Role.DENTIST)
    assert engine.keys_desk.clinician(dentist.id) is not None
    for _ in range(3):
        clock.advance(LONG - 2)
        await done(engine, Active())
        engine.screen.look()
    assert who(engine) is not None
    clock.advance(LONG)
    engine.screen.look()
    assert who(engine) is None
    assert not engine.keys_desk.unlocked, "the key is closed with it"
    assert station(engine).operator is None, "and the screens hear of it at once"
    await settle()


async def test_the_time_can_be_set_by_a_dentist_within_bounds(engine: Engine, clock: ManualAsyncClock) -> None:
    await somebody(engine, Role.ASSISTANT)
    assert await no(engine, SetLock(minutes=2)) == "role"
    await somebody(engine, Role.DENTIST)
    assert [await no(engine, SetLock(minutes=minutes)) for minutes in (0, 16)] == ["lock_minutes"] * 2
    await done(engine, SetLock(minutes=2))
    clock.advance(2 * MINUTE + 1)
    engine.screen.look()
    assert who(engine) is None


async def test_a_wall_clock_that_is_set_locks_nobody_out(engine: Engine, clock: ManualAsyncClock) -> None:
    await somebody(engine, Role.DENTIST)
    clock.jump_wall(86_400)
    engine.screen.look()
    assert who(engine) is not None


async def test_nobody_who_treats_is_locked_out_but_names_go(engine: Engine, clock: ManualAsyncClock) -> None:
    await somebody(engine, Role.DENTIST)
    chair = await treat(engine)
    visit = chair.visits.now
    assert visit is not None
    engine.news.send([1], workstation=True)
    assert named(engine, visit.patient)
    clock.advance(LONG)
    engine.screen.look()
    assert who(engine) is not None
    assert engine.keys_desk.unlocked, "orders can still be signed"
    assert station(engine).dimmed
    shown = engine.server._newest[("Chair", 1)]
    assert isinstance(shown, ipc.Chair)
    assert shown.procedure is not None
    assert shown.procedure.plan is not None, "all that treats stays"
    assert shown.patient is not None
    assert visit.patient.given_name not in sent(engine)
    assert visit.patient.birth_date not in sent(engine)
    await done(engine, Active())
    assert not station(engine).dimmed
    assert named(engine, visit.patient)


@pytest.mark.parametrize("step", STEPS)
def test_who_is_with_a_patient_from_consent_to_recovery_is_not_locked_out(step: Step) -> None:
    view = ProcedureView(visit_id="v", visit_code="V-1", patient_id="p", chair=1, step=step)
    assert attended(view) is (step in STEPS[STEPS.index(Step.CONSENT) : STEPS.index(Step.CLOSE)])
    assert not attended(msgspec.structs.replace(view, closed=True))
    assert not attended(None)


async def test_an_engineer_is_locked_out_whoever_is_treated(engine: Engine, clock: ManualAsyncClock) -> None:
    await somebody(engine, Role.ENGINEER)
    await treat(engine)
    clock.advance(LONG)
    engine.screen.look()
    assert who(engine) is None


async def test_the_lock_falls_when_the_treatment_is_over(engine: Engine, clock: ManualAsyncClock) -> None:
    await somebody(engine, Role.DENTIST)
    chair = await treat(engine)
    visit = chair.visits.now
    assert visit is not None
    clock.advance(LONG)
    engine.screen.look()
    assert station(engine).dimmed
    visit.runner.machine.view = msgspec.structs.replace(visit.view, step=Step.CLOSE)
    engine.screen.look()
    assert who(engine) is None


async def test_a_wake_from_sleep_locks(engine: Engine, clock: ManualAsyncClock) -> None:
    await somebody(engine, Role.DENTIST)
    await treat(engine)
    clock.suspend(30)
    engine.watch.look()
    assert who(engine) is None


async def test_the_demos_operator_has_no_pin_and_is_never_locked_out(engine: Engine, clock: ManualAsyncClock) -> None:
    clock.suspend(9 * LONG)
    clock.advance(9 * LONG)
    engine.watch.look()
    assert engine.people.operator == load_demo().operator


async def test_a_locked_workstation_tells_alarms_and_quiets_them(engine: Engine) -> None:
    await treat(engine)
    engine.alarms.raise_("command.unknown", 1)
    await done(engine, ipc.Logout())
    engine.news.send_all()
    (alarm,) = (one for one in station(engine).alarms if one.chair == 1)
    assert load_words().tell(alarm.text)
    await done(engine, ipc.PauseAudio(seconds=120))
    assert await no(engine, ipc.AlarmSeen(alarm_id=alarm.id)) == "login", "who has seen it is a person"
    service(engine).stop(1)
    assert engine.chairs[1].view is not None
    assert engine.chairs[1].view.hold is not None


@pytest.mark.parametrize("role", [None, Role.ENGINEER, Role.DENTIST])
async def test_a_patient_pauses_whoever_is_logged_in(engine: Engine, role: Role | None) -> None:
    chair = await treat(engine)
    if role is not None:
        await somebody(engine, role)
    else:
        await done(engine, ipc.Logout())
    if role is not Role.DENTIST:
        mine = ipc.Act(chair=1, revision=0, intent=Pause())
        assert await no(engine, mine) == ("login" if role is None else "role")
    await done(engine, ipc.Act(chair=1, revision=0, intent=Pause(by="patient")))
    assert chair.view is not None
    assert chair.view.hold is not None
    assert chair.view.hold.origin is HoldOrigin.PATIENT


# a switch


async def test_a_switch_takes_one_step_and_the_other_ones_reader_goes(engine: Engine) -> None:
    first = await somebody(engine, Role.DENTIST)
    second = await somebody(engine, Role.ASSISTANT)
    reader = engine.reader.pid
    assert await no(engine, ipc.Login(operator_id=first.id, pin="000000")) == "pin"
    assert engine.people.operator == second
    assert engine.reader.pid == reader
    await enter(engine, first.id)
    assert engine.reader.pid not in (None, reader)


# emergencies


async def test_an_emergency_opens_one_patient_for_a_while_and_is_told(engine: Engine, clock: ManualAsyncClock) -> None:
    chair = await treat(engine)
    visit = chair.visits.now
    assert visit is not None
    patient, other = visit.patient, load_demo().patients[1].patient
    engineer = await somebody(engine, Role.ENGINEER)
    assert not named(engine, patient)
    assert await no(engine, ipc.GetTimeline(patient_id=patient.id)) == "role"
    assert await no(engine, OpenInEmergency(chair=1, reason="   too short    ")) == "emergency_reason"
    assert await no(engine, OpenInEmergency(chair=2, reason=WHY)) == "emergency_nobody"
    await done(engine, OpenInEmergency(chair=1, reason=WHY))
    assert named(engine, patient), "the push is whole"
    timeline = await ask(engine, ipc.GetTimeline(patient_id=patient.id))
    assert isinstance(timeline, ipc.Timeline)
    assert timeline.patient == patient
    found = await ask(engine, ipc.ListPatients())
    assert isinstance(found, ipc.Patients)
    assert found.patients == (patient,)
    assert await no(engine, ipc.GetTimeline(patient_id=other.id)) == "role", "nobody else's"
    for body in (
        ipc.Act(chair=1, revision=0, intent=Resume()),
        ipc.MakeReport(chair=1, visit_id=visit.summary.id, path="/nowhere/report.pdf"),
        ExportFhir(chair=1, visit_id=visit.summary.id, path="/nowhere"),
        MakePack(patient_id=patient.id, folder="/nowhere", name="pack"),
        ipc.AddOperator(name="Eve", role="dentist", pin=PIN),
        ipc.CloseOperator(operator_id=engineer.id),
    ):
        assert await no(engine, body) == "role", "it is for reading"
    clock.advance(SECONDS + 1)
    engine.screen.idle.touched()
    engine.screen.look()
    assert not named(engine, patient)
    assert await no(engine, ipc.GetTimeline(patient_id=patient.id)) == "role"
    assert await no(engine, SeenEmergency(emergency_id=station(engine).emergencies[0].id)) == "role"
    views = await looked(engine, patient)
    assert {(view.kind, view.emergency) for view in views if view.who == engineer.name} >= {
        ("live", True),
        ("timeline", True),
    }
    (told,) = station(engine).emergencies
    assert (told.reason, told.who, told.ended_us) == (WHY, engineer.name, told.until_us)
    assert engine.notice is not None
    assert engineer.name in load_words().tell(engine.notice)
    await done(engine, SeenEmergency(emergency_id=told.id))
    engine.news.send([], workstation=True)
    assert station(engine).emergencies == ()
    assert await no(engine, SeenEmergency(emergency_id=told.id)) == "emergency_gone"
    kinds = [kind for kind, _ in await audited(engine, 1)]
    assert [kind for kind in kinds if kind.startswith("access.emergency")] == [
        "access.emergency_opened",
        "access.emergency_ended",
        "access.emergency_seen",
    ]


async def test_an_emergency_ends_with_the_login_and_outlives_no_restart(engine: Engine, tmp_path: Path) -> None:
    chair = await treat(engine)
    visit = chair.visits.now
    assert visit is not None
    engineer = await somebody(engine, Role.ENGINEER)
    await done(engine, OpenInEmergency(chair=1, reason=WHY))
    await done(engine, ipc.Logout())
    assert not named(engine, visit.patient)
    await enter(engine, engineer.id)
    assert not named(engine, visit.patient)
    await done(engine, OpenInEmergency(chair=1, reason=WHY))
    await done(engine, EndEmergency())
    assert not named(engine, visit.patient)
    again = EmergencyDesk(engine.practice_file, engine.clock)
    assert len(again.standing) == 2
    assert again.current is None


# companions


async def companion(engine: Engine, **scope: bool) -> tuple[str, Patient]:
    """Somebody whom the first patient, who sits in chair 1, lets see what `scope` says."""
    chair = await treat(engine)
    visit = chair.visits.now
    assert visit is not None
    await done(engine, ipc.Login(operator_id=load_demo().operator.id))
    agreed = {"live": True, "reports": False, "history": False, **scope}
    body = AddCompanion(name="Anna Hale", pin=PIN, patient_id=visit.patient.id, days=2, how="aloud", **agreed)
    return await done(engine, body), visit.patient


async def test_a_companion_sees_the_one_patient_as_far_as_agreed(engine: Engine) -> None:
    account, patient = await companion(engine, history=True)
    other = load_demo().patients[1].patient
    await engine.chairs[2].seat(other, (), load_demo().operator)
    await enter(engine, account)
    assert named(engine, patient)
    assert not named(engine, other)
    assert engine.server._newest[("Chair", 2)].shown is False  # type: ignore[union-attr]
    timeline = await ask(engine, ipc.GetTimeline(patient_id=patient.id))
    assert isinstance(timeline, ipc.Timeline)
    assert timeline.patient.name == patient.name
    assert await no(engine, ipc.GetTimeline(patient_id=other.id)) == "patient"
    visit = engine.chairs[1].visits.now
    assert visit is not None
    assert isinstance(await ask(engine, ipc.GetVisit(chair=1, visit_id=visit.summary.id)), ipc.VisitDetail)
    second = engine.chairs[2].visits.now
    assert second is not None
    assert await no(engine, ipc.GetVisit(chair=2, visit_id=second.summary.id)) == "patient"
    report = ipc.MakeReport(chair=1, visit_id=visit.summary.id, path="/nowhere/report.pdf")
    assert await no(engine, report) == "patient", "reports were not agreed to"
    found = await ask(engine, ipc.ListPatients())
    assert isinstance(found, ipc.Patients)
    assert [one.id for one in found.patients] == [patient.id]
    assert await no(engine, ipc.ListLog()) == "role"
    assert await no(engine, OpenInEmergency(chair=2, reason=WHY)) == "role"


async def test_without_the_live_view_a_companion_sees_no_treatment(engine: Engine) -> None:
    account, _ = await companion(engine, live=False, reports=True)
    await enter(engine, account)
    shown = engine.server._newest[("Chair", 1)]
    assert isinstance(shown, ipc.Chair)
    assert not shown.shown
    assert shown.values == {}


async def test_what_was_agreed_ends_at_once_when_it_is_taken_back_and_when_its_time_is_over(
    engine: Engine, clock: ManualAsyncClock
) -> None:
    account, patient = await companion(engine, history=True)
    await enter(engine, account)
    assert await no(engine, WithdrawCompanion(operator_id=account)) == "role"
    clock.jump_wall(3 * 86_400)
    assert await no(engine, ipc.GetTimeline(patient_id=patient.id)) == "companion_over"
    engine.screen.look()
    assert who(engine) is None
    assert await no(engine, ipc.Login(operator_id=account, pin=PIN)) == "companion_over"
    clock.jump_wall(-3 * 86_400)
    await enter(engine, account)
    agreed = engine.people.companions
    assert agreed.of(engine.people.operator) is not None
    await done(engine, ipc.Login(operator_id=load_demo().operator.id))
    await done(engine, WithdrawCompanion(operator_id=account))
    assert await no(engine, ipc.Login(operator_id=account, pin=PIN)) == "unknown_operator"
    assert "access.companion_withdrawn" in [kind for kind, _ in await audited(engine, 1)]


async def test_nobody_agrees_to_nothing_or_for_ever(engine: Engine) -> None:
    patient = load_demo().patients[0].patient
    good = AddCompanion(
        name="Anna", pin=PIN, patient_id=patient.id, live=True, reports=False, history=False, days=2, how="aloud"
    )
    for change in ({"live": False}, {"days": 0}, {"days": 366}, {"how": "assumed"}):
        assert await no(engine, msgspec.structs.replace(good, **change)) == "companion_scope"
    assert await no(engine, msgspec.structs.replace(good, patient_id="nobody")) == "unknown_patient"
    assert await no(engine, ipc.AddOperator(name="Anna", role="companion", pin=PIN)) == "role_companion"
    assert [one.role for one in engine.people.operators()] == [Role.DENTIST]


async def test_on_a_locked_screen_companions_have_initials(engine: Engine) -> None:
    await companion(engine)
    await done(engine, ipc.Logout())
    assert "Hale" not in sent(engine)
    assert "A. H." in [one.name for one in station(engine).operators]


# who looked


async def looked(engine: Engine, patient: Patient) -> list[View]:
    """As a dentist asks for it."""
    await done(engine, ipc.Login(operator_id=load_demo().operator.id))
    reply = await ask(engine, ListViews(patient_id=patient.id))
    assert isinstance(reply, Views)
    return list(reply.views)


async def test_who_looked_can_be_shown_over_all_chairs(engine: Engine, clock: ManualAsyncClock) -> None:
    chair = await treat(engine)
    visit = chair.visits.now
    assert visit is not None
    patient, other = visit.patient, load_demo().patients[1].patient
    await done(engine, ipc.Login(operator_id=load_demo().operator.id))
    await ask(engine, ipc.GetTimeline(patient_id=patient.id))
    clock.advance(1)
    await ask(engine, ipc.GetVisit(chair=1, visit_id=visit.summary.id))
    for _ in range(3):
        await ask(
            engine,
            ipc.ReadRange(chair=1, visit_id=visit.summary.id, channels=(), from_us=0, to_us=10, columns=5),
        )
    await ask(engine, ipc.ListPatients(query=patient.family_name))
    views = await looked(engine, patient)
    assert sorted(view.kind for view in views) == ["list", "live", "live", "signals", "timeline", "views", "visit"]
    assert {(view.who, view.role, view.emergency) for view in views} == {(load_demo().operator.name, "dentist", False)}
    assert [view.at_us for view in views] == sorted((view.at_us for view in views), reverse=True)
    assert [view.kind for view in await looked(engine, other)] == ["views"]


async def test_the_list_is_written_for_the_patient_and_that_is_a_look_too(engine: Engine, tmp_path: Path) -> None:
    patient = load_demo().patients[0].patient
    await done(engine, ipc.Login(operator_id=load_demo().operator.id))
    path = tmp_path / "V-1-looks-zh.pdf"
    made = await ask(engine, PrintViews(patient_id=patient.id, path=str(path), language="zh"))
    assert isinstance(made, ipc.ReportMade), made
    assert path.read_bytes().startswith(b"%PDF")
    assert await no(engine, PrintViews(patient_id="nobody", path=str(path))) == "reader.no_patient"
    assert await no(engine, PrintViews(patient_id=patient.id, path=str(path), language="la")) == "words"
    assert [view.kind for view in await looked(engine, patient)] == ["views"] * 3
    await somebody(engine, Role.AUDITOR)
    assert await no(engine, PrintViews(patient_id=patient.id, path=str(path))) == "role"


async def test_whether_names_are_shown_is_kept_and_a_dentists_to_say(engine: Engine) -> None:
    await done(engine, ipc.Login(operator_id=load_demo().operator.id))
    assert not station(engine).names_shown
    await done(engine, SetNames(shown=True))
    engine.news.send_all()
    assert station(engine).names_shown
    assert engine.practice_file.setting("names.shown") == "true"
    assert "access.names_shown" in [kind for kind, _ in await audited(engine, 1)]
    await somebody(engine, Role.ASSISTANT)
    assert await no(engine, SetNames(shown=False)) == "role"
    assert station(engine).names_shown


async def audited(engine: Engine, chair: int) -> list[tuple[str, dict[str, object]]]:
    found: list[tuple[str, dict[str, object]]] = []
    await engine.chairs[chair].do(lambda record: None)
    file = engine._reader_files[chair - 1]
    with RecordReader.open(Path(file.path), file.key) as record:
        start = 0
        while page := record.audit_entries(start):
            start += len(page)
            for entry in page:
                plain = cbor.decode(entry.entry)
                assert isinstance(plain, dict)
                found.append((plain["kind"], plain["body"]))
    return found
