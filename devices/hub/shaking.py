"""The handshake on its characteristic: values written and notified until a session stands."""

import asyncio
from collections.abc import Callable

from bleak import BleakClient
from bleak.backends.characteristic import BleakGATTCharacteristic

from devices.hub import uuids
from devices.hub.session.handshake import WorkstationHandshake
from devices.hub.session.keys import Session


async def shake_hands(
    client: BleakClient, handshake: WorkstationHandshake, established: Callable[[Session], None]
) -> None:
    """Shake hands.

    Args:
        established: told of the session before any value that comes after message 4 is looked at.

    Raises:
        SessionError, CertificateRefused: the attempt has failed; the link has to be closed.
        BleakError: the link was lost.
    """
    outcome: list[Exception | None] = []
    to_write: asyncio.Queue[bytes | None] = asyncio.Queue()

    def notified(_: BleakGATTCharacteristic, value: bytearray) -> None:
        if outcome:
            return
        try:
            for one in handshake.feed(bytes(value)):
                to_write.put_nowait(one)
        except Exception as error:
            outcome.append(error)
        if handshake.session is not None:
            established(handshake.session)
            outcome.append(None)
        if outcome:
            to_write.put_nowait(None)

    await client.start_notify(uuids.HANDSHAKE, notified)
    for one in handshake.begin():
        await client.write_gatt_char(uuids.HANDSHAKE, one, response=True)
    while (value := await to_write.get()) is not None:
        await client.write_gatt_char(uuids.HANDSHAKE, value, response=True)
    if outcome[0] is not None:
        raise outcome[0]
