"""Links on real BLE frames: one air, heart rate bands as peers, profiles that do what a test needs."""

import asyncio
import sys
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from bleak import BleakClient

from core.model.clock import ManualClock
from core.model.hub import LinkState
from core.model.words import Text, load_words
from devices.errors import LinkRefused, RadioError
from devices.link import FIRST_WAIT_S, LONGEST_WAIT_S, REFUSED_WAIT_S, STEADY_S, Link
from devices.radio import Radio
from devices.simulator.air import Air
from devices.simulator.heart_rate import run_heart_rate

BAND = "C2:5A:00:00:00:01"
OTHER = "C2:5A:00:00:00:02"


class Recorder:
    """A profile, and everything that its link tells and waits."""

    def __init__(self) -> None:
        self.states: list[tuple[LinkState, Text | None]] = []
        self.waits: list[float] = []
        self.clients: list[BleakClient] = []
        self.ends = 0
        self.behaviour: Callable[[BleakClient], Awaitable[None]] | None = None
        self._changed = asyncio.Condition()

    async def start(self, client: BleakClient) -> None:
        self.clients.append(client)
        if self.behaviour is not None:
            await self.behaviour(client)

    async def ended(self) -> None:
        self.ends += 1

    def state_changed(self, state: LinkState, reason: Text | None) -> None:
        self.states.append((state, reason))
        self._notify()

    async def sleep(self, seconds: float) -> None:
        """Back-off that takes no time, except that it lets everybody else run."""
        self.waits.append(seconds)
        self._notify()
        await asyncio.sleep(0.001)

    def _notify(self) -> None:
        async def notify() -> None:
            async with self._changed:
                self._changed.notify_all()

        self._notifying = asyncio.ensure_future(notify())

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(20), self._changed:
            await self._changed.wait_for(condition)

    def count(self, state: LinkState) -> int:
        return sum(one is state for one, _ in self.states)


@pytest.fixture
def recorder() -> Recorder:
    return Recorder()


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
async def radio(air: Air) -> AsyncIterator[Radio]:
    made = Radio.parse(f"bumble:{air.transports[2]}")
    yield made
    await made.close()


@pytest.fixture
async def band(air: Air) -> AsyncIterator[asyncio.Task[None]]:
    ready = asyncio.Event()
    task = asyncio.create_task(run_heart_rate(air.transports[0], seed=1, address=BAND, ready=ready.set))
    await ready.wait()
    yield task
    task.cancel()
    await asyncio.wait({task})


@pytest.fixture
async def link(radio: Radio, recorder: Recorder, clock: ManualClock) -> AsyncIterator[Link]:
    made = Link(radio, BAND, recorder, state_changed=recorder.state_changed, clock=clock, sleep=recorder.sleep)
    task = asyncio.create_task(made.run())
    yield made
    await made.close()
    assert task.cancelled()
    assert recorder.states[-1] == (LinkState.ABSENT, None)
    assert recorder.ends == len(recorder.clients)
    assert not any(client.is_connected for client in recorder.clients)


@pytest.mark.usefixtures("band", "link")
async def test_a_link_comes_up_and_comes_back_with_a_fresh_client(
    air: Air, recorder: Recorder, clock: ManualClock
) -> None:
    await recorder.until(lambda: recorder.count(LinkState.UP) == 1)
    assert [state for state, _ in recorder.states] == [LinkState.SEARCHING, LinkState.CONNECTING, LinkState.UP]
    clock.advance(STEADY_S)
    air.set_in_range(0, False)
    await recorder.until(lambda: recorder.count(LinkState.LOST) == 1)
    air.set_in_range(0, True)
    await recorder.until(lambda: recorder.count(LinkState.UP) == 2)
    assert recorder.states[3][1] == Text("device.link.vanished")
    assert len(set(map(id, recorder.clients))) == 2
    assert recorder.waits[0] == FIRST_WAIT_S


