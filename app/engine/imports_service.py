"""Signals recorded elsewhere, taken in with a visit: read by the reader process, written by the chair's recorder."""

import asyncio
from typing import TYPE_CHECKING

from app.engine.exports_service import ExportsHouse
from app.engine.import_work import unpacked
from app.ipc.import_messages import ImportRequest, ImportSignals, SignalsImported, SignalsRead
from app.ipc.messages import Reply
from core.exchange.incoming import import_signals
from core.model.people import Operator
from core.model.words import Text
from core.procedure.refusal import Refusal
from core.record import Record
from core.signals.catalogue import load_catalogue

if TYPE_CHECKING:
    from app.engine.chair import Chair


class ImportsService:
    """Whoever asks is logged in. Assistants may do it, too; who did it stands with the visit and in the audit log."""

    def __init__(self, house: ExportsHouse) -> None:
        self._house = house

    async def serve(self, request: ImportRequest, actor: Operator) -> Reply:
        """Raises Refusal, ImportRefused, RecordError."""
        said = Text("record.job.reading")  # without the name of the file: it may be a person's
        if not isinstance(request, ImportSignals):
            return await self._house.exports.run(request, said)
        chair = await self._free_chair(request)
        reply = await self._house.exports.run(request, said)
        if not isinstance(reply, SignalsRead):
            return reply
        found = await asyncio.to_thread(unpacked, reply, load_catalogue())
        self._free(chair)  # a procedure may have begun meanwhile
        at_us = chair.house.clock.utc_us()

        def write(record: Record) -> int:
            return import_signals(
                record, found, request.sha256, visit_id=request.visit_id, author=actor.id, at_us=at_us
            )

        stored = await chair.do(write)
        return SignalsImported(stored=stored, known=sum(len(one.samples) for one in found) - stored)

    async def _free_chair(self, request: ImportSignals) -> "Chair":
        chair = self._house.chairs.get(request.chair)
        if chair is None:
            raise Refusal("chair", Text("refused.chair", {"chair": request.chair}), None)
        self._free(chair)
        if await chair.do(lambda record: record.visit(request.visit_id)) is None:
            raise Refusal("unknown_visit", Text("refused.unknown_visit"), None)
        return chair

    @staticmethod
    def _free(chair: "Chair") -> None:
        """One large commit would keep what a running procedure records waiting."""
        if chair.view is not None and chair.view.treating:
            remedy = Text("refused.import_treating_remedy")
            raise Refusal("import_treating", Text("refused.import_treating"), remedy)
