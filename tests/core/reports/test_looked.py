"""The sheet of who looked: every look, in three languages, simple to read, and made as the reports are."""

import io
import re
from pathlib import Path

import pytest
import textstat
from pypdf import PdfReader

from core.model.access import View
from core.model.people import Patient
from core.people.lexicon import forbidden_in
from core.reports.data import Practice
from core.reports.languages import LANGUAGES, report_words
from core.reports.looked import LookedData, looked_told, print_looked
from core.reports.patient import ReportFailed
from tests.core.reports.test_readability import GRADE, HUERTA, SENTENCE, characters, sentences

DAY = 86_400_000_000
MADE = 1_800_000_000_000_000
ANNA = Patient(id="anna", version=2, code="P-7KQ2", given_name="Anna", family_name="Dvořák", birth_date="1990-02-03")
KINDS = ("timeline", "visit", "live", "signals", "attachment", "report", "fhir", "pack", "list", "views", "odd")
ROLES = ("dentist", "assistant", "engineer", "auditor", "companion", "")


def data(looks: int = len(KINDS)) -> LookedData:
    views = [
        View(
            at_us=MADE - number * DAY // 7,
            who=f"op-{number % 6}",
            role=ROLES[number % 6],
            kind=KINDS[number % len(KINDS)],
            chair=1,
            emergency=ROLES[number % 6] == "engineer",
        )
        for number in range(looks)
    ]
    names = {"op-0": "Mira Chen", "op-1": "Jon Reyes", "op-2": "@menu", "op-3": "Ada \N{SMILING FACE WITH OPEN MOUTH}"}
    practice = Practice("Cedar Lane", "1")
    return LookedData(patient=ANNA, views=views, names=names, practice=practice, made_us=MADE, utc_offset_s=3600)


def text_of(path: Path) -> str:
    return "\n".join(page.extract_text() for page in PdfReader(io.BytesIO(path.read_bytes())).pages)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_look_stands_on_the_sheet(tmp_path: Path, language: str) -> None:
    made = print_looked(data(90), tmp_path / "P-7KQ2-looks.pdf", language=language)
    assert made.pages > 1
    assert made.preview_png.startswith(b"\x89PNG")
    text = text_of(made.path)
    assert text.count("Mira Chen") == 15
    assert "P-7KQ2" in text
    assert "Dvořák" in text
    assert not report_words(language).reviewed
    assert report_words(language).say("report.unreviewed")[:12] in text.replace("\n", " "), "until somebody has"


def test_what_was_done_in_an_emergency_says_so() -> None:
    rows = looked_told(data(), report_words("en"))["rows"]
    assert isinstance(rows, list)
    assert rows[0][1:] == ["Mira Chen, dentist", "looked at your list of visits"]
    assert "2027" in rows[0][0]
    assert rows[2][1:] == ["@menu, looks after the devices", "saw your values at the chair, when help was needed fast"]
    assert rows[3][1] == "Ada ?, checks our records", "a letter that cannot be drawn stands out"
    assert rows[4][1] == "Somebody you let look"
    assert rows[5][1] == "Somebody of the practice"
    assert rows[10][2] == "looked at your data"


def test_a_log_without_a_look_says_that(tmp_path: Path) -> None:
    made = print_looked(data(0), tmp_path / "none.pdf")
    assert report_words("en").say("report.viewed.nobody") in text_of(made.path).replace("\n", " ")


def test_a_place_that_cannot_be_written_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(ReportFailed):
        print_looked(data(), tmp_path / "missing" / "x.pdf")
    assert list(tmp_path.iterdir()) == []


def prose(language: str) -> str:
    told = looked_told(data(), report_words(language))
    rows = told["rows"]
    assert isinstance(rows, list)
    end = "。" if language == "zh" else "."
    done = [f"{row[1]} {row[2]}{end}" for row in rows]
    return "\n".join([str(told["text"]), str(told["ask"]), *done])


def test_it_is_as_easy_to_read_as_the_report() -> None:
    english, spanish, chinese = (prose(language) for language in ("en", "es", "zh"))
    textstat.set_lang("en_US")
    assert textstat.flesch_kincaid_grade(english) <= GRADE
    assert forbidden_in(english) == ()
    textstat.set_lang("es")
    assert textstat.fernandez_huerta(spanish) >= HUERTA
    assert [one for one in sentences(chinese) if characters(one) > SENTENCE] == []
    assert not re.search(r"\[report", english + spanish + chinese)
