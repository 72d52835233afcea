"""Whether a patient can read it: measured on what real reports say, of visits that went in different ways.

Thresholds. English: grade 6 by Flesch and Kincaid. Spanish: 70 by Fernández Huerta, where "fairly easy" begins (check).
Chinese has no formula that is agreed on; a public style guide (github.com/ruanyf/document-style-guide, docs/text.md)
wants sentences of up to 20 characters and accepts none of more than 40. Here 40 is the most of any sentence; 20 is the
most from comma to comma, and on average.
"""

import html.parser
import re
from pathlib import Path

import pytest
import textstat

from core.exchange.pack import readme
from core.people.lexicon import forbidden_in
from core.reports.html import html_report
from core.reports.languages import report_words
from core.reports.told import tell
from tests.core.reports.recorded import STORIES, recorded
from tests.core.reports.visits import full_visit

GRADE, LONGEST_WORDS = 6.0, 25
HUERTA = 70.0
CLAUSE, SENTENCE, MEAN = 20, 40, 20.0


@pytest.fixture(autouse=True)
def without_fonts(monkeypatch: pytest.MonkeyPatch) -> None:
    """They take most of the time and say nothing; `test_html_report.py` looks at them."""
    monkeypatch.setattr("core.reports.html.font_faces", lambda _: "")


class _Prose(html.parser.HTMLParser):
    """The sentences of the patient's part: what stands in paragraphs and lists, and what is heard of pictures."""

    def __init__(self) -> None:
        super().__init__()
        self.blocks: list[str] = []
        self._inside: list[str] = []

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        if tag in ("main", "h2", "p", "li", "td", "div", "script"):
            self._inside.append(tag)
        heard = dict(attributes).get("aria-label") if tag == "svg" else None
        if "main" in self._inside and heard:
            self.blocks.append(heard)
        if "main" in self._inside and tag in ("p", "li", "td"):
            self.blocks.append("")

    def handle_endtag(self, tag: str) -> None:
        if self._inside and self._inside[-1] == tag:
            self._inside.pop()

    def handle_data(self, text: str) -> None:
        if "main" in self._inside and self._inside[-1] in ("p", "li", "td") and self.blocks:
            self.blocks[-1] += f" {text}"


def prose(folder: Path, name: str, language: str) -> str:
    """What the patient's part of the HTML report says, block by block, without tables' cells that are no sentences."""
    data = full_visit() if name == "everything" else recorded(folder, STORIES[name])
    words = report_words(language)
    reader = _Prose()
    reader.feed(html_report(data, tell(data, words), words))
    blocks = (re.sub(r"\s+", " ", block.replace("\N{NO-BREAK SPACE}", " ")).strip() for block in reader.blocks)
    return "\n".join(block for block in blocks if re.search(r"[.?。？]", block))


def sentences(text: str) -> list[str]:
    return [one.strip() for one in re.split(r"(?<=[.?])\s+|(?<=[。？])|\n", text) if one.strip()]


CASES = [*STORIES, "everything"]


def words_alone(text: str) -> str:
    """Without sentences that hold a figure, which are short and would flatter the rest."""
    return "\n".join(one for one in sentences(text) if not re.search(r"\d", one))


@pytest.mark.parametrize("name", CASES)
def test_english_is_for_the_sixth_grade(tmp_path: Path, name: str) -> None:
    text = prose(tmp_path, name, "en")
    assert len(text) > 700
    textstat.set_lang("en_US")
    for said in (text, words_alone(text)):
        assert textstat.flesch_kincaid_grade(said) <= GRADE
    assert [one for one in sentences(text) if len(one.split()) > LONGEST_WORDS] == []
    assert forbidden_in(text) == ()


@pytest.mark.parametrize("name", CASES)
def test_spanish_is_fairly_easy(tmp_path: Path, name: str) -> None:
    text = prose(tmp_path, name, "es")
    assert len(text) > 700
    textstat.set_lang("es")
    for said in (text, words_alone(text)):
        assert textstat.fernandez_huerta(said) >= HUERTA
    assert [one for one in sentences(text) if len(one.split()) > LONGEST_WORDS] == []


@pytest.mark.parametrize("name", CASES)
def test_chinese_sentences_are_short(tmp_path: Path, name: str) -> None:
    text = prose(tmp_path, name, "zh")
    assert len(text) > 300
    found = sentences(text)
    lengths = [characters(one) for one in found]
    assert [one for one in found if characters(one) > SENTENCE] == []
    clauses = [part for one in found for part in re.split("[，、；：。？]", one)]
    assert [part for part in clauses if characters(part) > CLAUSE] == []
    assert sum(lengths) / len(lengths) <= MEAN


def pack_prose(language: str) -> str:
    """What a data pack says to the patient: page, text, contents, sheet; not what is for experts, nor lines to run."""
    words = report_words(language)
    for_patients = readme(words).split(words.template("pack.text.readme").split("\n\n\n")[1].splitlines()[0])[0]
    names = {key.rpartition(".")[2]: words.say(key) for key in words.keys() if key.startswith("pack.file.")}  # noqa: SIM118
    parts = [for_patients, words.say("pack.text.contents", visits="", missing="", **names)]
    keys = sorted(key for key in words.keys() if key.startswith(("pack.page.", "pack.sheet.", "pack.why")))  # noqa: SIM118
    parts += [words.say(key, pack="V-77AB", page=names["page"]) for key in keys]
    lines = (re.sub(r"^\d\. ", "", line.strip()) for part in parts for line in part.splitlines())
    return "\n".join(line for line in lines if re.search(r"[.?。？]$", line))


def test_a_data_pack_is_as_easy_to_read_as_a_report() -> None:
    english, spanish, chinese = (pack_prose(language) for language in ("en", "es", "zh"))
    assert min(map(len, (english, spanish))) > 1500
    assert len(chinese) > 500
    textstat.set_lang("en_US")
    assert textstat.flesch_kincaid_grade(english) <= GRADE
    textstat.set_lang("es")
    assert textstat.fernandez_huerta(spanish) >= HUERTA
    for text in (english, spanish):
        assert [one for one in sentences(text) if len(one.split()) > LONGEST_WORDS] == []
    found = sentences(chinese)
    assert [one for one in found if characters(one) > SENTENCE] == []
    assert [part for one in found for part in re.split("[，、；：。？]", one) if characters(part) > CLAUSE] == []
    assert sum(map(characters, found)) / len(found) <= MEAN


def characters(text: str) -> int:
    """Chinese characters, and each figure or foreign word as one more."""
    return len(re.findall(r"[\u4e00-\u9fff]|[A-Za-z]+|[\d.:]+", text))


def test_what_is_hard_to_read_is_found() -> None:
    hard = (
        "Notwithstanding considerable physiological variability, cariostatic remineralisation necessitates monitoring."
    )
    textstat.set_lang("en_US")
    assert textstat.flesch_kincaid_grade(hard) > GRADE
    textstat.set_lang("es")
    assert (
        textstat.fernandez_huerta("La remineralización cariostática necesita una monitorización pormenorizada.")
        < HUERTA
    )
