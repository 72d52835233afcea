"""What the world tells a procedure, and what the procedure wants done.

The machine is pure: the engine carries out each `Effect` and feeds what came of it back as an `Event`.
"""

import msgspec

from core.model.hub import HubStatus, PhaseOrder, Receipt
from core.model.limits import Limit
from core.model.procedure import Doubt, Facts
from core.model.words import Text

__all__ = ["Facts"]


class HubReported(msgspec.Struct, frozen=True):
    """The hub's status, just arrived: notified, or read because of `ReadHub`. Never feed one from a cache."""

    status: HubStatus


class ReceiptCame(msgspec.Struct, frozen=True):
    """The hub answered an order. `opcode` 0 is STOP."""

    opcode: int
    receipt: Receipt


class OrderUnknown(msgspec.Struct, frozen=True):
    """An order was sent and no receipt came in time. What the hub did is not known."""

    opcode: int


class OrderRefused(msgspec.Struct, frozen=True):
    """The hub refused an order; or, with no receipt, it could not be sent at all."""

    opcode: int
    receipt: Receipt | None = None


class LinkLost(msgspec.Struct, frozen=True):
    pass


class LinkUp(msgspec.Struct, frozen=True):
    pass


class ConsoleLost(msgspec.Struct, frozen=True):
    """No console is attached any more."""


class EngineRestarted(msgspec.Struct, frozen=True):
    """This view was loaded from the record by a fresh engine."""


class Woke(msgspec.Struct, frozen=True):
    slept_s: float


class ClockJumped(msgspec.Struct, frozen=True):
    """The wall clock was set: a touch given before cannot be timed any more."""

    seconds: float


class LimitCrossed(msgspec.Struct, frozen=True):
    limit: Limit
    value: float


class Distrusted(msgspec.Struct, frozen=True):
    """The hub, or what it says, does not behave as expected."""

    why: Doubt


class DiskFull(msgspec.Struct, frozen=True):
    """The record cannot take more."""


class StopPressed(msgspec.Struct, frozen=True):
    """STOP. `by`: an operator's id, `patient`, or empty when nobody is logged in."""

    by: str = ""


class BaselineSample(msgspec.Struct, frozen=True):
    """Resting values so far.

    Attributes:
        means: channel key → mean since `StartBaseline`, physical.
        seconds: how long it has been measured with fresh data, counted from `StartBaseline`.
    """

    means: dict[str, float]
    seconds: float


class Elapsed(msgspec.Struct, frozen=True):
    """Time went by: `seconds` since the last `Elapsed`. Send one a second."""

    seconds: float


Event = (
    HubReported
    | ReceiptCame
    | OrderUnknown
    | OrderRefused
    | LinkLost
    | LinkUp
    | ConsoleLost
    | EngineRestarted
    | Woke
    | ClockJumped
    | LimitCrossed
    | Distrusted
    | DiskFull
    | StopPressed
    | BaselineSample
    | Elapsed
    | Facts
)


class OrderPhase(msgspec.Struct, frozen=True):
    order: PhaseOrder


class OrderHold(msgspec.Struct, frozen=True):
    pass


class OrderResume(msgspec.Struct, frozen=True):
    pass


class OrderEnd(msgspec.Struct, frozen=True):
    pass


class OrderClear(msgspec.Struct, frozen=True):
    pass


class OrderStop(msgspec.Struct, frozen=True):
    pass


class ReadHub(msgspec.Struct, frozen=True):
    """Read the hub's status afresh; feed it back as `HubReported`."""


class Note(msgspec.Struct, frozen=True):
    """Something for the record's log. `voice`: `patient`, `staff` or `device`."""

    kind: str
    text: Text
    voice: str = "staff"


Effect = OrderPhase | OrderHold | OrderResume | OrderEnd | OrderClear | OrderStop | ReadHub | Note
