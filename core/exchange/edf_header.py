"""What an EDF header can say: ASCII, in fields of 8, 16 and 80 characters."""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Final

from edfio import EdfSignal
from edfio import Patient as EdfPatient

from core.model.people import Patient
from core.record import RecordedChannel

LOWEST, HIGHEST = -32768, 32767
_LABEL, _DIMENSION, _NUMBER, _LONG = 16, 8, 8, 80
_DIMENSIONS: Final = {"Cel": "degC"}
"""As the EDF+ standard texts spell them; every other unit keeps its UCUM code."""
_ELSEWHERE: Final = "manifest"
"""In place of a unit that does not fit."""


@dataclass(frozen=True, slots=True)
class PhysicalRange:
    """The header's physical minimum and maximum for the raw range of int16, as it has them: at most 8 characters.

    `exact`: they give scale and offset as they are.
    """

    low: str
    high: str
    exact: bool


def physical_range(channel: RecordedChannel) -> PhysicalRange:
    """The samples are the record's own, whatever this says: reading software multiplies them back to units with it."""
    scale, offset = Decimal(repr(channel.scale)), Decimal(repr(channel.offset))
    ends = [raw * scale + offset for raw in (LOWEST, HIGHEST)]
    low, high = (_number(end) for end in ends)
    return PhysicalRange(low, high, exact=[Decimal(low), Decimal(high)] == ends)


def labels(channels: Sequence[RecordedChannel]) -> list[str]:
    """A label of at most 16 characters for each, all different."""
    given: list[str] = []
    for channel in channels:
        key = ascii_only(channel.key)
        label = (key if len(key) <= _LABEL else key.replace("temperature", "temp"))[:_LABEL]
        number = 2
        while label in given:
            label = f"{label[: _LABEL - 3]}~{number}"
            number += 1
        given.append(label)
    return given


def set_range(signal: EdfSignal, told: PhysicalRange) -> None:
    """edfio rounds the ends by binary fractions: 32.767 would become 32.76701, and every value a little wrong."""
    signal._physical_min, signal._physical_max = (text.encode().ljust(_NUMBER) for text in (told.low, told.high))


def dimension(unit: str) -> str:
    """A UCUM unit as the header's physical dimension."""
    told = ascii_only(_DIMENSIONS.get(unit, unit))
    return told if len(told) <= _DIMENSION else _ELSEWHERE


def patient_field(patient: Patient | None) -> EdfPatient:
    """Who it is, in EDF+'s subfields; X for each when nobody is to be named."""
    if patient is None:
        return EdfPatient()
    try:
        born = date.fromisoformat(patient.birth_date)
    except ValueError:
        born = None
    name = _subfield(patient.name)[: _LONG - len(_subfield(patient.code)) - 16]
    return EdfPatient(code=_subfield(patient.code), birthdate=born, name=name)


def long_text(text: str) -> str:
    """For fields of 80 characters."""
    return ascii_only(text)[:_LONG]


def ascii_only(text: str) -> str:
    """Letters without their accents, and ? for what ASCII has no sign for."""
    plain = unicodedata.normalize("NFKD", text)
    kept = "".join(sign for sign in plain if not unicodedata.combining(sign))
    return "".join(sign if " " <= sign <= "~" else "?" for sign in kept)


def _subfield(text: str) -> str:
    return "_".join(ascii_only(text).split()) or "X"


def _number(value: Decimal) -> str:
    """The nearest number that eight characters can say."""
    plain = format(value.normalize(), "f")
    if len(plain) <= _NUMBER:
        return plain
    decimals = max(0, _NUMBER - len(plain.split(".", maxsplit=1)[0]) - 1)
    rounded = format(round(value, decimals).normalize(), "f")
    return rounded if len(rounded) <= _NUMBER else f"{float(value):.1E}"
