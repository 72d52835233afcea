"""What consoles are told about the evidence."""

import msgspec

from core.model.words import Text


class ChairEvidence(msgspec.Struct, frozen=True, kw_only=True):
    """Until when a chair's log is witnessed.

    Attributes:
        until_us: UTC µs of the last checkpoint that somebody countersigned; None while there is none.
        witnesses: who countersigned that.
    """

    chair: int
    until_us: int | None
    witnesses: tuple[Text, ...] = ()
