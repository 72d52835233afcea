"""A man in the middle between real hosts: he sees, drops, changes, adds, records and replays."""

from collections.abc import Iterable

import pytest
from bleak.exc import BleakError

from devices.simulator.air_control import SetTiming
from devices.simulator.interception import Recorder, replay
from devices.simulator.pdu import (
    NOTIFICATION,
    WRITE_COMMAND,
    WRITE_REQUEST,
    Direction,
    Pdu,
    notification,
    write_command,
    write_request,
)
from devices.simulator.radio_link import LinkGone, RadioLink
from tests.devices.simulator.radio_world import CENTRAL, READ, WRITTEN, World


def is_write(pdu: Pdu) -> bool:
    return pdu.opcode in (WRITE_REQUEST, WRITE_COMMAND)


def test_a_pdu_says_what_it_is() -> None:
    pdu = write_request(0x0102, b"abc")
    assert bytes(pdu) == bytes.fromhex("0600 0400 12 0201 616263")
    assert Pdu.parse(Direction.TO_PERIPHERAL, bytes(pdu)) == pdu
    assert (pdu.opcode, pdu.handle, pdu.value, pdu.unanswered) == (0x12, 0x0102, b"abc", False)
    assert pdu.with_value(b"z") == write_request(0x0102, b"z")
    assert notification(1, b"x").unanswered
    assert write_command(1, b"x").unanswered
    other = Pdu(Direction.TO_CENTRAL, b"\x12\x01\x00x", cid=6)
    assert (other.opcode, other.handle, other.value) == (None, None, b"")
    short = Pdu(Direction.TO_CENTRAL, b"\x1b\x01")
    assert (short.opcode, short.handle, short.value) == (0x1B, None, b"")
    assert Direction.TO_CENTRAL.back.back is Direction.TO_CENTRAL


async def test_a_listener_sees_everything_and_harms_nothing(world: World) -> None:
    recorder = Recorder()
    with world.link.intercept(recorder):
        client = await world.connected()
        await world.run(client.write_gatt_char(WRITTEN, b"order", response=True))
        await world.thing.notify(b"frame")
        await world.settle()
    assert world.thing.written == [b"order"]
    assert world.heard == [b"frame"]
    seen = recorder.pdus
    assert [pdu.value for pdu in seen if pdu.opcode == NOTIFICATION] == [b"frame"]
    assert [pdu.value for pdu in seen if is_write(pdu)][-1] == b"order"
    assert {pdu.direction for pdu in seen} == set(Direction)
    count = len(seen)
    await world.thing.notify(b"unseen")
    await world.settle()
    assert world.heard == [b"frame", b"unseen"]
    assert len(recorder.pdus) == count


@pytest.mark.parametrize("interval_ms", [0, 30])
async def test_he_drops_changes_and_adds(world: World, interval_ms: float) -> None:
    world.tell(SetTiming(interval_ms=interval_ms))

    def forge(pdu: Pdu, link: RadioLink) -> Iterable[Pdu]:
        if pdu.opcode != NOTIFICATION:
            return (pdu,)
        if pdu.value == b"drop":
            return ()
        if pdu.value == b"change":
            return (pdu.with_value(b"changed"),)
        return (pdu, pdu.with_value(b"added"))

    client = await world.connected()
    with world.link.intercept(forge):
        await world.thing.notify(b"drop", b"change", b"add")
        await world.until(lambda: len(world.heard) == 3)
    assert world.heard == [b"changed", b"add", b"added"]
    assert await world.run(client.read_gatt_char(READ)) == b"value"


