"""What consoles ask about locking, emergencies and companions. Whoever asks was admitted by `Access`."""

from collections.abc import Awaitable, Callable, Mapping
from functools import singledispatchmethod
from typing import TYPE_CHECKING, Protocol

from app.engine.idle import MOST_MINUTES
from app.engine.people_desk import PeopleDesk, no
from app.engine.screen_lock import ScreenLock
from app.ipc import access_messages as ipc
from app.ipc.messages import Done, Reply
from core.model.people import Operator, Patient, Role
from core.model.words import Text

if TYPE_CHECKING:
    from app.engine.chair import Chair


class AccessHouse(Protocol):
    """What is needed of the engine around."""

    chairs: "dict[int, Chair]"
    people: PeopleDesk
    screen: ScreenLock

    def touched(self) -> None: ...
    async def operator_changed(self) -> None: ...
    def audit(self, kind: str, text: Text, actor: str, body: Mapping[str, object], *, chair: int = 0) -> None: ...


class AccessService:
    """`find`: a patient by id, None for nobody."""

    def __init__(self, house: AccessHouse, find: Callable[[str], Awaitable[Patient | None]]) -> None:
        self._house = house
        self._find = find

    @singledispatchmethod
    async def serve(self, request: ipc.AccessRequest, actor: Operator | None) -> Reply:
        """Raises Refusal, WeakPin, RecordError."""
        raise TypeError(type(request).__name__)

    @serve.register
    async def _active(self, request: ipc.Active, actor: Operator | None) -> Reply:
        self._house.screen.active()
        return Done()

    @serve.register
    async def _set_lock(self, request: ipc.SetLock, actor: Operator) -> Reply:
        if not 1 <= request.minutes <= MOST_MINUTES:
            raise no("lock_minutes", most=MOST_MINUTES)
        self._house.screen.set_minutes(request.minutes)
        self._note("lock_set", actor, {"minutes": request.minutes}, minutes=request.minutes)
        return Done()

    @serve.register
    async def _set_names(self, request: ipc.SetNames, actor: Operator) -> Reply:
        self._house.screen.show_names(request.shown)
        self._note("names_shown" if request.shown else "names_hidden", actor, {"shown": request.shown})
        return Done()

    # emergencies

    @serve.register
    async def _open(self, request: ipc.OpenInEmergency, actor: Operator) -> Reply:
        chair = self._house.chairs.get(request.chair)
        if chair is None:
            raise no("chair", chair=request.chair)
        visit = chair.visits.now
        if visit is None:
            raise no("emergency_nobody", "emergency_nobody_remedy")
        desk = self._house.people.emergencies
        desk.end()
        patient = visit.patient
        one = desk.open(actor, chair=chair.number, patient_id=patient.id, code=patient.code, reason=request.reason)
        body = {"emergency": one.id, "patient": one.patient_id, "reason": one.reason, "until_us": one.until_us}
        values: dict[str, str | int | float] = {"name": one.who, "reason": one.reason.lstrip("@")}
        self._note("emergency_opened", actor, body, chair=chair.number, **values)
        await self._house.operator_changed()
        return Done(id=one.id)

    @serve.register
    async def _end(self, request: ipc.EndEmergency, actor: Operator) -> Reply:
        self._house.people.emergencies.end()
        await self._house.operator_changed()
        return Done()

    @serve.register
    async def _seen(self, request: ipc.SeenEmergency, actor: Operator) -> Reply:
        one = self._house.people.emergencies.seen(request.emergency_id, actor)
        body = {"emergency": one.id, "by": one.operator_id}
        self._note("emergency_seen", actor, body, chair=one.chair, name=one.who, dentist=actor.name)
        self._house.touched()
        return Done()

    # companions

    @serve.register
    async def _add(self, request: ipc.AddCompanion, actor: Operator) -> Reply:
        people = self._house.people
        scope = frozenset(key for key in ("live", "reports", "history") if getattr(request, key))
        people.companions.check(scope=scope, days=request.days, how=request.how)
        patient = await self._find(request.patient_id)
        if patient is None:
            raise no("unknown_patient")
        made = await people.add(request.name, Role.COMPANION, request.pin)
        one = people.companions.agreed(
            made,
            patient_id=patient.id,
            code=patient.code,
            scope=scope,
            days=request.days,
            how=request.how,
            witness=actor.id,
        )
        body = {"operator": made.id, "patient": patient.id, "scope": sorted(scope), "how": one.how}
        self._note("companion_added", actor, {**body, "until_us": one.until_us}, name=made.name, days=request.days)
        self._house.touched()
        return Done(id=made.id)

    @serve.register
    async def _withdraw(self, request: ipc.WithdrawCompanion, actor: Operator) -> Reply:
        people = self._house.people
        one = people.companions.withdraw(request.operator_id)
        await people.close_account(request.operator_id)
        name = people.names().get(request.operator_id, "")
        self._note("companion_withdrawn", actor, {"operator": one.operator_id, "patient": one.patient_id}, name=name)
        await self._house.operator_changed()
        return Done()

    def _note(
        self, step: str, actor: Operator, body: Mapping[str, object], *, chair: int = 0, **values: str | int | float
    ) -> None:
        self._house.audit(f"access.{step}", Text(f"log.{step}", values), actor.id, body, chair=chair)
