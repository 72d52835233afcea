"""One chair's hub: the driver, and what is known of it. What is not fresh is not known."""

import asyncio
import contextlib
import hashlib
import logging
from collections.abc import Callable, Coroutine, Iterable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, replace
from typing import Protocol

from app.engine.clock import AsyncClock
from app.engine.flow import SampleFlow
from app.engine.hub_boots import date_memory
from app.engine.hub_journal import OPENED, told
from app.engine.hub_trust import TOLD, TREATS, HubTrust, comparison_body
from app.engine.recorder import Committed, Recorder
from app.engine.sentence import FRESH_SECONDS
from core.model.block import SampleBlock
from core.model.errors import SmilescapeError
from core.model.hub import DeviceInfo, HubIdentity, HubStatus, LinkState, TherapyState
from core.model.hub_doubt import HubDoubt
from core.model.procedure import Doubt
from core.model.wear import DaySummary, HubEvent
from core.model.words import Text
from core.record import Record, RecordError
from core.record.orders import SentOrder
from core.safety.limits import Crossing
from core.signals.catalogue import Catalogue
from core.signals.clockmap import ClockFit
from devices.errors import DeviceError, LinkRefused
from devices.hub.credentials import Credentials, KnownHub
from devices.hub.driver import HubDriver
from devices.hub.listener import SentCommand
from devices.hub.session.attestation import Attestation
from devices.hub.session.errors import FirmwareRefused, JournalBroken
from devices.hub.session.identity import HubCard
from devices.hub.session.journal import JournalEntry, JournalHead, encode_entry
from devices.hub.session.signed import SignedReceipt
from devices.radio import Radio
from devices.tap import Tap

log = logging.getLogger(__name__)


class HubOwner(Protocol):
    """What the chair wants to hear."""

    def hub_link_changed(self, state: LinkState) -> None: ...
    def hub_status(self, status: HubStatus) -> None: ...
    def hub_identified(self, identity: HubIdentity, rebooted: bool) -> None: ...
    def crossed(self, crossings: Sequence[Crossing]) -> None: ...
    def hub_frame_refused(self, reason: str) -> None: ...
    def hub_frames_lost(self, frames: int) -> None: ...
    def hub_doubted(self, doubt: Doubt, where: str, before: bool) -> None: ...
    def hub_settled(self, doubt: Doubt) -> None: ...
    def hub_said(self, text: Text) -> None: ...
    def expected_dose(self) -> float: ...
    def touched(self) -> None: ...


class HubKeys(Credentials, Protocol):
    """The practice's keys, and what it remembers of its hubs. What writes may raise RecordError."""

    def known(self, serial: str) -> KnownHub | None: ...
    def remember(self, known: KnownHub) -> None: ...
    def hub_holds(self, serial: str, certificate: bytes) -> None: ...
    def hub_has_list(self, serial: str, number: int) -> None: ...
    def hub_due(self, serial: str) -> bool: ...
    def workstation_name(self, kid: bytes) -> str: ...


@dataclass(frozen=True, slots=True)
class _Known:
    status: HubStatus
    at: float


