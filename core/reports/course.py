"""The course of the visit: what was agreed, done, paused, and who signed."""

import re

from core.model.alarm import Alarm
from core.model.procedure import Choice, PhaseView, Plan
from core.model.words import Words
from core.reports.data import Happening, ReportData
from core.reports.letters import GUARD, literal
from core.reports.measured import bound_said, channel_key
from core.reports.phrasing import Told, clock, date, either, number

_NAMES = (
    (re.compile(r"@channel\.(\w+)\.(?:name|short)$"), r"@report.channel.\1.title"),
    (re.compile(r"@module\.(\w+)\.phase\.(\w+)$"), r"@report.step.\1.\2"),
)
"""Names for staff, and those that patients read instead."""


def agreed(data: ReportData) -> Plan:
    """What was agreed; before anybody agreed, what was chosen."""
    envelope = data.procedure.envelope
    return envelope.plan if envelope is not None else data.procedure.plan or Plan()


def plan(data: ReportData, words: Words) -> list[Told]:
    return [
        {
            "name": words.say(f"module.{row.module}.name"),
            "does": words.say(f"module.{row.module}.does"),
            "choice": words.say(f"report.choice.{row.choice.value}"),
            "strength": "" if row.choice is Choice.DECLINED else strength(row.dose_percent, words),
            "evidence": words.say(f"module.{row.module}.evidence"),
            "said": words.say("report.named", name=f"@module.{row.module}.name", text=f"@module.{row.module}.does"),
        }
        for row in agreed(data).modules
    ]


def strength(percent: int, words: Words) -> str:
    return words.say("report.percent", value=number(str(percent), words))


def own_limits(data: ReportData, words: Words) -> list[str]:
    return [
        words.say("report.own_limit", name=f"@{channel_key(limit.channel, words)}", bound=bound_said(limit, words))
        for limit in agreed(data).own_limits
    ]


def consent(data: ReportData, words: Words) -> list[str]:
    envelope = data.procedure.envelope
    if envelope is None:
        return [words.say("report.consent_none")]
    how = words.say(f"report.consent_how.{envelope.signed_by}")
    return [
        words.say("report.consent", version=envelope.version, time=clock(data, envelope.signed_us, words), how=how),
        words.say("report.data_choice", choice=f"@{envelope.plan.data_choice}"),
    ]


def phase_told(phase: PhaseView, words: Words) -> Told:
    return {
        "name": words.say(
            either(words, f"report.step.{phase.module}.{phase.key}", f"module.{phase.module}.phase.{phase.key}")
        ),
        "part": words.say(f"module.{phase.module}.name"),
        "tooth": str(phase.tooth or words.say("report.no_tooth")),
        "state": words.say(f"report.phase.{phase.state.value}"),
        "time": minutes(phase.delivered_before_s + phase.elapsed_s),
    }


def minutes(seconds: float) -> str:
    """Such as 4:05."""
    return f"{int(seconds) // 60}:{int(seconds) % 60:02d}"


def happenings(data: ReportData, words: Words) -> list[Told]:
    """The moments that matter to a patient; what the machines say to each other and mere steps are left out."""
    rows: list[Told] = []
    for one in data.happenings:
        text = _moment(one, words)
        row: Told = {"time": clock(data, one.at_us, words), "text": text, "patient": one.voice == "patient"}
        # Comfort words are stored again with each answer that was given.
        if text and not (one.kind == "comfort_words" and any(text == other["text"] for other in rows)):
            rows.append(row)
    return rows


def _moment(one: Happening, words: Words) -> str:
    """Empty for a moment that is not the patient's."""
    key = f"report.moment.{one.kind}"
    if one.kind == "held":
        key = held_key(one.text.key, words)
    if key not in words:
        return ""
    return words.say(key, **{name: _for_patient(value, words) for name, value in one.text.values.items()}).strip()


def held_key(cause: str, words: Words) -> str:
    """The patient's sentence for why therapy was held, by the key of staff's."""
    name = cause.removeprefix("hold.").removesuffix(".reason")
    tries = (f"report.held.{name}", f"report.held.{name.split('_')[0]}")
    return next((found for found in tries if found in words), "report.held.other")


def _for_patient(value: str | float, words: Words) -> str | float:
    """Staff's names give way to the patient's; free text stands as it is, even where it looks like a key."""
    if not isinstance(value, str) or not value.startswith("@"):
        return value
    for pattern, patient in _NAMES:
        named = pattern.sub(patient, value)
        value = named if named[1:] in words else value
    return value if value[1:] in words else GUARD + value


def alarms(data: ReportData, words: Words) -> list[Told]:
    """Alarms in the patient's words; those that say the same are one line."""
    same: dict[str, list[Alarm]] = {}
    for alarm in data.alarms:
        same.setdefault(alarm_said(alarm, words), []).append(alarm)
    return [
        {
            "time": clock(data, alarms[0].began_us, words),
            "text": text
            if len(alarms) == 1
            else words.say("report.alarm_times", text=literal(text), count=len(alarms)),
            "end": _alarm_end(data, alarms, words),
        }
        for text, alarms in same.items()
    ]


def alarm_said(alarm: Alarm, words: Words) -> str:
    """An alarm as a patient reads it."""
    key = f"report.alarm.{alarm.kind}"
    values = {name: _for_patient(value, words) for name, value in alarm.text.values.items()}
    return words.say(key if key in words else "report.alarm_other", **values)


def _alarm_end(data: ReportData, alarms: list[Alarm], words: Words) -> str:
    ends = [alarm.ended_us for alarm in alarms if alarm.ended_us is not None]
    if len(ends) < len(alarms):
        return words.say("report.alarm_open")
    return words.say("report.alarm_ended", time=clock(data, max(ends), words))


def signed(data: ReportData, words: Words) -> str:
    when = data.procedure.signed_us
    if when is None:
        return words.say("report.unsigned")
    values = {"date": date(data, when, words), "time": clock(data, when, words)}
    if not data.signed_by:
        return words.say("report.signed_nameless", **values)
    return words.say("report.signed", name=literal(data.signed_by), **values)
