"""The commands. Each one-line failure comes from here: a SmilescapeError is said, never a traceback."""

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import click

from app import __version__
from app.backup_cli import backup, restore
from app.exchange_cli import RECORD_COMMANDS
from app.keys_cli import DATA, PASSPHRASE, keys
from app.patient_cli import patient
from core.model.errors import SmilescapeError

FAILED = 1
SEED = click.option("--seed", type=int, default=1, help="The same seed gives the same mouths.")
RADIO = click.option("--radio", default="platform", help="How to reach the air: platform, or bumble:TRANSPORT.")
THEME = click.option("--theme", type=click.Choice(["light", "dark"]), default="light", help="Colours at the start.")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; the exit code. A failure is one clear line on standard error."""
    try:
        result = cli.main(args=list(arguments) if arguments is not None else None, standalone_mode=False)
    except click.exceptions.NoArgsIsHelpError as error:
        error.show()
        return error.exit_code
    except click.ClickException as error:
        click.echo(_one_line(error), err=True)
        return error.exit_code
    except click.Abort:
        return 130
    except SmilescapeError as error:
        click.echo(str(error), err=True)
        return FAILED
    except BrokenPipeError:
        return FAILED
    except OSError as error:
        said = f"{error.strerror or error}: {error.filename or ''}".rstrip(": ")
        click.echo(f"{said}. Check the path, its permissions and the room on the disk.", err=True)
        return FAILED
    return result if isinstance(result, int) else 0


def _one_line(error: click.ClickException) -> str:
    """What was wrong with the command line, and where its help is."""
    said = " ".join(error.format_message().split())
    context = error.ctx if isinstance(error, click.UsageError) else None
    return f"{said} See: {context.command_path} --help" if context is not None else said


@click.group(invoke_without_command=True, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(version=__version__, prog_name="smilescape")
@DATA
@RADIO
@click.option("--chairs", type=click.IntRange(1, 8), default=4, help="How many chairs this workstation has.")
@THEME
@click.pass_context
def cli(context: click.Context, data: Path | None, radio: str, chairs: int, theme: Literal["light", "dark"]) -> int:
    """Smilescape Workstation. Without a command it opens the window on real hubs.

    Example: python main.py --data /srv/practice --chairs 2
    """
    if context.invoked_subcommand is not None:
        return 0
    from app.workplace import open_real

    return open_real(data, radio=radio, chairs=chairs, theme=theme)


@cli.command()
@DATA
@click.option("--reset", is_flag=True, help="Forget the simulated clinic's data and end.")
@SEED
@THEME
def demo(data: Path | None, reset: bool, seed: int, theme: Literal["light", "dark"]) -> int:
    """Open the workstation on a simulated clinic of two chairs.

    Example: python main.py demo --theme dark
    """
    from app.workplace import open_demo, reset_demo

    return reset_demo(data) if reset else open_demo(data, seed=seed, theme=theme)


@cli.command()
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), required=True, help="Where the results go.")
@SEED
def tour(out: Path, seed: int) -> int:
    """Run the main job end to end, without a display, and leave pictures, report, record and figures in OUT.

    Example: python main.py tour --out out --seed 7
    """
    from app.tour.run import run_tour

    return run_tour(out, seed=seed)


@cli.command()
@DATA
@RADIO
def doctor(data: Path | None, radio: str) -> int:
    """Check adapter, keyring, disk, clock and libraries, each with a remedy.

    Example: python main.py doctor
    """
    from app.doctor import examine

    return examine(data, radio)


@cli.group()
def record() -> None:
    """Look into a chair's record without the workstation.

    Example: python main.py record info chair-1.sqlite
    """


@record.command("info")
@click.argument("file", type=click.Path(path_type=Path))
@PASSPHRASE
def record_info(file: Path, passphrase: str | None) -> int:
    """What a record holds: chair, patients, visits, samples, what hubs kept at home, size.

    Example: python main.py record info chair-1.sqlite
    """
    from app.record_commands import info

    return info(file, passphrase)


@record.command("verify")
@click.argument("file", type=click.Path(path_type=Path))
@PASSPHRASE
def record_verify(file: Path, passphrase: str | None) -> int:
    """Check every page, block, log entry and signature; exit 1 and name the first problems when something is wrong.

    The records beside it are asked what they have seen of its log, and the practice's file for its root.

    Example: python main.py record verify chair-1.sqlite
    """
    from app.record_commands import verify

    return verify(file, passphrase)


@record.command("bundle")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--out", type=click.Path(path_type=Path), required=True, help="A new folder, or a new .zip file.")
@click.option("--visit", default=None, help="The code of a visit: its entries. All entries when left out.")
@click.option("--entries", default=None, help="Numbers of entries, such as 7 or 7-12.")
@PASSPHRASE
def record_bundle(file: Path, out: Path, visit: str | None, entries: str | None, passphrase: str | None) -> int:
    """Write log entries with all that a stranger needs to verify them without this program.

    Example: python main.py record bundle chair-1.sqlite --visit V-7K2M --out evidence.zip
    """
    from app.record_commands import bundle

    return bundle(file, out, visit, entries, passphrase)


@record.command("days")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), required=True, help="The CSV file to write.")
@PASSPHRASE
def record_days(file: Path, out: Path, passphrase: str | None) -> int:
    """Write what hubs kept of each day at home as CSV, one line a day, units in the header.

    Days that a hub was not worn have no line. Whose a day was is told as far as this record knows: a hub that was in
    another chair meanwhile may have been with somebody else.

    Example: python main.py record days chair-1.sqlite --out days.csv
    """
    from app.record_commands import days

    return days(file, out, passphrase)


@record.command("report")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--visit", required=True, help="Code or id of the visit; `record report FILE --visit list` names them.")
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), default=None, help="The file to write.")
@click.option("--format", "form", type=click.Choice(["pdf", "html"]), default="pdf", help="PDF, or one HTML file.")
@click.option("--language", type=click.Choice(["en", "es", "zh"]), default="en", help="The report's language.")
@click.option("--practice", default="", help="What the practice is called.")
@click.option("--phone", default="", help="Whom the patient calls.")
@PASSPHRASE
def record_report(
    file: Path,
    visit: str,
    out: Path | None,
    form: Literal["pdf", "html"],
    language: str,
    practice: str,
    phone: str,
    passphrase: str | None,
) -> int:
    """Write the report of a visit, for the patient and for the next dentist.

    The record names operators by id only; the window knows their names, too. Days at home are told as far as this
    record knows them.

    Example: python main.py record report chair-1.sqlite --visit list
    """
    from app.report_command import report

    return report(file, visit, out, form, language, (practice, phone), passphrase)


for command in RECORD_COMMANDS:
    record.add_command(command)
cli.add_command(keys)
cli.add_command(patient)
cli.add_command(backup)
cli.add_command(restore)


@cli.group()
def simulate() -> None:
    """Devices in software, over any Bumble transport: a USB Bluetooth dongle makes them real radio peripherals.

    Example: python main.py simulate hub --transport usb:0
    """


@simulate.command("hub")
@click.option("--transport", default=None, help="A Bumble transport, such as usb:0 or tcp-client:127.0.0.1:9001.")
@SEED
@click.option("--serial", default="SIM-0001", help="The serial number that it tells.")
@click.option("--address", default="C0:5E:00:00:00:01", help="Static random Bluetooth address.")
@click.option("--speed", type=click.FloatRange(0.1, 1000), default=1.0, help="Times faster than life.")
@click.option(
    "--state",
    type=click.Path(path_type=Path, file_okay=False),
    default=None,
    help="Folder of what outlives the process: keys, memory, journal. Without one it is new each time.",
)
@click.option("--journal", type=click.Path(path_type=Path), default=None, help="Write every sample made.")
@click.option("--obey", is_flag=True, help='Read faults as JSON lines on standard input, such as {"type": "sugar"}.')
@click.option("--scenario", default=None, help="An attack or fault; `list` names them. Begins once somebody listens.")
@click.option(
    "--stolen", type=click.Path(path_type=Path, dir_okay=False), default=None, help="Keys for attacks with keys."
)
@click.option("--tell-pulse", is_flag=True, help="Print how fast the patient's heart beats, once a second.")
def simulate_hub(  # one parameter for each option
    transport: str | None,
    seed: int,
    serial: str,
    address: str,
    speed: float,
    state: Path | None,
    journal: Path | None,
    obey: bool,
    scenario: str | None,
    stolen: Path | None,
    tell_pulse: bool,
) -> int:
    """Be a nanobot hub, until Ctrl-C.

    Example: python main.py simulate hub --transport usb:0 --scenario replay
    """
    from app.clinic.hub_process import run_hub_process, scenarios

    known = scenarios()
    if scenario == "list":
        click.echo("\n".join(f"{name:22}{what}" for name, what in known.items()))
        return 0
    if scenario is not None and scenario not in known:
        raise click.BadParameter(f"there is no scenario {scenario}; `--scenario list` names them.")
    if transport is None:
        raise click.UsageError("Missing option '--transport'.")
    return run_hub_process(
        transport,
        seed=seed,
        serial=serial,
        address=address,
        speed=speed,
        state=state,
        journal=journal,
        obey=obey,
        scenario=scenario,
        stolen=stolen,
        tell_pulse=tell_pulse,
    )


@simulate.command("sensor")
@click.argument("kind", type=click.Choice(["heart_rate", "pulse_oximeter", "thermometer"]))
@click.option("--transport", required=True, help="A Bumble transport, such as usb:0 or tcp-client:127.0.0.1:9001.")
@SEED
@click.option("--name", default=None, help="The name that it advertises.")
@click.option("--address", default=None, help="Static random Bluetooth address.")
def simulate_sensor(
    kind: Literal["heart_rate", "pulse_oximeter", "thermometer"],
    transport: str,
    seed: int,
    name: str | None,
    address: str | None,
) -> int:
    """Be a standard Bluetooth sensor, until Ctrl-C.

    Example: python main.py simulate sensor pulse_oximeter --transport usb:0
    """
    from app.clinic.sensor_process import run_sensor_process

    return run_sensor_process(kind, transport, seed=seed, name=name, address=address)


@cli.command()
@click.argument("name", required=False)
@click.option(
    "--folder",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    default=None,
    help="Of `record`: where to write, on the disk to be measured. Else the system's folder for temporary files.",
)
@click.option(
    "--days", type=click.FloatRange(0.01, 366), default=None, help="Of `record`: how long a record to review."
)
def bench(name: str | None, folder: Path | None, days: float | None) -> int:
    """Measure NAME against a peer in the same run; one JSON object on standard output, progress on standard error.

    Example: python main.py bench draw

    Example: python main.py bench record --folder /mnt/disk --days 7
    """
    from app.bench import run_bench

    return run_bench(name, folder=folder, days=days)


def has_display() -> bool:
    """Whether a window could be shown here: there is a display, or somebody chose a Qt platform on purpose."""
    if sys.platform in ("win32", "darwin"):
        return True
    chosen = ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM")
    return any(os.environ.get(name) for name in chosen)
