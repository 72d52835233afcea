"""Which teeth there are, and how saliva, sugar and plaque meet at each."""

import random
from typing import Final

import numpy as np

from core.model.errors import SmilescapeError
from devices.simulator.physiology.drift import Floats
from devices.simulator.physiology.figures import Jaw, Physiology, ToothKind

_ADULT: Final = tuple(quadrant * 10 + place for quadrant in (1, 2, 3, 4) for place in range(1, 9))
_MILK: Final = tuple(quadrant * 10 + place for quadrant in (5, 6, 7, 8) for place in range(1, 6))
_WISDOM: Final = 8
_HAS_WISDOM: Final = 0.5
"""How likely each wisdom tooth is there. Illustrative."""
_KINDS: Final[tuple[ToothKind, ...]] = (
    "incisor",
    "incisor",
    "canine",
    "premolar",
    "premolar",
    "molar",
    "molar",
    "molar",
)
_MILK_KINDS: Final[tuple[ToothKind, ...]] = ("incisor", "incisor", "canine", "molar", "molar")


class NoSuchTooth(SmilescapeError):  # noqa: N818 - named for what is the case
    """A number that no tooth has."""

    code = "simulator.tooth"


def usual_teeth(person: int) -> tuple[int, ...]:
    """FDI numbers of this person's teeth, always the same: 28, and wisdom teeth as it happens."""
    chance = random.Random(f"teeth {person}")
    return tuple(fdi for fdi in _ADULT if fdi % 10 != _WISDOM or chance.random() < _HAS_WISDOM)


def kind_of(fdi: int) -> tuple[Jaw, ToothKind]:
    """Where a tooth stands and what it is. Raises NoSuchTooth."""
    if fdi not in _ADULT and fdi not in _MILK:
        raise NoSuchTooth(f"{fdi} is the number of no tooth.", "Use ISO 3950 numbers, such as 26 or 54.")
    quadrant, place = divmod(fdi, 10)
    kinds = _KINDS if fdi in _ADULT else _MILK_KINDS
    return ("upper" if quadrant in (1, 2, 5, 6) else "lower"), kinds[place - 1]


class Teeth:
    """The teeth that are there, in the order of every array of shape (teeth,).

    Attributes:
        fdi: their ISO 3950 numbers.
        access, thickness, reach: of their approximal sites, shape (teeth,); see `figures.Site`.

    Raises:
        NoSuchTooth: a number that no tooth has, one that stands twice, or no tooth at all.
    """

    def __init__(self, fdi: tuple[int, ...], figures: Physiology) -> None:
        if not fdi or len(set(fdi)) != len(fdi):
            raise NoSuchTooth("There is no tooth, or one stands twice.", "Name each tooth that is there once.")
        sites = {(site.jaw, site.kind): site for site in figures.site}
        mine = [sites[kind_of(one)] for one in fdi]
        self.fdi = fdi
        self.access: Floats = np.array([site.access for site in mine])
        self.thickness: Floats = np.array([site.thickness for site in mine])
        self.reach: Floats = np.array([site.reach for site in mine])

    def __len__(self) -> int:
        return len(self.fdi)

    def index(self, fdi: int) -> int | None:
        """Where this tooth stands in the arrays; None when it is not there."""
        return self.fdi.index(fdi) if fdi in self.fdi else None
