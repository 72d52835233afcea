"""What a report is made of, collected once and then only read."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from core.model.alarm import Alarm
from core.model.channel import ChannelSpec
from core.model.limits import Limit
from core.model.people import Patient, ToothState, VisitSummary
from core.model.procedure import ProcedureView
from core.model.wear import AtHome
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
        lowest, highest, mean: physical, over every sample of the visit.
        limits: those that counted.
        gaps: UTC µs ranges within the visit in which nothing was recorded.
        rest: mean at rest, before anything was done; None where it was not measured.
        ending: mean over the last minute that was recorded.
    """

    spec: ChannelSpec
    columns: Columns
    lowest: float
    highest: float
    mean: float
    limits: tuple[Limit, ...]
    gaps: tuple[tuple[int, int], ...] = ()
    rest: float | None = None
    ending: float | None = None

    @property
    def gaps_s(self) -> float:
        return sum(end - begin for begin, end in self.gaps) / 1e6


@dataclass(frozen=True, slots=True)
class Happening:
    """Something that happened. `kind` as the record has it; `voice`: `patient`, `staff` or `device`."""

    at_us: int
    kind: str
    text: Text
    voice: str


@dataclass(frozen=True, slots=True)
class Pause:
    """One pause, however many reasons came to it.

    Attributes:
        by_patient: who asked first.
        went_on: whether it was resumed.
        began_us, ended_us: UTC µs; `ended_us` None while it lasts.
        cause: words key of the first reason.
    """

    by_patient: bool
    went_on: bool
    began_us: int = 0
    ended_us: int | None = None
    cause: str = ""


@dataclass(frozen=True, slots=True)
class View:
    """How often somebody looked at the patient's data or wrote it out, as the audit log has it.

    Attributes:
        actor: operator id.
        what: kind of the look, as in `core.people.views`: `timeline`, `visit`, `report` and the like.
        last_us: the latest time, UTC µs.
    """

    actor: str
    what: str
    count: int
    last_us: int


def beside(teeth: tuple[ToothState, ...], more: tuple[ToothState, ...]) -> tuple[ToothState, ...]:
    """A chart with the teeth that it does not have; of those that it has, it tells itself."""
    known = {tooth.fdi for tooth in teeth}
    return teeth + tuple(tooth for tooth in more if tooth.fdi not in known)


@dataclass(frozen=True, slots=True)
class ReportData:
    """One visit.

    Attributes:
        signals: in the order of the report; a channel without samples is left out.
        more_signals: whether the record holds channels that the report does not plot.
        signed_by: name of the dentist who signed; empty while nobody has, or when the record does not name them.
        made_us: when the report is made, UTC µs.
        utc_offset_s: the practice's offset from UTC.
        home: the days at home up to the visit; None where nothing can be said of them.
        teeth_before: the teeth as they were charted before anything was done, milk teeth included.
        milk_teeth: those of which somebody wrote something down, as they stood when the visit ended.
        views: who looked at the patient's data so far; None where the log was not read.
        names: of operators, by id.
    """

    practice: Practice
    patient: Patient
    visit: VisitSummary
    procedure: ProcedureView
    signals: tuple[Signal, ...]
    more_signals: bool
    happenings: tuple[Happening, ...]
    pauses: tuple[Pause, ...]
    alarms: tuple[Alarm, ...]
    signed_by: str
    made_us: int
    utc_offset_s: int
    home: AtHome | None = None
    teeth_before: tuple[ToothState, ...] = ()
    milk_teeth: tuple[ToothState, ...] = ()
    views: tuple[View, ...] | None = None
    names: Mapping[str, str] = field(default_factory=dict)

    @property
    def teeth(self) -> tuple[ToothState, ...]:
        """As the visit left them, milk teeth included."""
        return beside(self.procedure.teeth, self.milk_teeth)

    @property
    def end_us(self) -> int:
        """When the visit ended; while it is open, when the report is made. After its beginning in any case."""
        end = self.made_us if self.visit.ended_us is None else self.visit.ended_us
        return max(end, self.visit.began_us + 1)

    def signal(self, key: str) -> Signal | None:
        return next((signal for signal in self.signals if signal.spec.key == key), None)
