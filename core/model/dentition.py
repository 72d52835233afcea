"""Which teeth a person's chart has: primary, permanent, or both."""

from collections.abc import Iterable
from datetime import date, datetime
from enum import StrEnum
from typing import Final

from core.model.clinical import FIRST_PRIMARY
from core.model.people import ToothState

FIRST_MOLAR: Final = 6
LAST_PRIMARY: Final = 13
"""Ages in years between which both sets stand in a mouth: first permanent molars and incisors come at 6 to 7, the last
primary tooth is shed at 12. Source: ADA, tooth eruption charts, 2005 (check), and a year of grace."""


class Dentition(StrEnum):
    PRIMARY = "primary"
    MIXED = "mixed"
    PERMANENT = "permanent"


def local_day(at_us: int) -> date:
    """The day of a moment (UTC µs) where this machine stands."""
    return datetime.fromtimestamp(at_us / 1_000_000).astimezone().date()


def is_primary(fdi: int) -> bool:
    """ISO 3950: quadrants 5 to 8."""
    return fdi >= FIRST_PRIMARY


def dentition(born: str, today: date, teeth: Iterable[ToothState] = ()) -> Dentition:
    """What the age asks for; both sets where something was noted on a tooth of the other.

    Args:
        born: ISO date; empty or no date when it is not known: then permanent.
        teeth: as they are charted. One of which nothing is noted asks for nothing, nor does a primary one that is gone.
    """
    expected = _at(_age(born, today))
    noted = {is_primary(tooth.fdi) for tooth in teeth if _noted(tooth)}
    if (expected is Dentition.PRIMARY and False in noted) or (expected is Dentition.PERMANENT and True in noted):
        return Dentition.MIXED
    return expected


def _at(age: int | None) -> Dentition:
    if age is None or age >= LAST_PRIMARY:
        return Dentition.PERMANENT
    return Dentition.PRIMARY if age < FIRST_MOLAR else Dentition.MIXED


def _age(born: str, today: date) -> int | None:
    try:
        day = date.fromisoformat(born)
    except ValueError:
        return None
    return today.year - day.year - ((today.month, today.day) < (day.month, day.day))


def _noted(tooth: ToothState) -> bool:
    if is_primary(tooth.fdi):
        return not tooth.missing and bool(tooth.filled or tooth.finding or tooth.planned or tooth.done)
    return tooth.missing or bool(tooth.filled or tooth.finding or tooth.planned or tooth.done)
