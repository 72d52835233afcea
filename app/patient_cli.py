"""The `patient` commands as the command line knows them; what they do stands in `app/patient_commands.py`."""

from pathlib import Path

import click

from app.keys_cli import DATA, PASSPHRASE, WHO, YES


@click.group()
def patient() -> None:
    """Patients, without the workstation: it must be closed.

    Example: python main.py patient import ferrand.json --data /srv/practice
    """


@patient.command("import")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@DATA
@PASSPHRASE
@click.option("--as", "who", default=None, help="Who adds the patient; needed when there are several people.")
@YES
def patient_import(file: Path, data: Path | None, passphrase: str | None, who: str | None, yes: bool) -> int:
    """Add the patient of a FHIR R4 file: a Patient as JSON, or a Bundle with exactly one.

    The PIN of who adds them is asked for, or taken from SMILESCAPE_PIN. What is not taken over is told.

    Example: python main.py patient import ferrand.json --data /srv/practice
    """
    from app.patient_commands import import_patient

    return import_patient(file, data, passphrase, who, yes=yes)


@patient.command("erase")
@click.argument("code", required=False)
@click.option("--reason", required=True, help="Why, in a few words without a name; it stands in the record.")
@DATA
@PASSPHRASE
@WHO
def patient_erase(code: str | None, reason: str, data: Path | None, passphrase: str | None, who: str | None) -> int:
    """Erase a patient for good, also from backups. Without CODE: finish an erasure that was cut off.

    It shows what goes and what stays, asks twice, and needs a dentist's PIN. resources/retention.toml has the rules.

    Example: python main.py patient erase P-7KQ2MC --reason "on request, letter of 3 May"
    """
    from app.erase_commands import erase_patient

    return erase_patient(code, reason, data, passphrase, who)


@patient.command("overdue")
@DATA
@PASSPHRASE
def patient_overdue(data: Path | None, passphrase: str | None) -> int:
    """List patients whose last visit is longer ago than the practice's rules say. Nothing is erased by itself.

    Example: python main.py patient overdue
    """
    from app.erase_commands import overdue

    return overdue(data, passphrase)
