"""The one place that decides who may ask for what and who sees what. The table is `resources/permissions.toml`."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import msgspec

from app.engine.backups import is_backup
from app.engine.people_desk import PeopleDesk, no
from app.engine.redaction import (
    Seen,
    cut_chair,
    cut_hits,
    cut_log,
    cut_operator,
    cut_patients,
    cut_text,
    cut_timeline,
)
from app.ipc import messages as ipc
from app.ipc.access_messages import ListViews, PrintViews
from app.ipc.clinical_messages import ReadAttachment, SaveAttachment, SearchHits, SearchRecords
from app.ipc.export_messages import CancelJob
from core.model.intents import Pause
from core.model.people import Operator, Role
from core.people.permissions import Permissions, Sight, load_permissions
from core.procedure.refusal import Refusal
from core.record import Record

if TYPE_CHECKING:
    from app.engine.chair import Chair

FOUND, ENROL, PATIENT_PAUSE, CANCEL_BACKUP = "FoundPractice", "EnrolHub", "PatientPause", "CancelBackup"
"""Acts that are not told by the type of their request alone."""
ACTS = frozenset(one.__name__ for one in ipc.Request.__args__) | {FOUND, ENROL, PATIENT_PAUSE, CANCEL_BACKUP}
ABOUT_ONE = (ipc.GetVisit, ipc.ReadRange, ipc.MakeReport, ReadAttachment, SaveAttachment)
"""About the patient of a visit, or of a file, at a chair."""
Lists = ipc.ListPatients | SearchRecords
LISTS = Lists.__args__
"""About nobody before they are answered, and cut then."""


class Access:
    """Every request passes `admit` before it is served, every answer and push is cut before it is sent.

    Raises:
        DataError: the table is inconsistent, or does not name an act.

    Attributes:
        dimmed: names are left out for everybody, until somebody touches something.
    """

    def __init__(self, people: PeopleDesk, chairs: "Mapping[int, Chair]") -> None:
        self._people = people
        self._chairs = chairs
        self._owners: dict[str, str] = {}
        self.dimmed = False
        self.table: Permissions = load_permissions(ACTS)

    # who may ask

    async def admit(self, request: ipc.Request) -> Operator | None:
        """Who asks, None for nobody. Raises Refusal: `login`, `role`, or `patient` (not that one's data)."""
        operator, act = self._people.operator, self._act(request)
        if self.table.may(operator, act):
            companion = operator is not None and operator.role is Role.COMPANION
            if companion and not self.table.may(None, act):
                await self._agreed(request)
            return operator
        if operator is None:
            raise no("login")
        if self.table.may(operator, act, emergency=True) and await self._in_emergency(request):
            return operator
        raise self._refusal(act)

    def _act(self, request: ipc.Request) -> str:
        if isinstance(request, ipc.AddOperator) and not self._people.operators():
            return FOUND
        if isinstance(request, ipc.AttachDevice) and request.enrol:
            return ENROL
        if isinstance(request, ipc.Act) and request.intent == Pause(by="patient"):
            return PATIENT_PAUSE
        if isinstance(request, CancelJob) and is_backup(request.id):
            return CANCEL_BACKUP
        return type(request).__name__

    def _refusal(self, act: str) -> Refusal:
        return no("role", "role_remedy", who=f"@who.{'_'.join(self.table.roles(act))}")

    async def _agreed(self, request: ipc.Request) -> None:
        """Raises Refusal: a companion asks too late, about somebody else, or for more than was agreed."""
        companion = self._people.companions.of(self._people.operator)
        if companion is None:
            raise no("companion_over", "companion_over_remedy")
        match request:
            case ListViews() | ipc.GetTimeline() | ipc.GetVisit() | ipc.ReadRange() | ReadAttachment():
                agreed = companion.history
            case ipc.MakeReport():
                agreed = companion.reports
            case _:
                return
        if not agreed or await self.patient_of(request) != companion.patient_id:
            raise no("patient", "patient_remedy")

    async def _in_emergency(self, request: ipc.Request) -> bool:
        if self._people.emergencies.current is None:
            return False
        return isinstance(request, LISTS) or self._people.emergencies.covers(await self.patient_of(request))

    async def patient_of(self, request: ipc.Request) -> str:
        """Whose data a request is about; empty when nobody's is known."""
        if isinstance(request, ipc.GetTimeline | ListViews | PrintViews):
            return request.patient_id
        if not isinstance(request, ABOUT_ONE) or request.chair not in self._chairs:
            return ""
        if isinstance(request, ReadAttachment | SaveAttachment):
            return await self._owner(request.chair, request.attachment_id)
        return await self._owner(request.chair, request.visit_id)

    async def _owner(self, chair: int, thing: str) -> str:
        """The patient of a visit or a file, which never changes; asked of the record once."""
        if thing not in self._owners:
            found = await self._chairs[chair].do(lambda record: _owner_in(record, thing))
            if found:
                self._owners[thing] = found
        return self._owners.get(thing, "")

    def narrowed(self, request: "Lists") -> "Lists":
        """What somebody who sees one patient alone searches for is that patient."""
        operator = self._people.operator
        one = self._people.companions.of(operator) or (
            None if self.table.may(operator, "SearchRecords") else self._people.emergencies.current
        )
        return type(request)(query=one.code) if one is not None else request

    # who sees

    def seen(self, patient_id: str = "") -> Seen:
        """What who is logged in sees of a patient; without one, of what belongs to nobody in particular."""
        operator = self._people.operator
        companion = self._people.companions.of(operator)
        if companion is not None:
            own = bool(patient_id) and patient_id == companion.patient_id
            return Seen(identities=own, treatment=own and companion.live)
        emergency = self._people.emergencies.covers(patient_id)
        sees = {sight: self.table.sees(operator, sight, emergency=emergency) for sight in Sight}
        return Seen(
            identities=sees[Sight.IDENTITIES] and not self.dimmed,
            treatment=sees[Sight.TREATMENT],
            course=sees[Sight.COURSE],
        )

    @property
    def _own_only(self) -> bool:
        """Whether a list holds the patients alone whom who is logged in sees by name."""
        return self._people.companions.of(self._people.operator) is not None or not self.table.may(
            self._people.operator, "ListPatients"
        )

    def cut_chair(self, chair: ipc.Chair) -> ipc.Chair:
        return cut_chair(chair, self.seen(chair.patient.id if chair.patient is not None else ""))

    def cut_workstation(self, station: ipc.Workstation) -> ipc.Workstation:
        """Alarms and notices without names; companions by their initials."""
        seen = self.seen()
        operator = station.operator
        knows = self.table.may(operator, "WithdrawCompanion")
        return msgspec.structs.replace(
            station,
            emergencies=tuple(
                one
                for one in station.emergencies
                if self.table.sees(operator, Sight.IDENTITIES)
                or (operator is not None and one.operator_id == operator.id)
            ),
            companions=station.companions if knows else (),
            backups=station.backups if self.table.may(operator, "ListBackups") else None,
            dimmed=self.dimmed,
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
            case ipc.Patients():
                return cut_patients(reply, self.seen, own_only=self._own_only)
            case SearchHits():
                return cut_hits(reply, self.seen, own_only=self._own_only)
            case ipc.Timeline():
                return cut_timeline(reply, self.seen(reply.patient.id))
            case ipc.LogPage():
                return cut_log(reply, self.seen())
        return reply


def _owner_in(record: Record, thing: str) -> str:
    visit = record.visit(thing)
    if visit is not None:
        return visit.patient_id
    file = record.entries.newest("attachment", thing)
    return file.entry.patient_id if file is not None else ""
