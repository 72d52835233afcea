"""What people wrote, as FHIR: the newest version counts, the older ones stay visible, withdrawn ones are no facts."""

import base64
import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from core.exchange.fhir.bundle import export_visit
from core.model.clinical import (
    AdverseEvent,
    Attachment,
    Condition,
    Entry,
    Finding,
    Material,
    Note,
    Observation,
    Outcome,
    Relation,
    Severity,
    StepDone,
)
from core.model.clock import ManualClock
from core.model.wear import AtHome, HomeDay
from core.record import Record, RecordReader
from core.record.attachments import described
from tests.core.exchange.fhir.test_bundle import CLOCK, SENDER, Json, check, of
from tests.core.exchange.fhir.visits import BEGAN, DENTIST, HELPER, KEY, PATIENT, VISIT, S, write

PDF = b"%PDF-1.4 an X-ray of the lower left side"


def identity(number: int) -> str:
    return f"0190a000-0000-7000-8000-0000000001{number:02d}"


def entry(number: int, kind: Callable[..., Entry], **fields: Any) -> Any:
    filled = {"id": identity(number), "patient_id": PATIENT.id, "visit_id": VISIT.id, "at_us": BEGAN + number * S}
    return kind(**(filled | fields))


HARM = entry(
    1,
    AdverseEvent,
    text="The gum at 36 bled for an hour.",
    severity=Severity.MODERATE,
    relation=Relation.PROBABLE,
    outcome=Outcome.LASTING,
    reported_to="the maker",
    reported_us=BEGAN + 90 * S,
)
MILK = entry(2, Finding, fdi=75, condition=Condition.RESTORATION, surfaces="MO", material=Material.GLASS_IONOMER)
POCKET = entry(3, Observation, fdi=36, text="Pocket, mesial", value=4.5, unit="mm")
SEEN = entry(4, Observation, text="The tongue is dry.", visit_id="")
POLISH = entry(5, StepDone, fdi=11, text="Polished")
TOLD = entry(6, Note, text="Wants to be called, not written to.")
XRAY = described(entry(7, Attachment, name="left side.pdf", text="Before"), PDF)


def written(path: Path, write_in: Callable[[Record], None], chair: int = 1, visit_id: str = VISIT.id) -> Path:
    """A record into which `write_in` writes after the visit."""
    visit = msgspec.structs.replace(VISIT, chair=chair, id=visit_id)
    write(path, visit=visit)
    record = Record.open(path, KEY, clock=ManualClock(utc_us=BEGAN + 150 * S))
    with record.transaction():
        write_in(record)
    record.close()
    return path


def everything(record: Record) -> None:
    for one in (HARM, MILK, POCKET, SEEN, POLISH, TOLD):
        record.entries.add(one, author=DENTIST, at_us=BEGAN + 100 * S)
    record.attachments.put(XRAY.id, 0, PDF)
    record.entries.add(XRAY, author=HELPER, at_us=BEGAN + 101 * S)


def corrected(record: Record, before: Entry, reason: str, version: int = 1, **change: Any) -> None:
    """As somebody would: a new version, with a reason."""
    now = msgspec.structs.replace(before, **change)
    record.entries.correct(now, version=version, author=DENTIST, reason=reason, at_us=BEGAN + 110 * S + version)


def bundle(path: Path, out: Path, **more: Any) -> Json:
    with RecordReader.open(path, KEY) as reader:
        export_visit(reader, VISIT.id, out, sender=SENDER, clock=CLOCK, **more)
    made: Json = json.loads(out.read_text(encoding="utf-8"))
    check(made)
    return made


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Json:
    folder = tmp_path_factory.mktemp("written")
    return bundle(written(folder / "chair-1.sqlite", everything), folder / "out.json")


def observed(made: Json, code: str) -> list[Json]:
    return [one for one in of(made, "Observation") if one["code"]["coding"][-1]["code"] == code]


def test_what_somebody_wrote_down_as_harm_is_actual(whole: Json) -> None:
    (harm,) = [one for one in of(whole, "AdverseEvent") if one["actuality"] == "actual"]
    assert harm["event"] == {"text": HARM.text}
    assert harm["severity"]["coding"][0]["code"] == "moderate"
    assert harm["outcome"]["coding"][0]["code"] == "resolvedWithSequelae"
    (suspect,) = harm["suspectEntity"]
    assert suspect["causality"] == [{"assessment": {"text": "Probable"}}]
    suspects = {entry["fullUrl"]: entry["resource"] for entry in whole["entry"]}
    assert suspects[suspect["instance"]["reference"]]["code"]["coding"][0]["code"] == "procedure"
    (told,) = of(whole, "Communication")
    assert told["payload"] == [{"contentString": "Reported to the maker"}]
    assert suspects[told["about"][0]["reference"]] == harm
    assert [one["actuality"] for one in of(whole, "AdverseEvent")].count("potential") == 1


