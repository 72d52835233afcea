"""Faults of whole messages: by themselves, and between real hosts."""

import asyncio
from random import Random

import pytest
from bleak import BleakClient
from bleak.exc import BleakError
from bumble.device import Connection

from devices.simulator.air_control import (
    AirControl,
    Calm,
    Corrupt,
    CutAtWrite,
    Delay,
    Duplicate,
    Lose,
    Reorder,
    SetMtu,
    SetTiming,
)
from devices.simulator.message_faults import LONGEST_HOLD_S, MessageFaults, MessagePath
from devices.simulator.pdu import Direction, Pdu, notification, write_command, write_request
from devices.simulator.timers import ManualTimers
from tests.devices.simulator.radio_world import ADDRESS, NOTIFIED, READ, WRITTEN, World, numbered

HANDLE = 7
MANY = 2000


class Path:
    """A way through faults, and what came out."""

    def __init__(self, seed: int = 1) -> None:
        self.timers = ManualTimers()
        self.faults = MessageFaults()
        self.out: list[Pdu] = []
        self.path = MessagePath(self.faults, self.timers, Random(seed), self.out.append)

    def send(self, *numbers: int) -> None:
        for number in numbers:
            self.path.carry(notification(HANDLE, number.to_bytes(2, "big")))

    @property
    def numbers(self) -> list[int]:
        return [int.from_bytes(pdu.value, "big") for pdu in self.out]


def test_nothing_happens_by_itself() -> None:
    path = Path()
    assert path.path.clear
    path.send(*range(10))
    assert path.numbers == list(range(10))
    assert path.timers.due is None


def test_counted_faults_strike_exactly_so_often_and_rates_about_so_often() -> None:
    path = Path()
    path.faults.lose.set(count=3)
    path.send(*range(10))
    assert path.numbers == list(range(3, 10))
    path.out.clear()
    path.faults.lose.set(rate=0.2)
    path.send(*range(MANY))
    assert 0.17 * MANY < MANY - len(path.out) < 0.23 * MANY
    path.faults.calm()
    assert path.path.clear


def test_the_same_seed_strikes_the_same_messages() -> None:
    runs = []
    for seed in (1, 1, 2):
        path = Path(seed)
        path.faults.lose.set(rate=0.3)
        path.faults.reorder.set(rate=0.3)
        path.faults.reorder_by = 5
        path.send(*range(200))
        runs.append(path.numbers)
    assert runs[0] == runs[1] != runs[2]


def test_doubled_messages_come_twice() -> None:
    path = Path()
    path.faults.duplicate.set(count=2)
    path.send(1, 2, 3)
    assert path.numbers == [1, 1, 2, 2, 3]


def test_a_message_is_overtaken_by_no_more_than_told_and_none_is_lost() -> None:
    path = Path()
    path.faults.reorder.set(rate=0.3)
    path.faults.reorder_by = 4
    path.send(*range(MANY))
    path.timers.advance(LONGEST_HOLD_S)
    came = path.numbers
    assert sorted(came) == list(range(MANY))
    overtaken = {sum(earlier > number for earlier in came[:place][-40:]) for place, number in enumerate(came)}
    assert overtaken == {0, 1, 2, 3, 4}


def test_the_last_message_is_not_held_for_ever() -> None:
    path = Path()
    path.faults.reorder.set(count=1)
    path.send(1)
    assert path.numbers == []
    assert not path.path.clear
    path.timers.advance(LONGEST_HOLD_S)
    assert path.numbers == [1]
    assert path.path.clear


def test_delay_keeps_the_order_even_when_it_ends_or_varies() -> None:
    path = Path()
    path.faults.delay_s, path.faults.jitter_s = 0.5, 0.4
    path.send(*range(5))
    path.timers.advance(0.49)
    assert path.numbers == []
    path.faults.calm()
    path.send(5)
    assert path.numbers == [], "it may not overtake what is still under way"
    path.timers.advance(0.42)
    assert path.numbers == list(range(6))


def test_damage_turns_one_bit_of_the_value_and_leaves_the_header() -> None:
    path = Path()
    path.faults.corrupt.set(count=50)
    for _ in range(50):
        path.path.carry(write_command(HANDLE, bytes(10)))
    for pdu in path.out:
        assert (pdu.opcode, pdu.handle) == (0x52, HANDLE)
        assert sum(byte.bit_count() for byte in pdu.value) == 1


