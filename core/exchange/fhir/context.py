"""What every part of a bundle needs to know: whose it is, who sends it, and how things are called."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum

from core.exchange.fhir.codes import OwnCodes, urn
from core.exchange.fhir.datatypes import Period, Reference, refer
from core.exchange.fhir.resources import Resource
from core.model.people import VisitSummary
from core.model.words import Words

Entry = tuple[str, Resource]
"""A resource with its urn."""
Entries = Iterator[Entry]


class Detail(StrEnum):
    """How much of the signals goes out."""

    REDUCED = "reduced"
    """Channels above 10 Hz as lowest, mean and highest of each second; the others whole."""
    FULL = "full"
    """Every sample."""


@dataclass(frozen=True, slots=True)
class Sender:
    """Who sends. `people`: names of operators by id, as far as they are known."""

    software: str = ""
    practice: str = ""
    phone: str = ""
    people: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Context:
    """One visit that goes out.

    Attributes:
        visit: the visit.
        end_us: when it ended; while it is open, now.
        patient: urn of the patient.
        made_us: when the bundle is made.
    """

    words: Words
    own: OwnCodes
    sender: Sender
    visit: VisitSummary
    end_us: int
    patient: str
    made_us: int
    detail: Detail

    @property
    def subject(self) -> Reference:
        return refer(self.patient)

    @property
    def encounter(self) -> Reference:
        return refer(urn("Encounter", self.visit.id))

    @property
    def period(self) -> Period:
        return Period(start=instant(self.visit.began_us), end=instant(self.end_us))

    @property
    def organization(self) -> tuple[Reference, ...]:
        """The practice, when it has a name."""
        return (refer(urn("Organization", self.sender.practice)),) if self.sender.practice else ()

    @property
    def workstation(self) -> Reference:
        return refer(urn("Device", "workstation"))


def instant(at_us: int) -> str:
    """UTC µs as FHIR's instant, to the microsecond."""
    seconds, micro = divmod(at_us, 1_000_000)
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S") + f".{micro:06d}Z"


def practitioner(operator_id: str) -> Reference:
    return refer(urn("Practitioner", operator_id))


def device(source: str) -> Reference:
    return refer(urn("Device", source))
