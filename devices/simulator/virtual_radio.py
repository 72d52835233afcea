"""Bumble's virtual controller and link, with what version 0.0.236 gets wrong put right in subclasses.

Each override names its defect: scan responses are never sent, and passive scans would get them, too; a cancelled
connection attempt never completes; a connection to an advertiser that has just gone is reported as made; ACL data
carries the sender's current random address instead of the connection's; ACL buffers are 27 bytes; a second termination
of a connection raises; the end of a connection that has ended is promised and never comes; a peripheral's host is told
made-up connection terms; each packet is put into words for a debug log that nobody keeps.

Nor does it know time or loss: `RadioLink` does.
"""

import asyncio
import logging
from collections.abc import Callable
from random import Random

from bumble import core, hci, ll
from bumble.controller import AdvertisingSet, Connection, Controller, LegacyAdvertiser
from bumble.link import LocalLink

from devices.simulator.air_control import AirControl
from devices.simulator.conditions import RadioConditions, agreed
from devices.simulator.interception import Interception, Interceptor, Where
from devices.simulator.link_model import Terms
from devices.simulator.radio_link import LinkEnd, RadioLink, Transit
from devices.simulator.timers import LoopTimers, Timers

_log = logging.getLogger("bumble.controller")
RSSI_DBM = -55
_ACL_OCTETS = 251
_ExtendedReport = hci.HCI_LE_Extended_Advertising_Report_Event.Report
_ExtendedType = hci.HCI_LE_Extended_Advertising_Report_Event.EventType
_LegacyReport = hci.HCI_LE_Advertising_Report_Event.Report
_LegacyType = hci.HCI_LE_Advertising_Report_Event.EventType


