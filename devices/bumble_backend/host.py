"""Bumble's host, sparing the text of each packet while nobody keeps it.

Bumble 0.0.236 puts every packet into coloured words for its debug log before it asks whether there is one, which costs
as much as carrying the packet does. With the log on debug, or a snooper, all is as Bumble has it.
"""

import logging

from bumble import hci
from bumble.device import Device, DeviceConfiguration
from bumble.host import Host
from bumble.transport.common import TransportSink, TransportSource

_log = logging.getLogger("bumble.host")


class SparingHost(Host):
    """The same packets, to the same handlers."""

    @property
    def _spares(self) -> bool:
        return self.snooper is None and not _log.isEnabledFor(logging.DEBUG)

    def on_hci_packet(self, packet: hci.HCI_Packet) -> None:
        if self._spares and isinstance(packet, hci.HCI_AclDataPacket):
            self.on_hci_acl_data_packet(packet)
        elif self._spares and isinstance(packet, hci.HCI_Event):
            self.on_hci_event_packet(packet)
        else:
            super().on_hci_packet(packet)

    def send_hci_packet(self, packet: hci.HCI_Packet) -> None:
        if self._spares and self.hci_sink is not None:
            self.hci_sink.on_packet(bytes(packet))
        else:
            super().send_hci_packet(packet)


def device_with_hci(configuration: DeviceConfiguration, source: TransportSource, sink: TransportSink) -> Device:
    """As Bumble's `Device.from_config_with_hci`, with a host that spares words."""
    return Device(config=configuration, host=SparingHost(controller_source=source, controller_sink=sink))
