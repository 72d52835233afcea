"""A whole simulated practice in real processes: air, hubs, engine; the test is the console."""

import contextlib
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import psutil

from app.clinic.config import Trigger
from app.clinic.control import trigger
from app.engine.runtime import Folder
from app.ipc import messages as ipc
from app.ipc.address import EngineNotRunning, read_address
from app.ipc.client import EngineClient, StopLine
from app.launch import ClinicProcess, EngineProcess
from app.workplace import DEMO_PASSPHRASE, clinic_config, demo_config
from core.model.alarm import AlarmState
from core.model.block import Samples
from core.model.hub import HubStatus, LinkState
from core.model.intents import (
    CheckHub,
    ConfirmCheck,
    EndEarly,
    Intent,
    NextStep,
    PatientYes,
    Resume,
    SetComfort,
    SetPlan,
    SignConsent,
    SignSummary,
    StartBaseline,
    StartTherapy,
)
from core.model.procedure import Choice, Hold, ModulePlan, ProcedureView, Step
from core.model.words import load_words
from core.record import RecordReader
from core.record.keys import KeyStore
from core.signals.catalogue import load_catalogue
from devices.simulator.journal import read_journal

PATIENCE_S = 30.0
ENGINE = "tests.integration.engine_process"


class Practice:
    """Drives a real engine on real (simulated) hubs through the same messages as the console."""

    def __init__(self, root: Path, chairs: int = 1, *, seed: int = 1) -> None:
        self.folder = Folder.open(root, simulated=True)
        self.clinic = ClinicProcess(clinic_config(self.folder, chairs=chairs, seed=seed), root)
        self.devices = self.clinic.ensure().devices
        self.engine = EngineProcess(demo_config(self.folder, self.clinic, sound=False), root, module=ENGINE)
        self.chairs: dict[int, ipc.Chair] = {}
        self.workstation: ipc.Workstation | None = None
        self.states: list[str] = []
        self.beating = True
        self._news = threading.Condition()
        self._client: EngineClient | None = None

    # processes

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
        with contextlib.suppress(EngineNotRunning, psutil.NoSuchProcess):
            psutil.Process(read_address(self.engine.runtime).pid).kill()
        self.engine.wait(PATIENCE_S)
        self.detach()
        self.clinic.end()

    # talking

    def ask(self, body: ipc.Request) -> ipc.Reply:
        assert self._client is not None
        return self._client.request(body)

    def act(self, intent: Intent, chair: int = 1) -> None:
        """Do something; what had changed on the screen a moment before is looked at first, as people do."""
        seen = self.view(chair).revision
        reply = self.ask(ipc.Act(chair=chair, revision=seen, intent=intent))
        if isinstance(reply, ipc.Refused) and reply.code == "stale":
            self.until(lambda: self.view(chair).revision != seen)
            return self.act(intent, chair)
        if isinstance(reply, ipc.Refused):
            raise AssertionError(f"refused {intent}: {load_words().tell(reply.text)}")
        return None

    def stop(self, chair: int = 0) -> None:
        line = StopLine(self.engine.runtime)
        try:
            line.stop(chair).result(PATIENCE_S)
        finally:
            line.close()

    def break_something(self, name: str, chair: int = 1) -> None:
        trigger(self.folder.runtime_dir, Trigger(chair=chair, name=name))

    def serial(self, chair: int = 1) -> str:
        identity = self.chairs[chair].identity
        assert identity is not None
        return identity.serial

    def caught_up(self, chair: int = 1) -> bool:
        """Whether everything that the hub holds is here: what is missing is known only while the link is up."""
        return self.chairs[chair].link is LinkState.UP and self.chairs[chair].backfill_frames == 0

    def view(self, chair: int = 1) -> ProcedureView:
        found = self.chairs[chair].procedure
        assert found is not None
        return found

    def alarms(self, state: AlarmState | None = None) -> set[str]:
        """Kinds of the open alarms, of any state or of one."""
        assert self.workstation is not None
        return {alarm.kind for alarm in self.workstation.alarms if state in (None, alarm.state)}

    def hub(self, chair: int = 1) -> HubStatus:
        """The hub's word, when it is fresh."""
        found = self.chairs[chair].hub
        assert found is not None
        return found

    def hold(self, chair: int = 1) -> Hold:
        found = self.view(chair).hold
        assert found is not None
        return found

    def until_frames(self, frames: int, chair: int = 1) -> None:
        """Let the hub make so many more frames: a while, measured by what goes on in it."""
        self.until(lambda: self.hub(chair))
        goal = self.hub(chair).newest_sequence + frames
        self.until(lambda: self.hub(chair).newest_sequence >= goal)

    def until(self, what: Callable[[], object], seconds: float = PATIENCE_S) -> None:
        """Wait for a push after which `what` holds."""

        def holds() -> bool:
            try:
                return bool(what())
            except (AssertionError, AttributeError, KeyError):
                return False

        with self._news:
            if not self._news.wait_for(holds, seconds):
                states = {
                    chair.number: (
                        chair.state,
                        chair.link.value,
                        (chair.hub.therapy.name, chair.hub.cause.name) if chair.hub else None,
                        chair.procedure.hold if chair.procedure else None,
                    )
                    for chair in self.chairs.values()
                }
                alarms = [alarm.kind for alarm in self.workstation.alarms] if self.workstation is not None else None
                raise AssertionError(f"waited {seconds} s in vain; chairs {states}, alarms {alarms}\n{self.log_tail()}")

    def log_tail(self, lines: int = 40) -> str:
        """The end of the engine's log."""
        path = self.folder.log_dir / "engine.log"
        return "\n".join(path.read_text(encoding="utf-8").splitlines()[-lines:]) if path.exists() else ""

    def _pushed(self, push: ipc.Push) -> None:
        with self._news:
            if isinstance(push, ipc.Chair):
                self.chairs[push.number] = push
                self.states.append(push.state)
            else:
                self.workstation = push
            self._news.notify_all()

    # the procedure

    def seat(self, chair: int = 1) -> str:
        """Seat the first patient; returns the visit's id."""
        self.until(lambda: self.chairs[chair].hub)
        patients = self.ask(ipc.ListPatients())
        assert isinstance(patients, ipc.Patients)
        done = self.ask(ipc.SeatPatient(chair=chair, patient_id=patients.patients[chair - 1].id))
        assert isinstance(done, ipc.Done), done
        self.until(lambda: self.view(chair).step is Step.SEAT)
        return done.id

    def walk_to_preflight(self, module: str | None = "augment", chair: int = 1, *, anxious: int = 2) -> None:
        """Through the five steps before the last check, with one module, or all. `anxious`: each answer, 1–5."""
        self._leave(Step.SEAT, chair)
        self.act(SetComfort(answers={f"mdas{item}": anxious for item in range(1, 6)}, words="slowly"), chair)
        self._leave(Step.LISTEN, chair)
        self.act(StartBaseline(), chair)
        self._leave(Step.BASELINE, chair)
        plan = self.view(chair).plan
        assert plan is not None
        rows = tuple(
            row if module in (None, row.module) else ModulePlan(module=row.module, choice=Choice.DECLINED)
            for row in plan.modules
        )
        revision = self.view(chair).revision
        self.act(SetPlan(modules=rows, own_limits=(), data_choice=plan.data_choice), chair)
        if rows != plan.modules:
            self.until(lambda: self.view(chair).revision > revision)
        self._leave(Step.PLAN, chair)
        self.act(SignConsent(how="aloud"), chair)
        self._leave(Step.CONSENT, chair)

    def walk_to_treatment(self, module: str | None = "augment", chair: int = 1, *, anxious: int = 2) -> None:
        """Through the six steps before treatment, as `walk_to_preflight`."""
        self.walk_to_preflight(module, chair, anxious=anxious)
        for item in self.view(chair).preflight:
            if item.by_hand:
                self.act(ConfirmCheck(key=item.key, passed=True), chair)
                self.until(lambda key=item.key: {i.key: i.passed for i in self.view(chair).preflight}[key])  # type: ignore[misc]
        self._leave(Step.PREFLIGHT, chair)
        self.act(StartTherapy(), chair)
        self.until(lambda: self.chairs[chair].state == "treating")

    def go_on(self, *chairs: int) -> None:
        """Treatment runs, from wherever it stands now; chairs side by side."""
        with ThreadPoolExecutor() as threads:
            for done in [threads.submit(self._go_on, chair) for chair in chairs or (1,)]:
                done.result()

    def _go_on(self, chair: int) -> None:
        def treats() -> bool:
            return self.chairs[chair].state == "treating"

        while True:
            self.until(lambda: self.hub(chair))
            if treats():
                return
            self._one_touch(chair)
            self.until(lambda: treats() or not self.view(chair).treating)

    def _one_touch(self, chair: int) -> None:
        view = self.chairs[chair].procedure
        if view is None or view.closed:
            self.seat(chair)
            self.walk_to_treatment("balance", chair)
        elif view.hold is not None:
            self.resume(chair)
        elif not view.treating:
            self.sign(chair)
            self.until(lambda: self.view(chair).closed)

    def resume(self, chair: int = 1) -> None:
        """The three touches."""
        assert self.workstation is not None
        for alarm in self.workstation.alarms:
            self.ask(ipc.AlarmSeen(alarm_id=alarm.id))
        self.until(lambda: self.hold(chair).hub_confirmed)
        self.act(CheckHub(), chair)
        self.until(lambda: self.hold(chair).hub_checked_us)
        self.until(lambda: self.view(chair).facts.limits_quiet and self.view(chair).facts.recording)
        self.act(PatientYes(how="aloud"), chair)
        self.until(lambda: self.hold(chair).patient_yes_us)
        self.act(Resume(), chair)
        self.until(lambda: self.chairs[chair].state == "treating")

    def sign(self, chair: int = 1) -> None:
        """End the treatment where it stands, and sign."""
        if self.view(chair).step is Step.TREAT:
            self.act(EndEarly(reason="enough for today"), chair)
        self.until(lambda: self.view(chair).step in (Step.RECOVER, Step.CLOSE))
        for item in self.view(chair).recovery:
            if item.by_hand:
                self.act(ConfirmCheck(key=item.key, passed=True), chair)
        if self.view(chair).step is Step.RECOVER:
            self._leave(Step.RECOVER, chair)
        self.act(SignSummary(note="All well"), chair)

    def _leave(self, step: Step, chair: int) -> None:
        self.until(lambda: self.view(chair).step is step and not self.view(chair).blocked)
        self.act(NextStep(), chair)
        self.until(lambda: self.view(chair).step is not step)

    # comparing

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
