"""The code of a data pack as a page to print: given apart from the stick, and kept nowhere."""

from datetime import UTC, datetime

from core.reports.languages import report_words
from core.reports.letters import literal, mend
from core.reports.sheet import set_sheet


def code_sheet(code: str, pack: str, *, practice: str, at_us: int, language: str = "en") -> bytes:
    """A PDF without a name: who finds it must not know whose data it opens. `pack`: name of the folder on the stick.

    Raises:
        ReportFailed: it could not be set.
        WordsError: there are no words, or not all words, for the language.
    """
    words = report_words(language)
    day = datetime.fromtimestamp(at_us / 1e6, UTC)
    date = words.say("report.date", day=day.day, month=f"@report.month.{day.month}", year=day.year)
    said = {
        key: words.say(f"pack.sheet.{key}", page=words.say("pack.file.page"), pack=pack)
        for key in ("title", "what", "keep", "once", "lost", "how")
    }
    told: dict[str, object] = {
        **{key: mend(text)[0] for key, text in said.items()},
        "practice": mend(literal(practice.strip()) or words.say("report.practice"))[0],
        "day": date,
        "date": [day.year, day.month, day.day],
        "language": language,
        "between": words.say("report.between"),
        "apart": words.say("report.apart"),
        "code": code.split("-"),
        "unreviewed": "" if words.reviewed else words.say("pack.unreviewed"),
    }
    return set_sheet("code.typ", told, at_us, "Write the code down by hand.")
