"""Codes: none is mistyped, none is invented, and every unit is one."""

import csv
import uuid
from pathlib import Path

import pytest

from core.exchange.fhir.check_digits import loinc_sound, snomed_sound
from core.exchange.fhir.codes import (
    ROOT,
    Number,
    Own,
    _file,
    global_id,
    signal_codes,
    surface_concept,
    teeth,
    tooth_concept,
    urn,
)
from core.signals.catalogue import load_catalogue
from tests.core.exchange.fhir.ucum import valid

TABLE = Path(__file__).resolve().parents[4] / "resources" / "codes" / "fdi.csv"
PERMANENT = {10 * quadrant + place for quadrant in (1, 2, 3, 4) for place in range(1, 9)}
PRIMARY = {10 * quadrant + place for quadrant in (5, 6, 7, 8) for place in range(1, 6)}


def test_every_tooth_has_a_snomed_code_with_a_fitting_check_digit() -> None:
    assert set(teeth()) == PERMANENT | PRIMARY
    codes = [tooth.snomed for tooth in teeth().values()]
    assert all(snomed_sound(code) for code in codes)
    assert len(set(codes)) == len(codes) == len({tooth.snodent for tooth in teeth().values()})


def test_the_table_is_not_read_as_something_else() -> None:
    with TABLE.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            concept = tooth_concept(int(row["fdi"]))
            assert [coding.code for coding in concept.coding][:2] == [row["snomed"], row["snodent"]]
            sides = {"1": "upper right", "2": "upper left", "3": "lower left", "4": "lower right"}
            quadrant = str((int(row["fdi"]) // 10 - 1) % 4 + 1)
            assert sides[quadrant] in row["display"]


def test_snomeds_check_digit_finds_every_wrong_digit_and_every_swap_of_neighbours() -> None:
    for tooth in teeth().values():
        code = tooth.snomed
        for place in range(len(code)):
            wrong = [f"{code[:place]}{digit}{code[place + 1 :]}" for digit in "0123456789" if digit != code[place]]
            assert not any(snomed_sound(one) for one in wrong)
        for place in range(len(code) - 1):
            swapped = f"{code[:place]}{code[place + 1]}{code[place]}{code[place + 2 :]}"
            assert swapped == code or not snomed_sound(swapped)
    assert not any(snomed_sound(code) for code in ("", "0", "22120004x", "-2212004", "٢٢١٢٠٠٠٤"))


def test_loincs_check_digit_finds_every_wrong_digit() -> None:
    known = ("8867-4", "59408-5", "2708-6", "8310-5", "8889-8", "28577-5", "59284-0", "8331-1")
    assert all(loinc_sound(code) for code in known)
    for code in known:
        for place in range(len(code)):
            if code[place] != "-":
                wrong = [f"{code[:place]}{digit}{code[place + 1 :]}" for digit in "0123456789" if digit != code[place]]
                assert not any(loinc_sound(one) for one in wrong)
    assert not any(loinc_sound(code) for code in ("", "8867", "8867-", "-4", "8867-44", "８８６７-4"))


def test_standard_codes_are_those_of_channels_that_exist() -> None:
    for row in _file().signal:
        spec = load_catalogue().key(row.channel)
        assert row.mdc[0] >> 16 == 2, "the partition of SCADA, where signals are"
        assert (row.vital is not None) <= spec.occasional, "FHIR's vital signs profiles take no series"
    assert {row.kind for row in _file().device} <= {spec.source for spec in load_catalogue()}
    assert {row.mdc[0] >> 16 for row in _file().device} == {8}, "the partition of infrastructure, where devices are"


def test_what_was_not_confirmed_has_no_standard_code() -> None:
    bare = ("saliva_ph", "plaque_ph", "lactate", "volatile_sulphur", "saliva_flow", "tissue_temperature", "swarm_dose")
    assert [signal_codes(channel) for channel in bare] == [None] * len(bare)


@pytest.mark.parametrize("unit", sorted({spec.unit for spec in load_catalogue()}))
def test_every_unit_is_ucum(unit: str) -> None:
    assert valid(unit)


def test_the_reader_of_units_knows_wrong_ones() -> None:
    wrong = ("°C", "pH", "ppb", "degC", "ml/Min", "bpm", "mmol/", "//min", "m s", "kmin", "(m", "µV", "")
    assert [unit for unit in wrong if valid(unit)] == []
    assert all(valid(unit) for unit in ("[CFU]/mL", "umol/L", "10*3/uL", "{score}", "kg.m/s2", "/min", "mm[Hg]", "m2"))


def test_our_own_arc_is_one_uuid_and_never_changes() -> None:
    number = int(ROOT.removeprefix("urn:oid:2.25."))
    assert uuid.UUID(int=number).version == 4
    assert ROOT == "urn:oid:2.25.166370302582991290302300636443007348748"
    assert [(own.name, own.value[0]) for own in Own][:6] == [
        ("CHANNEL", 1), ("DEVICE", 2), ("MODULE", 3), ("CHART", 4), ("ALARM", 5), ("AUDIT", 6),
    ]  # fmt: skip
    assert len({number.value for number in Number} | {own.value[0] for own in Own}) == len(Number) + len(Own)


def test_a_thing_has_the_same_urn_each_time() -> None:
    assert urn("Patient", "p1") == urn("Patient", "p1") != urn("Patient", "p2")
    assert uuid.UUID(urn("Patient", "p1").removeprefix("urn:uuid:")).version == 5
    assert global_id("p1") == ()
    assert global_id("0190A000-0000-7000-8000-000000000001")[0].value == "urn:uuid:0190a000-0000-7000-8000-000000000001"


def test_fdi_numbers_are_coded_where_fhir_knows_them_and_told_everywhere() -> None:
    assert [coding.code for coding in tooth_concept(36).coding][2:] == ["36"]
    assert len(tooth_concept(75).coding) == 2
    assert tooth_concept(75).text is not None
    assert "FDI 75" in str(tooth_concept(75).text)
    assert tooth_concept(99).coding == ()


def test_the_biting_surface_of_a_front_tooth_is_its_edge() -> None:
    assert surface_concept(36, "O").coding[0].code == "O"
    assert surface_concept(11, "O").coding[0].code == "I"
    assert surface_concept(13, "O").coding[0].code == "I"
    assert surface_concept(14, "O").coding[0].code == "O"
