"""Reports in every language are valid PDF/A-2a and PDF/UA-1, says veraPDF, and it says what is not.

`python tools/verapdf.py FILE …` asks it of any report by hand.
"""

from pathlib import Path

import pytest
import typst

from core.reports.looked import print_looked
from core.reports.patient import make_report
from tests.core.reports.recorded import STORIES, recorded
from tests.core.reports.test_looked import data as looks
from tools.verapdf import NoVerapdfError, validate


def test_reports_of_every_kind_and_language_are_valid(tmp_path: Path) -> None:
    stories = {"en": "ended early after alarms", "es": "nothing was wanted", "zh": "a hub that was not trusted"}
    files: list[Path] = []
    for language, story in stories.items():
        (tmp_path / language).mkdir()
        data = recorded(tmp_path / language, STORIES[story])
        files.append(make_report(data, tmp_path / f"{language}.pdf", language=language).path)
    files += [
        print_looked(looks(20), tmp_path / f"{language}-looks.pdf", language=language).path for language in stories
    ]
    plain, source = tmp_path / "plain.pdf", tmp_path / "plain.typ"
    source.write_text("Neither tagged nor archived.", encoding="utf-8")
    typst.compile(source, output=plain, format="pdf", pdf_tags=False)
    try:
        verdicts = validate(*files, plain)
    except NoVerapdfError as error:
        pytest.skip(str(error))
    reports = [one for one in verdicts if one.file != str(plain)]
    assert [(one.file, one.standard, one.failures) for one in reports if not one.valid] == []
    assert len(reports) == 2 * len(files)
    assert min(one.assertions for one in reports) > 5_000
    assert [one.valid for one in verdicts if one.file == str(plain)] == [False, False], "it can tell"
