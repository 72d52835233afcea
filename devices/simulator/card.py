"""Who the hub says it is, in clear and at length (docs/hub-protocol.md, sections 3 and 7)."""

from typing import Final

from core.model.hub import HubIdentity
from devices.hub.session.identity import (
    ENROLLED,
    OPEN,
    SIMULATED,
    BootSpan,
    ClearIdentity,
    HubCard,
    encode_card,
    encode_clear_identity,
)
from devices.hub.session.wire import PROFILE
from devices.simulator.firmware import MODEL
from devices.simulator.parts import Parts

HARDWARE: Final = "simulated"
_FORMER_BOOTS: Final = 254


def flags(parts: Parts) -> int:
    """As in the identity and in the advertisement."""
    return SIMULATED | (ENROLLED if parts.vault.enrolled else OPEN)


def clear_identity(parts: Parts) -> bytes:
    """The value of the Identity characteristic."""
    major, minor = PROFILE
    return encode_clear_identity(ClearIdentity(major=major, minor=minor, flags=flags(parts), model=MODEL))


def identity(parts: Parts) -> HubIdentity:
    return HubIdentity(
        serial=parts.serial,
        model=MODEL,
        firmware=parts.firmware.version,
        hardware=HARDWARE,
        profile_major=PROFILE[0],
        profile_minor=PROFILE[1],
        boot=parts.boot,
        simulated=True,
    )


def identity_document(parts: Parts) -> bytes:
    """The document IDENTITY, as it reads now."""
    began = parts.store.state.began
    former = [BootSpan(boot, began.get(boot, 0), at) for boot, at in parts.memory.former_boots().items()]
    present = BootSpan(parts.boot, began.get(parts.boot, 0), parts.now_us)
    card = HubCard(
        identity=identity(parts),
        flags=flags(parts),
        irk=parts.vault.irk,
        revocations=parts.vault.revocations,
        next_entry=parts.logbook.next,
        next_event=parts.wear.next_event,
        boots=(*former[-_FORMER_BOOTS:], present),
    )
    return encode_card(card)