def test_a_finding_on_a_milk_tooth_has_the_codes_of_that_tooth(whole: Json) -> None:
    (found,) = observed(whole, "found")
    codes = {(one["system"], one["code"]) for one in found["bodySite"]["coding"]}
    assert codes == {("http://snomed.info/sct", "49330006"), ("http://www.ada.org/snodent", "162321D")}
    said = [one["valueCodeableConcept"]["text"] for one in found["component"]]
    assert (found["valueCodeableConcept"]["text"], said) == ("Restoration", ["Mesial", "Occlusal", "Glass ionomer"])
    assert [one["description"] for one in of(whole, "BodyStructure")].count(
        "Primary lower left second molar tooth, FDI 75"
    )


def test_what_was_measured_by_hand_has_its_unit_and_what_was_seen_its_words(whole: Json) -> None:
    measured, seen = sorted(observed(whole, "observed"), key=lambda one: "valueString" in one)
    assert measured["valueQuantity"]["value"] == 4.5
    assert measured["valueQuantity"]["code"] == "mm"
    assert (seen["valueString"], "encounter" in seen) == (SEEN.text, False)
    report = {one["reference"] for one in of(whole, "DiagnosticReport")[0]["result"]}
    by_url = {entry["fullUrl"]: entry["resource"] for entry in whole["entry"]}
    results = [by_url[one] for one in report]
    assert measured in results
    assert seen not in results


def test_steps_notes_and_files_are_there_with_every_byte(whole: Json) -> None:
    assert [one["bodySite"][0]["text"] for one in of(whole, "Procedure") if one["code"] == {"text": "Polished"}]
    note, file = sorted(of(whole, "DocumentReference"), key=lambda one: one["date"])
    assert base64.b64decode(note["content"][0]["attachment"]["data"]).decode() == TOLD.text
    attached = file["content"][0]["attachment"]
    assert base64.b64decode(attached["data"]) == PDF
    assert base64.b64decode(attached["hash"]) == hashlib.sha1(PDF).digest()
    assert (attached["title"], attached["contentType"], attached["size"]) == (
        "left side.pdf",
        "application/pdf",
        len(PDF),
    )


def test_a_correction_is_what_holds_and_the_older_version_stays_visible(tmp_path: Path) -> None:
    def write_in(record: Record) -> None:
        everything(record)
        corrected(record, HARM, "It bled longer.", severity=Severity.SEVERE)
        corrected(record, POCKET, "Misread.", value=5.5)

    made = bundle(written(tmp_path / "chair-1.sqlite", write_in), tmp_path / "out.json")
    (harm,) = [one for one in of(made, "AdverseEvent") if one["actuality"] == "actual"]
    assert harm["severity"]["coding"][0]["code"] == "severe"
    (pocket,) = [one for one in observed(made, "observed") if "valueQuantity" in one]
    assert (pocket["status"], pocket["valueQuantity"]["value"]) == ("corrected", 5.5)
    revised = {one["reason"][0]["text"]: one for one in of(made, "Provenance") if "reason" in one}
    (before,) = revised["It bled longer."]["contained"]
    assert before["severity"]["coding"][0]["code"] == "moderate"
    assert revised["Misread."]["contained"][0]["valueQuantity"]["value"] == 4.5
    assert revised["Misread."]["activity"]["coding"][0]["code"] == "UPDATE"
    assert [one["role"] for one in revised["Misread."]["entity"]] == ["revision"]


def test_what_was_withdrawn_is_no_fact_and_still_told(tmp_path: Path) -> None:
    def write_in(record: Record) -> None:
        everything(record)
        for one in (HARM, MILK, POCKET, POLISH, TOLD, XRAY):
            corrected(record, one, "Another patient's.", withdrawn=True)

    made = bundle(written(tmp_path / "chair-1.sqlite", write_in), tmp_path / "out.json")
    assert [one["actuality"] for one in of(made, "AdverseEvent")] == ["potential"]
    assert of(made, "Communication") == []
    wrong = [one for kind in ("Observation", "Procedure", "DocumentReference") for one in of(made, kind)]
    assert [one["resourceType"] for one in wrong if one["status"] == "entered-in-error"].count("Observation") == 2
    assert sum(one["status"] == "entered-in-error" for one in wrong) == 5
    assert [one["status"] for one in of(made, "DocumentReference") if "data" in one["content"][0]["attachment"]] == [
        "entered-in-error"
    ], "a note's own words; the bytes of a withdrawn file do not go out"
    gone = [one for one in of(made, "Provenance") if one.get("entity", [{}])[0].get("role") == "removal"]
    assert {one["activity"]["coding"][0]["code"] for one in gone} == {"NULLIFY"}
    assert sum(one["contained"][0]["resourceType"] == "AdverseEvent" for one in gone) == 1


