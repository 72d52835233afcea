"""Serves the devices of the chairs: found, bound, forgotten."""

from functools import singledispatchmethod

from app.engine.people_desk import no
from app.engine.workstation import Workstation, actor_of, chair_of, not_treating
from app.ipc import messages as ipc
from core.keys.errors import KeysLocked
from core.model.words import Text
from devices.kinds import HUB, kind_named


class DevicesService:
    """Whoever asks was admitted by `Access`."""

    def __init__(self, house: Workstation) -> None:
        self._house = house

    async def serve(self, request: ipc.DevicesRequest) -> ipc.Reply:
        return await self._serve(request)

    @singledispatchmethod
    async def _serve(self, request: ipc.DevicesRequest) -> ipc.Reply:
        raise TypeError(type(request).__name__)

    @_serve.register
    async def _scan(self, request: ipc.Scan) -> ipc.Reply:
        return ipc.Devices(devices=await self._house.devices.scan(min(max(request.seconds, 0.5), 15.0)))

    @_serve.register
    async def _attach_device(self, request: ipc.AttachDevice) -> ipc.Reply:
        actor = actor_of(self._house)
        chair = chair_of(self._house, request.chair)
        if kind_named(request.kind) is None or (request.enrol and request.kind != HUB):
            raise no("device_kind")
        serial = request.serial.strip()
        if request.enrol and not self._house.keys_desk.unlocked:
            raise KeysLocked
        if request.enrol and not serial:
            raise no("enrol_serial", "enrol_serial_remedy")
        for other in self._house.chairs.values():
            taken = request.address in other.sensors or (other.hub is not None and other.hub.address == request.address)
            if taken and other is not chair:
                raise no("device_busy", "device_remedy", chair=other.number)
        not_treating(chair)
        await self._house.devices.bind(chair.number, request.kind, request.address, serial=serial, enrol=request.enrol)
        chair.log("device", Text("log.device_bound", {"address": request.address}), author=actor.id)
        if request.enrol:
            said = Text("log.keys.enrol_asked", {"serial": serial, "chair": chair.number})
            self._house.audit("keys.enrol_asked", said, actor.id, {**said.values, "address": request.address})
        return ipc.Done()

    @_serve.register
    async def _forget_device(self, request: ipc.ForgetDevice) -> ipc.Reply:
        actor = actor_of(self._house)
        chair = chair_of(self._house, request.chair)
        not_treating(chair)
        await self._house.devices.forget(chair.number, request.address)
        chair.log("device", Text("log.device_forgotten", {"address": request.address}), author=actor.id)
        return ipc.Done()
