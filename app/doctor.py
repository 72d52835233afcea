"""`main.py doctor`: what the workstation needs from the machine, each with a remedy."""

import importlib
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

import click

from app.engine.doctor_radio import radio_works
from app.engine.runtime import Folder
from core.model.errors import SmilescapeError
from core.record.keys import KeyStore
from core.signals.plugins import load_plugins
from devices.plugins.loading import PluginUnusable, load_driver

LEAST_FREE_BYTES = 2_000_000_000
LIBRARIES = (
    "PySide6",
    "pyqtgraph",
    "numpy",
    "bleak",
    "bumble",
    "sqlcipher3",
    "sqlite_utils",
    "typst",
    "miniaudio",
    "pcodec",
)


@dataclass(frozen=True, slots=True)
class Finding:
    """One line. `state`: `ok`, `warning` (works, with less), or `failed`."""

    name: str
    state: str
    said: str
    remedy: str = ""


def examine(data: Path | None, radio: str) -> int:
    """Print every finding; 1 when something failed."""
    findings = [check(data, radio) for check in CHECKS]
    for finding in findings:
        click.echo(f"{finding.state:8} {finding.name:10} {finding.said}")
        if finding.remedy and finding.state != "ok":
            click.echo(f"{'':19} {finding.remedy}")
    return 1 if any(finding.state == "failed" for finding in findings) else 0


def _python(_data: Path | None, _radio: str) -> Finding:
    version = ".".join(str(part) for part in sys.version_info[:3])
    if (3, 11) <= sys.version_info[:2] <= (3, 14):
        return Finding("python", "ok", version)
    return Finding("python", "failed", version, "Install Python 3.11 to 3.14, then run make setup.")


def _libraries(_data: Path | None, _radio: str) -> Finding:
    missing = []
    for name in LIBRARIES:
        try:
            importlib.import_module(name)
        except Exception as error:
            missing.append(f"{name} ({error})")
    if missing:
        return Finding("libraries", "failed", "; ".join(missing), "Run make setup.")
    said = f"all {len(LIBRARIES)} load, PySide6 {metadata.version('PySide6-Essentials')}"
    return Finding("libraries", "ok", said)


def _adapter(_data: Path | None, radio: str) -> Finding:
    problem = radio_works(radio)
    if problem is None:
        return Finding("adapter", "ok", radio)
    return Finding("adapter", "failed", *_split(problem))


def _keyring(_data: Path | None, _radio: str) -> Finding:
    if KeyStore().keyring_usable():
        return Finding("keyring", "ok", "keys of records are kept in the system's keyring")
    return Finding(
        "keyring",
        "warning",
        "no keyring here",
        "Keys go into files beside the records, wrapped by a passphrase that is asked for at each start.",
    )


def _disk(data: Path | None, _radio: str) -> Finding:
    root = data or Folder.default()
    place = next((parent for parent in (root, *root.parents) if parent.exists()), Path("/"))
    import os
    import shutil

    free = shutil.disk_usage(place).free
    said = f"{free / 1e9:.1f} GB free at {place}"
    if not os.access(place, os.W_OK):
        return Finding("disk", "failed", f"{place} cannot be written", "Choose another folder with --data.")
    if free < LEAST_FREE_BYTES:
        return Finding("disk", "warning", said, "A day of one chair takes about 0.5 GB. Free some space.")
    return Finding("disk", "ok", said)


def _clock(_data: Path | None, _radio: str) -> Finding:
    year = time.gmtime().tm_year
    tick = time.get_clock_info("monotonic")
    if year < 2026:
        return Finding("clock", "failed", f"the clock says {year}", "Set date and time, best by a time server.")
    if not tick.monotonic or tick.resolution > 0.02:
        return Finding("clock", "warning", f"resolution {tick.resolution:g} s", "Timing will be coarse.")
    return Finding("clock", "ok", time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime()))


def _sensors(_data: Path | None, _radio: str) -> Finding:
    """Drivers of other makers: what they are, and whether they can be used. Imports them, as the engine would."""
    plugins = load_plugins()
    if not plugins:
        return Finding("sensors", "ok", "standard sensors; no drivers of other makers are installed")
    said, problems = [], []
    for plugin in plugins:
        try:
            load_driver(plugin)
            said.append(f"{plugin.kind} by {plugin.package}")
        except PluginUnusable as error:
            said.append(f"{plugin.kind} left out: {_split(error)[0]}")
            problems.append(plugin.package)
    if problems:
        return Finding("sensors", "warning", "; ".join(said), f"Mend or remove {', '.join(problems)}; the rest works.")
    return Finding("sensors", "ok", "; ".join(said))


def _display(_data: Path | None, _radio: str) -> Finding:
    from app.cli import has_display

    if has_display():
        return Finding("display", "ok", "a window can be shown")
    return Finding("display", "warning", "no display", "Commands and the tour work; the window does not.")


def _split(error: SmilescapeError) -> tuple[str, str]:
    return Exception.__str__(error), error.remedy


CHECKS: tuple[Callable[[Path | None, str], Finding], ...] = (
    _python,
    _libraries,
    _adapter,
    _keyring,
    _disk,
    _clock,
    _display,
    _sensors,
)
