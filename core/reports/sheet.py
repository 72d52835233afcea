"""A page to print, set by a template of its own: the recovery sheet, the code of a data pack."""

from importlib import resources
from pathlib import Path

import msgspec
import typst

from core.reports.files import ReportFailed
from core.reports.letters import font_folder
from core.reports.phrasing import Told

STANDARDS: "list[typst.PDFStandard]" = ["a-2a", "ua-1"]  # the type exists for type checkers only


def set_sheet(template: str, told: Told, at_us: int, remedy: str) -> bytes:
    """The PDF. `remedy`: what to do when it cannot be set.

    Raises ReportFailed.
    """
    folder = Path(str(resources.files("resources") / "report"))
    fonts = typst.Fonts(include_system_fonts=False, include_embedded_fonts=False, font_paths=[str(font_folder())])
    try:
        page = typst.Compiler(
            str(folder / template),
            root=str(folder),
            font_paths=fonts,
            sys_inputs={"told": msgspec.json.encode(told).decode()},
        ).compile(format="pdf", pdf_standards=STANDARDS, timestamp=at_us // 1_000_000)
    except typst.TypstError as error:
        raise ReportFailed(f"The sheet could not be set: {error}.", remedy) from error
    if not isinstance(page, bytes):
        raise ReportFailed("Typst gave no document.", remedy)
    return page
