"""A patient out of a FHIR file: taken whole, or refused with the place and what to do; nothing is guessed."""

import copy
import json
from pathlib import Path
from typing import Any

import pytest
from fhir.resources.R4B.patient import Patient
from hypothesis import example, given
from hypothesis import strategies as st

from core.exchange.fhir.patient_in import (
    LONGEST,
    MAX_BYTES,
    FileRefused,
    FoundPatient,
    read_patient,
    read_patient_file,
)
from core.model.words import load_words

GOOD: dict[str, Any] = {
    "resourceType": "Patient",
    "id": "x",
    "active": True,
    "identifier": [{"system": "urn:oid:1.2.3", "value": "1"}],
    "name": [
        {"use": "maiden", "family": "Berg", "given": ["Ilse"]},
        {"use": "official", "family": "Ferrand", "given": ["Ilse", " Maria "], "prefix": ["Dr"]},
    ],
    "telecom": [
        {"system": "email", "value": "i@example.org"},
        {"system": "phone", "value": "0123 1", "use": "home"},
        {"system": "phone", "value": "0123 2", "use": "mobile"},
    ],
    "gender": "female",
    "birthDate": "1987-05-19",
    "extension": [{"url": "http://example.org/nickname", "valueString": "Ils"}],
}


def read(value: object) -> FoundPatient:
    return read_patient(json.dumps(value).encode())


def changed(**changes: object) -> dict[str, Any]:
    made = copy.deepcopy(GOOD)
    for key, value in changes.items():
        if value is None:
            made.pop(key)
        else:
            made[key] = value
    return made


def refused(value: object) -> FileRefused:
    with pytest.raises(FileRefused) as caught:
        read(value)
    return caught.value


def test_a_patient_is_taken_with_the_present_name_and_the_mobile_phone() -> None:
    Patient.model_validate(GOOD)
    assert read(GOOD) == FoundPatient(
        given_name="Ilse Maria",
        family_name="Ferrand",
        birth_date="1987-05-19",
        phone="0123 2",
        left_out=(
            "Patient.gender",
            "Patient.extension[0] (http://example.org/nickname)",
            "Patient.name[1].prefix",
            "Patient.name[0]",
        ),
    )


def test_a_bundle_with_one_patient_is_as_good_and_allergies_are_told_not_taken() -> None:
    allergy = {"resourceType": "AllergyIntolerance", "code": {"text": "latex"}}
    bundle = {
        "resourceType": "Bundle",
        "type": "collection",
        "entry": [{"resource": allergy}, {"resource": {"resourceType": "Observation"}}, {"resource": GOOD}],
    }
    found = read(bundle)
    assert found.family_name == "Ferrand"
    assert found.allergies == ("Bundle.entry[0].resource",)
    assert found.left_out[0] == "Bundle.entry[1].resource (Observation)"
    assert "Bundle.entry[2].resource.gender" in found.left_out
    assert not hasattr(found, "allergy"), "what somebody else coded is read by a person"