async def test_interceptors_stand_in_line(world: World) -> None:
    def one(pdu: Pdu, link: RadioLink) -> Iterable[Pdu]:
        return (pdu.with_value(pdu.value + b"1"),) if pdu.opcode == NOTIFICATION else (pdu,)

    def two(pdu: Pdu, link: RadioLink) -> Iterable[Pdu]:
        return (pdu.with_value(pdu.value + b"2"),) if pdu.opcode == NOTIFICATION else (pdu,)

    await world.connected()
    first, _ = world.link.intercept(one), world.link.intercept(two)
    await world.thing.notify(b"a")
    await world.settle()
    first.close()
    first.close()
    await world.thing.notify(b"b")
    await world.settle()
    assert world.heard == [b"a12", b"b2"]


async def test_a_forged_order_and_a_forged_frame_reach_the_hosts(world: World) -> None:
    recorder = Recorder(is_write)
    client = await world.connected()
    with world.link.intercept(recorder):
        await world.run(client.write_gatt_char(WRITTEN, b"true", response=False))
    (true,) = recorder.pdus
    link = world.radio_link
    assert (link.central.address, link.peripheral.address) == (CENTRAL, world.thing.address)
    link.inject(true.with_value(b"forged"))
    subscribed = world.thing.notified.handle
    link.inject(notification(subscribed, b"forged, too"))
    await world.settle()
    assert world.thing.written == [b"true", b"forged"]
    assert world.heard == [b"forged, too"]
    assert client.is_connected


async def test_what_was_recorded_is_replayed_later_and_in_another_connection(world: World) -> None:
    recorder = Recorder(is_write)
    client = await world.connected()
    with world.link.intercept(recorder, lambda link: link.peripheral.address == world.thing.address):
        for order in (b"1", b"2"):
            await world.run(client.write_gatt_char(WRITTEN, order, response=False))
    old = world.radio_link
    replay(recorder.pdus, old)
    await world.settle()
    assert world.thing.written == [b"1", b"2", b"1", b"2"]
    await world.run(client.disconnect())
    with pytest.raises(LinkGone):
        replay(recorder.pdus, old)
    await world.connected()
    replay(recorder.pdus[1:], world.radio_link)
    await world.settle()
    assert world.thing.written == [b"1", b"2", b"1", b"2", b"2"]


async def test_an_answer_to_a_forged_request_can_be_swallowed(world: World) -> None:
    """A request of his own is answered; the true client would take that answer for its own."""
    client = await world.connected()
    swallowed = []

    def swallow(pdu: Pdu, link: RadioLink) -> Iterable[Pdu]:
        if pdu.direction is Direction.TO_CENTRAL and pdu.opcode == 0x13:
            swallowed.append(pdu)
            return ()
        return (pdu,)

    handle = client.services.get_characteristic(WRITTEN)
    assert handle is not None
    with world.link.intercept(swallow):
        world.radio_link.inject(write_request(handle.handle, b"forged"))
        await world.settle()
    assert world.thing.written == [b"forged"]
    assert len(swallowed) == 1
    assert await world.run(client.read_gatt_char(READ)) == b"value"


@pytest.mark.parametrize("garbage", [b"", b"\xff" * 40, b"\x1b", b"\x12\x01", b"\x08\x01\x00\xff\xff\x00", bytes(600)])
async def test_garbage_breaks_no_stream(world: World, garbage: bytes) -> None:
    """What a host makes of it is the host's; the messages behind it arrive."""
    await world.connected()
    for direction in Direction:
        world.radio_link.inject(Pdu(direction, garbage))
    await world.settle()
    await world.thing.notify(b"behind")
    await world.settle()
    assert world.heard == [b"behind"]


async def test_he_may_cut_the_link_while_he_looks(world: World) -> None:
    def cut(pdu: Pdu, link: RadioLink) -> Iterable[Pdu]:
        if is_write(pdu) and pdu.value == b"last":
            link.lose()
            return ()
        return (pdu,)

    client = await world.connected()
    ends = world.reasons()
    world.link.intercept(cut)
    with pytest.raises(BleakError):
        await world.run(client.write_gatt_char(WRITTEN, b"last", response=True))
    assert world.thing.written == []
    assert ends == ([0x08], [0x08])
