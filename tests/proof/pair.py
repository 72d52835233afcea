"""A hub and a workstation with nothing between them: every value waits here until somebody hands it on, or another."""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, Final, cast

from bleak import BleakClient

from core.model.block import SampleBlock
from core.model.clock import ManualClock
from core.model.errors import SmilescapeError
from core.model.strict_cbor import Value
from devices.hub import uuids
from devices.hub.commander import Commander
from devices.hub.commands import Command, opcode_of
from devices.hub.delivery import Delivery
from devices.hub.documents import Documents
from devices.hub.incoming import Incoming
from devices.hub.receipts import ReceiptNotice
from devices.hub.session.handshake import Initiator, SessionKey, WorkstationHandshake
from devices.hub.session.keys import Session
from devices.hub.session.signed import SignedReceipt
from devices.hub.session.wire import MIN_MTU, FromHub, ToHub
from devices.hub.status import StatusReport, decode_status
from devices.hub.subscriptions import subscribe
from devices.simulator.brain import Brain
from devices.simulator.link import HubLink, Outgoing
from devices.tap import Tap
from tests.devices.hub.store import Store, no_disk
from tests.devices.simulator.visit import NOW_S, Person, Practice

ROOM: Final = MIN_MTU - 3
NOTIFIED: Final = {
    FromHub.TELEMETRY: uuids.TELEMETRY,
    FromHub.HISTORY: uuids.HISTORY,
    FromHub.RECEIPT: uuids.RECEIPT,
    FromHub.STATUS: uuids.STATUS,
    FromHub.DOCUMENTS: uuids.DOCUMENTS,
}
_WRITTEN: Final = {uuids.CONTROL: ToHub.CONTROL, uuids.STOP: ToHub.STOP, uuids.RECEIPT_QUERY: ToHub.QUERY}
_Callback = Callable[[object, bytearray], None]


class Ears(Store):
    """A listener that counts what reached it. `sequences`: every frame that was delivered."""

    def __init__(self) -> None:
        super().__init__()
        self.effects = 0
        self.refusals = 0

    def blocks_arrived(self, blocks: Sequence[SampleBlock], sequences: Sequence[range]) -> None:
        self.effects += 1
        super().blocks_arrived(blocks, sequences)

    def receipt_arrived(self, receipt: SignedReceipt) -> None:
        self.effects += 1

    def frame_refused(self, error: SmilescapeError, raw: bytes) -> None:
        self.refusals += 1

    def security_event(self, error: SmilescapeError) -> None:
        pass


class _Counted(Documents):
    arrivals = 0

    def arrived(self, kind: int, body: Value) -> None:
        self.arrivals += 1
        super().arrived(kind, body)


class _Wire:
    """What bleak's client is to a driver."""

    def __init__(self) -> None:
        self.callbacks: dict[str, _Callback] = {}
        self.written: deque[tuple[ToHub, bytes]] = deque()

    async def start_notify(self, uuid: str, callback: _Callback) -> None:
        self.callbacks[uuid] = callback

    async def write_gatt_char(self, uuid: str, value: bytes, response: bool) -> None:
        self.written.append((_WRITTEN[uuid], value))

    async def disconnect(self) -> None:
        raise AssertionError("the session ended")


def key_of(person: Person) -> SessionKey:
    return SessionKey(person.certificate, person.pair.private)


