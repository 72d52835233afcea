"""One connection between two virtual controllers: its Link Layer, and what happens to messages above it."""

import asyncio
from random import Random
from typing import TYPE_CHECKING, Final, NamedTuple

from bumble import hci, ll
from bumble.controller import Connection
from bumble.core import PhysicalTransport

from core.model.errors import SmilescapeError
from devices.simulator.conditions import USUAL_MTU, RadioConditions, agreed, quality, with_mtu
from devices.simulator.interception import Interceptor
from devices.simulator.link_model import End, LinkLayer, Terms
from devices.simulator.message_faults import MessagePath
from devices.simulator.pdu import MTU_REQUEST, MTU_RESPONSE, Direction, Pdu

if TYPE_CHECKING:
    from devices.simulator.virtual_radio import VirtualController, VirtualLink

_CONTROL_OCTETS: Final = 27
"""No control PDU that is used here is longer."""


class LinkGone(SmilescapeError):  # noqa: N818
    """A message was to go into a connection that has ended."""

    code = "simulator.link_gone"


class LinkEnd(NamedTuple):
    """One side: whose radio, and what its controller knows of the connection."""

    controller: "VirtualController"
    connection: Connection

    @property
    def conditions(self) -> RadioConditions:
        return self.controller.conditions

    @property
    def address(self) -> str:
        """As it is written, such as `C0:5E:00:00:00:01`."""
        return self.connection.self_address.to_string(with_type_qualifier=False)

    def disconnected(self, reason: int) -> None:
        self.controller.on_le_disconnected(self.connection, reason)


class Transit(NamedTuple):
    """A host's packet that has crossed the air.

    Attributes:
        packet: L2CAP header and all.
        given, due: when its host gave it, and when by the model it arrived, in the timers' seconds. What it took
            beyond that is not the radio's doing.
    """

    link: "RadioLink"
    direction: Direction
    packet: bytes
    given: float
    due: float