@pytest.mark.parametrize("everything", [False, True])
def test_requests_and_answers_are_spared_unless_told(everything: bool) -> None:
    path = Path()
    path.faults.lose.set(rate=1.0, everything=everything)
    spared = [
        write_request(HANDLE, b"x"),
        Pdu(Direction.TO_CENTRAL, b"\x13"),
        Pdu(Direction.TO_CENTRAL, b"\x1d\x07\x00x"),  # an indication: a confirmation must follow
        Pdu(Direction.TO_PERIPHERAL, b"\x01", cid=6),
        Pdu(Direction.TO_CENTRAL, b""),
    ]
    for pdu in spared:
        path.path.carry(pdu)
    path.path.carry(write_command(HANDLE, b"x"))
    assert path.out == ([] if everything else spared)


async def test_notifications_are_lost_doubled_and_overtake_each_other_between_hosts(world: World) -> None:
    client = await world.connected()
    world.tell(Lose(way="sent", count=2), Duplicate(way="sent", count=1))
    await world.thing.notify(*numbered(6))
    await world.passes(0.1)
    sent = numbered(6)
    assert world.heard == [sent[2], sent[2], *sent[3:]]
    world.heard.clear()
    world.tell(Reorder(way="sent", count=1, by=1))
    await world.thing.notify(*sent)
    await world.passes(0.1)
    assert world.heard == [sent[1], sent[0], *sent[2:]]
    assert await world.run(client.read_gatt_char(READ)) == b"value", "requests went on unharmed"


@pytest.mark.parametrize(("teller", "way"), [("thing", "received"), ("central", "sent")])
async def test_each_radio_has_faults_of_its_own_each_way(world: World, teller: str, way: str) -> None:
    client = await world.connected()
    message = Lose(way=way, rate=1.0)  # type: ignore[arg-type]
    (world.thing.controller if teller == "thing" else world.controller).tell(message)
    await world.run(client.write_gatt_char(WRITTEN, b"command", response=False))
    await world.run(client.write_gatt_char(WRITTEN, b"request", response=True))
    await world.thing.notify(b"heard")
    await world.passes(0.1)
    assert world.thing.written == [b"request"]
    assert world.heard == [b"heard"]


async def test_damaged_notifications_arrive_with_one_bit_turned(world: World) -> None:
    await world.connected()
    world.tell(Corrupt(count=1))
    await world.thing.notify(bytes(100), bytes(100))
    await world.passes(0.1)
    assert sum(byte.bit_count() for byte in world.heard[0]) == 1
    assert world.heard[1] == bytes(100)


async def test_a_delay_holds_both_ways_and_ends(world: World) -> None:
    client = await world.connected()
    world.tell(Delay(seconds=0.25))
    began = world.timers.now()
    await world.run(client.read_gatt_char(READ))
    assert world.timers.now() - began == pytest.approx(0.5)
    world.tell(Calm())
    began = world.timers.now()
    await world.run(client.read_gatt_char(READ))
    assert world.timers.now() == began


async def test_long_messages_in_fragments_are_lost_whole(world: World) -> None:
    world.tell(SetTiming(interval_ms=15, octets=27), Lose(way="received", count=1))
    client = await world.connected()
    await world.run(client.write_gatt_char(WRITTEN, bytes(500), response=False))
    await world.run(client.write_gatt_char(WRITTEN, bytes(501), response=True))
    assert world.thing.written == [bytes(501)]


async def test_one_lost_answer_blocks_a_client(world: World) -> None:
    """Why answers are spared by default."""
    client = await world.connected()
    world.tell(Lose(way="sent", count=1, everything=True))
    reads = [asyncio.ensure_future(client.read_gatt_char(READ)) for _ in range(2)]
    # ATT's own timeout of 30 s runs in the host, not in the air: nobody waits for it here.
    await world.passes(100)
    assert not any(read.done() for read in reads)
    world.radio_link.lose()
    for read in reads:
        with pytest.raises(BleakError):
            await read


