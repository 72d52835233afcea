"""What the engine hands to the reader process before its first request."""

import msgspec

from app.ipc.access_messages import ListViews
from app.ipc.messages import ExportCsv, GetTimeline, GetVisit, ListLog, MakeReport, ReadRange

ReadRequest = GetTimeline | GetVisit | ReadRange | ListLog | MakeReport | ExportCsv | ListViews
READ_REQUESTS = (GetTimeline, GetVisit, ReadRange, ListLog, MakeReport, ExportCsv, ListViews)
LONG_REQUESTS = (MakeReport, ExportCsv)
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
    """What one operator may read. `practice` and `phone` stand on reports: whom the patient calls."""

    chairs: tuple[ChairFile, ...]
    practice: str = ""
    phone: str = ""


_encoder = msgspec.msgpack.Encoder()
_setup = msgspec.msgpack.Decoder(ReaderSetup)


def encode_setup(setup: ReaderSetup) -> bytes:
    return _encoder.encode(setup)


def decode_setup(data: bytes) -> ReaderSetup:
    """Raises msgspec.MsgspecError."""
    return _setup.decode(data)
