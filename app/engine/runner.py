"""Carries out what a procedure wants: writes the audit log before each order and after it.

The machine in `core/procedure` decides; this file only acts. Orders that start dose wait in a queue; orders that end
it do not.
"""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable
from typing import Protocol

from app.engine.clock import AsyncClock
from app.engine.hub_envelope import hub_envelope
from app.engine.recorder import Recorder
from core.model.hub import HubStatus, Opcode, PhaseOrder, Receipt
from core.model.intents import Intent
from core.model.people import Operator
from core.model.procedure import ProcedureView
from core.procedure.events import (
    Effect,
    Event,
    HubReported,
    Note,
    OrderClear,
    OrderEnd,
    OrderHold,
    OrderPhase,
    OrderRefused,
    OrderResume,
    OrderStop,
    OrderUnknown,
    ReadHub,
    ReceiptCame,
)
from core.procedure.machine import ProcedureMachine
from core.record import Record
from devices.hub.credentials import Clinician
from devices.hub.errors import CommandUnknown, HubUnreachable
from devices.hub.session.envelope import HubEnvelope

log = logging.getLogger(__name__)

NOBODY = "workstation"
"""The actor of what no person asked for."""


class Hub(Protocol):
    """What the runner needs of a hub's driver."""

    async def start_phase(self, order: PhaseOrder, envelope: HubEnvelope, by: Clinician) -> Receipt: ...
    async def hold(self) -> Receipt: ...
    async def resume(self, envelope: HubEnvelope, by: Clinician) -> Receipt: ...
    async def end_phase(self, procedure: str, by: Clinician) -> Receipt: ...
    async def clear(self, procedure: str, by: Clinician) -> Receipt: ...
    async def stop(self) -> Receipt: ...
    async def read_status(self) -> HubStatus: ...


