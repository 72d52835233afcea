"""`main.py tour`: starts the processes, tells the story, closes everything, and proves what was recorded."""

import os
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import click
import msgspec

from app.clinic.config import ClinicConfig
from app.engine.runtime import Folder
from app.launch import ROOT, ClinicProcess, EngineProcess
from app.tour.proof import Proof, Task
from app.workplace import DEMO_PASSPHRASE, DemoControls, demo_config
from core.model.errors import SmilescapeError
from core.model.words import load_words

END_SECONDS = 20.0
PROOF_SECONDS = 60.0
STOP_SECONDS = 1.0
"""STOP must have become a hold within this time."""
ENDS = ("receipt", "unknown", "unsent")
"""How an order that was intended ends: one of them, always."""
QT_NOISE = "This plugin does not support propagateSizeHints()"
"""What Qt's offscreen platform says of every window."""


@dataclass(frozen=True, slots=True)
class Told:
    """What is left when the story was told: how it ended, what it measured, and where each chair's hub wrote."""

    failure: str
    measured: dict[str, object]
    journals: dict[int, Path]
    due_bytes: dict[int, int]


def run_tour(out: Path, *, seed: int) -> int:
    """Run the tour; 0 when every step came about and the record holds exactly what the hub made."""
    os.environ["QT_QPA_PLATFORM"] = "offscreen"
    out.mkdir(parents=True, exist_ok=True)
    practice = out / "practice"
    if practice.exists():
        Folder.open(practice, simulated=True)  # refuses to remove anything real
        shutil.rmtree(practice)
    for old in (*out.glob("*.png"), out / "report.pdf", out / "samples.csv", out / "tour.json"):
        old.unlink(missing_ok=True)
    folder = Folder.open(practice, simulated=True)
    began = time.monotonic()
    told = _live(folder, out, seed)
    proofs = [_prove(folder, told, chair, out) for chair in told.journals]
    checks = _checks(told, proofs, out)
    passed = all(checks.values())
    results = {
        "seed": seed,
        "platform": sys.platform,
        "python": sys.version.split()[0],
        "passed": passed,
        "checks": checks,
        "failure": told.failure,
        "seconds": round(time.monotonic() - began, 1),
        **told.measured,
        "orders": _orders(proofs),
        "chairs": msgspec.to_builtins(proofs),
    }
    (out / "tour.json").write_bytes(msgspec.json.format(msgspec.json.encode(results), indent=2))
    click.echo(f"Pictures, report.pdf, the record (passphrase {DEMO_PASSPHRASE!r}) and tour.json are in {out}.")
    if not passed:
        failed = ", ".join(name for name, held in checks.items() if not held)
        click.echo(f"The tour failed: {told.failure or failed}. See tour.json.", err=True)
    return 0 if passed else 1


def _live(folder: Folder, out: Path, seed: int) -> Told:
    """Start the processes, tell the story, and end them."""
    clinic = ClinicProcess(ClinicConfig(runtime=str(folder.runtime_dir), chairs=2, seed=seed), folder.root)
    failure = ""
    measured: dict[str, object] = {}
    due_bytes: dict[int, int] = {}
    try:
        config = demo_config(folder, clinic)
        engine = EngineProcess(config, folder.root)
        journals = {device.chair: Path(device.journal) for device in clinic.ensure().devices if device.kind == "hub"}
        try:
            measured, due_bytes = _tell(engine, folder, out, journals)
        except SmilescapeError as error:
            failure = str(error)
        if not engine.wait(END_SECONDS):
            failure = failure or "The engine did not end with the window."
            engine.terminate()
            engine.wait(END_SECONDS)
    finally:
        clinic.end()
    return Told(failure, measured, journals, due_bytes)


