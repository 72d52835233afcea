"""Each letter of a search over the files of four chairs, against LIKE over the same rows and what feels instant."""

import random
import secrets
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TypeVar

from app.bench.common import Report, figure, report, say
from core.model import cbor
from core.model.clinical import Note
from core.model.clock import SystemClock
from core.model.people import Patient, VisitSummary
from core.record import Record, RecordReader
from core.record.search import (
    GROUPS,
    Hit,
    SearchIndex,
    Words,
    entry_words,
    group_range,
    patient_words,
    visit_words,
)
from core.record.search_all import LIMIT, search_all
from core.record.search_terms import wanted
from core.record.sqlcipher import CipherFile
from core.record.versions import read_cbor

CHAIRS = 4
INSTANT_S = 0.1
"""What feels as if it had not been waited for. Source: Nielsen, Usability Engineering, 1993, chapter 5."""
TYPED = ("anna mueller", "dvořák", "王", "p-7k", "36 caries", "sensitive", "bracket loose", "1984-0")
GIVEN = ("Anna", "Jiří", "Darius", "小明", "Amara", "Łucja", "Søren", "Ines", "Tomas", "Mei", "Noor", "Zoë")
FAMILY = ("Müller", "Dvořák", "Hale", "王", "Obi", "Łoś", "Nørgaard", "Lind", "陈", "Haddad", "Brontë")
SAID = (
    "Sensitive to cold on {tooth}.",
    "Bracket loose on {tooth}, bonded again.",
    "Caries on {tooth}, watch until spring.",
    "No complaints. Gums healthy.",
    "Anxious at first, calm after the second check-in.",
    "Asked about whitening; leaflet given.",
)
_BEGAN = 1_700_000_000_000_000
T = TypeVar("T")
_Row = tuple[str, str, str | None, int, bytes]


