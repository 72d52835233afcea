"""The patient's report as PDF/A-2a and PDF/UA-1, through Typst."""

import contextlib
import os
import secrets
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path

import msgspec
import typst

from core.model.errors import SmilescapeError
from core.model.words import load_words
from core.reports.data import ReportData
from core.reports.letters import font_folder
from core.reports.told import tell

PREVIEW_PPI = 110.0
STANDARDS: "list[typst.PDFStandard]" = ["a-2a", "ua-1"]  # the type exists for type checkers only


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

    What the report says never touches the disk but in the report: the record it comes from is encrypted.

    Raises:
        ReportFailed: Typst refused it, or the place cannot be written.
    """
    told = msgspec.json.encode(tell(data, load_words(language))).decode()
    try:
        compiler = typst.Compiler(
            str(_folder() / "patient.typ"), root=str(_folder()), font_paths=_fonts(), sys_inputs={"told": told}
        )
        pdf = compiler.compile(format="pdf", pdf_standards=STANDARDS, timestamp=data.made_us // 1_000_000)
        shots = compiler.compile(format="png", ppi=PREVIEW_PPI)
    except typst.TypstError as error:
        raise ReportFailed(f"The report could not be set: {error}.", "The record is whole. Try again.") from error
    pages = shots if isinstance(shots, list) else [shots]
    if not isinstance(pdf, bytes) or not isinstance(pages[0], bytes):
        raise ReportFailed("Typst gave no document.", "The record is whole. Try again.")
    _write(path, pdf)
    return ReportMade(path, len(pages), pages[0])


def _folder() -> Path:
    return Path(str(resources.files("resources") / "report"))


@cache
def _fonts() -> typst.Fonts:
    """The shipped fonts alone: a report looks the same on every machine."""
    return typst.Fonts(include_system_fonts=False, include_embedded_fonts=False, font_paths=[str(font_folder())])


def _write(path: Path, data: bytes) -> None:
    if path.exists() and not path.is_file():
        raise ReportFailed(f"{path} is no file that could be replaced.", "Choose another name.")
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
