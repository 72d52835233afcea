"""Every message between console and engine. msgspec, tagged by class name; never pickle.

A request is answered by exactly one `Reply`; `Push` messages come whenever the engine has news.
"""

from typing import Literal

import msgspec

from app.ipc.access_messages import AccessRequest, ListViews, PrintViews, Views
from app.ipc.backup_messages import BackupReply, BackupRequest, BackupState, ListOverdue
from app.ipc.clinical_messages import ClinicalRead, ClinicalReply, ClinicalRequest
from app.ipc.doubt_messages import LiftDoubt
from app.ipc.evidence_messages import ChairEvidence
from app.ipc.export_messages import ExportReply, ExportRequest, Progressed
from app.ipc.import_messages import ImportReply, ImportRequest
from app.ipc.key_messages import KeyRequest, Keys
from app.ipc.message import Message
from core.model.access import Companion, Emergency
from core.model.alarm import Alarm, AudioState
from core.model.clinical import EntryVersion
from core.model.hub import DeviceInfo, DeviceSeen, HubIdentity, HubStatus, LinkState
from core.model.hub_doubt import HubDoubt
from core.model.intents import Intent
from core.model.limits import Limit
from core.model.people import Operator, Patient, VisitSummary
from core.model.procedure import ProcedureView
from core.model.wear import AtHome
from core.model.words import Text

PROTOCOL = 2
"""Version of these messages. Console and engine of different versions refuse each other."""

MAX_MESSAGE = 32 * 1024 * 1024
"""Largest message either side accepts, bytes."""


# requests: the link itself


class Hello(Message, frozen=True, kw_only=True):
    """First message on every connection. `role`: `console`, `stop` or `tool`."""

    protocol: int = PROTOCOL
    role: str
    pid: int = 0


class Subscribe(Message, frozen=True, kw_only=True):
    """Send `Workstation` and `Chair` pushes from now on, the present state first."""


class Shutdown(Message, frozen=True, kw_only=True):
    """End the engine in good order: hold therapy, commit, close. `hold_confirmed`: a person agreed to the hold."""

    hold_confirmed: bool = False


class Alive(Message, frozen=True, kw_only=True):
    """The console's window still answers. Sent by its own thread twice a second; 3 s without one hold therapy."""


class Stop(Message, frozen=True, kw_only=True):
    """STOP. No login, no confirmation, idempotent. `chair` 0 stops all."""

    chair: int


# requests: people


class Login(Message, frozen=True, kw_only=True):
    operator_id: str
    pin: str = ""


class Logout(Message, frozen=True, kw_only=True):
    pass


class AddOperator(Message, frozen=True, kw_only=True):
    name: str
    role: str
    pin: str


class CloseOperator(Message, frozen=True, kw_only=True):
    operator_id: str


class SetPractice(Message, frozen=True, kw_only=True):
    """What the practice is called, and whom patients call; both stand on reports. Dentists only."""

    name: str
    phone: str


class AddPatient(Message, frozen=True, kw_only=True):
    """A new patient, written into the file of `chair`. Answered by `Done.id`."""

    chair: int
    given_name: str
    family_name: str
    birth_date: str
    allergies: str = ""
    phone: str = ""


class CorrectPatient(Message, frozen=True, kw_only=True):
    """The next version of a patient's identity, with its reason. `patient.version`: that which the person looked at."""

    patient: Patient
    reason: str


class ListPatients(Message, frozen=True, kw_only=True):
    """Who is found by these words, as a search does; without any, who was here last. Answered by `Patients`."""

    query: str = ""


# requests: devices


class Scan(Message, frozen=True, kw_only=True):
    """Answered by `Devices` after `seconds`."""

    seconds: float = 3.0


class AttachDevice(Message, frozen=True, kw_only=True):
    """Bind a device to a chair.

    Attributes:
        kind: its key in `devices/kinds.py`, as `DeviceSeen` has it.
        enrol: of a hub: if its enrolment is open, make it one of this practice. Dentists only.
        serial: of a hub, as printed on it; another one is refused. Without it any will do, but not to enrol.
    """

    chair: int
    address: str
    kind: str
    enrol: bool = False
    serial: str = ""


class ForgetDevice(Message, frozen=True, kw_only=True):
    chair: int
    address: str


# requests: the procedure


class SeatPatient(Message, frozen=True, kw_only=True):
    """Begin a visit."""

    chair: int
    patient_id: str


class Act(Message, frozen=True, kw_only=True):
    """What a person wants of the procedure of one chair. `revision` is that of the view they were looking at: an intent
    against an older view is refused, so that nobody presses a button whose meaning has just changed. STOP and Pause
    are never refused for their revision."""

    chair: int
    revision: int
    intent: Intent


class AddMark(Message, frozen=True, kw_only=True):
    """A marker at this moment in the record."""

    chair: int
    label: str = ""


# requests: alarms


class AlarmSeen(Message, frozen=True, kw_only=True):
    alarm_id: str


class PauseAudio(Message, frozen=True, kw_only=True):
    """Silence alarm sound for `seconds` (at most 120). A new alarm of higher priority sounds through."""

    seconds: float = 120.0


