"""A store without an engine, states to feed it, and a camera.

The backend is the one seam where these tests stand in for something: the engine is a process of its own, and the tests
with the real one live beside the engine.
"""

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import QEvent
from PySide6.QtWidgets import QApplication, QWidget

from app.console.store import Store
from app.ipc.messages import Chair, Done, Reply, Request, SensorView, Workstation
from core.model.alarm import Alarm, AlarmPriority, AlarmState, AudioState
from core.model.clock import ManualClock
from core.model.hub import DeviceInfo, HoldCause, HubIdentity, HubStatus, LinkState, TherapyState
from core.model.limits import Limit, LimitOwner
from core.model.people import Operator, Patient, Role, ToothState
from core.model.procedure import Choice, Hold, HoldOrigin, ModulePlan, PhaseState, PhaseView, Plan, ProcedureView, Step
from core.model.words import Text, Words, load_words
from core.people.permissions import load_permissions
from widgets import theme

if TYPE_CHECKING:
    from app.ipc.ring import RingPoll

SHOTS = Path(__file__).parents[3] / "out" / "shots"
NOW_US = 1_800_000_000_000_000


@dataclass
class FakeBackend:
    """Records what is asked; answers `Done`, or what `answers` holds for the type of the request."""

    asked: list[Request] = field(default_factory=list)
    stopped: list[int] = field(default_factory=list)
    answers: dict[type, Reply] = field(default_factory=dict)
    silent: bool = False
    rings: dict[int, "RingPoll"] = field(default_factory=dict)

    def request(self, body: Request, done: Callable[[Reply], None]) -> None:
        self.asked.append(body)
        if not self.silent:
            done(self.answers.get(type(body), Done()))

    def stop(self, chair: int) -> None:
        self.stopped.append(chair)

    def history(self, chair: int) -> "RingPoll | None":
        return self.rings.get(chair)

    def of(self, kind: type) -> list[Request]:
        """Every request of one type."""
        return [body for body in self.asked if isinstance(body, kind)]


MIRA = Operator(id="op-mira", name="Mira Chen", role=Role.DENTIST)
JON = Operator(id="op-jon", name="Jon Reyes", role=Role.ASSISTANT)


