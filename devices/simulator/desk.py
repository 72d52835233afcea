"""Where a simulated hub's commands arrive: counters, kept receipts, answers (docs/hub-protocol.md, section 8)."""

from typing import Final

from core.model.hub import Opcode, Receipt, ReceiptCode
from devices.hub.commands import (
    SIGNED,
    Acknowledge,
    Ask,
    Bare,
    Command,
    Enrol,
    Introduce,
    Revoke,
    Signed,
    Tell,
    Witness,
    Witnessed,
    decode_command,
)
from devices.hub.receipts import OPCODE_NO_RECEIPT, OPCODE_STOP, ReceiptNotice, decode_query, encode_receipt
from devices.hub.session.control import Control, decode_control
from devices.hub.session.envelope import decode_envelope
from devices.hub.session.errors import MessageMalformed
from devices.hub.session.signed import sign_receipt
from devices.hub.session.wire import FURTHEST_COUNTER, JournalEvent
from devices.simulator.bookkeeping import Bookkeeping
from devices.simulator.client import Answer, Client, Outcome
from devices.simulator.enrolment import Enrolment
from devices.simulator.orders import Orders
from devices.simulator.parts import Parts
from devices.simulator.witness import LogWitness

_PASSING: Final = frozenset(
    {
        Opcode.START_STREAM,
        Opcode.STOP_STREAM,
        Opcode.ACKNOWLEDGE,
        Opcode.FETCH,
        Opcode.REPORT,
        Opcode.TIME,
        Opcode.RENEW_LEASE,
        Opcode.ATTEST,
        Opcode.JOURNAL,
        Opcode.SUMMARIES,
        Opcode.EVENTS,
        Opcode.WITNESS,
        Opcode.WITNESSED,
    }
)
"""Once done, told together in the journal."""
_UNENROLLED: Final = (_PASSING - {Opcode.RENEW_LEASE, Opcode.WITNESS, Opcode.WITNESSED}) | {Opcode.ENROL}
"""What a hub that belongs to nobody does."""
_DURABLE: Final = SIGNED | {Opcode.HOLD}
"""Commands whose receipts outlive a boot."""
_DONE: Final = frozenset({ReceiptCode.DONE, ReceiptCode.ALREADY})


