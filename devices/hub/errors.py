# ruff: noqa: N818 - named for what is the case
"""Errors of commanding a hub. No link and no answer are different things."""

from core.model.hub import ReceiptCode
from devices.errors import DeviceError, FrameError


class HubUnreachable(DeviceError):
    """There is no session: nothing was sent. A hub that treats holds by itself when its lease runs out."""

    code = "hub.unreachable"

    def __init__(
        self, message: str = "There is no link to the hub.", remedy: str = "Wait until it is connected again."
    ) -> None:
        super().__init__(message, remedy)


class CountersSpent(HubUnreachable):
    """The hub has accepted the highest counter there is, so no command can follow under its keys. STOP still works."""

    code = "hub.counters_spent"

    def __init__(self) -> None:
        super().__init__("The hub takes no more commands.", "Press STOP if therapy runs, then give the hub new keys.")


class Overtaken(HubUnreachable):
    """HOLD or STOP was given while an order that begins dose was on its way to the air: nothing of it was sent."""

    code = "hub.overtaken"

    def __init__(self) -> None:
        super().__init__("The order was overtaken by a hold and not sent.", "Check the hub, then give it again.")


class CommandUnknown(DeviceError):
    """A command went out and no receipt came: whether it was done is unknown.

    Attributes:
        opcode, counter: of the command; ask for the receipt of `counter`.
    """

    code = "hub.unknown"

    def __init__(self, opcode: int, counter: int) -> None:
        super().__init__(
            f"The hub has not answered command {opcode:#04x} (counter {counter}).",
            "Ask the hub what it did before anything is sent again.",
        )
        self.opcode = opcode
        self.counter = counter


class HubReadOnly(DeviceError):
    """The hub's firmware is not proven in this session: it is not given orders that treat."""

    code = "hub.read_only"

    def __init__(self) -> None:
        super().__init__("The hub's firmware is not proven.", "Use another hub to treat, and have this one serviced.")


class EnrolmentRefused(DeviceError):
    """The hub did not take root, certificate or new keys.

    Attributes:
        answer: what it answered.
    """

    code = "hub.enrolment"

    def __init__(self, answer: ReceiptCode) -> None:
        super().__init__(
            f"The hub did not take its new certificate ({answer.name}).",
            "Hold its button for 10 s to open it, then enrol it again.",
        )
        self.answer = answer


class NotDurable(DeviceError):
    """What the hub made is not committed yet, so it must not forget it."""

    code = "hub.not_durable"

    def __init__(self, frames: int) -> None:
        super().__init__(
            f"{frames} frames of the hub are not recorded yet.", "Wait until everything is fetched, then try again."
        )


class ReceiptMisplaced(FrameError):
    """A signed receipt that answers nothing that was sent, or another message than was sent."""

    code = "hub.receipt"

    def __init__(self, opcode: int, counter: int) -> None:
        super().__init__(
            f"A receipt for {opcode:#04x} (counter {counter}) answers nothing that was sent.",
            "Do not treat. Look for unknown devices nearby, and read the hub's journal.",
        )


class RecordsForged(DeviceError):
    """More records were refused in one session than bad luck explains."""

    code = "hub.records"

    def __init__(self, refused: int) -> None:
        super().__init__(
            f"{refused} records of this session were refused.", "Look for unknown devices nearby. Signals still come."
        )


class EventsTurnedBack(DeviceError):
    """The hub counts fewer events than it told of before."""

    code = "hub.events"

    def __init__(self, known: int, found: int) -> None:
        super().__init__(
            f"The hub tells of {found} events and had told of {known}.", "Keep the hub and have it examined."
        )


class RevocationsRefused(DeviceError):
    """The hub did not take the practice's own revocation list."""

    code = "hub.revocations"

    def __init__(self, answer: ReceiptCode) -> None:
        super().__init__(f"The hub did not take the revocation list ({answer.name}).", "Enrol the hub again.")