class VirtualController(Controller):
    """A controller with real buffer sizes that can leave the air, and that suffers what its radio suffers.

    Attributes:
        conditions: the radio's; they outlive the controller.
        asked: the terms that its host asked for when it connected last.
        on_air: False once it has left for good.
        radio_links: by connection handle.
    """

    le_acl_data_packet_length = _ACL_OCTETS
    total_num_le_acl_data_packets = 64
    supported_max_tx_octets = _ACL_OCTETS
    supported_max_rx_octets = _ACL_OCTETS

    def __init__(
        self, name: str, link: "VirtualLink", public_address: str, conditions: RadioConditions | None = None
    ) -> None:
        super().__init__(name, link=link, public_address=hci.Address(public_address, hci.AddressType.PUBLIC_DEVICE))
        self.air = link
        self.conditions = conditions or RadioConditions()
        self.on_air = True
        self.asked: Terms | None = None
        self.radio_links: dict[int, RadioLink] = {}
        self._joining: Terms | None = None

    @property
    def hears(self) -> bool:
        """Whether the air carries anything from and to it."""
        return self.on_air and self.conditions.hears(self.air.timers.now())

    def tell(self, message: AirControl) -> None:
        """Let something happen to its radio, whatever radio the message names."""
        self.conditions.tell(message, self.air.timers.now())
        if not self.conditions.in_range:
            self.lose_links()
        self.air.refresh(self)

    def leave(self) -> None:
        """Off the air: peers lose their links as by a supervision timeout, advertising ends, the host hears no more.

        Twice is once.
        """
        if not self.on_air:
            return
        self.on_air = False
        self.host = None
        self.le_legacy_advertiser.stop()
        for advertiser in self.advertising_sets.values():
            advertiser.stop()
        self.pending_le_connection = None
        self.lose_links()
        self.air.forget(self)

    def lose_links(self) -> None:
        """End every connection on both sides with the reason of a supervision timeout (0x08)."""
        for link in list(self.radio_links.values()):
            link.lose()
        for connection in list(self.le_connections.values()):  # nobody answered yet
            self.on_le_disconnected(connection, hci.HCI_ErrorCode.CONNECTION_TIMEOUT_ERROR)

    def scan_response(self, address: hci.Address) -> bytes | None:
        """What this controller answers to a scanner that asks `address`; None when it does not advertise there."""
        advertisers: list[LegacyAdvertiser | AdvertisingSet] = [self.le_legacy_advertiser]
        for advertiser in advertisers + list(self.advertising_sets.values()):
            if advertiser.enabled and advertiser.address == address:
                return bytes(advertiser.scan_response_data)
        return None

    def on_hci_le_set_extended_scan_parameters_command(
        self, command: hci.HCI_LE_Set_Extended_Scan_Parameters_Command
    ) -> hci.HCI_StatusReturnParameters:
        # Stock: forgets whether the scan is active.
        self.le_scan_type = command.scan_types[0]
        return super().on_hci_le_set_extended_scan_parameters_command(command)

    def on_advertising_pdu(self, pdu: ll.AdvInd | ll.AdvExtInd) -> None:
        # Stock: the scan response report repeats the advertising data, and extended reports are not scannable.
        if self.le_scan_enable:
            address, response = pdu.advertiser_address, self.air.scan_response(pdu.advertiser_address)
            if self.le_features & hci.LeFeatureMask.LE_EXTENDED_ADVERTISING:
                kind = _ExtendedType.CONNECTABLE_ADVERTISING | _ExtendedType.SCANNABLE_ADVERTISING
                self._report_extended(address, kind, pdu.data)
                if self.le_scan_type:
                    self._report_extended(address, kind | _ExtendedType.SCAN_RESPONSE, response)
            else:
                self._report_legacy(address, _LegacyType.ADV_IND, pdu.data)
                if self.le_scan_type:
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
        self._impose_terms(peer_address)
        super().create_le_connection(peer_address)
        made = self.le_connections[peer_address]
        # After the advertiser had its turn: an advertiser that left meanwhile has not answered.
        asyncio.get_running_loop().call_soon(self._check_established, made)

    def _impose_terms(self, peer_address: hci.Address) -> None:
        """Let the connection that begins have the air's interval. Stock tells both sides the shortest one asked for."""
        pending, advertiser = self.pending_le_connection, self.air.advertiser_at(peer_address)
        if pending is None or advertiser is None:
            return
        if isinstance(pending, hci.HCI_LE_Extended_Create_Connection_Command):
            self.asked = Terms(pending.connection_interval_mins[0], pending.supervision_timeouts[0])
            terms = agreed(self.asked, self.conditions, advertiser.conditions)
            pending.connection_interval_mins, pending.supervision_timeouts = [terms.interval], [terms.timeout]
        else:
            self.asked = Terms(pending.connection_interval_min, pending.supervision_timeout)
            terms = agreed(self.asked, self.conditions, advertiser.conditions)
            pending.connection_interval_min, pending.supervision_timeout = terms.interval, terms.timeout

    def on_le_connect_ind(self, packet: ll.ConnectInd) -> None:
        before = self.le_connections.get(packet.initiator_address)
        self._joining = Terms(packet.interval, packet.timeout)
        super().on_le_connect_ind(packet)
        self._joining = None
        made = self.le_connections.get(packet.initiator_address)
        if made is not None and made is not before:
            self.air.join(LinkEnd(self, made))

    def send_hci_packet(self, packet: hci.HCI_Packet) -> None:
        # Stock: a peripheral's host is told 12.5 ms and a timeout of 100 ms, whatever was agreed.
        if self._joining is not None and isinstance(packet, hci.HCI_LE_Connection_Complete_Event):
            packet.connection_interval = self._joining.interval
            packet.supervision_timeout = self._joining.timeout
        # Stock: words for the debug log, as below.
        if _log.isEnabledFor(logging.DEBUG):
            super().send_hci_packet(packet)
        elif self.host is not None:
            asyncio.get_running_loop().call_soon(self.host.on_packet, bytes(packet))

    def on_hci_packet(self, packet: hci.HCI_Packet) -> None:
        # Stock: half of its time goes into words for the debug log, kept or not.
        if isinstance(packet, hci.HCI_AclDataPacket) and not _log.isEnabledFor(logging.DEBUG):
            self.on_hci_acl_data_packet(packet)
        else:
            super().on_hci_packet(packet)

    def on_hci_acl_data_packet(self, packet: hci.HCI_AclDataPacket) -> None:
        link = self.radio_links.get(packet.connection_handle)
        if link is None or link.layer.ideal:
            super().on_hci_acl_data_packet(packet)
            return
        connection = self.find_le_connection_by_handle(packet.connection_handle)
        if connection is not None:
            link.send_packet(connection, packet)

    def on_hci_disconnect_command(self, command: hci.HCI_Disconnect_Command) -> None:
        connection = self.find_le_connection_by_handle(command.connection_handle)
        link = self.radio_links.get(command.connection_handle)
        if connection is None:
            # Stock: promises to end what has ended already, and leaves its host waiting.
            unknown = hci.HCI_ErrorCode.UNKNOWN_CONNECTION_IDENTIFIER_ERROR
            self._send_hci_command_status(unknown, command.op_code)
        elif link is None or link.layer.ideal:
            super().on_hci_disconnect_command(command)
        else:
            # The other side must hear it first; when it cannot, the supervision timeout ends the link.
            self._send_hci_command_status(hci.HCI_COMMAND_STATUS_PENDING, command.op_code)
            link.send_control(connection, ll.TerminateInd(command.reason))

    def on_hci_le_connection_update_command(self, command: hci.HCI_LE_Connection_Update_Command) -> None:
        link = self.radio_links.get(command.connection_handle)
        if link is None:
            super().on_hci_le_connection_update_command(command)
            return
        self._send_hci_command_status(hci.HCI_COMMAND_STATUS_PENDING, command.op_code)
        link.ask(Terms(command.connection_interval_max, command.supervision_timeout))

    def _check_established(self, connection: Connection) -> None:
        current = self.le_connections.get(connection.peer_address) is connection
        if current and connection.handle not in self.radio_links:
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
        if self.hears:
            super().on_ll_advertising_pdu(packet)

    def on_ll_control_pdu(self, sender_address: hci.Address, packet: ll.ControlPdu) -> None:
        if sender_address in self.le_connections:
            super().on_ll_control_pdu(sender_address, packet)

    def on_le_disconnected(self, connection: Connection, reason: int) -> None:
        # Stock: raises when both sides end the connection in the same instant.
        if self.le_connections.get(connection.peer_address) is connection:
            super().on_le_disconnected(connection, reason)
            link = self.radio_links.pop(connection.handle, None)
            if link is not None:
                link.ended(connection, reason)

    def on_link_acl_data(self, sender_address: hci.Address, transport: core.PhysicalTransport, data: bytes) -> None:
        if sender_address in self.le_connections:
            super().on_link_acl_data(sender_address, transport, data)


