"""Whoever has stolen keys does what those keys allow, no more, and leaves traces."""

import msgspec
import pytest

from core.model.hub import Opcode, ReceiptCode, TherapyState
from devices.hub.driver import HubDriver
from devices.hub.session.journal import compare
from devices.radio import Radio
from devices.simulator.scenarios.stolen import StolenKeys, StolenUnreadable, read_stolen
from tests.devices.hub.clinic import ENVELOPE, ORDER
from tests.devices.hub.rig import until
from tests.devices.hub.store import Store
from tests.security.conftest import THIEF
from tests.security.siege import Siege


async def came_back(siege: Siege, sessions: int) -> None:
    await until(lambda: len(siege.store.cards) > sessions)
    await siege.back()


async def test_a_stolen_workstation_watches_and_cannot_treat(siege: Siege) -> None:
    siege.steal(clinician=False)
    sessions = len(siege.store.cards)
    told = await siege.play("stolen_key")
    assert told == "stolen_key: a stolen workstation saw IDLE; an order without a clinician's key: NOT_SIGNED"
    assert siege.brain.therapy.state is TherapyState.IDLE
    await came_back(siege, sessions)
    await siege.honest_traffic_goes_on()


async def test_a_revoked_workstation_is_not_let_in(siege: Siege) -> None:
    siege.steal()
    clinic = siege.rig.clinic
    stolen, clinic.workstation = clinic.workstation, clinic.new_workstation("ws-2")
    clinic.revoke(stolen.certificate.kid)
    sessions = len(siege.store.cards)
    await siege.rig.driver.trust_changed()
    await came_back(siege, sessions)
    await until(lambda: siege.brain.vault.revocations == 1)
    sessions = len(siege.store.cards)
    assert await siege.play("stolen_key") == "stolen_key: the hub shook no hands: CERTIFICATE"
    assert await siege.play("outside_consent") == "outside_consent: the hub shook no hands: CERTIFICATE"
    await siege.honest_traffic_goes_on()


async def test_what_a_thief_ordered_stands_in_the_journal_and_is_found(siege: Siege) -> None:
    siege.steal()
    sessions = len(siege.store.cards)
    await siege.play("stolen_key")
    await came_back(siege, sessions)
    await until(lambda: any(entry.opcode == Opcode.START_PHASE for entry in siege.store.entries))
    found = compare([], siege.store.entries, workstation=siege.rig.clinic.workstation.certificate.kid)
    assert [(entry.opcode, entry.code) for entry in found.unknown if entry.opcode == Opcode.START_PHASE] == [
        (Opcode.START_PHASE, ReceiptCode.NOT_SIGNED)
    ]
    await siege.honest_traffic_goes_on()


async def test_a_signed_order_outside_the_consent_is_refused(siege: Siege) -> None:
    siege.steal()
    await siege.treat()
    sessions = len(siege.store.cards)
    told = await siege.play("outside_consent")
    assert told == "outside_consent: clinician DONE; full dose for an hour, signed: OUTSIDE_ENVELOPE"
    assert siege.brain.therapy.dose <= ORDER.dose_percent
    await came_back(siege, sessions)
    await siege.honest_traffic_goes_on()


async def test_without_consent_nothing_that_is_signed_begins(siege: Siege) -> None:
    siege.steal()
    told = await siege.play("outside_consent")
    assert told.endswith("NO_ENVELOPE")
    assert siege.brain.therapy.state is TherapyState.IDLE
    await siege.honest_traffic_goes_on()


async def test_an_order_for_one_hub_is_none_for_any_other(siege: Siege) -> None:
    siege.steal()
    await siege.treat()
    await siege.rig.driver.stop()
    sessions = len(siege.store.cards)
    assert await siege.play("mass_command") == "mass_command: an order signed for another hub: NOT_SIGNED"
    assert siege.brain.therapy.state is TherapyState.HELD
    await came_back(siege, sessions)
    await siege.honest_traffic_goes_on()


async def test_a_thief_with_a_radio_of_his_own_is_told_the_same(siege: Siege) -> None:
    """With the whole driver, as who took the machine has it: he may look and hold; an own clinician is nobody."""
    rig = siege.rig
    await rig.driver.close()
    radio = Radio.parse(f"bumble:{rig.air.transports[THIEF]}")
    await radio.open()
    rig.radio, honest = radio, rig.radio
    store = Store()
    thief: HubDriver = rig.new_driver(store)
    rig.run(thief)
    await until(lambda: store.up and bool(store.statuses))
    stranger = rig.clinic.new_clinician("dr-who")
    forged = msgspec.structs.replace(ENVELOPE, procedure="another")
    rig.clinic.revoke(stranger.certificate.kid)
    await thief.trust_changed()
    receipt = await thief.start_phase(ORDER, forged, stranger)
    assert receipt.code is ReceiptCode.REFUSED
    assert siege.brain.therapy.state is TherapyState.IDLE
    await thief.close()
    await radio.close()
    rig.radio = honest
    rig.store = siege.store = Store()
    rig.driver = rig.new_driver(rig.store)
    rig.run(rig.driver)
    await until(lambda: siege.store.up)
    await until(lambda: siege.brain.client is not None and siege.brain.client.streaming)
    assert (await rig.driver.stop()).opcode == 0


async def test_an_attack_with_keys_says_when_there_are_none(siege: Siege) -> None:
    for name in ("stolen_key", "outside_consent", "mass_command"):
        assert "needs stolen keys" in await siege.play(name)
    siege.steal(clinician=False)
    assert "needs stolen keys" in await siege.play("outside_consent")
    await siege.honest_traffic_goes_on()


async def test_a_file_of_stolen_keys_is_read_or_said_to_be_none(siege: Siege, tmp_path) -> None:  # type: ignore[no-untyped-def]
    siege.steal()
    keys = siege.stage.stolen()
    assert keys is not None
    file = tmp_path / "stolen.json"
    file.write_bytes(msgspec.json.encode(keys))
    assert read_stolen(file) == keys
    short = StolenKeys(workstation=keys.workstation, agreement=b"short")
    for content in (b"", b"{}", msgspec.json.encode(short)):
        file.write_bytes(content)
        with pytest.raises(StolenUnreadable):
            read_stolen(file)
