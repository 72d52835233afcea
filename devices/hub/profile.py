"""What is done with a connected hub: check, subscribe, stream, fetch what is missing, acknowledge what is durable."""

import asyncio
import logging
from collections.abc import Callable, Coroutine, Iterable
from typing import Any, Final

from bleak import BleakClient
from bleak.backends.characteristic import BleakGATTCharacteristic

from core.model.block import Provenance
from core.model.clock import Clock
from core.model.hub import HubIdentity, HubStatus, Opcode, ReceiptCode
from core.model.words import Text
from core.signals.catalogue import load_catalogue
from devices.errors import FrameError, LinkRefused
from devices.hub import uuids
from devices.hub.acknowledger import Acknowledger
from devices.hub.backfill import Backfill
from devices.hub.commander import Commander
from devices.hub.commands import Bare
from devices.hub.errors import HubUnreachable
from devices.hub.frames import FetchEnd, SampleFrame, decode_record
from devices.hub.identity import PROFILE_MAJOR, decode_identity, profile_major
from devices.hub.ledger import Ledger
from devices.hub.listener import HubListener
from devices.hub.status import StatusReport, decode_status
from devices.info import read_device_info
from devices.tap import Tap

_log = logging.getLogger(__name__)

_Background = Coroutine[Any, Any, None]


