"""FHIR R4's data types, as far as we write them. Names are FHIR's, in snake case; JSON has them in camel case.

An element that has its default (None, or nothing) is left out, as FHIR's JSON wants it.
"""

from decimal import Decimal

import msgspec

UCUM = "http://unitsofmeasure.org"


class Element(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, rename="camel"):
    """Anything but a resource."""


class Coding(Element, frozen=True, kw_only=True):
    system: str
    code: str
    display: str | None = None


class Concept(Element, frozen=True, kw_only=True):
    """CodeableConcept: the same thing in several code systems, and in words."""

    coding: tuple[Coding, ...] = ()
    text: str | None = None


class Reference(Element, frozen=True, kw_only=True):
    reference: str
    display: str | None = None


class Identifier(Element, frozen=True, kw_only=True):
    system: str
    value: str


class Period(Element, frozen=True, kw_only=True):
    start: str
    end: str | None = None


class Quantity(Element, frozen=True, kw_only=True):
    """`code` is UCUM; `unit` is what people read."""

    value: Decimal
    unit: str
    system: str
    code: str


class SampledData(Element, frozen=True, kw_only=True):
    """A sample is `data` × `factor` + `origin`; `period` is ms from one to the next."""

    origin: Quantity
    period: Decimal
    factor: Decimal
    dimensions: int
    data: str


class Annotation(Element, frozen=True, kw_only=True):
    text: str


class Meta(Element, frozen=True, kw_only=True):
    security: tuple[Coding, ...] = ()


class HumanName(Element, frozen=True, kw_only=True):
    use: str | None = None
    text: str | None = None
    family: str | None = None
    given: tuple[str, ...] = ()


class ContactPoint(Element, frozen=True, kw_only=True):
    system: str
    value: str


def quantity(value: Decimal, unit: str, shown: str = "") -> Quantity:
    """A value with its UCUM code; `shown` is how people write the unit."""
    return Quantity(value=value, unit=shown or unit, system=UCUM, code=unit)


def concept(text: str, *codings: Coding) -> Concept:
    return Concept(coding=codings, text=text)


def refer(urn: str) -> Reference:
    return Reference(reference=urn)


def note(*sentences: str) -> tuple[Annotation, ...]:
    """Sentences as one annotation; none when there is nothing to say."""
    said = " ".join(sentence for sentence in sentences if sentence)
    return (Annotation(text=said),) if said else ()
