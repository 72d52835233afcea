# ruff: noqa: N818 - named for what is the case
"""Errors of the secure session. A value that is refused changes nothing; a handshake that fails leaves no session."""

from enum import StrEnum

from core.model.hub import ReceiptCode
from devices.errors import DeviceError, FrameError
from devices.hub.session.wire import MIN_MTU, Refusal

_TRY_AGAIN = "Connect again. If it stays so, have the hub serviced."


class SessionError(DeviceError):
    """There is no secure session with the hub."""

    code = "session"


class EdhocMissing(SessionError):
    """This computer lacks the library for the handshake."""

    code = "session.edhoc_missing"

    def __init__(self) -> None:
        super().__init__(
            "The library for secure hubs (lakers-python) is not installed; there is no ready build for Intel Macs.",
            "Use another computer, or install Rust and then lakers-python 0.6.2.",
        )


class HandshakeMalformed(SessionError):
    """The peer does not speak the handshake, or bytes were lost on the way."""

    code = "session.malformed"

    def __init__(self, what: str) -> None:
        super().__init__(f"The hub's handshake cannot be read: {what}.", _TRY_AGAIN)


class HandshakeNotAuthentic(SessionError):
    """The peer does not hold the key of the certificate that it showed, or somebody altered what was sent."""

    code = "session.not_authentic"

    def __init__(self) -> None:
        super().__init__(
            "The hub could not prove who it is.", "Do not treat with it. Connect again; if it stays so, replace it."
        )


class RefusedByHub(SessionError):
    """The hub does not go on. Whoever sends this is not proven to be the hub.

    Attributes:
        refusal: its reason; None for one that this version does not know.
        mtu: of MTU, the link's as the hub sees it; 0 where it does not say.
    """

    code = "session.refused_by_hub"

    def __init__(self, refusal: Refusal | None, mtu: int = 0) -> None:
        super().__init__(f"The hub refused the session: {_REASONS.get(refusal, 'it does not say why')}.", _TRY_AGAIN)
        self.refusal = refusal
        self.mtu = mtu


class IdentityDowngraded(SessionError):
    """What the hub says in secret is not what was read in clear: somebody stands between."""

    code = "session.downgrade"

    def __init__(self, what: str) -> None:
        super().__init__(
            f"The hub's identity was altered on the way ({what}).", "Do not treat. Look for unknown devices nearby."
        )


class SessionSpent(SessionError):
    """All keys of a session are used up."""

    code = "session.spent"

    def __init__(self) -> None:
        super().__init__("The secure session has lasted too long.", "Connect again.")


class FirmwareRefused(SessionError):
    """The hub's firmware is not proven, so the hub is read-only: signals yes, therapy no."""

    code = "session.firmware"

    def __init__(self, what: str) -> None:
        super().__init__(f"The hub's firmware is not proven: {what}.", "Have the hub serviced. Signals still come.")


class JournalBroken(SessionError):
    """Entries of the hub's journal are missing, altered or out of order."""

    code = "session.journal"

    def __init__(self, what: str) -> None:
        super().__init__(f"The hub's journal is not whole: {what}.", "Keep the hub and have its journal examined.")


class RecordFault(StrEnum):
    """Why a record was refused."""

    SIZE = "size"
    STREAM = "stream"
    NUMBER = "number"
    EPOCH = "epoch"
    TAG = "tag"


class RecordRefused(FrameError):
    """A protected record that is not the next one of its stream, or not genuine. Nothing of it is used."""

    code = "session.record"

    def __init__(self, fault: RecordFault) -> None:
        super().__init__(f"A protected record was refused ({fault}).", "Nothing to do; it is fetched again.")
        self.fault = fault


class SegmentRefused(FrameError):
    """A part of a longer message that fits nowhere. What was gathered of the message is dropped."""

    code = "session.segment"

    def __init__(self, what: str) -> None:
        super().__init__(f"A part of a message was refused: {what}.", "Send the message again.")


class SignedRefused(FrameError):
    """A signed message that does not count.

    Attributes:
        answer: what the hub answers to a command like this.
    """

    code = "session.signed"

    def __init__(self, answer: ReceiptCode, what: str) -> None:
        super().__init__(f"A signed message was refused: {what}.", "Have it signed again, for this session.")
        self.answer = answer


class MessageMalformed(FrameError):
    """A control message, document or journal entry that cannot be read."""

    code = "session.message"

    def __init__(self, what: str) -> None:
        super().__init__(f"A message cannot be read: {what}.", "Update the older of hub and workstation.")


_REASONS: dict[Refusal | None, str] = {
    Refusal.MALFORMED: "it could not read a message",
    Refusal.CERTIFICATE: "it does not accept this workstation's certificate",
    Refusal.NOT_AUTHENTIC: "this workstation could not prove who it is",
    Refusal.BUSY: "it has one already",
    Refusal.TOO_MANY: "too many attempts on one connection",
    Refusal.MTU: f"the connection is narrower than {MIN_MTU} bytes",
}
