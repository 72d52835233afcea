"""The workstation at the other end, as the hub sees it while a session stands."""

from collections import deque
from dataclasses import dataclass, field

from core.model.certificate import Certificate
from core.model.cose import Signer
from core.model.hub import ReceiptCode
from devices.hub.session.keys import Session


@dataclass(slots=True)
class Client:
    """One session.

    Attributes:
        signer: the hub's key in this session; new ones count only in the next.
        clinicians: who may sign in this session, by kid.
        fetch: what is still to be sent for the fetch under way, its end record last; None when there is none.
    """

    session: Session
    signer: Signer
    streaming: bool = False
    fetch: deque[bytes] | None = None
    clinicians: dict[bytes, Certificate] = field(default_factory=dict)

    @property
    def kid(self) -> bytes:
        """The workstation's."""
        return self.session.peer.kid


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a command.

    Attributes:
        document: to be sent after the receipt.
        signer: kid of the clinician who signed; empty when no signature was right.
        report: a status is due, whether anything changed or not.
        end: the session ends with the receipt.
    """

    code: ReceiptCode
    detail: int = 0
    document: bytes | None = None
    signer: bytes = b""
    report: bool = False
    end: bool = False


@dataclass(frozen=True, slots=True)
class Answer:
    """A signed receipt, and what goes with it as in `Outcome`."""

    receipt: bytes
    document: bytes | None = None
    report: bool = False
    end: bool = False
