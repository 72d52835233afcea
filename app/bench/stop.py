"""STOP with real processes: from the press to the engine's answer and to the hub's own receipt in the audit log."""

import tempfile
import threading
import time
from pathlib import Path

import numpy as np

from app.bench.common import Report, figure, report, say
from app.engine.runtime import Folder
from app.ipc import messages as ipc
from app.ipc.client import EngineClient, StopLine
from app.launch import ClinicProcess, EngineProcess
from app.workplace import DEMO_PASSPHRASE, clinic_config, demo_config
from core.model.hub import LinkState
from core.record import RecordReader
from core.record.keys import KeyStore

INTERVAL_MS = 30.0
"""A usual connection interval: what the radio alone may cost."""


def bench_stop(presses: int = 40) -> Report:
    """Two hubs stream; STOP for all is pressed again and again. The hub's receipts are read from the closed record."""
    with tempfile.TemporaryDirectory(prefix="smilescape-bench-") as root:
        folder = Folder.open(Path(root) / "data", simulated=True)
        clinic = ClinicProcess(clinic_config(folder, chairs=2), folder.root)
        try:
            engine = EngineProcess(demo_config(folder, clinic, sound=False), folder.root)
            engine.ensure()
            answered = _press(engine, presses)
            engine.wait(20.0)
        finally:
            clinic.end()
        held = _receipts(folder)
    say(f"{len(answered)} presses, {len(held)} receipts")
    return report(
        "stop",
        figure("engine answers p50", float(np.median(answered)), "ms", "interval of 30 ms", INTERVAL_MS, "<=1"),
        figure("engine answers p99", float(np.percentile(answered, 99)), "ms", "interval of 30 ms", INTERVAL_MS, "<=1"),
        figure("hub's receipt p50", float(np.median(held)), "ms", "interval of 30 ms", INTERVAL_MS, "<=1"),
        figure("hub's receipt p99", float(np.percentile(held, 99)), "ms", "interval of 30 ms", INTERVAL_MS, "<=2.33"),
    )


def _press(engine: EngineProcess, presses: int) -> list[float]:
    streaming = threading.Semaphore(0)
    client = EngineClient.connect(engine.runtime, "console")
    up: set[int] = set()

    def pushed(push: ipc.Push) -> None:
        if isinstance(push, ipc.Chair) and push.link is LinkState.UP and push.number not in up:
            up.add(push.number)
            streaming.release()

    client.subscribe(pushed)
    for _ in range(2):
        if not streaming.acquire(timeout=60):
            raise TimeoutError("the simulated hubs did not connect")
    line = StopLine(engine.runtime)
    times: list[float] = []
    for _ in range(presses):
        began = time.perf_counter()
        line.stop(0).result(10)
        times.append((time.perf_counter() - began) * 1000)
        client.request(ipc.Alive())
    line.close()
    client.request(ipc.Shutdown(hold_confirmed=True))
    client.close()
    return times


def _receipts(folder: Folder) -> list[float]:
    """Milliseconds from "STOP pressed" to "acknowledged by the hub", as the record tells."""
    found: list[float] = []
    for number in folder.chairs():
        path = folder.chair_file(number)
        key = KeyStore(prefer="file").load(path, lambda: DEMO_PASSPHRASE)
        pressed: list[int] = []
        with RecordReader.open(path, key) as reader:
            for line in reversed(reader.log(limit=500)):
                if line.text.key == "log.stop":
                    pressed.append(line.at_us)
                elif line.text.key == "log.stop_sent" and pressed:
                    found.append((line.at_us - pressed.pop(0)) / 1000)
    return found