class RadioLink:
    """Carries packets and messages between two ends.

    Attributes:
        central, peripheral: the ends.
        open: whether the link is up.
        layer: its Link Layer.
    """

    def __init__(
        self, air: "VirtualLink", *, central: LinkEnd, peripheral: LinkEnd, asked: Terms, random: Random
    ) -> None:
        self.central = central
        self.peripheral = peripheral
        self.open = True
        self._air = air
        self._asked = asked
        self._interceptors: tuple[Interceptor, ...] = ()
        self._plain = True
        self._share = 1
        self._cut = False
        self._paths = {
            Direction.TO_PERIPHERAL: self._path(central.conditions, peripheral.conditions, random),
            Direction.TO_CENTRAL: self._path(peripheral.conditions, central.conditions, random),
        }
        terms = agreed(asked, central.conditions, peripheral.conditions)
        self.layer = LinkLayer(air.timers, random, terms, lost=self.lose)

    def _path(
        self, sender: RadioConditions, receiver: RadioConditions, random: Random
    ) -> tuple[MessagePath, MessagePath]:
        timers = self._air.timers
        last = MessagePath(receiver.received, timers, random, self._arrive)
        return MessagePath(sender.sent, timers, random, last.carry), last

    @property
    def ends(self) -> tuple[LinkEnd, LinkEnd]:
        return self.central, self.peripheral

    @property
    def paced(self) -> bool:
        """Whether its packets wait for connection events."""
        return any(end.conditions.interval > 0 for end in self.ends)

    def inject(self, pdu: Pdu) -> None:
        """Hand a message to the host that it is meant for, as if the other had sent it. It meets no further fault.

        Raises:
            LinkGone: the link has ended.
        """
        if not self.open:
            raise LinkGone("The link has ended.", "Inject into one that is up.")
        self._hand_over(pdu.direction, bytes(pdu))

    def lose(self) -> None:
        """End it on both sides as a supervision timeout does."""
        for end in self.ends:
            end.disconnected(hci.HCI_ErrorCode.CONNECTION_TIMEOUT_ERROR)

    def refresh(self, *, share: int, interceptors: tuple[Interceptor, ...]) -> None:
        """The air has changed; hosts are told of a new interval."""
        if not self.open:
            return
        self._interceptors = interceptors
        meddled = any(end.conditions.meddles for end in self.ends)
        self._plain = not (interceptors or meddled) and all(p.clear for pair in self._paths.values() for p in pair)
        self._share = share
        if self._tune():
            self._tell_terms()

    def ask(self, asked: Terms) -> None:
        """A host asks for other terms; both are told what became of it."""
        self._asked = asked
        self._tune()
        self._tell_terms()

    def _tune(self) -> bool:
        before = self.layer.terms
        one, other = (end.conditions for end in self.ends)
        self.layer.tune(agreed(self._asked, one, other), quality(one, other, self._share))
        return self.layer.terms != before

    def _tell_terms(self) -> None:
        for end in self.ends:
            end.controller.send_hci_packet(
                hci.HCI_LE_Connection_Update_Complete_Event(
                    status=hci.HCI_ErrorCode.SUCCESS,
                    connection_handle=end.connection.handle,
                    connection_interval=self.layer.terms.interval,
                    peripheral_latency=0,
                    supervision_timeout=self.layer.terms.timeout,
                )
            )

    def send_packet(self, sender: Connection, packet: hci.HCI_AclDataPacket) -> None:
        """A host's packet waits for the air. The host may send another when this one is acknowledged."""

        def acknowledged() -> None:
            sender.controller.send_hci_packet(
                hci.HCI_Number_Of_Completed_Packets_Event(connection_handles=[sender.handle], num_completed_packets=[1])
            )

        to_peripheral = sender is self.central.connection
        hearing = self.layer.peripheral if to_peripheral else self.layer.central
        given = self._air.timers.now()

        def delivered() -> None:
            if self._air.watch is not None:
                direction = Direction.TO_PERIPHERAL if to_peripheral else Direction.TO_CENTRAL
                self._air.watch(Transit(self, direction, bytes(packet.data), given, hearing.last_heard))
            sender.assembler.feed_packet(packet)

        self.layer.send(self._queue(sender), len(packet.data), delivered=delivered, acknowledged=acknowledged)

    def send_control(self, sender: Connection, packet: ll.ControlPdu) -> None:
        """A controller's own packet: at once when nothing is wrong, else in its turn."""
        receiver = self._other(sender)

        def delivered() -> None:
            receiver.controller.on_ll_control_pdu(receiver.connection.peer_address, packet)

        if self.layer.ideal:
            asyncio.get_running_loop().call_soon(delivered)
        else:
            self.layer.send(self._queue(sender), _CONTROL_OCTETS, delivered=delivered)

    def carry(self, sender: Connection, data: bytes) -> None:
        """A whole message has crossed the air."""
        direction = Direction.TO_PERIPHERAL if sender is self.central.connection else Direction.TO_CENTRAL
        if self._plain:
            self._hand_over(direction, data)
            return
        pdus = [Pdu.parse(direction, data)]
        for interceptor in self._interceptors:
            pdus = [passed for pdu in pdus for passed in interceptor(pdu, self)]
        for pdu in pdus:
            self._go(pdu)

    def ended(self, side: Connection, reason: int) -> None:
        """One side has ended it."""
        if not self.open:
            return
        ideal, self.open = self.layer.ideal, False
        self.layer.close()
        for pair in self._paths.values():
            for path in pair:
                path.close()
        self._air.left(self)
        if not ideal:
            # What should have told the other side waited in the queue that is gone now.
            asyncio.get_running_loop().call_soon(self._other(side).disconnected, reason)

    def _go(self, pdu: Pdu) -> None:
        way = self._paths[pdu.direction][0]
        mtus = [end.conditions.mtu for end in self.ends if end.conditions.mtu != USUAL_MTU]
        if not mtus or pdu.opcode not in (MTU_REQUEST, MTU_RESPONSE):
            way.carry(pdu)
        elif all(mtu.answered for mtu in mtus):
            pdu = with_mtu(pdu, min(mtu.largest for mtu in mtus))
            delay = max(mtu.delay for mtu in mtus) if pdu.opcode == MTU_RESPONSE else 0.0
            if delay > 0:
                self._air.timers.call_at(self._air.timers.now() + delay, lambda: way.carry(pdu))
            else:
                way.carry(pdu)

    def _arrive(self, pdu: Pdu) -> None:
        if self._cut:
            return
        orders = [order for end in self.ends if (order := end.conditions.cuts_at(pdu))]
        if all(order.delivered for order in orders):
            self._hand_over(pdu.direction, bytes(pdu))
        if orders:
            # After what the peer was just handed; nothing else may come between.
            self._cut = True
            asyncio.get_running_loop().call_soon(self.lose)

    def _hand_over(self, direction: Direction, data: bytes) -> None:
        if not self.open:
            return
        controller, connection = self.peripheral if direction is Direction.TO_PERIPHERAL else self.central
        asyncio.get_running_loop().call_soon(
            controller.on_link_acl_data, connection.peer_address, PhysicalTransport.LE, data
        )

    def _other(self, side: Connection) -> LinkEnd:
        return self.peripheral if side is self.central.connection else self.central

    def _queue(self, sender: Connection) -> End:
        return self.layer.central if sender is self.central.connection else self.layer.peripheral
