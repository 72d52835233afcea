"""Odontograms before and after a visit."""

from collections.abc import Sequence

import msgspec

from core.model.clinical import SURFACES
from core.model.people import ToothState

__all__ = ["PERMANENT", "SURFACES", "after_visit", "healthy_teeth"]

PERMANENT = tuple(quadrant * 10 + place for quadrant in (1, 2, 3, 4) for place in range(1, 9))


def healthy_teeth() -> tuple[ToothState, ...]:
    """A full set of permanent teeth with nothing noted: where the charting of a new patient begins."""
    return tuple(ToothState(fdi=fdi) for fdi in PERMANENT)


def after_visit(teeth: Sequence[ToothState]) -> tuple[ToothState, ...]:
    """The odontogram for the next visit: what was done counts as filled and no longer as a finding."""
    settled: list[ToothState] = []
    for tooth in teeth:
        filled = "".join(surface for surface in SURFACES if surface in tooth.filled + tooth.done)
        finding = "".join(surface for surface in tooth.finding if surface not in tooth.done)
        settled.append(msgspec.structs.replace(tooth, filled=filled, finding=finding, done=""))
    return tuple(settled)
