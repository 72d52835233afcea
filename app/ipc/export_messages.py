"""What consoles ask to be written for other programs, and what comes of it. All of it is long: it is watched as a `Job`
and ends early by `CancelJob`; then, as after a failure, nothing is left."""

from typing import Literal

import msgspec

from app.ipc.message import Message
from core.model.words import Text

Format = Literal["csv", "edf", "parquet"]
ReportFormat = Literal["pdf", "html"]

# requests


class ExportSamples(Message, frozen=True, kw_only=True):
    """Write samples of [from_us, to_us), UTC µs, of a chair's record. Answered by `Done`.

    `path`: the file, or for EDF the folder that is made.
    """

    chair: int
    visit_id: str
    format: Format
    channels: tuple[str, ...]
    from_us: int
    to_us: int
    path: str


class ExportFhir(Message, frozen=True, kw_only=True):
    """Write a visit as a FHIR R4 bundle. Answered by `Done`.

    Attributes:
        every_visit: all visits of the patient, over all chairs, not only this one.
        every_sample: fast signals whole, not as lowest, mean and highest of each second.
    """

    chair: int
    visit_id: str
    path: str
    every_visit: bool = False
    every_sample: bool = False


class ExportDay(Message, frozen=True, kw_only=True):
    """Make the report of every visit of all chairs that began in [from_us, to_us). Answered by `DayMade`.

    They go into a new folder in `folder`, called `name`, or `name`-2 and so on where there is one already.
    """

    from_us: int
    to_us: int
    folder: str
    name: str
    format: ReportFormat = "pdf"
    language: str = "en"


class MakePack(Message, frozen=True, kw_only=True):
    """Seal everything of a patient's visits that are over, of all chairs, for the patient. Answered by `PackMade`.

    It goes into a new folder in `folder`, called `name`, or `name`-2 and so on where there is one already. `language`:
    of reports, texts and file names.
    """

    patient_id: str
    folder: str
    name: str
    language: str = "en"


class CancelJob(Message, frozen=True, kw_only=True):
    """End the job of that id, as `Job` has it; nothing happens when it has ended. Answered by `Done`."""

    id: str


# replies


class ReportFile(msgspec.Struct, frozen=True):
    """A report that was written. `file`: its name, in the folder."""

    chair: int
    visit_id: str
    file: str


class NotMade(msgspec.Struct, frozen=True):
    """A visit without a report, and why."""

    chair: int
    visit_code: str
    text: Text
    remedy: Text | None = None


class DayMade(Message, frozen=True, kw_only=True):
    """The day's reports. `folder` is empty when none was made: then there is none."""

    folder: str
    made: tuple[ReportFile, ...]
    refused: tuple[NotMade, ...]


class PackMade(Message, frozen=True, kw_only=True):
    """The pack, and the code that opens it, which is told here and nowhere else.

    Attributes:
        sheet: the code as a PDF to print; empty when it could not be made. It is written nowhere.
        missing: visit code, part and reason of what is not in it.
        visits: chair and id of those that are.
    """

    folder: str
    code: str
    sheet: bytes
    missing: tuple[tuple[str, str, str], ...]
    visits: tuple[tuple[int, str], ...]

    def __repr__(self) -> str:
        return f"PackMade({self.folder!r})"  # the code never stands in a log


class Progressed(Message, frozen=True, kw_only=True):
    """From the reader process alone, under the number of the request: the part that is done, 0 to 1."""

    done: float


ExportRequest = ExportSamples | ExportFhir | ExportDay | MakePack | CancelJob
EXPORT_REQUESTS = ExportRequest.__args__
ExportReply = DayMade | PackMade
