"""Who is at the workstation, and whose teeth they look at."""

import asyncio
import itertools
import logging
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from app.engine.clock import AsyncClock
from app.engine.companion_desk import CompanionDesk
from app.engine.emergency_desk import EmergencyDesk
from app.engine.keys_desk import KeysDesk
from app.engine.patience import REFUSED, Patience
from core.keys.authority import NEW_PIN, REPLACED
from core.keys.errors import KeysError
from core.model.certificate import CertificateRefused
from core.model.clinical import Finding
from core.model.dentition import dentition, local_day
from core.model.ids import new_id
from core.model.people import Operator, Role, ToothState
from core.model.words import Text
from core.people.charting import with_findings
from core.people.demo import Demo
from core.people.pin import check_pin, hash_pin
from core.people.teeth import after_visit, healthy_teeth
from core.procedure.refusal import Refusal
from core.record import RecordError
from core.record.practice import PracticeFile

if TYPE_CHECKING:
    from app.engine.chair import Chair

log = logging.getLogger(__name__)


_REMEMBERED = 1000
"""Logins that are looked through for wrong PINs after a start."""


def no(code: str, remedy: str | None = None, **values: str | int | float) -> Refusal:
    """A refusal whose sentence is `refused.<code>`."""
    return Refusal(code, Text(f"refused.{code}", values), Text(f"refused.{remedy}", values) if remedy else None)


