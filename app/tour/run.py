"""`main.py tour`: starts the processes, tells the story, closes everything, and proves what was recorded."""

import os
import shutil
import sys
import time
from pathlib import Path

import click
import msgspec

from app.clinic.config import ClinicConfig
from app.engine.runtime import Folder
from app.launch import ClinicProcess, EngineProcess
from app.workplace import DEMO_PASSPHRASE, DemoControls, demo_config
from core.model.errors import SmilescapeError
from core.model.words import load_words

END_SECONDS = 20.0


def run_tour(out: Path, *, seed: int) -> int:
    """Run the tour; 0 when every step came about and the record holds exactly what the hub made."""
    os.environ["QT_QPA_PLATFORM"] = "offscreen"
    out.mkdir(parents=True, exist_ok=True)
    practice = out / "practice"
    if practice.exists():
        Folder.open(practice, simulated=True)  # refuses to remove anything real
        shutil.rmtree(practice)
    for old in out.glob("*.png"):
        old.unlink()
    folder = Folder.open(practice, simulated=True)
    began = time.monotonic()
    clinic = ClinicProcess(ClinicConfig(runtime=str(folder.runtime_dir), chairs=2, seed=seed), folder.root)
    failure = ""
    results: dict[str, object] = {"seed": seed, "platform": sys.platform, "python": sys.version.split()[0]}
    try:
        config = demo_config(folder, clinic)
        engine = EngineProcess(config, folder.root)
        devices = clinic.ensure().devices
        journal = Path(next(device.journal for device in devices if device.chair == 1 and device.kind == "hub"))
        try:
            results |= _tell(engine, folder, out)
        except SmilescapeError as error:
            failure = str(error)
        if not engine.wait(END_SECONDS):
            failure = failure or "The engine did not end with the window."
            engine.terminate()
            engine.wait(END_SECONDS)
    finally:
        clinic.end()
    results |= _prove(journal, folder, results)
    results["seconds"] = round(time.monotonic() - began, 1)
    results["failure"] = failure
    sound = not failure and bool(results.get("sound"))
    results["passed"] = sound
    (out / "tour.json").write_bytes(msgspec.json.format(msgspec.json.encode(results), indent=2))
    click.echo(f"Pictures, report.pdf, the record (passphrase {DEMO_PASSPHRASE!r}) and tour.json are in {out}.")
    if failure:
        click.echo(f"The tour failed: {failure}", err=True)
    elif not sound:
        click.echo("The record differs from what the hub made; see tour.json.", err=True)
    return 0 if sound else 1


def _tell(engine: EngineProcess, folder: Folder, out: Path) -> dict[str, object]:
    """The story in a real window; closes it, and with it the engine, in every case."""
    from PySide6.QtWidgets import QApplication

    from app.console.bridge import EngineBridge
    from app.console.run import PatientScreens, destroy, page_makers
    from app.console.store import Store
    from app.console.window import MainWindow
    from app.tour.guide import Guide
    from app.tour.story import Story
    from widgets import theme

    app = QApplication.instance() or QApplication([])
    assert isinstance(app, QApplication)
    app.setQuitOnLastWindowClosed(False)
    theme.apply(app, "light")
    engine.ensure()
    bridge = EngineBridge(engine.runtime, engine.revive)
    store = Store(bridge)
    demo = DemoControls(folder.runtime_dir)
    window = MainWindow(store, load_words(), demo=demo, makers=page_makers())
    screens = PatientScreens(store, load_words())
    window.patient_screen_wanted.connect(screens.show)
    window.show()
    bridge.start(store)
    guide = Guide(app, window, store, out)
    story = Story(guide, screens, demo, folder.exports)
    try:
        measured = story.run()
    except SmilescapeError:
        window.grab().save(str(out / "failed.png"))
        raise
    finally:
        bridge.shut_down_engine(hold_confirmed=True)
        bridge.close()
        screens.close()
        destroy(app, window)
    for made in sorted(folder.exports.glob("*.pdf")):
        shutil.copyfile(made, out / "report.pdf")
    for made in sorted(folder.exports.glob("*.csv")):
        shutil.copyfile(made, out / "samples.csv")
    return {"pictures": guide.pictures, **msgspec.to_builtins(measured)}


def _prove(journal: Path, folder: Folder, results: dict[str, object]) -> dict[str, object]:
    from app.tour.proof import compare

    record = folder.chair_file(1)
    try:
        proof = compare(journal, record, DEMO_PASSPHRASE)
    except SmilescapeError as error:
        return {"sound": False, "problems": [str(error)]}
    told: dict[str, object] = msgspec.to_builtins(proof)
    return {
        **told,
        "sound": proof.sound,
        "commands": proof.audit.get("command.intended", 0),
        "receipts": proof.audit.get("command.receipt", 0),
        "record": str(record.name),
        "report": (folder.root.parent / "report.pdf").exists(),
    }
