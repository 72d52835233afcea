"""The `patient` commands as the command line knows them; what they do stands in `app/patient_commands.py`."""

from pathlib import Path

import click

from app.keys_cli import DATA, PASSPHRASE, YES


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
