"""The figures of the model: complete, in the right units, with their sources; a fault names its line."""

import re
from pathlib import Path

import numpy as np
import pytest

from core.model.datafile import DataError, read_resource
from core.signals.catalogue import load_catalogue
from devices.simulator.body import Body
from devices.simulator.physiology.figures import Figure, load_physiology, parse_physiology
from devices.simulator.physiology.teeth import NoSuchTooth, Teeth, kind_of
from devices.simulator.physiology.traits import Traits

PACKAGE = Path(__file__).parents[4] / "devices" / "simulator"
TEXT = read_resource("physiology.toml")
FIGURES = load_physiology()


def test_every_line_of_the_file_is_a_figure_that_the_model_asks_for() -> None:
    written = re.findall(r"^(\w+) = \{", TEXT, flags=re.MULTILINE)
    assert written == [name.partition(".")[2] for name, _ in FIGURES.figures()]
    assert len(written) > 100


def test_every_figure_is_used_and_every_spread_tells_people_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    files = [file for file in PACKAGE.rglob("*.py") if file.name != "figures.py"]
    source = "".join(file.read_text(encoding="utf-8") for file in files)
    keys = {name: name.partition(".")[2] for name, _ in FIGURES.figures()}
    assert [name for name, key in keys.items() if not re.search(rf"\.{key}\b", source)] == []
    drawn: list[Figure] = []

    def of(figure: Figure, person: np.random.Generator) -> float:
        drawn.append(figure)
        return figure.value

    monkeypatch.setattr(Figure, "of", of)
    Body(load_catalogue(), seed=1, boot=1)
    names = {name for name, figure in FIGURES.figures() if figure.spread and figure not in drawn}
    assert names == {"heart.rest"}, "which a belt draws alike, see devices/simulator/pulse.py"


@pytest.mark.parametrize(
    "name",
    [
        "plaque.acid_rate",
        "saliva.carbon_dioxide",
        "gums.sulphur_rest",
        "gums.il1b_rest",
        "warmth.tissue",
        "warmth.pulp_dose",
    ],
)
def test_what_nobody_looked_up_stays_marked(name: str) -> None:
    assert "(check)" in dict(FIGURES.figures())[name].source


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        (
            'value = 0.33, spread = 0.05, unit = "mL/min"',
            'value = 0.33, unit = "L/min"',
            r"saliva\.rest_flow is in 'L/min'",
        ),
        ("rest_flow = { value = 0.33,", "rest_flow = { value = -0.33,", r"saliva\.rest_flow is below 0"),
        (
            "rest_flow = { value = 0.33, spread = 0.05,",
            "rest_flow = { value = 0.33, spread = 0.5,",
            "below 0, or its spread",
        ),
        ("rest_flow = { value = 0.33,", "rest_flow = { value = nan,", "no finite number"),
        ("rest_flow = { value = 0.33,", 'rest_flow = { value = "much",', "Expected `float`"),
        ("rest_flow = {", "rest_flaw = {", "rest_flaw"),
        ('source = "Resting 0.25-0.4: dentalcare.com CE595; Malmö" }', 'source = "" }', "gives no source"),
        ('kind = "canine"', 'kind = "incisor"', "the site lower incisor stands twice"),
        ("access = 0.85", "access = 1.85", "the site lower canine has a share that cannot be"),
        ("access = 0.85", 'access = "good"', "Expected `float`"),
        ('jaw = "upper"\nkind = "molar"', 'jaw = "side"\nkind = "molar"', "Invalid enum value"),
    ],
)
def test_a_fault_names_file_and_line(old: str, new: str, says: str) -> None:
    assert old in TEXT
    broken = TEXT.replace(old, new, 1)
    with pytest.raises(DataError, match=says) as caught:
        parse_physiology(broken)
    line = re.match(r"physiology\.toml:(\d+): ", str(caught.value))
    assert line is not None
    changed = TEXT[: TEXT.index(old)].count("\n") + 1
    assert changed - 3 <= int(line.group(1)) <= changed, "the entry, or the head of its [[site]]"


def test_a_site_that_is_missing_is_said() -> None:
    with pytest.raises(DataError, match="no site upper molar"):
        parse_physiology(TEXT[: TEXT.rindex("[[site]]")])


def test_a_tooth_has_its_place_and_others_are_refused() -> None:
    assert [kind_of(fdi) for fdi in (26, 41, 54, 83)] == [
        ("upper", "molar"),
        ("lower", "incisor"),
        ("upper", "molar"),
        ("lower", "canine"),
    ]
    for wrong in (0, 19, 56, 91):
        with pytest.raises(NoSuchTooth, match=str(wrong)):
            kind_of(wrong)
    for teeth in ((), (11, 11)):
        with pytest.raises(NoSuchTooth):
            Teeth(teeth, FIGURES)


def test_people_differ_as_people_do() -> None:
    people = [Traits.of(seed, FIGURES) for seed in range(2000)]
    assert people[7] == Traits.of(7, FIGURES)
    anxious = [one for one in people if one.anxiety >= 19]
    assert 0.09 < len(anxious) / len(people) < 0.145, "11.6 % of adults"
    assert {5, 25} <= {one.anxiety for one in people} <= set(range(5, 26))
    assert {28, 32} <= {len(one.teeth) for one in people} <= set(range(28, 33))
    related = np.corrcoef([one.anxiety for one in people], [one.reactivity for one in people])[0, 1]
    assert abs(related) < 0.06, "heart rate alone does not measure anxiety"