class VirtualLink(LocalLink):
    """The air between virtual controllers.

    Args:
        timers: the running event loop's when None.
        seed: the same seed, the same faults, as long as everybody does the same.

    Attributes:
        radio_links: the connections that are up.
        watch: told of each packet of a host that has waited for the air and crossed it.
    """

    def __init__(self, *, timers: Timers | None = None, seed: int = 0) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.timers = timers or LoopTimers()
        self.radio_links: list[RadioLink] = []
        self.watch: Callable[[Transit], None] | None = None
        self._seed = seed
        self._joined = 0
        self._interceptions: list[Interception] = []
        self._heard_last: dict[hci.Address, VirtualController] = {}

    def members(self) -> list[VirtualController]:
        """Every controller on the air."""
        return [controller for controller in self.controllers if isinstance(controller, VirtualController)]

    def intercept(self, interceptor: Interceptor, where: Where = lambda _: True) -> Interception:
        """Sit in every connection that `where` says, now and later, until closed. Interceptors stand in line."""
        interception = Interception(interceptor, where, self._withdraw)
        self._interceptions.append(interception)
        self._refresh_all()
        return interception

    def _withdraw(self, interception: Interception) -> None:
        if interception in self._interceptions:
            self._interceptions.remove(interception)
            self._refresh_all()

    def join(self, peripheral: LinkEnd) -> None:
        """A peripheral has answered: the connection is up, if whoever asked is still there."""
        made = peripheral.connection
        for controller in self.members():
            asking = controller.le_connections.get(made.self_address)
            if asking is not None and asking.self_address == made.peer_address and controller.asked is not None:
                self._joined += 1
                central = LinkEnd(controller, asking)
                random = Random(f"{self._seed} {self._joined}")
                link = RadioLink(self, central=central, peripheral=peripheral, asked=controller.asked, random=random)
                self.radio_links.append(link)
                for end in link.ends:
                    end.controller.radio_links[end.connection.handle] = link
                self._refresh_all()
                return

    def forget(self, controller: VirtualController) -> None:
        """A controller has left for good."""
        self.remove_controller(controller)
        self._heard_last = {address: one for address, one in self._heard_last.items() if one is not controller}

    def left(self, link: RadioLink) -> None:
        """A connection has ended; its radios have more time for others."""
        self.radio_links.remove(link)
        self._refresh_all()

    def refresh(self, controller: VirtualController) -> None:
        """A radio's conditions have changed."""
        for link in list(controller.radio_links.values()):
            self._refresh(link)

    def _refresh_all(self) -> None:
        for link in list(self.radio_links):
            self._refresh(link)

    def _refresh(self, link: RadioLink) -> None:
        shares = [sum(one.paced for one in end.controller.radio_links.values()) for end in link.ends]
        interceptors = tuple(each.interceptor for each in self._interceptions if each.where(link))
        link.refresh(share=max(1, *shares), interceptors=interceptors)

    def advertiser_at(self, address: hci.Address) -> VirtualController | None:
        """Whoever advertises at `address`; of two, the one that was heard last."""
        last = self._heard_last.get(address)
        heard = ([last] if last is not None else []) + self.members()
        return next((one for one in heard if one.scan_response(address) is not None), None)

    def scan_response(self, address: hci.Address) -> bytes:
        """The scan response of whoever advertises at `address`, empty when nobody does."""
        advertiser = self.advertiser_at(address)
        return (advertiser.scan_response(address) if advertiser is not None else None) or b""

    def send_advertising_pdu(self, sender_controller: Controller, packet: ll.AdvertisingPdu) -> None:
        if not isinstance(sender_controller, VirtualController) or not sender_controller.hears:
            return
        if isinstance(packet, ll.ConnectInd):
            # Stock: all who advertise at that address take the connection. On the air it answers one advertisement.
            advertiser = self.advertiser_at(packet.advertiser_address)
            if advertiser is not None:
                asyncio.get_running_loop().call_soon(advertiser.on_ll_advertising_pdu, packet)
            return
        if isinstance(packet, ll.AdvInd | ll.AdvExtInd):
            self._heard_last[packet.advertiser_address] = sender_controller
        super().send_advertising_pdu(sender_controller, packet)

    def send_acl_data(
        self,
        sender_controller: Controller,
        destination_address: hci.Address,
        transport: core.PhysicalTransport,
        data: bytes,
    ) -> None:
        # Stock: the source is the sender's current random address, which a host may change while connected.
        assert isinstance(sender_controller, VirtualController)
        connection = sender_controller.le_connections.get(destination_address)
        link = sender_controller.radio_links.get(connection.handle) if connection is not None else None
        if connection is not None and link is not None:
            link.carry(connection, data)

    def send_ll_control_pdu(
        self, sender_address: hci.Address, receiver_address: hci.Address, packet: ll.ControlPdu
    ) -> None:
        # Stock: raises when the receiver has left; on the air such a packet is just not heard.
        for link in self.radio_links:
            for _, connection in link.ends:
                if connection.self_address == sender_address and connection.peer_address == receiver_address:
                    link.send_control(connection, packet)
                    return
