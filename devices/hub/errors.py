"""Errors of commanding a hub. No link and no answer are different things."""

from devices.errors import DeviceError


class HubUnreachable(DeviceError):  # noqa: N818 - named for what is the case
    """There is no link: nothing was sent. A hub that treats holds by itself when its lease runs out."""

    code = "hub.unreachable"

    def __init__(
        self, message: str = "There is no link to the hub.", remedy: str = "Wait until it is connected again."
    ) -> None:
        super().__init__(message, remedy)


class CountersSpent(HubUnreachable):
    """The hub has accepted the highest counter there is, so no command can follow in this boot. STOP still works."""

    code = "hub.counters_spent"

    def __init__(self) -> None:
        super().__init__("The hub takes no more commands.", "Press STOP if therapy runs, then restart the hub.")


class CommandUnknown(DeviceError):  # noqa: N818 - unknown is a state of its own
    """A command went out and no receipt came: whether it was done is unknown.

    Attributes:
        opcode, counter: of the command; ask for the receipt of `counter`.
        boot: boot in which it was sent; counters begin anew with each.
    """

    code = "hub.unknown"

    def __init__(self, opcode: int, counter: int, boot: int) -> None:
        super().__init__(
            f"The hub has not answered command {opcode:#04x} (counter {counter}).",
            "Ask the hub what it did before anything is sent again.",
        )
        self.opcode = opcode
        self.counter = counter
        self.boot = boot
