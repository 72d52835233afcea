"""What the engine hands to the reader process before its first request."""

from pathlib import Path

import msgspec

from app.ipc.access_messages import ListViews, PrintViews
from app.ipc.backup_messages import ListOverdue
from app.ipc.clinical_messages import ReadAttachment, SaveAttachment, SearchRecords
from app.ipc.export_messages import ExportDay, ExportFhir, ExportSamples, MakePack
from app.ipc.import_messages import ImportSignals, LookAtSignals
from app.ipc.messages import GetTimeline, GetVisit, ListLog, ListPatients, MakeReport, ReadRange

ReadRequest = (
    GetTimeline
    | GetVisit
    | ReadRange
    | ListLog
    | ListViews
    | PrintViews
    | MakeReport
    | SearchRecords
    | ListPatients
    | ReadAttachment
    | SaveAttachment
    | ListOverdue
)
READ_REQUESTS = ReadRequest.__args__
JobRequest = ExportSamples | ExportFhir | ExportDay | MakePack | LookAtSignals | ImportSignals
JOB_REQUESTS = JobRequest.__args__
"""These write or read files and may take minutes; they say how far they are, and end when they are told to."""
LONG_REQUESTS = (MakeReport, PrintViews, *JOB_REQUESTS)
"""These never keep a review waiting."""

MAX_SETUP = 1 << 20


class ChairFile(msgspec.Struct, frozen=True):
    """One chair's record and what opens it."""

    chair: int
    path: str
    key: bytes

    def __repr__(self) -> str:
        return f"ChairFile({self.chair}, {self.path!r})"  # a key never stands in a log


class ReaderSetup(msgspec.Struct, frozen=True):
    """What one operator may read.

    Attributes:
        practice, phone: stand on reports: whom the patient calls.
        names: of operators by id, also of those who left; records know them by id alone.
    """

    chairs: tuple[ChairFile, ...]
    practice: str = ""
    phone: str = ""
    names: dict[str, str] = {}


def scratch_in(data_folder: Path) -> Path:
    """Where what is not sealed yet may lie for a moment: beside the records, never on a stick."""
    return data_folder / "pack"


_encoder = msgspec.msgpack.Encoder()
_setup = msgspec.msgpack.Decoder(ReaderSetup)


def encode_setup(setup: ReaderSetup) -> bytes:
    return _encoder.encode(setup)


def decode_setup(data: bytes) -> ReaderSetup:
    """Raises msgspec.MsgspecError."""
    return _setup.decode(data)
