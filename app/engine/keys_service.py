"""What consoles ask about keys, one method for each request. Every act stands in the audit log, with its actor."""

from collections.abc import Iterable, Mapping
from functools import singledispatchmethod
from typing import TYPE_CHECKING, Protocol

from app.engine.keys_desk import KeysDesk
from app.engine.people_desk import PeopleDesk
from app.ipc import key_messages as ipc
from app.ipc.messages import Done, Reply
from core.keys.authority import REPLACED
from core.keys.errors import KeysLocked
from core.model.certificate import Certificate
from core.model.errors import SmilescapeError
from core.model.keys import grouped, read_kid
from core.model.people import Operator, Role
from core.model.words import Text
from core.procedure.refusal import Refusal

if TYPE_CHECKING:
    from app.engine.chair import Chair

_KIND = {0: "root", 1: "hub", 2: "workstation", 3: "clinician", 4: "firmware"}


class KeyedHub(Protocol):
    """The driver of a hub that is connected."""

    async def rekey(self) -> None: ...
    async def renew_certificate(self) -> None: ...


class KeysHouse(Protocol):
    """What is needed of the engine around."""

    chairs: "dict[int, Chair]"
    people: PeopleDesk
    keys_desk: KeysDesk

    def touched(self) -> None: ...

    def audit(self, kind: str, text: Text, actor: str, body: Mapping[str, object], *, chair: int = 0) -> None:
        """One line of the log and one entry of the audit log, in this chair's record, 0: the first one's."""
        ...

    def keyed_hub(self, chair: int) -> KeyedHub:
        """Raises Refusal: no hub is connected there."""
        ...

    def hub_chairs(self) -> dict[str, int]:
        """Serial number of each bound hub → its chair."""
        ...


def _no(code: str, remedy: str | None = None) -> Refusal:
    return Refusal(code, Text(f"refused.{code}"), Text(f"refused.{remedy}") if remedy else None)


