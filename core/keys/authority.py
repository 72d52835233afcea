"""Who in a practice holds a key, and who opens its root.

What takes long (Argon2id) is done by `unlock`, `grant` and `rewrapped`, which write nothing; what writes is quick, and
one commit.
"""

import secrets
from dataclasses import dataclass, replace
from typing import Final

from core.keys import issuing
from core.keys.errors import (
    AlreadyRevoked,
    EmptySecret,
    KeyInUse,
    LastKey,
    NoKey,
    NotTakenBack,
    ReasonMissing,
    SheetWrong,
    WrappedDamaged,
    WrongSecret,
)
from core.keys.register import Register, WorkstationKey, new_key
from core.keys.unlocked import HeldKey, Unlocked
from core.keys.wrapping import KEY_BYTES, unwrap_by_key, unwrap_by_pin, wipe, wrap_by_key, wrap_by_pin
from core.model.certificate import Certificate, Role, read_unverified
from core.model.clock import Clock
from core.model.keys import grouped
from core.model.people import Operator
from core.record.practice_keys import HubRow, Issued, PracticeKeys

MAX_REASON: Final = 200
"""Longest reason of a revocation that is kept, characters."""
REPLACED: Final = "@keys.reason.replaced"
RECOVERED: Final = "@keys.reason.recovered"
LEFT: Final = "@keys.reason.left"
NEW_PIN: Final = "@keys.reason.new_pin"
"""Reasons that nobody typed, as keys of sentences."""


@dataclass(frozen=True, slots=True)
class Grant:
    """A dentist's new key, certified and wrapped, and not written down yet."""

    operator_id: str
    certificate: Certificate
    key: HeldKey
    wrapped: bytes


