"""A visit as FHIR R4: valid, whole in itself, and saying what the record says."""

import base64
import hashlib
import json
import re
import sys
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from fhir.resources.R4B.bundle import Bundle

from core.exchange.fhir.bundle import Held, export_visit, export_visits
from core.exchange.fhir.codes import ROOT
from core.exchange.fhir.context import Detail, Sender
from core.exchange.incoming import digest_of, import_signals, read_signals
from core.model import cbor
from core.model.block import Provenance
from core.model.clock import ManualClock
from core.model.people import Patient
from core.model.procedure import PhaseState
from core.model.progress import Cancelled
from core.record import ExportFailed, NotFound, Record, RecordDamaged, RecordReader
from core.signals.catalogue import load_catalogue
from tests.core.exchange.fhir.bindings import KNOWN, REQUIRED, values
from tests.core.exchange.fhir.check import resolved
from tests.core.exchange.fhir.ucum import valid
from tests.core.exchange.fhir.visits import (
    BEGAN,
    HELPER,
    KEY,
    PATIENT,
    VISIT,
    S,
    block,
    everything,
    view,
    write,
)

Json = dict[str, Any]
CLOCK = ManualClock(utc_us=BEGAN + 200 * S)
SENDER = Sender("0.1.0", "Mill Street", "0123 999", {HELPER: "Robin Lund"})


def export(record: Path, out: Path, detail: Detail = Detail.FULL) -> Json:
    with RecordReader.open(record, KEY) as reader:
        written = export_visit(reader, VISIT.id, out, sender=SENDER, detail=detail, clock=CLOCK)
    made: Json = json.loads(out.read_text(encoding="utf-8"))
    assert written == len(made["entry"])
    return made


def check(bundle: Json) -> None:
    """What holds for every bundle, whatever is in it."""
    Bundle.model_validate(bundle)
    resolved(bundle)
    assert (bundle["type"], bundle["resourceType"]) == ("collection", "Bundle")
    for entry in bundle["entry"]:
        for path, value in values(entry["resource"]):
            assert value not in ("", None), path
            if path in REQUIRED:
                assert value in REQUIRED[path], f"{path} {value}"
    for coding in codings(bundle):
        if coding["system"].startswith(ROOT):
            continue
        if coding["system"] == "http://unitsofmeasure.org":
            assert valid(coding["code"])
        elif coding["system"] not in ("http://snomed.info/sct", "http://www.ada.org/snodent"):  # test_codes has those
            assert coding["code"] in KNOWN[coding["system"]], coding
    explained = {
        (system["url"], concept["code"]) for system in of(bundle, "CodeSystem") for concept in system["concept"]
    }
    ours = {(coding["system"], coding["code"]) for coding in codings(bundle) if coding["system"].startswith(ROOT)}
    assert ours == explained, "every code of our own is told by a CodeSystem, and no other"


