"""Timing, loss and jamming as real hosts see them: a peripheral and bleak, over HCI, at a time that the test moves."""

import asyncio

import pytest
from bleak import BleakClient
from bleak.exc import BleakError
from bumble import hci
from bumble.device import Connection

from devices.simulator.air_control import Calm, Jam, SetErrors, SetTiming
from devices.simulator.pdu import Direction
from devices.simulator.radio_link import Transit
from tests.devices.simulator.radio_world import ADDRESS, READ, SECRET, WRITTEN, Thing, World, numbered

CONNECTION_TIMEOUT = 0x08


def told(connection: Connection) -> tuple[float, float]:
    """What a host was told: interval and supervision timeout, ms."""
    return connection.parameters.connection_interval, connection.parameters.supervision_timeout


@pytest.mark.parametrize("interval_ms", [7.5, 15, 30, 50, 4000])
async def test_both_hosts_are_told_the_modelled_interval(world: World, interval_ms: float) -> None:
    world.tell(SetTiming(interval_ms=interval_ms))
    await world.connected(subscribed=False, patience=1000)
    for connection in (world.connection, world.thing.connection):
        interval, timeout = told(connection)
        assert interval == interval_ms
        assert timeout == (720 if interval_ms < 360 else 8010)


async def test_without_a_model_hosts_are_told_what_the_central_asked_for(world: World) -> None:
    await world.connected()
    assert told(world.connection) == told(world.thing.connection) == (15.0, 720.0)


async def test_a_new_interval_reaches_a_live_link_and_both_hosts(world: World) -> None:
    await world.connected()
    world.tell(SetTiming(interval_ms=50))
    await world.settle()
    assert told(world.connection) == told(world.thing.connection) == (50.0, 720.0)
    world.tell(Calm())
    await world.settle()
    assert told(world.connection) == told(world.thing.connection) == (15.0, 720.0)


@pytest.mark.parametrize(("air_ms", "gets_ms"), [(0, 40.0), (30, 30.0)])
async def test_a_host_that_asks_for_another_interval_gets_it_unless_the_air_has_one(
    world: World, air_ms: float, gets_ms: float
) -> None:
    world.tell(SetTiming(interval_ms=air_ms))
    await world.connected()
    await world.run(world.connection.update_parameters(20, 40, 0, 2000))
    assert told(world.connection) == told(world.thing.connection) == (gets_ms, 2000.0)


@pytest.mark.parametrize(("interval_ms", "an_event"), [(15, 10), (30, 21), (50, 35)])
async def test_notifications_come_in_connection_events(world: World, interval_ms: float, an_event: int) -> None:
    world.tell(SetTiming(interval_ms=interval_ms))
    await world.connected()
    await world.passes(1.0)
    layer, before = world.radio_link.layer, world.radio_link.layer.events
    sent = numbered(2 * an_event + 1)
    await world.thing.notify(*sent)
    await world.until(lambda: len(world.heard) == len(sent))
    assert layer.events == before + 3
    assert world.heard == sent


async def test_an_order_waits_for_its_event_and_its_answer_for_the_next(world: World) -> None:
    world.tell(SetTiming(interval_ms=50))
    client = await world.connected()
    await world.passes(1.0)
    before = world.radio_link.layer.events
    began = world.timers.now()
    await world.run(client.write_gatt_char(WRITTEN, b"stop", response=True))
    assert world.radio_link.layer.events == before + 2
    assert 0.05 < world.timers.now() - began < 0.101
    assert world.thing.written == [b"stop"]


async def test_a_host_may_send_no_more_than_the_controller_holds(world: World) -> None:
    """Number Of Completed Packets comes when the peer has acknowledged, as from a real controller."""
    world.tell(SetTiming(interval_ms=30))
    await world.connected()
    queue = world.thing.peripheral.device.host.get_data_packet_queue(world.thing.connection.handle)
    assert queue is not None
    await world.passes(1.0)
    await world.thing.notify(*numbered(100))
    await world.settle()
    assert queue.pending == 100
    await world.passes(0.061)
    assert 50 < queue.pending < 80
    await world.passes(1.0)
    assert queue.pending == 0
    assert world.heard == numbered(100)


