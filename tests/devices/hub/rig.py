"""A hub on the air and a driver: real BLE frames between Bumble hosts. Hub time moves only when told."""

import asyncio
from collections.abc import Callable
from pathlib import Path

from core.model.clock import ManualClock, SystemClock
from core.model.hub import LinkState, Receipt, ReceiptCode, TherapyState
from core.model.words import Text
from devices.hub import uuids
from devices.hub.credentials import KnownHub
from devices.hub.driver import HubDriver
from devices.radio import Radio
from devices.simulator.air import Air
from devices.simulator.brain import Brain
from devices.simulator.hub import SimulatedHub
from devices.simulator.journal import read_journal
from devices.tap import Tap
from tests.devices.hub.between import Between
from tests.devices.hub.clinic import ENVELOPE, NOW_S, ORDER, PROCEDURE, Clinic
from tests.devices.hub.store import Store

ADDRESS = "F0:5C:00:00:00:01"
PATIENCE_S = 20.0


async def until(condition: Callable[[], bool]) -> None:
    """Wait for what must come; how long that takes is nobody's business."""
    async with asyncio.timeout(PATIENCE_S):
        while not condition():  # noqa: ASYNC110 - the condition is in another task's hands
            await asyncio.sleep(0.003)


async def nap(seconds: float) -> None:
    await asyncio.sleep(min(seconds, 0.003))


class StationClock(SystemClock):
    """Runs as the machine's, on a day of its own."""

    def __init__(self) -> None:
        self.now_s = NOW_S

    def utc_us(self) -> int:
        return self.now_s * 1_000_000


class Rig:
    """One hub, one practice, one driver at a time."""

    def __init__(self, air: Air, radio: Radio, brain: Brain, journal: Path) -> None:
        self.air = air
        self.radio = radio
        self.between = Between(radio)
        self.brain = brain
        self.journal = journal
        self.clock = ManualClock()
        self.station_clock = StationClock()
        self.hub = SimulatedHub(brain, clock=self.clock, sleep=nap, private=False)
        self.clinic = Clinic()
        self.store = Store()
        self.driver = self.new_driver(self.store)
        self.tasks: list[asyncio.Task[None]] = []

    def new_driver(
        self, store: Store, *, address: str = ADDRESS, known: KnownHub | None = None, enrol: bool = False
    ) -> HubDriver:
        clock = self.station_clock
        driver = HubDriver(
            self.radio,
            address,
            listener=store,
            clock=clock,
            tap=Tap(clock),
            credentials=self.clinic,
            known=known,
            enrol=enrol,
            sleep=nap,
        )
        store.driver = driver
        return driver

    def enrol(self) -> None:
        """Make the hub ours without a handshake."""
        mine = self.brain.vault.key.certificate
        assert mine.agreement_x is not None
        certificate = self.clinic.certify_hub(mine.subject, mine.signing_key, mine.agreement_x)
        assert self.brain.vault.enrol(self.clinic.trust.root.raw, certificate, idle=True) is ReceiptCode.DONE

    def run(self, driver: HubDriver) -> None:
        self.tasks.append(asyncio.create_task(driver.run()))

    async def connect(self) -> None:
        self.run(self.driver)
        await until(lambda: self.store.up)

    async def reconnected(self) -> None:
        count = len(self.store.cards)
        await until(lambda: len(self.store.cards) > count and self.store.up)

    async def refused(self, reason: str, **values: object) -> None:
        """Until the link is refused for this reason."""
        wanted = (LinkState.REFUSED, Text(f"hub.refused.{reason}", values))  # type: ignore[arg-type]
        await until(lambda: any(state is LinkState.REFUSED for state, _ in self.store.links))
        assert wanted in self.store.links, self.store.links

    async def passes(self, seconds: float) -> None:
        """Let hub time pass in steps that a radio can carry."""
        for _ in range(round(seconds / 0.25)):
            aim = self.brain.body.now_us + 250_000
            self.clock.advance(0.25)
            await until(lambda aim=aim: self.brain.body.now_us >= aim)  # type: ignore[misc]

    async def answered(self) -> None:
        """Until the hub has answered all that was written, whether or not that arrives."""
        stops = [one for one in self.store.sent if one.opcode == 0]
        written = len(self.store.sent) - len(stops) + len(self.between.sent(uuids.STOP))
        await until(lambda: len(self.between.heard(uuids.RECEIPT)) >= written)

    async def complete(self, first: int = 0) -> None:
        """Until every frame made, from `first` on, has been delivered or is known to be lost."""
        whole = set(range(first, self.brain.memory.next_sequence))
        await until(lambda: self.store.sequences | self.store.lost >= whole)

    def assert_equals_journal(self) -> None:
        """Every sample that the hub made was delivered, exactly once, in value and in time."""
        made = {
            (block.boot, block.channel, block.first_index + n): (block.start_us + n * block.period_us, value)
            for block in read_journal(self.journal)
            for n, value in enumerate(block.samples.tolist())
        }
        assert made
        assert self.store.samples == made
        assert not self.store.doubled

    async def goes_on(self) -> None:
        """Whatever it was: STOP works, an order that treats and a hold are obeyed, and every sample is here, once."""
        await until(lambda: self.store.up and self.brain.client is not None and self.brain.client.streaming)
        await until(lambda: self.driver.proven)
        made = self.brain.memory.next_sequence
        await self.passes(0.5)
        assert (await self.driver.stop()).opcode == 0
        status = await self.driver.read_status()
        assert status.therapy in (TherapyState.IDLE, TherapyState.HELD)
        if status.therapy is TherapyState.HELD:
            assert (await self.driver.clear(PROCEDURE, self.clinic.clinician)).code is ReceiptCode.DONE
        await self.begun_phase()
        assert self.brain.therapy.running
        held = await self.driver.hold()
        assert (held.code, held.therapy) == (ReceiptCode.DONE, TherapyState.HELD)
        assert self.brain.memory.next_sequence > made
        await self.complete()
        self.assert_equals_journal()

    async def begun_phase(self) -> Receipt:
        receipt = await self.driver.start_phase(ORDER, ENVELOPE, self.clinic.clinician)
        assert receipt.code is ReceiptCode.DONE
        return receipt