def _tell(
    engine: EngineProcess, folder: Folder, out: Path, journals: dict[int, Path]
) -> tuple[dict[str, object], dict[int, int]]:
    """The story in a real window; closes it, and with it the engine, in every case."""
    from PySide6.QtCore import qInstallMessageHandler
    from PySide6.QtWidgets import QApplication

    from app.console.bridge import EngineBridge
    from app.console.run import PatientScreens, destroy, page_makers
    from app.console.store import Store
    from app.console.window import MainWindow
    from app.tour.guide import Guide
    from app.tour.story import Story
    from widgets import theme

    qInstallMessageHandler(_qt_says)
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
    story = Story(guide, screens, folder.exports, journals)
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
    for made, name in (("*.pdf", "report.pdf"), ("*.csv", "samples.csv")):
        for file in sorted(folder.exports.glob(made)):
            shutil.copyfile(file, out / name)
    figures: dict[str, object] = msgspec.to_builtins(measured)
    figures.pop("due_bytes")
    return {**figures, "pictures": guide.pictures}, measured.due_bytes


def _qt_says(_kind: object, _context: object, said: str) -> None:
    if said != QT_NOISE:
        sys.stderr.write(said + "\n")


def _prove(folder: Folder, told: Told, chair: int, out: Path) -> Proof | None:
    """Compare one chair's journal and record, in a process that took no part in the tour; None when that fails."""
    exported = out / "samples.csv"
    task = Task(
        chair=chair,
        journal=str(told.journals[chair].resolve()),
        record=str(folder.chair_file(chair).resolve()),
        passphrase=DEMO_PASSPHRASE,
        due=told.due_bytes.get(chair, 0),
        csv=str(exported.resolve()) if chair == 1 and exported.exists() else "",
    )
    ended = subprocess.run(
        [sys.executable, "-m", "app.tour.proof"],
        input=msgspec.json.encode(task),
        stdout=subprocess.PIPE,
        cwd=ROOT,
        timeout=PROOF_SECONDS,
        check=False,
    )
    return msgspec.json.decode(ended.stdout, type=Proof) if ended.returncode == 0 else None


def _orders(proofs: list[Proof | None]) -> dict[str, int]:
    """Orders to the hubs as the logs have them: what was intended, and how each ended."""
    audits = [proof.audit for proof in proofs if proof is not None]
    return {kind: sum(audit.get(f"command.{kind}", 0) for audit in audits) for kind in ("intended", *ENDS)}


def _checks(told: Told, proofs: list[Proof | None], out: Path) -> dict[str, bool]:
    """What must hold, each by its own name."""
    known = [proof for proof in proofs if proof is not None]
    first = next((proof for proof in known if proof.chair == 1), None)
    orders = _orders(proofs)
    pictures = told.measured.get("pictures")
    taken = pictures if isinstance(pictures, list) else []
    report = out / "report.pdf"
    tapped, stop_s = told.measured.get("tapped_frames", 0), told.measured.get("stop_to_hold_s", 0.0)
    return {
        "every step came about": not told.failure,
        "every picture is there": bool(taken) and all((out / name).exists() for name in taken),
        "STOP became a hold in time": isinstance(stop_s, float) and 0 < stop_s <= STOP_SECONDS,
        "each record was read by a fresh process": bool(known) and len(known) == len(proofs),
        "every sample that was made is in the record, once": bool(known) and all(proof.complete for proof in known),
        "every sample in the record is the one that was made": bool(known) and all(proof.true for proof in known),
        "nothing was given up for lost": bool(known) and all(proof.lost == 0 for proof in known),
        "what the link lost was fetched again": first is not None and first.backfilled > 0,
        "the tap saw every frame": first is not None and isinstance(tapped, int) and tapped >= first.frames > 0,
        "the heart rate sensor is in the record": first is not None and first.sensors.get("heart_rate", 0) > 0,
        "the exported samples are the record's": first is not None and first.csv_rows > 0 == first.csv_differing,
        "every order has its answer in the log": 0 < orders["intended"] == sum(orders[end] for end in ENDS),
        "each record passes its own check": bool(known) and all(proof.verified for proof in known),
        "the report is there": report.exists() and report.read_bytes().startswith(b"%PDF-"),
    }
