"""What a report says: a visit turned into finished words, for the templates to set."""

from core.model.words import Words
from core.reports import svg
from core.reports.clinical import clinical_told
from core.reports.course import alarms, consent, happenings, own_limits, phase_told, plan, signed
from core.reports.data import ReportData
from core.reports.first_page import did, figure, spots, subtitle, teeth_told, title, watch
from core.reports.home import home_told
from core.reports.letters import drawable, literal, mend
from core.reports.looks import looks
from core.reports.measured import main_first, owners, plot_told
from core.reports.phrasing import Told, date_numbers, joined

_FIGURES = ("saliva_ph", "saliva_flow")


def tell(data: ReportData, words: Words) -> Told:
    """Everything the templates print, by the names they use; every text can be drawn with the shipped fonts."""
    told: Told = {
        "language": words.language,
        "between": words.say("report.between"),
        "decimal": words.say("report.decimal"),
        "minutes": words.say("report.plot.minutes"),
        "title": title(data, words),
        "subtitle": subtitle(data, words),
        "practice": literal(data.practice.name.strip()) or words.say("report.practice"),
        "phone": data.practice.phone.strip(),
        "code": data.visit.code,
        "did": did(data, words),
        "teeth": teeth_told(data.teeth, words),
        "figures": [figure(data, key, words) for key in _FIGURES] + [spots(data.teeth, words)],
        "plots": [plot_told(data, signal, words) for signal in main_first(data.signals)],
        "owners": owners(data.signals, words),
        "home": home_told(data.home, words),
        "more_signals": words.say("report.more_signals") if data.more_signals else "",
        "watch": watch(data, words),
        "icons": {name: svg.icon(name) for name in ("tooth", "phone")},
        "plan": plan(data, words),
        "own_limits": own_limits(data, words),
        "consent": joined(consent(data, words), words),
        "phases": [phase_told(phase, words) for phase in data.procedure.phases],
        "happenings": happenings(data, words),
        "alarms": alarms(data, words),
        "viewed": looks(data, words),
        "signed": signed(data, words),
        "unreviewed": "" if words.reviewed else words.say("report.unreviewed"),
        "clinical": clinical_told(data, words),
        "simulated": words.say("report.simulated") if data.visit.simulated else "",
        "date": date_numbers(data),
        "words": _labels("report.label.", words),
        "clinical_words": _labels("report.clinical.label.", words)
        | {key: words.say(f"report.clinical.{key}") for key in ("title", "intro", "caution", "charted", "uncharted")},
        "html_words": _labels("report.html.", words),
    }
    printed, whole = mended(told)
    nameless = "" if drawable(data.patient.given_name) else words.say("report.nameless")
    letters = "" if whole else words.say("report.letters")
    return {**printed, "letters": joined((nameless, letters), words)}


def _labels(prefix: str, words: Words) -> dict[str, str]:
    """Every sentence below a prefix, by what follows it."""
    return {
        key.removeprefix(prefix): words.template(key)
        for key in words.keys()  # noqa: SIM118  # no mapping: `keys` is its method
        if key.startswith(prefix)
    }


def mended(told: Told) -> tuple[Told, bool]:
    """The same with every text as it can be printed, and whether nothing was lost."""
    whole = True

    def mend_all(value: object) -> object:
        nonlocal whole
        match value:
            case str() if not value.startswith("<svg"):
                text, kept = mend(value)
                whole = whole and kept
                return text
            case list():
                return [mend_all(item) for item in value]
            case dict():
                return {key: mend_all(item) for key, item in value.items()}
        return value

    return {key: mend_all(value) for key, value in told.items()}, whole
