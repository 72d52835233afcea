"""Reads the sensor's frames: flags (1 byte), pH in thousandths (u16), temperature in hundredths of °C (i16).

Bit 0 of the flags: the probe is dry, so the pH means nothing. Bit 1: its calibration is older than a day.
"""

import struct

from devices.plugins.api import Client, Deliver

SERVICE = "8c1f0001-5a0e-4f6b-9d1b-6f72616c7068"
MEASUREMENT = "8c1f0002-5a0e-4f6b-9d1b-6f72616c7068"
CONTROL = "8c1f0003-5a0e-4f6b-9d1b-6f72616c7068"
STREAM = b"\x01"
DRY = 0x01
CALIBRATION_OLD = 0x02


class OralPhDriver:
    """One connection to one sensor."""

    def __init__(self, deliver: Deliver) -> None:
        self._deliver = deliver

    async def start(self, client: Client) -> None:
        if not client.has(MEASUREMENT):
            raise ValueError("This firmware has no measurement characteristic. Update the sensor.")
        await client.listen(MEASUREMENT, self._measured)
        await client.write(CONTROL, STREAM)

    async def ended(self) -> None:
        """Nothing is left to do: the sensor stops by itself."""

    def _measured(self, data: bytes) -> None:
        flags, thousandths, hundredths = struct.unpack("<BHh", data)  # raises when the frame is not one
        doubted = bool(flags & CALIBRATION_OLD)
        self._deliver("oral_ph_temperature", [hundredths / 100])
        self._deliver("oral_ph_value", [float("nan") if flags & DRY else thousandths / 1000], suspect=doubted)
