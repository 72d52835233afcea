"""Any standard Bluetooth health thermometer (service 0x1809)."""

from typing import Final

from bleak import BleakClient
from bleak.uuids import normalize_uuid_16

from core.model.block import SampleBlock
from core.model.words import Text
from core.signals.catalogue import load_catalogue
from devices.vitals.driver import BlockMaker, SensorDriver, Subscriptions, characteristic
from devices.vitals.thermometer_frames import Site, Temperature, parse_interval, parse_site, parse_temperature

SERVICE: Final = normalize_uuid_16(0x1809)
MEASUREMENT: Final = normalize_uuid_16(0x2A1C)
SITE: Final = normalize_uuid_16(0x2A1D)
INTERMEDIATE: Final = normalize_uuid_16(0x2A1E)
INTERVAL: Final = normalize_uuid_16(0x2A21)

_PLAUSIBLE: Final = (25.0, 45.0)
_RECORDABLE: Final = (-300.0, 300.0)


class ThermometerBlocks:
    """Sample blocks out of measurements; what is no number leaves a gap."""

    def __init__(self, boot: int) -> None:
        self._spec = load_catalogue().key("body_temperature")
        self._maker = BlockMaker(boot)

    def of(self, found: Temperature, arrival_us: int, *, intermediate: bool) -> tuple[SampleBlock, ...]:
        """The block of one measurement that arrived at `arrival_us` on the monotonic clock.

        Args:
            intermediate: still on its way to the final value: an estimate, and so suspect.
        """
        value = found.celsius
        if not isinstance(value, float) or not _RECORDABLE[0] <= value <= _RECORDABLE[1]:
            return ()
        doubted = intermediate or not _PLAUSIBLE[0] <= value <= _PLAUSIBLE[1]
        block = self._maker.measured(self._spec, value, arrival_us, suspect=doubted)
        self._maker.next_frame()
        return (block,)


class ThermometerDriver(SensorDriver):
    """Any standard thermometer.

    Attributes:
        interval_s: how often it measures; None when somebody must ask it to, or it does not say.
        newest: the newest measurement as it was sent, with its device's time.
    """

    kind = "thermometer"
    interval_s: int | None = None
    newest: Temperature | None = None
    _blocks: ThermometerBlocks
    _site: Site | None = None
    _site_told: Site | None = None

    def subscriptions(self, client: BleakClient) -> Subscriptions:
        final = characteristic(client, SERVICE, MEASUREMENT)
        if final is None or "indicate" not in final.properties:
            raise self.not_one(client)
        on_the_way = characteristic(client, SERVICE, INTERMEDIATE)
        if on_the_way is None or "notify" not in on_the_way.properties:
            return [(final, self._final)]
        return [(final, self._final), (on_the_way, self._intermediate)]

    async def prepare(self, client: BleakClient) -> None:
        self._site_told = None
        self._site = await self.read_parsed(client, SERVICE, SITE, parse_site)
        self.interval_s = await self.read_parsed(client, SERVICE, INTERVAL, parse_interval)

    def begin(self, boot: int) -> None:
        self._blocks = ThermometerBlocks(boot)

    def _final(self, raw: bytes, arrival_us: int) -> None:
        self._take(parse_temperature(raw), arrival_us, intermediate=False)

    def _intermediate(self, raw: bytes, arrival_us: int) -> None:
        self._take(parse_temperature(raw), arrival_us, intermediate=True)

    def _take(self, found: Temperature, arrival_us: int, *, intermediate: bool) -> None:
        self.newest = found
        if found.time is not None:
            self.tell_time(found.time)
        self._tell_site(found.site or self._site)
        blocks = self._blocks.of(found, arrival_us, intermediate=intermediate)
        self.tell_missing(None if blocks else Text("device.sensor.missing.no_number"))
        self.deliver(blocks)

    def _tell_site(self, site: Site | None) -> None:
        """A temperature means little without the place where it was taken: written down whenever that changes."""
        if site is not None and site is not self._site_told:
            self._site_told = site
            self.note(Text(f"device.thermometer.site.{site.name.lower()}"))
