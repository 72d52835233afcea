"""What a patient report is made of, collected once and then only read."""

from dataclasses import dataclass, field

from core.model.alarm import Alarm
from core.model.channel import ChannelSpec
from core.model.limits import Limit
from core.model.people import Patient, VisitSummary
from core.model.procedure import ProcedureView
from core.model.words import Text
from core.record.types import Columns


@dataclass(frozen=True, slots=True)
class Practice:
    """Whom to call. `phone` empty: the report says that the practice gives it by hand."""

    name: str = ""
    phone: str = ""


@dataclass(frozen=True, slots=True)
class Signal:
    """One channel over the visit, for a plot and for its summary.

    Attributes:
        lowest, highest, mean: physical, over all samples of the visit.
        limits: those that counted.
    """

    spec: ChannelSpec
    columns: Columns
    lowest: float
    highest: float
    mean: float
    limits: tuple[Limit, ...]


@dataclass(frozen=True, slots=True)
class Happening:
    """Something that happened. `kind` as the record has it; `voice`: `patient`, `staff` or `device`."""

    at_us: int
    kind: str
    text: Text
    voice: str


@dataclass(frozen=True, slots=True)
class ReportData:
    """One visit.

    Attributes:
        signals: in the order of the report; a channel without samples is left out.
        signed_by: name of the dentist who signed; empty while nobody has.
        made_us: when the report is made, UTC µs.
        utc_offset_s: the practice's offset from UTC.
    """

    practice: Practice
    patient: Patient
    visit: VisitSummary
    procedure: ProcedureView
    signals: tuple[Signal, ...]
    happenings: tuple[Happening, ...]
    alarms: tuple[Alarm, ...]
    signed_by: str
    made_us: int
    utc_offset_s: int
    gaps_s: float = field(default=0.0)

    def signal(self, key: str) -> Signal | None:
        return next((signal for signal in self.signals if signal.spec.key == key), None)
