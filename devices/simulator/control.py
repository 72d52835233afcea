"""What a tester tells a simulated hub, one JSON object a line, such as `{"type": "silence", "channel": 2}`."""

import asyncio
import logging
from collections.abc import AsyncIterator
from typing import Final, Literal

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


class Freeze(Message, frozen=True, kw_only=True, tag="freeze"):
    """A sensor goes on sending the last value that it had. `channel` is its wire number."""

    channel: int


class Unfreeze(Message, frozen=True, kw_only=True, tag="unfreeze"):
    channel: int


class DropLink(Message, frozen=True, kw_only=True, tag="drop_link"):
    pass


class Reboot(Message, frozen=True, kw_only=True, tag="reboot"):
    pass


class Battery(Message, frozen=True, kw_only=True, tag="battery"):
    percent: int


class ClockDrift(Message, frozen=True, kw_only=True, tag="clock_drift"):
    """Hub time runs fast by so many millionths; slow below 0."""

    ppm: float


class LimitMemory(Message, frozen=True, kw_only=True, tag="limit_memory"):
    """Memory holds no more frames than this; 1 is as good as full."""

    frames: int = 1


class OpenEnrolment(Message, frozen=True, kw_only=True, tag="open_enrolment"):
    """The hub's button is held for 10 s: it forgets its practice and may be enrolled anew. Therapy must be idle."""


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


class TamperFirmware(Message, frozen=True, kw_only=True, tag="tamper_firmware"):
    """The hub runs something else than its manifest says."""


class RollBackFirmware(Message, frozen=True, kw_only=True, tag="roll_back_firmware"):
    """The hub runs an older firmware, given up since, with a manifest that was good in its day."""


class CloneHub(Message, frozen=True, kw_only=True, tag="clone_hub"):
    """In place of the hub there is one with its serial and certificate, and keys of its own."""


class SpoofCalm(Message, frozen=True, kw_only=True, tag="spoof_calm"):
    """The hub shows the samples of the next so many seconds over and over, whatever happens meanwhile."""

    seconds: float = 10.0


class TamperJournal(Message, frozen=True, kw_only=True, tag="tamper_journal"):
    """The journal's newest entries are altered, one of them is left out, or the last ones are cut off."""

    how: Literal["alter", "remove", "truncate"] = "alter"


class ForgeReceipts(Message, frozen=True, kw_only=True, tag="forge_receipts"):
    """Somebody without the hub's key answers in its name."""


class Behave(Message, frozen=True, kw_only=True, tag="behave"):
    """The hub is honest again; what it wrote before stays."""


class Quit(Message, frozen=True, kw_only=True, tag="quit"):
    pass


Control = (
    Sugar
    | Clench
    | Warm
    | Silence
    | Unsilence
    | Freeze
    | Unfreeze
    | DropLink
    | Reboot
    | Battery
    | ClockDrift
    | LimitMemory
    | OpenEnrolment
    | PatientStop
    | PulseUp
    | Fail
    | LoseReceipts
    | LoseFrames
    | DamageFrames
    | TamperFirmware
    | RollBackFirmware
    | CloneHub
    | SpoofCalm
    | TamperJournal
    | ForgeReceipts
    | Behave
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