@pytest.mark.usefixtures("band", "link")
async def test_the_wait_doubles_while_the_link_does_not_hold_and_starts_over_once_it_did(
    air: Air, recorder: Recorder, clock: ManualClock
) -> None:
    async def drop_at_once(client: BleakClient) -> None:
        await client.disconnect()

    recorder.behaviour = drop_at_once
    await recorder.until(lambda: len(recorder.waits) >= 7)
    assert recorder.waits[:7] == [0.1, 0.2, 0.4, 0.8, 1.6, LONGEST_WAIT_S, LONGEST_WAIT_S]
    assert recorder.count(LinkState.UP) == 0
    recorder.behaviour = None
    await recorder.until(lambda: recorder.count(LinkState.UP) == 1)
    before = len(recorder.waits)
    clock.advance(STEADY_S)
    air.set_in_range(0, False)
    await recorder.until(lambda: len(recorder.waits) > before)
    assert recorder.waits[before] == FIRST_WAIT_S
    air.set_in_range(0, True)


@pytest.mark.usefixtures("band", "link")
async def test_a_refused_peer_is_told_with_its_reason_and_tried_again_slowly(recorder: Recorder) -> None:
    async def refuse(client: BleakClient) -> None:
        if len(recorder.clients) == 1:
            raise LinkRefused("wrong version", reason=Text("device.heart_rate.not_one"))

    recorder.behaviour = refuse
    await recorder.until(lambda: recorder.count(LinkState.UP) == 1)
    assert (LinkState.REFUSED, Text("device.heart_rate.not_one")) in recorder.states
    assert recorder.waits == [REFUSED_WAIT_S]
    assert not recorder.clients[0].is_connected


@pytest.mark.usefixtures("band", "link")
async def test_a_fault_in_a_profile_is_logged_and_treated_as_a_loss(
    recorder: Recorder, caplog: pytest.LogCaptureFixture
) -> None:
    async def fail(client: BleakClient) -> None:
        if len(recorder.clients) == 1:
            raise ZeroDivisionError("a fault of ours")

    recorder.behaviour = fail
    await recorder.until(lambda: recorder.count(LinkState.UP) == 1)
    assert (LinkState.SEARCHING, Text("device.link.fault")) in recorder.states
    assert "a fault of ours" in caplog.text


@pytest.mark.usefixtures("band", "link")
async def test_a_profile_that_waits_for_ever_ends_when_the_peer_vanishes(air: Air, recorder: Recorder) -> None:
    hanging = asyncio.Event()

    async def hang(client: BleakClient) -> None:
        if len(recorder.clients) == 1:
            hanging.set()
            await asyncio.get_running_loop().create_future()

    recorder.behaviour = hang
    await hanging.wait()
    air.set_in_range(0, False)
    await recorder.until(lambda: len(recorder.waits) == 1)
    air.set_in_range(0, True)
    await recorder.until(lambda: recorder.count(LinkState.UP) == 1)


async def test_closing_while_connecting_leaves_the_peer_free(
    radio: Radio, band: asyncio.Task[None], recorder: Recorder, clock: ManualClock
) -> None:
    for _ in range(3):
        link = Link(radio, BAND, recorder, state_changed=recorder.state_changed, clock=clock, sleep=recorder.sleep)
        task = asyncio.create_task(link.run())
        before = recorder.count(LinkState.CONNECTING)
        await recorder.until(lambda before=before: recorder.count(LinkState.CONNECTING) > before)  # type: ignore[misc]
        await link.close()
        assert task.cancelled()
    async with radio.lock:
        device = await radio.locate(BAND, 5)
    assert device is not None


@pytest.mark.usefixtures("band")
async def test_a_link_in_back_off_blocks_nobody(radio: Radio, recorder: Recorder, clock: ManualClock) -> None:
    asleep = asyncio.Event()

    async def sleep_for_ever(_seconds: float) -> None:
        asleep.set()
        await asyncio.get_running_loop().create_future()

    waiting = Recorder()
    absent = Link(radio, OTHER, waiting, state_changed=waiting.state_changed, clock=clock, sleep=sleep_for_ever)
    present = Link(radio, BAND, recorder, state_changed=recorder.state_changed, clock=clock, sleep=recorder.sleep)
    tasks = [asyncio.create_task(absent.run())]
    await asleep.wait()
    assert waiting.states[-1] == (LinkState.SEARCHING, Text("device.link.absent", {"address": OTHER}))
    tasks.append(asyncio.create_task(present.run()))
    await recorder.until(lambda: recorder.count(LinkState.UP) == 1)
    await absent.close()
    await present.close()
    await asyncio.wait(tasks)


