"""What a tester tells a simulated hub, one JSON object a line, such as `{"type": "silence", "channel": 2}`."""

import asyncio
import logging
from collections.abc import AsyncIterator
from typing import Final

import msgspec

_log = logging.getLogger(__name__)


class Message(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The base of all."""


class Sugar(Message, frozen=True, kw_only=True, tag="sugar"):
    """The patient eats something sweet."""

    servings: float = 1.0


class Clench(Message, frozen=True, kw_only=True, tag="clench"):
    seconds: float = 2.0
    strength: float = 1.0


class Warm(Message, frozen=True, kw_only=True, tag="warm"):
    """Temperature runs away by so much, for so long or until the dose is withdrawn."""

    kelvin: float = 6.0
    seconds: float = 120.0


class Silence(Message, frozen=True, kw_only=True, tag="silence"):
    """A sensor comes off. `channel` is its wire number."""

    channel: int


class Unsilence(Message, frozen=True, kw_only=True, tag="unsilence"):
    channel: int


class DropLink(Message, frozen=True, kw_only=True, tag="drop_link"):
    pass


class Reboot(Message, frozen=True, kw_only=True, tag="reboot"):
    pass


class Battery(Message, frozen=True, kw_only=True, tag="battery"):
    percent: int


class PatientStop(Message, frozen=True, kw_only=True, tag="patient_stop"):
    """The patient's button on the hub is pressed, or released."""

    pressed: bool = True


class PulseUp(Message, frozen=True, kw_only=True, tag="pulse_up"):
    beats: float = 25.0


class Fail(Message, frozen=True, kw_only=True, tag="fail"):
    """The hub finds a fault in itself."""


class LoseReceipts(Message, frozen=True, kw_only=True, tag="lose_receipts"):
    """The next receipts never arrive; the commands are carried out."""

    count: int = 1


class LoseFrames(Message, frozen=True, kw_only=True, tag="lose_frames"):
    """The next live frames never arrive."""

    count: int = 10


class DamageFrames(Message, frozen=True, kw_only=True, tag="damage_frames"):
    """One bit of each of the next live frames turns over on the way."""

    count: int = 1


class Quit(Message, frozen=True, kw_only=True, tag="quit"):
    pass


Control = (
    Sugar
    | Clench
    | Warm
    | Silence
    | Unsilence
    | DropLink
    | Reboot
    | Battery
    | PatientStop
    | PulseUp
    | Fail
    | LoseReceipts
    | LoseFrames
    | DamageFrames
    | Quit
)

_DECODER: Final = msgspec.json.Decoder(Control)


def encode_control(message: Control) -> bytes:
    """One line, with its end."""
    return msgspec.json.encode(message) + b"\n"


async def read_control(stream: asyncio.StreamReader) -> AsyncIterator[Control]:
    """Messages until the stream ends; a line that is none is logged and left out."""
    while line := await stream.readline():
        try:
            yield _DECODER.decode(line)
        except msgspec.MsgspecError as error:
            _log.warning("Not a control message: %s", error)
