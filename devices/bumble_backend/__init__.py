"""A bleak backend over Google's Bumble host stack: HCI over USB, serial, TCP or a virtual controller.

    adapter = await BumbleAdapter.open("usb:0")
    device = await BleakScanner.find_device_by_name("Hub", backend=adapter.scanner_backend)
    async with BleakClient(device, backend=adapter.client_backend) as client: ...

It imports bleak, bumble and the standard library only, and raises bleak's own exceptions.
"""

from devices.bumble_backend.adapter import BumbleAdapter

__all__ = ["BumbleAdapter"]