class HubLink:
    """The listener of one hub driver.

    Attributes:
        link, link_reason: the state of the Bluetooth link.
        identity, info: as read after the last connect; None before the first.
        is_paired: whether the link is paired too; None where no pairing is offered, or not known yet.
        missing: frames still to be fetched from the hub's memory.
        down_since: monotonic time since when the link is not up; None while it is.
        trust: what is held against it.
    """

    def __init__(
        self,
        address: str,
        *,
        serial: str,
        enrol: bool,
        radio: Radio,
        keys: HubKeys,
        catalogue: Catalogue,
        flow: SampleFlow,
        recorder: Recorder,
        owner: HubOwner,
        standing: Callable[[str], Iterable[HubDoubt]],
        clock: AsyncClock,
        simulated: bool,
    ) -> None:
        self.address = address
        self.tap = Tap(clock)
        self.link = LinkState.SEARCHING
        self.link_reason: Text | None = None
        self.identity: HubIdentity | None = None
        self.info: DeviceInfo | None = None
        self.is_paired: bool | None = None
        self.missing = 0
        self.down_since: float | None = clock.monotonic()
        self._card: HubCard | None = None
        self._ledger = ""
        """Name under which the record counts the frames of this hub and these of its keys."""
        self._began_us = 0
        self._journal: list[JournalEntry] = []
        self._wear_missing = False
        """Something of the days and events could not be written: the next engine reads on from before it."""
        self._known: _Known | None = None
        self._simulated = simulated
        self._keys = keys
        self._flow = flow
        self._recorder = recorder
        self._owner = owner
        self._clock = clock
        self._tasks: set[asyncio.Task[None]] = set()
        self.trust = HubTrust(
            catalogue,
            recorder=recorder,
            clock=clock,
            doubted=self._doubted,
            settled=owner.hub_settled,
            standing=standing,
        )
        self.driver = HubDriver(
            radio,
            address,
            listener=self,
            clock=clock,
            tap=self.tap,
            credentials=keys,
            known=self._remembered(serial) if serial else None,
            enrol=enrol,
        )
        self._task = asyncio.create_task(self.driver.run())

    async def close(self) -> None:
        await self.driver.close()
        for task in (self._task, *self._tasks):
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task

    @property
    def serial(self) -> str:
        """Of the hub at the other end; empty before the first session."""
        return self.identity.serial if self.identity is not None else ""

    @property
    def status(self) -> HubStatus | None:
        """The newest status, None when it is too old to say anything about now."""
        if self._known is None or self._clock.monotonic() - self._known.at > FRESH_SECONDS:
            return None
        return self._known.status

    @property
    def silent_s(self) -> float:
        """Seconds since the hub was last heard of."""
        heard = self._known.at if self._known is not None else self.down_since
        return self._clock.monotonic() - heard if heard is not None else 0.0

    @property
    def heard_us(self) -> int | None:
        """When the newest status came, UTC µs; None before the first."""
        if self._known is None:
            return None
        return self._clock.utc_us() - round((self._clock.monotonic() - self._known.at) * 1_000_000)

    @property
    def lease_until(self) -> float | None:
        """When the lease ends by the hub's last word, monotonic s; None without a lease."""
        if self._known is None or self._known.status.lease_ms <= 0:
            return None
        return self._known.at + self._known.status.lease_ms / 1000

    @property
    def proven(self) -> bool | None:
        """Whether therapy may be begun as far as the hub goes; None while that is not known."""
        return self.trust.proven if self.link is LinkState.UP else None

    def acknowledge(self, committed: Committed) -> None:
        """Tell the hub what is durable, so that it may forget it."""
        for arrival in committed.arrivals:
            for ledger, first, stop in arrival.frames:
                if ledger == self._ledger:
                    self.driver.committed(range(first, stop))

    def tick(self) -> None:
        """Once a second."""
        self.trust.tick()

    async def trust_changed(self) -> None:
        """Somebody was revoked, or we have another key: tell the hub, or part from it."""
        try:
            await self.driver.trust_changed()
        except DeviceError as error:
            log.info("the hub learns it in the next session: %s", error)

    async def _renew_if_due(self) -> None:
        """A certificate that ends soon is replaced while nobody is treated; the hub drops the link for it."""
        status = self.status
        if status is None or status.therapy is not TherapyState.IDLE or not self._keys.hub_due(self.serial):
            return
        try:
            await self.driver.renew_certificate()
        except SmilescapeError as error:
            log.warning("the hub's certificate could not be renewed: %s", error)

    def link_changed(self, state: LinkState, reason: Text | None) -> None:
        if state is self.link and reason == self.link_reason:
            return
        self.link, self.link_reason = state, reason
        self.down_since = None if state is LinkState.UP else self.down_since or self._clock.monotonic()
        if state is LinkState.UP:
            self._spawn(self._renew_if_due())
        self._owner.hub_link_changed(state)

    def paired(self, paired: bool | None) -> None:
        self.is_paired = paired

    def identified(self, card: HubCard, info: DeviceInfo) -> None:
        """Raises LinkRefused for a simulated hub on a real record and the other way round, before a sample is taken."""
        identity = card.identity
        if identity.simulated != self._simulated:
            kind = "simulated" if identity.simulated else "real"
            raise LinkRefused(
                f"A {kind} hub may not write into this folder.",
                "Use another data folder for it.",
                reason=Text(f"refused.mixed_{kind}"),
            )
        before = self.identity
        self.identity, self.info, self._card = identity, info, card
        self._began_us = self._clock.utc_us()
        self.trust.link_began(identity.serial)
        self._remember(irk=card.irk)
        self._guarded(lambda: self._keys.hub_has_list(identity.serial, card.revocations))
        rebooted = before is not None and before.serial == identity.serial and before.boot != identity.boot
        if rebooted:
            self._date(identity.serial, {}, 0)
        self._owner.hub_identified(identity, rebooted)
        self._compare_journal()

    def enrolled(self, serial: str, certificate: bytes, irk: bytes | None) -> None:
        self._remember(irk=irk)
        self._guarded(lambda: self._keys.hub_holds(serial, certificate))
        self._owner.hub_said(Text("log.keys.hub_enrolled", {"serial": serial}))

    async def known(self, serial: str) -> KnownHub | None:
        return self._keys.known(serial)

    def attested(self, attestation: Attestation) -> None:
        self.trust.firmware_found(True)
        self._remember(security_version=attestation.security_version)
        self._owner.touched()

    def firmware_refused(self, error: FirmwareRefused) -> None:
        log.warning("%s", error)
        self.trust.firmware_found(False)
        self._owner.touched()

    async def resume_point(self, serial: str, keys: bytes) -> int | None:
        """Where the record stands. How it dated each boot is taken up, too: no sample may move when we restart."""
        ledger = f"{serial}#{keys.hex()}"
        oldest = self._known.status.oldest_sequence if self._known is not None else 0
        boots = [span.boot for span in self._card.boots] if self._card is not None else []

        def work(record: Record) -> tuple[int | None, dict[int, list[ClockFit]], int]:
            record.begin_frames(ledger, oldest)
            fits = {boot: record.clock_fits(serial, boot) for boot in boots}
            return record.resume_point(ledger), fits, record.newest_us(serial, boots[0] if boots else 0)

        point, fits, newest_us = await self._recorder.run(work)
        self._ledger = ledger
        self._date(serial, fits, newest_us)
        return point

    def blocks_arrived(self, blocks: Sequence[SampleBlock], sequences: Sequence[range]) -> None:
        if self.identity is None:
            return
        self.trust.expect_dose(self._owner.expected_dose())
        self.trust.judge(blocks)
        frames = tuple((self._ledger, numbers.start, numbers.stop) for numbers in sequences)
        crossings = self._flow.take(self.serial, blocks, frames)
        if crossings:
            self._owner.crossed(crossings)

    def frames_lost(self, first: int, last: int) -> None:
        ledger, at_us = self._ledger, self._clock.utc_us()
        self._recorder.note(lambda record: record.add_loss(ledger, first, last, at_us))
        self._owner.hub_frames_lost(last - first + 1)

    def backfill_changed(self, missing: int) -> None:
        self.missing = missing
        self._owner.touched()

    def status_changed(self, status: HubStatus) -> None:
        self._known = _Known(status, self._clock.monotonic())
        self._owner.hub_status(status)

    def frame_refused(self, error: SmilescapeError, raw: bytes) -> None:
        log.warning("refused %d bytes: %s", len(raw), error)
        self._owner.hub_frame_refused(str(error))

    async def command_due(self, command: SentCommand) -> None:
        source, order = self.serial, self._order(command)
        await self._recorder.run(lambda record: record.orders.sent(source, order))

    def command_sent(self, command: SentCommand) -> None:
        if command.opcode in TOLD and command.opcode not in TREATS:  # those are written down already
            source, order = self.serial, self._order(command)
            self._recorder.note(lambda record: record.orders.sent(source, order))

    def _order(self, command: SentCommand) -> SentOrder:
        return SentOrder(command.sha256, command.opcode, command.counter, command.signer, self._clock.utc_us())

    def receipt_arrived(self, receipt: SignedReceipt) -> None:
        source, at_us = self.serial, self._clock.utc_us()
        given, request = receipt.notice.receipt, receipt.request
        code = int(given.code)
        if given.opcode in TOLD:
            self._recorder.note(lambda record: record.orders.answered(source, request, code, given.raw, at_us))

    def journal_arrived(self, entries: Sequence[JournalEntry], head: JournalHead) -> None:
        self._journal += entries
        self._compare_journal()

    def journal_broken(self, error: JournalBroken) -> None:
        log.error("%s", error)
        self.trust.journal_broken()
        self._audit("hub.journal_broken", {"reason": str(error)})
        self._owner.touched()

    def wear_arrived(self, days: Sequence[DaySummary], events: Sequence[HubEvent]) -> None:
        source, read_us = self.serial, self._clock.utc_us()
        kept = self._recorder.note(lambda record: record.add_wear(source, days, events, read_us=read_us))
        self._spawn(self._wear_kept(kept, source, days, events))

    def security_event(self, error: SmilescapeError) -> None:
        log.warning("%s", error)
        self._audit("hub.security", {"code": error.code, "reason": str(error)})
        self.trust.doubt(Doubt.SESSION, error.code)

    def _doubted(self, doubt: Doubt, where: str, before: bool) -> None:
        if not before:
            self._audit("hub.doubted", {"doubt": doubt.value, "where": where})
        self._owner.hub_doubted(doubt, where, before)

    def _date(self, serial: str, fits: Mapping[int, Sequence[ClockFit]], newest_us: int) -> None:
        if self._card is not None:
            spans, now_us = self._card.boots, self._clock.utc_us()
            date_memory(self._flow, self._recorder, serial, spans, fits, newest_us=newest_us, now_us=now_us)

    def _compare_journal(self) -> None:
        """Once all of the journal is here that was there when the session began."""
        card = self._card
        if card is None:
            return
        known = self._remembered(card.identity.serial)
        entries = self._journal
        stands = entries[-1].number + 1 if entries else known.journal.number if known.journal is not None else 0
        if stands < card.next_entry:
            return
        self._journal = []
        self._spawn(self._compare(entries, known))

    async def _compare(self, entries: list[JournalEntry], known: KnownHub) -> None:
        raws = [encode_entry(entry) for entry in entries]
        first_time = known.journal is None
        try:
            found = await self.trust.read_journal(
                known.serial,
                list(zip(entries, raws, strict=True)),
                began_us=self._began_us,
                workstation=None if first_time else self._keys.workstation.certificate.kid,
            )
        except RecordError as error:
            log.error("the hub's journal could not be kept: %s", error)
            self._journal = entries + self._journal
            return
        if entries:
            self._remember(journal=JournalHead(entries[-1].number + 1, hashlib.sha256(raws[-1]).digest()))
        elif first_time:
            self._remember(journal=JournalHead())
        if not found.agrees:
            self._audit("hub.journal_differs", comparison_body(found))
        for kid, count in found.others:
            station = self._keys.workstation_name(kid)
            self._audit("hub.journal_others", {"workstation": kid, "commands": count})
            self._owner.hub_said(Text("log.journal.others", {"count": count, "station": station}))
        if not first_time:
            self._tell_of_events(entries)
        self._owner.touched()

    def _tell_of_events(self, entries: Sequence[JournalEntry]) -> None:
        """What happened at the hub that nobody ordered. Nobody saw who held its button, so that people hear of it."""
        for one in told(entries):
            self._audit(one.kind, one.body)
            if one.kind == OPENED:
                self._owner.hub_said(Text("log.hub.opened_by_hand", {"serial": self.serial}))

    async def _wear_kept(
        self, kept: "Future[object]", source: str, days: Sequence[DaySummary], events: Sequence[HubEvent]
    ) -> None:
        """What is durable need not be read again. What comes after something that is not must not hide that."""
        try:
            await asyncio.shield(asyncio.wrap_future(kept))
        except Exception:  # told of by the recorder
            self._wear_missing = True
        if self._wear_missing:
            return
        known = self._remembered(source)
        next_event = events[-1].number + 1 if events else known.next_event
        last_day = days[-1].day if days else known.last_day
        self._guarded(lambda: self._keys.remember(replace(known, next_event=next_event, last_day=last_day)))

    def _remembered(self, serial: str) -> KnownHub:
        return self._keys.known(serial) or KnownHub(serial)

    def _remember(self, **changes: object) -> None:
        known = replace(self._remembered(self.serial), **changes)  # type: ignore[arg-type]
        self._guarded(lambda: self._keys.remember(known))

    def _guarded(self, write: Callable[[], object]) -> None:
        """Into the practice's file. A full disk must not cost the link: what is not remembered is read again."""
        try:
            write()
        except RecordError as error:
            log.error("what is known of the hub could not be written: %s", error)

    def _audit(self, kind: str, body: dict[str, object]) -> None:
        at_us, body = self._clock.utc_us(), {"hub": self.serial, **body}
        self._recorder.note(lambda record: record.audit(kind, actor="hub", at_us=at_us, body=body))

    def _spawn(self, work: Coroutine[object, object, None]) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
