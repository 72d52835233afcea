"""`main.py patient …`: patients out of files of other programs, without the workstation."""

from datetime import datetime
from pathlib import Path

import click

from app.keys_commands import Practice, WhoIsIt, opened, typed_pin
from app.record_commands import open_key
from core.exchange.fhir.patient_in import FoundPatient, read_patient_file
from core.keys.errors import WrongSecret
from core.model.errors import SmilescapeError
from core.model.people import Operator, Patient
from core.people.patients import new_patient, same_person
from core.people.pin import check_pin
from core.record import RecordReader


class NoChair(SmilescapeError):  # noqa: N818 - named for what is the case
    """The practice has no record yet."""

    code = "cli.chair"


class KnownAlready(SmilescapeError):  # noqa: N818
    """Somebody of this name and birth date is on record."""

    code = "cli.known"


def import_patient(file: Path, data: Path | None, passphrase: str | None, who: str | None, *, yes: bool) -> int:
    found = read_patient_file(file)
    with opened(data, passphrase) as practice:
        if practice.record is None:
            raise NoChair("This practice has no record of a chair yet.", "Open the workstation once.")
        known = [one for one in _patients(practice, passphrase) if _same(one, found)]
        if known:
            raise KnownAlready(
                f"{known[0].name}, born {known[0].birth_date}, is on record as {known[0].code}.",
                "If it is somebody else, add them in the workstation.",
            )
        operator = _operator(practice, who)
        _prove(practice, operator)
        _show(found)
        if not yes and not click.confirm("Add this patient?"):
            return 1
        patient = new_patient(
            given_name=found.given_name,
            family_name=found.family_name,
            birth_date=found.birth_date,
            phone=found.phone,
            simulated=practice.folder.simulated,
        )
        at_us, record = practice.clock.utc_us(), practice.record
        with record.transaction():
            record.save_patient(patient, author=operator.id, reason="added", at_us=at_us)
            body = {"patient": patient.id, "reason": "added", "by": "command line"}
            record.audit("patient.saved", actor=operator.id, at_us=at_us, body=body)
    click.echo(f"Added as {patient.code}.")
    return 0


def _show(found: FoundPatient) -> None:
    born = datetime.fromisoformat(found.birth_date).date()
    click.echo(f"{found.given_name} {found.family_name}, born {born}{', ' + found.phone if found.phone else ''}")
    click.echo("Allergies: not in the file. Ask." if not found.allergies else "Allergies: in the file. Enter them.")
    for place in (*found.allergies, *found.left_out):
        click.echo(f"  left out: {place}")


def _same(one: Patient, found: FoundPatient) -> bool:
    return same_person(one, found.given_name, found.family_name, found.birth_date)


def _patients(practice: Practice, passphrase: str | None) -> list[Patient]:
    """Everybody in any chair's file."""
    assert practice.record is not None
    everybody = practice.record.patients()
    for chair in practice.folder.chairs()[1:]:
        path = practice.folder.chair_file(chair)
        with RecordReader.open(path, open_key(path, passphrase)) as reader:
            everybody += reader.patients()
    return everybody


def _operator(practice: Practice, who: str | None) -> Operator:
    """Who acts: the only one, or the one that is named. Raises WhoIsIt."""
    everybody = practice.file.operators()
    found = [one for one in everybody if who is None or who.casefold() in (one.name.casefold(), one.id)]
    if len(found) == 1:
        return found[0]
    names = ", ".join(one.name for one in everybody) or "none"
    raise WhoIsIt(f"Who adds the patient? Here are: {names}.", "Name one: --as NAME.")


def _prove(practice: Practice, operator: Operator) -> None:
    """Raises WrongSecret."""
    pin = typed_pin(operator)
    if not operator.demo and not check_pin(practice.file.pin_hash(operator.id), pin):
        practice.file.log_login(operator.id, "refused")
        raise WrongSecret