class Pair:
    """One session between the driver's own parts and a simulated hub's, at the boundary of values.

    Attributes:
        waiting: records that the hub has sealed and nobody has handed on, with what they carry.
    """

    def __init__(self, practice: Practice, brain: Brain) -> None:
        self.practice = practice
        self.brain = brain
        self.clock = ManualClock(NOW_S * 1_000_000)
        self.link = HubLink(brain, self.clock)
        self.link.mtu = MIN_MTU
        self.ears = Ears()
        self.documents = _Counted()
        self.commander = Commander(no_disk, lambda _: None, self.ears.receipt_arrived)
        self.delivery = Delivery(self.commander, self.ears)
        self.statuses = 0
        self.wire = _Wire()
        self.incoming = Incoming(
            cast(BleakClient, self.wire), self.commander, self.documents, self.ears, self.clock, self._reported
        )
        self.waiting: deque[tuple[FromHub, bytes, bytes]] = deque()
        self._stop: asyncio.Task[Any] | None = None

    async def meet(self) -> "Pair":
        """Shake hands; the stream is wanted, nothing is asked for yet."""
        await subscribe(cast(BleakClient, self.wire), self.incoming.handles, Tap(self.clock), self.incoming.refuse)
        initiator = Initiator(key_of(self.practice.workstation), self.practice.trust, hub_serial=None, now_s=NOW_S)
        station = WorkstationHandshake(initiator, self.clock, room=ROOM)
        to_hub = deque(station.begin())
        later: list[Outgoing] = []
        while to_hub:
            for out in self.link.shake_hands(to_hub.popleft()):
                if out.stream is None:
                    to_hub.extend(station.feed(out.value))
                else:
                    later.append(out)
        assert station.session is not None
        self.incoming.established(station.session)
        self.hub_says(later)
        self.hand_on()
        report = decode_status(self.brain.status())
        self.commander.count_from(report.status.command_counter)
        self.incoming.intake = await self.delivery.begin(
            station.session, self.brain.parts.boot, report, self.incoming.refuse
        )
        return self

    @property
    def session(self) -> Session:
        assert self.incoming.line is not None
        return self.incoming.line.session

    @property
    def hubs_session(self) -> Session:
        assert self.brain.client is not None
        return self.brain.client.session

    # from the hub

    def hub_says(self, outgoing: Sequence[Outgoing]) -> None:
        """Seal what the hub has to say; it waits."""
        for out in outgoing:
            record = self.link.seal(out)
            assert record is not None
            assert out.stream is not None
            self.waiting.append((out.stream, record, out.value))

    def notify(self, stream: FromHub, record: bytes) -> None:
        """A value at the notification callback."""
        self.wire.callbacks[NOTIFIED[stream]](None, bytearray(record))

    def hand_on(self) -> None:
        """Deliver everything that waits, untouched."""
        while self.waiting:
            stream, record, _ = self.waiting.popleft()
            self.notify(stream, record)
        self.flush()

    def flush(self) -> None:
        if self.incoming.intake is not None:
            self.incoming.intake.flush()

    def heard(self) -> tuple[object, ...]:
        """All that a value from the hub can change at the workstation."""
        self.flush()
        opener = self.session.opener
        last = tuple(opener.last(stream) for stream in FromHub)
        return (*last, opener.epoch, self.ears.effects, self.statuses, self.documents.arrivals)

    # from the workstation

    async def says(self, command: Command) -> tuple[deque[tuple[ToHub, bytes]], "asyncio.Task[ReceiptNotice]"]:
        """A command as its records, which wait, and what becomes of it. One with an envelope takes several records."""
        task = asyncio.create_task(self.commander.send_made(opcode_of(command), lambda _: command))
        await self.turn()
        written, self.wire.written = self.wire.written, deque()
        return written, task

    def write(self, stream: ToHub, record: bytes) -> None:
        """A value at the hub; what it answers waits. The hub is patient here: 32 refusals would end the session."""
        self.link._refused_records = 0
        self.hub_says(self.link.write(stream, record))

    def obeyed(self) -> tuple[object, ...]:
        """All that a value from the workstation can change at the hub."""
        opener = self.hubs_session.opener
        last = tuple(opener.last(stream) for stream in ToHub)
        therapy, desk = self.brain.therapy, self.brain.desk
        return (*last, opener.epoch, desk.counter, therapy.state, therapy.cause, self.brain.logbook.next)

    async def carries_out(self, command: Command) -> ReceiptNotice:
        """Send a command over undisturbed air."""
        records, task = await self.says(command)
        for stream, record in records:
            self.write(stream, record)
        self.hand_on()
        return await task

    async def turn(self) -> None:
        for _ in range(4):
            await asyncio.sleep(0)

    def _reported(self, report: StatusReport) -> None:
        self.statuses += 1
