"""Where a simulated hub's commands arrive: counters, kept receipts, answers (docs/hub-protocol.md, section 6)."""

from collections import OrderedDict
from dataclasses import dataclass
from typing import Final

from core.model.hub import HoldCause, Opcode, PhaseOrder, Receipt, ReceiptCode
from devices.errors import FrameError
from devices.hub.commands import MAX_FETCH, Acknowledge, Bare, Fetch, Order, decode_head, decode_order
from devices.hub.frames import FetchEnd, encode_end
from devices.hub.receipts import OPCODE_NO_RECEIPT, OPCODE_STOP, ReceiptNotice, encode_receipt
from devices.simulator.body import Body
from devices.simulator.memory import Memory
from devices.simulator.therapy import Therapy

MIN_MTU: Final = 185
FURTHEST_COUNTER: Final = 65_536
"""One command must not be able to use up all counters."""
_KEPT: Final = 32
_THERAPY: Final = frozenset(
    {Opcode.START_PHASE, Opcode.HOLD, Opcode.RESUME, Opcode.END_PHASE, Opcode.CLEAR},
)


@dataclass(slots=True)
class Session:
    """One link, as the hub sees it.

    Attributes:
        fetch: what is still to be sent for the fetch under way, its end record last; empty when there is none.
    """

    mtu: int = 23
    streaming: bool = False
    fetch: list[bytes] | None = None


class Desk:
    """Answers for one boot.

    Attributes:
        counter: highest counter accepted.
    """

    def __init__(self, boot: int, body: Body, memory: Memory, therapy: Therapy) -> None:
        self.counter = 0
        self._boot = boot
        self._body = body
        self._memory = memory
        self._therapy = therapy
        self._therapy_receipts: OrderedDict[int, bytes] = OrderedDict()
        self._other_receipts: OrderedDict[int, bytes] = OrderedDict()

    def command(self, data: bytes, session: Session) -> bytes:
        """Carry out one command; its receipt.

        Raises:
            FrameError: not even opcode and counter are there, so that no receipt is possible.
        """
        opcode, counter = decode_head(data)
        kept = self._kept(counter)
        if kept is not None:
            return kept
        if counter == 0:
            return self._receipt(opcode, counter, ReceiptCode.MALFORMED)
        if counter <= self.counter:
            return self._receipt(opcode, counter, ReceiptCode.STALE_COUNTER, self.counter)
        if counter > self.counter + FURTHEST_COUNTER:
            return self._receipt(opcode, counter, ReceiptCode.OUTSIDE_LIMITS, self.counter)
        try:
            order = decode_order(data)
        except FrameError:
            return self._receipt(opcode, counter, ReceiptCode.MALFORMED)
        if order is None:
            return self._receipt(opcode, counter, ReceiptCode.UNKNOWN_OPCODE)
        self.counter = counter
        code, detail = self._obey(counter, order, session)
        receipt = self._receipt(opcode, counter, code, detail)
        self._keep(opcode, counter, receipt)
        return receipt

    def stop(self) -> bytes:
        """STOP; its receipt."""
        return self._receipt(OPCODE_STOP, 0, self._therapy.stop())

    def query(self, counter: int) -> bytes:
        """The receipt of that counter once more, or word that there is none."""
        kept = self._kept(counter)
        return kept or self._receipt(OPCODE_NO_RECEIPT, counter, ReceiptCode.NOT_STORED, self.counter)

    def _obey(self, counter: int, order: Order, session: Session) -> tuple[ReceiptCode, int]:
        match order:
            case Acknowledge(sequence):
                known = self._memory.acknowledge(sequence)
                return (ReceiptCode.DONE if known else ReceiptCode.OUTSIDE_LIMITS), 0
            case Fetch():
                return self._fetch(counter, order, session)
            case PhaseOrder():
                if session.mtu < MIN_MTU:
                    return ReceiptCode.OUTSIDE_LIMITS, session.mtu
                return self._therapy.start(order, self._body.warmth.tissue), 0
            case Bare(Opcode.START_STREAM):
                return self._start_stream(session)
            case Bare(Opcode.STOP_STREAM):
                code = ReceiptCode.DONE if session.streaming else ReceiptCode.ALREADY
                session.streaming = False
                return code, 0
            case Bare(opcode):
                return self._treat(opcode), 0

    def _treat(self, opcode: Opcode) -> ReceiptCode:
        match opcode:
            case Opcode.HOLD:
                return self._therapy.hold(HoldCause.COMMAND)
            case Opcode.RESUME:
                return self._therapy.resume(self._body.warmth.tissue)
            case Opcode.END_PHASE:
                return self._therapy.end()
            case Opcode.CLEAR:
                return self._therapy.clear()
            case _:
                return self._therapy.renew()

    def _start_stream(self, session: Session) -> tuple[ReceiptCode, int]:
        if session.mtu < MIN_MTU:
            return ReceiptCode.OUTSIDE_LIMITS, session.mtu
        code = ReceiptCode.ALREADY if session.streaming else ReceiptCode.DONE
        session.streaming = True
        return code, self._memory.next_sequence

    def _fetch(self, counter: int, order: Fetch, session: Session) -> tuple[ReceiptCode, int]:
        if session.fetch is not None:
            return ReceiptCode.BUSY, 0
        if not 1 <= order.count <= MAX_FETCH:
            return ReceiptCode.OUTSIDE_LIMITS, MAX_FETCH
        frames = self._memory.fetch(order.first, order.count)
        oldest = self._memory.oldest
        if not frames:
            return ReceiptCode.NOT_STORED, oldest
        end = FetchEnd(self._boot, counter, len(frames), oldest, self._memory.next_sequence)
        session.fetch = [*frames, encode_end(end)]
        return ReceiptCode.DONE, len(frames)

    def _receipt(self, opcode: int, counter: int, code: ReceiptCode, detail: int = 0) -> bytes:
        receipt = Receipt(
            opcode=opcode,
            counter=counter,
            code=code,
            therapy=self._therapy.state,
            cause=self._therapy.cause,
            hub_time_us=self._body.now_us,
        )
        return encode_receipt(ReceiptNotice(receipt=receipt, detail=detail))

    def _kept(self, counter: int) -> bytes | None:
        return self._therapy_receipts.get(counter) or self._other_receipts.get(counter)

    def _keep(self, opcode: int, counter: int, receipt: bytes) -> None:
        shelf = self._therapy_receipts if opcode in _THERAPY else self._other_receipts
        shelf[counter] = receipt
        if len(shelf) > _KEPT:
            shelf.popitem(last=False)
