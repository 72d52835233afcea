"""What consoles ask to be written for other programs. Whose data went out stands in the audit log."""

import asyncio
from functools import singledispatchmethod
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import msgspec

from app.engine.export_desk import ExportDesk
from app.engine.reader_wire import JobRequest, scratch_in
from app.engine.view_log import ViewLog
from app.ipc import export_messages as ipc
from app.ipc.messages import Done, Reply
from core.model.people import Operator
from core.model.words import Text
from core.procedure.refusal import Refusal
from core.record.drafts import free_name

if TYPE_CHECKING:
    from app.engine.chair import Chair


class ExportsHouse(Protocol):
    """What is needed of the engine around."""

    chairs: "dict[int, Chair]"
    exports: ExportDesk
    views: ViewLog

    @property
    def data_folder(self) -> str: ...
    async def seal(self, chair: int, reason: str) -> None: ...


class ExportsService:
    """Whoever asks is logged in. Assistants may do all of it."""

    def __init__(self, house: ExportsHouse) -> None:
        self._house = house

    async def serve(self, request: ipc.ExportRequest, actor: Operator) -> Reply:
        """Raises Refusal."""
        return await self._serve(request, actor)

    @singledispatchmethod
    async def _serve(self, request: ipc.ExportRequest, actor: Operator) -> Reply:
        raise TypeError(type(request).__name__)

    @_serve.register
    async def _samples(self, request: ipc.ExportSamples, actor: Operator) -> Reply:
        chair = self._chair(request.chair)
        self._house.views.viewed("export", chair.number, visit=request.visit_id, by=actor, format=request.format)
        await self._settle(chair)
        return await self._run(request, Path(request.path))

    @_serve.register
    async def _fhir(self, request: ipc.ExportFhir, actor: Operator) -> Reply:
        chair = self._chair(request.chair)
        every = request.every_visit
        self._house.views.viewed("fhir", chair.number, visit=request.visit_id, by=actor, every_visit=every)
        await self._settle(*self._house.chairs.values())  # people write and look wherever they are
        return await self._run(request, Path(request.path))

    @_serve.register
    async def _day(self, request: ipc.ExportDay, actor: Operator) -> Reply:
        await self._settle(*self._house.chairs.values())
        path = await asyncio.to_thread(free_name, Path(request.folder) / Path(request.name).name)
        request = msgspec.structs.replace(request, name=path.name)
        reply = await self._run(request, path)
        if isinstance(reply, ipc.DayMade):
            for one in reply.made:
                self._house.views.viewed("report", one.chair, visit=one.visit_id, by=actor, format=request.format)
        return reply

    @_serve.register
    async def _pack(self, request: ipc.MakePack, actor: Operator) -> Reply:
        await self._settle(*self._house.chairs.values())
        path = await asyncio.to_thread(free_name, Path(request.folder) / Path(request.name).name)
        request = msgspec.structs.replace(request, name=path.name)
        reply = await self._run(request, path, scratch_in(Path(self._house.data_folder)))
        if isinstance(reply, ipc.PackMade):
            for number, visit_id in reply.visits:
                self._house.views.viewed("pack", number, visit=visit_id, by=actor)
        return reply

    @_serve.register
    async def _cancel(self, request: ipc.CancelJob, actor: Operator) -> Reply:
        self._house.exports.cancel(request.id)
        return Done()

    async def _settle(self, *chairs: "Chair") -> None:
        """What was done before is in the files before they are read, and signed as far as it goes."""
        for chair in chairs:
            await chair.do(lambda record: None)
            await self._house.seal(chair.number, "export")

    async def _run(self, request: JobRequest, *made: Path) -> Reply:
        """`made`: what is made, by whose name the job goes, and what may lie about besides."""
        said = Text("record.job.exporting", {"name": made[0].name})
        return await self._house.exports.run(request, said, *made)

    def _chair(self, number: int) -> "Chair":
        chair = self._house.chairs.get(number)
        if chair is None:
            raise Refusal("chair", Text("refused.chair", {"chair": number}), None)
        return chair
