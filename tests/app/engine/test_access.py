"""Every request of every role against a whole engine, compared with the table as a stranger would read it."""

import tomllib
import typing
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest

from app.engine.access import CANCEL_BACKUP, ENROL, FOUND, PATIENT_PAUSE
from app.engine.clock import ManualAsyncClock
from app.engine.house import Engine
from app.engine.redaction import CLINICAL, OPEN, Seen, cut_text
from app.engine.runtime import Folder
from app.engine.server import Session
from app.engine.service import Service
from app.engine_config import EngineConfig
from app.ipc import messages as ipc
from app.ipc.access_messages import AddCompanion
from app.ipc.clinical_messages import SearchHits, SearchRecords
from core.model.clinical import Attachment, Entry, Note
from core.model.datafile import read_resource
from core.model.intents import Intent, Pause
from core.model.people import Operator, Patient, Role
from core.model.procedure import Doubt
from core.model.search import Found
from core.model.words import Text, load_words
from core.people.demo import load_demo
from core.procedure.refusal import Refusal
from core.record import Record
from tests.app.engine.test_watch import treat

TABLE = tomllib.loads(read_resource("permissions.toml"))
ROLES: dict[str, list[str]] = {rule["name"]: rule["roles"] for rule in TABLE["act"]}
AT_THE_SERVER = (ipc.Stop, ipc.Subscribe, ipc.Alive)
"""Answered by the server itself, and never refused."""
PERSON = load_demo().patients[0].patient


@pytest.fixture
async def engine(tmp_path: Path) -> AsyncIterator[Engine]:
    folder = Folder.open(tmp_path / "data", simulated=True)
    nobody = "bumble:tcp-client:127.0.0.1:9"
    config = EngineConfig(
        data_folder=str(folder.root), radio=nobody, chairs=1, simulated=True, passphrase="simulated", sound=False
    )
    one = Engine(config, folder, ManualAsyncClock())
    try:
        await one.open()
        yield one
    finally:
        await one.close()


def service(engine: Engine) -> Service:
    """The one that answers this engine's consoles."""
    handler = engine.server._handler
    assert isinstance(handler, Service)
    return handler


def example(kind: type[msgspec.Struct]) -> msgspec.Struct:
    """A request of this type that says nothing in particular."""
    values: dict[str, object] = {}
    for field in msgspec.structs.fields(kind):
        if field.required:
            values[field.name] = _value(field.type)
    return kind(**values)


def _value(kind: object) -> object:
    known: dict[object, object] = {
        str: "x",
        int: 1,
        float: 0.0,
        bool: False,
        Patient: PERSON,
        Intent: Pause(),
        Doubt: Doubt.DOSE,
        Entry: Note(patient_id=PERSON.id, text="x"),
        Attachment: Attachment(patient_id=PERSON.id, name="x.txt"),
        bytes: b"x",
    }
    if typing.get_origin(kind) is tuple:
        return ()
    if typing.get_origin(kind) is dict:
        return {}
    if typing.get_origin(kind) is typing.Literal:
        return typing.get_args(kind)[0]
    return known[kind]


async def verdict(engine: Engine, body: ipc.Request, role: Role | None) -> str:
    """The code of the refusal, empty when it is served."""
    engine.people.operator = Operator(id=f"id-{role}", name=role, role=role) if role is not None else None
    try:
        reply = await service(engine).handle(body, Session(1, "console", 1, 0.0))
    except Refusal as refusal:
        said = [load_words().tell(text) for text in (refusal.text, refusal.remedy_text) if text is not None]
        assert not [line for line in said if "[" in line or "{" in line], said
        return refusal.code
    except Exception as error:
        return type(error).__name__
    return reply.code if isinstance(reply, ipc.Refused) else ""


async def test_every_request_of_every_role(engine: Engine) -> None:
    for kind in ipc.Request.__args__:
        allowed = ROLES[kind.__name__]
        if kind in AT_THE_SERVER:
            assert allowed == ["nobody"]
            continue
        body = typing.cast("ipc.Request", example(kind))
        for role in (None, *Role):
            code = await verdict(engine, body, role)
            if "nobody" in allowed or (role is not None and role in allowed):
                assert code not in ("role", "login"), f"{role} was kept from {kind.__name__}"
            else:
                assert code == ("login" if role is None else "role"), f"{role} was let into {kind.__name__}"


async def test_acts_that_their_request_alone_does_not_tell(engine: Engine) -> None:
    assert set(ROLES) - {kind.__name__ for kind in ipc.Request.__args__} == {
        ENROL,
        FOUND,
        PATIENT_PAUSE,
        CANCEL_BACKUP,
    }
    enrol = ipc.AttachDevice(chair=1, address="F0:01", kind="hub", serial="SH-1", enrol=True)
    found = [role for role in Role if await verdict(engine, enrol, role) != "role"]
    assert found == ROLES[ENROL]
    closed = [known.id for known in engine.people.operators()]
    assert await verdict(engine, ipc.AddOperator(name="Eve", role="dentist", pin="739154"), None) == "login"
    for known in closed:
        engine.practice_file.close_operator(known)
    assert await verdict(engine, ipc.AddOperator(name="Eve", role="assistant", pin="739154"), None) == "first_dentist"
    assert await verdict(engine, ipc.AddOperator(name="Eve", role="dentist", pin="739154"), None) == ""
    assert await verdict(engine, ipc.AddOperator(name="Eva", role="dentist", pin="739154"), None) == "login"


# what leaves the engine


def pushed(engine: Engine) -> str:
    """Everything that a console which attaches now is sent at once."""
    return repr(engine.server._newest)


def secrets_of(patient: Patient) -> list[str]:
    return [patient.given_name, patient.family_name, patient.birth_date, patient.phone, patient.allergies]


