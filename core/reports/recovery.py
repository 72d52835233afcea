"""The recovery sheet for backups as a page to print."""

from collections.abc import Sequence
from datetime import UTC, datetime
from importlib import resources
from pathlib import Path

import msgspec
import typst

from core.model.words import load_words
from core.reports.files import ReportFailed, write_whole
from core.reports.letters import font_folder


def write_recovery_sheet(lines: Sequence[str], practice: str, at_us: int, path: Path) -> None:
    """Write a PDF that only its owner may read. Raises ReportFailed."""
    words = load_words()
    day = datetime.fromtimestamp(at_us / 1e6, UTC)
    told = {
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
    folder = Path(str(resources.files("resources") / "report"))
    fonts = typst.Fonts(include_system_fonts=False, include_embedded_fonts=False, font_paths=[str(font_folder())])
    try:
        page = typst.Compiler(
            str(folder / "recovery.typ"),
            root=str(folder),
            font_paths=fonts,
            sys_inputs={"told": msgspec.json.encode(told).decode()},
        ).compile(format="pdf", timestamp=at_us // 1_000_000)
    except typst.TypstError as error:
        raise ReportFailed(f"The sheet could not be set: {error}.", "Print the lines from the terminal.") from error
    if not isinstance(page, bytes):
        raise ReportFailed("Typst gave no document.", "Print the lines from the terminal.")
    write_whole(path, page)
    path.chmod(0o600)
