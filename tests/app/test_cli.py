"""The command line as a person meets it: one line, a next step, no traceback."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from app import __version__
from app.cli import cli, main
from app.clinic.hubs import FAULTS as HUB_FAULTS
from app.console.demo_strip import FAULTS as STRIP_FAULTS
from core.record.keys import KeyStore

CARRIED_AWAY = {"drop_link"}
"""Done by the air, not told to the hub."""


def test_every_button_of_the_demo_strip_reaches_a_hub() -> None:
    assert set(STRIP_FAULTS) <= set(HUB_FAULTS) | CARRIED_AWAY


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
