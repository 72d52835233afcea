"""`main.py record csv` and its like, as the command line knows them; `app/exchange_commands.py` does the work."""

from collections.abc import Callable
from functools import reduce
from pathlib import Path

import click

from app.keys_cli import PASSPHRASE

_OPTIONS = (
    click.argument("file", type=click.Path(path_type=Path)),
    click.option("--channel", "channels", multiple=True, help="Key of a channel; all when left out."),
    click.option("--visit", default=None, help="Code of a visit: its time alone."),
    click.option(
        "--from", "begin", default=None, help="UTC, such as 2045-11-22T10:20:00; the first sample by default."
    ),
    click.option("--to", "end", default=None, help="UTC, not included; the last sample when left out."),
    PASSPHRASE,
)
_FILE = click.Path(path_type=Path, dir_okay=False)
_FOLDER = click.Path(path_type=Path, file_okay=False)

Taken = tuple[str, ...]


def _samples(command: Callable[..., int]) -> Callable[..., int]:
    """The arguments that choose samples."""
    return reduce(lambda inner, option: option(inner), reversed(_OPTIONS), command)


@click.command("csv")
@_samples
@click.option("--out", type=_FILE, required=True, help="The CSV file to write.")
def record_csv(
    file: Path,
    channels: Taken,
    visit: str | None,
    begin: str | None,
    end: str | None,
    passphrase: str | None,
    out: Path,
) -> int:
    """Write samples as CSV: UTC, channel, value, unit, provenance.

    Example: python main.py record csv chair-1.sqlite --out ph.csv --channel saliva_ph
    """
    from app.exchange_commands import Chosen, csv

    return csv(Chosen(file, channels, visit, begin, end, passphrase), out)


@click.command("parquet")
@_samples
@click.option("--out", type=_FILE, required=True, help="The Parquet file to write.")
def record_parquet(
    file: Path,
    channels: Taken,
    visit: str | None,
    begin: str | None,
    end: str | None,
    passphrase: str | None,
    out: Path,
) -> int:
    """Write samples as one Parquet table, with raw values, hub time and what each sample comes from.

    Example: python main.py record parquet chair-1.sqlite --out visit.parquet --visit V-77AB
    """
    from app.exchange_commands import Chosen, parquet

    return parquet(Chosen(file, channels, visit, begin, end, passphrase), out)


@click.command("edf")
@_samples
@click.option("--out", type=_FOLDER, required=True, help="The folder to make.")
@click.option("--named", is_flag=True, help="With the patient's name and birth date, and notes; needs --visit.")
def record_edf(
    file: Path,
    channels: Taken,
    visit: str | None,
    begin: str | None,
    end: str | None,
    passphrase: str | None,
    out: Path,
    named: bool,
) -> int:
    """Write samples as EDF+C files, one for each stretch without a gap, with a manifest. docs/exchange.md explains it.

    Example: python main.py record edf chair-1.sqlite --out visit-edf --visit V-77AB
    """
    from app.exchange_commands import Chosen, edf

    return edf(Chosen(file, channels, visit, begin, end, passphrase), out, named=named)


@click.command("fhir")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--visit", required=True, help="Code of the visit, such as V-7KQ2MC.")
@click.option("--out", type=_FILE, required=True, help="The JSON file to write.")
@click.option("--every-visit", is_flag=True, help="All visits of that patient in this record.")
@click.option("--every-sample", is_flag=True, help="Fast signals whole, not reduced to each second.")
@PASSPHRASE
def record_fhir(
    file: Path, visit: str, out: Path, every_visit: bool, every_sample: bool, passphrase: str | None
) -> int:
    """Write a visit as a FHIR R4 bundle, for other programs. The patient's name is in it.

    Example: python main.py record fhir chair-1.sqlite --visit V-7KQ2MC --out V-7KQ2MC.json
    """
    from app.exchange_commands import fhir

    return fhir(file, visit, out, passphrase, every_visit=every_visit, every_sample=every_sample)


@click.command("pack")
@click.argument("files", type=click.Path(path_type=Path), nargs=-1, required=True)
@click.option("--visit", required=True, help="Code of one of the patient's visits.")
@click.option("--out", type=_FOLDER, required=True, help="The folder to make, such as one on a stick.")
@click.option("--language", default="en", show_default=True, help="Of the patient: en, es or zh.")
@click.option("--sheet", type=_FILE, default=None, help="A PDF with the code, to print. Never where the pack goes.")
@PASSPHRASE
def record_pack(
    files: tuple[Path, ...], visit: str, out: Path, language: str, sheet: Path | None, passphrase: str | None
) -> int:
    """Seal everything of a patient's visits into a page that any browser opens with a code, which is shown once.

    Name the records of all chairs: a patient may have sat in any of them.

    Example: python main.py record pack chair-1.sqlite chair-2.sqlite --visit V-77AB --out /media/stick/V-77AB-pack
    """
    from app.exchange_commands import pack

    return pack(files, visit, out, passphrase, language=language, sheet=sheet)


@click.command("import")
@click.argument("file", type=click.Path(path_type=Path))
@click.argument("signals", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--visit", required=True, help="Code of the visit that they belong to.")
@click.option("--map", "mapped", multiple=True, help="NAME=KEY: what the file calls a channel. NAME= leaves it out.")
@click.option("--zone", default=None, help="Of an EDF file's clock, such as +02:00; a CSV says it in each line.")
@click.option("--by", "author", default="command line", help="Who imports, for the record.")
@PASSPHRASE
def record_import(
    file: Path,
    signals: Path,
    visit: str,
    mapped: Taken,
    zone: str | None,
    author: str,
    passphrase: str | None,
) -> int:
    """Take in a CSV (utc, channel, value, unit) or EDF+C of signals recorded elsewhere. The workstation must be closed.

    They are kept on channels of their own, imported.KEY, and never mix with what a hub measured.

    Example: python main.py record import chair-1.sqlite night.csv --visit V-77AB --map "pH saliva=saliva_ph"
    """
    from app.exchange_commands import take_in

    return take_in(file, signals, visit=visit, mapped=mapped, zone=zone, author=author, passphrase=passphrase)


RECORD_COMMANDS: tuple[click.Command, ...] = (
    record_csv,
    record_edf,
    record_fhir,
    record_import,
    record_pack,
    record_parquet,
)
