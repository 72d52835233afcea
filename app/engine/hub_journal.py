"""What a hub's journal tells beside commands, for the audit log."""

from collections.abc import Iterable

import msgspec

from core.model.hub import HoldCause
from devices.hub.session.journal import JournalEntry
from devices.hub.session.wire import JournalEvent, Refusal


class Told(msgspec.Struct, frozen=True):
    """Something that happened at a hub, as its journal has it. `kind`, `body`: of the audit entry."""

    kind: str
    body: dict[str, object]


OPENED = "hub.opened_by_hand"


def told(entries: Iterable[JournalEntry]) -> list[Told]:
    """What nobody ordered: a hold by the hub itself, sessions that it refused, its enrolment opened by hand.

    An event that only a later minor version knows is passed over.
    """
    return [one for entry in entries if (one := _told(entry)) is not None]


def _told(entry: JournalEntry) -> Told | None:
    when: dict[str, object] = {"entry": entry.number, "boot": entry.boot, "hub_time_us": entry.hub_time_us}
    match entry.opcode:
        case JournalEvent.HELD:
            return Told("hub.held_by_itself", {**when, "cause": _name(HoldCause, entry.code)})
        case JournalEvent.SESSION_REFUSED:
            reason = _name(Refusal, entry.code)
            return Told("hub.refused_sessions", {**when, "reason": reason, "so_far": max(1, entry.counter)})
        case JournalEvent.OPENED:
            return Told(OPENED, when)
        case _:
            return None


def _name(names: type[HoldCause] | type[Refusal], number: int) -> str:
    return next((name.name for name in names if name == number), str(number))