@pytest.mark.parametrize("paced", [True, False])
@pytest.mark.parametrize("delivered", [True, False])
@pytest.mark.parametrize("response", [True, False])
async def test_the_link_ends_with_the_nth_write(world: World, paced: bool, delivered: bool, response: bool) -> None:
    world.tell(SetTiming(interval_ms=30 if paced else 0))
    client = await world.connected()
    ends = world.reasons()
    world.tell(CutAtWrite(nth=3, delivered=delivered))
    await world.run(client.write_gatt_char(WRITTEN, b"1", response=response))
    await world.run(client.write_gatt_char(WRITTEN, b"2", response=response))
    if response:
        with pytest.raises(BleakError):
            await world.run(client.write_gatt_char(WRITTEN, b"3", response=True))
    else:
        await world.run(client.write_gatt_char(WRITTEN, b"3", response=False))
        await world.until(lambda: not client.is_connected)
    await world.settle()
    assert world.thing.written == [b"1", b"2", *([b"3"] if delivered else [])]
    assert ends == ([0x08], [0x08])
    again = await world.connected()
    await world.run(again.write_gatt_char(WRITTEN, b"4", response=True))
    assert world.thing.written[-1] == b"4", "it strikes once"


async def test_only_writes_of_the_named_attribute_are_counted(world: World) -> None:
    client = await world.connected()
    written = client.services.get_characteristic(WRITTEN)
    notified = client.services.get_characteristic(NOTIFIED)
    assert written is not None
    assert notified is not None
    world.tell(CutAtWrite(handle=notified.handle + 1))
    await world.run(client.write_gatt_char(written, b"1", response=True))
    with pytest.raises(BleakError):
        await world.run(client.stop_notify(notified))  # a write to the descriptor behind it
    assert world.thing.written == [b"1"]


async def test_a_cut_can_be_withdrawn(world: World) -> None:
    client = await world.connected()
    world.tell(CutAtWrite(nth=1), CutAtWrite(nth=0))
    await world.run(client.write_gatt_char(WRITTEN, b"1", response=True))
    assert client.is_connected


@pytest.mark.parametrize("mtu", [23, 100, 185])
@pytest.mark.parametrize("who", ["thing", "central"])
async def test_a_radio_of_small_mtu_makes_both_ends_use_it(world: World, mtu: int, who: str) -> None:
    (world.thing.controller if who == "thing" else world.controller).tell(SetMtu(largest=mtu))
    client = await world.connected()
    assert client.mtu_size == world.thing.connection.att_mtu == mtu
    await world.thing.notify(bytes(300))
    await world.passes(0.1)
    assert world.heard == [bytes(mtu - 3)]
    await world.run(client.write_gatt_char(WRITTEN, bytes(300), response=True))
    assert world.thing.written == [bytes(300)], "a long write"


async def test_a_late_answer_about_the_mtu_is_waited_for(world: World) -> None:
    world.tell(SetMtu(largest=100, delay=2.0))
    began = world.timers.now()
    client = await world.connected()
    assert client.mtu_size == 100
    assert world.timers.now() - began == pytest.approx(2.0)


async def test_an_mtu_that_is_never_answered_leaves_the_client_without_a_link(world: World) -> None:
    world.tell(SetMtu(answered=False))
    client = BleakClient(ADDRESS, timeout=0.3, backend=world.adapter.client_backend)
    with pytest.raises(BleakError):
        await client.connect()
    await world.settle()
    assert world.thing.peripheral.connections == ()
    world.tell(Calm())
    await world.connected()


async def test_calm_ends_every_fault(world: World) -> None:
    faults: tuple[AirControl, ...] = (
        SetTiming(interval_ms=50),
        Lose(rate=1.0),
        Duplicate(rate=1.0),
        Reorder(rate=1.0),
        Corrupt(rate=1.0),
        Delay(seconds=9.0),
        CutAtWrite(),
        SetMtu(largest=23),
    )
    client = await world.connected()
    world.tell(*faults, Calm())
    await world.run(client.write_gatt_char(WRITTEN, b"1", response=False))
    await world.thing.notify(*numbered(5))
    await world.passes(0.0)
    assert world.thing.written == [b"1"]
    assert world.heard == numbered(5)
    assert not world.thing.controller.conditions.meddles


async def test_a_link_that_ends_takes_what_was_held_with_it(world: World) -> None:
    await world.connected()
    world.tell(Delay(seconds=5.0), Reorder(rate=1.0))
    await world.thing.notify(*numbered(5))
    await world.settle()
    reasons: list[int] = []
    world.connection.on(Connection.EVENT_DISCONNECTION, reasons.append)
    world.radio_link.lose()
    await world.passes(10.0)
    assert reasons == [0x08]
    assert world.heard == []