def codings(value: object) -> Iterator[Json]:
    """Codings and quantities, wherever they stand."""
    if isinstance(value, dict):
        if isinstance(value.get("system"), str) and isinstance(value.get("code"), str):
            yield value
        for inner in value.values():
            yield from codings(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from codings(inner)


def of(bundle: Json, kind: str) -> list[Json]:
    return [entry["resource"] for entry in bundle["entry"] if entry["resource"]["resourceType"] == kind]


def series(bundle: Json, channel: str) -> list[Json]:
    """The observations of a channel that hold samples."""
    return [
        one
        for one in of(bundle, "Observation")
        if one["code"]["coding"][-1]["code"] == channel and ("valueSampledData" in one or "method" in one)
    ]


@pytest.fixture(scope="module")
def record(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(tmp_path_factory.mktemp("record") / "chair-1.sqlite", *everything())


@pytest.fixture(scope="module")
def bundle(record: Path, tmp_path_factory: pytest.TempPathFactory) -> Json:
    return export(record, tmp_path_factory.mktemp("out") / "V-7KQ2MC.fhir.json")


@pytest.mark.parametrize("detail", list(Detail))
def test_it_is_valid_r4_whole_in_itself_and_speaks_in_known_codes(record: Path, tmp_path: Path, detail: Detail) -> None:
    made = export(record, tmp_path / "out.json", detail)
    check(made)
    kinds = Counter(entry["resource"]["resourceType"] for entry in made["entry"])
    wanted = (
        "Patient AllergyIntolerance Organization Practitioner Encounter Device DeviceMetric Observation Procedure "
        "AdverseEvent Consent AuditEvent Provenance DiagnosticReport BodyStructure CodeSystem"
    )
    assert set(kinds) == set(wanted.split())


@pytest.mark.parametrize(
    ("change", "by"),
    [
        ('"status": "finished"', '"status": "over"'),
        ('"code": "Cel"', '"code": "degC"'),
        ('"code": "8310-5"', '"code": "8310-6"'),
        ('"code": "jaw_emg"', '"code": "jaw_emg2"'),
        ('"type": "collection"', '"type": "document"'),
    ],
)
def test_the_checks_find_what_is_wrong(bundle: Json, change: str, by: str) -> None:
    text = json.dumps(bundle)
    assert change in text
    with pytest.raises(AssertionError):
        check(json.loads(text.replace(change, by, 1)))


def test_a_reference_that_leads_nowhere_is_found(bundle: Json) -> None:
    with pytest.raises(AssertionError, match="nowhere"):
        resolved({**bundle, "entry": bundle["entry"][1:]})


def test_the_patient_is_told_and_nothing_is_made_up(bundle: Json, tmp_path: Path) -> None:
    (patient,) = of(bundle, "Patient")
    assert patient["name"] == [{"use": "official", "text": "Ilse Ferrand", "family": "Ferrand", "given": ["Ilse"]}]
    assert (patient["birthDate"], patient["telecom"]) == ("1987-05-19", [{"system": "phone", "value": "0123 456"}])
    assert "gender" not in patient
    (allergy,) = of(bundle, "AllergyIntolerance")
    assert allergy["code"] == {"text": "penicillin"}
    silent = Patient(id=PATIENT.id, version=1, code="P-1", given_name="Ilse", family_name="", birth_date="1987-05-19")
    plain = export(write(tmp_path / "r.sqlite", patient=silent), tmp_path / "out.json")
    check(plain)
    assert of(plain, "AllergyIntolerance") == [], "nothing written is not: none known"
    assert of(plain, "Patient")[0]["name"] == [{"use": "official", "text": "Ilse", "given": ["Ilse"]}]


def test_data_of_simulated_devices_is_marked_on_every_resource(record: Path, bundle: Json, tmp_path: Path) -> None:
    made = export(write(tmp_path / "r.sqlite", *everything(), simulated=True), tmp_path / "out.json")
    check(made)
    for resource in (made, *(entry["resource"] for entry in made["entry"])):
        assert [label["code"] for label in resource["meta"]["security"]] == ["HTEST"]
    assert "HTEST" not in json.dumps(bundle)


def test_the_same_visit_gives_the_same_file(record: Path, bundle: Json, tmp_path: Path) -> None:
    assert export(record, tmp_path / "again.json") == bundle


# what was done


def test_each_tooth_and_module_is_a_procedure_with_its_own_end(bundle: Json) -> None:
    found = {
        (one["code"]["coding"][0]["code"], next((place["text"][-2:] for place in one.get("bodySite", [])), "")): one
        for one in of(bundle, "Procedure")
    }
    states = {key: one["status"] for key, one in found.items()}
    assert states == {
        ("procedure", ""): "stopped",
        ("repair", "11"): "stopped",
        ("repair", "36"): "completed",
        ("balance", ""): "not-done",
        ("augment", ""): "not-done",
    }
    assert found["balance", ""]["statusReason"]["text"] == "Declined by the patient"
    assert found["repair", "36"]["performedPeriod"] == {
        "start": "2027-01-15T08:00:50.000000Z",
        "end": "2027-01-15T08:01:19.000000Z",
    }
    assert "performedPeriod" not in found["augment", ""]
    assert "Seal dentine: 60 s at 60 %, done." in found["repair", "36"]["note"][0]["text"]
    codes = [coding["code"] for coding in found["repair", "36"]["bodySite"][0]["coding"]]
    assert codes == ["89625000", "161533D", "36"]


@pytest.mark.parametrize(
    ("states", "status"),
    [
        ((PhaseState.DONE, PhaseState.UNKNOWN), "unknown"),
        ((PhaseState.DONE, PhaseState.HELD), "stopped"),
        ((PhaseState.WAITING, PhaseState.WAITING), "not-done"),
    ],
)
def test_what_is_unknown_stays_unknown(states: tuple[PhaseState, ...], status: str, tmp_path: Path) -> None:
    shown = view()
    changed = iter(states)
    phases = tuple(
        msgspec.structs.replace(one, state=next(changed), elapsed_s=0.0) if one.tooth == 36 else one
        for one in shown.phases
    )
    made = export(write(tmp_path / "r.sqlite", procedure=view(phases=phases)), tmp_path / "out.json")
    check(made)
    (sealed,) = [one for one in of(made, "Procedure") if "FDI 36" in json.dumps(one)]
    assert sealed["status"] == status


def test_the_chart_says_what_is_noted_of_a_tooth_and_nothing_of_the_others(bundle: Json) -> None:
    charted = {one["bodySite"]["text"][-2:]: one for one in of(bundle, "Observation") if "bodySite" in one}
    assert set(charted) == {"36", "18", "21", "11"}, "22 has nothing, and is not planned"
    parts = [
        (part["code"]["coding"][0]["code"], part.get("valueCodeableConcept", {}).get("coding", [{}])[0].get("code"))
        for part in charted["36"]["component"]
    ]
    assert parts == [("missing", None), ("icdas", None), ("finding", "M"), ("finding", "O"), ("done", "O")]
    assert charted["36"]["note"] == [{"text": "sensitive to cold"}]
    assert charted["18"]["component"][0]["valueBoolean"] is True
    assert charted["21"]["component"][1]["valueCodeableConcept"]["coding"][0]["code"] == "I"
    assert {one["description"] for one in of(bundle, "BodyStructure")} == {
        one["bodySite"]["text"] for one in charted.values()
    }


def test_anxiety_is_the_sum_of_all_five_answers_or_nothing(bundle: Json, tmp_path: Path) -> None:
    def scores(made: Json) -> list[int]:
        return [one["valueInteger"] for one in of(made, "Observation") if one["code"]["coding"][0]["code"] == "mdas"]

    assert scores(bundle) == [2 + 3 + 1 + 2 + 3]
    unasked = view(comfort={"mdas1": 3, "mdas2": 0})
    assert scores(export(write(tmp_path / "r.sqlite", procedure=unasked), tmp_path / "out.json")) == []


def test_every_version_of_the_consent_is_told_with_what_was_declined(bundle: Json) -> None:
    older, newer = sorted(of(bundle, "Consent"), key=lambda one: one["dateTime"])
    assert (older["status"], newer["status"]) == ("inactive", "active")
    assert newer["identifier"][0]["value"] == "02" * 32
    permitted = [code["text"] for code in newer["provision"]["code"]]
    assert permitted == [
        "Repair: 36, 11, at most 60 % of the full dose",
        "Augment: whole mouth, at most 100 % of the full dose",
    ]
    (denied,) = newer["provision"]["provision"]
    assert denied["type"] == "deny"
    assert [code["text"] for code in denied["code"]] == ["Balance", "Going on with Pulp temperature above 38.0"]
    assert newer["verification"][0]["verified"] is True


def test_what_could_have_harmed_is_potential_and_a_lost_link_is_nothing_of_the_kind(bundle: Json) -> None:
    (event,) = of(bundle, "AdverseEvent")
    assert (event["actuality"], event["date"]) == ("potential", "2027-01-15T08:01:00.000000Z")
    assert event["outcome"]["coding"][0]["code"] == "resolved"
    assert event["event"]["coding"][0]["code"] == "limit.high"


def test_the_report_is_signed_by_name_and_points_at_results(bundle: Json) -> None:
    (report,) = of(bundle, "DiagnosticReport")
    assert (report["status"], report["issued"]) == ("final", "2027-01-15T08:01:50.000000Z")
    assert "Signed by Dr Vale. Went well." in report["conclusion"]
    names = {one["name"][0]["text"] for one in of(bundle, "Practitioner")}
    assert names == {"Dr Vale", "Robin Lund"}
    assert len(report["result"]) > 7


def test_nobody_has_signed_an_open_visit(tmp_path: Path) -> None:
    unsigned = view(signed_by=None, signed_us=None, closed=False)
    made = export(write(tmp_path / "r.sqlite", procedure=unsigned), tmp_path / "out.json")
    check(made)
    assert of(made, "DiagnosticReport")[0]["status"] == "preliminary"
    assert not any("legal" in json.dumps(one) for one in of(made, "Provenance"))


# evidence


def test_audit_entries_of_the_visit_come_with_their_proof(record: Path, bundle: Json) -> None:
    events = of(bundle, "AuditEvent")
    kinds = [event["subtype"][0]["code"] for event in events]
    assert Counter(kinds) == {"visit.begun": 1, "command.receipt": 2, "view": 1}
    with RecordReader.open(record, KEY) as reader:
        log = {str(entry.sequence): entry for entry in reader.audit_entries()}
    for event in events:
        (entity,) = event["entity"]
        detail = {one["type"]: one for one in entity["detail"]}
        raw, leaf = (base64.b64decode(detail[key]["valueBase64Binary"]) for key in ("entry-cbor", "leaf-sha256"))
        assert hashlib.sha256(b"\x00" + raw).digest() == leaf
        assert log[detail["sequence"]["valueString"]].entry == raw
        whole = cbor.decode(raw)
        assert isinstance(whole, dict)
        assert whole["kind"] == event["subtype"][0]["code"]
    assert [event["outcome"] for event in events if "outcome" in event] == ["0", "4"]
    assert {event["action"] for event in events} == {"C", "E", "R"}
    assert "somebody else" not in json.dumps(bundle), "no entry about anybody else"


def test_provenance_says_who_measured_who_signed_and_who_sent(bundle: Json) -> None:
    roles = Counter(agent["type"]["coding"][0]["code"] for one in of(bundle, "Provenance") for agent in one["agent"])
    assert roles == {"author": 3, "verifier": 2, "legal": 1, "enterer": 1, "assembler": 1}
    measured = {
        entry["fullUrl"]
        for entry in bundle["entry"]
        if entry["resource"]["resourceType"] == "Observation" and "device" in entry["resource"]
    }
    (by_device,) = [one for one in of(bundle, "Provenance") if "enterer" in json.dumps(one)]
    assert {target["reference"] for target in by_device["target"]} == measured


# signals


def test_every_sample_comes_back_exactly(bundle: Json) -> None:
    (one,) = series(bundle, "jaw_emg")
    data = one["valueSampledData"]
    assert [int(value) for value in data["data"].split(" ")] == [(i * 7919) % 4001 - 2000 for i in range(5_500)]
    assert (data["factor"], data["period"], data["origin"]["value"]) == (0.1, 1, 0)
    assert (data["origin"]["code"], data["dimensions"]) == ("uV", 1)
    assert one["effectivePeriod"]["start"] == "2027-01-15T08:00:01.000000Z"
    assert one["effectivePeriod"]["end"] == "2027-01-15T08:00:06.499000Z"


def test_a_reduced_signal_loses_no_extreme_and_says_that_it_is_reduced(record: Path, tmp_path: Path) -> None:
    made = export(record, tmp_path / "out.json", Detail.REDUCED)
    (one,) = series(made, "jaw_emg")
    parts = {part["code"]["coding"][0]["code"]: part["valueSampledData"] for part in one["component"]}
    raw = np.array([(i * 7919) % 4001 - 2000 for i in range(5_500)])
    seconds = [raw[second * 1000 : (second + 1) * 1000] for second in range(6)]
    assert [int(value) for value in parts["minimum"]["data"].split()] == [part.min() for part in seconds]
    assert [int(value) for value in parts["maximum"]["data"].split()] == [part.max() for part in seconds]
    assert [float(value) for value in parts["average"]["data"].split()] == [round(part.mean(), 1) for part in seconds]
    assert {part["period"] for part in parts.values()} == {1000}
    assert "each second" in one["method"]["text"]
    assert "valueSampledData" in series(made, "pulp_temperature")[0], "10 Hz stays whole"


def test_a_summary_has_extremes_mean_and_count_and_how_the_samples_came(bundle: Json) -> None:
    summaries = [one for one in of(bundle, "Observation") if "hasMember" in one]
    (summary,) = [one for one in summaries if "jaw_emg" in json.dumps(one["code"])]
    parts = {part["code"]["coding"][0]["code"]: part for part in summary["component"]}
    raw = [(i * 7919) % 4001 - 2000 for i in range(5_500)]
    assert parts["minimum"]["valueQuantity"]["value"] == pytest.approx(min(raw) * 0.1, abs=1e-9)
    assert parts["maximum"]["valueQuantity"]["value"] == pytest.approx(max(raw) * 0.1, abs=1e-9)
    assert parts["average"]["valueQuantity"]["value"] == pytest.approx(sum(raw) / len(raw) * 0.1, abs=1e-3)
    assert parts["count"]["valueInteger"] == 5_500
    assert summary["note"][0]["text"] == "Samples: 5500 live."


def test_vital_signs_have_standard_codes_and_single_ones_the_profiles_code_first(bundle: Json) -> None:
    codes = {
        one["code"]["coding"][-1]["code"]: [coding["code"] for coding in one["code"]["coding"][:-1]]
        for one in of(bundle, "Observation")
        if "device" in one
    }
    assert codes["heart_rate"] == ["147842"]
    assert codes["spo2"] == ["150456", "59408-5"]
    assert codes["spot_spo2"] == ["2708-6", "150456", "59408-5"]
    assert codes["spot_pulse"] == ["8867-4", "149530", "8889-8"]
    assert codes["body_temperature"] == ["8310-5", "150364"]
    assert codes["pulp_temperature"] == []
    (spot,) = [one for one in of(bundle, "Observation") if one["code"]["coding"][0]["code"] == "8310-5"]
    assert spot["valueQuantity"] == {"value": 36.55, "unit": "°C", "system": "http://unitsofmeasure.org", "code": "Cel"}
    assert spot["effectiveDateTime"] == "2027-01-15T08:00:08.000000Z"
    assert spot["category"][0]["coding"][0]["code"] == "vital-signs"


def test_a_short_gap_is_told_as_errors_and_a_long_one_parts_two_observations(tmp_path: Path) -> None:
    made = export(
        write(
            tmp_path / "r.sqlite",
            ("SIM-1", block("saliva_ph", [7000, 7001])),
            ("SIM-1", block("saliva_ph", [7005], first=5, at_s=1.5)),
            ("SIM-1", block("saliva_ph", [7100, 7101], first=100, at_s=11.0)),
        ),
        tmp_path / "out.json",
    )
    check(made)
    one, other = series(made, "saliva_ph")
    assert one["valueSampledData"]["data"] == "7000 7001 E E E 7005"
    assert "missing" in one["note"][0]["text"]
    assert other["valueSampledData"]["data"] == "7100 7101"
    assert "note" not in other
    assert other["effectivePeriod"]["start"] == "2027-01-15T08:00:11.000000Z"


def test_what_the_sensor_disowns_stands_apart_and_is_preliminary(tmp_path: Path) -> None:
    made = export(
        write(
            tmp_path / "r.sqlite",
            ("SIM-1", block("saliva_ph", [7000, 7001])),
            ("SIM-1", block("saliva_ph", [1, 2], first=2, at_s=1.2, provenance=Provenance.SUSPECT)),
            ("SIM-1", block("saliva_ph", [7004], first=4, at_s=1.4, provenance=Provenance.BACKFILLED)),
        ),
        tmp_path / "out.json",
    )
    check(made)
    assert [(one["status"], one["valueSampledData"]["data"]) for one in series(made, "saliva_ph")] == [
        ("final", "7000 7001"),
        ("preliminary", "1 2"),
        ("final", "7004"),
    ]
    (summary,) = [one for one in of(made, "Observation") if "hasMember" in one]
    assert "2 live; 1 fetched later from the hub; 2 not to be trusted" in summary["note"][0]["text"]


def test_the_period_is_that_of_utc_where_the_hubs_clock_runs_off(tmp_path: Path) -> None:
    made = export(
        write(tmp_path / "r.sqlite", ("SIM-1", block("jaw_emg", range(30_000), stretch=1.0001))),
        tmp_path / "out.json",
    )
    (one,) = series(made, "jaw_emg")
    assert one["valueSampledData"]["period"] == pytest.approx(1.0001, abs=1e-6)


def test_beats_that_keep_no_time_are_summed_up_and_it_is_said(tmp_path: Path) -> None:
    beats = [
        ("C2:5A", block("rr_interval", [800 + beat], first=beat, start_us=beat * 810_000, at_s=1 + beat * 0.81))
        for beat in range(60)
    ]
    made = export(write(tmp_path / "r.sqlite", *beats), tmp_path / "out.json")
    check(made)
    assert series(made, "rr_interval") == []
    (summary,) = [one for one in of(made, "Observation") if "device" in one]
    assert "no even time" in summary["note"][0]["text"]
    assert summary["component"][3]["valueInteger"] == 60


def test_no_string_is_longer_than_fhir_allows(tmp_path: Path) -> None:
    raw = np.full(250_000, -32_000)
    made = export(
        write(
            tmp_path / "r.sqlite",
            *(("SIM-1", block("jaw_emg", part, first=n * 50_000, at_s=1 + n * 0.05))
              for n, part in enumerate(np.array_split(raw, 5))),
        ),
        tmp_path / "out.json",
    )  # fmt: skip
    parts = [one["valueSampledData"]["data"] for one in series(made, "jaw_emg")]
    assert max(len(part) for part in parts) <= 1 << 20
    assert len(parts) >= 2


# visits and files


def test_every_visit_of_a_patient_over_two_chairs_stands_in_one_bundle(tmp_path: Path) -> None:
    second = msgspec.structs.replace(
        VISIT, id="0190a000-0000-7000-8000-000000000099", code="V-OTHER", chair=2, began_us=BEGAN + 500 * S
    )
    married = msgspec.structs.replace(PATIENT, version=2, family_name="Lund")
    files = (
        write(tmp_path / "a.sqlite", ("SIM-1", block("saliva_ph", [7000]))),
        write(
            tmp_path / "b.sqlite",
            ("SIM-1", block("saliva_ph", [7100], at_s=501, first=9)),
            visit=second,
            patient=married,
            procedure=view(visit_id=second.id, visit_code=second.code),
        ),
    )
    readers = [RecordReader.open(file, KEY) for file in files]
    held = [Held(reader, reader.visits()[0]) for reader in readers]
    export_visits(held, tmp_path / "out.json", sender=SENDER, clock=CLOCK)
    for reader in readers:
        reader.close()
    made = json.loads((tmp_path / "out.json").read_text(encoding="utf-8"))
    check(made)
    assert len(of(made, "Encounter")) == 2
    (patient,) = of(made, "Patient")
    assert patient["name"][0]["family"] == "Lund", "the newest version"
    assert len([one for one in of(made, "Device") if "SIM-1" in json.dumps(one)]) == 1


def test_a_visit_without_a_procedure_is_a_visit_with_signals(tmp_path: Path) -> None:
    file = write(tmp_path / "r.sqlite", ("SIM-1", block("saliva_ph", [7000])))
    with RecordReader.open(file, KEY) as reader:
        lonely = Held(reader, msgspec.structs.replace(reader.visits()[0], id="0190a000-0000-7000-8000-0000000000aa"))
        export_visits([lonely], tmp_path / "out.json", clock=CLOCK)
        made = json.loads((tmp_path / "out.json").read_text(encoding="utf-8"))
        check(made)
        assert of(made, "Procedure") == of(made, "DiagnosticReport") == []
        with pytest.raises(NotFound):
            export_visit(reader, "nobody", tmp_path / "none.json")
    assert not (tmp_path / "none.json").exists()


def test_nothing_half_is_left_and_what_was_there_stays(tmp_path: Path) -> None:
    file, out = write(tmp_path / "r.sqlite", *everything()), tmp_path / "out.json"
    out.write_text("before")
    before = sorted(entry.name for entry in tmp_path.iterdir())
    again = Record.open(file, KEY, clock=CLOCK)
    again._file.execute("UPDATE block SET crc = crc + 1 WHERE channel = 72")  # the last one
    with RecordReader.open(file, KEY) as reader, pytest.raises(RecordDamaged):
        export_visit(reader, VISIT.id, out)
    again.close()
    with RecordReader.open(file, KEY) as reader, pytest.raises(ExportFailed, match="Choose another place"):
        export_visit(reader, VISIT.id, tmp_path / "none" / "out.json")
    assert out.read_text() == "before"
    assert [name for name in sorted(entry.name for entry in tmp_path.iterdir()) if "part" in name] == []
    assert set(before) <= {entry.name for entry in tmp_path.iterdir()}


@pytest.mark.skipif(sys.platform == "win32", reason="no limit to the size of a file")
def test_a_disk_that_fills_up_is_said_and_leaves_nothing(record: Path, tmp_path: Path) -> None:
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    with RecordReader.open(record, KEY) as reader:
        resource.setrlimit(resource.RLIMIT_FSIZE, (8_192, hard))  # no byte more
        try:
            with pytest.raises(ExportFailed, match="Choose another place"):
                export_visit(reader, VISIT.id, tmp_path / "out.json")
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert list(tmp_path.iterdir()) == []


def test_times_are_instants_of_this_visit(bundle: Json) -> None:
    text = json.dumps(bundle)
    stamps = re.findall(r'"(\d{4}-\d\d-\d\dT[^"]+)"', text)
    assert stamps
    assert all(re.fullmatch(r"2027-01-15T08:0\d:\d\d\.\d{6}Z", stamp) for stamp in stamps)


def test_it_says_how_far_it_is_and_ends_when_it_is_told_to_with_nothing_left(record: Path, tmp_path: Path) -> None:
    told: list[float] = []
    with RecordReader.open(record, KEY) as reader:
        export_visit(reader, VISIT.id, tmp_path / "x.json", detail=Detail.FULL, clock=CLOCK, watch=told.append)
        assert told == sorted(told)
        assert (len(set(told)) > 5, told[-1]) == (True, 1.0)

        def watch(done: float) -> None:
            if done >= 0.5:
                raise Cancelled

        with pytest.raises(Cancelled):
            export_visit(reader, VISIT.id, tmp_path / "y.json", detail=Detail.FULL, clock=CLOCK, watch=watch)
    assert [path.name for path in tmp_path.iterdir()] == ["x.json"]


def test_what_was_recorded_elsewhere_never_passes_for_the_hubs(tmp_path: Path) -> None:
    path = write(tmp_path / "chair-1.sqlite", *everything())
    signals = tmp_path / "in.csv"
    times = (datetime.fromtimestamp(BEGAN / 1e6 + second, UTC).isoformat() for second in range(5, 25))
    signals.write_text("utc,channel,value,unit\n" + "".join(f"{at},saliva_ph,6.8,[pH]\n" for at in times))
    own = Record.open(path, KEY, clock=CLOCK)
    found = read_signals(signals, load_catalogue())
    import_signals(own, found, digest_of(signals), visit_id=VISIT.id, author=HELPER, at_us=BEGAN)
    own.close()
    made = export(path, tmp_path / "out.json")
    check(made)
    devices = [one for one in of(made, "Device") if "import:" in json.dumps(one)]
    assert [one["type"]["text"] for one in devices] == ["Recorded elsewhere, imported"]
    channels = [one["code"]["coding"] for one in of(made, "Observation") if "saliva_ph" in json.dumps(one["code"])]
    assert channels
    assert {coding["code"] for codings in channels for coding in codings} == {"imported.saliva_ph"}
    notes = [note["text"] for one in of(made, "Observation") for note in one.get("note", [])]
    assert "Samples: 20 imported: recorded elsewhere." in notes
