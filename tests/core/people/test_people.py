"""PINs, comfort, codes, odontograms and the people of the simulated clinic."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.model.datafile import DataError, read_resource
from core.model.people import Role, ToothState
from core.people.codes import ALPHABET, check_character, patient_code, valid_code, visit_code
from core.people.comfort import score_mdas
from core.people.demo import load_demo, parse_demo
from core.people.pin import WeakPin, check_pin, hash_pin
from core.people.teeth import after_visit, healthy_teeth


@pytest.mark.usefixtures("real_costs")
def test_a_pin_is_kept_as_a_salted_hash_only() -> None:
    kept = hash_pin("4071")
    assert "4071" not in kept
    assert kept.startswith("$argon2id$v=19$m=65536,t=3,p=4$")
    assert check_pin(kept, "4071")
    assert not check_pin(kept, "4072")
    assert not check_pin("damaged", "4071")
    assert hash_pin("4071") != kept


@pytest.mark.parametrize("pin", ["", "407", "4071a", "٤٠٧١", "1111", "1234", "9876", "7890", "4747", "1987", "2045"])
def test_a_pin_that_anybody_would_guess_is_refused(pin: str) -> None:
    with pytest.raises(WeakPin, match="Choose another"):
        hash_pin(pin)


def answers(*values: int) -> dict[str, int]:
    return {f"mdas{number}": value for number, value in enumerate(values, 1)}


def test_mdas_is_high_from_nineteen() -> None:
    assert score_mdas(answers(4, 4, 4, 4, 3)).high is True
    assert score_mdas(answers(4, 4, 4, 3, 3)).high is False
    assert score_mdas(answers(1, 1, 1, 1, 1)).total == 5


def test_an_incomplete_mdas_has_no_total() -> None:
    part = score_mdas(answers(5, 5, 5, 5, 0))
    assert (part.total, part.high, part.answered, part.declined) == (None, None, 4, False)
    assert score_mdas({}).declined
    assert score_mdas(answers(0, 0, 0, 0, 0)).declined


@pytest.mark.parametrize("wrong", [{"mdas1": 6}, {"mdas1": -1}, {"mdas6": 1}])
def test_what_is_no_mdas_answer_is_refused(wrong: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="not an MDAS answer"):
        score_mdas(wrong)


def test_codes_are_valid_random_and_without_letters_that_are_mistaken() -> None:
    codes = [patient_code() for _ in range(50)] + [visit_code() for _ in range(50)]
    assert len(set(codes)) == 100
    assert all(valid_code(code) for code in codes)
    assert not set("01OILUV") & set(ALPHABET)
    assert valid_code(codes[0].lower().replace("-", "").replace("p", "p-", 1))


@given(st.text(ALPHABET, min_size=6, max_size=6), st.integers(0, 6), st.sampled_from(ALPHABET), st.booleans())
def test_one_wrong_character_or_two_swapped_are_noticed(body: str, at: int, other: str, swap: bool) -> None:
    code = body + check_character(body)
    letters = list(code)
    if swap and at < 6:
        letters[at], letters[at + 1] = letters[at + 1], letters[at]
    else:
        letters[at] = other
    typed = "".join(letters)
    assert valid_code(f"P-{typed}") == (typed == code)


@pytest.mark.parametrize("code", ["", "P", "P-", "X-C6EP34P", "P-C6EP34", "V-C6EP34P", "P-C6EP-34O"])
def test_what_is_no_code_is_not_valid(code: str) -> None:
    assert not valid_code(code)


def test_what_was_done_is_filled_at_the_next_visit() -> None:
    before = (ToothState(fdi=36, finding="MO", done="MO", filled="D"), ToothState(fdi=37, finding="O", planned="O"))
    assert after_visit(before) == (ToothState(fdi=36, filled="MDO"), before[1])
    assert len(healthy_teeth()) == 32


def test_the_simulated_clinic_has_a_marked_dentist_and_three_marked_patients() -> None:
    demo = load_demo()
    assert demo.operator.demo
    assert demo.operator.role is Role.DENTIST
    assert demo.operator.name == "Demo dentist"
    assert len(demo.patients) >= 3
    for person in demo.patients:
        assert person.patient.simulated
        assert len(person.teeth) == 32
        assert any(tooth.planned for tooth in person.teeth)
        assert any(tooth.finding for tooth in person.teeth)


@pytest.mark.parametrize(
    ("old", "new", "nth", "says"),
    [
        ("P-C6EP-34P", "P-C6EP-34Q", 0, "check character"),
        ("P-XK5D-M39", "P-C6EP-34P", 1, "repeats"),
        ("fdi = 18\nmissing = true", 'fdi = 18\nmissing = true\nfilled = "O"', 0, "missing"),
        ('finding = "MO"', 'finding = "MX"', 0, "surface"),
        ("fdi = 26", "fdi = 29", 0, "tooth 29"),
        ("birth_date", "birthday", 0, "birth"),
    ],
)
def test_a_fault_in_the_demo_names_file_and_line(old: str, new: str, nth: int, says: str) -> None:
    text = read_resource("demo.toml").replace(old, new, 1)
    starts = [number for number, row in enumerate(text.splitlines(), 1) if row == "[[patient]]"]
    with pytest.raises(DataError, match=says) as caught:
        parse_demo(text)
    assert f"demo.toml:{starts[nth]}:" in str(caught.value)
