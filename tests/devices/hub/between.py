"""Somebody on the way between hub and workstation, who hears, alters and adds what bleak carries."""

from collections.abc import Awaitable, Callable, Iterable

from bleak import BleakClient

from devices.radio import Radio

Alter = Callable[[str, bytes], Iterable[bytes]]
"""What becomes of a value on a characteristic: nothing, one, several."""


class Between:
    """Stands on each connection of a radio.

    Attributes:
        notified, written: every value in its order, as its sender sent it.
        to_workstation, to_hub: what becomes of them.
        read: what becomes of values that are read.
        before_write: what a write waits for.
    """

    def __init__(self, radio: Radio) -> None:
        self.notified: list[tuple[str, bytes]] = []
        self.written: list[tuple[str, bytes]] = []
        self.to_workstation: Alter = lambda _, value: (value,)
        self.to_hub: Alter = lambda _, value: (value,)
        self.read: Callable[[str, bytes], bytes] = lambda _, value: value
        self.before_write: Callable[[str, bytes], Awaitable[None]] = _at_once
        self._callbacks: dict[str, Callable[[object, bytearray], None]] = {}
        make = radio.client

        def client(*args: object, **more: object) -> BleakClient:
            made = make(*args, **more)  # type: ignore[arg-type]
            self._stand(made)
            return made

        radio.client = client  # type: ignore[method-assign]

    def inject(self, uuid: str, value: bytes) -> None:
        """Say something in the hub's name."""
        self._callbacks[uuid](None, bytearray(value))

    def deafen(self, uuid: str) -> None:
        """What the hub notifies on a characteristic never arrives."""
        self.to_workstation = lambda of, value: () if of == uuid else (value,)

    def silence(self, uuid: str) -> None:
        """What the workstation writes to a characteristic never arrives, and it does not learn that."""
        self.to_hub = lambda of, value: () if of == uuid else (value,)

    def let_pass(self) -> None:
        """Everything arrives as it was sent."""
        self.to_workstation = self.to_hub = lambda _, value: (value,)

    def heard(self, uuid: str) -> list[bytes]:
        """What the hub notified on a characteristic."""
        return [value for of, value in self.notified if of == uuid]

    def sent(self, uuid: str) -> list[bytes]:
        """What the workstation wrote to a characteristic."""
        return [value for of, value in self.written if of == uuid]

    def _stand(self, client: BleakClient) -> None:
        start_notify, write, read = client.start_notify, client.write_gatt_char, client.read_gatt_char

        async def subscribed(uuid: str, callback: Callable[[object, bytearray], None], **more: object) -> None:
            self._callbacks[uuid] = callback

            def notified(characteristic: object, value: bytearray) -> None:
                self.notified.append((uuid, bytes(value)))
                for one in self.to_workstation(uuid, bytes(value)):
                    callback(characteristic, bytearray(one))

            await start_notify(uuid, notified, **more)  # type: ignore[arg-type]

        async def written(uuid: str, value: bytes, response: bool | None = None) -> None:
            self.written.append((uuid, bytes(value)))
            await self.before_write(uuid, bytes(value))
            for one in self.to_hub(uuid, bytes(value)):
                await write(uuid, one, response=response)

        async def looked(characteristic: object, **more: object) -> bytearray:
            value = await read(characteristic, **more)  # type: ignore[arg-type]
            return bytearray(self.read(str(characteristic), bytes(value)))

        client.start_notify = subscribed  # type: ignore[method-assign,assignment]
        client.write_gatt_char = written  # type: ignore[method-assign,assignment]
        client.read_gatt_char = looked  # type: ignore[method-assign,assignment]


async def _at_once(_: str, __: bytes) -> None:
    pass