class ListLog(Message, frozen=True, kw_only=True):
    """Answered by `LogPage`: alarms and events, newest first. `chair` 0: all."""

    chair: int = 0
    before_us: int | None = None
    limit: int = 100


# requests: the reader (served by the reader process)


class GetTimeline(Message, frozen=True, kw_only=True):
    """Answered by `Timeline`. The view is logged with the operator."""

    patient_id: str


class GetVisit(Message, frozen=True, kw_only=True):
    """Answered by `VisitDetail`."""

    chair: int
    visit_id: str


class ReadRange(Message, frozen=True, kw_only=True):
    """Min/max columns of channels over a UTC range. Answered by `RangeData`. At fewer samples than columns, samples."""

    chair: int
    visit_id: str
    channels: tuple[str, ...]
    from_us: int
    to_us: int
    columns: int


class MakeReport(Message, frozen=True, kw_only=True):
    """Write the report of a visit, as PDF or as one HTML file. Answered by `ReportMade`."""

    chair: int
    visit_id: str
    path: str
    format: Literal["pdf", "html"] = "pdf"
    language: str = "en"


# replies


class Welcome(Message, frozen=True, kw_only=True):
    """Answer to `Hello`.

    Attributes:
        rings: chair number → path of its ring file.
        simulated: whether every chair of this data folder is simulated.
    """

    protocol: int
    engine_pid: int
    data_folder: str
    rings: dict[int, str]
    practice: str
    simulated: bool


class Done(Message, frozen=True, kw_only=True):
    """It is done. `id`: of what was made; `detail`: a path or the like."""

    id: str = ""
    detail: str = ""


class Refused(Message, frozen=True, kw_only=True):
    """It is not done, why, and what to do. `code` is stable for tests."""

    code: str
    text: Text
    remedy: Text | None = None


class Patients(Message, frozen=True, kw_only=True):
    """Each in the newest version over all chair files."""

    patients: tuple[Patient, ...]
    query: str = ""


class Devices(Message, frozen=True, kw_only=True):
    devices: tuple[DeviceSeen, ...]


class LogEntry(Message, frozen=True, kw_only=True):
    """One line of the log. `kind`: `alarm`, `event` or `command`; `duration_s` for alarms that ended."""

    chair: int
    at_us: int
    kind: str
    text: Text
    actor: str = ""
    priority: int = 0
    duration_s: float | None = None


class LogPage(Message, frozen=True, kw_only=True):
    entries: tuple[LogEntry, ...]
    more: bool


class Timeline(Message, frozen=True, kw_only=True):
    """A patient over all chair files.

    Attributes:
        home: what their hubs kept between visits; None when it cannot be read.
        entries: every version of what was written about them, in the order in which it was written; authors by name.
    """

    patient: Patient
    visits: tuple[VisitSummary, ...]
    home: AtHome | None = AtHome()
    entries: tuple[EntryVersion, ...] = ()


class Moment(Message, frozen=True, kw_only=True):
    """Something worth finding again. `voice`: `patient` is drawn in plum, `staff` in ink, `device`."""

    at_us: int
    kind: str
    text: Text
    voice: str = "staff"


class ChannelSpan(Message, frozen=True, kw_only=True):
    """What the record holds of one channel in a visit."""

    channel: str
    from_us: int
    to_us: int
    samples: int


class VisitDetail(Message, frozen=True, kw_only=True):
    visit: VisitSummary
    patient: Patient
    procedure: ProcedureView | None
    channels: tuple[ChannelSpan, ...]
    moments: tuple[Moment, ...]


class Trace(Message, frozen=True, kw_only=True):
    """One channel over the range asked for.

    Attributes:
        at_us: UTC µs of each column's middle (or each sample), int64 little-endian bytes.
        low, high: physical min and max of each column, float32 little-endian bytes; NaN where nothing was recorded.
        gaps: UTC ranges without samples inside the range.
        samples: True when each column is one sample.
    """

    channel: str
    at_us: bytes
    low: bytes
    high: bytes
    gaps: tuple[tuple[int, int], ...]
    samples: bool


class RangeData(Message, frozen=True, kw_only=True):
    traces: tuple[Trace, ...]


class ReportMade(Message, frozen=True, kw_only=True):
    """The report's path, how many pages it prints on, and the first of them as PNG for the preview."""

    path: str
    pages: int
    preview_png: bytes


# pushes


class SensorView(Message, frozen=True, kw_only=True):
    """A sensor beside the hub. `kind`: its key in `devices/kinds.py`, `unknown` when nobody here knows it any more."""

    address: str
    kind: str
    name: str
    link: LinkState
    info: DeviceInfo | None = None
    contact: bool | None = None


