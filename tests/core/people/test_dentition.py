"""Which teeth a chart has, by age and by what was noted on them."""

from datetime import date

import pytest

from core.model.clinical import Condition, Finding
from core.model.dentition import Dentition, dentition
from core.model.people import ToothState
from core.people.charting import with_findings
from core.people.teeth import healthy_teeth

TODAY = date(2027, 1, 15)


@pytest.mark.parametrize(
    ("born", "expected"),
    [
        ("2027-01-01", Dentition.PRIMARY),
        ("2021-01-16", Dentition.PRIMARY),
        ("2021-01-15", Dentition.MIXED),
        ("2014-01-16", Dentition.MIXED),
        ("2014-01-15", Dentition.PERMANENT),
        ("1950-05-05", Dentition.PERMANENT),
        ("", Dentition.PERMANENT),
        ("15.1.2021", Dentition.PERMANENT),
    ],
)
def test_the_age_says_which_teeth_are_expected(born: str, expected: Dentition) -> None:
    assert dentition(born, TODAY) is expected
    assert dentition(born, TODAY, healthy_teeth(expected)) is expected, "nothing noted asks for nothing"


@pytest.mark.parametrize(
    ("born", "tooth", "expected"),
    [
        ("1990-01-01", ToothState(fdi=75, finding="O"), Dentition.MIXED),
        ("1990-01-01", ToothState(fdi=75, missing=True), Dentition.PERMANENT),
        ("1990-01-01", ToothState(fdi=36, finding="O"), Dentition.PERMANENT),
        ("2023-01-01", ToothState(fdi=36, filled="O"), Dentition.MIXED),
        ("2023-01-01", ToothState(fdi=75, filled="O"), Dentition.PRIMARY),
        ("", ToothState(fdi=51, planned="O"), Dentition.MIXED),
    ],
)
def test_what_is_noted_brings_its_own_teeth(born: str, tooth: ToothState, expected: Dentition) -> None:
    assert dentition(born, TODAY, [tooth]) is expected


def test_a_child_begins_with_twenty_teeth_and_a_finding_on_another_comes_in() -> None:
    teeth = healthy_teeth(Dentition.PRIMARY)
    assert [tooth.fdi for tooth in teeth] == [*range(51, 56), *range(61, 66), *range(71, 76), *range(81, 86)]
    molar = Finding(patient_id="p", id="f", fdi=36, condition=Condition.CARIES, surfaces="O", at_us=5)
    milk = Finding(patient_id="p", id="g", fdi=75, condition=Condition.RESTORATION, surfaces="OD", at_us=6)
    noted = {tooth.fdi: tooth for tooth in with_findings(teeth, (molar, milk), since_us=0)}
    assert len(noted) == 21
    assert (noted[36].finding, noted[75].filled) == ("O", "DO")
    assert len(with_findings(healthy_teeth(), (milk,), since_us=1)) == 33, "nothing that was found is left out"