async def test_a_link_survives_the_loss_of_the_whole_air(recorder: Recorder, clock: ManualClock) -> None:
    air = Air(2)
    await air.open()
    ports = [int(transport.rsplit(":", 1)[1]) for transport in air.transports]
    radio = Radio.parse(f"bumble:{air.transports[1]}")
    band = asyncio.create_task(run_heart_rate(air.transports[0], seed=1, address=BAND))
    link = Link(radio, BAND, recorder, state_changed=recorder.state_changed, clock=clock, sleep=recorder.sleep)
    running = asyncio.create_task(link.run())
    await recorder.until(lambda: recorder.count(LinkState.UP) == 1)
    await air.close()
    await recorder.until(lambda: (LinkState.LOST, Text("device.radio.none")) in recorder.states)
    await asyncio.wait({band})
    with pytest.raises(RadioError) as gone:
        await radio.scan(0.1)
    assert gone.value.remedy
    async with Air(ports) as again:
        band = asyncio.create_task(run_heart_rate(again.transports[0], seed=1, address=BAND))
        await recorder.until(lambda: recorder.count(LinkState.UP) == 2)
        await link.close()
        band.cancel()
        await asyncio.wait({band, running})
        await radio.close()


@pytest.mark.usefixtures("band")
async def test_a_device_whose_address_changes_is_found_by_what_recognises_it(
    radio: Radio, recorder: Recorder, clock: ManualClock
) -> None:
    link = Link(
        radio,
        OTHER,
        recorder,
        state_changed=recorder.state_changed,
        clock=clock,
        sleep=recorder.sleep,
        wanted=lambda _, data: data.local_name == "Heart band",
    )
    running = asyncio.create_task(link.run())
    await recorder.until(lambda: recorder.count(LinkState.UP) == 1)
    assert recorder.clients[0].address == BAND
    await link.close()
    await asyncio.wait({running})


async def test_a_scan_says_what_each_advertiser_is(radio: Radio, band: asyncio.Task[None]) -> None:
    await radio.open()
    await radio.open()
    (seen,) = await radio.scan(0.5)
    assert (seen.address, seen.name, seen.kind, seen.rssi_dbm) == (BAND, "Heart band", "heart_rate", -55)
    assert (seen.enrolled, seen.open) == (None, None), "that is told of hubs only"


async def test_a_closed_radio_says_so(radio: Radio) -> None:
    with pytest.raises(RadioError):
        await radio.scan(0.1)
    with pytest.raises(RadioError):
        await radio.locate(BAND, 0.1)
    with pytest.raises(RadioError):
        radio.client(BAND, lambda: None)


@pytest.mark.parametrize("spec", ["", "bumble:", "bumble:foo", "bumble:usbs:0", "serial", "PLATFORM"])
def test_a_radio_that_is_none_is_refused(spec: str) -> None:
    with pytest.raises(RadioError):
        Radio.parse(spec)


async def test_no_adapter_is_an_error_with_a_remedy() -> None:
    with pytest.raises(RadioError) as refused:
        await Radio.parse("bumble:tcp-client:127.0.0.1:1").open()
    assert refused.value.remedy


def test_every_reason_has_words() -> None:
    words = load_words("en")
    keys = ["link.absent", "link.vanished", "link.failed", "link.fault", "radio.none", "heart_rate.not_one"]
    assert [key for key in keys if f"device.{key}" not in words] == []


if sys.platform == "linux":

    async def test_a_system_without_bluetooth_is_an_error_with_a_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", "unix:path=/nonexistent/bus")
        with pytest.raises(RadioError) as refused:
            await Radio.parse("platform").open()
        assert refused.value.remedy
