"""Commands as the practice's clinician signs them, for a hub of whose time we know."""

import msgspec

from core.model.hub import Opcode
from devices.hub.commands import Signed, encode_phase
from devices.hub.session.envelope import encode_envelope, envelope_hash
from devices.hub.session.signed import SignedCommand, sign_command
from tests.devices.simulator.visit import ENVELOPE, ORDER, PROCEDURE, Practice
from tests.proof.pair import Pair


def command_of(pair: Pair, opcode: Opcode, /, **changes: object) -> SignedCommand:
    """The next command, right unless changed."""
    command = SignedCommand(
        opcode=opcode,
        counter=pair.brain.desk.counter + 1,
        not_after_us=pair.brain.body.now_us + 5_000_000,
        procedure=PROCEDURE,
        envelope_sha256=envelope_hash(encode_envelope(ENVELOPE)),
        body=encode_phase(ORDER) if opcode is Opcode.START_PHASE else b"",
    )
    return msgspec.structs.replace(command, **changes)


def order_of(practice: Practice, pair: Pair, opcode: Opcode) -> Signed:
    """The same, signed by the practice's clinician."""
    session = pair.session
    message = sign_command(
        command_of(pair, opcode), practice.clinician.signer, hub_serial=session.hub_serial, session_id=session.id
    )
    return Signed(opcode, message, encode_envelope(ENVELOPE) if opcode is Opcode.SET_ENVELOPE else b"")
