"""Whoever is not what they should be, and whoever stands between: refused in words, told as what it is, STOP alive."""

import asyncio
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from core.model.errors import SmilescapeError
from core.model.hub import Opcode, ReceiptCode, TherapyState
from core.model.words import Text, load_words
from devices.errors import LinkRefused
from devices.hub import refusals, uuids
from devices.hub.commands import STOP_PLAINTEXT
from devices.hub.credentials import KnownHub
from devices.hub.errors import CommandUnknown, RecordsForged, RevocationsRefused
from devices.hub.session.errors import HandshakeNotAuthentic, IdentityDowngraded, SignedRefused
from devices.hub.session.handshake import SessionKey, encode_refusal
from devices.hub.session.identity import ENROLLED, OPEN, SIMULATED, HubCard
from devices.hub.session.journal import decode_entry
from devices.hub.session.segments import split
from devices.hub.session.wire import MESSAGE_REFUSAL, Refusal
from devices.simulator.control import CloneHub, DropLink, ForgeReceipts, Reboot, RollBackFirmware, TamperFirmware
from devices.simulator.heart_rate import run_heart_rate
from tests.devices.hub.clinic import ENVELOPE, ORDER, YEAR_S, Clinic
from tests.devices.hub.rig import Rig, until


def flipped(at: int, bit: int) -> Callable[[str, bytes], bytes]:
    """A bit of the identity in clear is another on the way."""

    def read(uuid: str, value: bytes) -> bytes:
        if uuid != uuids.IDENTITY:
            return value
        return value[:at] + bytes((value[at] ^ bit,)) + value[at + 1 :]

    return read


async def test_a_hub_of_another_major_is_refused_and_told_nothing(rig: Rig) -> None:
    rig.between.read = flipped(0, 0x01)
    rig.run(rig.driver)
    await rig.refused("version", major=3)
    assert not rig.between.written
    assert not rig.store.cards


@pytest.mark.parametrize("minor", [0, 9])
async def test_a_hub_of_another_minor_is_taken(rig: Rig, monkeypatch: pytest.MonkeyPatch, minor: int) -> None:
    """One of 2.0 tells a status of 64 bytes, one of a later minor events in its journal that nobody here knows."""
    monkeypatch.setattr("devices.simulator.card.PROFILE", (2, minor))
    status = rig.brain.status
    rig.brain.status = lambda: status()[:64] + bytes(minor)  # type: ignore[method-assign]
    if minor:
        rig.brain.logbook.write(0xFD)
    await rig.connect()
    assert rig.store.cards[0].identity.profile_minor == minor
    await rig.begun_phase()
    assert (await rig.driver.stop()).therapy is TherapyState.HELD
    await until(lambda: rig.store.head is not None and rig.store.head.number >= rig.store.cards[0].next_entry)
    assert not rig.store.alarms
    assert not rig.store.broken


@pytest.mark.parametrize(("at", "bit"), [(1, 0x01), (2, SIMULATED), (2, 0x80), (5, 0x20)])
async def test_an_identity_that_was_altered_on_the_way_is_an_attack(rig: Rig, at: int, bit: int) -> None:
    rig.between.read = flipped(at, bit)
    rig.run(rig.driver)
    await rig.refused("downgrade")
    assert isinstance(rig.store.alarms[0], IdentityDowngraded)
    assert not rig.store.cards


async def test_nobody_can_talk_a_workstation_into_enrolling_a_hub_anew(rig: Rig) -> None:
    """In clear an enrolled hub seems to be open: its certificate is not the maker's."""
    rig.between.read = flipped(2, OPEN | ENROLLED)
    misled = rig.new_driver(rig.store, enrol=True)
    rig.run(misled)
    await rig.refused("foreign")
    assert len(rig.clinic.certified) == 1
    await misled.close()
    rig.between.read = lambda _, value: value
    rig.store.driver = rig.driver
    rig.run(rig.driver)
    await rig.goes_on()


async def test_another_hub_than_the_one_that_is_meant_is_refused(rig: Rig) -> None:
    rig.run(rig.new_driver(rig.store, known=KnownHub("SH-2")))
    await rig.refused("serial", found="SH-1", expected="SH-2")


