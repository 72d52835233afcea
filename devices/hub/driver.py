"""The nanobot hub, as the engine sees it: blocks and status come, commands go."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence

from core.model.clock import Clock
from core.model.hub import HubStatus, Opcode, PhaseOrder, Receipt
from core.model.note import Note
from devices.hub.commands import Bare
from devices.hub.credentials import Clinician, Credentials, KnownHub
from devices.hub.listener import HubListener
from devices.hub.profile import HubProfile
from devices.hub.session.envelope import HubEnvelope
from devices.hub.witnessing import Countersigned, countersign, last_witnessed
from devices.link import Link
from devices.radio import Radio
from devices.tap import Tap

__all__ = ["HubDriver", "HubListener"]


class HubDriver:
    """One hub: keeps the session, delivers each frame exactly once, carries commands and their receipts.

    Every command raises HubUnreachable when nothing was sent, and CommandUnknown when no receipt came: then
    `ask_receipt` before anything of the kind is sent again. A receipt that refuses may be that of a step on the way
    (CLINICIAN, SET_ENVELOPE); its opcode tells.

    Args:
        address: where the hub was last seen; a hub whose IRK is known is found by that.
        credentials: who we are and whom we believe; asked anew for each connection.
        known: what is remembered of the hub that is meant; None for whichever hub of the practice answers at the
            address (what is remembered of it is asked of the listener then).
        enrol: a hub that is open joins the practice. Without it, it is refused.
    """

    def __init__(
        self,
        radio: Radio,
        address: str,
        *,
        listener: HubListener,
        clock: Clock,
        tap: Tap,
        credentials: Credentials,
        known: KnownHub | None = None,
        enrol: bool = False,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._profile = HubProfile(
            address, listener, clock=clock, tap=tap, credentials=credentials, known=known, enrol=enrol
        )
        self._commander = self._profile.commander
        self._link = Link(
            radio,
            address,
            self._profile,
            state_changed=listener.link_changed,
            clock=clock,
            sleep=sleep,
            wanted=self._profile.recognises,
            needs_no_bond=True,
        )

    @property
    def session_id(self) -> bytes | None:
        """Of the session that stands, 16 bytes; None without one."""
        session = self._profile.session
        return session.id if session is not None else None

    @property
    def proven(self) -> bool:
        """Whether the hub has proven its firmware in this session: without it nothing that treats is ordered."""
        return self.session_id is not None and self._profile.orders.proven

    @property
    def known(self) -> KnownHub | None:
        """What is to be remembered of the hub, as it stands now; None before the first session."""
        return self._profile.known

    async def run(self) -> None:
        """Keep the link until cancelled or closed."""
        await self._link.run()

    async def close(self) -> None:
        await self._link.close()

    def committed(self, sequences: Iterable[int]) -> None:
        """These frames are durable; the hub is told soon, and may forget them. A range costs no more than a number."""
        self._profile.delivery.committed(sequences)

    async def start_phase(self, order: PhaseOrder, envelope: HubEnvelope, by: Clinician) -> Receipt:
        """Order a phase that the envelope covers. The hub is shown certificate and envelope first if it lacks them.

        Raises:
            HubReadOnly: its firmware is not proven.
            ValueError: order or envelope do not fit the wire.
        """
        return await self._profile.orders.start_phase(order, envelope, by)

    async def resume(self, envelope: HubEnvelope, by: Clinician) -> Receipt:
        """Go on with what is held. Raises as `start_phase`."""
        return await self._profile.orders.resume(envelope, by)

    async def end_phase(self, procedure: str, by: Clinician) -> Receipt:
        return await self._profile.orders.end_phase(procedure, by)

    async def clear(self, procedure: str, by: Clinician) -> Receipt:
        return await self._profile.orders.clear(procedure, by)

    async def hold(self) -> Receipt:
        return (await self._commander.send(Bare(Opcode.HOLD))).receipt

    async def renew_lease(self) -> Receipt:
        """Call each second while therapy runs; the receipt says NO_LEASE when nothing runs."""
        return (await self._commander.send(Bare(Opcode.RENEW_LEASE))).receipt

    async def stop(self) -> Receipt:
        """STOP: no counter, no signature, repeated until the hub answers.

        Raises:
            HubUnreachable: the link is gone; the hub holds by itself within its lease.
        """
        return await self._commander.stop()

    async def read_status(self) -> HubStatus:
        """Ask the hub for its status now. Raises HubUnreachable: no session, or no answer."""
        return await self._profile.read_status()

    async def ask_receipt(self, counter: int, sha256: bytes | None = None) -> Receipt | None:
        """What became of a command whose answer was lost; None: it never reached the hub, and was not done.

        What a person waited for is asked about by the driver itself as soon as there is a session again.

        Args:
            sha256: of its control message, as told by `command_sent`; needed for a command of another driver.

        Raises:
            HubUnreachable: no session, or no answer.
            CommandUnknown: the hub has taken a later command, and has no receipt of this. Its status tells what
                holds now.
        """
        return await self._commander.ask(counter, sha256)

    async def renew_certificate(self) -> None:
        """Give the hub a new certificate over its present keys. It drops the link, and is found again.

        Raises:
            EnrolmentRefused: it does not take it.
            SmilescapeError: nobody is logged in who may certify, or the hub's answer cannot be read.
        """
        await self._profile.renew()

    async def rekey(self) -> None:
        """Give the hub new keys. It drops the link, is found again, and counts its frames from 0.

        What it made before is fetched and committed first; what it makes meanwhile is lost. Raises as
        `renew_certificate`, and:

        Raises:
            NotDurable: what it made is not committed in time; it keeps its keys.
        """
        await self._profile.rekey()

    @property
    def witnesses(self) -> bool:
        """Whether a session stands with a hub that countersigns checkpoints; one of profile 2.0 does not."""
        return self._profile.witnesses

    async def last_witnessed(self, origin: str) -> Note | None:
        """What the hub countersigned last of a log; None: nothing. Raises as devices.hub.witnessing."""
        return await last_witnessed(self._commander, self._profile.documents, origin)

    async def countersign(self, note: Note, old: int, path: Sequence[bytes]) -> Countersigned:
        """Have the hub countersign a checkpoint. Raises as devices.hub.witnessing.

        Args:
            old, path: consistency proof from what it saw last.
        """
        return await countersign(self._commander, self._profile.documents, note, old, path)

    async def trust_changed(self) -> None:
        """Somebody was revoked: tell the hub, and part from it when it or we no longer count.

        Raises:
            HubUnreachable, CommandUnknown: the hub learns it in the next session.
        """
        await self._profile.trust_changed()