@pytest.mark.parametrize(
    ("value", "why", "path"),
    [
        (changed(birthDate="1987"), "partial_date", "Patient.birthDate"),
        (changed(birthDate="1987-05"), "partial_date", "Patient.birthDate"),
        (changed(birthDate="1987-02-30"), "bad_date", "Patient.birthDate"),
        (changed(birthDate="19870519"), "bad_date", "Patient.birthDate"),
        (changed(birthDate="1987-W21-2"), "bad_date", "Patient.birthDate"),
        (changed(birthDate=19870519), "wrong_type", "Patient.birthDate"),
        (changed(birthDate=None), "no_date", "Patient.birthDate"),
        (changed(name=None), "no_name", "Patient.name"),
        (changed(name=[{"use": "old", "family": "Berg"}]), "no_present_name", "Patient.name"),
        (changed(name=[{"family": "Berg", "period": {"end": "2001"}}]), "no_present_name", "Patient.name"),
        (changed(name=[{"text": "Ilse Ferrand"}]), "name_parts", "Patient.name[0]"),
        (changed(name=[{"family": "Ferrand"}]), "given", "Patient.name[0]"),
        (changed(name={"family": "Ferrand"}), "wrong_type", "Patient.name"),
        (changed(name=["Ferrand"]), "wrong_type", "Patient.name[0]"),
        (changed(name=[{"family": "F", "given": "Ilse"}]), "wrong_type", "Patient.name[0].given"),
        (changed(name=[{"family": "F", "given": [7]}]), "wrong_type", "Patient.name[0].given[0]"),
        (changed(name=[{"family": "x" * (LONGEST + 1), "given": ["I"]}]), "too_long", "Patient.name[0].family"),
        (changed(name=[{"family": "F\x00", "given": ["I"]}]), "unprintable", "Patient.name[0].family"),
        (changed(name=[{"family": "F\ud800", "given": ["I"]}]), "unprintable", "Patient.name[0].family"),
        (changed(telecom=[{"system": "phone", "value": {}}]), "wrong_type", "Patient.telecom[0].value"),
        (changed(active=False), "inactive", "Patient.active"),
        (changed(deceasedBoolean=True), "deceased", "Patient.deceasedBoolean"),
        (changed(deceasedDateTime="2020-01-01"), "deceased", "Patient.deceasedDateTime"),
        (changed(modifierExtension=[{"url": "http://x"}]), "modified", "Patient.modifierExtension"),
        (changed(implicitRules="http://x"), "modified", "Patient.implicitRules"),
        ({"resourceType": "Bundle", "entry": []}, "one_patient", "Bundle.entry"),
        ({"resourceType": "Bundle", "entry": [{"resource": GOOD}] * 2}, "one_patient", "Bundle.entry"),
        ({"resourceType": "Bundle", "entry": {}}, "wrong_type", "Bundle.entry"),
        (
            {"resourceType": "Bundle", "entry": [{}, {"resource": changed(birthDate="1987")}]},
            "partial_date",
            "Bundle.entry[1].resource.birthDate",
        ),
        ({"resourceType": "Observation"}, "not_patient", ""),
        ({}, "not_patient", ""),
        ([], "not_fhir", ""),
    ],
)
def test_what_cannot_be_taken_says_where_and_what_to_do(value: object, why: str, path: str) -> None:
    error = refused(value)
    assert (error.why, error.path) == (why, path)
    assert path in str(error)
    assert error.remedy.endswith(".")
    assert "[exchange" not in str(error)


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "not_json"),
        (b"<Patient/>", "not_json"),
        (b"\xff\xfe", "not_utf8"),
        (b'{"resourceType":"Patient","resourceType":"Bundle"}', "twice"),
        (b'{"a": NaN}', "constant"),
        (b'{"a": ' + b"9" * 5_000 + b"}", "not_json"),
        (b"[" * 100_000, "not_json"),
        (b" " * (MAX_BYTES + 1), "too_large"),
    ],
)
def test_what_is_no_json_is_said_so(data: bytes, why: str) -> None:
    with pytest.raises(FileRefused) as caught:
        read_patient(data)
    assert caught.value.why == why
    assert "[exchange" not in str(caught.value)


def test_a_byte_order_mark_does_no_harm() -> None:
    assert read_patient(b"\xef\xbb\xbf" + json.dumps(GOOD).encode()) == read(GOOD)


def test_a_file_is_read_no_further_than_a_patient_is_long(tmp_path: Path) -> None:
    file = tmp_path / "p.json"
    file.write_bytes(json.dumps(GOOD).encode())
    assert read_patient_file(file) == read(GOOD)
    with file.open("wb") as large:
        large.truncate(1 << 40)  # a terabyte of nothing
    with pytest.raises(FileRefused, match="larger than"):
        read_patient_file(file)
    with pytest.raises(FileRefused, match="cannot be read"):
        read_patient_file(tmp_path / "none.json")


def test_a_name_in_other_letters_is_a_name() -> None:
    found = read(changed(name=[{"family": "Ólafsdóttir", "given": ["小明", "Nuñez-O’Brien"]}]))
    assert (found.given_name, found.family_name) == ("小明 Nuñez-O’Brien", "Ólafsdóttir")


# whatever comes

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=12,
)
KEYS = st.sampled_from(
    ["name", "birthDate", "telecom", "active", "deceasedBoolean", "extension", "modifierExtension", "entry", "x"]
)


def sound(data: bytes) -> None:
    """Either a patient that can be entered, or a refusal that people can read."""
    try:
        found = read_patient(data)
    except FileRefused as error:
        words = load_words()
        for text in (error.text, error.next_step):
            said = words.tell(text)
            assert not said.startswith("[exchange")
            assert "{" not in said
    else:
        assert found.given_name.strip()
        assert len(found.birth_date) == 10
        for part in (found.given_name, found.family_name, found.phone):
            assert len(part) <= LONGEST
            assert part.isprintable()


@given(st.binary(max_size=200))
def test_any_bytes(data: bytes) -> None:
    sound(data)


@given(JSON)
@example({"resourceType": "Patient", "name": [{"given": [None], "family": None}], "birthDate": "2000-01-01"})
@example({"resourceType": "{path}", "@exchange": "@exchange.chair"})
def test_any_json(value: object) -> None:
    sound(json.dumps(value).encode())


@given(KEYS, JSON, st.booleans())
def test_a_patient_with_one_element_replaced(key: str, value: object, in_name: bool) -> None:
    patient = copy.deepcopy(GOOD)
    (patient["name"][1] if in_name else patient)[key] = value
    sound(json.dumps(patient).encode())


@given(st.data())
def test_a_patient_with_a_byte_changed(data: st.DataObject) -> None:
    raw = bytearray(json.dumps(GOOD).encode())
    raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    sound(bytes(raw))
