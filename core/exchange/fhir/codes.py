"""Which code stands for what: standard code systems, those of our own, and the tables in `resources/codes`."""

import csv
import io
import uuid
from collections.abc import Iterator
from enum import Enum
from functools import cache

import msgspec

from core.exchange.fhir.check_digits import loinc_sound, snomed_sound
from core.exchange.fhir.datatypes import Coding, Concept, Identifier, concept
from core.exchange.fhir.resources import CodeSystem, CodeSystemConcept
from core.model.datafile import DataError, parse, read_resource

HL7 = "http://terminology.hl7.org/CodeSystem/"
LOINC = "http://loinc.org"
SNOMED = "http://snomed.info/sct"
SNODENT = "http://www.ada.org/snodent"
MDC = "urn:iso:std:iso:11073:10101"
DICOM = "http://dicom.nema.org/resources/ontology/DCM"
FDI = HL7 + "ex-tooth"
"""FHIR's only code system of FDI numbers; HL7 calls it an example, and it knows permanent teeth alone."""
FDI_SURFACE = HL7 + "FDI-surface"
URI = "urn:ietf:rfc:3986"

TEST_DATA = Coding(system=HL7 + "v3-ActReason", code="HTEST", display="test health data")
"""On everything that comes from simulated devices: no receiver may take it for a patient's."""

ROOT = "urn:oid:2.25.166370302582991290302300636443007348748"
"""Our arc. Below 2.25 whoever made a UUID owns its number (ITU-T X.667); never change it."""
_NAMESPACE = uuid.UUID(int=int(ROOT.rpartition(".")[2]))

SIGNALS_FILE, TEETH_FILE = "codes/signals.toml", "codes/fdi.csv"


class Own(Enum):
    """Code systems of our own: what no standard has a code for that could be confirmed."""

    CHANNEL = (1, "SmilescapeChannel", "Signals that Smilescape hubs and sensors measure")
    DEVICE = (2, "SmilescapeDevice", "Kinds of devices")
    MODULE = (3, "SmilescapeModule", "Modules of the Smilescape procedure")
    CHART = (4, "SmilescapeChart", "What is charted of a tooth, and what the patient is asked")
    ALARM = (5, "SmilescapeAlarm", "Kinds of alarms")
    AUDIT = (6, "SmilescapeAudit", "Kinds of entries in the audit log")
    HOME = (7, "SmilescapeHome", "What a hub keeps of a day at home")

    @property
    def uri(self) -> str:
        return f"{ROOT}.{self.value[0]}"


class Number(Enum):
    """Identifier systems of our own."""

    PATIENT_CODE = 101
    VISIT_CODE = 102
    SERIAL = 103
    CONSENT_SHA256 = 104
    OPERATOR = 105
    TOOTH = 106
    ALARM = 107
    ENTRY = 108

    def of(self, value: str) -> Identifier:
        return Identifier(system=f"{ROOT}.{self.value}", value=value)


class OwnCodes:
    """Hands out codes of our own and remembers them, so that the bundle can say what they mean."""

    def __init__(self) -> None:
        self._used: dict[Own, dict[str, str]] = {}

    def coding(self, system: Own, code: str, display: str) -> Coding:
        self._used.setdefault(system, {})[code] = display
        return Coding(system=system.uri, code=code, display=display)

    def concept(self, system: Own, code: str, display: str) -> Concept:
        return concept(display, self.coding(system, code, display))

    def systems(self) -> Iterator[tuple[str, CodeSystem]]:
        """Each system with the codes that were handed out, and its urn."""
        for system, used in sorted(self._used.items(), key=lambda item: item[0].value[0]):
            _, name, title = system.value
            yield (
                urn("CodeSystem", name),
                CodeSystem(
                    url=system.uri,
                    version="1",
                    name=name,
                    title=title,
                    status="active",
                    experimental=False,
                    publisher="Smilescape Workstation",
                    description=f"{title}. Codes of Smilescape's own; here are those that this bundle uses.",
                    case_sensitive=True,
                    content="fragment",
                    concept=tuple(CodeSystemConcept(code=code, display=said) for code, said in sorted(used.items())),
                ),
            )


class Tooth(msgspec.Struct, frozen=True):
    """One row of the table of teeth."""

    fdi: int
    snomed: str
    snodent: str
    display: str


