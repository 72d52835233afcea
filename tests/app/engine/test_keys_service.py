"""Keys as the console asks for them: who may, what is written down, and that no secret ever leaves the engine."""

import base64
import logging
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from app.engine.access import Access
from app.engine.clock import ManualAsyncClock
from app.engine.house_log import write_down
from app.engine.keys_desk import KeysDesk
from app.engine.people_desk import PeopleDesk, no
from app.engine.recorder import Recorder
from app.engine.server import Session
from app.engine.service import Service
from app.ipc import key_messages as keys_ipc
from app.ipc import messages as ipc
from app.ipc.messages import AddOperator, Answer, Ask, AttachDevice, CloseOperator, Done, Login, Logout, Refused, Reply
from app.ipc.refusals import as_refused
from core.model import cbor
from core.model.cose import KeySigner
from core.model.keys import KeyKind, KeyRow, KeyState
from core.model.people import Role
from core.model.words import Text, load_words
from core.record import Record, RecordReader
from core.record.practice import PracticeFile
from devices.hub.errors import HubUnreachable
from devices.simulator.session.edhoc import KeyPair

PIN, OTHER_PIN, THIRD_PIN = "739154", "286413", "918273"
SERIAL = "SH-0001"


@dataclass
class Hub:
    """The driver of a hub that does what it is asked, or does not answer."""

    desk: KeysDesk
    away: bool = False
    asked: list[str] = field(default_factory=list)

    async def rekey(self) -> None:
        await self._enrol("rekey")

    async def renew_certificate(self) -> None:
        await self._enrol("renew")

    async def _enrol(self, what: str) -> None:
        self.asked.append(what)
        if self.away:
            raise HubUnreachable("The hub is not there.")
        raw = self.desk.certify_hub(SERIAL, KeySigner().public, KeyPair().x)
        self.desk.hub_holds(SERIAL, raw)


class House:
    """What of the engine the service needs, on a real practice's file and a real record; the radio is not there."""

    simulated = False
    data_folder = practice = ""

    def __init__(self, folder: Path, clock: ManualAsyncClock) -> None:
        self.clock = clock
        self.practice_file = PracticeFile.create(folder / "practice.sqlite", bytes(range(32)), clock=clock)
        self.record_path = folder / "chair-1.sqlite"
        record = Record.create(self.record_path, bytes(32), chair=1, simulated=False, clock=clock)
        self.recorder = Recorder(record, committed=lambda _: None, failed=lambda _: None)
        self.recorder.start()
        self.keys_desk = KeysDesk(self.practice_file, simulated=False, clock=clock)
        self.chairs: dict[int, Any] = {1: SimpleNamespace(number=1, view=None, hub=None, sensors={}, log=self._log)}
        self.people = PeopleDesk(self.practice_file, self.keys_desk, demo=None, chairs=self.chairs.values, clock=clock)
        self.access = Access(self.people, self.chairs)
        self.notice: Text | None = None
        self.hub = Hub(self.keys_desk)
        self.connected = True
        self.bound: list[tuple[int, str, str, str, bool]] = []
        self.devices = SimpleNamespace(bind=self._bind)
        self.screen = SimpleNamespace(active=lambda: None)
        self.backups = SimpleNamespace(refresh=lambda: None)

    def _log(self, kind: str, text: Text, *, author: str = "") -> None:
        self.audit(f"event.{kind}", text, author, {})

    def audit(self, kind: str, text: Text, actor: str, body: Mapping[str, object], *, chair: int = 0) -> None:
        write_down(self.recorder, kind, text, actor=actor, at_us=self.clock.utc_us(), body=body)

    def keyed_hub(self, chair: int) -> Hub:
        if not self.connected:
            raise no("hub_away")
        return self.hub

    def hub_chairs(self) -> dict[str, int]:
        return {SERIAL: 1}

    def treat(self, treating: bool) -> None:
        self.chairs[1].view = SimpleNamespace(treating=treating)

    async def _bind(self, chair: int, kind: str, address: str, *, serial: str, enrol: bool) -> None:
        self.bound.append((chair, kind, address, serial, enrol))

    def touched(self) -> None: ...

    async def operator_changed(self) -> None: ...


