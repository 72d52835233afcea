"""Somebody else in the hub's place is found out before a word is said to it, and the hub is found again."""

from collections.abc import Iterable

import pytest

from core.model.hub import LinkState
from devices.hub.advertising import HubAdvert, advertising_data, private_address, scan_response
from devices.hub.session.errors import HandshakeNotAuthentic, IdentityDowngraded
from devices.hub.session.wire import PROFILE
from devices.simulator.brain import Brain
from devices.simulator.gatt import HubServer
from devices.simulator.pdu import READ_REQUEST, Direction, Pdu
from devices.simulator.peripheral import Peripheral
from devices.simulator.radio_link import RadioLink
from tests.devices.hub.rig import until
from tests.security.conftest import HUB, ROGUE
from tests.security.siege import Siege


async def test_a_clone_without_the_hubs_keys_is_refused_and_told(siege: Siege) -> None:
    sessions = len(siege.store.cards)
    told = await siege.play("cloned_hub")
    assert told == "cloned_hub: the workstation looked at its certificate, and left"
    assert any(isinstance(alarm, HandshakeNotAuthentic) for alarm in siege.store.alarms)
    await until(lambda: len(siege.store.cards) > sessions)
    await siege.honest_traffic_goes_on()


async def test_another_hub_at_the_same_place_is_refused(siege: Siege) -> None:
    sessions = len(siege.store.cards)
    told = await siege.play("spoofed_reconnect")
    assert told == "spoofed_reconnect: the workstation looked at its certificate, and left"
    assert any(state is LinkState.REFUSED for state, _ in siege.store.links)
    await until(lambda: len(siege.store.cards) > sessions)
    await siege.honest_traffic_goes_on()


async def test_a_rogue_that_advertises_what_it_heard_of_our_hub_is_refused(siege: Siege) -> None:
    """A second radio advertises an address of our hub, as it was heard once, while ours is away."""
    rig = siege.rig
    rogue = HubServer(Brain(serial="SH-1", seed=9), rig.clock)
    rig.air.set_in_range(HUB, False)
    peripheral = await Peripheral.open(
        rig.air.transports[ROGUE],
        name="Hub",
        address="C0:00:00:00:00:66",
        services=rogue.services(),
        advertising=advertising_data(HubAdvert(profile_major=2, profile_minor=0, enrolled=True, simulated=True)),
        scan_response=scan_response(private_address(rig.brain.vault.irk, b"\x12\x34\x56")),
    )
    rogue.attach(peripheral.device)
    await until(lambda: rogue.eavesdropper.reads > 0)
    await until(lambda: any(state is LinkState.REFUSED for state, _ in siege.store.links))
    assert len(siege.store.cards) == 1, "nothing that it said was believed"
    await peripheral.close()
    rig.air.set_in_range(HUB, True)
    await until(lambda: len(siege.store.cards) > 1)
    await siege.honest_traffic_goes_on()


async def test_an_older_profile_and_another_identity_are_refused(siege: Siege) -> None:
    sessions = len(siege.store.cards)
    told = await siege.play("downgrade")
    assert told == (
        "downgrade: profile 1.0 was offered: the workstation left before the handshake; "
        "another minor was claimed: the workstation left after the handshake"
    )
    assert any(reason is not None and reason.key == "hub.refused.version" for _, reason in siege.store.links)
    assert any(isinstance(alarm, IdentityDowngraded) for alarm in siege.store.alarms)
    await until(lambda: len(siege.store.cards) > sessions)
    await siege.honest_traffic_goes_on()


@pytest.mark.parametrize("place", [1, 2])
async def test_who_stands_between_cannot_alter_the_identity_in_clear(siege: Siege, place: int) -> None:
    """At the link itself: the answer to the read of the identity is altered on its way."""
    asked: list[int] = []

    def alter(pdu: Pdu, _: RadioLink) -> Iterable[Pdu]:
        if pdu.opcode == READ_REQUEST:
            asked.append(pdu.handle or 0)
        if pdu.direction is Direction.TO_CENTRAL and pdu.payload[:1] == b"\x0b" and pdu.payload[1:3] == bytes(PROFILE):
            altered = bytearray(pdu.payload)
            altered[1 + place] ^= 0x02 if place == 2 else 0x40
            return (Pdu(pdu.direction, bytes(altered)),)
        return (pdu,)

    with siege.rig.air.intercept(alter, radio=HUB):
        await siege.rig.hub.drop()
        await until(lambda: any(isinstance(alarm, IdentityDowngraded) for alarm in siege.store.alarms))
    assert asked
    sessions = len(siege.store.cards)
    assert sessions == 1, "nobody was believed"
    await until(lambda: len(siege.store.cards) > sessions)
    await siege.honest_traffic_goes_on()
