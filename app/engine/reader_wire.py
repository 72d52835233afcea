"""What the engine hands to the reader process before its first request."""

import msgspec

from app.ipc.clinical_messages import ReadAttachment, SaveAttachment, SearchRecords
from app.ipc.exchange_messages import ExportFhir
from app.ipc.messages import ExportCsv, GetTimeline, GetVisit, ListLog, MakeReport, ReadRange

ReadRequest = (
    GetTimeline
    | GetVisit
    | ReadRange
    | ListLog
    | MakeReport
    | ExportCsv
    | ExportFhir
    | SearchRecords
    | ReadAttachment
    | SaveAttachment
)
READ_REQUESTS = ReadRequest.__args__
LONG_REQUESTS = (MakeReport, ExportCsv, ExportFhir)
"""These write files and may take minutes; they never keep a review waiting."""

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


_encoder = msgspec.msgpack.Encoder()
_setup = msgspec.msgpack.Decoder(ReaderSetup)


def encode_setup(setup: ReaderSetup) -> bytes:
    return _encoder.encode(setup)


def decode_setup(data: bytes) -> ReaderSetup:
    """Raises msgspec.MsgspecError."""
    return _setup.decode(data)
