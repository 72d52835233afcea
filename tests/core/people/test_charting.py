"""Charts from findings and findings from charts."""

import msgspec

from core.model.clinical import Condition, Finding, Material, Source
from core.model.people import ToothState
from core.people.charting import chart, charted, with_findings
from core.people.teeth import healthy_teeth

CARIES = Finding(patient_id="p", fdi=36, condition=Condition.CARIES, surfaces="MO", icdas=3, at_us=1)
FILLING = Finding(
    patient_id="p", fdi=36, condition=Condition.RESTORATION, surfaces="O", material=Material.COMPOSITE, at_us=2
)


def test_a_filling_takes_the_caries_of_its_surfaces_away() -> None:
    (tooth,) = chart([FILLING, CARIES]).values()
    assert tooth == ToothState(fdi=36, filled="O", finding="M", icdas=3)
    whole = msgspec.structs.replace(FILLING, surfaces="MO")
    assert chart([CARIES, whole])[36] == ToothState(fdi=36, filled="MO")


def test_what_was_withdrawn_does_not_count() -> None:
    assert chart([msgspec.structs.replace(CARIES, withdrawn=True)]) == {}


def test_a_missing_tooth_has_nothing_else_and_a_sound_one_keeps_its_filling() -> None:
    gone = Finding(patient_id="p", fdi=36, condition=Condition.MISSING, at_us=3)
    assert chart([CARIES, FILLING, gone])[36] == ToothState(fdi=36, missing=True)
    sound = msgspec.structs.replace(gone, condition=Condition.SOUND)
    assert chart([CARIES, FILLING, sound])[36] == ToothState(fdi=36, filled="O")


def test_code_0_says_that_there_is_no_caries_on_the_surface() -> None:
    clear = msgspec.structs.replace(CARIES, surfaces="O", icdas=0, at_us=2)
    assert chart([CARIES, clear])[36].finding == "M"


def test_a_chart_comes_back_from_the_findings_that_it_gives() -> None:
    states = (
        ToothState(fdi=16, filled="MO"),
        ToothState(fdi=18, missing=True),
        ToothState(fdi=36, finding="MO", icdas=3, filled="D"),
        ToothState(fdi=46, finding="B"),
    )
    found = list(charted((), states, first=True))
    assert {one.source for one in found} == {Source.CARRIED}
    assert tuple(chart(found).values()) == states
    assert list(charted(states, states, first=False)) == []


def test_the_next_visit_begins_with_what_was_found_by_hand_since() -> None:
    before = tuple(
        msgspec.structs.replace(tooth, filled="O") if tooth.fdi == 16 else tooth for tooth in healthy_teeth()
    )
    early = msgspec.structs.replace(CARIES, fdi=26, at_us=5)
    teeth = {tooth.fdi: tooth for tooth in with_findings(before, [CARIES, early], since_us=3)}
    assert teeth[26].finding == "MO"
    assert teeth[36].finding == "", "older than the visit, whose own chart counts"
    assert teeth[16].filled == "O"
    fresh = {tooth.fdi: tooth for tooth in with_findings(before, [CARIES], since_us=0)}
    assert (fresh[36].finding, fresh[16].filled) == ("MO", "O")
