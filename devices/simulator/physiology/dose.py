"""What the swarm delivers, as the organs feel it."""

from typing import Final, NamedTuple

REPAIR: Final = 1
"""Module that brings mineral to a tooth; numbers as in `resources/modules`."""
BALANCE: Final = 2
"""Module that favours base makers in the whole mouth."""


class Dose(NamedTuple):
    """Delivered now.

    Attributes:
        share: of the module's full dose; a runaway may exceed 1.
        module: its number on the wire; 0 when none is known, which warms and does nothing else.
        tooth: FDI, 0 for the whole mouth.
    """

    share: float = 0.0
    module: int = 0
    tooth: int = 0


NONE: Final = Dose()


def waste_heat(share: float) -> float:
    """Heat as a share of that of a full dose: what is driven beyond full is spent badly. Illustrative."""
    return share if share <= 1.0 else share * share