def test_what_was_written_or_looked_at_in_another_chair_is_there_and_another_visits_is_not(tmp_path: Path) -> None:
    other = "0190a000-0000-7000-8000-0000000000aa"

    def beside(record: Record) -> None:
        record.entries.add(entry(21, Note, text="He phoned.", visit_id=""), author=HELPER, at_us=BEGAN + 140 * S)
        record.entries.add(entry(22, Note, text="Other visit.", visit_id=other), author=HELPER, at_us=BEGAN + 141 * S)
        record.audit("view", actor="0190a000-0000-7000-8000-00000000000c", at_us=BEGAN, body={"patient": PATIENT.id})

    first = written(tmp_path / "chair-1.sqlite", everything)
    second = written(tmp_path / "chair-2.sqlite", beside, chair=2, visit_id=other)
    alone = bundle(first, tmp_path / "alone.json")
    with RecordReader.open(second, KEY) as beside_it:
        made = bundle(first, tmp_path / "out.json", others=[beside_it])
    notes = {base64.b64decode(one["content"][0]["attachment"]["data"]) for one in of(made, "DocumentReference")}
    assert notes == {TOLD.text.encode(), PDF, b"He phoned."}
    looks = [one for one in of(made, "AuditEvent") if one["action"] == "R"]
    assert {one["source"]["site"] for one in looks} == {"Chair 1", "Chair 2"}
    assert {one["source"]["site"] for one in of(alone, "AuditEvent")} == {"Chair 1"}


def test_who_saw_the_name_in_a_list_is_told_and_nobody_elses_is(tmp_path: Path) -> None:
    stranger = "0190a000-0000-7000-8000-0000000000ff"

    def write_in(record: Record) -> None:
        body: dict[str, object] = {"kind": "list", "patients": [stranger, PATIENT.id], "count": 2}
        record.audit("view", actor=HELPER, at_us=BEGAN + 5 * S, body=body)
        record.audit("view", actor=HELPER, at_us=BEGAN + 6 * S, body={**body, "patients": [stranger]})

    made = bundle(written(tmp_path / "chair-1.sqlite", write_in), tmp_path / "out.json")
    (listed,) = [one for one in of(made, "AuditEvent") if one["recorded"] == "2027-01-15T08:00:05.000000Z"]
    assert [one["type"] for one in listed["entity"][0]["detail"]] == ["sequence", "leaf-sha256"]
    for one in of(made, "AuditEvent"):
        for detail in one["entity"][0]["detail"]:
            assert stranger.encode() not in base64.b64decode(detail.get("valueBase64Binary", ""))
    assert "2027-01-15T08:00:06.000000Z" not in [one["recorded"] for one in of(made, "AuditEvent")]


def test_days_at_home_are_told_day_by_day_and_a_part_of_a_day_as_a_part(tmp_path: Path) -> None:
    days = (
        HomeDay(day=20_832, worn_s=0),
        HomeDay(day=20_833, worn_s=50_000, acid_s=1_200, attacks=3, lowest_ph=4.91, clenches=7),
        HomeDay(day=20_834, worn_s=4_000, acid_s=0, whole=False),
    )
    path = written(tmp_path / "chair-1.sqlite", everything)
    made = bundle(path, tmp_path / "out.json", home=AtHome(days=days))
    bare, whole, part = observed(made, "day")
    assert [one["code"]["text"] for one in bare["component"]] == ["Time that the hub was worn"]
    assert [one.get("valueQuantity", {}).get("value", one.get("valueInteger")) for one in whole["component"]] == [
        50_000, 1_200, 3, 7, 4.91
    ]  # fmt: skip
    assert whole["effectivePeriod"] == {"start": "2027-01-15T00:00:00.000000Z", "end": "2027-01-16T00:00:00.000000Z"}
    assert [one["status"] for one in (bare, whole, part)] == ["final", "final", "preliminary"]
    assert len(part["component"]) == 4, "its pH was not measured"
