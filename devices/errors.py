"""Errors of everything spoken over Bluetooth LE."""

from core.model.errors import SmilescapeError
from core.model.words import Text


class DeviceError(SmilescapeError):
    """Something between us and a device failed."""

    code = "device"


class RadioError(DeviceError):
    """The air cannot be reached: no adapter, no transport, or it went away."""

    code = "device.radio"


class FrameError(DeviceError):
    """Bytes from a device that do not follow its profile. The frame is refused, the link stays."""

    code = "device.frame"


class LinkRefused(DeviceError):  # noqa: N818 - the name of a state, as in LinkState.REFUSED
    """Connected, but the peer is not one that we may talk to.

    Attributes:
        reason: the sentence for people; the message itself goes to the log.
    """

    code = "device.refused"

    def __init__(self, message: str, remedy: str = "", *, reason: Text) -> None:
        super().__init__(message, remedy)
        self.reason = reason