async def test_loss_on_the_air_is_delay_for_the_hosts(world: World) -> None:
    world.tell(SetTiming(interval_ms=30), SetErrors(rate=0.3))
    client = await world.connected()
    sent = numbered(120)
    await world.thing.notify(*sent)
    for number in range(20):
        await world.run(client.write_gatt_char(WRITTEN, bytes((number,)) * 200, response=number % 2 == 0))
    await world.until(lambda: len(world.heard) == len(sent) and len(world.thing.written) == 20)
    assert world.heard == sent
    assert world.thing.written == numbered(20, 200)
    assert world.radio_link.layer.peripheral.resent > 10


async def test_loss_needs_no_interval_of_its_own(world: World) -> None:
    await world.connected()
    world.tell(SetErrors(rate=0.5))
    await world.thing.notify(*numbered(30))
    took = await world.until(lambda: len(world.heard) == 30)
    assert took > 3 * 0.015
    assert world.heard == numbered(30)
    world.tell(Calm())
    await world.passes(0.1)
    assert world.radio_link.layer.ideal


@pytest.mark.parametrize("interval_ms", [0, 30])
async def test_a_jam_below_the_supervision_timeout_only_delays(world: World, interval_ms: float) -> None:
    world.tell(SetTiming(interval_ms=interval_ms))
    await world.connected()
    ends = world.reasons()
    await world.thing.notify(*numbered(3))
    await world.until(lambda: len(world.heard) == 3)
    world.tell(Jam(seconds=0.6))
    await world.thing.notify(*numbered(5)[3:])
    await world.passes(0.59)
    assert world.heard == numbered(3)
    await world.passes(0.2)
    assert world.heard == numbered(5)
    assert ends == ([], [])


@pytest.mark.parametrize("interval_ms", [0, 30])
@pytest.mark.parametrize("who", ["thing", "central"])
async def test_a_jam_beyond_the_supervision_timeout_ends_the_link_at_both_ends(
    world: World, interval_ms: float, who: str
) -> None:
    world.tell(SetTiming(interval_ms=interval_ms))
    await world.connected()
    ends = world.reasons()
    jammed = world.thing.controller if who == "thing" else world.controller
    jammed.tell(Jam(seconds=3.0))
    await world.passes(0.71)
    assert ends == ([], [])
    await world.passes(0.02)
    assert ends == ([CONNECTION_TIMEOUT], [CONNECTION_TIMEOUT])
    assert world.link.radio_links == []


async def test_a_jammed_radio_is_not_heard_and_comes_back(world: World) -> None:
    world.tell(Jam(seconds=60))
    absent = BleakClient(ADDRESS, timeout=0.3, backend=world.adapter.client_backend)
    with pytest.raises(BleakError):
        await absent.connect()
    await world.passes(60)
    await world.connected()
    world.tell(Jam(seconds=60))
    await world.passes(1.0)
    world.tell(Jam(seconds=0))
    await world.connected()


async def test_leaving_in_order_takes_an_event_too(world: World) -> None:
    world.tell(SetTiming(interval_ms=50))
    client = await world.connected()
    ends = world.reasons()
    await world.passes(1.0)
    leaving = asyncio.ensure_future(client.disconnect())
    await world.settle()
    assert ends == ([], [])
    await world.until(leaving.done)
    remote_user = hci.HCI_ErrorCode.REMOTE_USER_TERMINATED_CONNECTION_ERROR
    assert ends == ([remote_user], [remote_user])
    await world.connected()


