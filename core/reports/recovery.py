"""The recovery sheet for backups as a page to print."""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from core.model.words import load_words
from core.reports.files import write_whole
from core.reports.sheet import set_sheet


def write_recovery_sheet(lines: Sequence[str], practice: str, at_us: int, path: Path) -> None:
    """Write a PDF that only its owner may read. Raises ReportFailed."""
    words = load_words()
    day = datetime.fromtimestamp(at_us / 1e6, UTC)
    told: dict[str, object] = {
        "title": words.say("recovery.title"),
        "practice": practice or words.say("report.practice"),
        "between": words.say("recovery.between"),
        "day": f"{day:%Y-%m-%d}",
        "date": [day.year, day.month, day.day],
        "what": words.say("recovery.what"),
        "lines": list(lines),
        "rules": [words.say(f"recovery.rule.{rule}") for rule in ("keep", "use", "replace")],
        "letters": words.say("recovery.letters"),
    }
    page = set_sheet("recovery.typ", told, at_us, "Print the lines from the terminal.")
    write_whole(path, page)
    path.chmod(0o600)
