"""Serves who works here: logging in and out, accounts, what the practice is called."""

from functools import singledispatchmethod

from app.engine.people_desk import no
from app.engine.workstation import Workstation, actor_of, log_house, not_treating
from app.ipc import messages as ipc
from core.keys.authority import LEFT
from core.model.people import Role
from core.model.words import Text


class PeopleService:
    """Whoever asks was admitted by `Access`."""

    def __init__(self, house: Workstation) -> None:
        self._house = house

    async def serve(self, request: ipc.PeopleRequest) -> ipc.Reply:
        return await self._serve(request)

    @singledispatchmethod
    async def _serve(self, request: ipc.PeopleRequest) -> ipc.Reply:
        raise TypeError(type(request).__name__)

    @_serve.register
    async def _login(self, request: ipc.Login) -> ipc.Reply:
        people, before = self._house.people, self._house.people.operator
        operator = await people.login(request.operator_id, request.pin)
        said = Text("log.login", {"name": operator.name})
        if before is not None and before.id != operator.id:
            said = Text("log.switched", {"name": operator.name, "before": before.name})
        log_house(self._house, "login", said, operator.id)
        self._house.screen.active()
        if operator.role is Role.DENTIST and not self._house.keys_desk.unlocked:
            self._house.notice = Text("notice.no_key", {"name": operator.name})
        standing = people.emergencies.standing
        if operator.role is Role.DENTIST and standing:
            self._house.notice = Text("notice.emergency", {"count": len(standing), "name": standing[0].who})
        await self._house.operator_changed()
        return ipc.Done(id=operator.id)

    @_serve.register
    async def _logout(self, request: ipc.Logout) -> ipc.Reply:
        operator = self._house.people.logout()
        if operator is not None:
            log_house(self._house, "logout", Text("log.logout", {"name": operator.name}), operator.id)
        await self._house.operator_changed()
        return ipc.Done()

    @_serve.register
    async def _add_operator(self, request: ipc.AddOperator) -> ipc.Reply:
        first = not self._house.people.operators()
        if request.role == Role.COMPANION:
            raise no("role_companion", "role_companion_remedy")
        if first and request.role != Role.DENTIST:
            raise no("first_dentist")  # nobody is known yet: whoever sets the workstation up answers for it
        made = await self._house.people.add(request.name, request.role, request.pin)
        actor = self._house.people.operator or made
        body = {"operator": made.id, "role": made.role.value}
        self._house.audit("people.added", Text("log.person_added", {"name": made.name}), actor.id, body)
        if first:
            self._house.notice = Text("notice.recovery_sheet")
            self._house.backups.refresh()
        self._house.touched()
        return ipc.Done(id=made.id)

    @_serve.register
    async def _close_operator(self, request: ipc.CloseOperator) -> ipc.Reply:
        actor = actor_of(self._house)
        leaving = [one for one in self._house.people.operators() if one.id == request.operator_id]
        if any(one.role is Role.DENTIST for one in leaving):
            for chair in self._house.chairs.values():
                not_treating(chair)  # a hub holds what was ordered with a key that is revoked
        await self._house.people.close_account(request.operator_id)
        name = self._house.people.names().get(request.operator_id, "")
        body = {"operator": request.operator_id, "reason": LEFT}
        self._house.audit("people.closed", Text("log.account_closed", {"name": name}), actor.id, body)
        await self._house.operator_changed()
        return ipc.Done()

    @_serve.register
    async def _set_practice(self, request: ipc.SetPractice) -> ipc.Reply:
        actor = actor_of(self._house)
        if not request.name.strip():
            raise no("empty_name")
        await self._house.set_practice(request.name.strip(), request.phone.strip())
        log_house(self._house, "practice", Text("log.practice_set", {"name": request.name.strip()}), actor.id)
        return ipc.Done()
