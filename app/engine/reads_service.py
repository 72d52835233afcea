"""Serves what is read from the records, by the reader process, and writes down who looked at whom."""

from typing import TYPE_CHECKING

import msgspec

from app.engine.reader_wire import ReadRequest
from app.engine.workstation import Workstation, chair_of
from app.ipc import messages as ipc
from app.ipc.access_messages import ListViews, PrintViews, Views
from app.ipc.backup_messages import ListOverdue
from app.ipc.clinical_messages import ReadAttachment, SaveAttachment, SearchHits, SearchRecords

if TYPE_CHECKING:
    from app.engine.chair import Chair


class ReadsService:
    """Whoever asks was admitted by `Access`."""

    def __init__(self, house: Workstation) -> None:
        self._house = house

    async def serve(self, request: ReadRequest) -> ipc.Reply:
        """Answered by the reader process, for an operator who is logged in; who looked at whom is written down.

        What was done before is in the files before they are read: a visit just signed is complete. A search waits for
        nothing.
        """
        if isinstance(request, SearchRecords):
            return self._listed(await self._house.reader.request(self._house.access.narrowed(request)))
        if isinstance(request, ipc.ListPatients):
            request = self._house.access.narrowed(request)
        await self._look(request)
        for chair in self._read_from(request):
            await chair.do(lambda record: None)
            if isinstance(request, ipc.MakeReport | PrintViews):
                await self._house.seal(chair.number, "export")
        return self._listed(self._with_names(await self._house.reader.request(request)))

    def _read_from(self, request: ReadRequest) -> tuple["Chair", ...]:
        """The chairs whose files an answer is read from."""
        match request:
            case (
                ipc.GetTimeline()
                | ListViews()
                | PrintViews()
                | SearchRecords()
                | ipc.ListPatients()
                | ListOverdue()
                | ipc.ListLog(chair=0)
            ):
                return tuple(self._house.chairs.values())
            case _:
                return (chair_of(self._house, request.chair),)

    def _listed(self, reply: ipc.Reply) -> ipc.Reply:
        """Write down whose names come up in a list; a list by codes names nobody."""
        match reply:
            case SearchHits(hits=hits):
                found = [hit.patient.id for hit in hits]
            case ipc.Patients(patients=patients):
                found = [one.id for one in patients]
            case _:
                return reply
        access = self._house.access
        self._house.views.listed([one for one in dict.fromkeys(found) if access.seen(one).identities])
        return reply

    async def _look(self, request: ReadRequest) -> None:
        """Write down what is looked at; a log is nobody's."""
        viewed = self._house.views.viewed
        match request:
            case ipc.GetTimeline():
                viewed("timeline", 0, patient=request.patient_id)
            case ListViews():
                viewed("views", 0, patient=request.patient_id)
            case PrintViews():
                viewed("views", 0, patient=request.patient_id, format="pdf")
            case ipc.GetVisit():
                viewed("visit", chair_of(self._house, request.chair).number, visit=request.visit_id)
            case ipc.MakeReport():
                viewed("report", chair_of(self._house, request.chair).number, visit=request.visit_id)
            case ipc.ReadRange():
                viewed("signals", chair_of(self._house, request.chair).number, visit=request.visit_id, once=True)
            case ReadAttachment() | SaveAttachment():
                chair = chair_of(self._house, request.chair)
                patient = await self._house.access.patient_of(request)
                viewed("attachment", chair.number, patient=patient, attachment=request.attachment_id)

    def _with_names(self, reply: ipc.Reply) -> ipc.Reply:
        """The record knows people by id; who reads a log or a time line knows them by name."""
        names, replace = self._house.people.names(), msgspec.structs.replace
        match reply:
            case ipc.Timeline(entries=rows):
                named = (replace(row, author=names.get(row.author, row.author)) for row in rows)
                return replace(reply, entries=tuple(named))
            case ipc.LogPage(entries=lines):
                signed = (replace(line, actor=names.get(line.actor, line.actor)) for line in lines)
                return replace(reply, entries=tuple(signed))
            case Views(views=views):
                return Views(views=tuple(replace(view, who=names.get(view.who, view.who)) for view in views))
        return reply