async def test_a_clone_is_not_authentic(rig: Rig) -> None:
    await rig.hub.tell(CloneHub())
    rig.run(rig.driver)
    await rig.refused("not_authentic")
    assert isinstance(rig.store.alarms[0], HandshakeNotAuthentic)


async def test_a_hub_of_another_practice_is_refused(rig: Rig) -> None:
    stranger, ours = Clinic("Another"), (rig.clinic.trust, rig.clinic.workstation)
    rig.clinic.trust, rig.clinic.workstation = stranger.trust, stranger.workstation
    rig.run(rig.driver)
    await rig.refused("foreign")
    assert not rig.store.alarms
    rig.clinic.trust, rig.clinic.workstation = ours
    await rig.goes_on()


@pytest.mark.parametrize(("years", "reason"), [(1, "expired"), (-2, "early")])
async def test_a_certificate_counts_in_its_time_only(rig: Rig, years: int, reason: str) -> None:
    rig.station_clock.now_s += years * YEAR_S
    rig.run(rig.driver)
    await rig.refused(reason)


async def test_a_revoked_hub_is_refused(rig: Rig) -> None:
    rig.clinic.revoke(rig.brain.vault.key.certificate.kid)
    rig.run(rig.driver)
    await rig.refused("revoked")


async def test_a_revoked_workstation_is_refused_by_the_hub(rig: Rig) -> None:
    trust = rig.clinic.trust
    rig.clinic.revoke(rig.clinic.workstation.certificate.kid)
    revoked = rig.clinic.trust.revoked
    assert revoked is not None
    assert rig.brain.vault.revoke(revoked.raw) is ReceiptCode.DONE
    rig.clinic.trust = trust
    rig.run(rig.driver)
    await rig.refused("workstation")


async def test_a_hub_that_is_revoked_while_it_streams_is_parted_from(rig: Rig) -> None:
    await rig.connect()
    rig.clinic.revoke(rig.brain.vault.key.certificate.kid)
    await rig.driver.trust_changed()
    await rig.refused("revoked")


async def test_a_workstation_that_is_revoked_while_it_streams_parts_from_the_hub(rig: Rig) -> None:
    await rig.connect()
    rig.clinic.revoke(rig.clinic.workstation.certificate.kid)
    await rig.driver.trust_changed()
    await until(lambda: not rig.store.up)


async def test_revocations_reach_the_hub_at_its_next_visit(rig: Rig) -> None:
    rig.clinic.revoke(*(bytes((number,)) * 8 for number in range(200)))
    await rig.connect()
    assert rig.brain.vault.revocations == 1
    assert rig.store.cards[0].revocations == 0
    await asyncio.gather(rig.reconnected(), rig.hub.tell(DropLink()))
    assert rig.store.cards[1].revocations == 1
    assert [one.opcode for one in rig.store.sent].count(0x41) == 1


