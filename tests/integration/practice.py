"""A whole simulated practice in real processes: air, hubs, engine; the test is the console."""

import contextlib
import threading
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import psutil

from app.clinic.config import ClinicConfig, Trigger
from app.clinic.control import trigger
from app.engine.runtime import Folder
from app.ipc import messages as ipc
from app.ipc.client import EngineClient, StopLine
from app.launch import ClinicProcess, EngineProcess
from app.workplace import DEMO_PASSPHRASE, demo_config
from core.model.block import Samples
from core.model.intents import (
    ConfirmCheck,
    Intent,
    NextStep,
    SetComfort,
    SetPlan,
    SignConsent,
    StartBaseline,
    StartTherapy,
)
from core.model.procedure import Choice, ModulePlan, ProcedureView, Step
from core.model.words import load_words
from core.record import RecordReader
from core.record.keys import KeyStore
from core.signals.catalogue import load_catalogue
from devices.simulator.journal import read_journal

PATIENCE_S = 60.0


class Practice:
    """Drives a real engine on real (simulated) hubs through the same messages as the console."""

    def __init__(self, root: Path, chairs: int = 1) -> None:
        self.folder = Folder.open(root, simulated=True)
        self.clinic = ClinicProcess(ClinicConfig(runtime=str(self.folder.runtime_dir), chairs=chairs), root)
        self.devices = self.clinic.ensure().devices
        self.engine = EngineProcess(demo_config(self.folder, self.clinic, sound=False), root)
        self.chairs: dict[int, ipc.Chair] = {}
        self.workstation: ipc.Workstation | None = None
        self.states: list[str] = []
        self.beating = True
        self._news = threading.Condition()
        self._client: EngineClient | None = None

    # ---- processes

    def start(self) -> None:
        """Start the engine, or the next one, and attach as its console."""
        self.engine.ensure()
        self.attach()

    def attach(self) -> None:
        self._client = client = EngineClient.connect(self.engine.runtime, "console")
        client.subscribe(self._pushed)

        def live() -> None:
            while client.alive:
                if self.beating:
                    with contextlib.suppress(Exception):
                        client.request(ipc.Alive())
                time.sleep(0.5)  # the heartbeat itself, not a synchronisation

        threading.Thread(target=live, daemon=True).start()

    def detach(self) -> None:
        if self._client is not None:
            self._client.close()

    def kill_engine(self) -> None:
        """kill -9, and wait until it is gone."""
        process = psutil.Process(self.engine.ensure())
        self.detach()
        process.kill()
        assert self.engine.wait(PATIENCE_S)
        with self._news:
            self.chairs.clear()

    def shut_down(self) -> None:
        self.ask(ipc.Shutdown(hold_confirmed=True))
        assert self.engine.wait(PATIENCE_S)
        self.detach()

    def close(self) -> None:
        with contextlib.suppress(Exception):
            psutil.Process(self.engine.ensure()).kill()
        self.engine.wait(PATIENCE_S)
        self.detach()
        self.clinic.end()

    # ---- talking

    def ask(self, body: ipc.Request) -> ipc.Reply:
        assert self._client is not None
        return self._client.request(body)

    def act(self, intent: Intent, chair: int = 1) -> None:
        reply = self.ask(ipc.Act(chair=chair, revision=self.view(chair).revision, intent=intent))
        if isinstance(reply, ipc.Refused):
            raise AssertionError(f"refused {intent}: {load_words().tell(reply.text)}")

    def stop(self, chair: int = 0) -> None:
        line = StopLine(self.engine.runtime)
        try:
            line.stop(chair).result(PATIENCE_S)
        finally:
            line.close()

    def break_something(self, name: str, chair: int = 1) -> None:
        trigger(self.folder.runtime_dir, Trigger(chair=chair, name=name))

    def view(self, chair: int = 1) -> ProcedureView:
        found = self.chairs[chair].procedure
        assert found is not None
        return found

    def until(self, what: Callable[[], object], seconds: float = PATIENCE_S) -> None:
        """Wait for a push after which `what` holds."""

        def holds() -> bool:
            try:
                return bool(what())
            except (AssertionError, AttributeError, KeyError):
                return False

        with self._news:
            if not self._news.wait_for(holds, seconds):
                states = {chair.number: (chair.state, chair.link.value) for chair in self.chairs.values()}
                alarms = [alarm.kind for alarm in self.workstation.alarms] if self.workstation is not None else None
                raise AssertionError(f"waited {seconds} s in vain; chairs {states}, alarms {alarms}")

    def _pushed(self, push: ipc.Push) -> None:
        with self._news:
            if isinstance(push, ipc.Chair):
                self.chairs[push.number] = push
                self.states.append(push.state)
            else:
                self.workstation = push
            self._news.notify_all()

    # ---- the procedure

    def seat(self, chair: int = 1) -> str:
        """Seat the first patient; returns the visit's id."""
        self.until(lambda: self.chairs[chair].hub)
        patients = self.ask(ipc.ListPatients())
        assert isinstance(patients, ipc.Patients)
        done = self.ask(ipc.SeatPatient(chair=chair, patient_id=patients.patients[chair - 1].id))
        assert isinstance(done, ipc.Done), done
        self.until(lambda: self.view(chair).step is Step.SEAT)
        return done.id

    def walk_to_treatment(self, module: str = "augment", chair: int = 1) -> None:
        """Through the six steps before treatment, with one module."""
        self._leave(Step.SEAT, chair)
        self.act(SetComfort(answers={f"mdas{item}": 2 for item in range(1, 6)}, words="slowly"), chair)
        self._leave(Step.LISTEN, chair)
        self.act(StartBaseline(), chair)
        self._leave(Step.BASELINE, chair)
        plan = self.view(chair).plan
        assert plan is not None
        rows = tuple(
            row if row.module == module else ModulePlan(module=row.module, choice=Choice.DECLINED)
            for row in plan.modules
        )
        revision = self.view(chair).revision
        self.act(SetPlan(modules=rows, own_limits=(), data_choice=plan.data_choice), chair)
        self.until(lambda: self.view(chair).revision > revision)
        self._leave(Step.PLAN, chair)
        self.act(SignConsent(how="aloud"), chair)
        self._leave(Step.CONSENT, chair)
        for item in self.view(chair).preflight:
            if item.by_hand:
                self.act(ConfirmCheck(key=item.key, passed=True), chair)
                self.until(lambda key=item.key: {i.key: i.passed for i in self.view(chair).preflight}[key])  # type: ignore[misc]
        self._leave(Step.PREFLIGHT, chair)
        self.act(StartTherapy(), chair)
        self.until(lambda: self.chairs[chair].state == "treating")

    def _leave(self, step: Step, chair: int) -> None:
        self.until(lambda: self.view(chair).step is step and not self.view(chair).blocked)
        self.act(NextStep(), chair)
        self.until(lambda: self.view(chair).step is not step)

    # ---- comparing

    def reader(self, chair: int = 1) -> RecordReader:
        path = self.folder.chair_file(chair)
        return RecordReader.open(path, KeyStore(prefer="file").load(path, lambda: DEMO_PASSPHRASE))

    def made(self, chair: int = 1) -> dict[tuple[int, str], Samples]:
        """Every sample that the hub's own journal says it made, by boot and channel."""
        journal = next(device.journal for device in self.devices if device.chair == chair and device.journal)
        parts: dict[tuple[int, str], list[Samples]] = {}
        for block in read_journal(Path(journal)):
            spec = load_catalogue().number(block.channel)
            assert spec is not None
            have = sum(len(part) for part in parts.get((block.boot, spec.key), []))
            assert block.first_index == have, "the journal itself has a hole"
            parts.setdefault((block.boot, spec.key), []).append(block.samples)
        return {key: np.concatenate(found) for key, found in parts.items()}

    def kept(self, chair: int = 1) -> dict[tuple[int, str], Samples]:
        """Every sample in the closed record, by boot and channel. Fails when one is missing in between, or doubled."""
        kept: dict[tuple[int, str], list[Samples]] = {}
        ends: dict[tuple[int, str], int] = {}
        with self.reader(chair) as reader:
            for spec in load_catalogue().from_source("hub"):
                for block in reader.samples(None, spec.key):
                    key = (block.boot, spec.key)
                    assert block.first_index == ends.get(key, 0), f"{key}: {block.first_index} after {ends.get(key, 0)}"
                    ends[key] = block.first_index + len(block.samples)
                    kept.setdefault(key, []).append(block.samples)
        return {key: np.concatenate(found) for key, found in kept.items()}
