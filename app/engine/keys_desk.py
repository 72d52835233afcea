"""The practice's keys while the engine runs: who signs, whom hubs and workstation believe, what is known of hubs."""

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import cached_property

from core.keys.authority import LEFT, Authority, Grant
from core.keys.errors import KeysError, KeysLocked
from core.keys.issuing import due
from core.keys.listing import key_rows
from core.keys.makers import Makers, shipped_makers, trusted_makers
from core.keys.unlocked import Unlocked
from core.model.certificate import Certificate, CertificateRefused, Role, Trust, read_unverified
from core.model.clock import Clock
from core.model.keys import KeyRow, grouped
from core.model.people import Operator
from core.model.people import Role as Job
from core.record import RecordError
from core.record.evidence import Signing
from core.record.practice import PracticeFile
from core.record.practice_keys import HubRow, Issued, Revoked
from devices.hub.credentials import Clinician, KnownHub
from devices.hub.session.handshake import SessionKey
from devices.hub.session.journal import JournalHead

log = logging.getLogger(__name__)


class KeysDesk:
    """What the engine asks of the keys, and what a hub's driver does: a `devices.hub.credentials.Credentials`.

    Argon2id runs in a thread of its own, so that STOP never waits for a PIN. Secrets are here between `open` and
    `close`, that is, between login and logout.
    """

    def __init__(self, practice: PracticeFile, *, simulated: bool, clock: Clock) -> None:
        self._practice = practice
        self._simulated = simulated
        self._authority = Authority(practice.keys, clock, simulated=simulated)
        self._register = self._authority.register
        self._unlocked: Unlocked | None = None
        self._listeners: list[Callable[[], None]] = []

    def listen(self, changed: Callable[[], None]) -> None:
        """`changed` is called whenever another list or another key of this workstation counts."""
        self._listeners.append(changed)

    # what a driver asks (Credentials)

    @property
    def workstation(self) -> SessionKey:
        """Raises NotFounded: no dentist has logged in yet."""
        key = self._register.workstation
        return SessionKey(key.certificate, key.agreement_private)

    @property
    def trust(self) -> Trust:
        """Raises NotFounded."""
        return self._register.trust

    @property
    def maker(self) -> Trust:
        """The simulated maker in simulated folders, elsewhere the one imported last. Raises NoMaker."""
        return self._makers.trust

    @property
    def firmware_signers(self) -> Mapping[bytes, Certificate]:
        return self._makers.signers_at(self._register.now_s())

    def certify_hub(self, serial: str, signing_key: bytes, agreement_x: bytes) -> bytes:
        """Raises KeysLocked: no dentist is logged in; KeysRevoked, ClockBehind, CertificateMalformed."""
        return self._authority.certify_hub(self._open, serial, signing_key, agreement_x)

    def clinician(self, operator_id: str) -> Clinician | None:
        """Who orders; None for somebody who is not logged in, is no dentist, or whose certificate does not count."""
        unlocked, certificate = self._unlocked, self._register.clinician(operator_id)
        if unlocked is None or unlocked.operator_id != operator_id or certificate is None:
            return None
        try:
            self.trust.verify(certificate.raw, Role.CLINICIAN, now_s=self._register.now_s())
        except CertificateRefused as error:
            log.warning("no orders can be signed: %s", error)
            return None
        return Clinician(certificate, unlocked.clinician)

    # what signs for the logs

    @property
    def signing(self) -> Signing:
        """This workstation's key, which signs checkpoints. Raises NotFounded: no dentist has logged in yet."""
        certificate = self._register.workstation.certificate
        return Signing(self._register.workstation_signer, certificate, self._register.root)

    # logins

    @property
    def unlocked(self) -> bool:
        """Whether a dentist's key and the root are open."""
        return self._unlocked is not None

    async def open(self, operator: Operator, pin: str) -> None:
        """Unlock what this person's PIN opens; the first dentist of a practice makes its root.

        Raises:
            KeysError: nothing could be opened. The person can log in all the same, and sign nothing.
        """
        self.close()
        if operator.role is Job.DENTIST:
            step = self._authority.unlock if self._register.founded else self._authority.found
            self._unlocked = await asyncio.to_thread(step, operator, pin)
            self._renew(self._unlocked)

    def close(self) -> None:
        """At logout: wipe the secrets. Signatures that are still under way fail."""
        unlocked, self._unlocked = self._unlocked, None
        if unlocked is not None:
            unlocked.close()

    async def found(self, operator: Operator, pin: str) -> None:
        """Make the root with the first dentist, unless there is one. Raises EmptySecret."""
        if not self._register.founded:
            (await asyncio.to_thread(self._authority.found, operator, pin)).close()
            self._changed()

    # people

    async def grant(self, operator: Operator, pin: str) -> Grant:
        """A new key for a dentist, to be entered. Raises KeysLocked, EmptySecret, ClockBehind."""
        return await asyncio.to_thread(self._authority.grant, self._open, operator, pin)

    def enter(self, grant: Grant, reason: str) -> None:
        """Write a new key down; others that this dentist had are revoked for this reason.

        Join it with a transaction around what else has to happen, then call `entered`.
        """
        self._authority.replace(self._open, grant, reason)

    def entered(self, grant: Grant) -> None:
        """The new key is in force: it signs from now on, if its owner is logged in."""
        if self._unlocked is not None and self._unlocked.operator_id == grant.operator_id:
            self._unlocked.take(grant.key)
        else:
            grant.key.close()
        self.settled()

    async def rewrapped(self, operator_id: str, old: str, new: str) -> bytes | None:
        """A person's key under a new PIN, for `keep_rewrapped`; None without a key. Raises WrongSecret."""
        return await asyncio.to_thread(self._authority.rewrapped, operator_id, old, new)

    def keep_rewrapped(self, operator_id: str, wrapped: bytes) -> None:
        """Join it with a transaction around what else has to happen, then call `settled`."""
        self._authority.keep_rewrapped(operator_id, wrapped)

    def revoke_person(self, operator_id: str) -> None:
        """Somebody leaves. Raises KeysLocked, LastKey. Join it with a transaction, then call `settled`."""
        if self._register.clinician(operator_id) is not None:
            self._authority.revoke_person(self._open, operator_id, LEFT)

    def settled(self) -> None:
        """After the commit: what was erased leaves the write-ahead log too, and listeners hear of it."""
        self._practice.keys.sweep()
        self._changed()

    # keys

    def rows(self, operators: Sequence[Operator], operator_id: str, chairs: Mapping[str, int]) -> list[KeyRow]:
        """Every key, for people to read. Raises NotFounded."""
        return key_rows(self._register, operators, operator_id=operator_id, chairs=chairs)

    @property
    def maker_names(self) -> tuple[str, ...]:
        """Whose new hubs are taken for genuine, the one that is asked last."""
        return tuple(root.subject for root in self._makers.roots)

    @property
    def behind(self) -> bool:
        """Whether a hub knows a newer revocation list than we do: this file came from a backup."""
        listed = self.trust.revoked
        return self._register.heard > (listed.number if listed is not None else 0)

    def certificate(self, operator_id: str) -> Certificate | None:
        """Of a dentist's present key, logged in or not."""
        return self._register.clinician(operator_id)

    def revoked(self, kid: bytes) -> Revoked:
        """How a key came to be revoked. Raises KeyError: it was not."""
        return self._practice.keys.revoked()[kid]

    def revoke(self, kid: bytes, reason: str) -> Issued:
        """One key. Raises as `Authority.revoke`, and KeysLocked."""
        one = self._authority.revoke(self._open, kid, reason)
        if self._register.clinician(self._open.operator_id) is None:
            self.close()
        self._changed()
        return one

    def take_back(self, kid: bytes, reason: str) -> Issued:
        """A hub's key counts again. Raises KeysLocked, NotTakenBack, UnknownKey, ReasonMissing, ClockBehind."""
        one = self._authority.take_back(self._open, kid, reason)
        self._changed()
        return one

    def renew(self) -> list[Certificate]:
        """New certificates over the same keys for who is logged in and for this workstation. Raises KeysLocked."""
        renewed = self._authority.renew(self._open, everything=True)
        self._changed()
        return renewed

    def replace_workstation(self, reason: str) -> Certificate:
        """New keys for this workstation, the old ones revoked. Raises KeysLocked, ReasonMissing, ListFull."""
        key = self._authority.replace_workstation(self._open, reason)
        self._changed()
        return key.certificate

    # hubs

    def known(self, serial: str) -> KnownHub | None:
        """What is remembered of a hub."""
        row = self._practice.keys.hub(serial)
        if row is None:
            return None
        head = None
        if row.journal_number is not None and row.journal_hash is not None:
            head = JournalHead(row.journal_number, row.journal_hash)
        return KnownHub(serial, row.irk, row.security_version, head, row.next_event, row.last_day)

    def remember(self, known: KnownHub) -> None:
        """From one visit to the next. One durable commit, none when nothing changed."""
        row = self._practice.keys.hub(known.serial) or HubRow(known.serial)
        head = known.journal
        self._practice.keys.save_hub(
            replace(
                row,
                irk=known.irk,
                security_version=max(known.security_version, row.security_version),
                journal_number=head.number if head is not None else None,
                journal_hash=head.hash if head is not None else None,
                next_event=known.next_event,
                last_day=known.last_day,
            )
        )

    def hub_holds(self, serial: str, certificate: bytes) -> None:
        """A hub proved to hold these keys: it was enrolled, or a session was made.

        Those that it had before are revoked, now or at the next login.
        """
        if self._authority.hub_holds(self._unlocked, serial, certificate):
            self._changed()

    def hub_has_list(self, serial: str, number: int) -> None:
        """The number of its revocation list, as a hub says; the highest is remembered."""
        row = self._practice.keys.hub(serial) or HubRow(serial)
        self._practice.keys.save_hub(replace(row, revocations=max(row.revocations, number)))

    def hub_due(self, serial: str) -> bool:
        """Whether a hub's certificate ends soon and could be renewed now."""
        row = self._practice.keys.hub(serial)
        if row is None or not row.certificate or not self.unlocked:
            return False
        return due(read_unverified(row.certificate), self._register.now_s())

    def workstation_name(self, kid: bytes) -> str:
        """By what name people know a workstation; of one that the practice never certified, the number of its key."""
        issued = (one for one in self._practice.keys.certificates() if one.kid == kid and one.role is Role.WORKSTATION)
        return next((one.subject for one in issued), grouped(kid))

    # inside

    @property
    def _open(self) -> Unlocked:
        if self._unlocked is None:
            raise KeysLocked
        return self._unlocked

    @property
    def _makers(self) -> Makers:
        return self._shipped if self._simulated else trusted_makers(self._practice.keys)

    @cached_property
    def _shipped(self) -> Makers:
        return shipped_makers()

    def _renew(self, unlocked: Unlocked) -> None:
        """What falls due. A wrong clock or a full disk keeps nobody from the workstation."""
        try:
            self._authority.renew(unlocked)
        except (KeysError, CertificateRefused, RecordError) as error:
            log.error("keys could not be renewed: %s", error)
        self._changed()

    def _changed(self) -> None:
        for listener in self._listeners:
            listener()
