"""STOP to the hub's own word that it holds: busy hubs under therapy, over a modelled radio that is accounted for."""

import asyncio
import hashlib
import random
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec

from app.bench.common import say
from app.bench.practice import Practice, Seat
from app.bench.ward import Crossed, Ready, address
from app.engine.clock import SystemAsyncClock
from app.engine.promptness import promptness
from core.model.hub import PhaseOrder, TherapyState
from devices.errors import DeviceError
from devices.hub.session.envelope import AllowedPhase, HubEnvelope
from devices.radio import Radio
from devices.simulator.air_control import SetTiming, encode_air_control

_ROOT: Final = Path(__file__).resolve().parent.parent.parent
_PATIENCE_S: Final = 60.0
_LEASE_S: Final = 1.0
_SETTLE_S: Final = 2.0
_LOOK_S: Final = 0.005
_SEED: Final = 1
_SECONDS: Final = 600
_DOSE: Final = 80
_ORDER: Final = PhaseOrder(phase=1, module=1, tooth=0, seconds=_SECONDS, dose_percent=_DOSE, tissue_limit_c=39.0)
_ENVELOPE: Final = HubEnvelope(
    procedure="0190a000-0000-7000-8000-000000000001",
    consent_sha256=hashlib.sha256(b"consent").digest(),
    phases=(AllowedPhase(phase=1, module=1, tooth=0, dose_percent=_DOSE, seconds=_SECONDS, ceiling_centi_c=3900),),
)


@dataclass(frozen=True, slots=True)
class Stop:
    """One STOP, s.

    Attributes:
        total: from the engine's call until the hub's receipt was in the engine's hands.
        radio: what of it STOP and the receipt waited for the modelled radio.
        workstation: what of it passed before STOP reached the radio and after the receipt came from it: without what
            the simulator itself takes, whose hubs and air share the processor with us.
    """

    total: float
    radio: float
    workstation: float

    @property
    def software(self) -> float:
        return self.total - self.radio


@dataclass(frozen=True, slots=True)
class _Pressed:
    hub: int
    began: float
    done: float


async def _follow(air: asyncio.subprocess.Process, crossed: list[Crossed]) -> None:
    assert air.stdout is not None
    while line := await air.stdout.readline():
        crossed.append(msgspec.json.decode(line, type=Crossed))


