"""The invented people of the simulated clinic, read from `resources/demo.toml` and checked on load."""

from functools import cache

import msgspec

from core.model.datafile import fault, parse, read_resource
from core.model.people import Operator, Patient, Role, ToothState
from core.people.codes import valid_code
from core.people.teeth import PERMANENT, SURFACES


class DemoPatient(msgspec.Struct, frozen=True, kw_only=True):
    """An invented patient with an odontogram of all permanent teeth."""

    patient: Patient
    teeth: tuple[ToothState, ...]


class Demo(msgspec.Struct, frozen=True, kw_only=True):
    """Who works and who is treated in the simulated clinic; everything in it is marked as simulated."""

    operator: Operator
    patients: tuple[DemoPatient, ...]


class _Operator(msgspec.Struct, forbid_unknown_fields=True):
    id: str
    name: str
    role: Role


class _Patient(msgspec.Struct, forbid_unknown_fields=True):
    id: str
    code: str
    given_name: str
    family_name: str
    birth_date: str
    allergies: str = ""
    notes: str = ""
    tooth: list[ToothState] = []


class _File(msgspec.Struct, forbid_unknown_fields=True):
    operator: _Operator
    patient: list[_Patient]


def parse_demo(text: str, name: str = "demo.toml") -> Demo:
    """Check and read demo people. Raises DataError, naming file and line."""
    file = parse(text, name, _File)
    known: set[str] = set()
    for index, row in enumerate(file.patient):
        if what := _patient_fault(row, known):
            raise fault(text, name, "patient", index, f"{row.given_name} {row.family_name} {what}")
        known |= {row.id, row.code}
    operator = Operator(id=file.operator.id, name=file.operator.name, role=file.operator.role, demo=True)
    return Demo(operator=operator, patients=tuple(_person(row) for row in file.patient))


@cache
def load_demo() -> Demo:
    """The demo people that ship with the product. Raises DataError."""
    return parse_demo(read_resource("demo.toml"))


def _patient_fault(row: _Patient, known: set[str]) -> str:
    if row.id in known or row.code in known:
        return "repeats an id or a code"
    if not valid_code(row.code):
        return f"has code {row.code!r}, whose check character is wrong"
    for tooth in row.tooth:
        if tooth.fdi not in PERMANENT:
            return f"has a tooth {tooth.fdi}"
        surfaces = tooth.filled + tooth.finding + tooth.planned + tooth.done
        if any(surface not in SURFACES for surface in surfaces):
            return f"has a surface outside {SURFACES} on tooth {tooth.fdi}"
        if tooth.missing and surfaces:
            return f"has something on tooth {tooth.fdi}, which is missing"
    return ""


def _person(row: _Patient) -> DemoPatient:
    noted = {tooth.fdi: tooth for tooth in row.tooth}
    patient = Patient(
        id=row.id,
        version=1,
        code=row.code,
        given_name=row.given_name,
        family_name=row.family_name,
        birth_date=row.birth_date,
        allergies=row.allergies,
        notes=row.notes,
        simulated=True,
    )
    return DemoPatient(patient=patient, teeth=tuple(noted.get(fdi, ToothState(fdi=fdi)) for fdi in PERMANENT))
