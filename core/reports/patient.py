"""Makes the report of a visit: as PDF/A-2a and PDF/UA-1 through Typst, or as one HTML file."""

from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Literal

import msgspec
import typst

from core.reports.data import ReportData
from core.reports.files import ReportFailed, write_whole
from core.reports.html import html_report
from core.reports.languages import report_words
from core.reports.letters import font_folder
from core.reports.phrasing import Told
from core.reports.told import tell

__all__ = ["PLOT_COLUMNS", "Format", "ReportFailed", "ReportMade", "make_report", "print_report"]

Format = Literal["pdf", "html"]
PLOT_COLUMNS: dict[Format, int] = {"pdf": 900, "html": 3600}
"""Columns to collect for a plot: finer than print can show; in a page somebody may look closer."""
PREVIEW_PPI = 110.0
STANDARDS: "list[typst.PDFStandard]" = ["a-2a", "ua-1"]  # the type exists for type checkers only


@dataclass(frozen=True, slots=True)
class ReportMade:
    """A report on disk, how many pages it prints on, and the first of them as PNG."""

    path: Path
    pages: int
    preview_png: bytes


def make_report(data: ReportData, path: Path, *, language: str = "en", format: Format = "pdf") -> ReportMade:
    """Write the report. The file appears when it is complete; a file of that name that was there stays until then.

    What the report says never touches the disk but in the report: the record it comes from is encrypted.

    Raises:
        ReportFailed: Typst refused it, or the place cannot be written.
        WordsError: there are no words, or not all words, for the language.
    """
    words = report_words(language)
    told = tell(data, words)
    pdf, pages = _set("patient.typ", told, data.made_us // 1_000_000, pdf=format == "pdf")
    write_whole(path, html_report(data, told, words).encode() if pdf is None else pdf)
    return ReportMade(path, len(pages), pages[0])


def print_report(template: str, told: Told, made_s: int, path: Path) -> ReportMade:
    """Set another sheet by its template, and write it as PDF. Raises ReportFailed."""
    pdf, pages = _set(template, told, made_s, pdf=True)
    if pdf is not None:
        write_whole(path, pdf)
    return ReportMade(path, len(pages), pages[0])


def _set(template: str, told: Told, made_s: int, *, pdf: bool) -> tuple[bytes | None, list[bytes]]:
    """The PDF, if it is wanted, and its pages as PNG."""
    try:
        compiler = typst.Compiler(
            str(_folder() / template),
            root=str(_folder()),
            font_paths=_fonts(),
            sys_inputs={"told": msgspec.json.encode(told).decode()},
        )
        document = compiler.compile(format="pdf", pdf_standards=STANDARDS, timestamp=made_s) if pdf else None
        shots = compiler.compile(format="png", ppi=PREVIEW_PPI)
    except typst.TypstError as error:
        raise ReportFailed(f"The report could not be set: {error}.", "The record is whole. Try again.") from error
    pages = [page for page in (shots if isinstance(shots, list) else [shots]) if isinstance(page, bytes)]
    if not pages or (pdf and not isinstance(document, bytes)):
        raise ReportFailed("Typst gave no document.", "The record is whole. Try again.")
    return document if isinstance(document, bytes) else None, pages


def _folder() -> Path:
    return Path(str(resources.files("resources") / "report"))


@cache
def _fonts() -> typst.Fonts:
    """The shipped fonts alone: a report looks the same on every machine."""
    return typst.Fonts(include_system_fonts=False, include_embedded_fonts=False, font_paths=[str(font_folder())])
