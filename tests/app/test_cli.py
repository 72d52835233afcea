"""The command line as a person meets it: one line, a next step, no traceback."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from app import __version__
from app.cli import cli, main
from app.clinic.air_faults import air_faults
from app.console.demo_panel import FAULTS as STRIP_FAULTS
from app.workplace import reset_command
from core.model.clock import ManualClock
from core.model.wear import DAY_US, DaySummary
from core.record import PracticeFile, Record
from core.record.keys import KeyStore
from devices.simulator.air_control import SetTiming
from devices.simulator.scenarios.registry import names, what


def test_every_button_of_the_demo_strip_reaches_a_hub_or_the_air() -> None:
    assert set(STRIP_FAULTS) <= set(names()) | set(air_faults(SetTiming()))


def test_every_scenario_is_listed_with_what_it_does() -> None:
    said = CliRunner().invoke(cli, ["simulate", "hub", "--scenario", "list"])
    assert said.exit_code == 0
    assert [line.split(maxsplit=1) for line in said.output.splitlines()] == [[name, what(name)] for name in names()]
    assert all(len(what(name)) > 10 for name in names())


def test_a_scenario_that_is_none_is_said_to_be_none(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["simulate", "hub", "--transport", "tcp-client:127.0.0.1:9", "--scenario", "charm"]) != 0
    said = capsys.readouterr().err
    assert "charm" in said
    assert "--scenario list" in said


def test_the_version_is_said_without_an_installed_package() -> None:
    assert __version__ in CliRunner().invoke(cli, ["--version"]).output


@pytest.mark.parametrize("transport", ["nonsense:1", "usb:0", "tcp-client:127.0.0.1:9", ""])
def test_a_transport_that_is_not_there_is_one_line(transport: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["simulate", "hub", "--transport", transport]) != 0
    said = capsys.readouterr()
    assert "Traceback" not in said.err + said.out
    assert said.err.strip()


def test_only_a_wrapped_key_needs_a_passphrase(tmp_path: Path) -> None:
    record = tmp_path / "chair-1.sqlite"
    assert not KeyStore.wrapped(record)
    KeyStore(prefer="file").load_or_create(record, lambda: "correct horse")
    assert KeyStore.wrapped(record)
    other = tmp_path / "chair-2.sqlite"
    (tmp_path / "chair-2.sqlite.key").write_text('{"kind":"keyring","format":1,"service":"s","entry":"e"}')
    assert not KeyStore.wrapped(other)


def every_command(group: click.Group, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    for name, command in group.commands.items():
        yield (*path, name), command
        if isinstance(command, click.Group):
            yield from every_command(command, (*path, name))


@pytest.mark.parametrize(("path", "command"), list(every_command(cli)), ids=str)
def test_every_command_explains_itself_with_an_example(path: tuple[str, ...], command: click.Command) -> None:
    said = CliRunner().invoke(cli, [*path, "--help"])
    assert said.exit_code == 0
    assert "Example: python main.py " + path[0] in " ".join(said.output.split()), said.output


@pytest.mark.parametrize(("path", "command"), [((), cli), *every_command(cli)], ids=str)
def test_every_option_says_what_it_is_for(path: tuple[str, ...], command: click.Command) -> None:
    options = [one for one in command.params if isinstance(one, click.Option)]
    assert [one.opts for one in options if not one.help] == [], path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a practice's file, a chair's record, one that was cut short, and things that are neither."""
    clock = ManualClock(utc_us=1_800_000_000_000_000)
    keys = KeyStore(prefer="file")
    practice, chair = tmp_path / "practice.sqlite", tmp_path / "chair-1.sqlite"
    PracticeFile.create(practice, keys.load_or_create(practice, lambda: "word"), clock=clock).close()
    key = keys.load_or_create(chair, lambda: "word")
    Record.create(chair, key, chair=1, simulated=False, clock=clock).close()
    (tmp_path / "cut.sqlite").write_bytes(chair.read_bytes()[:9000])
    shutil.copy(tmp_path / "chair-1.sqlite.key", tmp_path / "cut.sqlite.key")
    (tmp_path / "empty.sqlite").touch()
    shutil.copy(tmp_path / "chair-1.sqlite.key", tmp_path / "empty.sqlite.key")
    (tmp_path / "letter.txt").write_text("Dear reader")
    shutil.copy(tmp_path / "chair-1.sqlite.key", tmp_path / "letter.txt.key")
    return tmp_path