class PeopleDesk:
    """Operators and logins. Wrong PINs and passphrases make the next try wait, longer each time.

    A login opens a dentist's key and the practice's root, a logout closes them. PINs are checked one at a time, in a
    thread of their own: the loop has STOP to carry.

    Attributes:
        operator: who is logged in, None when the workstation is locked.
        session: counts the logins; what belongs to one ends with it.
        emergencies, companions: who sees a patient's data besides those whose work it is.
    """

    def __init__(
        self,
        practice: PracticeFile,
        keys: KeysDesk,
        *,
        demo: Demo | None,
        chairs: "Callable[[], Iterable[Chair]]",
        clock: AsyncClock,
    ) -> None:
        self._practice = practice
        self._keys = keys
        self._demo = demo
        self._chairs = chairs
        self._clock = clock
        self._patience = Patience(clock, practice.logins(_REMEMBERED))
        self.emergencies = EmergencyDesk(practice, clock)
        self.companions = CompanionDesk(practice, clock)
        self.session = 0
        self._one = asyncio.Lock()
        self.operator: Operator | None = None

    async def open(self) -> None:
        """The demo's operator is there from the first moment, and logged in."""
        if self._demo is None:
            return
        if not any(known.demo for known in self._practice.operators()):
            self._practice.add_operator(self._demo.operator, "")
        await self._unlock(self._demo.operator, "")
        self.operator = self._demo.operator

    def operators(self) -> tuple[Operator, ...]:
        return tuple(known for known in self._practice.operators() if known.active)

    def everybody(self) -> list[Operator]:
        """Also those whose account was closed."""
        return self._practice.operators(closed=True)

    def names(self) -> dict[str, str]:
        """Name by id, of everybody who ever had an account."""
        return {known.id: known.name for known in self.everybody()}

    async def login(self, operator_id: str, pin: str) -> Operator:
        """In one step, whoever was there before: their key is closed, and what they had opened.

        Raises:
            Refusal: unknown person, wrong PIN, too many wrong ones, or a companion whose time is over. Whoever was
                logged in stays so.
        """
        async with self._one:
            operator = self._known(operator_id)
            await self._prove(operator, pin, outcome="")  # the login itself is written below
            if operator.role is Role.COMPANION and self.companions.of(operator) is None:
                raise no("companion_over", "companion_over_remedy")
            before = self.operator
            if before is not None and before.id != operator_id:
                self._remember(before.id, "switched")
            self.emergencies.end()
            await self._unlock(operator, pin)
            self._remember(operator_id, "in")
            self.operator = operator
            self.session += 1
            return operator

    def logout(self) -> Operator | None:
        """Lock the workstation; returns who was there."""
        self._keys.close()
        self.emergencies.end()
        operator, self.operator = self.operator, None
        if operator is not None:
            self._remember(operator.id, "out")
        return operator

    async def add(self, name: str, role: str, pin: str) -> Operator:
        """Somebody new; a dentist gets a key, the first of all makes the practice's root.

        Raises:
            Refusal: no name, an unknown role.
            WeakPin: a PIN that is too easy.
            KeysLocked: a dentist is to be added, and no dentist with a key is logged in.
        """
        if not name.strip():
            raise no("empty_name")
        if role not in tuple(Role):
            raise no("role_unknown")
        async with self._one:
            operator = Operator(id=new_id(), name=name.strip(), role=Role(role))
            pin_hash = await asyncio.to_thread(hash_pin, pin)
            first = not any(known.role is Role.DENTIST for known in self.operators())
            if operator.role is not Role.DENTIST or first:
                self._practice.add_operator(operator, pin_hash)
                if operator.role is Role.DENTIST:
                    await self._keys.found(operator, pin)
                return operator
            await self._enter(operator, pin, pin_hash, REPLACED)
            return operator

    async def close_account(self, operator_id: str) -> None:
        """No more logins, and no more signatures: a dentist's key is revoked.

        Raises:
            Refusal: unknown person, or the last dentist.
            KeysLocked, LastKey: their key cannot be revoked now.
        """
        async with self._one:
            dentists = [known for known in self.operators() if known.role is Role.DENTIST]
            if [known.id for known in dentists] == [operator_id]:
                raise no("last_dentist")
            self._known(operator_id)
            with self._practice.transaction():
                self._keys.revoke_person(operator_id)
                self._practice.close_operator(operator_id)
            self._keys.settled()
            if self.operator is not None and self.operator.id == operator_id:
                self._keys.close()
                self.emergencies.end()
                self.operator = None

    async def change_pin(self, operator_id: str, old: str, new: str) -> None:
        """One's own PIN; the key stays the same, wrapped anew.

        Raises:
            Refusal: as `login`, or the demo's operator; WeakPin.
        """
        async with self._one:
            operator = self._with_pin(operator_id)
            await self._prove(operator, old)
            pin_hash = await asyncio.to_thread(hash_pin, new)
            wrapped = await self._keys.rewrapped(operator_id, old, new)
            with self._practice.transaction():
                if wrapped is not None:
                    self._keys.keep_rewrapped(operator_id, wrapped)
                self._practice.set_pin_hash(operator_id, pin_hash)
            self._keys.settled()

    async def reset_pin(self, operator_id: str, pin: str) -> Operator:
        """A new PIN for somebody else, who forgot theirs or whose key is lost.

        A dentist gets a new key with it, and the one before is revoked.

        Raises:
            Refusal: unknown person, or the demo's operator; WeakPin; KeysLocked.
        """
        async with self._one:
            operator = self._with_pin(operator_id)
            pin_hash = await asyncio.to_thread(hash_pin, pin)
            if operator.role is Role.DENTIST:
                await self._enter(operator, pin, pin_hash, NEW_PIN)
            else:
                self._practice.set_pin_hash(operator_id, pin_hash)
            self._patience.forgive(operator_id)
            self._remember(operator_id, "reset")
            return operator

    async def replace_key(self, operator_id: str, pin: str) -> None:
        """One's own key; the PIN stays. The key before is revoked. Raises Refusal as `login`; KeysLocked."""
        async with self._one:
            operator = self._known(operator_id)
            await self._prove(operator, pin)
            grant = await self._keys.grant(operator, "" if operator.demo else pin)
            self._keys.enter(grant, REPLACED)
            self._keys.entered(grant)

    async def teeth(self, patient_id: str, born: str = "") -> tuple[ToothState, ...]:
        """The odontogram as the newest visit left it, with what was found by hand since, over all chairs.

        For a new patient it begins with the demo's, or with the teeth of their age, `born` as ISO.
        """
        newest: tuple[int, tuple[ToothState, ...]] | None = None
        findings: dict[str, Finding] = {}
        for chair in self._chairs():
            found = await chair.do(lambda record: record.entries.findings(patient_id))
            findings.update((finding.id, finding) for finding in found)
            for visit in await chair.do(lambda record: record.visits(patient_id)):
                view = await chair.do(lambda record, visit=visit: record.procedure(visit.id))  # type: ignore[misc]
                if view is not None and view.teeth and (newest is None or visit.began_us > newest[0]):
                    newest = (visit.began_us, view.teeth)
        since_us, teeth = newest if newest is not None else (0, self._first_teeth(patient_id, born))
        return with_findings(after_visit(teeth), findings.values(), since_us=since_us)

    def _first_teeth(self, patient_id: str, born: str) -> tuple[ToothState, ...]:
        people = self._demo.patients if self._demo is not None else ()
        invented = next((person.teeth for person in people if person.patient.id == patient_id), None)
        return invented or healthy_teeth(dentition(born, local_day(self._clock.utc_us())))

    def _remember(self, operator_id: str, outcome: str) -> None:
        """Into the practice's own list; a full disk keeps nobody from the workstation."""
        try:
            self._practice.log_login(operator_id, outcome)
        except RecordError as error:
            log.error("a login could not be written: %s", error)

    def _known(self, operator_id: str) -> Operator:
        operator = next((known for known in self.operators() if known.id == operator_id), None)
        if operator is None:
            raise no("unknown_operator")
        return operator

    def _with_pin(self, operator_id: str) -> Operator:
        operator = self._known(operator_id)
        if operator.demo:
            raise no("demo_pin")
        return operator

    async def _prove(self, operator: Operator, pin: str, *, outcome: str = "proved") -> None:
        """That it is they. Raises Refusal; wrong PINs make the next try wait, as `Patience` says."""
        wait = self._patience.wait(operator.id)
        if wait > 0:
            raise no("pin_wait", seconds=round(wait) or 1)
        kept = self._practice.pin_hash(operator.id)
        if not operator.demo and not await asyncio.to_thread(check_pin, kept, pin):
            tries = self._patience.wrong(operator.id)
            self._remember(operator.id, REFUSED)
            for chair in itertools.islice(self._chairs(), 1):
                chair.log("login", Text("log.login_refused", {"name": operator.name, "count": tries}))
            raise no("pin")
        if self._patience.forgive(operator.id) and outcome:
            self._remember(operator.id, outcome)

    async def _unlock(self, operator: Operator, pin: str) -> None:
        """Whoever proved their PIN may work here, even if their key cannot be opened: they cannot sign, then."""
        try:
            await self._keys.open(operator, "" if operator.demo else pin)
        except (KeysError, CertificateRefused, RecordError) as error:
            log.error("the key of operator %s cannot be opened: %s", operator.id, error)

    async def _enter(self, operator: Operator, pin: str, pin_hash: str, reason: str) -> None:
        """A dentist's new key and PIN, in one commit."""
        grant = await self._keys.grant(operator, pin)
        with self._practice.transaction():
            self._practice.add_operator(operator, pin_hash)
            self._keys.enter(grant, reason)
        self._keys.entered(grant)
