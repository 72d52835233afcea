"""The host that spares words: the same bytes out, the same calls in, and Bumble's own log when somebody keeps it."""

import asyncio
import logging
from dataclasses import dataclass, field

import pytest
from bumble import hci
from bumble.core import PhysicalTransport
from bumble.host import Connection, DataPacketQueue, Host

from devices.bumble_backend.host import SparingHost
from devices.simulator.virtual_radio import VirtualController, VirtualLink

HANDLE = 0x0001
PACKETS = (
    hci.HCI_Reset_Command(),
    hci.HCI_AclDataPacket(HANDLE, 0, 0, 9, b"\x05\x00\x04\x00\x1b\x10\x00ab"),
    hci.HCI_AclDataPacket(HANDLE, 0, 0, 8, b"\x05\x00\x04\x00\x1b\x10\x00a"),
    hci.HCI_AclDataPacket(HANDLE, 1, 0, 1, b"b"),
    hci.HCI_Number_Of_Completed_Packets_Event(connection_handles=[HANDLE], num_completed_packets=[1]),
    hci.HCI_Disconnection_Complete_Event(status=0, connection_handle=HANDLE, reason=0x13),
)


@dataclass
class Sink:
    """The other side of a transport."""

    got: list[bytes] = field(default_factory=list)

    def on_packet(self, packet: bytes) -> None:
        self.got.append(packet)


def _heard(host: Host) -> list[object]:
    """What the host tells of the packets that come from its controller."""
    heard: list[object] = []
    host.ready = True
    address = hci.Address("F0:00:00:00:00:01")
    host.le_acl_packet_queue = DataPacketQueue(251, 4, host.send_hci_packet)
    host.connections[HANDLE] = Connection(host, HANDLE, address, PhysicalTransport.LE)
    host.on("l2cap_pdu", lambda *told: heard.append(told))
    host.on("disconnection", lambda *told: heard.append(told))
    for packet in PACKETS[1:]:
        host.on_packet(bytes(packet))
    return heard


@pytest.mark.parametrize("level", [logging.WARNING, logging.DEBUG])
async def test_the_wire_and_the_handlers_notice_no_difference(level: int, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(level, "bumble.host")
    stock, sparing = Host(controller_sink=(theirs := Sink())), SparingHost(controller_sink=(ours := Sink()))
    for packet in PACKETS:
        stock.send_hci_packet(packet)
        sparing.send_hci_packet(packet)
    assert ours.got == theirs.got == [bytes(packet) for packet in PACKETS]
    heard = _heard(sparing)
    assert len(heard) == 3
    assert heard == _heard(stock)


async def test_bumbles_log_is_whole_when_it_is_kept(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "bumble.host")
    told = []
    for host in (Host(controller_sink=Sink()), SparingHost(controller_sink=Sink())):
        caplog.clear()
        host.send_hci_packet(PACKETS[1])
        _heard(host)
        told.append(caplog.messages)
    assert told[0] == told[1]
    assert any("CONTROLLER -> HOST" in line for line in told[1])


@pytest.mark.parametrize("level", [logging.WARNING, logging.DEBUG])
async def test_a_controller_hands_its_host_the_same_bytes(
    level: int, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    caplog.set_level(level, "bumble.controller")
    controller = VirtualController("C1", VirtualLink(), "C0:00:00:00:00:01")
    controller.host = (host := Sink())
    sent: list[hci.HCI_AclDataPacket] = []
    monkeypatch.setattr(controller, "on_hci_acl_data_packet", sent.append)
    for packet in PACKETS[1:]:
        controller.send_hci_packet(packet)
    controller.on_packet(bytes(PACKETS[1]))
    await asyncio.sleep(0)
    assert host.got == [bytes(packet) for packet in PACKETS[1:]]
    assert [bytes(packet) for packet in sent] == [bytes(PACKETS[1])]
    assert any("HOST -> CONTROLLER" in line for line in caplog.messages) == (level == logging.DEBUG)