@asynccontextmanager
async def _process(*arguments: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """One of ward.py's, until the end of the block."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "app.bench.ward", *arguments),
        cwd=_ROOT,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdin is not None
    try:
        yield process
    finally:
        process.stdin.close()
        try:
            async with asyncio.timeout(_PATIENCE_S):
                await process.wait()
        except TimeoutError:
            process.kill()
            await process.wait()


async def _line(process: asyncio.subprocess.Process) -> bytes:
    assert process.stdout is not None
    async with asyncio.timeout(_PATIENCE_S):
        return await process.stdout.readline()


def measure_holds(intervals_ms: tuple[float, ...], stops: int, hubs: int, radios: int) -> dict[float, list[Stop]]:
    """At least `stops` of them at each connection interval, at random moments; hubs take the radios in turn."""
    return asyncio.run(_measure(intervals_ms, stops, hubs, radios))


async def _measure(intervals_ms: tuple[float, ...], stops: int, hubs: int, count: int) -> dict[float, list[Stop]]:
    clock = SystemAsyncClock()
    practice = Practice()
    crossed: list[Crossed] = []
    found: dict[float, list[Stop]] = {}
    with tempfile.TemporaryDirectory(prefix="smilescape-bench-") as folder:
        async with _process("air", str(count), str(hubs)) as air:
            transports = msgspec.json.decode(await _line(air), type=Ready).transports
            mine, theirs = transports[:count], transports[count:]
            following = asyncio.create_task(_follow(air, crossed))
            radios = [Radio.parse(f"bumble:{transport}") for transport in mine]
            seats = [Seat(number, Path(folder), clock) for number in range(1, hubs + 1)]
            async with _process("hubs", *theirs) as ward:
                await _line(ward)
                async with asyncio.timeout(_PATIENCE_S):
                    for number, seat in enumerate(seats, 1):
                        seat.bind(radios[number % count], practice, address(number), "", enrol=True)
                    await asyncio.gather(*(_begin(seat, practice) for seat in seats))
                say(f"{hubs} hubs treat")
                with promptness():  # as the engine's
                    for interval_ms in intervals_ms:
                        assert air.stdin is not None
                        air.stdin.write(encode_air_control(SetTiming(interval_ms=interval_ms)))
                        await asyncio.sleep(_SETTLE_S)
                        crossed.clear()
                        each = -(-stops // hubs)
                        presses = await asyncio.gather(
                            *(_press(n, seat, practice, each, interval_ms / 1000) for n, seat in enumerate(seats, 1))
                        )
                        found[interval_ms] = [_told(press, crossed) for many in presses for press in many]
                        middle = 1000 * statistics.median(stop.total for stop in found[interval_ms])
                        say(f"{interval_ms:g} ms: {len(found[interval_ms])} stops, half of them within {middle:.0f} ms")
                for seat in seats:
                    await seat.close()
                for radio in radios:
                    await radio.close()
        await following
    return found


async def _begin(seat: Seat, practice: Practice) -> None:
    """Until the hub, enrolled meanwhile, treats."""
    while seat.link is None or not seat.up.is_set() or not seat.link.driver.proven:  # noqa: ASYNC110
        await asyncio.sleep(_LOOK_S)
    seat.dose = _DOSE
    receipt = await seat.link.driver.start_phase(_ORDER, _ENVELOPE, practice.clinician)
    if not receipt.accepted:
        raise RuntimeError(f"the hub does not begin: {receipt.code.name}")


async def _press(number: int, seat: Seat, practice: Practice, times: int, interval_s: float) -> list[_Pressed]:
    """Stop and resume one hub again and again; its lease is renewed meanwhile."""
    moments = random.Random(f"{_SEED} {number} {interval_s}")
    assert seat.link is not None
    driver = seat.link.driver
    leasing = asyncio.create_task(_lease(seat))
    presses: list[_Pressed] = []
    try:
        for _ in range(times):
            await asyncio.sleep(moments.uniform(2 * interval_s, 6 * interval_s + 0.2))
            began = time.monotonic()
            await driver.stop()
            presses.append(_Pressed(number, began, time.monotonic()))
            async with asyncio.timeout(_PATIENCE_S):
                await _until(seat, TherapyState.HELD)
                await _resume(seat, practice)
    finally:
        leasing.cancel()
        await asyncio.gather(leasing, return_exceptions=True)
    return presses


async def _until(seat: Seat, state: TherapyState) -> None:
    """Until the hub itself says so."""
    assert seat.link is not None
    while seat.link.status is None or seat.link.status.therapy is not state:  # noqa: ASYNC110
        await asyncio.sleep(_LOOK_S)


async def _resume(seat: Seat, practice: Practice) -> None:
    """Until the hub treats again; an order that was lost on a slow radio is given anew."""
    assert seat.link is not None
    while seat.link.status is None or seat.link.status.therapy is not TherapyState.RUNNING:
        with suppress(DeviceError):
            await seat.link.driver.resume(_ENVELOPE, practice.clinician)
        with suppress(TimeoutError):
            async with asyncio.timeout(_LEASE_S):
                await _until(seat, TherapyState.RUNNING)


async def _lease(seat: Seat) -> None:
    assert seat.link is not None
    while True:
        await asyncio.sleep(_LEASE_S)
        with suppress(DeviceError):
            await seat.link.driver.renew_lease()


def _told(press: _Pressed, crossed: list[Crossed]) -> Stop:
    """What the model says of the way of STOP, and of the receipt that came last before the engine had it."""
    mine = [one for one in crossed if one.hub == press.hub and press.began <= one.given <= press.done]
    stop = min((one for one in mine if one.stop), key=lambda one: one.given)
    receipt = max((one for one in mine if not one.stop and stop.due <= one.at <= press.done), key=lambda one: one.at)
    radio = sum(max(0.0, one.due - one.given) for one in (stop, receipt))
    return Stop(press.done - press.began, radio, (stop.given - press.began) + (press.done - receipt.at))
