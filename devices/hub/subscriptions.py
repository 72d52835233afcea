"""What a hub notifies, handed on in the order in which it came, each value tapped first."""

import logging
from collections.abc import Callable

from bleak import BleakClient
from bleak.backends.characteristic import BleakGATTCharacteristic

from core.model.errors import SmilescapeError
from devices.errors import FrameError
from devices.tap import Tap

_log = logging.getLogger(__name__)

Handle = Callable[[bytes], None]


async def subscribe(
    client: BleakClient, handles: dict[str, Handle], tap: Tap, refused: Callable[[SmilescapeError, bytes], None]
) -> None:
    """Subscribe to characteristics.

    Args:
        handles: what takes the values of each characteristic, by UUID.
        refused: told of each value that raised FrameError.

    Raises:
        BleakError: the link was lost.
    """
    for uuid, handle in handles.items():
        await client.start_notify(uuid, guarded(uuid, handle, tap, refused))


def guarded(
    uuid: str, handle: Handle, tap: Tap, refused: Callable[[SmilescapeError, bytes], None]
) -> Callable[[BleakGATTCharacteristic, bytearray], None]:
    """What bleak calls with each value."""

    def arrived(_: BleakGATTCharacteristic, data: bytearray) -> None:
        raw = bytes(data)
        tap.add(uuid, raw)
        try:
            handle(raw)
        except FrameError as error:
            _log.warning("%s", error)
            refused(error, raw)
        except Exception:
            _log.exception("A value of %d bytes on %s failed", len(raw), uuid)

    return arrived
