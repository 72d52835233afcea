"""A new patient: identity and code."""

from datetime import date

from core.model.ids import new_id
from core.model.people import Patient
from core.people.codes import patient_code


def new_patient(
    *, given_name: str, family_name: str, birth_date: str, allergies: str = "", phone: str = "", simulated: bool
) -> Patient:
    """Version 1 of somebody who was not on record; `birth_date` as ISO."""
    return Patient(
        id=new_id(),
        version=1,
        code=patient_code(),
        given_name=given_name.strip(),
        family_name=family_name.strip(),
        birth_date=birth_date,
        allergies=allergies.strip(),
        phone=phone.strip(),
        simulated=simulated,
    )


def is_date(text: str) -> bool:
    """Whether it is a day, written as ISO says."""
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


def same_person(one: Patient, given_name: str, family_name: str, birth_date: str) -> bool:
    """Whether names and birth date are the same, letters large or small."""
    name = f"{given_name} {family_name}".strip()
    return one.birth_date == birth_date and one.name.casefold() == name.casefold()