async def test_who_leaves_during_a_jam_is_timed_out_at_the_other_end(world: World) -> None:
    client = await world.connected()
    ends = world.reasons()
    world.tell(Jam(seconds=5))
    leaving = asyncio.ensure_future(client.disconnect())
    await world.passes(0.7)
    assert not leaving.done()
    await world.until(leaving.done)
    assert ends == ([CONNECTION_TIMEOUT], [CONNECTION_TIMEOUT])


async def test_who_leaves_at_the_moment_of_the_loss_does_not_wait_for_ever(world: World) -> None:
    client = await world.connected()
    world.tell(Jam(seconds=5))
    leaving = asyncio.ensure_future(client.disconnect())
    world.timers.advance(1.0)  # the loss and the command cross on HCI
    await world.settle()
    assert leaving.done()
    assert not client.is_connected


async def test_pairing_and_encryption_work_in_connection_events(world: World) -> None:
    world.tell(SetTiming(interval_ms=15), SetErrors(rate=0.1))
    client = await world.connected(subscribed=False)
    await world.run(client.pair())
    assert await world.run(client.read_gatt_char(SECRET)) == b"secret"


async def test_a_message_that_is_half_sent_when_the_air_changes_arrives_whole(world: World) -> None:
    client = await world.connected()
    world.tell(SetTiming(interval_ms=30, octets=27))
    await world.run(client.write_gatt_char(WRITTEN, bytes(range(250)) * 2, response=False))
    await world.passes(0.031)
    assert world.thing.written == []
    world.tell(Calm())
    await world.passes(1.0)
    assert world.thing.written == [bytes(range(250)) * 2]
    assert await world.run(client.read_gatt_char(READ)) == b"value"


async def test_a_radio_shares_its_time_among_its_links() -> None:
    world = World(things=4)
    await world.start()
    world.controller.tell(SetTiming(interval_ms=30))
    for number in range(4):
        await world.connected(thing=number)
    await world.passes(1.0)
    for thing in world.things:
        await thing.notify(*numbered(30))
    await world.passes(0.0605)
    one_event = 30 / 4 // 1.392  # ms of an interval for each, ms of an exchange
    assert len(world.heard) == 4 * 2 * one_event
    world.things[1].controller.leave()
    world.things[2].controller.leave()
    await world.passes(1.0)
    world.heard.clear()
    await world.things[0].notify(*numbered(30))
    await world.passes(0.0605)
    assert len(world.heard) == 2 * (30 / 2 // 1.392)
    await world.close()


async def test_a_host_that_dies_is_timed_out_on_a_modelled_link(world: World) -> None:
    world.tell(SetTiming(interval_ms=30))
    await world.connected()
    reasons: list[int] = []
    world.connection.on(Connection.EVENT_DISCONNECTION, reasons.append)
    world.thing.controller.leave()
    await world.settle()
    assert reasons == [CONNECTION_TIMEOUT]
    assert world.timers.due is None


async def test_the_air_tells_what_each_packet_waited_for_it(world: World) -> None:
    seen: list[Transit] = []
    world.tell(SetTiming(interval_ms=30))
    await world.connected()
    world.link.watch = seen.append
    await world.thing.notify(*numbered(1))
    await world.until(lambda: bool(world.heard))
    crossed = [one for one in seen if one.direction is Direction.TO_CENTRAL and numbered(1)[0] in one.packet]
    assert len(crossed) == 1
    assert crossed[0].due <= world.timers.now()
    assert 0 < crossed[0].due - crossed[0].given <= 0.031


async def test_of_two_devices_at_one_address_one_takes_the_connection(world: World) -> None:
    """An evil twin gets the link or does not; it never gets half of it."""
    twin = Thing(world.link, number=9, address=world.thing.address)
    await twin.peripheral.power_on()
    client = await world.connected(subscribed=False)
    await world.run(client.write_gatt_char(WRITTEN, b"to whom", response=True))
    assert sorted((len(world.thing.written), len(twin.written))) == [0, 1]
    assert len(world.link.radio_links) == 1
    assert len(world.thing.peripheral.connections) + len(twin.peripheral.connections) == 1
    twin.controller.leave()
