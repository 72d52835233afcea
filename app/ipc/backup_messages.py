"""What consoles ask about backups, their recovery sheet, and erasing a patient."""

import msgspec

from app.ipc.message import Message

# requests: backups


class ListBackups(Message, frozen=True, kw_only=True):
    """Answered by `Backups`: every place that is known, and what lies there."""


class SetBackupPlace(Message, frozen=True, kw_only=True):
    """A folder to keep backups in; `daily`: one is made there each day by itself. Dentists only, as what follows."""

    path: str
    daily: bool


class ForgetBackupPlace(Message, frozen=True, kw_only=True):
    """No more backups there. What lies there stays, and no erasure reaches it any more."""

    path: str


class MakeBackup(Message, frozen=True, kw_only=True):
    """Make a backup in a folder, now. Long: a `Job`, ended by `CancelJob`. Answered by `Done`; its id is the name."""

    path: str


class CheckBackup(Message, frozen=True, kw_only=True):
    """Open a backup and look through all that is in it. Long, as `MakeBackup`. Answered by `Done`."""

    path: str
    name: str


class RenewBackupKeys(Message, frozen=True, kw_only=True):
    """Bring the newest keys to every place that can be reached. Answered by `Backups`."""


class PrintSheet(Message, frozen=True, kw_only=True):
    """Write a new recovery sheet for backups as a PDF into a folder. It counts for nothing before `ConfirmSheet`.

    Answered by `SheetWritten`. No line of it crosses to the window.
    """

    folder: str


class ConfirmSheet(Message, frozen=True, kw_only=True):
    """The line that was asked for, typed from paper: from now on this sheet opens the backups. The file is removed."""

    line: str

    def __repr__(self) -> str:
        return "ConfirmSheet()"  # a line of the sheet never stands in a log


class DropSheet(Message, frozen=True, kw_only=True):
    """The sheet that was written is not wanted: its file is removed, the one before counts."""


# requests: erasing


class ListOverdue(Message, frozen=True, kw_only=True):
    """Answered by `Overdue`: who is past the practice's time, and who was erased. Dentists only, as what follows."""


class PlanErasure(Message, frozen=True, kw_only=True):
    """What erasing a patient would take and leave. Answered by `ErasurePlan`; refused while they have an open visit."""

    patient_id: str


class ErasePatient(Message, frozen=True, kw_only=True):
    """Erase a patient for good; refused while any visit is open. Answered by `Erased`.

    Attributes:
        name: theirs, as somebody typed it. Empty only to finish an erasure that was cut off.
        reason: why, without a name; it stays.
    """

    patient_id: str
    name: str
    reason: str


# replies and what they hold


class KeptBackup(msgspec.Struct, frozen=True, kw_only=True):
    """A backup. `checked_us`: when it was opened last to see whether it holds; `ours`: made by this practice."""

    name: str
    made_us: int
    bytes: int
    chairs: int
    ours: bool
    checked_us: int


class BackupPlace(msgspec.Struct, frozen=True, kw_only=True):
    """A folder of backups, the newest backup first.

    Attributes:
        there: it can be reached now.
        outstanding: keys of patients who were erased still lie there.
        cut_off: what broken backups left there; the next one takes it away.
    """

    path: str
    there: bool
    daily: bool
    made_us: int
    outstanding: bool
    kept: tuple[KeptBackup, ...] = ()
    cut_off: tuple[str, ...] = ()


class Backups(Message, frozen=True, kw_only=True):
    places: tuple[BackupPlace, ...]


class BackupState(msgspec.Struct, frozen=True, kw_only=True):
    """What everybody is shown of backups.

    Attributes:
        made_us: when the last good one was begun, at any place; 0: never.
        late: it is too old, or there is none though somebody named a place.
        outstanding: places that still hold keys of patients who were erased.
        sheet_by, sheet_us: who printed the recovery sheet in force, and when; 0: nobody did.
        sheet_wanted: there is none, and the data are real.
        line: of the sheet that was written and waits: which line is to be typed back; 0: none waits.
        pending: a patient, by id, whose erasure was cut off; empty: nobody.
        new_keys: when the workstation is closed next, its files get new keys, after an erasure.
    """

    made_us: int = 0
    late: bool = False
    places: int = 0
    outstanding: int = 0
    sheet_by: str = ""
    sheet_us: int = 0
    sheet_wanted: bool = False
    line: int = 0
    pending: str = ""
    new_keys: bool = False


class SheetWritten(Message, frozen=True, kw_only=True):
    """`path`: the PDF, for its owner alone. `line`: which of its lines is to be typed back, from 1."""

    path: str
    line: int


class Share(msgspec.Struct, frozen=True):
    """Rows of one kind. `why`: of what stays, in the practice's words."""

    what: str
    count: int
    why: str = ""


class ErasurePlan(Message, frozen=True, kw_only=True):
    """What an erasure takes and leaves.

    Attributes:
        name: the patient's, which is to be typed.
        goes: by kind of entry and by table; `stays`: by the practice's rules.
        exports: names of reports that go.
        nobodys: samples of the practice outside any visit that belong to nobody known, and stay.
        places: folders of backups; `away`: those that cannot be reached now.
    """

    patient_id: str
    name: str
    codes: tuple[str, ...]
    goes: tuple[Share, ...]
    stays: tuple[Share, ...]
    exports: tuple[str, ...]
    nobodys: int
    places: tuple[str, ...]
    away: tuple[str, ...]


class Erased(Message, frozen=True, kw_only=True):
    """It is done here. `outstanding`: places of backups that still hold the key; `left`: files that could not go."""

    outstanding: tuple[str, ...]
    left: tuple[str, ...] = ()


class OverduePatient(msgspec.Struct, frozen=True):
    patient_id: str
    name: str
    code: str
    last_us: int


class ErasedPatient(msgspec.Struct, frozen=True):
    """Somebody who was erased, by the id under which the log and alarms still know them."""

    patient_id: str
    by: str
    reason: str
    at_us: int


class Overdue(Message, frozen=True, kw_only=True):
    """`years`: the practice's time, after which a patient is listed."""

    years: int
    patients: tuple[OverduePatient, ...]
    erased: tuple[ErasedPatient, ...]


BackupRequest = (
    ListBackups
    | SetBackupPlace
    | ForgetBackupPlace
    | MakeBackup
    | CheckBackup
    | RenewBackupKeys
    | PrintSheet
    | ConfirmSheet
    | DropSheet
    | PlanErasure
    | ErasePatient
)
BACKUP_REQUESTS = BackupRequest.__args__
BackupReply = Backups | SheetWritten | ErasurePlan | Erased | Overdue
