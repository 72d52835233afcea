"""The part for the next dentist: the same visit in clinical terms, with figures and codes."""

from collections.abc import Iterable, Iterator

from core.model.alarm import Alarm
from core.model.limits import Limit
from core.model.people import ToothState
from core.model.procedure import Choice, PhaseView
from core.model.words import Words
from core.reports import odontogram
from core.reports.course import agreed, alarm_said, consent, held_key, minutes, own_limits, phase_told, strength
from core.reports.data import Pause, ReportData, Signal
from core.reports.first_page import charted, names_of
from core.reports.letters import literal
from core.reports.looks import name_of
from core.reports.measured import bound_said, valued
from core.reports.phrasing import Told, clock, date, joined, listed, number, span

_SURFACES = ("filled", "finding", "done")
_SHOWN_HASH = 16
"""Letters of a fingerprint that people compare by eye; the record holds the whole."""


def clinical_told(data: ReportData, words: Words) -> Told:
    """The tables and pictures of the part, by the names that the templates use."""
    return {
        "facts": [list(row) for row in _facts(data, words)],
        "before": _chart(data.teeth_before, "teeth_before_alt", words),
        "after": _chart(data.teeth, "teeth_after_alt", words),
        "teeth": [list(row) for row in _teeth(data, words)],
        "phases": [_phase(phase, words) for phase in data.procedure.phases],
        "signals": [_signal(signal, words) for signal in data.signals],
        "pauses": [_pause(data, pause, words) for pause in data.pauses],
        "alarms": [_alarm(data, alarm, words) for alarm in data.alarms],
        "consent": list(_consent(data, words)),
    }


def _say(words: Words, key: str, **values: str | float) -> str:
    return words.say(f"report.clinical.{key}", **values)


def _facts(data: ReportData, words: Words) -> Iterator[tuple[str, str]]:
    def label(key: str) -> str:
        return _say(words, f"label.{key}")

    patient, visit = data.patient, data.visit
    end = clock(data, visit.ended_us, words) if visit.ended_us is not None else _say(words, "not_over")
    outcome = "early" if data.procedure.ended_early else "open" if visit.ended_us is None else "complete"
    yield label("patient"), literal(patient.name) or _say(words, "not_known")
    yield label("born"), patient.birth_date or _say(words, "not_known")
    yield label("code"), patient.code
    yield label("allergies"), literal(patient.allergies.strip()) or _say(words, "none_recorded")
    yield label("visit"), visit.code
    yield label("chair"), str(visit.chair)
    begin = clock(data, visit.began_us, words)
    yield label("when"), _say(words, "times", date=date(data, visit.began_us, words), begin=begin, end=end)
    yield label("outcome"), _say(words, f"outcome.{outcome}")
    yield label("dentist"), literal(data.signed_by) or _say(words, "not_known")
    if visit.mdas is not None:
        yield label("anxiety"), _say(words, "mdas", total=visit.mdas)


def _chart(teeth: Iterable[ToothState], alt: str, words: Words) -> Told:
    states = list(teeth)
    return {"picture": odontogram.teeth(states), "alt": _say(words, alt, **names_of(charted(states), words))}


def _teeth(data: ReportData, words: Words) -> Iterator[tuple[str, str, str]]:
    """Number, before, after: of each tooth of which something is charted."""
    before = {tooth.fdi: tooth for tooth in data.teeth_before}
    for tooth in data.teeth:
        was, now = _charted(before.get(tooth.fdi), words), _charted(tooth, words)
        if {was, now} != {_say(words, "surface.sound")}:
            yield str(tooth.fdi), was, now


def _charted(tooth: ToothState | None, words: Words) -> str:
    if tooth is None:
        return _say(words, "not_known")
    if tooth.missing:
        return _say(words, "surface.missing")
    found = [
        _say(words, f"surface.{kind}", surfaces=surfaces)
        for kind in _SURFACES
        if (surfaces := str(getattr(tooth, kind)))
    ]
    if tooth.icdas is not None:
        found.append(_say(words, "icdas", value=tooth.icdas))
    if tooth.note:
        found.append(tooth.note)
    return words.say("report.separator").join(found) or _say(words, "surface.sound")


