"""A practice, its hub and its workstation, with keys that never change; for tests and vectors."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass

from core.model.certificate import Certificate, Role, Trust, issue, issue_root, read_root, read_unverified
from core.model.clock import Clock, ManualClock
from core.model.cose import KeySigner
from devices.hub.session.handshake import Initiator, SessionKey, WorkstationHandshake
from devices.hub.session.keys import Session
from devices.simulator.session.edhoc import KeyPair
from devices.simulator.session.handshake import HubHandshake

NOW_S = 1_800_000_000
DAY_S = 86_400
SERIAL = "SH-0001"
STATION = "workstation-1"


def secret(name: str) -> bytes:
    """32 bytes that are always the same for a name."""
    return hashlib.sha256(b"smilescape test " + name.encode()).digest()


def signer(name: str) -> KeySigner:
    return KeySigner(secret(f"ed25519 {name}"))


def pair(name: str) -> KeyPair:
    return KeyPair(secret(f"p256 {name}"))


def certificate(
    root: KeySigner,
    role: Role,
    name: str,
    *,
    subject: str | None = None,
    not_before_s: int = NOW_S - DAY_S,
    not_after_s: int = NOW_S + DAY_S,
) -> Certificate:
    """A certificate over the keys of `name`."""
    agreeing = role in (Role.HUB, Role.WORKSTATION)
    raw = issue(
        root,
        role=role,
        subject=subject or name,
        not_before_s=not_before_s,
        not_after_s=not_after_s,
        signing_key=signer(name).public,
        agreement_x=pair(name).x if agreeing else None,
    )
    return read_unverified(raw)


def root_certificate(name: str) -> Certificate:
    raw = issue_root(signer(name), subject=name, not_before_s=NOW_S - 100 * DAY_S, not_after_s=NOW_S + 1000 * DAY_S)
    return read_root(raw)


ROOT = signer("practice")
TRUST = Trust(root_certificate("practice"))
HUB = certificate(ROOT, Role.HUB, SERIAL)
WORKSTATION = certificate(ROOT, Role.WORKSTATION, STATION)
CLINICIAN = certificate(ROOT, Role.CLINICIAN, "dr-kim")
HUB_KEY = SessionKey(HUB, pair(SERIAL).private)
WORKSTATION_KEY = SessionKey(WORKSTATION, pair(STATION).private)

Tap = Callable[[bytes], bytes]
"""What somebody on the way makes of a value."""


@dataclass
class Meeting:
    """Both sides of one link, values handed over directly."""

    workstation: WorkstationHandshake
    hub: HubHandshake

    def run(self, to_hub: Tap = bytes, to_workstation: Tap = bytes) -> tuple[Session, Session]:
        """Shake hands. The workstation's session and the hub's; raises what the workstation raises."""
        outgoing = self.workstation.begin()
        while outgoing:
            notified = [answer for value in outgoing for answer in self.hub.feed(to_hub(value))]
            outgoing = [answer for value in notified for answer in self.workstation.feed(to_workstation(value))]
        assert self.workstation.session is not None, "the handshake came to nothing"
        assert self.hub.session is not None
        return self.workstation.session, self.hub.session


def meet(
    *,
    workstation: SessionKey = WORKSTATION_KEY,
    hub: SessionKey = HUB_KEY,
    workstation_trust: Trust = TRUST,
    hub_trust: Trust | None = TRUST,
    hub_serial: str | None = SERIAL,
    now_s: int = NOW_S,
    room: int = 182,
    clock: Clock | None = None,
) -> Meeting:
    clock = clock or ManualClock()
    initiator = Initiator(workstation, workstation_trust, hub_serial=hub_serial, now_s=now_s)
    return Meeting(
        WorkstationHandshake(initiator, clock, room=room),
        HubHandshake(hub, hub_trust, clock, room=room),
    )
