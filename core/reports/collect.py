"""Collects a visit out of a chair's record."""

from collections.abc import Iterable, Iterator, Mapping

import numpy as np
import numpy.typing as npt

from core.model.clinical import FIRST_PRIMARY, Finding
from core.model.clock import Clock, SystemClock
from core.model.limits import Limit
from core.model.people import ToothState
from core.model.procedure import Step
from core.model.wear import AtHome
from core.people.charting import chart
from core.record import NotFound, RecordReader
from core.record.newest import newest_patient
from core.record.types import Columns, RecordedMoment
from core.record.versions import utc_offset_s
from core.reports.data import Happening, Pause, Practice, ReportData, Signal, beside
from core.reports.viewed import views
from core.safety.limits import strictest
from core.signals.catalogue import load_catalogue

PLOTTED = (
    "pulp_temperature",
    "tissue_temperature",
    "heart_rate",
    "pulse_rate",
    "spo2",
    "saliva_ph",
    "plaque_ph",
    "saliva_flow",
    "lactate",
    "volatile_sulphur",
    "bite_force",
    "swarm_dose",
)
"""What says something to a patient. Waveforms and the state of the devices stay in the record."""
COLUMNS = 900
"""Columns of a plot: finer than print can show."""
ENDING_US = 60_000_000
"""How long the end of a visit is, over which a signal is averaged: as long as the rest before it."""
EDGE_US = 3_000_000
"""A channel begins and ends a little inside the visit; that is no gap."""


def collect(
    reader: RecordReader,
    visit_id: str,
    *,
    practice: Practice | None = None,
    clock: Clock | None = None,
    home: AtHome | None = None,
    names: Mapping[str, str] | None = None,
    others: Iterable[RecordReader] = (),
    columns: int = COLUMNS,
) -> ReportData:
    """Everything the report of a visit says.

    Args:
        home: the patient's days at home up to the visit, which only the records of all chairs together tell.
        names: of operators, by id; the record knows ids.
        others: the records of the other chairs, in which somebody may have written about the patient, or looked.
        columns: of each plot.

    Raises:
        NotFound: no such visit, or no procedure was begun in it.
    """
    every = (reader, *others)
    visit = reader.visit(visit_id)
    procedure = reader.procedure(visit_id) if visit is not None else None
    patient = newest_patient(every, visit.patient_id) if visit is not None else None
    if visit is None or procedure is None or patient is None:
        raise NotFound(f"There is no procedure to report for the visit {visit_id}.", "Choose another visit.")
    now = (clock or SystemClock()).utc_us()
    end = now if visit.ended_us is None else visit.ended_us
    moments = reader.moments(visit_id)
    held = {span.channel for span in reader.spans(visit_id)}
    shown = _shown(held)
    limits, rest = strictest(procedure.limits), procedure.baseline.means
    written = [one for each in every for one in each.entries.findings(visit.patient_id)]
    found = _signals(reader, shown, (visit.began_us, end), visit_id, limits, rest, columns)
    return ReportData(
        practice=practice or Practice(),
        patient=patient,
        visit=visit,
        procedure=procedure,
        signals=tuple(found),
        more_signals=bool(held.difference(shown)),
        happenings=tuple(Happening(moment.at_us, moment.kind, moment.text, moment.voice) for moment in moments),
        pauses=tuple(pauses(moments)),
        alarms=tuple(alarm for alarm in reader.alarms() if visit.began_us <= alarm.began_us <= end),
        signed_by=next((str(m.text.values.get("name", "")) for m in moments if m.text.key == "note.signed"), ""),
        made_us=now,
        utc_offset_s=utc_offset_s(visit.began_us),
        home=home,
        teeth_before=beside(_teeth_before(reader, visit_id), _milk_teeth(written, visit.began_us)),
        milk_teeth=_milk_teeth(written, end),
        views=views(every, visit.patient_id),
        names=names or {},
    )


def _teeth_before(reader: RecordReader, visit_id: str) -> tuple[ToothState, ...]:
    """As the teeth stood last before treatment began."""
    before: tuple[ToothState, ...] = ()
    for view in reader.procedure_history(visit_id):
        if view.step in (Step.TREAT, Step.RECOVER, Step.CLOSE):
            break
        before = view.teeth
    return before


def _milk_teeth(findings: Iterable[Finding], until_us: int) -> tuple[ToothState, ...]:
    """What was found on them up to a moment, UTC µs. A visit's chart of permanent teeth has none of them, so a milk
    tooth of which nobody wrote anything is unknown, and left out."""
    made = chart(one for one in findings if one.fdi >= FIRST_PRIMARY and one.at_us <= until_us)
    return tuple(made[fdi] for fdi in sorted(made))


def pauses(moments: Iterable[RecordedMoment]) -> Iterator[Pause]:
    """Each time therapy stood still. A reason that comes to a pause which already lasts is no second pause."""
    held: RecordedMoment | None = None
    for moment in moments:
        if moment.kind == "held" and held is None:
            held = moment
        elif moment.kind in ("resumed", "ended_early", "phases_over") and held is not None:
            yield _pause(held, moment)
            held = None
    if held is not None:
        yield _pause(held, None)


def _pause(held: RecordedMoment, end: RecordedMoment | None) -> Pause:
    return Pause(
        by_patient=held.text.key.startswith("hold.patient"),
        went_on=end is not None and end.kind == "resumed",
        began_us=held.at_us,
        ended_us=None if end is None else end.at_us,
        cause=held.text.key,
    )


def _shown(held: set[str]) -> list[str]:
    """Two devices may count the same heart; the chest belt counts it better than light through the skin."""
    spare = {"pulse_rate"} if "heart_rate" in held else set()
    return [key for key in PLOTTED if key in held - spare]


def _signals(
    reader: RecordReader,
    keys: Iterable[str],
    within: tuple[int, int],
    visit_id: str,
    limits: tuple[Limit, ...],
    rest: Mapping[str, float],
    count: int,
) -> Iterator[Signal]:
    catalogue = load_catalogue()
    for key in keys:
        spec = catalogue.key(key)
        at_us, values = _values(reader, key, within)
        if not len(values):
            continue
        columns = reader.columns(key, *within, count, visit_id)
        yield Signal(
            spec=spec,
            columns=columns,
            lowest=float(values.min()),
            highest=float(values.max()),
            mean=float(values.mean()),
            limits=tuple(limit for limit in limits if limit.channel == key),
            gaps=tuple(_gaps(columns, within, max(EDGE_US, 2 * spec.period_us))),
            rest=rest.get(key),
            ending=float(values[at_us > at_us.max() - ENDING_US].mean()),
        )


def _values(
    reader: RecordReader, key: str, within: tuple[int, int]
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float64]]:
    """Times, UTC µs, and physical values of every sample of the visit, each of shape (n,)."""
    recorded = reader.channel(key)
    times: list[npt.NDArray[np.int64]] = [np.empty(0, np.int64)]
    parts: list[npt.NDArray[np.float64]] = [np.empty(0)]
    for block in reader.samples(None, key, *within):
        at_us = block.times_us()
        inside = (at_us >= within[0]) & (at_us < within[1])
        times.append(at_us[inside])
        parts.append(np.asarray(block.samples[inside] * recorded.scale + recorded.offset, np.float64))
    return np.concatenate(times), np.concatenate(parts)


def _gaps(columns: Columns, within: tuple[int, int], edge_us: int) -> Iterator[tuple[int, int]]:
    for begin, end in columns.gaps:
        if end - begin > edge_us or (begin > within[0] and end < within[1]):
            yield max(begin, within[0]), min(end, within[1])
