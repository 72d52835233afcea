"""The patient's report as PDF/A-2a and PDF/UA-1, through Typst."""

import contextlib
import os
import re
import secrets
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from importlib import resources
from pathlib import Path

import msgspec
import typst

from core.model.errors import SmilescapeError
from core.model.people import ToothState
from core.model.procedure import Choice, PhaseState
from core.model.words import Words, load_words
from core.reports import svg
from core.reports.data import ReportData, Signal

PREVIEW_PPI = 110.0
_UNDRAWN = re.compile("[^\u0000-\u024f\u0370-\u052f\u1e00-\u1fff\u2000-\u22ff]")
"""Everything but Latin, Greek, Cyrillic and common signs: what Inter has no glyphs for."""
LABEL = "report.label."


class ReportFailed(SmilescapeError):  # noqa: N818
    """The report could not be made or written."""

    code = "report.failed"


@dataclass(frozen=True, slots=True)
class ReportMade:
    """A report on disk, and its first page as PNG."""

    path: Path
    pages: int
    preview_png: bytes


def make_report(data: ReportData, path: Path, *, language: str = "en") -> ReportMade:
    """Write the report. The file appears when it is complete; a file of that name that was there stays until then.

    Raises:
        ReportFailed: Typst refused it, or the place cannot be written.
    """
    words = load_words(language)
    with tempfile.TemporaryDirectory(prefix="smilescape-report-") as folder:
        root = Path(folder)
        for name, content in _pictures(data, words).items():
            (root / name).write_bytes(content)
        (root / "report.typ").write_bytes(_template())
        told = _told(data, words)
        if _mend_letters(told):
            told["letters"] = words.say("report.letters")
        (root / "data.json").write_bytes(msgspec.json.encode(told))
        try:
            compiler = typst.Compiler(
                str(root / "report.typ"), root=str(root), font_paths=[str(_fonts())], ignore_system_fonts=True
            )
            pdf = compiler.compile(format="pdf", pdf_standards=["a-2a", "ua-1"], timestamp=data.made_us // 1_000_000)
            pages = compiler.compile(format="png", ppi=PREVIEW_PPI)
        except typst.TypstError as error:
            raise ReportFailed(f"The report could not be set: {error}.", "The record is whole. Try again.") from error
    shots = pages if isinstance(pages, list) else [pages]
    if not isinstance(pdf, bytes) or not isinstance(shots[0], bytes):
        raise ReportFailed("Typst gave no document.", "The record is whole. Try again.")
    _write(path, pdf)
    return ReportMade(path, len(shots), shots[0])


def _told(data: ReportData, words: Words) -> dict[str, object]:
    """Everything the template prints, as finished words."""
    view, patient = data.procedure, data.patient
    phases = view.phases
    return {
        "language": words.language,
        "title": words.say("report.title", patient=patient.given_name),
        "subtitle": words.say(
            "report.subtitle" if data.signed_by else "report.subtitle_unsigned",
            date=_date(data, data.visit.began_us),
            name=data.signed_by,
        ),
        "practice": data.practice.name or words.say("report.practice"),
        "phone": data.practice.phone,
        "code": data.visit.code,
        "did": _did(data, words),
        "teeth_alt": _teeth_alt(view.teeth, words),
        "figures": _figures(data, words),
        "main_plot": _main(data).spec.key if data.signals else "",
        "plots": [_plot_told(data, signal, words) for signal in data.signals],
        "watch": [
            {"title": words.say(f"report.watch.{key}.title"), "text": words.say(f"report.watch.{key}.text")}
            for key in _watch(data)
        ],
        "plan": [
            {
                "name": words.say(f"module.{row.module}.name"),
                "choice": words.say(f"report.choice.{row.choice.value}"),
                "dose": "" if row.choice is Choice.DECLINED else f"{row.dose_percent} %",
                "evidence": words.say(f"module.{row.module}.evidence"),
            }
            for row in (view.plan.modules if view.plan is not None else ())
        ],
        "own_limits": [
            words.say("report.own_limit", name=f"@channel.{limit.channel}.name", bound=_bound(limit.low, limit.high))
            for limit in (view.plan.own_limits if view.plan is not None else ())
        ],
        "consent": _consent(data, words),
        "phases": [
            {
                "name": words.say(f"module.{phase.module}.phase.{phase.key}"),
                "tooth": str(phase.tooth or ""),
                "state": words.say(f"report.phase.{phase.state.value}"),
                "time": f"{int(phase.elapsed_s) // 60}:{int(phase.elapsed_s) % 60:02d}",
            }
            for phase in phases
        ],
        "happenings": [
            {
                "time": _clock(data, one.at_us),
                "text": words.say(f"report.happening.{one.kind}", **one.text.values),
                "patient": one.voice == "patient",
            }
            for one in data.happenings
            if f"report.happening.{one.kind}" in words
        ],
        "alarms": _alarms(data, words),
        "gaps": words.say("report.gaps", seconds=f"{data.gaps_s:.0f}")
        if data.gaps_s >= 1
        else words.say("report.no_gaps"),
        "signed": words.say("report.signed", name=data.signed_by, date=_date(data, view.signed_us))
        if view.signed_us is not None and data.signed_by
        else words.say("report.unsigned"),
        "letters": "",
        "simulated": words.say("report.simulated") if data.visit.simulated else "",
        "date": _typst_date(data),
        "words": {
            key.removeprefix("report.label."): words.say(key)
            for key in sorted(words.keys())
            if key.startswith("report.label.")
        },
    }


def _mend_letters(content: dict[str, object]) -> bool:
    """Put a question mark for every letter that the shipped fonts cannot draw; True when there was one.

    A tagged PDF refuses letters without a glyph, and a report that is not made helps nobody.
    """
    found = False

    def mend(value: object) -> object:
        nonlocal found
        if isinstance(value, str):
            mended = _UNDRAWN.sub("?", value)
            found = found or mended != value
            return mended
        if isinstance(value, list):
            return [mend(item) for item in value]
        if isinstance(value, dict):
            return {key: mend(item) for key, item in value.items()}
        return value

    for key, value in content.items():
        content[key] = mend(value)
    return found


def _did(data: ReportData, words: Words) -> str:
    """What was done, in plain sentences."""
    view = data.procedure
    done = [phase for phase in view.phases if phase.state is PhaseState.DONE]
    sentences: list[str] = []
    if not done:
        sentences.append(words.say("report.did.nothing"))
    for module in dict.fromkeys(phase.module for phase in done):
        teeth = sorted({phase.tooth for phase in done if phase.module == module and phase.tooth})
        key = f"report.did.{module}" if len(teeth) != 1 else f"report.did.{module}_one"
        sentences.append(words.say(key, teeth=_list(teeth, words), count=len(teeth)))
    gentle = view.plan is not None and any(row.choice is Choice.GENTLER for row in view.plan.modules)
    if gentle:
        sentences.append(words.say("report.did.gentler"))
    left_out = [row for row in (view.plan.modules if view.plan is not None else ()) if row.choice is Choice.DECLINED]
    sentences += [words.say("report.did.declined", name=f"@module.{row.module}.name") for row in left_out]
    holds = sum(1 for one in data.happenings if one.kind == "held")
    if holds:
        sentences.append(words.say("report.did.held_one" if holds == 1 else "report.did.held", count=holds))
    if view.ended_early:
        sentences.append(words.say("report.did.ended_early"))
    return " ".join(sentences)


def _figures(data: ReportData, words: Words) -> list[dict[str, str]]:
    """Three figures that answer how the mouth is; what was not measured is said to be unknown."""
    found: list[dict[str, str]] = []
    for key in ("saliva_ph", "saliva_flow"):
        signal = data.signal(key)
        if signal is None:
            found.append({"value": "–", "text": words.say(f"report.figure.{key}_unknown")})
            continue
        value = f"{signal.mean:.{signal.spec.decimals}f}"
        found.append(
            {
                "value": words.say(f"report.figure.{key}_value", value=value),
                "text": words.say(f"report.figure.{key}_{_judge(signal)}"),
            }
        )
    spots = sum(1 for tooth in data.procedure.teeth if tooth.finding and not tooth.done and not tooth.missing)
    found.append(
        {
            "value": words.say("report.figure.spots_one" if spots == 1 else "report.figure.spots", count=spots),
            "text": words.say("report.figure.spots_text"),
        }
    )
    return found


def _judge(signal: Signal) -> str:
    low, high = signal.spec.normal_low, signal.spec.normal_high
    if low is not None and signal.mean < low:
        return "low"
    return "high" if high is not None and signal.mean > high else "normal"


def _watch(data: ReportData) -> Iterable[str]:
    done = {phase.module for phase in data.procedure.phases if phase.state is PhaseState.DONE}
    if "repair" in done:
        yield "warm"
    if "balance" in done:
        yield "taste"
    yield from ("pain", "swelling")


def _main(data: ReportData) -> Signal:
    """The signal that tells most about the visit: the warmth of the tooth, otherwise the first there is."""
    return data.signal("pulp_temperature") or data.signals[0]


def _plot_told(data: ReportData, signal: Signal, words: Words) -> dict[str, str]:
    name = words.say(f"channel.{signal.spec.key}.name")
    unit = f" {signal.spec.display_unit}" if signal.spec.display_unit else ""
    places = signal.spec.decimals
    values = {
        "name": name,
        "low": f"{signal.lowest:.{places}f}{unit}",
        "high": f"{signal.highest:.{places}f}{unit}",
        "mean": f"{signal.mean:.{places}f}{unit}",
    }
    return {
        "key": signal.spec.key,
        "title": words.say("report.plot.title", name=name, unit=unit.strip()) if unit else name,
        "alt": words.say("report.plot.alt", **values),
        "text": words.say("report.plot.text", **values),
        "explain": words.say(f"channel.{signal.spec.key}.plain"),
    }


def _pictures(data: ReportData, words: Words) -> dict[str, bytes]:
    said = {"minutes": words.say("report.plot.minutes")}
    said |= {owner: words.say(f"report.owner.{owner}") for owner in ("patient", "clinician", "protocol", "device")}
    from_us, to_us = data.visit.began_us, data.visit.ended_us or data.made_us
    found = {"teeth.svg": svg.teeth(data.procedure.teeth).encode()}
    for signal in data.signals:
        short = words.say(f"channel.{signal.spec.key}.short")
        for suffix, height in (("", 190), ("-small", 168)):
            drawn = svg.plot(signal, from_us=from_us, to_us=to_us, height=height, name=short, said=said)
            found[f"{signal.spec.key}{suffix}.svg"] = drawn.encode()
    return found


def _alarms(data: ReportData, words: Words) -> list[dict[str, str]]:
    """Alarms in the patient's words; those that say the same at the same minute are said once."""
    rows: dict[tuple[str, str], dict[str, str]] = {}
    for alarm in data.alarms:
        key = f"report.alarm.{alarm.kind}"
        text = words.say(key if key in words else "report.alarm_other", **alarm.text.values)
        ended = alarm.ended_us
        end = (
            words.say("report.alarm_open")
            if ended is None
            else words.say("report.alarm_ended", time=_clock(data, ended))
        )
        time = _clock(data, alarm.began_us)
        rows[time, text] = {"time": time, "text": text, "end": end}
    return list(rows.values())


def _consent(data: ReportData, words: Words) -> str:
    envelope = data.procedure.envelope
    if envelope is None:
        return words.say("report.consent_none")
    how = words.say(f"report.consent_how.{envelope.signed_by}")
    return words.say("report.consent", version=envelope.version, time=_clock(data, envelope.signed_us), how=how)


def _teeth_alt(teeth: Iterable[ToothState], words: Words) -> str:
    done = [tooth.fdi for tooth in teeth if tooth.done]
    watched = [tooth.fdi for tooth in teeth if tooth.finding and not tooth.done]
    none = words.say("report.teeth_none")
    return words.say("report.teeth_alt", done=_list(done, words) or none, watched=_list(watched, words) or none)


def _list(numbers: Iterable[int], words: Words) -> str:
    found = [str(number) for number in numbers]
    if len(found) < 2:
        return "".join(found)
    return words.say("report.list", head=", ".join(found[:-1]), tail=found[-1])


def _bound(low: float | None, high: float | None) -> str:
    return "–".join(f"{bound:g}" for bound in (low, high) if bound is not None)


def _local(data: ReportData, at_us: int) -> datetime:
    return datetime.fromtimestamp(at_us / 1e6, UTC) + timedelta(seconds=data.utc_offset_s)


def _date(data: ReportData, at_us: int | None) -> str:
    when = _local(data, data.made_us if at_us is None else at_us)
    return f"{when.day} {when:%B %Y}"


def _clock(data: ReportData, at_us: int) -> str:
    return f"{_local(data, at_us):%H:%M}"


def _typst_date(data: ReportData) -> list[int]:
    when = datetime.fromtimestamp(data.made_us / 1e6, UTC)
    return [when.year, when.month, when.day]


@cache
def _template() -> bytes:
    return (resources.files("resources") / "report" / "patient.typ").read_bytes()


def _fonts() -> Path:
    return Path(str(resources.files("resources") / "fonts"))


def _write(path: Path, data: bytes) -> None:
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
    try:
        with draft.open("xb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        draft.replace(path)
    except OSError as error:
        raise ReportFailed(f"{path} cannot be written: {error.strerror}.", "Choose another place.") from error
    finally:
        with contextlib.suppress(OSError):
            draft.unlink(missing_ok=True)