class Sample:
    """Builds chairs and workstations in every state."""

    mira = MIRA
    jon = JON

    def patient(self, number: int = 2) -> Patient:
        names = {1: ("Amara", "Obi"), 2: ("Darius", "Hale"), 3: ("Ines", "Marchetti"), 4: ("Tomas", "Lind")}
        given, family = names.get(number, ("Robin", f"Case {number}"))
        return Patient(
            id=f"patient-{number}",
            version=1,
            code=f"P-{1000 + number}",
            given_name=given,
            family_name=family,
            birth_date="2001-03-12",
            allergies="latex" if number == 2 else "",
            phone="+44 20 7946 0958",
            simulated=True,
        )

    def teeth(self) -> tuple[ToothState, ...]:
        missing = (18, 48)
        states = {
            16: ToothState(fdi=16, filled="MO"),
            14: ToothState(fdi=14, finding="D", icdas=3),
            26: ToothState(fdi=26, planned="O", finding="O"),
            36: ToothState(fdi=36, done="O", planned="OD"),
            37: ToothState(fdi=37, finding="O"),
            46: ToothState(fdi=46, filled="MOD"),
            47: ToothState(fdi=47, filled="OM"),
        }
        every = [quadrant * 10 + place for quadrant in (1, 2, 3, 4) for place in range(1, 9)]
        return tuple(states.get(fdi, ToothState(fdi=fdi, missing=fdi in missing)) for fdi in every)

    def limits(self) -> tuple[Limit, ...]:
        return (
            Limit(channel="pulp_temperature", owner=LimitOwner.PROTOCOL, high=39.0, holds=True),
            Limit(channel="pulp_temperature", owner=LimitOwner.PATIENT, high=38.0, holds=True),
            Limit(channel="heart_rate", owner=LimitOwner.PROTOCOL, low=50, high=120),
            Limit(channel="saliva_ph", owner=LimitOwner.DEVICE, low=5.5),
            Limit(channel="spo2", owner=LimitOwner.PROTOCOL, low=90, priority="high", holds=True),
            Limit(channel="saliva_flow", owner=LimitOwner.CLINICIAN, low=0.1),
            Limit(channel="swarm_energy", owner=LimitOwner.DEVICE, low=40),
        )

    def values(self) -> dict[str, float]:
        return {
            "pulp_temperature": 37.0,
            "heart_rate": 78,
            "saliva_ph": 6.82,
            "spo2": 98,
            "pulse_wave": 4.1,
            "saliva_flow": 0.34,
            "jaw_emg": 14,
            "swarm_energy": 71,
        }

    def phases(self, state: PhaseState = PhaseState.RUNNING) -> tuple[PhaseView, ...]:
        return (
            PhaseView(
                number=1, module="seal", key="dry_map", tooth=36, seconds=100, dose_percent=0, state=PhaseState.DONE
            ),
            PhaseView(
                number=2, module="seal", key="seal", tooth=36, seconds=360, dose_percent=60, state=state, elapsed_s=192
            ),
            PhaseView(number=3, module="seal", key="settle", tooth=36, seconds=240, dose_percent=20),
            PhaseView(number=4, module="seal", key="verify", tooth=36, seconds=45, dose_percent=0),
        )

    def procedure(self, number: int = 2, step: Step = Step.TREAT, **changes: object) -> ProcedureView:
        treating = step in (Step.TREAT, Step.RECOVER, Step.CLOSE)
        base: dict[str, object] = {
            "visit_id": f"visit-{number}",
            "visit_code": f"V-{2000 + number}",
            "patient_id": f"patient-{number}",
            "chair": number,
            "step": step,
            "revision": 7,
            "began_us": NOW_US,
            "plan": Plan(modules=(ModulePlan(module="seal", choice=Choice.INCLUDED, teeth=(36,)),)),
            "teeth": self.teeth(),
            "limits": self.limits(),
            "phases": self.phases() if treating else (),
            "current_phase": 2 if treating else 0,
        }
        return ProcedureView(**{**base, **changes})  # type: ignore[arg-type]

    def hold(self, origin: HoldOrigin = HoldOrigin.PATIENT, **changes: object) -> Hold:
        base: dict[str, object] = {
            "origin": origin,
            "reason": Text("test.darius_stop"),
            "next_step": Text("test.darius_next"),
            "since_us": NOW_US,
            "phase": 2,
            "hub_confirmed": True,
        }
        return Hold(**{**base, **changes})  # type: ignore[arg-type]

    def hub_status(self, therapy: TherapyState = TherapyState.IDLE, **changes: object) -> HubStatus:
        base: dict[str, object] = {
            "therapy": therapy,
            "cause": HoldCause.NONE,
            "phase": 2,
            "phase_elapsed_ms": 192_000,
            "hub_time_us": 1_000_000_000,
            "lease_ms": 2400,
            "command_counter": 12,
            "oldest_sequence": 1,
            "newest_sequence": 4000,
            "battery_percent": 82,
            "rssi_dbm": -54,
            "missed_events": 0,
            "memory_percent": 12,
            "swarm_dose_percent": 60 if therapy is TherapyState.RUNNING else 0,
            "patient_stop": False,
            "received_monotonic": 1000.0,
        }
        return HubStatus(**{**base, **changes})  # type: ignore[arg-type]

    def chair(self, number: int = 2, state: str = "treating", **changes: object) -> Chair:
        """`state`: idle, planning, treating, held, held_patient, waiting, unknown or link_lost."""
        spoken = {
            "idle": ("Idle.", "Ready for the next patient.", "Hub checked 10:20. Chair wiped."),
            "planning": ("Plan.", "Choose what will be done.", "Next: consent."),
            "treating": ("Treating.", "Sealing 36, phase 2 of 4.", "Next: check-in in 1:20."),
            "held": ("Held.", "Saliva sensor silent.", "Check hub. Held 2:05 ago, dose 0."),
            "held_patient": ("Held.", "Darius pressed stop.", "Next: Darius’s yes, then resume."),
            "waiting": ("Waiting.", "Pulse clip silent.", "Baseline stands at 0:38 of 1:00."),
            "unknown": ("Unknown.", "No fresh status of the hub.", "Stay with the patient. Check the hub."),
            "link_lost": ("Unknown.", "Hub out of reach.", "The hub holds by itself. Move nearer."),
        }[state]
        step = {"planning": Step.PLAN, "waiting": Step.BASELINE}.get(state, Step.TREAT)
        procedure = None if state == "idle" else self.procedure(number, step)
        if procedure is not None and state in ("held", "held_patient"):
            origin = HoldOrigin.PATIENT if state == "held_patient" else HoldOrigin.LIMIT
            procedure = self.procedure(number, phases=self.phases(PhaseState.HELD), hold=self.hold(origin))
        running = state == "treating"
        lost = state in ("unknown", "link_lost")
        therapy = TherapyState.RUNNING if running else TherapyState.IDLE if state == "idle" else TherapyState.HELD
        base: dict[str, object] = {
            "number": number,
            "state": {"held_patient": "held", "link_lost": "unknown"}.get(state, state),
            "headline": Text("test.say", {"text": spoken[0]}),
            "reason": Text("test.say", {"text": spoken[1]}),
            "next_step": Text("test.say", {"text": spoken[2]}),
            "link": LinkState.LOST if state == "link_lost" else LinkState.UP,
            "hub_address": f"F0:00:00:00:00:0{number}",
            "identity": HubIdentity(
                serial=f"SM-{4400 + number}",
                model="Smilescape hub 1",
                firmware="1.4.2",
                hardware="B",
                profile_major=1,
                profile_minor=0,
                boot=3,
                simulated=True,
            ),
            "hub": None if lost else self.hub_status(therapy),
            "hub_info": DeviceInfo(manufacturer="Smilescape", serial=f"SM-{4400 + number}", battery_percent=82),
            "sensors": (
                SensorView(
                    address=f"F0:00:00:00:01:0{number}",
                    kind="heart_rate",
                    name="Pulse strap",
                    link=LinkState.UP,
                    info=DeviceInfo(battery_percent=64, firmware="2.0", serial=f"HR-{number}"),
                    contact=True,
                ),
            ),
            "patient": None if state == "idle" else self.patient(number),
            "procedure": procedure,
            "limits": self.limits(),
            "lease_until_monotonic": 1002.4 if running else None,
            "recording_since_us": None if state == "idle" else NOW_US,
            "values": {} if lost else self.values(),
            "simulated": True,
        }
        return Chair(**{**base, **changes})  # type: ignore[arg-type]

    def alarm(self, priority: AlarmPriority = AlarmPriority.HIGH, chair: int = 2, **changes: object) -> Alarm:
        base: dict[str, object] = {
            "id": f"alarm-{chair}-{int(priority)}",
            "kind": "hub.unexpected",
            "chair": chair,
            "priority": priority,
            "state": AlarmState.ACTIVE,
            "text": Text("test.say", {"text": f"Hub {chair} does not behave as expected."}),
            "remedy": Text("test.say", {"text": "Took an order we did not send. Held, dose 0."}),
            "latching": True,
            "began_us": NOW_US,
        }
        return Alarm(**{**base, **changes})  # type: ignore[arg-type]

    def workstation(self, *alarms: Alarm, **changes: object) -> Workstation:
        base: dict[str, object] = {
            "operator": MIRA,
            "operators": (MIRA, JON),
            "alarms": alarms,
            "audio": AudioState.ON,
            "chairs": (1, 2, 3, 4),
            "lock_minutes": 5,
        }
        base |= changes
        table = load_permissions()
        return Workstation(**{"may": table.open_to(base["operator"]), **base})  # type: ignore[arg-type]


