"""Lifting a doubt about a hub: who may, when, and what is written down."""

from typing import Protocol

import msgspec

from app.engine.doubts_desk import DoubtsDesk, reason_of
from app.engine.keys_service import KeysHouse
from app.ipc.doubt_messages import LiftDoubt
from core.model.people import Operator
from core.model.words import Text
from core.procedure.refusal import Refusal


class DoubtsHouse(KeysHouse, Protocol):
    """What is needed of the engine around."""

    doubts: DoubtsDesk


def lift_doubt(house: DoubtsHouse, request: LiftDoubt, actor: Operator) -> str:
    """The hub may treat again, as far as this doubt goes; its serial. Nothing that is held goes on by itself.

    Raises:
        Refusal: no reason, therapy runs with this hub, or the doubt is not the one that was looked at.
        RecordError: it could not be written, and the doubt stands.
    """
    reason = reason_of(request.reason)
    worn = [chair for chair in house.chairs.values() if chair.hub is not None and chair.hub.serial == request.serial]
    if any(chair.view is not None and chair.view.treating for chair in worn):
        raise _no("treating", "treating_remedy")
    lifted = house.doubts.lift(request.serial, request.doubt, found_us=request.found_us)
    what = f"@doubt.what.{lifted.doubt.value}"
    said = Text("log.doubt.lifted", {"serial": lifted.serial, "what": what, "reason": reason})
    body = {**msgspec.to_builtins(lifted), "reason": reason}
    house.audit("trust.lifted", said, actor.id, body, chair=lifted.chair)
    for chair in worn:
        if chair.hub is not None:
            chair.hub.trust.settle(lifted.doubt)
    house.touched()
    return lifted.serial


def _no(code: str, remedy: str | None = None) -> Refusal:
    return Refusal(code, Text(f"refused.{code}"), Text(f"refused.{remedy}") if remedy else None)