class Desk:
    """Asks as a console does; keeps every byte that the engine sent."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.service = Service(house)  # type: ignore[arg-type]
        self.sent = b""

    async def ask(self, body: ipc.Request) -> Reply:
        session = Session(1, "console", 1, 0.0)
        try:
            reply = await self.service.handle(ipc.decode_ask(ipc.encode(Ask(1, body))).body, session)
        except Exception as error:
            reply = as_refused(error)
        raw = ipc.encode(Answer(1, reply))
        self.sent += raw
        answered = ipc.decode_answer(raw).body
        assert answered == reply
        return reply

    async def done(self, body: ipc.Request) -> str:
        reply = await self.ask(body)
        assert isinstance(reply, Done), reply
        return reply.id

    async def no(self, body: ipc.Request) -> str:
        reply = await self.ask(body)
        assert isinstance(reply, Refused), reply
        said = [load_words().tell(text) for text in (reply.text, reply.remedy) if text is not None]
        assert not [line for line in said if line.startswith("[") or "{" in line], said
        return reply.code

    async def rows(self) -> list[KeyRow]:
        reply = await self.ask(keys_ipc.ListKeys())
        assert isinstance(reply, keys_ipc.Keys), reply
        return list(reply.rows)

    async def kid(self, holder: str) -> str:
        return next(row.kid for row in await self.rows() if row.holder == holder and row.state is not KeyState.REVOKED)


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    made = House(tmp_path, ManualAsyncClock())
    yield made
    made.recorder.close()
    made.practice_file.close()


@pytest.fixture
def desk(house: House) -> Desk:
    return Desk(house)


@pytest.fixture
async def ada(desk: Desk) -> str:
    """The first dentist, logged in."""
    made = await desk.done(AddOperator(name="Dr. Ada Moor", role=Role.DENTIST, pin=PIN))
    await desk.done(Login(operator_id=made, pin=PIN))
    return made


@pytest.fixture
async def lee(desk: Desk, ada: str) -> str:
    return await desk.done(AddOperator(name="Dr. Lee", role=Role.DENTIST, pin=OTHER_PIN))


@pytest.fixture
async def sam(desk: Desk, ada: str) -> str:
    return await desk.done(AddOperator(name="Sam Reed", role=Role.ASSISTANT, pin=THIRD_PIN))


async def reader(house: House) -> RecordReader:
    """The record with everything that was noted so far."""
    await house.recorder.run(lambda record: None)
    return RecordReader.open(house.record_path, bytes(32))


async def audited(house: House) -> list[tuple[str, str, dict[str, object]]]:
    """Kind, actor and body of every entry of the audit log."""
    found = []
    with await reader(house) as record:
        for entry in record.audit_entries():
            plain = cbor.decode(entry.entry)
            assert isinstance(plain, dict)
            found.append((plain["kind"], plain["actor"], plain["body"]))
    return found


# who may what


def every_request(kid: str, other: str) -> dict[str, ipc.Request]:
    """Each request about keys, so that it changes nothing: what is asked for is wrong in its last detail."""
    return {
        "ListKeys": keys_ipc.ListKeys(),
        "RevokeKey": keys_ipc.RevokeKey(kid=kid, reason=""),
        "TakeBack": keys_ipc.TakeBack(kid=kid, reason=""),
        "RotateWorkstation": keys_ipc.RotateWorkstation(),
        "RotateHub": keys_ipc.RotateHub(chair=9),
        "RenewHub": keys_ipc.RenewHub(chair=9),
        "RotateMine": keys_ipc.RotateMine(pin="000000"),
        "RenewKeys": keys_ipc.RenewKeys(),
        "ChangePin": keys_ipc.ChangePin(operator_id=other, old="000000", new="000000"),
        "ResetPin": keys_ipc.ResetPin(operator_id=other, pin="1111"),
        "AttachDevice": AttachDevice(chair=1, address="F0:01", kind="hub", enrol=True, serial=SERIAL),
        "AddOperator": AddOperator(name="Dr. New", role=Role.DENTIST, pin="1111"),
        "CloseOperator": CloseOperator(operator_id="nobody"),
    }


PERMISSIONS: dict[str, tuple[str, str, str, str]] = {
    # nobody, an assistant, a dentist without a key, a dentist
    "ListKeys": ("login", "role", "", ""),
    "RevokeKey": ("login", "role", "keys.locked", "keys.reason"),
    "TakeBack": ("login", "role", "keys.locked", "keys.reason"),
    "RotateWorkstation": ("login", "role", "keys.locked", ""),
    "RotateHub": ("login", "role", "chair", "chair"),
    "RenewHub": ("login", "role", "chair", "chair"),
    "RotateMine": ("login", "role", "keys.locked", "pin"),
    "RenewKeys": ("login", "role", "keys.locked", ""),
    "ChangePin": ("login", "pin_other", "pin_other", "pin_other"),
    "ResetPin": ("login", "role", "pin.weak", "pin.weak"),
    "AttachDevice": ("login", "role", "keys.locked", ""),
    "AddOperator": ("login", "role", "pin.weak", "pin.weak"),
    "CloseOperator": ("login", "role", "unknown_operator", "unknown_operator"),
}


async def test_the_table_of_who_may_what(desk: Desk, house: House, ada: str, lee: str, sam: str) -> None:
    kid = await desk.kid(lee)
    third = await desk.done(AddOperator(name="Dr. Roth", role=Role.DENTIST, pin=OTHER_PIN))
    await desk.done(keys_ipc.RevokeKey(kid=await desk.kid(third), reason="lost"))
    logins: list[ipc.Request] = [
        Logout(),
        Login(operator_id=sam, pin=THIRD_PIN),
        Login(operator_id=third, pin=OTHER_PIN),
        Login(operator_id=ada, pin=PIN),
    ]
    found: dict[str, list[str]] = {}
    for login in logins:
        await desk.ask(login)
        for name, body in every_request(kid, lee).items():
            reply = await desk.ask(body)
            found.setdefault(name, []).append(reply.code if isinstance(reply, Refused) else "")
    assert {name: tuple(codes) for name, codes in found.items()} == PERMISSIONS
    everything = {member.__name__ for member in keys_ipc.KEY_REQUESTS}
    assert everything <= set(PERMISSIONS), "a request that nobody thought of here"
    assert house.notice is not None, "the dentist without a key was told at login"
    assert "cannot sign" in load_words().tell(house.notice)


async def test_everybody_changes_their_own_pin_and_nobody_elses(desk: Desk, ada: str, lee: str, sam: str) -> None:
    await desk.done(Login(operator_id=sam, pin=THIRD_PIN))
    assert await desk.no(keys_ipc.ChangePin(operator_id=ada, old=PIN, new="555123")) == "pin_other"
    assert await desk.no(keys_ipc.ChangePin(operator_id=sam, old=PIN, new="555123")) == "pin"
    assert await desk.no(keys_ipc.ChangePin(operator_id=sam, old=THIRD_PIN, new="1234")) == "pin.weak"
    await desk.done(keys_ipc.ChangePin(operator_id=sam, old=THIRD_PIN, new="555123"))
    await desk.done(Login(operator_id=sam, pin="555123"))
    await desk.done(Login(operator_id=ada, pin=PIN))
    assert await desk.no(keys_ipc.ResetPin(operator_id=ada, pin="555123")) == "pin_own"
    assert await desk.no(keys_ipc.ResetPin(operator_id="nobody", pin="555123")) == "unknown_operator"


async def test_the_first_dentist_is_told_to_print_the_sheet(desk: Desk, house: House, ada: str) -> None:
    assert house.notice is not None
    assert "main.py keys sheet" in load_words().tell(house.notice)
    house.notice = None
    await desk.done(AddOperator(name="Dr. Lee", role=Role.DENTIST, pin=OTHER_PIN))
    assert house.notice is None


# the flows


async def test_a_hub_is_enrolled_lost_and_found_out(desk: Desk, house: House, ada: str) -> None:
    await desk.done(AttachDevice(chair=1, address="F0:01", kind="hub", enrol=True, serial=SERIAL))
    assert await desk.no(AttachDevice(chair=1, address="F0:01", kind="hub", enrol=True, serial=" ")) == "enrol_serial"
    assert house.bound == [(1, "hub", "F0:01", SERIAL, True)]
    assert await desk.no(AttachDevice(chair=1, address="F0:02", kind="heart_rate", enrol=True)) == "device_kind"
    raw = house.keys_desk.certify_hub(SERIAL, KeySigner().public, KeyPair().x)
    house.keys_desk.hub_holds(SERIAL, raw)
    kid = await desk.kid(SERIAL)
    row = next(row for row in await desk.rows() if row.kid == kid)
    assert (row.kind, row.chair, row.state) == (KeyKind.HUB, 1, KeyState.IN_FORCE)
    assert await desk.no(keys_ipc.RevokeKey(kid="1A2B", reason="lost")) == "keys.kid"
    assert await desk.no(keys_ipc.RevokeKey(kid="1A2B 3C4D 5E6F 7081", reason="lost")) == "keys.unknown"
    assert await desk.done(keys_ipc.RevokeKey(kid=kid.lower(), reason="lost on the train")) == kid
    assert await desk.no(keys_ipc.RevokeKey(kid=kid, reason="again")) == "keys.already_revoked"
    row = next(row for row in await desk.rows() if row.kid == kid)
    assert (row.state, row.reason, row.revoked_by) == (KeyState.REVOKED, "lost on the train", ada)
    await desk.done(keys_ipc.TakeBack(kid=kid, reason="found in the lab"))
    assert await desk.no(keys_ipc.TakeBack(kid=kid, reason="again")) == "keys.not_taken_back"
    assert await desk.kid(SERIAL) == kid
    kind, actor, body = (await audited(house))[-1]
    assert (kind, actor, body["reason"]) == ("keys.taken_back", ada, "found in the lab")


async def test_a_hub_gets_new_keys_or_a_new_certificate(desk: Desk, house: House, ada: str) -> None:
    await desk.done(keys_ipc.RotateHub(chair=1))
    first = await desk.kid(SERIAL)
    await desk.done(keys_ipc.RotateHub(chair=1))
    second = await desk.kid(SERIAL)
    assert first != second
    states = {row.kid: row.state for row in await desk.rows()}
    assert (states[first], states[second]) == (KeyState.REVOKED, KeyState.IN_FORCE)
    await desk.done(keys_ipc.RenewHub(chair=1))
    assert house.hub.asked == ["rekey", "rekey", "renew"]
    house.hub.away = True
    assert await desk.no(keys_ipc.RotateHub(chair=1)) == HubUnreachable.code
    outcomes = [body["outcome"] for kind, _, body in await audited(house) if kind == "keys.hub_rotated"]
    assert outcomes == ["asked", "done", "asked", "done", "asked", HubUnreachable.code]
    house.connected = False
    assert await desk.no(keys_ipc.RenewHub(chair=1)) == "hub_away"


async def test_nothing_that_would_end_a_treatment_is_done_in_one(desk: Desk, house: House, ada: str, lee: str) -> None:
    house.treat(True)
    waiting: list[ipc.Request] = [
        keys_ipc.RotateWorkstation(),
        keys_ipc.RotateHub(chair=1),
        keys_ipc.RenewHub(chair=1),
        keys_ipc.RotateMine(pin=PIN),
        keys_ipc.ResetPin(operator_id=lee, pin="555123"),
        CloseOperator(operator_id=lee),
    ]
    for body in waiting:
        assert await desk.no(body) == "treating", body
    await desk.done(keys_ipc.RevokeKey(kid=await desk.kid(lee), reason="somebody else knows the PIN"))
    house.treat(False)
    await desk.done(keys_ipc.RotateMine(pin=PIN))


async def test_a_workstation_is_replaced_with_or_without_a_reason(desk: Desk, house: House, ada: str) -> None:
    before = house.keys_desk.workstation.certificate
    assert await desk.no(keys_ipc.RevokeKey(kid=before.kid.hex(), reason="stolen")) == "keys.in_use"
    await desk.done(keys_ipc.RotateWorkstation(reason="stolen"))
    await desk.done(keys_ipc.RotateWorkstation())
    reasons = [row.reason for row in await desk.rows() if row.state is KeyState.REVOKED]
    assert sorted(load_words().say(one[1:]) if one[0] == "@" else one for one in reasons) == [
        "Replaced by a new key",
        "stolen",
    ]


async def test_every_act_is_audited_with_actor_and_reason(desk: Desk, house: House, ada: str, lee: str) -> None:
    kid = await desk.kid(lee)
    await desk.done(keys_ipc.RevokeKey(kid=kid, reason="PIN seen"))
    await desk.done(keys_ipc.ResetPin(operator_id=lee, pin=THIRD_PIN))
    await desk.done(keys_ipc.RotateWorkstation(reason="stolen"))
    await desk.done(keys_ipc.RotateMine(pin=PIN))
    await desk.done(keys_ipc.RenewKeys())
    await desk.done(keys_ipc.ChangePin(operator_id=ada, old=PIN, new="555123"))
    await desk.done(CloseOperator(operator_id=lee))
    entries = [(kind, body) for kind, actor, body in await audited(house) if actor == ada and "event" not in kind]
    assert [kind for kind, _ in entries] == [
        "people.added",
        "people.added",
        "keys.revoked",
        "keys.pin_reset",
        "keys.workstation_rotated",
        "keys.mine_rotated",
        "keys.renewed",
        "keys.pin_changed",
        "people.closed",
    ]
    revoked = dict(entries)["keys.revoked"]
    assert revoked == {
        "kid": bytes.fromhex(kid.replace(" ", "")),
        "role": "clinician",
        "holder": lee,
        "reason": "PIN seen",
        "list": 2,
    }
    assert dict(entries)["keys.workstation_rotated"]["reason"] == "stolen"
    assert {row.revoked_by for row in await desk.rows() if row.state is KeyState.REVOKED} == {ada}


async def test_the_log_tells_people_what_was_done(desk: Desk, house: House, ada: str, lee: str) -> None:
    await desk.done(keys_ipc.RevokeKey(kid=await desk.kid(lee), reason="@PIN {seen}"))
    await desk.done(keys_ipc.RotateWorkstation())
    await desk.done(keys_ipc.RotateHub(chair=1))
    words = load_words()
    with await reader(house) as record:
        said = [words.tell(entry.text) for entry in record.log()]
    for line in (
        "Account made for Dr. Lee",
        "Key of Dr. Lee revoked: PIN {seen}",
        "New keys for this workstation: Replaced by a new key",
        "New keys for the hub of chair 1: asked for",
        "New keys for the hub of chair 1: done",
    ):
        assert line in said


# secrets stay


async def test_no_secret_is_ever_sent_or_logged(
    desk: Desk, house: House, ada: str, lee: str, sam: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Every key that was ever made here, in every form in which it could slip out."""
    caplog.set_level(logging.DEBUG)
    secrets: set[bytes] = set()

    def collect() -> None:
        unlocked = house.keys_desk._unlocked
        assert unlocked is not None
        secrets.update(bytes(one) for one in (unlocked.clinician.seed, unlocked.root.seed, unlocked.root_key))
        kept = house.practice_file.keys.secret("workstation")
        assert kept is not None
        secrets.update((kept.data[:32], kept.data[32:], house.keys_desk.workstation.agreement_private))

    collect()
    await desk.done(keys_ipc.RotateHub(chair=1))
    await desk.done(keys_ipc.RotateMine(pin=PIN))
    collect()
    await desk.done(keys_ipc.RotateWorkstation(reason="stolen"))
    collect()
    await desk.done(keys_ipc.ResetPin(operator_id=lee, pin=THIRD_PIN))
    await desk.done(keys_ipc.ChangePin(operator_id=ada, old=PIN, new="555123"))
    for wrong in (
        Login(operator_id=ada, pin="404040"),
        keys_ipc.ChangePin(operator_id=ada, old="404040", new="303030"),
        keys_ipc.RotateMine(pin="404040"),
        keys_ipc.RevokeKey(kid="rubbish", reason=""),
    ):
        await desk.ask(wrong)
    await desk.done(keys_ipc.RevokeKey(kid=await desk.kid(lee), reason="lost"))
    await desk.rows()
    house.clock.advance(60)
    await desk.done(Login(operator_id=ada, pin="555123"))
    collect()
    await desk.done(Logout())
    with await reader(house) as record:
        audit = b"".join(entry.entry for entry in record.audit_entries())
        events = repr(record.log()).encode()
    told = desk.sent + caplog.text.encode() + audit + events
    assert len(secrets) == 8
    assert len(told) > 5000
    for secret in secrets:
        for form in (secret, secret.hex().encode(), base64.b64encode(secret)[:40], base64.b32encode(secret)[:48]):
            for shred in (form, form.upper(), form[: len(form) // 2], form[len(form) // 2 :]):
                assert shred not in told
        for offset in (1, 2):  # the other two alignments of base64
            assert base64.b64encode(bytes(offset) + secret)[4:40] not in told
    for pin in (PIN, OTHER_PIN, THIRD_PIN, "555123", "404040", "303030"):
        assert pin.encode() not in told, "nor any PIN that was typed"
    raw = house.record_path.read_bytes() + (house.record_path.parent / "practice.sqlite").read_bytes()
    assert [one for one in secrets if one in raw] == []
