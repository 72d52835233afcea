"""Commands about therapy: signature, time, envelope, state, in this order (docs/hub-protocol.md, section 8)."""

from core.model.hub import HoldCause, Opcode, PhaseOrder, ReceiptCode
from devices.hub.commands import Bare, Signed, decode_phase
from devices.hub.session.envelope import decode_envelope, envelope_hash
from devices.hub.session.errors import MessageMalformed, SignedRefused
from devices.hub.session.signed import SignedCommand, check_command, verify_command
from devices.simulator.client import Client, Outcome
from devices.simulator.parts import Parts
from devices.simulator.therapy import Orderer


class Orders:
    """What holds needs the session alone, what treats a clinician's signature and the patient's consent."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def obey(self, command: Bare, client: Client) -> Outcome:
        """HOLD and RENEW_LEASE."""
        therapy = self._parts.therapy
        if command.opcode is Opcode.HOLD:
            return Outcome(therapy.hold(HoldCause.COMMAND))
        return Outcome(therapy.renew(client.kid))

    def obey_signed(self, command: Signed, counter: int, client: Client) -> Outcome:
        parts = self._parts
        try:
            order, who = verify_command(
                command.message, client.clinicians, hub_serial=parts.serial, session_id=client.session.id
            )
        except SignedRefused as error:
            return Outcome(error.answer)
        try:
            code = self._check_and_act(command, order, counter, Orderer(who.kid, client.kid))
        except SignedRefused as error:
            code = error.answer
        except MessageMalformed:
            code = ReceiptCode.MALFORMED
        return Outcome(code, signer=b"" if code is ReceiptCode.NOT_SIGNED else who.kid)

    def _check_and_act(self, command: Signed, order: SignedCommand, counter: int, by: Orderer) -> ReceiptCode:
        """Raises SignedRefused, MessageMalformed: what the answer is before anything is done."""
        parts = self._parts
        if (order.opcode, order.counter) != (command.opcode, counter):
            raise SignedRefused(ReceiptCode.NOT_SIGNED, "another command was signed")
        phase = decode_phase(order.body) if command.opcode is Opcode.START_PHASE else None
        setting = command.opcode is Opcode.SET_ENVELOPE
        envelope = envelope_hash(command.envelope) if setting else parts.consent.in_force(parts.now_us)
        check_command(order, opcode=command.opcode, counter=counter, hub_time_us=parts.now_us, envelope_sha256=envelope)
        match command.opcode:
            case Opcode.START_PHASE:
                return self._start(phase, order.procedure, by)
            case Opcode.RESUME:
                return self._resume(order.procedure, by)
            case Opcode.SET_ENVELOPE:
                return self._set_envelope(command.envelope, order.procedure)
            case Opcode.END_PHASE:
                return parts.therapy.end()
            case _:
                return parts.therapy.clear()

    def _start(self, phase: PhaseOrder | None, procedure: str, by: Orderer) -> ReceiptCode:
        if phase is None or not self._parts.consent.allows(procedure, phase):
            return ReceiptCode.OUTSIDE_ENVELOPE
        return self._parts.therapy.start(phase, procedure, by, self._parts.tissue_c)

    def _resume(self, procedure: str, by: Orderer) -> ReceiptCode:
        therapy = self._parts.therapy
        held = therapy.order
        if held is not None and (
            procedure != therapy.procedure
            or not self._parts.consent.allows(procedure, held, elapsed_us=therapy.elapsed_us)
        ):
            return ReceiptCode.OUTSIDE_ENVELOPE
        return therapy.resume(by, self._parts.tissue_c)

    def _set_envelope(self, raw: bytes, procedure: str) -> ReceiptCode:
        envelope = decode_envelope(raw)
        if envelope.procedure != procedure:
            return ReceiptCode.OUTSIDE_ENVELOPE
        if not self._parts.therapy.takes_envelope:
            return ReceiptCode.NOT_NOW
        self._parts.consent.put(envelope, raw, self._parts.now_us)
        return ReceiptCode.DONE
