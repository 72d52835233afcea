"""`main.py simulate sensor`: a simulated standard sensor as a program."""

import asyncio
import signal
import sys
from typing import Literal

from devices.simulator.heart_rate import HeartRateBand
from devices.simulator.pulse_oximeter import Oximeter
from devices.simulator.sensor import run_sensor
from devices.simulator.thermometer import Thermometer

SENSORS = {
    "heart_rate": (HeartRateBand, "Heart band", "C2:5A:00:00:00:01"),
    "pulse_oximeter": (Oximeter, "Oximeter", "C3:5A:00:00:00:01"),
    "thermometer": (Thermometer, "Thermometer", "C4:5A:00:00:00:01"),
}


def run_sensor_process(
    kind: Literal["heart_rate", "pulse_oximeter", "thermometer"],
    transport: str,
    *,
    seed: int,
    name: str | None,
    address: str | None,
) -> int:
    """Be a sensor until interrupted, or until the transport is lost. Prints `ready` once it advertises.

    Raises:
        TransportError: the transport is not there or does not answer.
    """
    if sys.platform != "win32":
        signal.signal(signal.SIGINT, signal.default_int_handler)
    make, usual_name, usual_address = SENSORS[kind]

    async def run() -> None:
        await run_sensor(
            transport,
            make(seed),
            name=name or usual_name,
            address=address or usual_address,
            ready=lambda: print("ready", flush=True),  # noqa: T201 - said to whoever started us
        )

    try:
        asyncio.run(run())
    except KeyboardInterrupt:
        return 130
    return 0
