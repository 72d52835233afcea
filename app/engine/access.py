"""The one place that decides who may ask for what and who sees what. The table is `resources/permissions.toml`."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import msgspec

from app.engine.people_desk import PeopleDesk, no
from app.engine.redaction import Seen, cut_chair, cut_log, cut_operator, cut_patient, cut_text, cut_timeline
from app.ipc import messages as ipc
from core.model.people import Operator, Role
from core.people.permissions import Permissions, Sight, load_permissions
from core.procedure.refusal import Refusal

if TYPE_CHECKING:
    from app.engine.chair import Chair

FOUND, ENROL = "FoundPractice", "EnrolHub"
"""Acts that are not told by the type of their request alone."""
ACTS = frozenset(one.__name__ for one in ipc.Request.__args__) | {FOUND, ENROL}
ABOUT_VISITS = (ipc.GetVisit, ipc.ReadRange, ipc.MakeReport, ipc.ExportCsv)


class Access:
    """Every request passes `admit` before it is served, every answer and push is cut before it is sent.

    Raises:
        DataError: the table is inconsistent, or does not name an act.
    """

    def __init__(self, people: PeopleDesk, chairs: "Mapping[int, Chair]") -> None:
        self._people = people
        self._chairs = chairs
        self.table: Permissions = load_permissions(ACTS)

    # ---- who may ask

    async def admit(self, request: ipc.Request) -> Operator | None:
        """Who asks, None for nobody. Raises Refusal: `login`, `role`, or `patient` (not that one's data)."""
        operator, act = self._people.operator, self._act(request)
        if self.table.may(operator, act):
            if operator is not None and not self._sees_all(operator, act):
                await self._own(request, operator)
            return operator
        if operator is None:
            raise no("login")
        if await self._in_emergency(request, operator, act):
            return operator
        raise self._refusal(act)

    def _act(self, request: ipc.Request) -> str:
        if isinstance(request, ipc.AddOperator) and not self._people.operators():
            return FOUND
        if isinstance(request, ipc.AttachDevice) and request.enrol:
            return ENROL
        return type(request).__name__

    def _refusal(self, act: str) -> Refusal:
        return no("role", "role_remedy", who=f"@who.{'_'.join(self.table.roles(act))}")

    def _sees_all(self, operator: Operator, act: str) -> bool:
        return operator.role is not Role.COMPANION

    async def _own(self, request: ipc.Request, operator: Operator) -> None:
        """Raises Refusal: a companion asks about somebody else, or for more than was agreed."""

    async def _in_emergency(self, request: ipc.Request, operator: Operator, act: str) -> bool:
        return False

    # ---- who sees

    def seen(self, patient_id: str = "") -> Seen:
        """What who is logged in sees of a patient; without one, of what belongs to nobody in particular."""
        operator = self._people.operator
        sees = {sight: self.table.sees(operator, sight) for sight in Sight}
        return Seen(
            identities=sees[Sight.IDENTITIES],
            treatment=sees[Sight.TREATMENT],
            course=sees[Sight.COURSE],
        )

    def cut_chair(self, chair: ipc.Chair) -> ipc.Chair:
        return cut_chair(chair, self.seen(chair.patient.id if chair.patient is not None else ""))

    def cut_workstation(self, station: ipc.Workstation) -> ipc.Workstation:
        """Alarms and notices without names; companions by their initials."""
        seen = self.seen()
        return msgspec.structs.replace(
            station,
            operators=tuple(cut_operator(one, seen) for one in station.operators),
            alarms=tuple(
                msgspec.structs.replace(one, text=cut_text(one.text, seen), remedy=cut_text(one.remedy, seen))
                for one in station.alarms
            ),
            may=self.table.open_to(station.operator),
            sees=tuple(sight.value for sight in Sight if self.table.sees(station.operator, sight)),
        )

    def cut_reply(self, reply: ipc.Reply) -> ipc.Reply:
        """What an answer may say to who is logged in."""
        match reply:
            case ipc.Patients(patients=patients):
                return ipc.Patients(patients=tuple(cut_patient(one, self.seen(one.id)) for one in patients))
            case ipc.Timeline():
                return cut_timeline(reply, self.seen(reply.patient.id))
            case ipc.LogPage():
                return cut_log(reply, self.seen())
        return reply
