"""Who can only hear and speak on the air: old messages again, invented ones, rubbish, silence."""

import random
from typing import Final

from devices.hub.session.records import HEAD
from devices.hub.session.wire import MAX_RECORD, RECORD, FromHub, ToHub
from devices.simulator.scenarios.seat import Seat, said

_MOST: Final = 8
"""Of each kind: a hub drops the link after 32."""
_JAM_S: Final = 5.0
"""Longer than the lease."""


async def replay(seat: Seat) -> str:
    """What was heard of the last orders and answers is sent once more, now and in the next session."""
    orders, answers = seat.heard(ToHub.CONTROL, _MOST), seat.told(FromHub.RECEIPT, _MOST)
    now = await seat.write(ToHub.CONTROL, *orders)
    await seat.notify(FromHub.RECEIPT, *answers)
    await seat.notify(FromHub.STATUS, *seat.told(FromHub.STATUS, 1))
    await seat.drop()
    if not await seat.until(lambda: seat.in_session):
        return f"{len(orders)} old orders sent again: {said(now)}; nobody came back"
    later = await seat.write(ToHub.CONTROL, *orders)
    return f"{len(orders)} old orders sent again: {said(now)}; in the next session: {said(later)}"


async def forged_command(seat: Seat) -> str:
    """Orders, STOP and answers are invented, right in every byte that can be seen."""
    dice = random.Random(1)
    answers = await seat.write(
        ToHub.CONTROL, *(_next(seat.heard(ToHub.CONTROL, 1), ToHub.CONTROL, n, dice) for n in range(4))
    )
    answers += await seat.write(ToHub.STOP, _next([], ToHub.STOP, 1000, dice))
    answers += await seat.write(ToHub.CONTROL, b"\x10" + dice.randbytes(40))
    await seat.notify(FromHub.RECEIPT, _next(seat.told(FromHub.RECEIPT, 1), FromHub.RECEIPT, 0, dice))
    await seat.notify(FromHub.STATUS, _next(seat.told(FromHub.STATUS, 1), FromHub.STATUS, 0, dice))
    return f"invented orders and answers sent: {said(answers)}"


async def garbage(seat: Seat) -> str:
    """Rubbish of every length is written to and notified from every characteristic."""
    dice = random.Random(2)
    lengths = (0, 1, 2, 21, 22, MAX_RECORD, MAX_RECORD + 1)
    answers = await seat.write(None, *(dice.randbytes(length) for length in lengths))
    for stream in ToHub:
        answers += await seat.write(stream, *(dice.randbytes(length) for length in lengths))
    for told in (None, *FromHub):
        await seat.notify(told, *(dice.randbytes(length) for length in lengths[:-1]))
    return f"rubbish written everywhere: {said(answers)}"


async def jamming(seat: Seat) -> str:
    """Nothing gets through for 5 s, longer than the lease: therapy holds by itself."""
    await seat.jam(_JAM_S)
    return f"nothing got through for {_JAM_S:g} s, then the link was gone"


def _next(heard: list[bytes], stream: ToHub | FromHub, ahead: int, dice: random.Random) -> bytes:
    """A record whose head is right: the numbers can be seen by anybody, the keys cannot."""
    epoch, number = (HEAD.unpack_from(heard[-1])[1:]) if heard else (0, 0)
    return HEAD.pack(RECORD | stream, epoch, number + 1 + ahead) + dice.randbytes(60)