class HubProfile:
    """A devices.link.Profile. What is known of a boot outlives the link, so that nothing is delivered twice."""

    def __init__(
        self, commander: Commander, listener: HubListener, *, clock: Clock, tap: Tap, serial: str | None
    ) -> None:
        self._commander = commander
        self._listener = listener
        self._clock = clock
        self._tap = tap
        self._expected_serial = serial
        self._serial = ""
        self._ledger: Ledger | None = None
        self._client: BleakClient | None = None
        self._backfill: Backfill | None = None
        self._acknowledger: Acknowledger | None = None
        self._tasks: list[asyncio.Task[None]] = []
        self._missing = 0
        self._known_channels: Final = {spec.number for spec in load_catalogue().from_source("hub")}

    async def start(self, client: BleakClient) -> None:
        """Take up a connection.

        Raises:
            LinkRefused: not a hub, or not one that we may talk to.
            FrameError, BleakError: the hub is not in order now; connecting anew may help.
        """
        identity = await self._identify(client)
        info = await read_device_info(client)
        report = self._decode_status(await client.read_gatt_char(uuids.STATUS))
        if report.boot != identity.boot:
            raise FrameError("The hub restarted while it was read.")
        self._listener.identified(identity, info)
        ledger = await self._open_ledger(identity, report)
        self._client = client
        self._commander.attach(client, identity.boot, report.status.command_counter)
        self._backfill = Backfill(ledger, self._commander, lost=self._lost, changed=self._count_missing)
        self._acknowledger = Acknowledger(ledger, self._commander)
        self._take_status(report)
        await client.start_notify(uuids.RECEIPT, self._guarded(self._on_receipt))
        await client.start_notify(uuids.STATUS, self._guarded(self._on_status))
        await client.start_notify(uuids.HISTORY, self._guarded(self._on_history))
        await client.start_notify(uuids.TELEMETRY, self._guarded(self._on_telemetry))
        await self._start_stream()
        self._spawn(self._backfill.run())
        self._spawn(self._acknowledger.run())
        self._count_missing()
        self._acknowledger.look()

    async def ended(self) -> None:
        """The link is gone; the ledger stays."""
        self._client = None
        self._commander.detach()
        tasks, self._tasks = self._tasks, []
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._backfill = None
        self._acknowledger = None

    def committed(self, boot: int, sequences: Iterable[int]) -> None:
        """These are durable. Of a former boot: too late to tell anybody."""
        if self._ledger is None or boot != self._ledger.boot:
            return
        self._ledger.commit(sequences)
        if self._acknowledger is not None:
            self._acknowledger.look()

    async def read_status(self) -> HubStatus:
        """Read, take in and return the status. Raises HubUnreachable, FrameError, BleakError."""
        if self._client is None:
            raise HubUnreachable
        report = self._decode_status(await self._client.read_gatt_char(uuids.STATUS))
        self._take_status(report)
        return report.status

    async def _identify(self, client: BleakClient) -> HubIdentity:
        present = {characteristic.uuid for characteristic in client.services.characteristics.values()}
        if uuids.IDENTITY not in present:
            raise LinkRefused("No hub service.", reason=Text("hub.refused.not_a_hub"))
        raw = bytes(await client.read_gatt_char(uuids.IDENTITY))
        try:
            major = profile_major(raw)
            if major != PROFILE_MAJOR:
                raise LinkRefused(f"Profile {major}.", reason=Text("hub.refused.version", {"major": major}))
            identity = decode_identity(raw)
        except FrameError as error:
            raise LinkRefused(str(error), reason=Text("hub.refused.identity")) from error
        if not present >= uuids.REQUIRED:
            raise LinkRefused("A characteristic is missing.", reason=Text("hub.refused.not_a_hub"))
        expected = self._expected_serial
        if expected is not None and identity.serial != expected:
            reason = Text("hub.refused.serial", {"found": identity.serial, "expected": expected})
            raise LinkRefused(f"Serial {identity.serial}, not {expected}.", reason=reason)
        return identity

    async def _open_ledger(self, identity: HubIdentity, report: StatusReport) -> Ledger:
        """The ledger of this boot; that of a former one is closed, since its memory went with it."""
        old = self._ledger
        if old is not None and (self._serial, old.boot) == (identity.serial, identity.boot):
            old.made(report.next_sequence)
            return old
        if old is not None and self._serial == identity.serial:
            for start, stop in old.lose(0, old.next_sequence):
                self._listener.frames_lost(old.boot, start, stop - 1)
        resume = await self._listener.resume_point(identity.serial, identity.boot)
        if resume is not None and resume >= report.next_sequence:
            raise LinkRefused("The boot counter went back.", reason=Text("hub.refused.turned_back"))
        first = report.status.oldest_sequence if resume is None else resume + 1
        self._serial = identity.serial
        self._ledger = Ledger(identity.boot, first, report.next_sequence)
        return self._ledger

    async def _start_stream(self) -> None:
        notice = await self._commander.send(Bare(Opcode.START_STREAM))
        if notice.receipt.code is ReceiptCode.OUTSIDE_LIMITS:
            reason = Text("hub.refused.mtu", {"mtu": notice.detail})
            raise LinkRefused(f"An MTU of {notice.detail}.", reason=reason)
        if not notice.receipt.accepted:
            raise LinkRefused(f"START_STREAM: {notice.receipt.code.name}.", reason=Text("hub.refused.stream"))

    def _guarded(self, handle: Callable[[bytes], None]) -> Callable[[BleakGATTCharacteristic, bytearray], None]:
        """Tap, handle, and tell of what had to be refused."""

        def arrived(characteristic: BleakGATTCharacteristic, data: bytearray) -> None:
            raw = bytes(data)
            self._tap.add(characteristic.uuid, raw)
            try:
                handle(raw)
            except FrameError as error:
                _log.warning("%s", error)
                self._listener.frame_refused(error, raw)

        return arrived

    def _on_receipt(self, raw: bytes) -> None:
        self._commander.receipt_arrived(raw)

    def _on_status(self, raw: bytes) -> None:
        self._take_status(self._decode_status(raw))

    def _on_telemetry(self, raw: bytes) -> None:
        record = decode_record(raw, Provenance.LIVE)
        if isinstance(record, SampleFrame):
            self._deliver(record)

    def _on_history(self, raw: bytes) -> None:
        record = decode_record(raw, Provenance.BACKFILLED)
        if self._backfill is None:
            return
        if isinstance(record, FetchEnd):
            self._backfill.end_arrived(record)
        elif record is not None:
            self._backfill.frame_arrived()
            self._deliver(record)

    def _deliver(self, frame: SampleFrame) -> None:
        ledger = self._ledger
        if ledger is None or frame.boot != ledger.boot:
            raise FrameError(f"A frame of boot {frame.boot} came where none was expected.")
        if not ledger.take(frame.sequence):
            return
        known = [block for block in frame.blocks if block.channel in self._known_channels]
        if known:
            self._listener.blocks_arrived(known)
        else:
            # Nothing in it for anybody, so nobody will commit it.
            self.committed(frame.boot, (frame.sequence,))
        self._count_missing()

    def _decode_status(self, raw: bytes | bytearray) -> StatusReport:
        return decode_status(bytes(raw), self._clock.monotonic())

    def _take_status(self, report: StatusReport) -> None:
        if self._ledger is not None and report.boot == self._ledger.boot:
            self._ledger.made(report.next_sequence)
            self._count_missing()
        self._listener.status_changed(report.status)

    def _count_missing(self) -> None:
        if self._ledger is None:
            return
        missing = self._ledger.missing
        if missing and self._backfill is not None:
            self._backfill.look()
        if missing != self._missing:
            self._missing = missing
            self._listener.backfill_changed(missing)

    def _lost(self, first: int, last: int) -> None:
        assert self._ledger is not None
        self._listener.frames_lost(self._ledger.boot, first, last)
        if self._acknowledger is not None:
            self._acknowledger.look()

    def _spawn(self, work: _Background) -> None:
        async def background() -> None:
            try:
                await work
            except HubUnreachable as error:
                _log.info("Fetching and acknowledging pause: %s", error)
            except Exception:
                _log.exception("Work in the background of a hub failed")

        self._tasks.append(asyncio.create_task(background()))