class Chair(Message, frozen=True, kw_only=True):
    """Everything the console needs to draw one chair, but for the samples.

    Attributes:
        state: key of the state sentence: `idle`, `planning`, `treating`, `held`, `waiting`, `unknown`, …
        headline, reason, next_step: the state sentence.
        hub: None while there is no fresh status: then therapy is unknown.
        lease_until_monotonic: when the lease ends, on the machine's monotonic clock, which all processes
            share; None: no lease.
        recording_since_us: None while nothing is recorded.
        values: channel key → newest physical value; a channel that is silent is absent.
        backfill_frames: frames still to be fetched from the hub's memory.
        tapped_frames: raw notifications that the tap has seen, before any decoding.
        shown: False where who is logged in may not see this patient's treatment, which is left out, then.
    """

    number: int
    state: str
    headline: Text
    reason: Text
    next_step: Text
    link: LinkState
    link_reason: Text | None = None
    hub_address: str | None = None
    identity: HubIdentity | None = None
    hub: HubStatus | None = None
    hub_info: DeviceInfo | None = None
    sensors: tuple[SensorView, ...] = ()
    patient: Patient | None = None
    procedure: ProcedureView | None = None
    limits: tuple[Limit, ...] = ()
    lease_until_monotonic: float | None = None
    recording_since_us: int | None = None
    values: dict[str, float] = msgspec.field(default_factory=dict)
    backfill_frames: int = 0
    tapped_frames: int = 0
    simulated: bool = False
    shown: bool = True


class Job(Message, frozen=True, kw_only=True):
    """Something long that runs: recording, back-fill, an export. `may_cancel`: `CancelJob` ends it."""

    id: str
    text: Text
    percent: int | None = None
    may_cancel: bool = False


class Workstation(Message, frozen=True, kw_only=True):
    """What belongs to no chair.

    Attributes:
        notice: what happened to the workstation itself, such as an engine restart.
        doubts: hubs that are not trusted until a dentist lifts that.
        may: names of what who is logged in may ask for, as in `resources/permissions.toml`.
        sees: what they see of every patient, as there.
        dimmed: nobody touched anything for long while somebody is treated: names are left out until somebody does.
        lock_minutes: after how long without a touch the workstation locks.
        names_shown: whether names stand in full where a patient may see the screen; otherwise once they are touched.
        emergencies: those that no dentist has seen yet, and one's own.
        companions: whom patients let see their data, as far as who is logged in may know.
        backups: None before it is known.
    """

    operator: Operator | None
    operators: tuple[Operator, ...]
    alarms: tuple[Alarm, ...]
    audio: AudioState
    audio_until_us: int | None = None
    jobs: tuple[Job, ...] = ()
    notice: Text | None = None
    chairs: tuple[int, ...] = ()
    practice: str = ""
    practice_phone: str = ""
    doubts: tuple[HubDoubt, ...] = ()
    evidence: tuple[ChairEvidence, ...] = ()
    may: tuple[str, ...] = ()
    sees: tuple[str, ...] = ()
    dimmed: bool = False
    lock_minutes: int = 0
    names_shown: bool = False
    emergencies: tuple[Emergency, ...] = ()
    companions: tuple[Companion, ...] = ()
    backups: BackupState | None = None


PeopleRequest = Login | Logout | AddOperator | CloseOperator | SetPractice
PEOPLE_REQUESTS = PeopleRequest.__args__
PatientsRequest = AddPatient | CorrectPatient
PATIENTS_REQUESTS = PatientsRequest.__args__
DevicesRequest = Scan | AttachDevice | ForgetDevice
DEVICES_REQUESTS = DevicesRequest.__args__
Request = (
    Hello
    | Subscribe
    | Shutdown
    | Stop
    | Alive
    | PeopleRequest
    | PatientsRequest
    | DevicesRequest
    | SeatPatient
    | Act
    | AddMark
    | ListPatients
    | AlarmSeen
    | PauseAudio
    | ListLog
    | GetTimeline
    | GetVisit
    | ReadRange
    | MakeReport
    | KeyRequest
    | LiftDoubt
    | ExportRequest
    | ImportRequest
    | ClinicalRequest
    | ClinicalRead
    | AccessRequest
    | ListViews
    | BackupRequest
    | ListOverdue
    | PrintViews
)
Reply = (
    Welcome
    | Done
    | Refused
    | Patients
    | Devices
    | LogPage
    | Timeline
    | VisitDetail
    | RangeData
    | ReportMade
    | Keys
    | ExportReply
    | ImportReply
    | ClinicalReply
    | Views
    | BackupReply
)
Push = Chair | Workstation


class Ask(msgspec.Struct, frozen=True):
    """A request with the number its answer will carry."""

    number: int
    body: Request


class Answer(msgspec.Struct, frozen=True):
    """An answer (`number` as asked), a push (`number` 0), or, from the reader, how far a request is."""

    number: int
    body: Reply | Push | Progressed


_ask = msgspec.msgpack.Decoder(Ask)
_answer = msgspec.msgpack.Decoder(Answer)
_encoder = msgspec.msgpack.Encoder()


def encode(message: Ask | Answer) -> bytes:
    return _encoder.encode(message)


def decode_ask(data: bytes) -> Ask:
    """Raises msgspec.ValidationError (or DecodeError) on anything that is not a request."""
    return _ask.decode(data)


def decode_answer(data: bytes) -> Answer:
    """Raises msgspec.ValidationError (or DecodeError) on anything that is not an answer or a push."""
    return _answer.decode(data)
