"""A hub as the witness of a log (docs/hub-protocol.md, section 12): what it saw last, and its word for what grew."""

from collections.abc import Sequence
from dataclasses import dataclass

from core.model.hub import ReceiptCode
from core.model.note import Note, NoteSignature
from core.model.witness import hub_witness
from devices.errors import FrameError
from devices.hub.commander import Commander
from devices.hub.commands import Witness, Witnessed
from devices.hub.documents import Documents
from devices.hub.session.documents import decode_witness
from devices.hub.session.wire import DocumentKind


class NotCountersigned(FrameError):  # noqa: N818 - named for what is the case
    """The hub did not countersign a checkpoint.

    Attributes:
        code: of its receipt; CONTRADICTED when it has seen what the log does not contain.
    """

    code = "hub.not_countersigned"

    def __init__(self, code: ReceiptCode) -> None:
        super().__init__(f"The hub did not countersign: {code.name}.", "Run `record verify`.")
        self.receipt = code


@dataclass(frozen=True, slots=True)
class Countersigned:
    """A hub's line below a checkpoint, verified; `certificate` is of the key that made it."""

    line: NoteSignature
    certificate: bytes


async def last_witnessed(commander: Commander, documents: Documents, origin: str) -> Note | None:
    """What the hub countersigned last of a log; None: nothing.

    Raises:
        HubUnreachable, CommandUnknown, DocumentMissing.
        NotCountersigned, MessageMalformed: it does not answer, or not in the form that was agreed.
    """
    notice, body = await documents.ask(commander, Witnessed(origin.encode()), DocumentKind.WITNESS)
    if not notice.receipt.accepted:
        raise NotCountersigned(notice.receipt.code)
    return decode_witness(body)


async def countersign(
    commander: Commander, documents: Documents, note: Note, old: int, path: Sequence[bytes]
) -> Countersigned:
    """Have the hub countersign a checkpoint that this workstation signed.

    Args:
        old, path: consistency proof from what it saw last; 0 and nothing when it saw none.

    Raises:
        HubUnreachable, CommandUnknown, DocumentMissing.
        NotCountersigned: it refuses.
        NoteRefused, MessageMalformed: what it gave is no cosignature of its own.
    """
    peer = commander.session.peer
    command = Witness(note.encode().encode(), old, tuple(path))
    notice, body = await documents.ask(commander, command, DocumentKind.WITNESS)
    if not notice.receipt.accepted:
        raise NotCountersigned(notice.receipt.code)
    told = decode_witness(body)
    name = hub_witness(peer.kid)
    lines = [one for one in told.signatures if one.name == name] if told is not None else []
    note.with_signatures(lines).cosigned(name, peer.signing_key)
    return Countersigned(lines[0], peer.raw)