class SignalCodes(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    channel: str
    mdc: tuple[int, str]
    loinc: tuple[tuple[str, str], ...] = ()
    vital: tuple[str, str] | None = None

    @property
    def codings(self) -> tuple[Coding, ...]:
        """Of a series."""
        return (_mdc(self.mdc), *(_loinc(each) for each in self.loinc))

    @property
    def vital_codings(self) -> tuple[Coding, ...]:
        """Of one measurement, the code that FHIR's profile asks for first."""
        return (_loinc(self.vital), *self.codings) if self.vital is not None else self.codings


class DeviceCodes(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    kind: str
    mdc: tuple[int, str]

    @property
    def codings(self) -> tuple[Coding, ...]:
        return (_mdc(self.mdc),)


class _File(msgspec.Struct, forbid_unknown_fields=True):
    signal: list[SignalCodes]
    device: list[DeviceCodes]


@cache
def _file() -> _File:
    """Raises DataError."""
    found = parse(read_resource(SIGNALS_FILE), SIGNALS_FILE, _File)
    for row in found.signal:
        for code, _ in (*row.loinc, *((row.vital,) if row.vital is not None else ())):
            if not loinc_sound(code):
                raise DataError(f"{SIGNALS_FILE}: LOINC {code} has a wrong check digit.", "Mend the entry.")
    return found


def signal_codes(channel: str) -> SignalCodes | None:
    """The standard codes of a channel, None when it has none. Raises DataError."""
    return next((row for row in _file().signal if row.channel == channel), None)


def device_codes(kind: str) -> DeviceCodes | None:
    """The standard codes of a kind of device, None when it has none. Raises DataError."""
    return next((row for row in _file().device if row.kind == kind), None)


@cache
def teeth() -> dict[int, Tooth]:
    """By FDI number. Raises DataError."""
    found: dict[int, Tooth] = {}
    for line, row in enumerate(csv.DictReader(io.StringIO(read_resource(TEETH_FILE))), 2):
        try:
            tooth = msgspec.convert(row, Tooth, strict=False)
        except msgspec.ValidationError as error:
            raise DataError(f"{TEETH_FILE}:{line}: {error}.", "Mend the row.") from error
        if not snomed_sound(tooth.snomed):
            raise DataError(f"{TEETH_FILE}:{line}: SNOMED CT {tooth.snomed} has a wrong check digit.", "Mend the row.")
        found[tooth.fdi] = tooth
    return found


def tooth_concept(fdi: int) -> Concept:
    """A tooth in SNOMED CT, SNODENT and, as far as FHIR has it, FDI; by its number alone when nobody knows it."""
    tooth = teeth().get(fdi)
    if tooth is None:
        return Concept(text=f"FDI {fdi}")
    codings = [
        Coding(system=SNOMED, code=tooth.snomed, display=tooth.display),
        Coding(system=SNODENT, code=tooth.snodent, display=tooth.display),
    ]
    if fdi < 50:
        codings.append(Coding(system=FDI, code=str(fdi), display=str(fdi)))
    return Concept(coding=tuple(codings), text=f"{tooth.display}, FDI {fdi}")


_SURFACES = {"M": "Mesial", "D": "Distal", "B": "Buccal", "L": "Lingual", "O": "Occlusal", "I": "Incisal"}


def surface_concept(fdi: int, surface: str) -> Concept:
    """One of "MDBLO" of a tooth; what is the biting surface of a back tooth is the biting edge of a front tooth."""
    letter = "I" if surface == "O" and fdi % 10 <= 3 else surface
    display = _SURFACES[letter]
    return concept(display, Coding(system=FDI_SURFACE, code=letter, display=display))


def hl7(system: str, code: str, display: str) -> Concept:
    """A code of HL7's own terminology."""
    return concept(display, Coding(system=HL7 + system, code=code, display=display))


def urn(*parts: str) -> str:
    """The urn:uuid of a thing: the same each time that it is sent (RFC 9562, version 5)."""
    return f"urn:uuid:{uuid.uuid5(_NAMESPACE, '/'.join(parts))}"


def global_id(identity: str) -> tuple[Identifier, ...]:
    """An identity of the record that is a UUID, as an identifier; nothing for any other."""
    try:
        return (Identifier(system=URI, value=f"urn:uuid:{uuid.UUID(identity)}"),)
    except ValueError:
        return ()


def _mdc(code: tuple[int, str]) -> Coding:
    return Coding(system=MDC, code=str(code[0]), display=code[1])


def _loinc(code: tuple[str, str]) -> Coding:
    return Coding(system=LOINC, code=code[0], display=code[1])
