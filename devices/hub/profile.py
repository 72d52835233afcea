"""What is done with a connected hub: meet, prove, stream, fetch what is missing, read what it kept, acknowledge."""

import asyncio
import logging
from collections.abc import Coroutine
from dataclasses import replace
from typing import Any, Final

from bleak import BleakClient
from bleak.backends.device import BLEDevice
from bleak.backends.scanner import AdvertisementData

from core.model.certificate import CertificateRefused, Role
from core.model.clock import Clock
from core.model.errors import SmilescapeError
from core.model.hub import HubStatus, Opcode
from core.model.words import Text
from devices.errors import FrameError, LinkRefused
from devices.hub.advertising import is_of
from devices.hub.catch_up import CatchUp
from devices.hub.commander import RECEIPT_S, Commander
from devices.hub.commands import Bare, Revoke, Tell
from devices.hub.credentials import Credentials, KnownHub
from devices.hub.delivery import Delivery
from devices.hub.documents import Documents
from devices.hub.enrolment import Enrolment
from devices.hub.errors import CommandUnknown, HubUnreachable, RevocationsRefused
from devices.hub.greeting import ATTACKS, FAILURES, is_open, keys, meet, read_identity
from devices.hub.incoming import Incoming
from devices.hub.listener import HubListener
from devices.hub.orders import Orders
from devices.hub.pairing import pair
from devices.hub.refusals import refused
from devices.hub.reports import Reports
from devices.hub.session.attestation import verify_attestation
from devices.hub.session.documents import octets
from devices.hub.session.errors import FirmwareRefused
from devices.hub.session.identity import HubCard
from devices.hub.session.keys import Session
from devices.hub.session.wire import WITNESS_MINOR, DocumentKind
from devices.hub.status import StatusReport
from devices.info import read_device_info
from devices.tap import Tap

_log = logging.getLogger(__name__)

_DROPPED_S: Final = 2.0
"""How long a hub that was enrolled may take to drop its link."""