class Desk:
    """Answers for one boot.

    Attributes:
        counter: highest counter accepted.
    """

    def __init__(self, parts: Parts) -> None:
        self.counter = parts.store.state.counter
        self._parts = parts
        self._life = parts.store.state.life
        self._bookkeeping = Bookkeeping(parts)
        self._orders = Orders(parts)
        self._enrolment = Enrolment(parts)
        self._witness = LogWitness(parts)

    def command(self, message: bytes, client: Client) -> Answer:
        """Carry out one control message.

        Raises:
            MessageMalformed: not even opcode and counter are there, so that no receipt is possible.
        """
        control = decode_control(message)
        kept = self._parts.receipts.again(control.counter, message)
        if kept is not None:
            return Answer(kept)
        refused = self._refuse_counter(control.counter)
        if refused is not None:
            return self._refused(refused, control, message, client)
        try:
            command = _read(control)
        except MessageMalformed:
            return self._refused(Outcome(ReceiptCode.MALFORMED), control, message, client)
        if command is None:
            return self._refused(Outcome(ReceiptCode.UNKNOWN_OPCODE), control, message, client)
        return self._accepted(command, control, message, client)

    def stop(self, plaintext: bytes, client: Client) -> Answer:
        """STOP: in every state, whoever asks."""
        code = self._parts.therapy.stop()
        receipt = self._receipt(OPCODE_STOP, 0, Outcome(code), plaintext, client)
        self._parts.progress.keep(self._parts.therapy)
        self._parts.logbook.write(JournalEvent.STOP, signer=client.kid, code=code, message=plaintext)
        return Answer(receipt)

    def query(self, plaintext: bytes, client: Client) -> Answer:
        """The receipt of that counter once more, or word that there is none. Raises FrameError: too short."""
        counter = decode_query(plaintext)
        kept = self._parts.receipts.of(counter)
        if kept is not None:
            return Answer(kept)
        nothing = Outcome(ReceiptCode.NOT_STORED, self.counter)
        return Answer(self._receipt(OPCODE_NO_RECEIPT, counter, nothing, plaintext, client))

    def _refuse_counter(self, counter: int) -> Outcome | None:
        if counter == 0:
            return Outcome(ReceiptCode.MALFORMED)
        if counter <= self.counter:
            return Outcome(ReceiptCode.STALE_COUNTER, self.counter)
        if counter > self.counter + FURTHEST_COUNTER:
            return Outcome(ReceiptCode.OUTSIDE_LIMITS, self.counter)
        return None

    def _refused(self, outcome: Outcome, control: Control, message: bytes, client: Client) -> Answer:
        """What leaves the counter alone."""
        receipt = self._receipt(control.opcode, control.counter, outcome, message, client)
        self._write(outcome, control, message, client)
        return Answer(receipt)

    def _accepted(self, command: Command, control: Control, message: bytes, client: Client) -> Answer:
        parts = self._parts
        opcode = Opcode(control.opcode)
        self.counter = control.counter
        parts.vault.reserve(self.counter)
        if parts.vault.enrolled or opcode in _UNENROLLED:
            outcome = self._obey(command, control.counter, client)
        else:
            outcome = Outcome(ReceiptCode.REFUSED)
        receipt = self._receipt(opcode, control.counter, outcome, message, client)
        parts.progress.keep(parts.therapy)
        if opcode in _PASSING and outcome.code in _DONE:
            parts.logbook.passing(control.counter, client.kid)
        else:
            self._write(outcome, control, message, client)
        if parts.store.state.life == self._life:
            parts.receipts.keep(control.counter, message, receipt, durable=opcode in _DURABLE)
        else:
            self.forget()
        return Answer(receipt, outcome.document, outcome.report, outcome.end)

    def _obey(self, command: Command, counter: int, client: Client) -> Outcome:
        match command:
            case Signed():
                return self._orders.obey_signed(command, counter, client)
            case Bare(Opcode.HOLD | Opcode.RENEW_LEASE):
                return self._orders.obey(command, client)
            case Enrol() | Revoke() | Introduce() | Bare(Opcode.REKEY):
                return self._enrolment.obey(command, client)
            case Witness() | Witnessed():
                return self._witness.obey(command, client)
            case Bare() | Acknowledge() | Tell() | Ask():
                return self._bookkeeping.obey(command, counter, client)

    def forget(self) -> None:
        """Other keys, or nobody's hub: what was agreed before is gone."""
        state = self._parts.store.state
        if state.life != self._life:
            self._life, self.counter = state.life, state.counter
        self._parts.receipts.forget()
        self._parts.consent.withdraw()

    def _write(self, outcome: Outcome, control: Control, message: bytes, client: Client) -> None:
        self._parts.logbook.write(
            control.opcode,
            counter=control.counter,
            signer=outcome.signer or client.kid,
            code=outcome.code,
            message=message,
        )

    def _receipt(self, opcode: int, counter: int, outcome: Outcome, message: bytes, client: Client) -> bytes:
        therapy = self._parts.therapy
        receipt = Receipt(
            opcode=opcode,
            counter=counter,
            code=outcome.code,
            therapy=therapy.state,
            cause=therapy.cause,
            hub_time_us=self._parts.now_us,
        )
        raw = encode_receipt(ReceiptNotice(receipt=receipt, detail=outcome.detail))
        return sign_receipt(message, raw, client.signer, hub_serial=self._parts.serial, session_id=client.session.id)


def _read(control: Control) -> Command | None:
    """The command, None for an opcode of another version. Raises MessageMalformed: too short, or no envelope."""
    command = decode_command(control)
    if isinstance(command, Signed) and command.opcode is Opcode.SET_ENVELOPE:
        decode_envelope(command.envelope)
    return command
