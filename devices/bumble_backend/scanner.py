"""Scanning."""

from typing import TYPE_CHECKING, Any, ClassVar, Literal

from bleak.backends.scanner import AdvertisementDataCallback, BaseBleakScanner
from bumble.device import Advertisement, Device

from devices.bumble_backend.convert import advertisement_data, merged

if TYPE_CHECKING:
    from devices.bumble_backend.adapter import BumbleAdapter


class BumbleScanner(BaseBleakScanner):
    """bleak's scanner over one adapter; `BumbleAdapter.scanner_backend` is the subclass that is bound to it."""

    adapter: ClassVar["BumbleAdapter"]

    def __init__(
        self,
        detection_callback: AdvertisementDataCallback | None,
        service_uuids: list[str] | None,
        scanning_mode: Literal["active", "passive"] = "active",
        **_other_backends: Any,
    ) -> None:
        super().__init__(detection_callback, service_uuids)
        self._active = scanning_mode == "active"
        self._scanning = False

    async def start(self) -> None:
        self.seen_devices = {}
        self.adapter.device.on(Device.EVENT_ADVERTISEMENT, self._advertised)
        try:
            await self.adapter.start_scanning(active=self._active)
        except BaseException:
            self.adapter.device.remove_listener(Device.EVENT_ADVERTISEMENT, self._advertised)
            raise
        self._scanning = True

    async def stop(self) -> None:
        if self._scanning:
            self._scanning = False
            self.adapter.device.remove_listener(Device.EVENT_ADVERTISEMENT, self._advertised)
            await self.adapter.stop_scanning()

    def _advertised(self, advertisement: Advertisement) -> None:
        address = advertisement.address.to_string(with_type_qualifier=False)
        self.adapter.seen[address] = advertisement.address
        data = advertisement_data(advertisement)
        if address in self.seen_devices:
            data = merged(self.seen_devices[address][1], data)
        device = self.create_or_update_device(address, address, data.local_name, advertisement.address, data)
        if self.is_allowed_uuid(data.service_uuids):
            self.call_detection_callbacks(device, data)