class HubProfile:
    """A devices.link.Profile. What is known of a hub outlives the link, so that nothing is delivered twice.

    Args:
        address: where the hub was last seen.
        known: what is remembered of the hub that is meant; None for whichever answers at the address.
        enrol: a hub that is open joins the practice.

    Attributes:
        known: what is remembered of the hub by now.
        commander, documents, orders, enrolment, delivery: for whoever commands the hub.
    """

    def __init__(
        self,
        address: str,
        listener: HubListener,
        *,
        clock: Clock,
        tap: Tap,
        credentials: Credentials,
        known: KnownHub | None,
        enrol: bool,
    ) -> None:
        self._address = address.lower()
        self._listener = listener
        self._clock = clock
        self._tap = tap
        self._credentials = credentials
        self.known = known
        self._enrol = enrol
        self.documents = Documents()
        self.commander = Commander(listener.command_due, listener.command_sent, listener.receipt_arrived)
        self.orders = Orders(self.commander, clock)
        self.enrolment = Enrolment(self.commander, self.documents, credentials, listener)
        self.delivery = Delivery(self.commander, listener)
        self._pairs = True
        self._boot = 0
        self._revocations = 0
        self._reports = Reports()
        self._incoming: Incoming | None = None
        self._card: HubCard | None = None
        self._tasks: list[asyncio.Task[None]] = []

    @property
    def session(self) -> Session | None:
        """The session that stands, None without one."""
        return self._incoming.line.session if self._incoming is not None and self._incoming.line is not None else None

    @property
    def witnesses(self) -> bool:
        """Whether a session stands with a hub that countersigns checkpoints."""
        card = self._card
        return self.session is not None and card is not None and card.identity.profile_minor >= WITNESS_MINOR

    def recognises(self, device: BLEDevice, data: AdvertisementData) -> bool:
        """Whether an advertisement is of the hub that is meant; its address is a fallback, since it changes."""
        irk = self.known.irk if self.known is not None else None
        mine = irk is not None and is_of(irk, device.address, data.service_data)
        return mine or device.address.lower() == self._address

    async def start(self, client: BleakClient) -> None:
        """Take up a connection.

        Raises:
            LinkRefused: not a hub, or not one that we may talk to.
            SmilescapeError, BleakError: the hub is not in order now; connecting anew may help.
        """
        card = await self._meet(client)
        report = await self._first_report(card)
        self.commander.count_from(report.status.command_counter)
        await self._recall(card)
        if is_open(card.flags):
            await self._join()
        await self.commander.resolve()
        await self.commander.send(Tell(self._clock.utc_us()))
        await self._push_revocations()
        await self._attest(card)
        await self._stream(card, report)

    async def ended(self) -> None:
        """The link is gone."""
        if self._incoming is not None:
            self._incoming.end()
        self._incoming = self._card = None
        self.delivery.end()
        self.commander.detach()
        self.documents.forget()
        tasks, self._tasks = self._tasks, []
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def renew(self) -> None:
        """A new certificate over the hub's present keys; it drops the link. Raises as Enrolment."""
        self._joined(await self.enrolment.certify())

    async def rekey(self) -> None:
        """New keys, once what came under the old ones is durable; it drops the link. Raises as Enrolment.

        Raises:
            NotDurable: it is not so in time. The hub keeps its keys, and streams on.
        """
        await self.commander.send(Bare(Opcode.STOP_STREAM))
        try:
            await self.delivery.settled()
            self._joined(await self.enrolment.rekey())
        except SmilescapeError:
            if self.session is not None:
                await self.commander.send(Bare(Opcode.START_STREAM))
            raise

    async def read_status(self) -> HubStatus:
        """Ask for a status. Raises HubUnreachable: no session, or no answer."""
        try:
            async with asyncio.timeout(RECEIPT_S):
                receipt = (await self.commander.send(Bare(Opcode.REPORT))).receipt
                return (await self._reports.since(receipt.hub_time_us)).status
        except (TimeoutError, CommandUnknown) as error:
            raise HubUnreachable from error

    async def trust_changed(self) -> None:
        """Tell the hub the newest revocation list; end the session if it would not come about any more.

        Raises:
            HubUnreachable, CommandUnknown: the hub learns it in the next session.
        """
        line = self._incoming.line if self._incoming is not None else None
        if line is None:
            return
        hub = line.session.peer
        try:
            me, trust = keys(self._credentials, enrolling=False)
            trust.check_revoked(me.certificate)
            trust.verify(hub.raw, Role.HUB, now_s=self._clock.utc_us() // 1_000_000, subject=hub.subject)
        except (CertificateRefused, LinkRefused) as error:
            _log.warning("The session ends: %s", error)
            await line.end()
            return
        await self._push_revocations()

    async def _meet(self, client: BleakClient) -> HubCard:
        """Session, identity; and it is told."""
        clear = await read_identity(client)
        enrolling = is_open(clear.flags)
        if enrolling and not self._enrol:
            raise LinkRefused("No practice has it.", reason=Text("hub.refused.not_enrolled"))
        me, trust = keys(self._credentials, enrolling=enrolling)
        await self._pair(client)
        info = await read_device_info(client)
        self.orders.begin()
        self._reports = Reports()
        self._incoming = Incoming(client, self.commander, self.documents, self._listener, self._clock, self._on_report)
        serial = self.known.serial if self.known is not None else None
        try:
            card = await meet(
                client,
                clear,
                self._incoming,
                self.documents,
                self._clock,
                self._tap,
                me=me,
                trust=trust,
                serial=serial,
            )
        except FAILURES as error:
            if isinstance(error, ATTACKS):
                self._listener.security_event(error)
            raise refused(error) from error
        if card.identity.boot < self._boot:
            raise LinkRefused("The boot counter went back.", reason=Text("hub.refused.turned_back"))
        self._boot, self._revocations = card.identity.boot, card.revocations
        self._listener.identified(card, info)
        return card

    async def _pair(self, client: BleakClient) -> None:
        if self._pairs:
            paired = await pair(client)
            # One that fails may cost the link, and the next attempt would fail likewise.
            self._pairs = paired is not False
            self._listener.paired(paired)

    async def _first_report(self, card: HubCard) -> StatusReport:
        """The status that comes with the identity; from now on each is told."""
        report = await self._reports.since(0)
        self._card = card
        self._on_report(report)
        return report

    def _on_report(self, report: StatusReport) -> None:
        if self._card is not None and report.boot != self._card.identity.boot:
            raise FrameError("A status is of another boot.")
        self._reports.arrived(report)
        if self._card is not None:
            self.orders.heard(report)
            self.delivery.heard(report)
            self._listener.status_changed(report.status)

    async def _recall(self, card: HubCard) -> None:
        """Whose session this is: the next one has to be with the same hub."""
        if self.known is None:
            serial = card.identity.serial
            self.known = await self._listener.known(serial) or KnownHub(serial)
        self._joined(card)

    def _joined(self, card: HubCard) -> None:
        """This is how the hub is found from now on."""
        assert self.known is not None
        self.known = replace(self.known, irk=card.irk)

    async def _join(self) -> None:
        """Let an open hub join the practice. The next connection finds it as one of ours."""
        try:
            await self.renew()
        except (HubUnreachable, CommandUnknown, FrameError):
            raise
        except SmilescapeError as error:
            raise LinkRefused(str(error), reason=Text("hub.refused.enrol", {"why": str(error)})) from error
        await asyncio.sleep(_DROPPED_S)
        raise FrameError("The hub joined the practice, and kept its old link.")

    async def _push_revocations(self) -> None:
        """Bring our revocation list to a hub that has an older one."""
        ours = self._credentials.trust.revoked
        if ours is None or ours.number <= self._revocations:
            return
        receipt = (await self.commander.send(Revoke(ours.raw))).receipt
        if receipt.accepted:
            self._revocations = ours.number
        else:
            self._listener.security_event(RevocationsRefused(receipt.code))

    async def _attest(self, card: HubCard) -> None:
        """Have the hub prove what it runs."""
        assert self.known is not None
        session = self.commander.session
        try:
            notice, body = await self.documents.ask(self.commander, Bare(Opcode.ATTEST), DocumentKind.ATTESTATION)
            if not notice.receipt.accepted:
                raise FirmwareRefused("it gives no proof")
            attestation = verify_attestation(
                octets(body),
                session.peer,
                self._credentials.firmware_signers,
                session_id=session.id,
                model=card.identity.model,
                least_version=self.known.security_version,
            )
            if attestation.boot != card.identity.boot:
                raise FirmwareRefused("the proof is of another boot")
        except (FirmwareRefused, FrameError) as error:
            unproven = error if isinstance(error, FirmwareRefused) else FirmwareRefused(str(error))
            self._listener.firmware_refused(unproven)
            return
        self.known = replace(self.known, security_version=attestation.security_version)
        self.orders.proven = True
        self._listener.attested(attestation)

    async def _stream(self, card: HubCard, report: StatusReport) -> None:
        """Stream, and begin all that goes on beside it."""
        assert self._incoming is not None
        assert self.known is not None
        incoming = self._incoming
        session = self.commander.session
        incoming.intake = await self.delivery.begin(session, card.identity.boot, report, incoming.refuse)
        receipt = (await self.commander.send(Bare(Opcode.START_STREAM))).receipt
        if not receipt.accepted:
            raise LinkRefused(f"START_STREAM: {receipt.code.name}.", reason=Text("hub.refused.stream"))
        catch_up = CatchUp(
            self.commander,
            self.documents,
            self._listener,
            self._clock,
            card=card,
            known=self.known,
            learnt=self._learnt,
        )
        for work in (*self.delivery.work(), catch_up.run()):
            self._tasks.append(asyncio.create_task(_background(work)))

    def _learnt(self, known: KnownHub) -> None:
        """What catching up adds to memory; address key and firmware are not its own."""
        assert self.known is not None
        self.known = replace(self.known, journal=known.journal, next_event=known.next_event, last_day=known.last_day)


async def _background(work: Coroutine[Any, Any, None]) -> None:
    try:
        await work
    except (HubUnreachable, CommandUnknown, FrameError) as error:
        _log.info("Work in the background of a hub pauses: %s", error)
    except Exception:
        _log.exception("Work in the background of a hub failed")
