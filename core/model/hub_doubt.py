"""Doubts about a hub that stay until somebody lifts them."""

from typing import Final

import msgspec

from core.model.procedure import Doubt

LASTING: Final = frozenset({Doubt.DOSE, Doubt.REPEATED})
"""What a hub said that cannot be true. A new session, a reboot or a restart proves nothing against it."""


class HubDoubt(msgspec.Struct, frozen=True, kw_only=True):
    """A lasting doubt that stands.

    Attributes:
        serial: whose it is, at whichever chair.
        where: key of the channel where it showed.
        chair: at which it was found.
        found_us: UTC, µs; tells this finding from an earlier one.
    """

    serial: str
    doubt: Doubt
    where: str = ""
    chair: int
    found_us: int
