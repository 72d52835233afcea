"""Bumble's virtual controller and link, with what version 0.0.236 gets wrong put right in subclasses.

Each override names its defect: scan responses are never sent; a cancelled connection attempt never completes; a
connection to an advertiser that has just gone is reported as made; ACL data carries the sender's current random
address instead of the connection's; ACL buffers are 27 bytes; a second termination of a connection raises.
"""

import asyncio

from bumble import core, hci, ll
from bumble.controller import AdvertisingSet, Connection, Controller, LegacyAdvertiser
from bumble.link import LocalLink

RSSI_DBM = -55
_ACL_OCTETS = 251
_ExtendedReport = hci.HCI_LE_Extended_Advertising_Report_Event.Report
_ExtendedType = hci.HCI_LE_Extended_Advertising_Report_Event.EventType
_LegacyReport = hci.HCI_LE_Advertising_Report_Event.Report
_LegacyType = hci.HCI_LE_Advertising_Report_Event.EventType


class VirtualController(Controller):
    """A controller with real buffer sizes that can leave the air and be out of range.

    Attributes:
        in_range: whether anything it sends is heard and anything sent is heard by it.
        on_air: False once it has left for good.
    """

    le_acl_data_packet_length = _ACL_OCTETS
    total_num_le_acl_data_packets = 64
    supported_max_tx_octets = _ACL_OCTETS
    supported_max_rx_octets = _ACL_OCTETS

    def __init__(self, name: str, link: "VirtualLink", public_address: str) -> None:
        super().__init__(name, link=link, public_address=hci.Address(public_address, hci.AddressType.PUBLIC_DEVICE))
        self.air = link
        self.in_range = True
        self.on_air = True

    def leave(self) -> None:
        """Off the air: peers lose their links as by a supervision timeout, advertising ends, the host hears no more."""
        self.on_air = False
        self.host = None
        self.le_legacy_advertiser.stop()
        for advertiser in self.advertising_sets.values():
            advertiser.stop()
        self.pending_le_connection = None
        self.lose_links()
        self.air.remove_controller(self)

    def lose_links(self) -> None:
        """End every connection on both sides with the reason of a supervision timeout (0x08)."""
        for connection in list(self.le_connections.values()):
            peer = self.air.peer_of(connection)
            if peer is not None:
                peer.controller.on_le_disconnected(peer, hci.HCI_ErrorCode.CONNECTION_TIMEOUT_ERROR)
            self.on_le_disconnected(connection, hci.HCI_ErrorCode.CONNECTION_TIMEOUT_ERROR)

    def scan_response(self, address: hci.Address) -> bytes | None:
        """What this controller answers to a scanner that asks `address`; None when it does not advertise there."""
        advertisers: list[LegacyAdvertiser | AdvertisingSet] = [self.le_legacy_advertiser]
        for advertiser in advertisers + list(self.advertising_sets.values()):
            if advertiser.enabled and advertiser.address == address:
                return bytes(advertiser.scan_response_data)
        return None

    def on_advertising_pdu(self, pdu: ll.AdvInd | ll.AdvExtInd) -> None:
        # Stock: the scan response report repeats the advertising data, and extended reports are not scannable.
        if self.le_scan_enable:
            address, response = pdu.advertiser_address, self.air.scan_response(pdu.advertiser_address)
            if self.le_features & hci.LeFeatureMask.LE_EXTENDED_ADVERTISING:
                kind = _ExtendedType.CONNECTABLE_ADVERTISING | _ExtendedType.SCANNABLE_ADVERTISING
                self._report_extended(address, kind, pdu.data)
                self._report_extended(address, kind | _ExtendedType.SCAN_RESPONSE, response)
            else:
                self._report_legacy(address, _LegacyType.ADV_IND, pdu.data)
                self._report_legacy(address, _LegacyType.SCAN_RSP, response)
        pending = self.pending_le_connection
        if pending is not None and pending.peer_address == pdu.advertiser_address:
            self.create_le_connection(pdu.advertiser_address)

    def _report_extended(self, address: hci.Address, kind: _ExtendedType, data: bytes) -> None:
        report = _ExtendedReport(
            event_type=kind,
            address_type=address.address_type,
            address=address,
            primary_phy=hci.Phy.LE_1M,
            secondary_phy=hci.Phy.LE_1M,
            advertising_sid=0,
            tx_power=0,
            rssi=RSSI_DBM,
            periodic_advertising_interval=0,
            direct_address_type=0,
            direct_address=hci.Address.ANY,
            data=data,
        )
        self.send_hci_packet(hci.HCI_LE_Extended_Advertising_Report_Event([report]))

    def _report_legacy(self, address: hci.Address, kind: _LegacyType, data: bytes) -> None:
        report = _LegacyReport(
            event_type=kind, address_type=address.address_type, address=address, data=data, rssi=RSSI_DBM
        )
        self.send_hci_packet(hci.HCI_LE_Advertising_Report_Event([report]))

    def create_le_connection(self, peer_address: hci.Address) -> None:
        # Stock: with a connection to that peer in place the attempt stays pending for ever.
        if peer_address in self.le_connections:
            self.pending_le_connection = None
            self._connection_failed(hci.HCI_ErrorCode.CONNECTION_ALREADY_EXISTS_ERROR)
            return
        super().create_le_connection(peer_address)
        made = self.le_connections[peer_address]
        # After the advertiser had its turn: an advertiser that left meanwhile has not answered.
        asyncio.get_running_loop().call_soon(self._check_established, made)

    def _check_established(self, connection: Connection) -> None:
        if self.le_connections.get(connection.peer_address) is connection and self.air.peer_of(connection) is None:
            self.on_le_disconnected(connection, hci.HCI_ErrorCode.CONNECTION_FAILED_TO_BE_ESTABLISHED_ERROR)

    def on_hci_le_create_connection_cancel_command(
        self, _command: hci.HCI_LE_Create_Connection_Cancel_Command
    ) -> hci.HCI_StatusReturnParameters:
        # Stock: acknowledged, but the Connection Complete that must follow is never sent.
        if self.pending_le_connection is None:
            return hci.HCI_StatusReturnParameters(hci.HCI_ErrorCode.COMMAND_DISALLOWED_ERROR)
        self.pending_le_connection = None
        asyncio.get_running_loop().call_soon(
            self._connection_failed, hci.HCI_ErrorCode.UNKNOWN_CONNECTION_IDENTIFIER_ERROR
        )
        return hci.HCI_StatusReturnParameters(hci.HCI_ErrorCode.SUCCESS)

    def _connection_failed(self, status: hci.HCI_ErrorCode) -> None:
        self.send_hci_packet(
            hci.HCI_LE_Connection_Complete_Event(
                status=status,
                connection_handle=0,
                role=hci.Role.CENTRAL,
                peer_address_type=0,
                peer_address=hci.Address.ANY,
                connection_interval=0,
                peripheral_latency=0,
                supervision_timeout=0,
                central_clock_accuracy=0,
            )
        )

    def on_ll_advertising_pdu(self, packet: ll.AdvertisingPdu) -> None:
        if self.on_air and self.in_range:
            super().on_ll_advertising_pdu(packet)

    def on_ll_control_pdu(self, sender_address: hci.Address, packet: ll.ControlPdu) -> None:
        if sender_address in self.le_connections:
            super().on_ll_control_pdu(sender_address, packet)

    def on_le_disconnected(self, connection: Connection, reason: int) -> None:
        # Stock: raises when both sides end the connection in the same instant.
        if self.le_connections.get(connection.peer_address) is connection:
            super().on_le_disconnected(connection, reason)

    def on_link_acl_data(self, sender_address: hci.Address, transport: core.PhysicalTransport, data: bytes) -> None:
        if sender_address in self.le_connections:
            super().on_link_acl_data(sender_address, transport, data)


