"""The sheet with a pack's code: it says what it must, names nobody, and is a sound PDF."""

import io
import re
from typing import Any

import pytest
from pypdf import PdfReader

from core.model.words import WordsError
from core.reports.code_sheet import code_sheet
from core.reports.languages import LANGUAGES, report_words

CODE = "7K4M-Q2XD-9HTP-W3RB-6CNE"


def squeezed(text: str) -> str:
    """Without what a typesetter puts between words."""
    return re.sub(r"\s+", "", text)


@pytest.mark.parametrize("language", LANGUAGES)
def test_it_has_the_code_and_says_to_keep_it_apart_on_one_page(language: str) -> None:
    pdf = code_sheet(CODE, "V-77AB-pack", practice="Cedar Lane", at_us=1_800_000_000_000_000, language=language)
    reader = PdfReader(io.BytesIO(pdf))
    (page,) = reader.pages
    said = squeezed(page.extract_text())
    words = report_words(language)
    assert CODE in said
    for key in ("keep", "once", "lost"):
        assert squeezed(words.say(f"pack.sheet.{key}")) in said
    assert squeezed(words.say("pack.unreviewed")) in said
    assert words.say("pack.file.page") in said
    assert "CedarLane" in said
    root: Any = reader.trailer["/Root"]
    assert root["/MarkInfo"]["/Marked"]
    assert root["/Lang"] == language
    assert b"pdfaid:part" in root["/Metadata"].get_data()


def test_a_practice_that_has_no_name_or_one_like_a_key_is_set_as_it_stands() -> None:
    for practice, shown in (("", "Your dental practice"), ("@report.date", "@report.date")):
        pdf = code_sheet(CODE, "V-77AB-pack", practice=practice, at_us=1_800_000_000_000_000)
        assert squeezed(shown) in squeezed(PdfReader(io.BytesIO(pdf)).pages[0].extract_text())


def test_a_language_without_words_is_refused() -> None:
    with pytest.raises(WordsError, match="'xx'"):
        code_sheet(CODE, "V-77AB-pack", practice="", at_us=0, language="xx")