class ProcedureRunner:
    """One procedure on one chair.

    Args:
        clinician: who signs what this actor orders; None when nobody can.
        proven: whether the hub is as it should be; what begins dose is not sent to one that is not.

    Attributes:
        machine: the state machine; read `machine.view`.
    """

    def __init__(
        self,
        machine: ProcedureMachine,
        *,
        hub: Callable[[], Hub | None],
        clinician: Callable[[str], Clinician | None],
        proven: Callable[[], bool | None],
        recorder: Recorder,
        clock: AsyncClock,
        changed: Callable[[], None],
        noted: Callable[[Note, str], None],
        unknown: Callable[[Opcode | None], None],
    ) -> None:
        self.machine = machine
        self._hub = hub
        self._clinician = clinician
        self._proven = proven
        self._recorder = recorder
        self._clock = clock
        self._changed = changed
        self._noted = noted
        self._unknown = unknown
        self._author = NOBODY
        self._halts = 0
        self._tasks: set[asyncio.Task[None]] = set()
        self._orders: asyncio.Queue[tuple[int, str, Effect]] = asyncio.Queue()
        self._worker = asyncio.create_task(self._work())

    @property
    def view(self) -> ProcedureView:
        return self.machine.view

    def act(self, intent: Intent, *, actor: Operator, revision: int | None) -> None:
        """Do what a person wants. Raises Refusal."""
        before = self.machine.view
        effects = self.machine.act(intent, actor=actor, at_us=self._clock.utc_us(), revision=revision)
        self._settle(before, effects, actor.id)

    def observe(self, event: Event, *, actor: str = NOBODY) -> None:
        """Tell the procedure what happened."""
        before = self.machine.view
        effects = self.machine.observe(event, at_us=self._clock.utc_us())
        self._settle(before, effects, actor)

    async def close(self) -> None:
        self._worker.cancel()
        for task in list(self._tasks):
            task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._worker

    async def settled(self) -> None:
        """Wait until every order given so far has been carried out."""
        await self._orders.join()
        while pending := list(self._tasks):
            await asyncio.gather(*pending, return_exceptions=True)
            # Where all are done already, gather returns at once: their callbacks have not taken them away yet.
            self._tasks.difference_update(pending)

    def _settle(self, before: ProcedureView, effects: tuple[Effect, ...], actor: str) -> None:
        """Persist the transition, then let its effects run."""
        view = self.machine.view
        if view != before:
            if _worth_a_version(before, view):
                at_us = self._clock.utc_us()
                self._recorder.note(lambda record: record.save_procedure(view, author=actor, at_us=at_us))
            self._changed()
        for effect in effects:
            self._dispatch(effect, actor)

    def _dispatch(self, effect: Effect, actor: str) -> None:
        if isinstance(effect, Note):
            self._noted(effect, actor)
        elif isinstance(effect, OrderStop | OrderHold):
            self._halts += 1
            self._spawn(self._halt(effect, actor))
        elif isinstance(effect, ReadHub):
            self._spawn(self._read_hub())
        else:
            self._orders.put_nowait((self._halts, actor, effect))

    def _spawn(self, work: Awaitable[None]) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _work(self) -> None:
        while True:
            halts, actor, effect = await self._orders.get()
            try:
                await self._order(effect, actor, halts)
            except Exception:
                log.exception("order failed: %s", type(effect).__name__)
                self.observe(OrderRefused(_opcode(effect)))
            finally:
                self._orders.task_done()

    async def _halt(self, effect: OrderStop | OrderHold, actor: str) -> None:
        """Send first, write afterwards: nothing may stand before a halt."""
        hub = self._hub()
        opcode = _opcode(effect)
        self._audit("command.intended", actor, {"opcode": opcode})
        if hub is None:
            self._unsent(opcode, actor, "no hub")
            return
        await self._send(hub.stop if isinstance(effect, OrderStop) else hub.hold, opcode, actor)

    async def _order(self, effect: Effect, actor: str, halts: int) -> None:
        opcode = _opcode(effect)
        body: dict[str, object] = {"opcode": opcode}
        if isinstance(effect, OrderPhase):
            body["order"] = effect.order
        if isinstance(effect, OrderClear) and self._clinician(actor) is None:
            return  # nobody can sign; the hub's next word asks for it again
        await self._intend(actor, body)
        begins = isinstance(effect, OrderPhase | OrderResume)
        if halts != self._halts and begins:
            self._unsent(opcode, actor, "overtaken")
        elif begins and self._proven() is not True:
            self._unsent(opcode, actor, "the hub is not proven")
        else:
            call = self._call(effect, actor)
            if isinstance(call, str):
                self._unsent(opcode, actor, call)
            else:
                await self._send(call, opcode, actor)

    def _call(self, effect: Effect, actor: str) -> Callable[[], Awaitable[Receipt]] | str:
        """What sends the order, signed; or why it cannot be sent."""
        hub, by, procedure = self._hub(), self._clinician(actor), self.view.visit_id
        envelope = hub_envelope(self.machine.modules, self.view)
        if hub is None:
            return "no hub"
        if by is None:
            return "no clinician is logged in"
        match effect:
            case OrderPhase(order=order) if envelope is not None:
                return lambda: hub.start_phase(order, envelope, by)
            case OrderResume() if envelope is not None:
                return lambda: hub.resume(envelope, by)
            case OrderEnd():
                return lambda: hub.end_phase(procedure, by)
            case OrderClear():
                return lambda: hub.clear(procedure, by)
        return "no consent"

    def _unsent(self, opcode: int, actor: str, reason: str) -> None:
        self._audit("command.unsent", actor, {"opcode": opcode, "reason": reason})
        self.observe(OrderRefused(opcode))

    async def _send(self, call: Callable[[], Awaitable[Receipt]], opcode: int, actor: str) -> None:
        try:
            receipt = await call()
        except CommandUnknown as error:
            self._audit("command.unknown", actor, {"opcode": opcode, "reason": str(error)})
            self._unknown(Opcode(opcode) if opcode else None)
            self.observe(OrderUnknown(opcode))
        except HubUnreachable as error:
            self._audit("command.unsent", actor, {"opcode": opcode, "reason": str(error)})
            self.observe(OrderRefused(opcode))
        else:
            self._audit("command.receipt", actor, {"opcode": opcode, "code": int(receipt.code), "raw": receipt.raw})
            self.observe(ReceiptCame(opcode, receipt) if receipt.accepted else OrderRefused(opcode, receipt))

    async def _read_hub(self) -> None:
        hub = self._hub()
        if hub is None:
            return
        try:
            status = await hub.read_status()
        except (CommandUnknown, HubUnreachable) as error:
            log.info("the hub's status could not be read: %s", error)
            return
        self.observe(HubReported(status))

    async def _intend(self, actor: str, body: dict[str, object]) -> None:
        """Nothing that starts dose is sent before it stands in the audit log. Raises RecordError when it cannot."""
        await asyncio.wrap_future(self._recorder.do(self._entry("command.intended", actor, body)))

    def _audit(self, kind: str, actor: str, body: dict[str, object]) -> None:
        """Write down what happened, as soon as that can be done."""
        self._recorder.note(self._entry(kind, actor, body))

    def _entry(self, kind: str, actor: str, body: dict[str, object]) -> Callable[[Record], object]:
        at_us = self._clock.utc_us()
        body = {"visit": self.view.visit_id, "phase": self.view.current_phase, **body}
        return lambda record: record.audit(kind, actor=actor, at_us=at_us, body=body)


def _opcode(effect: Effect) -> int:
    """The wire number of the order an effect stands for; 0 is STOP."""
    opcodes: dict[type, Opcode] = {
        OrderPhase: Opcode.START_PHASE,
        OrderHold: Opcode.HOLD,
        OrderResume: Opcode.RESUME,
        OrderEnd: Opcode.END_PHASE,
        OrderClear: Opcode.CLEAR,
    }
    return int(opcodes.get(type(effect), 0))


def _worth_a_version(before: ProcedureView, after: ProcedureView) -> bool:
    """Whether more than measured progress changed: the elapsed time of a phase stands in the hub, too."""
    return before.revision != after.revision
