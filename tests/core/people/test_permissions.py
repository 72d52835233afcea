"""The table of who may do what: what a fault in it says, and what each role may want of a procedure."""

import re

import pytest

from core.model.clinical import BY_HAND, Note, Observation, PlanMade
from core.model.datafile import DataError, read_resource
from core.model.intents import BackToStep, Intent, NextStep
from core.model.people import Operator, Role
from core.model.procedure import STEPS, Step
from core.model.words import load_words
from core.people.permissions import NAME, load_permissions, parse_permissions

TEXT = read_resource(NAME)
ACTS = frozenset(re.findall(r'\[\[act\]\]\nname = "(\w+)"', TEXT))
ALWAYS = {"SetComfort", "StartBaseline", "Pause", "CheckIn"}
"""What an assistant may at any step, written down here once more and by hand."""


def person(role: Role, *, active: bool = True) -> Operator:
    return Operator(id=role, name=role, role=role, active=active)


def intent(kind: type[Intent]) -> Intent:
    return kind(**{"step": Step.SEAT} if kind is BackToStep else dict.fromkeys(kind.__struct_fields__, ""))


@pytest.mark.parametrize("kind", Intent.__args__)
@pytest.mark.parametrize("step", STEPS)
def test_assistants_prepare_dentists_do_all_and_nobody_else_does_anything(kind: type[Intent], step: Step) -> None:
    table, wanted = load_permissions(), intent(kind)
    prepares = {NextStep: step in STEPS[:3], BackToStep: step in STEPS[:4]}.get(kind, False)
    assert table.may_want(person(Role.DENTIST), wanted, step)
    assert table.may_want(person(Role.ASSISTANT), wanted, step) is (kind.__name__ in ALWAYS or prepares)
    for role in (Role.ENGINEER, Role.AUDITOR, Role.COMPANION):
        assert not table.may_want(person(role), wanted, step)
    assert not table.may_want(person(Role.DENTIST, active=False), wanted, step)


def test_nobody_goes_back_beyond_what_they_may_go_forward() -> None:
    assert not load_permissions().may_want(person(Role.ASSISTANT), BackToStep(step=Step.CONSENT), Step.PLAN)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('name = "Scan"', 'name = "Skan"', "there is no act Skan"),
        (
            'name = "AddPatient"\nroles = ["dentist", ',
            'name = "AddPatient"\nroles = ["nurse", ',
            "there is no role nurse",
        ),
        ('name = "Logout"', 'name = "Login"', "Login stands twice"),
        ('name = "Pause"', 'name = "Paws"', "there is no intent Paws"),
        ('name = "course"', 'name = "curse"', "there is no sight curse"),
        ('why = "It begins a visit."', 'why = " "', "SeatPatient does not say why"),
        (
            'name = "SetPractice"\nroles = ["dentist"]',
            'name = "SetPractice"\nroles = []',
            "nobody at all may SetPractice",
        ),
        (
            'name = "SeatPatient"\n',
            'name = "SeatPatient"\nemergency = true\n',
            "an emergency is for reading, and SeatPatient does more",
        ),
        ('name = "ExportFhir"\n', 'name = "ExportFhir"\nprepares = ["assistant"]\n', "ExportFhir is no intent"),
        ('name = "StepDone"', 'name = "StepDown"', "there is no entry StepDown"),
        ('name = "Alive"\n', 'name = "Alive"\nwhom = 1\n', "unknown field `whom`"),
    ],
)
def test_a_fault_is_told_with_its_line(old: str, new: str, said: str) -> None:
    assert TEXT.count(old) == 1
    broken = TEXT.replace(old, new)
    with pytest.raises(DataError) as caught:
        parse_permissions(broken, ACTS)
    found = re.match(rf"{NAME}:(\d+): ", str(caught.value))
    assert found is not None, str(caught.value)
    assert said in str(caught.value)
    line = int(found.group(1))
    entry = "\n".join(broken.splitlines()[line - 1 :]).split("\n\n")[0]
    assert entry.startswith("[["), "the line is where the entry begins"
    assert new.splitlines()[0] in entry


def test_dentists_write_all_by_hand_and_assistants_what_is_no_judgement() -> None:
    table = load_permissions()
    for role in Role:
        written = {kind for kind in BY_HAND if table.may_write(person(role), kind)}
        assert written == {Role.DENTIST: set(BY_HAND), Role.ASSISTANT: {Note, Observation}}.get(role, set())
    assert not table.may_write(person(Role.DENTIST), PlanMade), "plans are made where they are made"
    assert not table.may_write(None, Note)


def test_an_act_that_the_table_forgot_is_named_with_the_file() -> None:
    with pytest.raises(DataError, match=rf"{NAME}:\d+: nothing says who may Dance"):
        parse_permissions(TEXT, ACTS | {"Dance"})


def test_every_refusal_can_say_who_may() -> None:
    table, words = load_permissions(ACTS), load_words()
    for act in table.acts:
        roles = table.roles(act)
        assert not roles or f"who.{'_'.join(roles)}" in words, act


def test_stop_asks_for_nobody() -> None:
    assert load_permissions(ACTS).may(None, "Stop")
