"""Opens the workstation: starts what it needs, shows the window, ends what it started."""

import os
import shlex
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Literal

import click

from app.clinic.config import ClinicConfig, Trigger
from app.clinic.control import trigger
from app.engine.runtime import Folder
from app.engine_config import DeviceBinding, EngineConfig
from app.launch import ROOT, ClinicProcess, EngineProcess, StartFailed
from core.record.keys import KeyStore

Theme = Literal["light", "dark"]
DEMO_PASSPHRASE = "simulated"
"""Wraps the keys of simulated data, which needs no protection; nobody is asked for it."""
DEMO_PHONE = "020 7946 0142"
"""A number that nobody has: the range 020 7946 0000 to 0999 is kept free for fiction."""
DEMO_IDLE_EXIT_S = 300.0
END_SECONDS = 20.0


class DemoControls:
    """What the demo strip can break."""

    def __init__(self, runtime: Path) -> None:
        self._runtime = runtime

    def trigger(self, chair: int, name: str) -> None:
        trigger(self._runtime, Trigger(chair=chair, name=name))


def open_real(data: Path | None, *, radio: str, chairs: int, theme: Theme) -> int:
    """The workstation on real hubs."""
    _needs_display()
    root = data or Folder.default()
    folder = Folder.open(root, simulated=False)
    config = EngineConfig(
        data_folder=str(folder.root),
        radio=radio,
        chairs=chairs,
        simulated=False,
        passphrase=_passphrase(folder),
    )
    return _show(EngineProcess(config, folder.root), folder, theme=theme, demo=None, before=lambda: None)


def open_demo(data: Path | None, *, seed: int, theme: Theme) -> int:
    """The workstation on a simulated clinic; without a display, the tour instead."""
    from app.cli import has_display

    if not has_display():
        click.echo("There is no display here, so the tour runs instead. Pictures and the report go to out/.")
        from app.tour.run import run_tour

        return run_tour(Path("out"), seed=seed)
    folder = Folder.open(data or Folder.default(demo=True), simulated=True)
    click.echo(f"Simulated data lies in {folder.root}. Forget it with: {reset_command(data)}")
    clinic = ClinicProcess(clinic_config(folder, chairs=2, seed=seed), folder.root)
    try:
        engine = EngineProcess(demo_config(folder, clinic), folder.root)
        return _show(
            engine,
            folder,
            theme=theme,
            demo=DemoControls(folder.runtime_dir),
            before=clinic.revive,
        )
    finally:
        clinic.end()


def clinic_config(folder: Folder, *, chairs: int, seed: int = 1) -> ClinicConfig:
    """A simulated clinic for this folder, whose keys may be stolen there."""
    return ClinicConfig(
        runtime=str(folder.runtime_dir), chairs=chairs, seed=seed, data=str(folder.root), passphrase=DEMO_PASSPHRASE
    )


def reset_command(data: Path | None) -> str:
    """The command that removes a demo's data, as whoever started it would write it."""
    if data is None and (ROOT / "Makefile").exists():
        return "make reset"
    program = Path(sys.argv[0]).name
    called = "smilescape" if program.startswith("smilescape") else "python main.py"
    return f"{called} demo --reset" + (f" --data {shlex.quote(str(data))}" if data is not None else "")


def demo_config(folder: Folder, clinic: ClinicProcess, *, sound: bool = True) -> EngineConfig:
    """Start the clinic, and say how an engine reaches it."""
    found = clinic.ensure()
    return EngineConfig(
        data_folder=str(folder.root),
        radio=found.radio,
        chairs=len({device.chair for device in found.devices}),
        simulated=True,
        practice="Simulated practice",
        practice_phone=DEMO_PHONE,
        passphrase=DEMO_PASSPHRASE,
        devices=tuple(
            DeviceBinding(chair=device.chair, kind=device.kind, address=device.address, name=device.name)
            for device in found.devices
        ),
        idle_exit_s=DEMO_IDLE_EXIT_S,
        sound=sound,
    )


def reset_demo(data: Path | None) -> int:
    """Remove the demo's data folder, after checking that it is one."""
    root = data or Folder.default(demo=True)
    if not root.exists():
        click.echo("There is no simulated data.")
        return 0
    folder = Folder.open(root, simulated=True)
    ClinicProcess(ClinicConfig(runtime=str(folder.runtime_dir)), folder.root).end()
    engine = EngineProcess(EngineConfig(data_folder=str(folder.root), simulated=True), folder.root)
    engine.terminate()
    if not engine.wait(END_SECONDS):
        raise StartFailed("The engine still runs on this folder.", "Close the window first.")
    shutil.rmtree(folder.root)
    click.echo(f"Removed {folder.root}.")
    return 0


def _show(
    engine: EngineProcess,
    folder: Folder,
    *,
    theme: Theme,
    demo: DemoControls | None,
    before: Callable[[], None],
) -> int:
    engine.ensure()

    def restart() -> None:
        before()
        engine.ensure()

    from app.console.run import run_console

    code = run_console(engine.runtime, restart_engine=restart, demo=demo, mode=theme)
    if not engine.wait(END_SECONDS):
        click.echo("The engine goes on: a treatment is held, or another window is open.")
    return code


def _needs_display() -> None:
    from app.cli import has_display

    if not has_display():
        raise StartFailed("There is no display here.", "Run `python main.py tour --out out` to see it in pictures.")


def _passphrase(folder: Folder) -> str:
    """Ask for the passphrase of the key files, where there is no keyring. Twice when they do not exist yet."""
    wrapped = any(KeyStore.wrapped(record) for record in folder.root.glob("*.sqlite"))
    if KeyStore().keyring_usable() and not wrapped:
        return ""
    given = os.environ.get("SMILESCAPE_PASSPHRASE")
    if given:
        return given
    if not sys.stdin.isatty():
        raise StartFailed(
            "This machine has no keyring, so a passphrase is needed.",
            "Set SMILESCAPE_PASSPHRASE, or start in a terminal.",
        )
    text: str = click.prompt("Passphrase of the records", hide_input=True, confirmation_prompt=not wrapped)
    return text
