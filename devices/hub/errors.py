"""Errors of commanding a hub. No link and no answer are different things."""

from devices.errors import DeviceError


class HubUnreachable(DeviceError):  # noqa: N818 - named for what is the case
    """There is no link: nothing was sent. A hub that treats holds by itself when its lease runs out."""

    code = "hub.unreachable"

    def __init__(self) -> None:
        super().__init__("There is no link to the hub.", "Wait until it is connected again.")


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