class KeysService:
    """Whoever asks was admitted by `Access`."""

    def __init__(self, house: KeysHouse) -> None:
        self._house = house

    async def serve(self, request: ipc.KeyRequest, actor: Operator) -> Reply:
        """Raises Refusal, KeysError and what else the step raises."""
        return await self._serve(request, actor)

    @singledispatchmethod
    async def _serve(self, request: ipc.KeyRequest, actor: Operator) -> Reply:
        raise TypeError(type(request).__name__)

    @_serve.register
    async def _list(self, request: ipc.ListKeys, actor: Operator) -> Reply:
        desk = self._house.keys_desk
        trust = desk.trust
        rows = desk.rows(self._house.people.everybody(), actor.id, self._house.hub_chairs())
        return ipc.Keys(
            rows=tuple(rows),
            root=grouped(trust.root.kid),
            list_number=trust.revoked.number if trust.revoked is not None else 0,
            list_issued_us=trust.revoked.issued_s * 1_000_000 if trust.revoked is not None else 0,
            behind=desk.behind,
            unlocked=desk.unlocked,
            makers=desk.maker_names,
        )

    @_serve.register
    async def _revoke(self, request: ipc.RevokeKey, actor: Operator) -> Reply:
        one = self._house.keys_desk.revoke(read_kid(request.kid), request.reason)
        revoked = self._house.keys_desk.revoked(one.kid)
        body = {"kid": one.kid, "role": _KIND[one.role], "holder": one.holder, "reason": revoked.reason}
        name = self._house.people.names().get(one.holder, one.holder)
        self._note("revoked", actor, {**body, "list": revoked.number}, name=name, reason=revoked.reason)
        return Done(id=grouped(one.kid))

    @_serve.register
    async def _take_back(self, request: ipc.TakeBack, actor: Operator) -> Reply:
        one = self._house.keys_desk.take_back(read_kid(request.kid), request.reason)
        body = {"kid": one.kid, "holder": one.holder, "reason": request.reason}
        self._note("taken_back", actor, body, name=one.holder, reason=request.reason.lstrip("@"))
        return Done(id=grouped(one.kid))

    @_serve.register
    async def _rotate_workstation(self, request: ipc.RotateWorkstation, actor: Operator) -> Reply:
        self._nobody_treated(self._house.chairs.values())
        desk, reason = self._house.keys_desk, request.reason.strip() or REPLACED
        old = desk.workstation.certificate
        fresh = desk.replace_workstation(reason)
        self._note("workstation_rotated", actor, {"old": old.kid, "kid": fresh.kid, "reason": reason}, reason=reason)
        return Done(id=grouped(fresh.kid))

    @_serve.register
    async def _rotate_hub(self, request: ipc.RotateHub, actor: Operator) -> Reply:
        await self._hub_step("hub_rotated", request.chair, actor)
        return Done()

    @_serve.register
    async def _renew_hub(self, request: ipc.RenewHub, actor: Operator) -> Reply:
        await self._hub_step("hub_renewed", request.chair, actor)
        return Done()

    @_serve.register
    async def _rotate_mine(self, request: ipc.RotateMine, actor: Operator) -> Reply:
        self._nobody_treated(self._house.chairs.values())
        self._must_be_open()
        await self._house.people.replace_key(actor.id, request.pin)
        self._note("mine_rotated", actor, {"reason": REPLACED, **self._kid_of(actor.id)}, name=actor.name)
        return Done()

    @_serve.register
    async def _renew(self, request: ipc.RenewKeys, actor: Operator) -> Reply:
        renewed = self._house.keys_desk.renew()
        self._note("renewed", actor, {"kids": [one.kid for one in renewed]}, count=len(renewed))
        return Done()

    @_serve.register
    async def _change_pin(self, request: ipc.ChangePin, actor: Operator) -> Reply:
        if request.operator_id != actor.id:
            raise _no("pin_other", "pin_other_remedy")
        await self._house.people.change_pin(actor.id, request.old, request.new)
        self._note("pin_changed", actor, {"operator": actor.id}, name=actor.name)
        return Done()

    @_serve.register
    async def _reset_pin(self, request: ipc.ResetPin, actor: Operator) -> Reply:
        if request.operator_id == actor.id:
            raise _no("pin_own", "pin_own_remedy")
        dentists = {one.id for one in self._house.people.operators() if one.role is Role.DENTIST}
        if request.operator_id in dentists:
            self._nobody_treated(self._house.chairs.values())
        operator = await self._house.people.reset_pin(request.operator_id, request.pin)
        self._house.touched()
        self._note("pin_reset", actor, {"operator": operator.id, **self._kid_of(operator.id)}, name=operator.name)
        return Done()

    # helpers

    async def _hub_step(self, step: str, chair: int, actor: Operator) -> None:
        """Asked is written before, what became of it after: a hub that falls silent leaves the outcome unknown."""
        one = self._house.chairs.get(chair)
        if one is None:
            raise Refusal("chair", Text("refused.chair", {"chair": chair}))
        self._nobody_treated((one,))
        self._must_be_open()
        hub = self._house.keyed_hub(chair)
        self._note(step, actor, {"chair": chair, "outcome": "asked"}, outcome="@log.keys.asked", chair=chair)
        outcome = "unknown"
        try:
            await (hub.rekey() if step == "hub_rotated" else hub.renew_certificate())
            outcome = "done"
        except SmilescapeError as error:
            outcome = error.code
            raise
        finally:
            said = "@log.keys.done" if outcome == "done" else "@log.keys.failed"
            self._note(step, actor, {"chair": chair, "outcome": outcome}, outcome=said, chair=chair)

    def _must_be_open(self) -> None:
        if not self._house.keys_desk.unlocked:
            raise KeysLocked

    @staticmethod
    def _nobody_treated(chairs: "Iterable[Chair]") -> None:
        if any(chair.view is not None and chair.view.treating for chair in chairs):
            raise _no("treating", "treating_remedy")

    def _kid_of(self, operator_id: str) -> dict[str, object]:
        certificate: Certificate | None = self._house.keys_desk.certificate(operator_id)
        return {"kid": certificate.kid} if certificate is not None else {}

    def _note(self, step: str, actor: Operator, body: Mapping[str, object], **values: str | int | float) -> None:
        self._house.audit(f"keys.{step}", Text(f"log.keys.{step}", values), actor.id, body)
