"""Commands that change nothing for the patient: streams, memory, time, proofs and what is kept between visits."""

from collections import deque
from typing import Final

from core.model.hub import Opcode, ReceiptCode
from devices.hub.commands import MOST, Acknowledge, Ask, Bare, Tell
from devices.hub.frames import FetchEnd, encode_end
from devices.hub.session.documents import encode_document, encode_journal
from devices.hub.session.wear import encode_events, encode_summaries
from devices.hub.session.wire import DocumentKind
from devices.simulator.client import Client, Outcome
from devices.simulator.parts import Parts

_U32: Final = 0xFFFF_FFFF
_BOOTS_DATED: Final = 256
"""Boots whose beginning is remembered."""


class Bookkeeping:
    """START_STREAM to TIME, ATTEST, JOURNAL, SUMMARIES, EVENTS."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def obey(self, command: Bare | Acknowledge | Tell | Ask, counter: int, client: Client) -> Outcome:
        match command:
            case Acknowledge(sequence):
                known = self._parts.memory.acknowledge(sequence)
                return Outcome(ReceiptCode.DONE if known else ReceiptCode.OUTSIDE_LIMITS)
            case Tell(utc_us):
                return self._time(utc_us)
            case Ask(opcode, _, count) if not 1 <= count <= MOST[opcode]:
                return Outcome(ReceiptCode.OUTSIDE_LIMITS)
            case Ask(Opcode.FETCH, first, count):
                return self._fetch(first, count, counter, client)
            case Ask(opcode, first, count):
                return self._read(opcode, first, count)
            case Bare(Opcode.START_STREAM):
                code = ReceiptCode.ALREADY if client.streaming else ReceiptCode.DONE
                client.streaming = True
                return Outcome(code, self._parts.memory.next_sequence)
            case Bare(Opcode.STOP_STREAM):
                code = ReceiptCode.DONE if client.streaming else ReceiptCode.ALREADY
                client.streaming = False
                return Outcome(code)
            case Bare(Opcode.ATTEST):
                parts = self._parts
                quote = parts.firmware.attest(client.signer, client.session.id, parts.boot)
                return Outcome(ReceiptCode.DONE, document=encode_document(DocumentKind.ATTESTATION, quote))
            case Bare():
                return Outcome(ReceiptCode.DONE, report=True)

    def _time(self, utc_us: int) -> Outcome:
        began = utc_us - self._parts.now_us
        if began <= 0 or utc_us // 1_000_000 > _U32:
            return Outcome(ReceiptCode.OUTSIDE_LIMITS)
        dated = self._parts.store.state.began
        dated[self._parts.boot] = began
        for boot in sorted(dated)[:-_BOOTS_DATED]:
            del dated[boot]
        self._parts.store.save()
        return Outcome(ReceiptCode.DONE)

    def _fetch(self, first: int, count: int, counter: int, client: Client) -> Outcome:
        memory = self._parts.memory
        if client.fetch is not None:
            return Outcome(ReceiptCode.BUSY)
        frames = memory.fetch(first, count)
        if not frames:
            return Outcome(ReceiptCode.NOT_STORED, memory.oldest)
        end = FetchEnd(counter, len(frames), memory.oldest, memory.next_sequence)
        client.fetch = deque([*frames, encode_end(end)])
        return Outcome(ReceiptCode.DONE, len(frames))

    def _read(self, opcode: Opcode, first: int, count: int) -> Outcome:
        """A document with what is kept of what was asked for."""
        wear, logbook = self._parts.wear, self._parts.logbook
        if opcode is Opcode.SUMMARIES:
            return Outcome(ReceiptCode.DONE, document=encode_summaries(wear.days(first, count)))
        oldest = logbook.oldest if opcode is Opcode.JOURNAL else wear.oldest_event
        if first < oldest:
            return Outcome(ReceiptCode.NOT_STORED, oldest)
        if opcode is Opcode.JOURNAL:
            return Outcome(ReceiptCode.DONE, document=encode_journal(first, logbook.read(first, count)))
        events = wear.events(first, count)
        store = self._parts.store
        if events and events[-1].number >= store.state.events_told:
            store.state.events_told = events[-1].number + 1
            store.save()
        return Outcome(ReceiptCode.DONE, document=encode_events(first, events))