@pytest.mark.parametrize("command", ["info", "verify"])
@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("practice.sqlite", "is not the record of a chair"),
        ("cut.sqlite", "backup"),
        ("empty.sqlite", "is empty"),
        ("letter.txt", "does not open"),
        (".", "is a folder"),
        ("absent.sqlite", "There is no record"),
    ],
)
def test_what_is_no_record_is_said_in_a_line(
    folder: Path, command: str, name: str, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["record", command, str(folder / name), "--passphrase", "word"]) != 0
    shown = capsys.readouterr()
    assert said in shown.err, shown.err
    assert "Traceback" not in shown.err
    assert shown.out == ""
    assert len(shown.err.strip().splitlines()) <= 2


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["nonsense"], "No such command"),
        (["--chairs", "99"], "99 is not in the range"),
        (["bench", "nope"], "There is no benchmark"),
        (["simulate", "hub"], "Missing option"),
        (["simulate", "sensor", "toaster", "--transport", "usb:0"], "toaster"),
        (["tour", "--out", "{file}"], "is a file"),
        (["record", "csv", "{record}", "--out", "{out}", "--channel", "nope"], "is no channel"),
        (["record", "csv", "{record}", "--out", "{out}", "--from", "yesterday"], "is no moment"),
        (
            ["record", "csv", "{record}", "--out", "{out}", "--from", "2046-01-02", "--to", "2046-01-01"],
            "ends before",
        ),
        (["record", "csv", "{record}", "--out", "{folder}"], "is a directory"),
        (["doctor", "--radio", "nonsense"], "names no radio"),
    ],
    ids=lambda value: " ".join(value[:2]) if isinstance(value, list) else "",
)
def test_a_wrong_command_line_is_one_line_with_a_way_on(
    folder: Path, tmp_path: Path, arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    places = {
        "{file}": folder / "letter.txt",
        "{record}": folder / "chair-1.sqlite",
        "{out}": tmp_path / "x.csv",
        "{folder}": folder,
    }
    passphrase = ["--passphrase", "word"] if arguments[0] == "record" else []
    assert main([str(places.get(one, one)) for one in arguments] + passphrase) != 0
    shown = capsys.readouterr()
    assert said in (shown.out if arguments[0] == "doctor" else shown.err)
    assert "Traceback" not in shown.err
    if arguments[0] != "doctor":
        assert len(shown.err.strip().splitlines()) == 1, shown.err
        assert shown.out == ""
    assert not (tmp_path / "x.csv").exists()


if hasattr(os, "mkfifo"):

    def test_what_is_no_file_is_not_replaced_by_an_export(folder: Path, tmp_path: Path) -> None:
        """Such as /dev/full, which a root user could rename away."""
        os.mkfifo(tmp_path / "pipe")
        out = str(tmp_path / "pipe")
        assert main(["record", "csv", str(folder / "chair-1.sqlite"), "--out", out, "--passphrase", "word"]) != 0
        assert (tmp_path / "pipe").is_fifo()


@pytest.mark.parametrize(
    ("program", "data", "said"),
    [
        ("main.py", None, "make reset"),
        ("main.py", "/srv/my demo", "python main.py demo --reset --data '/srv/my demo'"),
        ("/usr/bin/smilescape", "/srv/demo", "smilescape demo --reset --data /srv/demo"),
    ],
)
def test_the_demo_names_the_command_that_forgets_its_own_folder(
    monkeypatch: pytest.MonkeyPatch, program: str, data: str | None, said: str
) -> None:
    monkeypatch.setattr("sys.argv", [program, "demo"])
    assert reset_command(Path(data) if data else None) == said


def test_a_group_without_a_command_shows_its_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["record"]) != 0
    assert "Commands:" in capsys.readouterr().err


def test_a_record_opens_with_its_passphrase_alone(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    record = str(folder / "chair-1.sqlite")
    assert main(["record", "verify", record, "--passphrase", "word"]) == 0
    assert "Sound" in capsys.readouterr().out
    assert main(["record", "verify", record, "--passphrase", "other"]) != 0
    assert "does not open" in capsys.readouterr().err


def test_what_hubs_kept_at_home_is_told_and_exported(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = folder / "chair-1.sqlite"
    key = KeyStore(prefer="file").load(path, lambda: "word")
    record = Record.open(path, key, clock=ManualClock(utc_us=1_800_000_000_000_000))
    with record.transaction():
        days = [DaySummary(day=20_000 + at, worn_s=3600, acid_s=60, attacks=1) for at in range(3)]
        record.add_wear("HUB-1", days, [], read_us=20_003 * DAY_US)
    record.close()
    assert main(["record", "info", str(path), "--passphrase", "word"]) == 0
    shown = capsys.readouterr().out
    assert "HUB-1" in shown
    assert "at home: days 3 (2024-10-04 to 2024-10-06), events 0, journal entries 0" in shown
    out = folder / "days.csv"
    assert main(["record", "days", str(path), "--out", str(out), "--passphrase", "word"]) == 0
    assert f"3 days in {out}" in capsys.readouterr().out
    assert len(out.read_text().splitlines()) == 4
    assert main(["record", "days", str(path), "--out", str(folder / "no" / "x.csv"), "--passphrase", "word"]) != 0
    assert "cannot be written" in capsys.readouterr().err
