"""What goes into a record and what comes out of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

import numpy as np
import numpy.typing as npt

from core.model.block import Provenance, SampleBlock, Samples
from core.model.people import Patient, VisitSummary
from core.model.wear import DaySummary
from core.model.words import Text


@dataclass(frozen=True, slots=True)
class StampedBlock:
    """A block with its UTC times, µs, as the clock map gave them.

    Attributes:
        utc_us: of the first sample.
        mapped_end_us: of one period past the last; None where the source's own period is all that is known.
    """

    block: SampleBlock
    utc_us: int
    mapped_end_us: int | None = None

    @property
    def end_utc_us(self) -> int:
        """UTC of one period past the last sample; samples lie evenly between."""
        if self.mapped_end_us is not None:
            return self.mapped_end_us
        return self.utc_us + len(self.block.samples) * self.block.period_us


@dataclass(frozen=True, slots=True)
class StoredBlock:
    """A run of consecutive samples as the record holds it, evenly spaced in hub time.

    Attributes:
        source, boot, channel: the stream; `channel` is its key.
        first_index, start_us, period_us: of the first sample, as the source counted them.
        utc_us, end_utc_us: UTC of the first sample and of one period past the last; samples lie evenly between.
        samples: raw int16, shape (n,); physical = raw * scale + offset.
    """

    source: str
    boot: int
    channel: str
    first_index: int
    start_us: int
    period_us: int
    utc_us: int
    end_utc_us: int
    provenance: Provenance
    samples: Samples

    @property
    def end_index(self) -> int:
        return self.first_index + len(self.samples)

    def times_us(self) -> npt.NDArray[np.int64]:
        """UTC µs of each sample, shape (n,)."""
        n = len(self.samples)
        return self.utc_us + np.arange(n, dtype=np.int64) * (self.end_utc_us - self.utc_us) // n


@dataclass(frozen=True, slots=True)
class Columns:
    """One channel over a range, for drawing.

    Attributes:
        at_us: int64, shape (n,): the middle of each column, or the time of each sample.
        low, high, mean: float32, shape (n,), physical; NaN where nothing was recorded.
        gaps: UTC µs ranges inside the range asked for that hold no samples.
        samples: whether each entry is one sample.
    """

    at_us: npt.NDArray[np.int64]
    low: npt.NDArray[np.float32]
    high: npt.NDArray[np.float32]
    mean: npt.NDArray[np.float32]
    gaps: tuple[tuple[int, int], ...]
    samples: bool


@dataclass(frozen=True, slots=True)
class Span:
    """What the record holds of one channel: UTC µs of the first sample and of one period past the last."""

    channel: str
    from_us: int
    to_us: int
    samples: int


@dataclass(frozen=True, slots=True)
class RecordedChannel:
    """A channel as the record itself describes it."""

    number: int
    key: str
    unit: str
    scale: float
    offset: float


@dataclass(frozen=True, slots=True)
class Loss:
    """Frames that the source confirmed it no longer holds; sequence numbers, both included."""

    source: str
    first: int
    last: int
    at_us: int


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One line of the audit log.

    Attributes:
        sequence: 0, 1, 2, … without holes.
        entry: canonical CBOR, verbatim.
        leaf: RFC 9162 leaf hash of `entry`, 32 bytes.
    """

    sequence: int
    entry: bytes
    leaf: bytes


@dataclass(frozen=True, slots=True)
class AuditHead:
    """Size of the audit log and the RFC 9162 tree hash over it, 32 bytes."""

    size: int
    root: bytes


@dataclass(frozen=True, slots=True)
class LoggedEntry:
    """One line of the log people read. `kind`: `alarm`, `event` or `command`."""

    at_us: int
    kind: str
    text: Text
    actor: str = ""
    priority: int = 0
    duration_s: float | None = None


class Dated(Protocol):
    """Something of a time, UTC µs."""

    @property
    def at_us(self) -> int: ...


AnyDated = TypeVar("AnyDated", bound=Dated)


def page_of(entries: Sequence[AnyDated], limit: int) -> Sequence[AnyDated]:
    """The first `limit` and whatever shares the time of the last of them, so that a page may begin at a time."""
    end = limit
    while 0 < end < len(entries) and entries[end].at_us == entries[limit - 1].at_us:
        end += 1
    return entries[:end]


@dataclass(frozen=True, slots=True)
class RecordedMoment:
    """Something worth finding again in a visit. `voice`: `patient`, `staff` or `device`."""

    at_us: int
    kind: str
    text: Text
    voice: str
    author: str = ""
    data: bytes = b""


@dataclass(frozen=True, slots=True)
class PatientTimeline:
    """A patient and their visits in this file, newest first."""

    patient: Patient
    visits: tuple[VisitSummary, ...]


@dataclass(frozen=True, slots=True)
class Erased:
    """A patient, by id, who was erased: by whom, why and when, UTC µs."""

    patient: str
    author: str
    reason: str
    at_us: int


@dataclass(frozen=True, slots=True)
class Turn:
    """From this moment on the hub is with the patient of this visit."""

    at_us: int
    visit: str


@dataclass(frozen=True, slots=True)
class DayRead:
    """The newest summary of a day, and when it was read. What did not change since is not stored again."""

    summary: DaySummary
    read_us: int


@dataclass(frozen=True, slots=True)
class Reading:
    """A day on which a hub was read, and the newest day that it told of then.

    Days are read in their order, so all before that one had been asked for; of later ones the link may have broken.
    """

    on: int
    up_to: int


@dataclass(frozen=True, slots=True)
class HubWear:
    """What a record holds of one hub's time between visits. `span`: its first and last day; None without days."""

    source: str
    days: int
    span: tuple[int, int] | None
    events: int
    journal: int


@dataclass(frozen=True, slots=True)
class RecordInfo:
    """A record at a glance. `from_us` and `to_us` are None while it holds no samples."""

    path: str
    id: str
    chair: int
    simulated: bool
    created_us: int
    schema: str
    size_bytes: int
    sources: tuple[str, ...]
    patients: int
    visits: int
    events: int
    alarms: int
    audit: AuditHead
    blocks: int
    samples: int
    losses: tuple[Loss, ...]
    from_us: int | None
    to_us: int | None
    channels: tuple[Span, ...]
    wear: tuple[HubWear, ...] = ()


@dataclass(frozen=True, slots=True)
class VerifyReport:
    """What a full check found. `problems` says where; it stops at the first hundred.

    Attributes:
        notes: what speaks for the audit log, and what people have to compare.
    """

    ok: bool
    problems: tuple[str, ...]
    entries: int
    blocks: int
    samples: int
    notes: tuple[str, ...] = ()