class Authority:
    """One practice's keys. Errors as each method says, and those of a record.

    Args:
        simulated: whether a key may be without a PIN, as the demo operator's is.

    Attributes:
        register: what is in force.
    """

    def __init__(self, keys: PracticeKeys, clock: Clock, *, simulated: bool) -> None:
        self.register = Register(keys, clock)
        self._keys = keys
        self._simulated = simulated

    # the root

    def found(self, operator: Operator, pin: str) -> Unlocked:
        """A new root, with this dentist's key and this workstation's under it. Whatever was under another is void.

        Raises:
            EmptySecret: no PIN, in a real practice.
        """
        self._check_pin(pin)
        root, root_key, now_s = new_key(), bytearray(secrets.token_bytes(KEY_BYTES)), self.register.now_s()
        certificate = issuing.found_root(root, now_s)
        wrapped = wrap_by_key(root.seed, root_key, _root_context(certificate.kid))
        key = new_key()
        grant = self._wrapped(key, issuing.clinician(root, certificate, key.public, now_s), root_key, operator, pin)
        with self._keys.transaction():
            self._keys.erase_secret("clinician")
            self._keys.add_certificate(certificate, holder="", author=operator.id)
            self._keys.keep_secret("root", "", certificate.kid, wrapped, author=operator.id)
            for hub in self._keys.hubs():
                self._keys.save_hub(replace(hub, certificate=b"", revocations=0))
            self.register.publish(root, author=operator.id)
            self.register.new_workstation(root, issuing.new_subject(Role.WORKSTATION), author=operator.id)
            self.enter(grant, author=operator.id)
        self._keys.sweep()
        return Unlocked(operator.id, grant.key, root, root_key)

    def unlock(self, operator: Operator, pin: str) -> Unlocked:
        """What this dentist's PIN opens. Raises NotFounded, NoKey, WrongSecret, WrappedDamaged."""
        root, kept = self.register.root, self._keys.secret("clinician", operator.id)
        kept_root = self._keys.secret("root")
        if kept is None or kept_root is None:
            raise NoKey(operator.name)
        both = unwrap_by_pin(kept.data, pin, _clinician_context(root.kid, operator.id, kept.kid))
        key, root_key = HeldKey(both[:KEY_BYTES]), both[KEY_BYTES:]
        wipe(both)
        certificate = self.register.clinician(operator.id)
        try:
            root_seed = unwrap_by_key(kept_root.data, root_key, _root_context(root.kid))
            unlocked = Unlocked(operator.id, key, HeldKey(root_seed), root_key)
        except WrongSecret:
            key.close()
            wipe(root_key)
            raise WrappedDamaged from None  # the PIN was right
        theirs = certificate is not None and certificate.signing_key == key.public
        if not theirs or unlocked.root.public != root.signing_key:
            unlocked.close()
            raise WrappedDamaged
        return unlocked

    def recover(self, seed: bytearray, operator: Operator, pin: str) -> None:
        """A key for this dentist by the root's seed, from the recovery sheet; all other dentists lose theirs.

        Takes `seed` over: it is wiped.

        Raises:
            SheetWrong: the seed is not that of the practice's root.
            EmptySecret, NotFounded.
        """
        self._check_pin(pin)
        certificate, root, key = self.register.root, HeldKey(seed), new_key()
        root_key = bytearray(secrets.token_bytes(KEY_BYTES))
        try:
            if root.public != certificate.signing_key:
                raise SheetWrong("This recovery sheet belongs to another root.", "Take the newest sheet.")
            wrapped = wrap_by_key(root.seed, root_key, _root_context(certificate.kid))
            grant = self._wrapped(key, self._certified(root, key), root_key, operator, pin)
            with self._keys.transaction():
                holders = self._keys.holders("clinician") | {operator.id}
                old = [kid for one in sorted(holders) for kid in self.register.unrevoked(Role.CLINICIAN, one)]
                self._keys.erase_secret("clinician")
                self._keys.keep_secret("root", "", certificate.kid, wrapped, author=operator.id)
                self.register.revoke(root, old, RECOVERED, author=operator.id)
                self.enter(grant, author=operator.id)
        finally:
            root.close()
            key.close()
            wipe(root_key)
        self._keys.sweep()

    # dentists

    def grant(self, unlocked: Unlocked, operator: Operator, pin: str) -> Grant:
        """A new key for a dentist. Raises EmptySecret, ClockBehind, SigningEnded."""
        self._check_pin(pin)
        key = new_key()
        return self._wrapped(key, self._certified(unlocked.root, key), unlocked.root_key, operator, pin)

    def enter(self, grant: Grant, *, author: str) -> None:
        """Write a new key down, in place of the one before, whose wrapped form is erased."""
        one = grant.certificate
        with self._keys.transaction():
            self._keys.add_certificate(one, holder=grant.operator_id, author=author)
            self._keys.keep_secret("clinician", grant.operator_id, one.kid, grant.wrapped, author=author)

    def replace(self, unlocked: Unlocked, grant: Grant, reason: str) -> None:
        """Enter a key for somebody who may have had others: those are revoked. Raises ReasonMissing, ListFull."""
        with self._keys.transaction():
            old = self.register.unrevoked(Role.CLINICIAN, grant.operator_id)
            self.enter(grant, author=unlocked.operator_id)
            self.register.revoke(unlocked.root, old, _said(reason), author=unlocked.operator_id)

    def rewrapped(self, operator_id: str, old: str, new: str) -> bytes | None:
        """A person's key under a new PIN; None for somebody without a key. Raises WrongSecret, EmptySecret."""
        kept = self._keys.secret("clinician", operator_id)
        if kept is None:
            return None
        self._check_pin(new)
        context = _clinician_context(self.register.root.kid, operator_id, kept.kid)
        both = unwrap_by_pin(kept.data, old, context)
        wrapped = wrap_by_pin(both, new, context)
        wipe(both)
        return wrapped

    def keep_rewrapped(self, operator_id: str, wrapped: bytes) -> None:
        """Write down what `rewrapped` made; the form before is erased. Raises NoKey."""
        kept = self._keys.secret("clinician", operator_id)
        if kept is None:
            raise NoKey(operator_id)
        self._keys.keep_secret("clinician", operator_id, kept.kid, wrapped, author=operator_id)

    # devices

    def certify_hub(self, unlocked: Unlocked, serial: str, signing_key: bytes, agreement_x: bytes) -> bytes:
        """A certificate over a hub's keys. Raises KeysRevoked, ClockBehind, CertificateMalformed."""
        one = self.register.certify(unlocked.root, Role.HUB, subject=serial, key=signing_key, x=agreement_x)
        self._keys.add_certificate(one, holder=serial, author=unlocked.operator_id)
        return one.raw

    def hub_holds(self, unlocked: Unlocked | None, serial: str, certificate: bytes) -> bool:
        """A hub proved to hold these keys: those that it had before them are revoked, if the root is open.

        Returns:
            Whether a key was revoked.
        """
        kids = self.register.unrevoked(Role.HUB, serial)
        kid = read_unverified(certificate).kid
        old = kids[: kids.index(kid)] if kid in kids else []
        with self._keys.transaction():
            known = self._keys.hub(serial) or HubRow(serial)
            self._keys.save_hub(replace(known, certificate=certificate))
            if unlocked is not None:
                self.register.revoke(unlocked.root, old, REPLACED, author=unlocked.operator_id)
        return bool(old) and unlocked is not None

    def replace_workstation(self, unlocked: Unlocked, reason: str) -> WorkstationKey:
        """A new key for this workstation; the old one is revoked. Raises ReasonMissing, ListFull, ClockBehind."""
        old = self.register.workstation.certificate
        with self._keys.transaction():
            self.register.new_workstation(unlocked.root, old.subject, author=unlocked.operator_id)
            self.register.revoke(unlocked.root, [old.kid], _said(reason), author=unlocked.operator_id)
        self._keys.sweep()
        return self.register.workstation

    # what does not count any more

    def revoke(self, unlocked: Unlocked, kid: bytes, reason: str) -> Issued:
        """One key. Of a clinician, what their PIN opens is erased.

        Raises:
            UnknownKey, AlreadyRevoked, ReasonMissing, ListFull, ClockBehind.
            KeyInUse: this workstation's own, which is to be replaced.
            LastKey: nobody could open the root any more.
        """
        reason, one = _said(reason), self.register.find(kid)
        if kid in self._keys.revoked():
            raise AlreadyRevoked(grouped(kid))
        if kid == self.register.workstation.certificate.kid:
            raise KeyInUse
        with self._keys.transaction():
            if one.role is Role.CLINICIAN:
                self._erase(one.holder, kid)
            self.register.revoke(unlocked.root, [kid], reason, author=unlocked.operator_id)
        self._keys.sweep()
        return one

    def take_back(self, unlocked: Unlocked, kid: bytes, reason: str) -> Issued:
        """Let a revoked key of a hub count again: it was found, or is back at its factory's keys.

        Raises:
            NotTakenBack: of anybody else, or not revoked.
            UnknownKey, ReasonMissing, ClockBehind.
        """
        reason, one = _said(reason), self.register.find(kid)
        if one.role is not Role.HUB or kid not in self._keys.revoked():
            raise NotTakenBack
        self.register.take_back(unlocked.root, kid, reason, author=unlocked.operator_id)
        return one

    def revoke_person(self, unlocked: Unlocked, operator_id: str, reason: str) -> None:
        """Every key of somebody. Raises ReasonMissing, ListFull, ClockBehind, LastKey."""
        kids = self.register.unrevoked(Role.CLINICIAN, operator_id)
        with self._keys.transaction():
            self._erase(operator_id)
            self.register.revoke(unlocked.root, kids, _said(reason), author=unlocked.operator_id)

    def renew(self, unlocked: Unlocked, *, everything: bool = False) -> list[Certificate]:
        """Certificates of this dentist and this workstation that end soon, issued anew over the same keys.

        A revocation list that is getting old is issued anew too. Hubs are renewed when they are met; of those that were
        given new keys while the root was locked, the former keys are revoked now.

        Args:
            everything: whether or not it falls due.
        """
        now_s, author = self.register.issuing_now_s(), unlocked.operator_id
        mine = [self.register.workstation.certificate, self.register.clinician(author)]
        late = [one for one in mine if one is not None and (everything or issuing.due(one, now_s))]
        listed = self.register.trust.revoked
        with self._keys.transaction():
            renewed = [self.register.again(unlocked.root, one.kid, author=author) for one in late]
            if everything or listed is None or now_s - listed.issued_s >= issuing.LIST_S:
                self.register.publish(unlocked.root, author=author)
            for hub in self._keys.hubs():
                if hub.certificate:
                    self.hub_holds(unlocked, hub.serial, hub.certificate)
        return renewed

    # inside

    def _check_pin(self, pin: str) -> None:
        if not pin and not self._simulated:
            raise EmptySecret

    def _certified(self, root: HeldKey, key: HeldKey) -> Certificate:
        return issuing.clinician(root, self.register.root, key.public, self.register.issuing_now_s())

    @staticmethod
    def _wrapped(key: HeldKey, certificate: Certificate, root_key: bytearray, operator: Operator, pin: str) -> Grant:
        both = key.seed + root_key
        wrapped = wrap_by_pin(both, pin, _clinician_context(certificate.issuer, operator.id, certificate.kid))
        wipe(both)
        return Grant(operator.id, certificate, key, wrapped)

    def _erase(self, holder: str, kid: bytes | None = None) -> None:
        """What somebody's PIN opens, if it is this key (None: whichever). Raises LastKey."""
        kept = self._keys.secret("clinician", holder)
        if kept is None or kid not in (None, kept.kid):
            return
        if self._keys.holders("clinician") == {holder}:
            raise LastKey
        self._keys.erase_secret("clinician", holder)


def _clinician_context(root: bytes, operator_id: str, kid: bytes) -> tuple[str, bytes, str, bytes]:
    return ("clinician", root, operator_id, kid)


def _root_context(root: bytes) -> tuple[str, bytes]:
    return ("root", root)


def _said(reason: str) -> str:
    """The reason as it is kept. Raises ReasonMissing."""
    said = " ".join(reason.split())[:MAX_REASON]
    if said not in (REPLACED, RECOVERED, LEFT, NEW_PIN):
        said = said.lstrip("@")  # with it begins the key of a sentence
    if not said:
        raise ReasonMissing
    return said
