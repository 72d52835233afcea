"""The hub as a witness of the workstation's logs: WITNESS, WITNESSED (docs/hub-protocol.md, section 12)."""

from core.model.cose import kid_of
from core.model.hub import ReceiptCode
from core.model.note import Note, NoteRefused, cosign, read_note
from core.model.witness import Verdict, hub_witness, judge
from devices.hub.commands import Witness, Witnessed
from devices.hub.session.documents import encode_witness
from devices.hub.session.wire import MAX_CHECKPOINT, MOST_LOGS
from devices.simulator.client import Client, Outcome
from devices.simulator.parts import Parts


class LogWitness:
    """What was seen is on flash before it is countersigned, so that no power loss lets a log go back."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def obey(self, command: Witness | Witnessed, client: Client) -> Outcome:
        match command:
            case Witnessed(origin):
                seen = self._parts.store.state.witnessed.get(origin.decode(errors="replace"), "")
                return Outcome(ReceiptCode.DONE, document=encode_witness(seen.encode()))
            case Witness():
                return self._witness(command, client)

    def _witness(self, command: Witness, client: Client) -> Outcome:
        state = self._parts.store.state
        began_us = state.began.get(self._parts.boot)
        note = _signed_by(client, command.checkpoint)
        if note is None:
            return Outcome(ReceiptCode.REFUSED)
        if began_us is None:
            return Outcome(ReceiptCode.NOT_NOW)
        origin = note.checkpoint.origin
        if origin not in state.witnessed and len(state.witnessed) >= MOST_LOGS:
            return Outcome(ReceiptCode.OUTSIDE_LIMITS)
        seen = read_note(state.witnessed[origin]).checkpoint if origin in state.witnessed else None
        match judge(seen, note.checkpoint, command.old, command.path):
            case Verdict.MOVED:
                return Outcome(ReceiptCode.NOT_STORED, min(seen.size if seen is not None else 0, 0xFFFF_FFFF))
            case Verdict.ROLLED_BACK | Verdict.FORKED:
                return Outcome(ReceiptCode.CONTRADICTED)
        time_s = (began_us + self._parts.now_us) // 1_000_000
        line = cosign(note, hub_witness(kid_of(client.signer.public)), client.signer, time_s)
        state.witnessed[origin] = note.with_signatures([line]).encode()
        self._parts.store.save()
        return Outcome(ReceiptCode.DONE, document=encode_witness(state.witnessed[origin].encode()))


def _signed_by(client: Client, raw: bytes) -> Note | None:
    """The checkpoint, with its log's signature alone, if the workstation of this session signed it."""
    try:
        note = read_note(raw)
        note.verify(note.checkpoint.origin, client.session.peer.signing_key)
    except NoteRefused:
        return None
    fits = len(raw) <= MAX_CHECKPOINT and len(note.signatures) == 1
    return note if fits else None
