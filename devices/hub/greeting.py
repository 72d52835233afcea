"""From a connection to a session with the hub that it should be (docs/hub-protocol.md, sections 3, 5 and 7)."""

from typing import Final

from bleak import BleakClient

from core.model.certificate import CertificateRefused, Trust
from core.model.clock import Clock
from core.model.errors import SmilescapeError
from core.model.words import Text
from devices.errors import FrameError, LinkRefused
from devices.hub import uuids
from devices.hub.credentials import Credentials
from devices.hub.documents import Documents
from devices.hub.incoming import Incoming
from devices.hub.session.documents import octets
from devices.hub.session.errors import HandshakeNotAuthentic, IdentityDowngraded, SessionError
from devices.hub.session.handshake import Initiator, SessionKey, WorkstationHandshake
from devices.hub.session.identity import (
    ENROLLED,
    OPEN,
    ClearIdentity,
    HubCard,
    check_identity,
    decode_clear_identity,
)
from devices.hub.session.wire import MIN_MTU, PROFILE, DocumentKind
from devices.hub.shaking import shake_hands
from devices.hub.subscriptions import subscribe
from devices.tap import Tap

ROOM: Final = MIN_MTU - 3
"""Largest value of the handshake; the hub refuses links that carry less."""


async def read_identity(client: BleakClient) -> ClearIdentity:
    """What the hub says of itself to anybody.

    Raises:
        LinkRefused: not a hub, or of another major version.
    """
    present = {characteristic.uuid for characteristic in client.services.characteristics.values()}
    if uuids.IDENTITY not in present:
        raise LinkRefused("No hub service.", reason=Text("hub.refused.not_a_hub"))
    raw = bytes(await client.read_gatt_char(uuids.IDENTITY))
    major = raw[0] if raw else PROFILE[0]
    if major != PROFILE[0]:
        raise LinkRefused(f"Profile {major}.", reason=Text("hub.refused.version", {"major": major}))
    try:
        clear = decode_clear_identity(raw)
    except FrameError as error:
        raise LinkRefused(str(error), reason=Text("hub.refused.identity")) from error
    if not present >= uuids.REQUIRED:
        raise LinkRefused("A characteristic is missing.", reason=Text("hub.refused.not_a_hub"))
    return clear


def is_open(flags: int) -> bool:
    """Whether a hub with these flags of its identity may be enrolled: then no practice has it."""
    return bool(flags & OPEN) or not flags & ENROLLED


def keys(credentials: Credentials, *, enrolling: bool) -> tuple[SessionKey, Trust]:
    """Who we are, and what the hub's certificate has to hold against. Raises LinkRefused: there are none."""
    try:
        return credentials.workstation, credentials.maker if enrolling else credentials.trust
    except SmilescapeError as error:
        raise LinkRefused(str(error), reason=Text("hub.refused.no_keys", {"why": str(error)})) from error


async def meet(
    client: BleakClient,
    clear: ClearIdentity,
    incoming: Incoming,
    documents: Documents,
    clock: Clock,
    tap: Tap,
    *,
    me: SessionKey,
    trust: Trust,
    serial: str | None,
) -> HubCard:
    """Shake hands and learn who it is; `incoming.line` is the session then.

    Args:
        serial: of the hub that is expected; None for any.

    Raises:
        SessionError, CertificateRefused: no session, or one that may not be trusted.
        FrameError, BleakError: connecting anew may help.
    """
    await subscribe(client, incoming.handles, tap, incoming.refuse)
    told = documents.expect(DocumentKind.IDENTITY)
    initiator = Initiator(me, trust, hub_serial=serial, now_s=clock.utc_us() // 1_000_000)
    await shake_hands(client, WorkstationHandshake(initiator, clock, room=ROOM), incoming.established)
    assert incoming.line is not None, "a handshake that ends without an error has made one"
    body = await documents.body(DocumentKind.IDENTITY, told)
    return check_identity(clear, octets(body), incoming.line.session.peer)


ATTACKS: Final = (HandshakeNotAuthentic, IdentityDowngraded)
"""Failures that only an attack or a defect explains."""
FAILURES: Final = (SessionError, CertificateRefused)
