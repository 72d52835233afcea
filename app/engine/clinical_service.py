"""Clinical entries as people write them: who may, into whose record, and its audit entry in the same commit."""

import asyncio
import hashlib
from collections.abc import Callable
from functools import singledispatchmethod
from typing import TYPE_CHECKING, Protocol

import msgspec

from app.engine.people_desk import PeopleDesk, no
from app.ipc import clinical_messages as ipc
from app.ipc.messages import Reply
from core.model import cbor
from core.model.clinical import BY_HAND, Attachment, Entry, EntryVersion, Written, kind_of
from core.model.ids import new_id
from core.model.people import Operator
from core.people.clinical import settled
from core.people.permissions import load_permissions
from core.record import Record
from core.record.attachments import described, pieces

if TYPE_CHECKING:
    from app.engine.chair import Chair


class ClinicalHouse(Protocol):
    """What is needed of the engine around."""

    chairs: "dict[int, Chair]"
    people: PeopleDesk


class ClinicalService:
    """Whoever asks is logged in; what they may write follows from their role."""

    def __init__(self, house: ClinicalHouse) -> None:
        self._house = house

    @singledispatchmethod
    async def serve(self, request: ipc.ClinicalRequest, actor: Operator) -> Reply:
        """Raises Refusal, EntryRefused, AttachmentRefused, RecordError."""
        raise TypeError(type(request).__name__)

    @serve.register
    async def _add(self, request: ipc.AddEntry, actor: Operator) -> Reply:
        self._allowed(actor, request.entry)
        if isinstance(request.entry, Attachment):
            raise no("attachment_bytes")
        chair = await self._chair_for(request.chair, request.entry.patient_id)
        return self._saved(await chair.do(self._adding(chair, request.entry, actor)))

    @serve.register
    async def _attach(self, request: ipc.AddAttachment, actor: Operator) -> Reply:
        """In pieces, so that samples are committed between them; the entry that makes them count comes last."""
        self._allowed(actor, request.entry)
        # Hashing takes its time, and the loop has STOP to carry.
        named = msgspec.structs.replace(request.entry, id=new_id())
        entry = await asyncio.to_thread(described, named, request.data)
        settled(entry)
        chair = await self._chair_for(request.chair, entry.patient_id)
        for number, piece in enumerate(pieces(request.data)):
            await chair.do(
                lambda record, number=number, piece=piece: record.attachments.put(entry.id, number, piece)  # type: ignore[misc]
            )
        return self._saved(await chair.do(self._adding(chair, entry, actor)))

    @serve.register
    async def _correct(self, request: ipc.CorrectEntry, actor: Operator) -> Reply:
        self._allowed(actor, request.entry)
        chair = self._chair(request.chair)
        at_us = chair.house.clock.utc_us()

        def write(record: Record) -> EntryVersion:
            row = record.entries.correct(
                request.entry, version=request.version, author=actor.id, reason=request.reason, at_us=at_us
            )
            record.audit("entry.corrected", actor=actor.id, at_us=at_us, body=_body(row))
            return row

        return self._saved(await chair.do(write))

    # helpers

    @staticmethod
    def _adding(chair: "Chair", entry: Entry, actor: Operator) -> Callable[[Record], EntryVersion]:
        now_us = chair.house.clock.utc_us()
        visit = chair.visits.now
        at_us = min(entry.at_us, now_us) or now_us
        if not entry.visit_id and visit is not None and visit.open and visit.patient.id == entry.patient_id:
            entry = msgspec.structs.replace(entry, visit_id=visit.summary.id)
        entry = msgspec.structs.replace(entry, id=entry.id or new_id(), at_us=at_us, withdrawn=False)

        def write(record: Record) -> EntryVersion:
            row = record.entries.add(entry, author=actor.id, at_us=now_us)
            record.audit("entry.added", actor=actor.id, at_us=now_us, body=_body(row))
            return row

        return write

    @staticmethod
    def _allowed(actor: Operator, entry: Written) -> None:
        if not isinstance(entry, BY_HAND):
            raise no("entry_kind")
        if not load_permissions().may_write(actor, type(entry)):
            raise no("role")

    def _chair(self, number: int) -> "Chair":
        chair = self._house.chairs.get(number)
        if chair is None:
            raise no("chair", chair=number)
        return chair

    async def _chair_for(self, number: int, patient_id: str) -> "Chair":
        """The chair that was named, or where the patient sits or was last. Raises Refusal: nobody knows the patient."""
        if number:
            return self._chair(number)
        newest: tuple[int, Chair] | None = None
        for chair in self._house.chairs.values():
            visit = chair.visits.now
            if visit is not None and visit.open and visit.patient.id == patient_id:
                return chair
            known_us = await chair.do(lambda record: record.known_since(patient_id))
            if known_us is not None and (newest is None or known_us > newest[0]):
                newest = (known_us, chair)
        if newest is None:
            raise no("unknown_patient")
        return newest[1]

    def _saved(self, row: EntryVersion) -> Reply:
        names = self._house.people.names()
        return ipc.EntrySaved(row=msgspec.structs.replace(row, author=names.get(row.author, row.author)))


def _body(row: EntryVersion) -> dict[str, object]:
    """What binds the log to the entry, without its words."""
    return {
        "kind": kind_of(row.entry),
        "entry": row.entry.id,
        "version": row.version,
        "patient": row.entry.patient_id,
        "sha256": hashlib.sha256(cbor.encode(row.entry)).digest(),
    }
