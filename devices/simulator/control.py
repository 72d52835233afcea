"""What a tester tells a simulated hub, one JSON object a line, such as `{"type": "silence", "channel": 2}`."""

import asyncio
import logging
from collections.abc import AsyncIterator
from typing import Annotated, Final, Literal

import msgspec

_log = logging.getLogger(__name__)

Positive = Annotated[float, msgspec.Meta(ge=0)]
Share = Annotated[float, msgspec.Meta(ge=0, le=1)]


class Message(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The base of all."""


class Sugar(Message, frozen=True, kw_only=True, tag="sugar"):
    """The patient eats something sweet."""

    servings: float = 1.0


class Clench(Message, frozen=True, kw_only=True, tag="clench"):
    seconds: float = 2.0
    strength: float = 1.0


class Chew(Message, frozen=True, kw_only=True, tag="chew"):
    """The patient chews; saliva answers."""

    seconds: Positive = 15.0


class Grind(Message, frozen=True, kw_only=True, tag="grind"):
    """An episode as of sleep bruxism: so many bursts, about one a second."""

    bursts: Annotated[int, msgspec.Meta(ge=1, le=600)] = 5
    strength: Share = 0.6


class Diet(Message, frozen=True, kw_only=True, tag="diet"):
    """From now on the patient takes so many servings of sugar a day without being told."""

    servings: Annotated[float, msgspec.Meta(ge=0, le=48)] = 4.0


class Person(Message, frozen=True, kw_only=True, tag="person"):
    """Make the patient another one: what is left out stays.

    Attributes:
        anxiety: about dental treatment, 5–25 as the Modified Dental Anxiety Scale counts.
        dryness: 0 for normal saliva, 1 for none.
        hygiene: 0 for none, 1 for no plaque; plaque and gums follow within days.
    """

    anxiety: Annotated[int, msgspec.Meta(ge=5, le=25)] | None = None
    dryness: Share | None = None
    hygiene: Share | None = None


class Seat(Message, frozen=True, kw_only=True, tag="seat"):
    """The patient takes the chair, or leaves it. Treatment and pauses are felt by themselves, from the dose."""

    seated: bool = True


class Consent(Message, frozen=True, kw_only=True, tag="consent"):
    """It is the patient's turn to agree."""


class Reassure(Message, frozen=True, kw_only=True, tag="reassure"):
    """Somebody says a kind word, or explains."""


class Breathe(Message, frozen=True, kw_only=True, tag="breathe"):
    """The patient follows the breathing guide, 4 s in and 6 s out; 0 ends it."""

    seconds: Positive = 60.0


class Warm(Message, frozen=True, kw_only=True, tag="warm"):
    """Temperature runs away by so much, for so long or until the dose is withdrawn."""

    kelvin: float = 6.0
    seconds: float = 120.0


class Runaway(Message, frozen=True, kw_only=True, tag="runaway"):
    """The hub's firmware goes wrong: more is delivered than was ordered, and it costs energy and heat.

    Attributes:
        percent: of the module's full dose, beyond what is ordered.
        deaf: it is delivered though nothing is ordered, and neither hold nor STOP reaches the swarm.
        faked: channel and status go on saying what was ordered.
    """

    percent: Annotated[float, msgspec.Meta(ge=0, le=200)] = 60.0
    seconds: Positive = 60.0
    deaf: bool = False
    faked: bool = False


class Silence(Message, frozen=True, kw_only=True, tag="silence"):
    """A sensor comes off. `channel` is its wire number."""

    channel: int


class Unsilence(Message, frozen=True, kw_only=True, tag="unsilence"):
    channel: int


class Freeze(Message, frozen=True, kw_only=True, tag="freeze"):
    """A sensor hangs: it repeats its last value exactly, and its indexes go on."""

    channel: int


class Unfreeze(Message, frozen=True, kw_only=True, tag="unfreeze"):
    channel: int


class Wear(Message, frozen=True, kw_only=True, tag="wear"):
    """The hub is put into the mouth, or taken out."""

    worn: bool = True


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


class CutAtOrder(Message, frozen=True, kw_only=True, tag="cut_at_order"):
    """The link ends with the next order that changes therapy or consent: it is obeyed, and nothing is answered."""


class Attack(Message, frozen=True, kw_only=True, tag="attack"):
    """Begin what this name stands for (`main.py simulate hub --scenario list`); it ends what was under way."""

    name: str


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
    | Chew
    | Grind
    | Diet
    | Person
    | Seat
    | Consent
    | Reassure
    | Breathe
    | Warm
    | Runaway
    | Silence
    | Unsilence
    | Freeze
    | Unfreeze
    | Wear
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
    | CutAtOrder
    | Attack
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
