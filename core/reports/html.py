"""A report as one HTML file: no network, its own styles, script and data, readable without the script."""

import base64
import hashlib
from importlib import resources

from core.model.words import Words
from core.reports.data import ReportData
from core.reports.fonts import font_faces
from core.reports.html_clinical import clinical_part
from core.reports.html_parts import Page, element, patient_part
from core.reports.html_plots import plot_data
from core.reports.phrasing import Told

_LANGUAGE = {"zh": "zh-Hans"}
_FIGURES = "0123456789.,:+-\u2212"
"""What the script writes by itself."""


def html_report(data: ReportData, told: Told, words: Words) -> str:
    """The file's text. `told` as `tell` gives it, of the same data and words.

    Its Content-Security-Policy forbids every request and names its one style and its one script by their hashes.
    """
    script = _resource("report.js")
    page = Page(told)
    body = "".join(
        (
            element("a", page.html["skip"], class_="skip", href="#text"),
            patient_part(page, plot_data(data, words)),
            clinical_part(page),
            _foot(page),
        )
    )
    style = font_faces(f"{body}{_FIGURES}") + _resource("report.css")
    sources = f"style-src {_hash(style)}; script-src {_hash(script)}; font-src data:"
    policy = f"default-src 'none'; {sources}; base-uri 'none'; form-action 'none'"
    return (
        f'<!doctype html>\n<html lang="{_LANGUAGE.get(words.language, words.language)}">\n'
        '<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="referrer" content="no-referrer">\n<meta name="color-scheme" content="light dark">\n'
        f"{element('title', page.text('title'))}\n<style>{style}</style>\n</head>\n"
        f"<body>\n{body}\n<script>{script}</script>\n</body>\n</html>\n"
    )


def _foot(page: Page) -> str:
    said = (page.words["what_this_is"], page.text("letters"), page.text("simulated"), page.html["offline"])
    return f"<footer>{element('p', page.text('signed'))}{element('p', page.join(*said))}</footer>"


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def _resource(name: str) -> str:
    return (resources.files("resources") / "report" / name).read_text(encoding="utf-8")
