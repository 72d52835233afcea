"""What a clinician orders: signed for this hub, this session, now, under the patient's consent."""

from typing import Final

from core.model.clock import Clock
from core.model.hub import Opcode, PhaseOrder, Receipt
from devices.hub.commander import Commander
from devices.hub.commands import Command, Introduce, Signed, encode_phase
from devices.hub.credentials import Clinician
from devices.hub.errors import HubReadOnly, HubUnreachable, Overtaken
from devices.hub.hub_time import HubTime
from devices.hub.session.envelope import HubEnvelope, encode_envelope, envelope_hash
from devices.hub.session.keys import Session
from devices.hub.session.signed import SignedCommand, sign_command
from devices.hub.session.wire import COMMAND_LIFETIME_US
from devices.hub.status import NO_ENVELOPE, StatusReport

_NO_ENVELOPE: Final = bytes(32)
"""In an order that only ends therapy: nobody looks at it."""


class Orders:
    """Orders over one session after another. A receipt that refuses may be that of CLINICIAN or SET_ENVELOPE.

    All raise what the commander raises; those that treat raise HubReadOnly when the firmware is not proven.

    Attributes:
        proven: the hub's firmware is, in this session.
        time: hub time.
    """

    def __init__(self, commander: Commander, clock: Clock) -> None:
        self._commander = commander
        self._clock = clock
        self.begin()

    def begin(self) -> None:
        """Another session: nothing is known of it."""
        self.proven = False
        self.time = HubTime(self._clock)
        self._introduced: set[tuple[bytes, bytes]] = set()
        self._in_force = NO_ENVELOPE

    def heard(self, report: StatusReport) -> None:
        """A status of this session."""
        self.time.told(report.status.hub_time_us)
        self._in_force = report.envelope

    async def start_phase(self, order: PhaseOrder, envelope: HubEnvelope, by: Clinician) -> Receipt:
        return await self._treat(Opcode.START_PHASE, envelope, by, encode_phase(order))

    async def resume(self, envelope: HubEnvelope, by: Clinician) -> Receipt:
        return await self._treat(Opcode.RESUME, envelope, by, b"")

    async def end_phase(self, procedure: str, by: Clinician) -> Receipt:
        return await self._end(Opcode.END_PHASE, procedure, by)

    async def clear(self, procedure: str, by: Clinician) -> Receipt:
        return await self._end(Opcode.CLEAR, procedure, by)

    async def _treat(self, opcode: Opcode, envelope: HubEnvelope, by: Clinician, body: bytes) -> Receipt:
        raw, halts = encode_envelope(envelope), self._commander.halts
        session = self._commander.session
        if not self.proven:
            raise HubReadOnly
        refused = await self._introduce(session, by) or await self._bring(session, envelope, raw, by)
        if refused is not None:
            return refused
        digest = envelope_hash(raw)
        return await self._sign(session, opcode, envelope.procedure, digest, by, body=body, halts=halts)

    async def _end(self, opcode: Opcode, procedure: str, by: Clinician) -> Receipt:
        session = self._commander.session
        return await self._introduce(session, by) or await self._sign(session, opcode, procedure, _NO_ENVELOPE, by)

    async def _introduce(self, session: Session, by: Clinician) -> Receipt | None:
        """Show the hub the certificate, once in a session. What it says when it does not take it."""
        if (session.id, by.certificate.kid) in self._introduced:
            return None
        receipt = (await self._commander.send(Introduce(by.certificate.raw))).receipt
        if not receipt.accepted:
            return receipt
        self._introduced.add((session.id, by.certificate.kid))
        return None

    async def _bring(self, session: Session, envelope: HubEnvelope, raw: bytes, by: Clinician) -> Receipt | None:
        """Set the envelope when another one is in force. What the hub says when it does not take it."""
        digest = envelope_hash(raw)
        if self._in_force == digest[: len(NO_ENVELOPE)]:
            return None
        receipt = await self._sign(session, Opcode.SET_ENVELOPE, envelope.procedure, digest, by, envelope=raw)
        return None if receipt.accepted else receipt

    async def _sign(
        self,
        session: Session,
        opcode: Opcode,
        procedure: str,
        envelope_sha256: bytes,
        by: Clinician,
        *,
        body: bytes = b"",
        envelope: bytes = b"",
        halts: int | None = None,
    ) -> Receipt:
        """`halts`: of the commander, when an order was asked for that no later hold may be followed by."""

        def signed(counter: int) -> Command:
            if self._commander.session is not session:
                # The link was lost while this waited. What was right in that session need not be in this one.
                raise HubUnreachable
            if halts not in (None, self._commander.halts):
                raise Overtaken
            command = SignedCommand(
                opcode=opcode,
                counter=counter,
                not_after_us=self.time.now_us() + COMMAND_LIFETIME_US,
                procedure=procedure,
                envelope_sha256=envelope_sha256,
                body=body,
            )
            raw = sign_command(command, by.signer, hub_serial=session.hub_serial, session_id=session.id)
            return Signed(opcode, raw, envelope)

        notice = await self._commander.send_made(opcode, signed, signer=by.certificate.kid)
        self.time.told(notice.receipt.hub_time_us)
        return notice.receipt