async def test_a_list_that_the_hub_does_not_take_is_told(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("devices.simulator.vault.Vault.revoke", lambda *_: ReceiptCode.REFUSED)
    rig.clinic.revoke(b"12345678")
    await rig.connect()
    assert [type(error) for error in rig.store.alarms] == [RevocationsRefused]


async def test_a_narrow_link_is_refused_with_what_the_hub_sees(rig: Rig) -> None:
    rig.hub.server.narrow(100)
    rig.run(rig.driver)
    await rig.refused("mtu", mtu=100, least=247)
    rig.hub.server.narrow(517)
    await rig.goes_on()


async def test_what_is_no_hub_is_refused(rig: Rig) -> None:
    rig.tasks.append(asyncio.create_task(run_heart_rate(rig.air.transports[2], seed=1)))
    rig.run(rig.new_driver(rig.store, address="C2:5A:00:00:00:01"))
    await rig.refused("not_a_hub")


async def test_an_identity_that_cannot_be_read_is_refused(rig: Rig) -> None:
    rig.between.read = lambda uuid, value: value[:3] if uuid == uuids.IDENTITY else value
    rig.run(rig.driver)
    await rig.refused("identity")


HANDSHAKES: dict[str, tuple[Callable[[bytes], list[bytes]], str]] = {
    "message 2 of rubbish": (lambda _: split(b"rubbish", 244, 2), "handshake"),
    "message 2 with a flipped bit": (
        lambda value: [value[:60] + bytes((value[60] ^ 1,)) + value[61:]],
        "foreign",
    ),
    "message 2 cut short": (lambda value: [value[:40]], "handshake"),
    "message 4 too early": (lambda _: split(bytes(9), 244, 4), "handshake"),
    "a reserved head": (lambda _: [b"\x32x"], "handshake"),
    "refused for no known reason": (lambda _: split(b"\x63", 244, MESSAGE_REFUSAL), "handshake"),
    "busy": (lambda _: split(encode_refusal(Refusal.BUSY), 244, MESSAGE_REFUSAL), "busy"),
}


@pytest.mark.parametrize(("alter", "reason"), HANDSHAKES.values(), ids=HANDSHAKES.keys())
async def test_a_handshake_that_is_meddled_with_ends_in_words(
    rig: Rig, alter: Callable[[bytes], list[bytes]], reason: str
) -> None:
    rig.between.to_workstation = lambda uuid, value: alter(value) if uuid == uuids.HANDSHAKE else (value,)
    rig.run(rig.driver)
    await rig.refused(reason)
    assert not rig.store.cards
    rig.between.let_pass()
    await rig.goes_on()


async def test_a_link_that_ends_within_the_handshake_is_taken_up_again(rig: Rig) -> None:
    rig.between.deafen(uuids.HANDSHAKE)
    rig.run(rig.driver)
    await until(lambda: bool(rig.between.heard(uuids.HANDSHAKE)))
    rig.between.let_pass()
    await rig.hub.tell(DropLink())
    await until(lambda: rig.store.up)


async def test_a_receipt_in_the_hubs_name_is_no_receipt(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    await rig.connect()
    await rig.begun_phase()
    monkeypatch.setattr("devices.hub.commander.RECEIPT_S", 0.3)
    await rig.hub.tell(ForgeReceipts())
    with pytest.raises(CommandUnknown):
        await rig.driver.hold()
    stopping = asyncio.create_task(rig.driver.stop())
    await until(lambda: rig.brain.therapy.state is TherapyState.HELD)
    await until(lambda: len(rig.between.sent(uuids.STOP)) > 1)
    assert not stopping.done()
    assert {type(error) for error in rig.store.alarms} == {SignedRefused}
    stopping.cancel()


async def test_a_command_that_is_written_twice_is_done_once(rig: Rig) -> None:
    """The hub refuses the second record, and says so in clear; the receipt is what counts."""
    await rig.connect()
    rig.between.to_hub = lambda uuid, value: (value, value) if uuid == uuids.CONTROL else (value,)
    receipt = await rig.driver.start_phase(ORDER, ENVELOPE, rig.clinic.clinician)
    assert receipt.code is ReceiptCode.DONE
    begun = [entry for entry in map(decode_entry, rig.brain.logbook.read(0, 100)) if entry.opcode == Opcode.START_PHASE]
    assert len(begun) == 1
    await rig.goes_on()


async def test_records_that_are_refused_in_numbers_are_an_attack_and_stop_works(rig: Rig) -> None:
    await rig.connect()
    await rig.begun_phase()
    genuine = rig.between.heard(uuids.STATUS)[-1]
    for number in range(40):
        forged = genuine[:2] + (1000 + number).to_bytes(4, "little") + genuine[6:]
        for uuid in (uuids.STATUS, uuids.RECEIPT, uuids.DOCUMENTS):
            rig.between.inject(uuid, bytes((0x80 + _STREAMS[uuid],)) + forged[1:])
    assert [type(error) for error in rig.store.alarms] == [RecordsForged]
    assert len(rig.store.refused) == 120
    assert (await rig.driver.stop()).therapy is TherapyState.HELD
    assert rig.store.up
    await rig.goes_on()


_STREAMS = {uuids.STATUS: 3, uuids.RECEIPT: 2, uuids.DOCUMENTS: 4}


async def test_stop_in_clear_is_none(rig: Rig) -> None:
    """Nor is it a way to end a session: the hub forgives some records."""
    await rig.connect()
    await rig.begun_phase()
    rig.between.to_hub = lambda uuid, value: (STOP_PLAINTEXT, value) if uuid == uuids.STOP else (value,)
    assert (await rig.driver.stop()).code is ReceiptCode.DONE, "the one in clear had stopped nothing"
    await rig.goes_on()


async def test_a_hub_that_counts_its_frames_anew_is_refused(rig: Rig) -> None:
    rig.store.resume = 1_000_000
    rig.run(rig.driver)
    await rig.refused("turned_back")


async def test_a_hub_that_counts_its_starts_anew_is_refused(rig: Rig) -> None:
    await rig.hub.tell(Reboot())
    await rig.connect()
    store = rig.brain._store
    proper, store.state.boot = store.state.boot, 0
    store.save()
    await rig.hub.tell(Reboot())
    await rig.refused("turned_back")
    before = len(rig.store.cards)
    store.state.boot = proper
    store.save()
    await rig.hub.tell(Reboot())
    await until(lambda: len(rig.store.cards) > before and rig.store.up)
    assert (await rig.driver.stop()).opcode == 0
    await rig.begun_phase()
    samples = len(rig.store.samples)
    await rig.passes(0.5)
    await until(lambda: len(rig.store.samples) > samples)


@pytest.mark.parametrize("control", [TamperFirmware(), RollBackFirmware()])
async def test_firmware_that_is_not_proven_makes_a_hub_read_only(
    rig: Rig, control: TamperFirmware | RollBackFirmware
) -> None:
    await rig.hub.tell(control)
    rig.run(rig.new_driver(rig.store, known=KnownHub("SH-1", security_version=2)))
    await until(lambda: rig.store.up)
    assert len(rig.store.unproven) == 1
    assert not rig.store.attestations


async def test_firmware_is_proven_anew_in_each_session_and_never_goes_back(rig: Rig) -> None:
    await rig.connect()
    first = rig.store.attestations[0]
    assert (first.session_id, first.boot, first.security_version) == (rig.driver.session_id, 1, 2)
    await rig.hub.tell(RollBackFirmware())
    await asyncio.gather(rig.reconnected(), rig.hub.tell(Reboot()))
    assert not rig.driver.proven
    assert "older" in str(rig.store.unproven[0])


async def test_a_firmware_signer_who_is_not_known_proves_nothing(rig: Rig) -> None:
    rig.clinic.firmware_signers = {}
    await rig.connect()
    assert not rig.driver.proven
    assert len(rig.store.unproven) == 1


async def test_who_listens_may_refuse_a_hub_before_a_sample_is_taken(rig: Rig) -> None:
    def judge(card: HubCard) -> None:
        raise LinkRefused("A simulated hub.", reason=Text("hub.refused.not_a_hub"))

    rig.store.judge = judge
    await rig.passes(1)
    rig.run(rig.driver)
    await rig.refused("not_a_hub")
    assert not rig.store.samples


class KeysMissing(SmilescapeError):
    code = "test.missing"


class Keyless(Clinic):
    """A workstation that never joined the practice."""

    @property
    def workstation(self) -> SessionKey:
        raise KeysMissing("There is no key.", "Join the practice.")

    @workstation.setter
    def workstation(self, _: SessionKey) -> None: ...


async def test_a_workstation_without_keys_says_so(rig: Rig) -> None:
    rig.clinic = Keyless()
    rig.run(rig.new_driver(rig.store))
    await rig.refused("no_keys", why="There is no key. Join the practice.")


def test_every_reason_has_its_words() -> None:
    words = load_words()
    source = "".join(file.read_text(encoding="utf-8") for file in Path(refusals.__file__).parent.glob("*.py"))
    known = {key.removeprefix("hub.refused.") for key in words.keys() if key.startswith("hub.refused.")}  # noqa: SIM118
    names = set(re.findall(r'"hub\.refused\.([a-z_]+)"', source))
    names |= {*refusals._BY_KIND.values(), *refusals._BY_HUB.values(), "handshake", "certificate"}
    assert {"version", "downgrade", "turned_back"} <= names
    assert known == names
