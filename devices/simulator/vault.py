"""A hub's keys and whom it believes (docs/hub-protocol.md, sections 4 and 11)."""

import hashlib
import os
from collections.abc import Callable
from dataclasses import replace
from typing import Final

from core.model.certificate import (
    Certificate,
    CertificateRefused,
    Role,
    Trust,
    read_revocations,
    read_root,
    read_unverified,
)
from core.model.cose import KeySigner, Signer
from core.model.hub import ReceiptCode
from devices.hub.session.handshake import SessionKey
from devices.hub.session.wire import IRK_BYTES
from devices.simulator import maker
from devices.simulator.session.edhoc import KeyPair
from devices.simulator.store import KeySeeds, State, Store

Fresh = Callable[[str, int], bytes]
"""So many bytes that nobody can guess, or that are always the same for a name."""
_COUNTER_RESERVE: Final = 64
_U32: Final = 0xFFFF_FFFF


def random_bytes(_: str, size: int) -> bytes:
    """For a hub that remembers its keys."""
    return os.urandom(size)


def reproducible(serial: str, seed: int) -> Fresh:
    """For a hub without a store: the same keys whenever it is made with the same serial and seed."""

    def fresh(name: str, size: int) -> bytes:
        return hashlib.shake_256(f"simulated hub {serial} {seed} {name}".encode()).digest(size)

    return fresh


def _seeds(fresh: Fresh, number: int) -> KeySeeds:
    return KeySeeds(signing=fresh(f"ed25519 {number}", 32), agreement=fresh(f"p256 {number}", 32))


def factory(serial: str, fresh: Fresh) -> State:
    """A hub as it leaves the factory. Raises CertificateMalformed: a serial that no certificate can carry."""
    keys = _seeds(fresh, 0)
    certificate = maker.certify_hub(serial, KeySigner(keys.signing).public, KeyPair(keys.agreement).x)
    return State(factory=keys, maker=certificate, keys=keys, irk=fresh("irk 0", IRK_BYTES))


class Vault:
    """Keys, certificates, revocation list and floor, each change saved before it counts.

    Attributes:
        signer: signs receipts and attestations.
        key: certificate and Diffie-Hellman key for the handshake.
        trust: the practice's root with revocation list and floor; None while enrolment is open.
    """

    signer: Signer
    key: SessionKey
    trust: Trust | None

    def __init__(self, serial: str, store: Store, fresh: Fresh) -> None:
        self._serial = serial
        self._store = store
        self._fresh = fresh
        self._load()

    @property
    def enrolled(self) -> bool:
        return self.trust is not None

    @property
    def irk(self) -> bytes:
        return self._store.state.irk

    @property
    def revocations(self) -> int:
        """Number of the list, 0 without one."""
        return self.trust.revoked.number if self.trust is not None and self.trust.revoked is not None else 0

    def enrol(self, root_raw: bytes, certificate_raw: bytes, *, idle: bool) -> ReceiptCode:
        """Take a practice's root and its certificate over the keys, or over those that REKEY made.

        Args:
            idle: therapy is IDLE; new keys count only then.
        """
        state = self._store.state
        try:
            root = read_root(root_raw)
            known = self.trust if self.trust is not None and self.trust.root.signing_key == root.signing_key else None
            if self.trust is not None and known is None:
                return ReceiptCode.REFUSED
            trust = replace(known, root=root) if known is not None else Trust(root)
            mine = trust.verify(certificate_raw, Role.HUB, now_s=None, subject=self._serial)
        except CertificateRefused:
            return ReceiptCode.REFUSED
        fresh = state.pending if state.pending is not None and _fits(state.pending, mine) else None
        if fresh is None and not _fits(state.keys, mine):
            return ReceiptCode.REFUSED
        if fresh is not None and not idle:
            return ReceiptCode.NOT_NOW
        state.root, state.certificate = root_raw, certificate_raw
        state.floor_s = max(trust.floor_s, mine.not_before_s)
        state.irk = self._new_irk()
        if fresh is not None:
            self._change_keys(fresh, counter=0)
        else:
            self._store.save()
        self._load()
        return ReceiptCode.DONE

    def revoke(self, raw: bytes) -> ReceiptCode:
        """Take the practice's revocation list."""
        if self.trust is None:
            return ReceiptCode.REFUSED
        if self.trust.revoked is not None and raw == self.trust.revoked.raw:
            return ReceiptCode.ALREADY
        try:
            trust = self.trust.with_revocations(raw)
        except CertificateRefused:
            return ReceiptCode.REFUSED
        state = self._store.state
        state.revocations, state.floor_s = raw, trust.floor_s
        self._store.save()
        self.trust = trust
        return ReceiptCode.DONE

    def verify(self, raw: bytes, role: Role) -> Certificate:
        """Somebody's certificate, if it counts now. Raises CertificateRefused."""
        if self.trust is None:
            raise CertificateRefused("This hub belongs to no practice.", "Enrol it.")
        return self.trust.verify(raw, role, now_s=None)

    def accepted(self, certificate: Certificate) -> None:
        """A verified certificate teaches the floor."""
        if self.trust is not None and certificate.not_before_s > self.trust.floor_s:
            self.trust = self.trust.learnt(certificate.not_before_s)
            self._store.state.floor_s = self.trust.floor_s
            self._store.save()

    def rekey(self) -> tuple[bytes, bytes]:
        """Make new keys: their Ed25519 public key and the x of the P-256 key. The old ones count until ENROL."""
        state = self._store.state
        state.pending = _seeds(self._fresh, state.made)
        state.made += 1
        self._store.save()
        return KeySigner(state.pending.signing).public, KeyPair(state.pending.agreement).x

    def open_by_hand(self) -> None:
        """Forget the practice. The factory's keys count again: only over them does the maker's certificate speak."""
        state = self._store.state
        state.root = state.certificate = state.revocations = b""
        state.floor_s = 0
        state.irk = self._new_irk()
        state.receipts = []
        if state.keys == state.factory:
            state.pending = None
            self._store.save()
        else:
            self._change_keys(state.factory, counter=state.factory_counter)
        self._load()

    def reserve(self, counter: int) -> None:
        """Save the highest counter accepted, with some to spare, so that most commands need no writing."""
        state = self._store.state
        if counter > state.counter:
            state.counter = min(counter + _COUNTER_RESERVE, _U32)
            self._store.save()

    def _change_keys(self, keys: KeySeeds, *, counter: int) -> None:
        state = self._store.state
        if state.keys == state.factory:
            state.factory_counter, state.factory_frames = state.counter, self._store.frames.next
        state.first_frame = state.factory_frames if keys == state.factory else 0
        state.keys, state.pending = keys, None
        state.counter = state.accounted = counter
        state.receipts = []
        self._store.begin_life()

    def _new_irk(self) -> bytes:
        return self._fresh(f"irk after {self._store.state.irk.hex()}", IRK_BYTES)

    def _load(self) -> None:
        state = self._store.state
        self.signer = KeySigner(state.keys.signing)
        mine = read_unverified(state.certificate or state.maker)
        self.key = SessionKey(mine, state.keys.agreement)
        self.trust = None
        if state.root:
            root = read_root(state.root)
            revoked = read_revocations(state.revocations, root) if state.revocations else None
            self.trust = Trust(root, revoked, state.floor_s)


def _fits(keys: KeySeeds, certificate: Certificate) -> bool:
    """Whether the certificate is over these keys."""
    return (KeySigner(keys.signing).public, KeyPair(keys.agreement).x) == (
        certificate.signing_key,
        certificate.agreement_x,
    )
