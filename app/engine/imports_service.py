"""Signals recorded elsewhere, taken in with a visit: read by the reader process, written by the chair's recorder."""

import asyncio
from collections.abc import Iterator
from typing import TYPE_CHECKING

from app.engine.export_desk import READING
from app.engine.exports_service import ExportsHouse
from app.engine.import_work import unpacked
from app.engine.reader_host import Ticket
from app.ipc.import_messages import ImportRequest, ImportSignals, SignalsImported, SignalsRead
from app.ipc.messages import Reply
from core.exchange.incoming import ImportRefused, Incoming, Taken, import_signals
from core.model.people import Operator
from core.model.progress import Cancelled
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

        async def then(reply: Reply, ticket: Ticket) -> Reply:
            return await self._write(chair, request, reply, ticket, actor)

        return await self._house.exports.run(request, said, then=then)

    async def _write(
        self, chair: "Chair", request: ImportSignals, reply: Reply, ticket: Ticket, actor: Operator
    ) -> Reply:
        """All pieces in one commit, or none of them."""
        pieces = ticket.pieces
        if not isinstance(reply, SignalsRead) or len(pieces) != reply.pieces:
            raise ImportRefused("The file was not read as it should be.", "Try again.")
        self._free(chair)  # a procedure may have begun meanwhile
        at_us = chair.house.clock.utc_us()
        loop = asyncio.get_running_loop()

        def found() -> Iterator[Incoming]:
            catalogue = load_catalogue()
            for number, piece in enumerate(pieces):
                if ticket.cancelled:
                    raise Cancelled
                loop.call_soon_threadsafe(ticket.told, READING + (1 - READING) * number / len(pieces))
                yield unpacked(piece, catalogue)

        def write(record: Record) -> Taken:
            return import_signals(
                record, found(), request.sha256, visit_id=request.visit_id, author=actor.id, at_us=at_us
            )

        taken = await chair.do(write)
        return SignalsImported(stored=taken.stored, known=taken.known)

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
