"""Bundles written by a real reader process, for an operator who is logged in."""

import json
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import psutil
import pytest

from app.engine.clock import SystemAsyncClock
from app.engine.reader_host import ReaderHost
from app.engine.reader_wire import LONG_REQUESTS, ChairFile, ReaderSetup
from app.ipc.export_messages import ExportFhir
from app.ipc.messages import Done, Refused
from core.model.words import load_words
from tests.core.exchange.fhir.check import resolved
from tests.core.exchange.fhir.visits import HELPER, KEY, VISIT, everything, write

OTHER = msgspec.structs.replace(VISIT, id="0190a000-0000-7000-8000-000000000099", code="V-OTHER", chair=2)


@pytest.fixture
async def host(tmp_path: Path) -> AsyncIterator[ReaderHost]:
    files = tuple(ChairFile(chair, str(tmp_path / f"chair-{chair}.sqlite"), KEY) for chair in (1, 2, 3))
    write(Path(files[0].path), *everything())
    write(Path(files[1].path), *everything(), visit=OTHER)
    host = ReaderHost(SystemAsyncClock())
    await host.open(ReaderSetup(files, "Mill Street", "0123 999", {HELPER: "Robin Lund"}))  # chair 3 has no record
    yield host
    await host.close()
    assert psutil.Process().children() == []


async def test_a_visit_is_written_with_the_names_that_the_practice_knows(host: ReaderHost, tmp_path: Path) -> None:
    out = tmp_path / "V-7KQ2MC.fhir.json"
    assert await host.request(ExportFhir(chair=1, visit_id=VISIT.id, path=str(out))) == Done(detail=str(out))
    made = json.loads(out.read_text(encoding="utf-8"))
    resolved(made)
    kinds = [entry["resource"]["resourceType"] for entry in made["entry"]]
    assert kinds.count("Encounter") == 1
    assert {"Mill Street", "Robin Lund", "Dr Vale"} <= set(_strings(made))


async def test_every_visit_and_every_sample_over_all_chairs(host: ReaderHost, tmp_path: Path) -> None:
    small, large = tmp_path / "small.json", tmp_path / "large.json"
    await host.request(ExportFhir(chair=2, visit_id=OTHER.id, path=str(small)))
    await host.request(ExportFhir(chair=2, visit_id=OTHER.id, path=str(large), every_visit=True, every_sample=True))
    made = json.loads(large.read_text(encoding="utf-8"))
    resolved(made)
    assert [entry["resource"]["resourceType"] for entry in made["entry"]].count("Encounter") == 2
    assert large.stat().st_size > 2 * small.stat().st_size


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (ExportFhir(chair=1, visit_id="nobody", path="/nowhere/x.json"), "reader.no_visit"),
        (ExportFhir(chair=3, visit_id=VISIT.id, path="/nowhere/x.json"), "reader.no_record"),
        (ExportFhir(chair=1, visit_id=VISIT.id, path="x.json"), "reader.bad_path"),
    ],
)
async def test_what_cannot_be_written_is_refused_with_what_to_do(host: ReaderHost, body: ExportFhir, code: str) -> None:
    reply = await host.request(body)
    assert isinstance(reply, Refused)
    assert reply.code == code
    assert reply.remedy is not None
    assert not load_words().tell(reply.remedy).startswith("[")


async def test_a_folder_that_is_not_there_leaves_nothing(host: ReaderHost, tmp_path: Path) -> None:
    reply = await host.request(ExportFhir(chair=1, visit_id=VISIT.id, path=str(tmp_path / "none" / "x.json")))
    assert isinstance(reply, Refused)
    assert not (tmp_path / "none").exists()


def test_a_bundle_never_keeps_a_review_waiting() -> None:
    assert ExportFhir in LONG_REQUESTS


def _strings(value: object) -> list[str]:
    if isinstance(value, dict):
        return [text for inner in value.values() for text in _strings(inner)]
    if isinstance(value, list):
        return [text for inner in value for text in _strings(inner)]
    return [value] if isinstance(value, str) else []
