"""The kinds of alarm and their sounds, read from `resources/alarms.toml` and checked on load."""

from functools import cache
from typing import Literal

import msgspec

from core.model.alarm import AlarmPriority
from core.model.datafile import fault, parse, read_resource

PriorityName = Literal["low", "medium", "high"]
PULSES = {AlarmPriority.HIGH: (10,), AlarmPriority.MEDIUM: (3,), AlarmPriority.LOW: (1, 2)}
"""How many pulses a burst of each priority may have."""


def priority_of(name: PriorityName) -> AlarmPriority:
    return AlarmPriority[name.upper()]


class AlarmKind(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One kind of alarm.

    Attributes:
        latching: stays until somebody has seen it, even when the condition has gone.
        ends_after: seconds after which a momentary event counts as gone; None: somebody clears it.
    """

    key: str
    priority: PriorityName
    latching: bool = False
    ends_after: float | None = None


class SoundPattern(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One burst.

    Attributes:
        harmonics_db: level of the 2nd, 3rd, … harmonic against the fundamental.
        gaps_ms: silence between one pulse and the next; one fewer than there are pulses.
        repeat_s: from the end of one burst to the next; None: it sounds once.
    """

    priority: PriorityName
    fundamental_hz: float
    harmonics_db: tuple[float, ...]
    pulse_ms: int
    rise_ms: int
    gaps_ms: tuple[int, ...]
    repeat_s: float | None = None


class _File(msgspec.Struct, forbid_unknown_fields=True):
    kind: list[AlarmKind]
    sound: list[SoundPattern]


class AlarmCatalogue:
    """Every kind of alarm by key, and the sound of each priority."""

    def __init__(self, kinds: list[AlarmKind], sounds: list[SoundPattern]) -> None:
        self.kinds = {kind.key: kind for kind in kinds}
        self.sounds = {priority_of(sound.priority): sound for sound in sounds}


def parse_alarms(text: str, name: str = "alarms.toml") -> AlarmCatalogue:
    """Check and read an alarm file. Raises DataError, naming file and line."""
    file = parse(text, name, _File)
    keys: set[str] = set()
    for index, kind in enumerate(file.kind):
        if kind.key in keys:
            raise fault(text, name, "kind", index, f"alarm {kind.key!r} stands twice")
        if kind.ends_after is not None and kind.ends_after <= 0:
            raise fault(text, name, "kind", index, f"alarm {kind.key!r} ends before it began")
        keys.add(kind.key)
    for index, sound in enumerate(file.sound):
        if what := sound_fault(sound):
            raise fault(text, name, "sound", index, f"the {sound.priority} sound {what}")
    if sorted(sound.priority for sound in file.sound) != ["high", "low", "medium"]:
        raise fault(text, name, "sound", 0, "each of low, medium and high needs one sound")
    return AlarmCatalogue(file.kind, file.sound)


@cache
def load_alarms() -> AlarmCatalogue:
    """The alarms that ship with the product. Raises DataError."""
    return parse_alarms(read_resource("alarms.toml"))


def sound_fault(sound: SoundPattern) -> str:
    """What keeps a sound from being an alarm signal by IEC 60601-1-8; empty when it is one."""
    if not 150 <= sound.fundamental_hz <= 1000:
        return f"has a fundamental of {sound.fundamental_hz:g} Hz, not one of 150-1000"
    tones = [(sound.fundamental_hz * number, level) for number, level in enumerate(sound.harmonics_db, 2)]
    if sum(300 <= tone <= 4000 and abs(level) <= 15 for tone, level in tones) < 4:
        return "has fewer than four harmonics of 300-4000 Hz within ±15 dB"
    if len(sound.gaps_ms) + 1 not in PULSES[priority_of(sound.priority)]:
        return f"has {len(sound.gaps_ms) + 1} pulses"
    if not 0 < 2 * sound.rise_ms <= sound.pulse_ms or min(sound.gaps_ms, default=1) <= 0:
        return "has impossible times"
    return ""
