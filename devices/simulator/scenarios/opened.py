"""A hub that somebody opened: its firmware, its samples, its journal, its voice."""

from devices.simulator.brain import Mischief
from devices.simulator.control import Runaway
from devices.simulator.mischief import (
    ForgedReceipts,
    RolledBackFirmware,
    SpoofedCalm,
    TamperedFirmware,
    TamperedJournal,
)
from devices.simulator.scenarios.seat import Seat

_RECORDED_S = 10.0
_WILD_S = 60.0
_CUT = 8
"""Entries; more than a session adds by itself, so that the journal is shorter than it was known to be."""


async def tampered_firmware(seat: Seat) -> str:
    """The hub runs something else than its maker signed."""
    return await _opened(seat, TamperedFirmware(), "the hub came back with altered firmware")


async def rolled_back_firmware(seat: Seat) -> str:
    """The hub runs an old firmware, given up since, with a signature that was good in its day."""
    return await _opened(seat, RolledBackFirmware(), "the hub came back with firmware 1.9.0")


async def journal_tampering(seat: Seat) -> str:
    """The hub's journal loses its last entries."""
    return await _opened(seat, TamperedJournal("truncate", last=_CUT), "the hub came back with a shorter journal")


async def spoofed_calm(seat: Seat) -> str:
    """The hub shows ten calm seconds over and over while it delivers what nobody ordered and obeys nobody."""
    seat.corrupt(SpoofedCalm(_RECORDED_S))
    try:
        await seat.pause(_RECORDED_S)
        await seat.tell(Runaway(percent=60.0, seconds=_WILD_S, deaf=True, faked=True))
        await seat.pause(_WILD_S)
    finally:
        await seat.behave()
    return f"calm was shown for {_WILD_S:g} s while 60 % were delivered"


async def forged_receipts(seat: Seat) -> str:
    """Somebody without the hub's key answers orders in its name."""
    seat.corrupt(ForgedReceipts())
    try:
        await seat.linger()
    finally:
        await seat.behave()
    return "receipts were signed with another key"


async def _opened(seat: Seat, how: Mischief, what: str) -> str:
    seat.corrupt(how)
    try:
        await seat.drop()
        came = await seat.until(lambda: seat.in_session)
        await seat.linger()
    finally:
        await seat.behave()
    return what if came else "nobody came"
