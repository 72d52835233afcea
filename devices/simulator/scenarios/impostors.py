"""Somebody else in the hub's place, or between hub and workstation while they meet."""

from collections.abc import Callable
from typing import Final

from devices.simulator.brain import Mischief
from devices.simulator.mischief import Clone, Impostor
from devices.simulator.scenarios.seat import Seat

_OLD_PROFILE: Final = b"\x01\x00"
_OTHER_MINOR: Final = 0x63


async def cloned_hub(seat: Seat) -> str:
    """A hub with the serial and certificate of ours, but not its keys, takes its place."""
    return await _instead(seat, Clone())


async def spoofed_reconnect(seat: Seat) -> str:
    """Another hub answers at our hub's address when the workstation comes back, certified by nobody we know."""
    return await _instead(seat, Impostor())


async def downgrade(seat: Seat) -> str:
    """Who stands between claims that the hub speaks the old, open profile, or another than it says in secret."""
    try:
        old = await _lied(seat, lambda identity: _OLD_PROFILE + identity[2:])
        other = await _lied(seat, lambda identity: identity[:1] + bytes((_OTHER_MINOR,)) + identity[2:])
    finally:
        seat.air.lie = None
        await seat.drop()
    return f"profile 1.0 was offered: {old}; another minor was claimed: {other}"


async def _instead(seat: Seat, other: Mischief) -> str:
    seat.corrupt(other)
    try:
        seat.air.written.clear()
        await seat.drop()
        came = await seat.until(lambda: any(stream is None for stream, _ in seat.air.written))
        await seat.until(lambda: seat.in_session, 1.0)
        fooled = seat.in_session
        await seat.linger()
    finally:
        await seat.behave()
    if not came:
        return "nobody came"
    return "the workstation shook hands with it" if fooled else "the workstation looked at its certificate, and left"


async def _lied(seat: Seat, lie: Callable[[bytes], bytes]) -> str:
    seat.air.lie = lie
    before = seat.air.reads
    seat.air.written.clear()
    await seat.drop()
    if not await seat.until(lambda: seat.air.reads > before):
        return "nobody came"
    left = await seat.until(lambda: not seat.linked)
    when = "after" if any(stream is None for stream, _ in seat.air.written) else "before"
    return f"the workstation left {when} the handshake" if left else "the workstation stayed"
