"""Everything that can be made to happen at a hub, by name."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Final, NamedTuple

from devices.simulator import control
from devices.simulator.control import Control
from devices.simulator.scenarios.impostors import cloned_hub, downgrade, spoofed_reconnect
from devices.simulator.scenarios.messages import forged_command, garbage, jamming, replay
from devices.simulator.scenarios.opened import (
    forged_receipts,
    journal_tampering,
    rolled_back_firmware,
    spoofed_calm,
    tampered_firmware,
)
from devices.simulator.scenarios.seat import Seat
from devices.simulator.scenarios.thieves import mass_command, outside_consent, stolen_key
from devices.simulator.store import CAPACITY_FRAMES

Attack = Callable[[Seat], Awaitable[str]]

SALIVA_PH: Final = 2
MEND: Final = "mend"
"""Ends an attack, too."""

ATTACKS: Final[Mapping[str, Attack]] = {
    attack.__name__: attack
    for attack in (
        replay,
        forged_command,
        forged_receipts,
        stolen_key,
        outside_consent,
        cloned_hub,
        downgrade,
        spoofed_reconnect,
        tampered_firmware,
        rolled_back_firmware,
        spoofed_calm,
        mass_command,
        journal_tampering,
        jamming,
        garbage,
    )
}
"""Each says in one line what it did and how it was answered, ends by itself, and leaves the hub usable."""

NEEDS_KEYS: Final = frozenset({"stolen_key", "outside_consent", "mass_command"})
EVERYWHERE: Final = frozenset({"mass_command"})
"""Begun at every hub at once."""


class Happening(NamedTuple):
    """Attributes: what the hub is told; in words."""

    messages: tuple[Control, ...]
    what: str


HAPPENINGS: Final[Mapping[str, Happening]] = {
    "sugar": Happening((control.Sugar(),), "The patient eats something sweet."),
    "clench": Happening((control.Clench(),), "The patient clenches."),
    "pulse_up": Happening((control.PulseUp(),), "The patient's pulse rises."),
    "warm_tooth": Happening((control.Warm(),), "The tooth grows warm."),
    "patient_stop": Happening(
        (control.PatientStop(), control.PatientStop(pressed=False)), "The patient presses the hub's button."
    ),
    "drop_link": Happening((control.DropLink(),), "The link ends."),
    "drop_mid_write": Happening((control.CutAtOrder(),), "The link ends with the next order, which is obeyed."),
    "lose_receipts": Happening((control.LoseReceipts(),), "The next receipt is lost."),
    "lose_frames": Happening((control.LoseFrames(),), "The next ten frames are lost."),
    "damage_frames": Happening((control.DamageFrames(),), "The next frame is damaged on the way."),
    "reboot_hub": Happening((control.Reboot(),), "The hub restarts."),
    "silence_sensor": Happening((control.Silence(channel=SALIVA_PH),), "The saliva sensor comes off."),
    "unsilence_sensor": Happening((control.Unsilence(channel=SALIVA_PH),), "The saliva sensor is back."),
    "freeze_sensor": Happening((control.Freeze(channel=SALIVA_PH),), "The saliva sensor hangs."),
    "unfreeze_sensor": Happening((control.Unfreeze(channel=SALIVA_PH),), "The saliva sensor moves again."),
    "full_memory": Happening((control.LimitMemory(),), "The hub's memory is full."),
    "battery_low": Happening((control.Battery(percent=12),), "The battery runs low."),
    "clock_drift": Happening((control.ClockDrift(ppm=20_000),), "The hub's clock runs 2 % fast."),
    "runaway": Happening((control.Runaway(),), "More is delivered than was ordered, for a minute."),
    "fault": Happening((control.Fail(),), "The hub finds a fault in itself."),
    MEND: Happening(
        (
            *(control.Unsilence(channel=SALIVA_PH), control.Unfreeze(channel=SALIVA_PH)),
            *(control.Battery(percent=92), control.ClockDrift(ppm=0), control.LimitMemory(frames=CAPACITY_FRAMES)),
        ),
        "Sensors, battery, clock and memory are as before.",
    ),
}
"""Faults and the body: over in a moment, or by a word, or with the next boot."""


def names() -> tuple[str, ...]:
    return (*HAPPENINGS, *ATTACKS)


def what(name: str) -> str:
    """In one sentence. Raises KeyError."""
    return HAPPENINGS[name].what if name in HAPPENINGS else (ATTACKS[name].__doc__ or "").strip()
