"""A child's teeth: what was found on milk teeth stands in the report, and what nobody wrote is not made up."""

import io
import re
from pathlib import Path

import pytest
from pypdf import PdfReader

from core.model.clinical import Condition, Finding
from core.model.people import ToothState
from core.people.teeth import healthy_teeth
from core.record import Record, RecordReader
from core.reports.collect import collect
from core.reports.data import ReportData
from core.reports.languages import LANGUAGES, report_words
from core.reports.odontogram import teeth
from core.reports.patient import make_report
from core.reports.told import tell
from tests.core.exchange.fhir.test_written import corrected, entry, written
from tests.core.exchange.fhir.visits import BEGAN, DENTIST, KEY, VISIT, S


@pytest.fixture(scope="module")
def child(tmp_path_factory: pytest.TempPathFactory) -> ReportData:
    """55 was hollow before the visit, 75 was found filled in it, 51 was missing by mistake, 85 came to harm later."""

    def write_in(record: Record) -> None:
        gone = entry(31, Finding, fdi=51, condition=Condition.MISSING)
        found = (
            entry(30, Finding, fdi=55, condition=Condition.CARIES, surfaces="O", icdas=4, at_us=BEGAN - S),
            gone,
            entry(32, Finding, fdi=75, condition=Condition.RESTORATION, surfaces="MO"),
            entry(33, Finding, fdi=85, condition=Condition.FRACTURE, surfaces="B", at_us=BEGAN + 999 * S),
        )
        for one in found:
            record.entries.add(one, author=DENTIST, at_us=BEGAN + 100 * S)
        corrected(record, gone, "It is there.", withdrawn=True)

    path = written(tmp_path_factory.mktemp("child") / "chair-1.sqlite", write_in)
    with RecordReader.open(path, KEY) as reader:
        return collect(reader, VISIT.id)


def milk(states: tuple[ToothState, ...]) -> dict[int, str]:
    return {tooth.fdi: tooth.finding or tooth.filled for tooth in states if tooth.fdi > 50}


def test_what_was_known_by_then_counts_and_what_was_withdrawn_does_not(child: ReportData) -> None:
    assert milk(child.teeth_before) == {55: "O"}
    assert milk(child.teeth) == {55: "O", 75: "MO"}


@pytest.mark.parametrize("language", LANGUAGES)
def test_it_stands_on_the_chart_in_the_table_and_in_words(child: ReportData, language: str) -> None:
    told = tell(child, report_words(language))
    shown = told["teeth"]
    assert isinstance(shown, dict)
    assert all(number in shown["alt"] for number in ("55", "75"))
    clinical = told["clinical"]
    assert isinstance(clinical, dict)
    assert {"55", "75"} <= {row[0] for row in clinical["teeth"]}


def test_only_milk_teeth_of_which_something_is_known_are_drawn() -> None:
    bare, some = teeth(healthy_teeth()), teeth([*healthy_teeth(), ToothState(fdi=63), ToothState(fdi=84, missing=True)])
    numbers = set(re.findall(r">(\d\d)</text>", some))
    assert numbers - set(re.findall(r">(\d\d)</text>", bare)) == {"63", "84"}
    assert some.count('class="missing"') == bare.count('class="missing"') + 4
    assert 'viewBox="0 268 1480 384"' in bare
    assert 'viewBox="0 268 1480 744"' in some


def test_the_first_page_holds_all_that_it_must(child: ReportData, tmp_path: Path) -> None:
    make_report(child, tmp_path / "child.pdf")
    first = PdfReader(io.BytesIO((tmp_path / "child.pdf").read_bytes())).pages[0].extract_text()
    said = re.sub(r"\s+", "", first)
    words = report_words("en")
    for key in ("report.watch.swelling.text", "report.label.change_mind", "report.unreviewed"):
        assert re.sub(r"\s+", "", words.say(key)) in said
