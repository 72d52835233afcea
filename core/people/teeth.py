"""Odontograms before and after a visit."""

from collections.abc import Sequence

import msgspec

from core.model.clinical import SURFACES
from core.model.dentition import Dentition
from core.model.people import ToothState

__all__ = ["PERMANENT", "PRIMARY", "SURFACES", "after_visit", "healthy_teeth"]

PERMANENT = tuple(quadrant * 10 + place for quadrant in (1, 2, 3, 4) for place in range(1, 9))
PRIMARY = tuple(quadrant * 10 + place for quadrant in (5, 6, 7, 8) for place in range(1, 6))


def healthy_teeth(dentition: Dentition = Dentition.PERMANENT) -> tuple[ToothState, ...]:
    """A full set of teeth with nothing noted: where the charting of a new patient begins. In mixed dentition the
    permanent ones; primary teeth come in with what is noted on them."""
    return tuple(ToothState(fdi=fdi) for fdi in (PRIMARY if dentition is Dentition.PRIMARY else PERMANENT))


def after_visit(teeth: Sequence[ToothState]) -> tuple[ToothState, ...]:
    """The odontogram for the next visit: what was done counts as filled and no longer as a finding."""
    settled: list[ToothState] = []
    for tooth in teeth:
        filled = "".join(surface for surface in SURFACES if surface in tooth.filled + tooth.done)
        finding = "".join(surface for surface in tooth.finding if surface not in tooth.done)
        settled.append(msgspec.structs.replace(tooth, filled=filled, finding=finding, done=""))
    return tuple(settled)
