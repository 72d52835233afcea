"""Who stole keys: a workstation's, or a clinician's as well."""

from typing import Final

from core.model.cose import KeySigner, Signer
from core.model.hub import Opcode, PhaseOrder
from devices.hub.commands import Introduce, Signed, encode_phase
from devices.hub.session.signed import SignedCommand, sign_command
from devices.simulator.scenarios.seat import Seat
from devices.simulator.scenarios.stranger import Stranger

_WILD: Final = PhaseOrder(phase=1, module=1, tooth=0, seconds=3600, dose_percent=100, tissue_limit_c=42.0)
_ELSEWHERE: Final = "another hub"


async def stolen_key(seat: Seat) -> str:
    """A stolen workstation connects, watches, and orders a treatment without a clinician's key."""
    thief = await seat.stranger(seat.keys())
    try:
        if not thief.shake_hands():
            return _refused(thief)
        state = thief.status.status.therapy.name
        own = KeySigner()
        ordered = thief.send(_order(thief, own, seat.consent))
        return f"a stolen workstation saw {state}; an order without a clinician's key: {ordered.code.name}"
    finally:
        thief.leave()


async def outside_consent(seat: Seat) -> str:
    """A clinician's key is stolen too, and signs more than the patient consented to."""
    who, key = seat.clinician(), seat.keys()
    thief = await seat.stranger(key)
    try:
        if not thief.shake_hands():
            return _refused(thief)
        known = thief.send(Introduce(who.certificate.raw))
        ordered = thief.send(_order(thief, who.signer, seat.consent))
        return f"clinician {known.code.name}; full dose for an hour, signed: {ordered.code.name}"
    finally:
        thief.leave()


async def mass_command(seat: Seat) -> str:
    """One signed order is sent to every hub in reach, though it was made for one."""
    who, key = seat.clinician(), seat.keys()
    thief = await seat.stranger(key)
    try:
        if not thief.shake_hands():
            return _refused(thief)
        thief.send(Introduce(who.certificate.raw))
        ordered = thief.send(_order(thief, who.signer, seat.consent, serial=_ELSEWHERE))
        return f"an order signed for another hub: {ordered.code.name}"
    finally:
        thief.leave()


def _refused(thief: Stranger) -> str:
    return f"the hub shook no hands: {thief.refusal.name if thief.refusal is not None else 'no answer'}"


def _order(thief: Stranger, signer: Signer, consent: tuple[bytes, str], *, serial: str | None = None) -> Signed:
    session = thief.session
    assert session is not None
    envelope, procedure = consent
    command = SignedCommand(
        opcode=Opcode.START_PHASE,
        counter=thief.next_counter,
        not_after_us=thief.status.status.hub_time_us + 5_000_000,
        procedure=procedure,
        envelope_sha256=envelope,
        body=encode_phase(_WILD),
    )
    message = sign_command(command, signer, hub_serial=serial or session.hub_serial, session_id=session.id)
    return Signed(Opcode.START_PHASE, message)
