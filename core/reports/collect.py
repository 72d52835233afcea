"""Collects a visit out of a chair's record."""

from collections.abc import Iterable, Iterator

import numpy as np
import numpy.typing as npt

from core.model.clock import Clock, SystemClock
from core.model.limits import Limit
from core.model.wear import AtHome
from core.record import NotFound, RecordReader
from core.record.types import Columns, RecordedMoment
from core.record.versions import utc_offset_s
from core.reports.data import Happening, Pause, Practice, ReportData, Signal
from core.safety.limits import strictest
from core.signals.catalogue import Catalogue, load_catalogue

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
EDGE_US = 3_000_000
"""A channel begins and ends a little inside the visit; that is no gap."""


def collect(
    reader: RecordReader,
    visit_id: str,
    *,
    practice: Practice | None = None,
    clock: Clock | None = None,
    home: AtHome | None = None,
) -> ReportData:
    """Everything the report of a visit says.

    `home`: the patient's days at home up to the visit, which only the records of all chairs together tell.

    Raises:
        NotFound: no such visit, or no procedure was begun in it.
    """
    visit = reader.visit(visit_id)
    procedure = reader.procedure(visit_id) if visit is not None else None
    patient = reader.patient(visit.patient_id) if visit is not None else None
    if visit is None or procedure is None or patient is None:
        raise NotFound(f"There is no procedure to report for the visit {visit_id}.", "Choose another visit.")
    now = (clock or SystemClock()).utc_us()
    end = now if visit.ended_us is None else visit.ended_us
    moments = reader.moments(visit_id)
    held = {span.channel for span in reader.spans(visit_id)}
    shown = _shown(held)
    found = _signals(reader, shown, (visit.began_us, end), visit_id, strictest(procedure.limits), load_catalogue())
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
    )


def pauses(moments: Iterable[RecordedMoment]) -> Iterator[Pause]:
    """Each time therapy stood still. A reason that comes to a pause which already lasts is no second pause."""
    by_patient: bool | None = None
    for moment in moments:
        if moment.kind == "held" and by_patient is None:
            by_patient = moment.text.key.startswith("hold.patient")
        elif moment.kind in ("resumed", "ended_early", "phases_over") and by_patient is not None:
            yield Pause(by_patient, went_on=moment.kind == "resumed")
            by_patient = None
    if by_patient is not None:
        yield Pause(by_patient, went_on=False)


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
    catalogue: Catalogue,
) -> Iterator[Signal]:
    for key in keys:
        spec = catalogue.key(key)
        values = _values(reader, key, within)
        if not len(values):
            continue
        columns = reader.columns(key, *within, COLUMNS, visit_id)
        yield Signal(
            spec=spec,
            columns=columns,
            lowest=float(values.min()),
            highest=float(values.max()),
            mean=float(values.mean()),
            limits=tuple(limit for limit in limits if limit.channel == key),
            gaps=tuple(_gaps(columns, within, max(EDGE_US, 2 * spec.period_us))),
        )


def _values(reader: RecordReader, key: str, within: tuple[int, int]) -> npt.NDArray[np.float64]:
    """Every sample of the visit, physical, shape (n,)."""
    recorded = reader.channel(key)
    parts: list[npt.NDArray[np.float64]] = [np.empty(0)]
    for block in reader.samples(None, key, *within):
        at_us = block.times_us()
        inside = block.samples[(at_us >= within[0]) & (at_us < within[1])]
        parts.append(np.asarray(inside * recorded.scale + recorded.offset, np.float64))
    return np.concatenate(parts)


def _gaps(columns: Columns, within: tuple[int, int], edge_us: int) -> Iterator[tuple[int, int]]:
    for begin, end in columns.gaps:
        if end - begin > edge_us or (begin > within[0] and end < within[1]):
            yield max(begin, within[0]), min(end, within[1])
