"""UUIDs of the hub profile (docs/hub-protocol.md, section 1)."""

from typing import Final


def _uuid(short: int) -> str:
    return f"b5a1{short:04x}-3d0c-4e8a-9f27-6c1e5a7d2b40"


SERVICE: Final = _uuid(0x0001)
IDENTITY: Final = _uuid(0x0101)
TELEMETRY: Final = _uuid(0x0102)
HISTORY: Final = _uuid(0x0103)
CONTROL: Final = _uuid(0x0104)
RECEIPT: Final = _uuid(0x0105)
STATUS: Final = _uuid(0x0106)
STOP: Final = _uuid(0x0107)
RECEIPT_QUERY: Final = _uuid(0x0108)
HANDSHAKE: Final = _uuid(0x0110)
DOCUMENTS: Final = _uuid(0x0111)

REQUIRED: Final = frozenset(
    {IDENTITY, TELEMETRY, HISTORY, CONTROL, RECEIPT, STATUS, STOP, RECEIPT_QUERY, HANDSHAKE, DOCUMENTS}
)
"""Characteristics without which a peer is not a hub of version 2."""