def bench_search(visits: int = 100_000) -> Report:
    """`visits` visits with a note each, of a third as many patients."""
    with tempfile.TemporaryDirectory(prefix="smilescape-bench-") as folder:
        key = secrets.token_bytes(32)
        paths = [Path(folder) / f"chair-{chair}.sqlite" for chair in range(1, CHAIRS + 1)]
        for chair, path in enumerate(paths, 1):
            say(f"{visits // CHAIRS} visits into {path.name}")
            fill(path, key, chair=chair, visits=visits // CHAIRS)
        readers = [RecordReader.open(path, key) for path in paths]
        files = [CipherFile.read(path, key) for path in paths]
        try:
            queries = [typed[:length] for typed in TYPED for length in range(1, len(typed) + 1)]
            found = sorted(_timed(_index, readers, query) for query in queries)
            answered = sorted(_timed(search_all, readers, query) for query in queries)
            peer = sorted(_timed(_like, files, query) for query in queries)
        finally:
            for reader, file in zip(readers, files, strict=True):
                reader.close()
                file.close()
        added_s, without_s = _write(paths[0], key)
    middle, late = len(queries) // 2, len(queries) * 95 // 100
    return report(
        "search",
        figure("found, p50", found[middle] * 1000, "ms", "LIKE over every row", peer[middle] * 1000, "<=0.25"),
        figure("found, p95", found[late] * 1000, "ms", "LIKE over every row", peer[late] * 1000, "<=0.25"),
        figure("answered, p95", answered[late] * 1000, "ms", "instant", INSTANT_S * 1000, "<=0.5"),
        figure("answered, worst", answered[-1] * 1000, "ms", "instant", INSTANT_S * 1000, "<=1"),
        figure("a note with its search", added_s * 1000, "ms", "a version without", without_s * 1000, "<=3"),
    )


def fill(path: Path, key: bytes, *, chair: int, visits: int, seed: int = 7) -> None:
    """A record as years of work leave it, written in bulk: the rows are those of `Record`, the index is rebuilt."""
    Record.create(path, key, chair=chair, simulated=True, clock=SystemClock()).close()
    file = CipherFile.open(path, key)
    index = SearchIndex(file)
    rows: list[_Row] = []
    words: list[Words] = []
    for row, said in _rows(random.Random(seed + chair), chair, visits):
        rows.append(row)
        words.append(said)
    with file.transaction():
        file.many(
            "INSERT INTO version (kind, entity, version, owner, author, reason, at_us, utc_offset_s, body) "
            "VALUES (?, ?, 1, ?, 'bench', 'bench', ?, 0, ?)",
            rows,
        )
        index.rebuild(words)
    file.close()


def _rows(rng: random.Random, chair: int, visits: int) -> Iterator[tuple[_Row, Words]]:
    people = [_patient(rng, chair, number) for number in range(max(1, visits // 3))]
    for patient in people:
        yield ("patient", patient.id, None, _BEGAN, cbor.encode(patient)), patient_words(patient, _BEGAN)
    for number in range(visits):
        patient, at_us = rng.choice(people), _BEGAN + number * 3_600_000_000
        visit = VisitSummary(
            id=f"v{chair}-{number}",
            patient_id=patient.id,
            code=f"V-{number:06}",
            chair=chair,
            began_us=at_us,
            ended_us=at_us + 1,
            state="complete",
            title_key="visit.title.procedure",
        )
        yield ("visit", visit.id, patient.id, at_us, cbor.encode(visit)), visit_words(visit)
        text = rng.choice(SAID).format(tooth=rng.choice((16, 26, 36, 46)))
        note = Note(id=f"n{chair}-{number}", patient_id=patient.id, visit_id=visit.id, at_us=at_us, text=text)
        yield ("note", note.id, patient.id, at_us, cbor.encode(note)), entry_words(note)


def _patient(rng: random.Random, chair: int, number: int) -> Patient:
    letters = "23456789ABCDEFGHJKMNPQRSTWXYZ"
    return Patient(
        id=f"p{chair}-{number}",
        version=1,
        code="P-" + "".join(rng.choices(letters, k=4)) + "-" + "".join(rng.choices(letters, k=3)),
        given_name=rng.choice(GIVEN) + ("" if number % 3 else f" {rng.choice(GIVEN)}"),
        family_name=rng.choice(FAMILY) + ("" if number % 2 else f"-{rng.choice(FAMILY)}"),
        birth_date=f"{rng.randint(1930, 2020)}-{rng.randint(1, 12):02}-{rng.randint(1, 28):02}",
        simulated=True,
    )


def _timed(search: Callable[[Sequence[T], str], object], places: Sequence[T], query: str) -> float:
    began = time.perf_counter()
    search(places, query)
    return time.perf_counter() - began


def _like(files: Sequence[CipherFile], query: str) -> list[tuple[object, ...]]:
    """The same question by reading rows, with the same order and bounds."""
    runs = [f"% {' '.join(run)}%" for run in wanted(query)]
    where = " AND ".join("' ' || text LIKE ?" for _ in runs) or "0"
    sql = (
        "SELECT kind, entity, patient, visit, at_us FROM search_row "
        f"WHERE id BETWEEN ? AND ? AND {where} ORDER BY id DESC LIMIT {LIMIT}"
    )
    groups = [group_range(group) for group in GROUPS]
    return [row for file in files for group in groups for row in file.rows(sql, (*group, *runs))]


def _index(readers: Sequence[RecordReader], query: str) -> list[Hit]:
    return [hit for reader in readers for hit in reader.search.find(query, LIMIT)]


def _write(path: Path, key: bytes) -> tuple[float, float]:
    """Seconds for a durable note with what makes it found, and for a durable version alone; medians of 50."""
    record = Record.open(path, key, clock=SystemClock())
    patient = next(read_cbor(row[0], Patient) for row in record._file.rows("SELECT body FROM version LIMIT 1"))
    with_search, without = [], []
    for number in range(50):
        note = Note(id=f"w{number}", patient_id=patient.id, at_us=_BEGAN, text=SAID[number % 6])
        began = time.perf_counter()
        with record.transaction():
            record.entries.add(note, author="bench", at_us=_BEGAN)
        with_search.append(time.perf_counter() - began)
        began = time.perf_counter()
        with record.transaction():
            record._clinical.patients.save("x", patient, author="bench", reason="x", at_us=_BEGAN)
        without.append(time.perf_counter() - began)
    record.close()
    return sorted(with_search)[25], sorted(without)[25]
