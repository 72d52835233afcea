"""Collects a visit out of a chair's record."""

import numpy as np

from core.model.clock import Clock, SystemClock
from core.model.limits import Limit
from core.record import NotFound, RecordReader
from core.record.versions import utc_offset_s
from core.reports.data import Happening, Practice, ReportData, Signal
from core.reports.svg import shown_gaps
from core.safety.limits import strictest
from core.signals.catalogue import Catalogue, load_catalogue

PLOTTED = (
    "pulp_temperature",
    "heart_rate",
    "pulse_rate",
    "saliva_ph",
    "plaque_ph",
    "spo2",
    "saliva_flow",
)
COLUMNS = 900
"""Columns of a plot: finer than print can show."""


def collect(
    reader: RecordReader, visit_id: str, *, practice: Practice | None = None, clock: Clock | None = None
) -> ReportData:
    """Everything the report of a visit says.

    Raises:
        NotFound: no such visit, or no procedure was begun in it.
    """
    visit = reader.visit(visit_id)
    procedure = reader.procedure(visit_id) if visit is not None else None
    patient = reader.patient(visit.patient_id) if visit is not None else None
    if visit is None or procedure is None or patient is None:
        raise NotFound(f"There is no procedure to report for the visit {visit_id}.", "Choose another visit.")
    now = (clock or SystemClock()).utc_us()
    end = visit.ended_us or now
    moments = reader.moments(visit_id)
    signals = _signals(reader, visit.began_us, end, visit_id, strictest(procedure.limits), load_catalogue())
    return ReportData(
        practice=practice or Practice(),
        patient=patient,
        visit=visit,
        procedure=procedure,
        signals=signals,
        happenings=tuple(Happening(moment.at_us, moment.kind, moment.text, moment.voice) for moment in moments),
        alarms=tuple(alarm for alarm in reader.alarms() if visit.began_us <= alarm.began_us <= end),
        signed_by=next((str(m.text.values["name"]) for m in moments if m.text.key == "note.signed"), ""),
        made_us=now,
        utc_offset_s=utc_offset_s(visit.began_us),
        gaps_s=max((_gap_seconds(signal, visit.began_us, end) for signal in signals), default=0.0),
    )


def _signals(
    reader: RecordReader, from_us: int, to_us: int, visit_id: str, limits: tuple[Limit, ...], catalogue: Catalogue
) -> tuple[Signal, ...]:
    held = {span.channel for span in reader.spans(visit_id)}
    wanted = [key for key in PLOTTED if key in held]
    if "heart_rate" in wanted and "pulse_rate" in wanted:
        wanted.remove("pulse_rate")
    found: list[Signal] = []
    for key in wanted:
        columns = reader.columns(key, from_us, to_us, COLUMNS, visit_id)
        if not np.isfinite(columns.low).any():
            continue
        mid = (columns.low.astype(np.float64) + columns.high) / 2
        found.append(
            Signal(
                spec=catalogue.key(key),
                columns=columns,
                lowest=float(np.nanmin(columns.low)),
                highest=float(np.nanmax(columns.high)),
                mean=float(np.nanmean(mid)),
                limits=tuple(limit for limit in limits if limit.channel == key),
            )
        )
    return tuple(found)


def _gap_seconds(signal: Signal, from_us: int, to_us: int) -> float:
    return sum(end - begin for begin, end in shown_gaps(signal, from_us, to_us)) / 1e6