class VirtualLink(LocalLink):
    """The air between virtual controllers."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]

    def members(self) -> list[VirtualController]:
        """Every controller on the air."""
        return [controller for controller in self.controllers if isinstance(controller, VirtualController)]

    def scan_response(self, address: hci.Address) -> bytes:
        """The scan response of whoever advertises at `address`, empty when nobody does."""
        answers = (controller.scan_response(address) for controller in self.members())
        return next((answer for answer in answers if answer is not None), b"")

    def peer_of(self, connection: Connection) -> Connection | None:
        """The other end of a connection, None when it is gone."""
        for controller in self.members():
            other = controller.le_connections.get(connection.self_address)
            if other is not None and other.self_address == connection.peer_address:
                return other
        return None

    def send_advertising_pdu(self, sender_controller: Controller, packet: ll.AdvertisingPdu) -> None:
        if isinstance(sender_controller, VirtualController) and sender_controller.in_range:
            super().send_advertising_pdu(sender_controller, packet)

    def send_acl_data(
        self,
        sender_controller: Controller,
        destination_address: hci.Address,
        transport: core.PhysicalTransport,
        data: bytes,
    ) -> None:
        # Stock: the source is the sender's current random address, which a host may change while connected.
        connection = sender_controller.le_connections.get(destination_address)
        peer = self.peer_of(connection) if connection is not None else None
        if connection is not None and peer is not None:
            deliver = peer.controller.on_link_acl_data
            asyncio.get_running_loop().call_soon(deliver, connection.self_address, transport, data)

    def send_ll_control_pdu(
        self, sender_address: hci.Address, receiver_address: hci.Address, packet: ll.ControlPdu
    ) -> None:
        # Stock: raises when the receiver has left; on the air such a packet is just not heard.
        receiver = self.find_le_controller(receiver_address)
        if receiver is not None:
            asyncio.get_running_loop().call_soon(receiver.on_ll_control_pdu, sender_address, packet)