def _phase(phase: PhaseView, words: Words) -> list[str]:
    """Tooth, module, step, how it went, strength, time delivered of time planned."""
    row = phase_told(phase, words)
    delivered = _say(words, "delivered", done=str(row["time"]), planned=minutes(phase.seconds))
    cells = [str(row[key]) for key in ("tooth", "part", "name", "state")]
    return [*cells, strength(phase.dose_percent, words), delivered]


def _signal(signal: Signal, words: Words) -> list[str]:
    """Name, at rest, in the last minute, lowest, mean, highest, limits."""
    key = signal.spec.key

    def said(value: float | None) -> str:
        if value is None:
            return _say(words, "not_measured")
        return number(f"{value:.{signal.spec.decimals}f}", words)

    unit = signal.spec.display_unit
    name = words.say("report.plot.titled", name=f"@channel.{key}.name", unit=unit)
    bounds = [_limit(limit, words) for limit in signal.limits]
    if signal.gaps:
        bounds.append(_say(words, "gaps", time=span(signal.gaps_s, words)))
    values = (signal.rest, signal.ending, signal.lowest, signal.mean, signal.highest)
    return [
        name if unit else words.say(f"channel.{key}.name"),
        *map(said, values),
        words.say("report.apart").join(bounds),
    ]


def _limit(limit: Limit, words: Words) -> str:
    owner = words.say(f"report.owner.{limit.owner.value}")
    return _say(words, "limit", bound=bound_said(limit, words), owner=owner)


def _pause(data: ReportData, pause: Pause, words: Words) -> list[str]:
    lasted = _say(words, "not_over") if pause.ended_us is None else _lasted(pause.began_us, pause.ended_us, words)
    cause = words.say(held_key(pause.cause, words))
    return [
        clock(data, pause.began_us, words),
        lasted,
        cause,
        _say(words, "resumed" if pause.went_on else "not_resumed"),
    ]


def _alarm(data: ReportData, alarm: Alarm, words: Words) -> list[str]:
    """When, what with its code and value, priority, how long, who saw it."""
    value = ""
    if alarm.channel is not None and alarm.value is not None:
        figure = valued(alarm.channel, f"{alarm.value:.3g}", words)
        value = _say(words, "alarm_value", name=f"@channel.{alarm.channel}.name", value=figure)
    seen = name_of(data, alarm.acknowledged_by, words) if alarm.acknowledged_by else _say(words, "nobody")
    said = joined((alarm_said(alarm, words), value), words)
    return [
        clock(data, alarm.began_us, words),
        f"{said} ({alarm.kind})",
        _say(words, f"priority.{int(alarm.priority)}"),
        _say(words, "not_over") if alarm.ended_us is None else _lasted(alarm.began_us, alarm.ended_us, words),
        seen,
    ]


def _lasted(began_us: int, ended_us: int, words: Words) -> str:
    return span((ended_us - began_us) / 1e6, words)


def _consent(data: ReportData, words: Words) -> Iterator[str]:
    """The plan row by row, what the patient limited, how they agreed, and what ties it to the record."""
    for row in agreed(data).modules:
        key = "plan_row_declined" if row.choice is Choice.DECLINED else "plan_row" if row.teeth else "plan_row_mouth"
        yield _say(
            words,
            key,
            module=f"@module.{row.module}.name",
            choice=f"@report.choice.{row.choice.value}",
            strength=strength(row.dose_percent, words),
            teeth=listed(map(str, row.teeth), words),
        )
    yield from own_limits(data, words)
    yield joined(consent(data, words), words)
    envelope = data.procedure.envelope
    if envelope is None:
        return
    if envelope.witness:
        yield _say(words, "witness", name=name_of(data, envelope.witness, words))
    yield _say(words, "hash", hash=envelope.sha256.hex()[:_SHOWN_HASH])
