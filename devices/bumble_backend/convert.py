"""Bumble's values as bleak's."""

import uuid

from bleak.backends.scanner import AdvertisementData
from bumble.core import UUID, AdvertisingData
from bumble.device import Advertisement

_UUID_LISTS = {
    AdvertisingData.INCOMPLETE_LIST_OF_16_BIT_SERVICE_CLASS_UUIDS: 2,
    AdvertisingData.COMPLETE_LIST_OF_16_BIT_SERVICE_CLASS_UUIDS: 2,
    AdvertisingData.INCOMPLETE_LIST_OF_32_BIT_SERVICE_CLASS_UUIDS: 4,
    AdvertisingData.COMPLETE_LIST_OF_32_BIT_SERVICE_CLASS_UUIDS: 4,
    AdvertisingData.INCOMPLETE_LIST_OF_128_BIT_SERVICE_CLASS_UUIDS: 16,
    AdvertisingData.COMPLETE_LIST_OF_128_BIT_SERVICE_CLASS_UUIDS: 16,
}
_SERVICE_DATA = {
    AdvertisingData.SERVICE_DATA_16_BIT_UUID: 2,
    AdvertisingData.SERVICE_DATA_32_BIT_UUID: 4,
    AdvertisingData.SERVICE_DATA_128_BIT_UUID: 16,
}
_SHORT_NAME = AdvertisingData.SHORTENED_LOCAL_NAME
_FULL_NAME = AdvertisingData.COMPLETE_LOCAL_NAME
_TX_POWER = AdvertisingData.TX_POWER_LEVEL
_MANUFACTURER = AdvertisingData.MANUFACTURER_SPECIFIC_DATA


def uuid_text(value: UUID) -> str:
    """A UUID as bleak writes it: 128 bits, lower case, dashes."""
    return str(uuid.UUID(bytes=bytes(reversed(value.to_bytes(force_128=True)))))


def _uuid_at(data: bytes) -> str:
    return uuid_text(UUID.from_bytes(data))


def advertisement_data(advertisement: Advertisement) -> AdvertisementData:
    """One advertisement. Structures too short for their type are left out: anybody may send them."""
    short_name: str | None = None
    name: str | None = None
    manufacturer: dict[int, bytes] = {}
    service_data: dict[str, bytes] = {}
    services: list[str] = []
    tx_power: int | None = None
    for kind, data in advertisement.data.ad_structures:
        if kind == _FULL_NAME:
            name = data.decode("utf-8", "replace")
        elif kind == _SHORT_NAME:
            short_name = data.decode("utf-8", "replace")
        elif kind == _TX_POWER and data:
            tx_power = int.from_bytes(data[:1], "little", signed=True)
        elif kind == _MANUFACTURER and len(data) >= 2:
            manufacturer[int.from_bytes(data[:2], "little")] = bytes(data[2:])
        elif width := _UUID_LISTS.get(kind, 0):
            services += [_uuid_at(data[at : at + width]) for at in range(0, len(data) - width + 1, width)]
        elif (width := _SERVICE_DATA.get(kind, 0)) and len(data) >= width:
            service_data[_uuid_at(data[:width])] = bytes(data[width:])
    return AdvertisementData(
        name or short_name,
        manufacturer,
        service_data,
        list(dict.fromkeys(services)),
        tx_power,
        advertisement.rssi,
        (advertisement,),
    )


def merged(old: AdvertisementData, new: AdvertisementData) -> AdvertisementData:
    """What is known of a device after one more advertisement or scan response, as other backends tell it."""
    return AdvertisementData(
        new.local_name or old.local_name,
        {**old.manufacturer_data, **new.manufacturer_data},
        {**old.service_data, **new.service_data},
        list(dict.fromkeys([*old.service_uuids, *new.service_uuids])),
        old.tx_power if new.tx_power is None else new.tx_power,
        new.rssi,
        new.platform_data,
    )
