"""Who can only hear and speak on the air gets nowhere, and whoever is meant to be heard still is."""

from collections.abc import Iterable

import pytest

from core.model.hub import HoldCause, Opcode, TherapyState
from devices.hub.session.wire import ToHub
from devices.simulator.air_control import Jam
from devices.simulator.pdu import Direction, Pdu
from devices.simulator.radio_link import RadioLink
from tests.devices.hub.rig import until
from tests.security.siege import Siege


def accepted(siege: Siege) -> int:
    return siege.brain.desk.counter


async def test_replayed_orders_and_answers_are_refused_now_and_later(siege: Siege) -> None:
    await siege.treat()
    await siege.rig.driver.hold()
    before = [entry for entry in siege.store.sent if entry.opcode == Opcode.START_PHASE]
    told = await siege.play("replay")
    assert told.count("refused 0x80") == 2, told
    assert "taken" not in told
    assert siege.brain.therapy.state is TherapyState.HELD, "the start that was replayed started nothing"
    assert siege.store.refused, "the workstation took no old answer for a new one"
    assert [entry for entry in siege.store.sent if entry.opcode == Opcode.START_PHASE] == before
    await siege.honest_traffic_goes_on()


async def test_forged_orders_and_answers_are_not_obeyed(siege: Siege) -> None:
    await siege.treat()
    counter = accepted(siege)
    told = await siege.play("forged_command")
    assert "6 refused 0x80" in told
    assert "taken" not in told
    assert accepted(siege) == counter
    assert siege.brain.therapy.state is TherapyState.RUNNING, "nothing forged starts, ends or stops anything"
    await until(lambda: len(siege.store.refused) >= 2)
    await siege.honest_traffic_goes_on()


async def test_thirty_two_forgeries_cost_the_link_and_nothing_else(siege: Siege) -> None:
    for _ in range(5):
        await siege.stage.begin("forged_command")
        await siege.stage.over()
    sessions = len(siege.store.cards)
    await siege.play("forged_command")
    await until(lambda: len(siege.store.cards) > sessions)
    await siege.honest_traffic_goes_on()


async def test_rubbish_breaks_neither_side(siege: Siege) -> None:
    told = await siege.play("garbage")
    assert "21 refused 0x80" in told
    await until(lambda: len(siege.store.refused) > 20)
    await siege.honest_traffic_goes_on()


@pytest.mark.parametrize(
    "payload",
    [b"", b"\x00", b"\xff" * 20, b"\x52\x00", b"\x12\xff\xff" + bytes(244), b"\x1b\xff\xff" + bytes(30), b"\x04\x00"],
    ids=["empty", "opcode 0", "opcode 255", "cut write", "handle 65535", "notified 65535", "cut question"],
)
async def test_rubbish_of_att_breaks_neither_side(siege: Siege, payload: bytes) -> None:
    (link,) = siege.rig.air.links(0)
    for direction in Direction:
        link.inject(Pdu(direction, payload))
    await siege.honest_traffic_goes_on()


async def test_a_jammed_radio_holds_therapy_by_itself(siege: Siege) -> None:
    await siege.treat()
    siege.rig.air.tell(Jam(radio=0, seconds=600.0))
    await siege.rig.passes(4.0)
    assert siege.brain.therapy.state is TherapyState.HELD
    assert siege.brain.therapy.cause is HoldCause.LEASE
    siege.rig.air.tell(Jam(radio=0, seconds=0.0))
    await siege.honest_traffic_goes_on()


async def test_a_dongle_that_is_jammed_holds_therapy_by_itself(siege: Siege) -> None:
    await siege.treat()
    sessions = len(siege.store.cards)
    await siege.stage.begin("jamming")
    await siege.rig.passes(4.0)
    assert siege.brain.therapy.cause is HoldCause.LEASE
    await siege.stage.over()
    await until(lambda: len(siege.store.cards) > sessions)
    await siege.honest_traffic_goes_on()


async def test_who_stands_between_learns_nothing_and_changes_nothing(siege: Siege) -> None:
    seen: list[Pdu] = []

    def flip(pdu: Pdu, _: RadioLink) -> Iterable[Pdu]:
        seen.append(pdu)
        altered = len(pdu.value) > 60 and len(seen) % 5 == 0 and pdu.direction is Direction.TO_CENTRAL
        return (pdu.with_value(pdu.value[:-1] + bytes((pdu.value[-1] ^ 1,))) if altered else pdu,)

    with siege.rig.air.intercept(flip, radio=0):
        await siege.rig.passes(1.0)
        await until(lambda: bool(siege.store.refused))
    assert not any(b"SH-1" in pdu.value for pdu in seen)
    await siege.honest_traffic_goes_on()


def test_every_stream_to_the_hub_is_attacked() -> None:
    assert {stream.name for stream in ToHub} == {"CONTROL", "STOP", "QUERY"}
