"""What consoles ask about locking, emergencies, companions and views."""

from app.ipc.message import Message
from core.model.access import View


class Active(Message, frozen=True, kw_only=True):
    """Somebody touches the screen or the keyboard. Sent at most every few seconds."""


class SetLock(Message, frozen=True, kw_only=True):
    """After how many minutes without a touch the workstation locks; 1 to 15."""

    minutes: int


class SetNames(Message, frozen=True, kw_only=True):
    """Whether names stand in full on every screen; otherwise as initials until somebody touches them."""

    shown: bool


class OpenInEmergency(Message, frozen=True, kw_only=True):
    """See the data of the patient in a chair for 15 minutes. `reason`: at least 10 characters, kept as typed."""

    chair: int
    reason: str


class EndEmergency(Message, frozen=True, kw_only=True):
    """One's own, before its time."""


class SeenEmergency(Message, frozen=True, kw_only=True):
    """A dentist has read what was opened, by whom and why."""

    emergency_id: str


class AddCompanion(Message, frozen=True, kw_only=True):
    """An account for somebody whom one patient lets see their own data.

    Attributes:
        days: until when, counted from now; 1 to 365.
        how: how the patient agreed, `patient_screen` or `aloud`.
    """

    name: str
    pin: str
    patient_id: str
    live: bool
    reports: bool
    history: bool
    days: int
    how: str


class WithdrawCompanion(Message, frozen=True, kw_only=True):
    """The patient takes it back; a session ends at once."""

    operator_id: str


class ListViews(Message, frozen=True, kw_only=True):
    """Who looked at a patient's data, over all chairs. Answered by `Views`."""

    patient_id: str


class PrintViews(Message, frozen=True, kw_only=True):
    """The same as a PDF that the patient takes home. Answered by `ReportMade`; itself a view.

    Attributes:
        path: where to write; an existing file is replaced.
        language: `en`, `es` or `zh`.
    """

    patient_id: str
    path: str
    language: str = "en"


class Views(Message, frozen=True, kw_only=True):
    """The newest first."""

    views: tuple[View, ...]


AccessRequest = (
    Active | SetLock | SetNames | OpenInEmergency | EndEmergency | SeenEmergency | AddCompanion | WithdrawCompanion
)
ACCESS_REQUESTS = AccessRequest.__args__
