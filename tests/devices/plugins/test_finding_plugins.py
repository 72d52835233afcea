"""Plug-ins are found by their metadata and read as data; what is wrong with one leaves out that one alone."""

import sys
from pathlib import Path

import pytest

from core.model.plugins import find_plugins
from core.model.words import load_words
from core.signals.catalogue import load_catalogue, own_catalogue
from core.signals.plugins import load_plugins
from devices.errors import DeviceError
from devices.kinds import OURS, kind_of, kinds
from devices.plugins.loading import load_driver
from tests.devices.plugins.packages import EXAMPLE, SERVICE, install, install_example, installed, make_package

MANIFEST = (EXAMPLE / "oral_ph_sensor" / "sensor.toml").read_text(encoding="utf-8")


def test_the_example_is_found_described_and_not_run(tmp_path: Path) -> None:
    with installed(tmp_path, install_example(tmp_path)):
        (plugin,) = load_plugins()
        assert (plugin.kind, plugin.package, plugin.fault) == ("oral_ph", "oral-ph-sensor 1.0.0", "")
        assert load_catalogue().key("oral_ph_value").source == "oral_ph"
        kind = kind_of([SERVICE])
        assert kind is not None
        assert [spec.key for spec in kind.channels] == ["oral_ph_value", "oral_ph_temperature"]
        words = load_words()
        assert words.say("shell.device.kind.oral_ph") == "Oral pH sensor"
        assert words.say("channel.oral_ph_value.name") == "Oral pH"
        assert not any(name.startswith("oral_ph_sensor") for name in sys.modules)
        assert load_driver(plugin).__name__ == "OralPhDriver"  # type: ignore[attr-defined]
    assert "oral_ph_value" not in load_catalogue()
    assert "shell.device.kind.oral_ph" not in load_words()


def test_the_example_is_as_short_as_its_guide_says() -> None:
    lines = [line for file in EXAMPLE.rglob("*.py") for line in file.read_text(encoding="utf-8").splitlines()]
    assert len(lines) < 100


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("number = 160", "number = 10", "128-255"),
        ("number = 161", "number = 160", "repeats number 160"),
        ('key = "oral_ph_value"', 'key = "heart_rate"', "does not begin with oral_ph"),
        ("scale = 0.001", "scale = nan", "no finite number"),
        ("rate_hz = 10", "rate_hz = -1", "rate"),
        ("services = [", "services = [1, ", "sensor.toml"),
        ('services = ["8c1f0001-5a0e-4f6b-9d1b-6f72616c7068"]', "services = []", "service"),
        ('services = ["8c1f0001-5a0e-4f6b-9d1b-6f72616c7068"]', 'services = ["180d"]', "service"),
        ("[words.en]", "[words.fr]", "no English words"),
        ("[words.en.channel.oral_ph_value]", "[words.en.channel.other]", "no words for the channel oral_ph_value"),
        ("number = 160", "number = ", "sensor.toml"),
        ("number = 160", "number = 160\ncolour = 3", "sensor.toml"),
    ],
)
def test_a_wrong_data_file_leaves_out_the_package_and_says_why(tmp_path: Path, old: str, new: str, says: str) -> None:
    text = MANIFEST.replace(old, new, 1)
    text = text.replace("[words.en.", "[words.fr.") if new == "[words.fr]" else text
    make_package(tmp_path, "class Driver: ...", text)
    with installed(tmp_path):
        (plugin,) = load_plugins()
        assert says in plugin.fault
        assert len(load_catalogue()) == len(own_catalogue())
        assert kinds() == OURS
        with pytest.raises(DeviceError, match=r"made-oral_ph 0\.1"):
            load_driver(plugin)


def test_a_missing_package_a_second_of_the_same_kind_and_one_of_ours_are_left_out(tmp_path: Path) -> None:
    install(tmp_path, "ghost", "1", {"ghost": "not_there.driver:Driver"})
    install(tmp_path, "rival", "1", {"oral_ph": "zzz_rival.driver:Driver"})
    make_package(tmp_path, "class Driver: ...")
    make_package(tmp_path, "class Driver: ...", MANIFEST.replace("oral_ph", "heart_rate"), kind="heart_rate")
    with installed(tmp_path):
        faults = {plugin.kind: plugin.fault for plugin in load_plugins()}
        assert "no readable sensor.toml" in faults["ghost"]
        assert faults["oral_ph"] == ""
        assert faults["heart_rate"]
        assert len(find_plugins()) == 3


def test_a_plugin_takes_no_service_from_another(tmp_path: Path) -> None:
    heart = "0000180d-0000-1000-8000-00805f9b34fb"
    make_package(tmp_path, "class Driver: ...", MANIFEST.replace(SERVICE, heart))
    with installed(tmp_path):
        kind = kind_of([heart])
        assert kind is not None
        assert kind.key == "heart_rate"
        assert kinds() == OURS


@pytest.mark.parametrize(
    ("code", "says"),
    [
        ("import nothing_like_this", "ModuleNotFoundError"),
        ("raise RuntimeError('no')", "RuntimeError: no"),
        ("import sys; sys.exit(3)", "SystemExit"),
        ("def broken(:", "SyntaxError"),
        ("class Other: ...", "AttributeError"),
        ("Driver = 3", "no class"),
        ("import threading; threading.Event().wait()", "within 0.3 s"),
    ],
)
def test_a_driver_that_cannot_be_imported_is_a_clear_error(tmp_path: Path, code: str, says: str) -> None:
    make_package(tmp_path, code)
    with installed(tmp_path), pytest.raises(DeviceError, match=says) as error:
        load_driver(load_plugins()[0], seconds=0.3 if "Event" in code else 5.0)
    assert "made-oral_ph 0.1" in error.value.remedy
