"""One message between two hosts, as L2CAP carries it, and what an attacker or a fault needs to know of ATT."""

import struct
from enum import Enum
from typing import Final

import msgspec
from bumble.att import ATT_CID, Opcode

MTU_REQUEST: Final = int(Opcode.ATT_EXCHANGE_MTU_REQUEST)
MTU_RESPONSE: Final = int(Opcode.ATT_EXCHANGE_MTU_RESPONSE)
READ_REQUEST: Final = int(Opcode.ATT_READ_REQUEST)
WRITE_REQUEST: Final = int(Opcode.ATT_WRITE_REQUEST)
WRITE_COMMAND: Final = int(Opcode.ATT_WRITE_COMMAND)
NOTIFICATION: Final = int(Opcode.ATT_HANDLE_VALUE_NOTIFICATION)
INDICATION: Final = int(Opcode.ATT_HANDLE_VALUE_INDICATION)
SMALLEST_MTU: Final = 23

_WITH_VALUE: Final = frozenset((WRITE_REQUEST, WRITE_COMMAND, NOTIFICATION, INDICATION))
_WITH_HANDLE: Final = _WITH_VALUE | {READ_REQUEST}


class Direction(Enum):
    """Which way a message goes."""

    TO_PERIPHERAL = "to peripheral"
    TO_CENTRAL = "to central"

    @property
    def back(self) -> "Direction":
        return Direction.TO_CENTRAL if self is Direction.TO_PERIPHERAL else Direction.TO_PERIPHERAL


class Pdu(msgspec.Struct, frozen=True):
    """A whole L2CAP PDU, never a fragment: whatever happens to it, what follows can still be read.

    Attributes:
        cid: the channel; 4 is ATT.
        payload: without the L2CAP header.
    """

    direction: Direction
    payload: bytes
    cid: int = ATT_CID

    @classmethod
    def parse(cls, direction: Direction, data: bytes) -> "Pdu":
        """From a reassembled PDU with its header of four bytes."""
        return cls(direction, data[4:], int.from_bytes(data[2:4], "little"))

    def __bytes__(self) -> bytes:
        return struct.pack("<HH", len(self.payload), self.cid) + self.payload

    @property
    def opcode(self) -> int | None:
        """ATT's opcode; None on any other channel."""
        return self.payload[0] if self.cid == ATT_CID and self.payload else None

    @property
    def handle(self) -> int | None:
        """The attribute that is read, written or notified; None for any other message."""
        if self.opcode not in _WITH_HANDLE or len(self.payload) < 3:
            return None
        return int.from_bytes(self.payload[1:3], "little")

    @property
    def value(self) -> bytes:
        """What is written or notified; empty for any other message."""
        return self.payload[3:] if self.opcode in _WITH_VALUE else b""

    @property
    def unanswered(self) -> bool:
        """Whether ATT expects no answer: a notification or a write without response."""
        return self.opcode in (NOTIFICATION, WRITE_COMMAND)

    def with_value(self, value: bytes) -> "Pdu":
        """The same write or notification of something else."""
        return msgspec.structs.replace(self, payload=self.payload[:3] + value)


def notification(handle: int, value: bytes) -> Pdu:
    """What a peripheral's server says of its own accord."""
    return Pdu(Direction.TO_CENTRAL, struct.pack("<BH", NOTIFICATION, handle) + value)


def write_request(handle: int, value: bytes) -> Pdu:
    """A write that the peripheral answers; the answer goes to the central, which did not ask."""
    return Pdu(Direction.TO_PERIPHERAL, struct.pack("<BH", WRITE_REQUEST, handle) + value)


def write_command(handle: int, value: bytes) -> Pdu:
    """A write without response."""
    return Pdu(Direction.TO_PERIPHERAL, struct.pack("<BH", WRITE_COMMAND, handle) + value)