@pytest.fixture
def backend() -> FakeBackend:
    return FakeBackend()


@pytest.fixture
def clock() -> ManualClock:
    """12 minutes 40 after the sample visits began; monotonic 1000."""
    return ManualClock(NOW_US + 760_000_000)


@pytest.fixture
def store(qapp: QApplication, backend: FakeBackend, clock: ManualClock) -> Store:
    """Connected, nothing known yet."""
    theme.apply(qapp, "light")
    made = Store(backend, clock=clock)
    made.set_link(True)
    made.welcome(practice="Cedar Lane practice", data_folder="/home/mira/smilescape", simulated=True)
    return made


@pytest.fixture
def words() -> Words:
    """The shipped words, and `test.say`, which says what it is given."""
    shipped = load_words("en")
    table = {key: shipped.say(key) for key in shipped.keys()}  # noqa: SIM118 - Words is no mapping
    extra = {
        "test.say": "{text}",
        "test.darius_stop": "Darius pressed stop.",
        "test.darius_next": "Next: Darius’s yes.",
    }
    return Words("en", {**table, **extra})


@pytest.fixture
def sample() -> Sample:
    return Sample()


@pytest.fixture(autouse=True)
def nothing_left(qapp: QApplication) -> Iterator[None]:
    """What a test put away is gone before the next one: a change of colours would style all of it, too."""
    yield
    qapp.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)


@pytest.fixture
def snap(qapp: QApplication) -> Iterator[Callable[..., Path]]:
    """`snap(widget, name, mode, size)` saves what the widget looks like to `out/shots/NAME-MODE[-WIDTH].png`."""

    def take(widget: QWidget, name: str, mode: theme.Mode = "light", size: tuple[int, int] | None = None) -> Path:
        theme.apply(qapp, mode)
        if size is not None:
            widget.resize(*size)
        widget.show()
        qapp.processEvents()
        qapp.processEvents()
        SHOTS.mkdir(parents=True, exist_ok=True)
        file = SHOTS / f"{name}-{mode}{f'-{size[0]}' if size else ''}.png"
        assert widget.grab().save(os.fspath(file))
        return file

    yield take
    theme.apply(qapp, "light")