@pytest.mark.parametrize("role", [None, Role.ENGINEER, Role.AUDITOR])
async def test_who_may_not_see_patients_is_never_sent_one(engine: Engine, role: Role | None) -> None:
    chair = await treat(engine)
    visit = chair.visits.now
    assert visit is not None
    shown = [text for text in secrets_of(visit.patient) if text]
    await engine.operator_changed()
    assert all(text in pushed(engine) for text in shown), "a dentist sees all of it"
    engine.people.operator = Operator(id="x", name="x", role=role) if role is not None else None
    await engine.operator_changed()
    sent = pushed(engine)
    assert [text for text in [*shown, visit.patient.id] if text in sent.replace(visit.patient.code, "")] == []
    now = next(push for push in engine.server._newest.values() if isinstance(push, ipc.Chair))
    assert not now.shown
    assert now.procedure is not None
    assert now.procedure.treating, "that dose may flow is never hidden"
    assert now.procedure.phases
    assert not [phase for phase in now.procedure.phases if phase.tooth or phase.module]
    assert (now.procedure.plan, now.procedure.comfort, now.procedure.teeth, now.values) == (None, {}, (), {})


async def test_an_auditor_gets_codes_and_a_dentist_names(engine: Engine) -> None:
    engine.people.operator = Operator(id="x", name="x", role=Role.AUDITOR)
    reply = await service(engine).handle(ipc.ListPatients(), Session(1, "console", 1, 0.0))
    assert isinstance(reply, ipc.Patients)
    assert {one.given_name for one in reply.patients} == {one.code for one in reply.patients}
    assert not [one for one in reply.patients if one.birth_date or one.phone or one.family_name or one.allergies]


async def test_an_auditor_is_not_told_by_a_name_whose_code_it_is(engine: Engine) -> None:
    patient = load_demo().patients[0].patient
    engine.people.operator = Operator(id="x", name="x", role=Role.AUDITOR)

    async def listed(query: str) -> list[str]:
        reply = await service(engine).handle(ipc.ListPatients(query=query), Session(1, "console", 1, 0.0))
        assert isinstance(reply, ipc.Patients)
        return [one.id for one in reply.patients]

    assert await listed(patient.family_name) == []
    assert await listed(patient.code) == [patient.id]


async def test_nobody_reads_every_patient_to_find_one(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Record, "patients", None)
    patient = load_demo().patients[2].patient
    for body in (
        ipc.ListPatients(query=patient.family_name),
        ipc.SeatPatient(chair=1, patient_id=patient.id),
        ipc.CorrectPatient(patient=msgspec.structs.replace(patient, phone="1"), reason="called"),
        AddCompanion(
            name="Jo", pin="739154", patient_id=patient.id, live=True, reports=False, history=False, days=1, how="aloud"
        ),
    ):
        reply = await service(engine).handle(body, Session(1, "console", 1, 0.0))
        assert not isinstance(reply, ipc.Refused)


async def test_who_sits_in_a_chair_is_shown_as_corrected_at_once(engine: Engine) -> None:
    chair = await treat(engine)
    visit = chair.visits.now
    assert visit is not None
    corrected = msgspec.structs.replace(visit.patient, given_name="Dariusz", allergies="penicillin")
    reply = await service(engine).handle(
        ipc.CorrectPatient(patient=corrected, reason="passport"), Session(1, "console", 1, 0.0)
    )
    assert reply == ipc.Done(id=visit.patient.id)
    engine.news.send_all()
    shown = next(push for push in engine.server._newest.values() if isinstance(push, ipc.Chair) and push.number == 1)
    assert shown.patient is not None
    assert (shown.patient.given_name, shown.patient.allergies) == ("Dariusz", "penicillin")
    assert shown.patient.version == visit.patient.version + 1
    assert await chair.do(lambda record: record.patient(visit.patient.id)) == shown.patient, "and after a restart"


async def test_an_auditor_searches_by_codes_alone(engine: Engine) -> None:
    seated = await treat(engine)
    visit = seated.visits.now
    assert visit is not None
    patient, operator = visit.patient, engine.people.operator
    assert operator is not None
    await seated.do(
        lambda record: record.entries.add(
            Note(id="n", patient_id=patient.id, text="Whispered"), author=operator.id, at_us=visit.summary.began_us
        )
    )

    async def found(query: str) -> tuple[Found, ...]:
        reply = await service(engine).handle(SearchRecords(query=query), Session(1, "console", 1, 0.0))
        assert isinstance(reply, SearchHits), reply
        return reply.hits

    assert [hit.kind for hit in await found("whispered")] == ["note"]
    assert patient.id in {hit.patient.id for hit in await found(patient.family_name)}
    engine.people.operator = Operator(id="x", name="x", role=Role.AUDITOR)
    await engine.operator_changed()
    assert await found("whispered") == await found(patient.family_name) == (), "that it is found would tell"
    by_code = await found(patient.code)
    assert {hit.patient.id for hit in by_code} == {patient.id}
    everybody = await found("")
    assert len(everybody) > 1
    assert [text for text in secrets_of(patient) if text and text in repr((by_code, everybody))] == []


def test_no_sentence_of_ours_names_more_than_is_cut() -> None:
    free = Text("note.comfort_words", {"words": "Ask Darius", "patient": "D. H.", "tooth": 36, "seconds": 5})
    cut = cut_text(free, Seen(course=True))
    assert cut.values == {"words": "@cut.hidden", "patient": "@cut.patient", "tooth": "@cut.treatment", "seconds": 5}
    assert load_words().tell(Text("log.seated", cut.values)) == "The patient seated"
    assert not OPEN & CLINICAL
    assert not OPEN & {"words", "patient", "reason", "label", "note", "text", "said"}
