"""A data folder with real encrypted files of two chairs and a practice, and somebody whom a search would find."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from core.backup.making import Source, make_backup
from core.backup.vault import Vault, draw_sheet, take_sheet
from core.model.block import Provenance, SampleBlock
from core.model.clinical import AdverseEvent, Attachment, Note, Severity
from core.model.clock import ManualClock
from core.model.people import Operator, Patient, Role, VisitSummary
from core.model.wear import DAY_US, ChannelDay, DaySummary, HubEvent
from core.model.words import Text
from core.record import PracticeFile, Record, RecordReader, StampedBlock
from core.record.attachments import described, pieces

UTC0 = 1_800_000_000_000_000
KEYS = {"chair-1.sqlite": b"1" * 32, "chair-2.sqlite": b"2" * 32, "practice.sqlite": b"p" * 32}
ZEB = Patient(
    id="pat-zeb",
    version=1,
    code="P-Z",
    given_name="Zebulonius",
    family_name="Quackenbush",
    birth_date="1971-02-03",
    phone="0665544332",
    notes="afraid of xylophones",
)
BO = Patient(id="pat-bo", version=1, code="P-B", given_name="Boswell", family_name="Lund", birth_date="1980-02-03")
DENTIST = Operator(id="op-ada", name="Dr. Ada Moor", role=Role.DENTIST, demo=True)
WORDS = (b"Zebulonius", b"Quackenbush", b"0665544332", b"xylophones", b"gargoyle", b"hippogriff", b"mandrake")
"""What only stands where something of Zeb does: name, notes, a note's words, a file's, an event's."""
PH, HUB = 2, "SH-0001"
DAY0 = UTC0 // DAY_US


def samples_of(patient: Patient) -> np.ndarray[tuple[int], np.dtype[np.int16]]:
    """Noise that no codec shortens and no other has."""
    seed = sum(patient.id.encode())
    return np.random.default_rng(seed).integers(-30000, 30000, 6000).astype(np.int16)


@dataclass
class Premises:
    """The folder, its files' keys, and a sheet that opens its backups."""

    root: Path
    clock: ManualClock
    sheet: bytes
    lines: list[str]

    def path(self, name: str) -> Path:
        return self.root / name

    @property
    def sources(self) -> list[Source]:
        return [Source(self.root / name, key) for name, key in KEYS.items()]

    def practice(self) -> PracticeFile:
        return PracticeFile.open(self.path("practice.sqlite"), KEYS["practice.sqlite"], clock=self.clock)

    def record(self, chair: int) -> Record:
        name = f"chair-{chair}.sqlite"
        return Record.open(self.path(name), KEYS[name], clock=self.clock)

    def reader(self, chair: int) -> RecordReader:
        name = f"chair-{chair}.sqlite"
        return RecordReader.open(self.path(name), KEYS[name])

    def backup(self, place: Path) -> Path:
        practice = self.practice()
        try:
            return make_backup(
                place, self.sources, practice, clock=self.clock, simulated=False, scratch=self.root / "runtime"
            )
        finally:
            practice.close()

    def vault(self, place: Path) -> Vault:
        return Vault.read(place, self.sheet)


def premises(root: Path) -> Premises:
    (root / "runtime").mkdir(parents=True)
    clock = ManualClock(utc_us=UTC0)
    practice = PracticeFile.create(root / "practice.sqlite", KEYS["practice.sqlite"], clock=clock)
    practice.add_operator(DENTIST, "")
    seed, lines = draw_sheet()
    take_sheet(practice.keys, seed, author=DENTIST.id)
    practice.close()
    for chair in (1, 2):
        name = f"chair-{chair}.sqlite"
        record = Record.create(root / name, KEYS[name], chair=chair, simulated=False, clock=clock)
        visit(record, BO, 10 * chair)
        visit(record, ZEB, 10 * chair + 5)
        record.close()
    return Premises(root, clock, seed, lines)


def visit(record: Record, patient: Patient, on: int) -> str:
    """A whole visit with all that a record can hold of it; returns its id."""
    mine = patient is ZEB
    at_us = (DAY0 + on) * DAY_US
    one = VisitSummary(
        id=f"{patient.id}-{on}",
        patient_id=patient.id,
        code=f"V-{on}",
        chair=record.chair,
        began_us=at_us,
        ended_us=None,
        state="open",
        title_key="",
    )
    book = record.entries
    who = patient.id
    file = described(
        Attachment(id=f"file-{one.id}", name="x.txt", patient_id=who, visit_id=one.id, at_us=at_us),
        b"hippogriff" if mine else b"horse",
    )
    values = samples_of(patient)
    block = SampleBlock(PH, 1, 100_000 * on, at_us - UTC0, 100_000, values, Provenance.LIVE)
    day = DaySummary(
        day=DAY0 + on,
        worn_s=3600 + on,
        acid_s=60,
        attacks=1,
        channels=(ChannelDay(channel=2, count=10, low=-5, high=5, sum=0),),
    )
    with record.transaction():
        record.save_patient(patient, author=DENTIST.id, reason="added", at_us=at_us)
        record.begin_visit(one)
        record.worn(HUB, one.id, at_us)
        record.add_blocks(HUB, [StampedBlock(block, at_us)], one.id)
        book.add(
            Note(
                id=f"note-{one.id}", text="gargoyle" if mine else "gnome", patient_id=who, visit_id=one.id, at_us=at_us
            ),
            author="op",
            at_us=at_us,
        )
        adverse = AdverseEvent(
            id=f"adverse-{one.id}",
            text="mandrake" if mine else "mint",
            severity=Severity.MILD,
            patient_id=who,
            visit_id=one.id,
            at_us=at_us,
        )
        book.add(adverse, author="op", at_us=at_us)
        for number, piece in enumerate(pieces(b"hippogriff" if mine else b"horse")):
            record.attachments.put(file.id, number, piece)
        book.add(file, author="op", at_us=at_us)
        said = Text("log.mark", {"text": "gargoyle" if mine else "gnome"})
        record.add_event("mark", said, at_us=at_us, visit_id=one.id, author="op", data=b"gargoyle" if mine else b"")
        event = HubEvent(number=on, utc_s=at_us // 1_000_000, boot=1, hub_time_us=5, kind=3, value=0)
        record.add_wear(HUB, [day], [event], read_us=at_us + DAY_US)
        body = {"visit": one.id, "patient": patient.id}
        record.audit("visit.begun", actor=DENTIST.id, at_us=at_us, body=body)
        record.end_visit(one.id, at_us + 900_000_000, "complete", (), "")
    return one.id


def decrypted(path: Path, key: bytes) -> bytes:
    """Every page of a SQLCipher file in the clear, also those that are free; and of its write-ahead log."""
    found = [_pages(path.read_bytes(), key, 0, 16384)]
    log = path.with_name(path.name + "-wal")
    if log.exists():
        found.append(_pages(log.read_bytes()[32:], key, 24, 16384 + 24))
    return b"".join(found)


def _pages(data: bytes, key: bytes, header: int, step: int) -> bytes:
    plain = []
    for at in range(0, len(data), step):
        page = data[at + header : at + step]
        iv, first = page[-80:-64], 16 if at == 0 and not header else 0
        decryptor = Cipher(algorithms.AES256(key), modes.CBC(iv)).decryptor()
        plain.append(decryptor.update(page[first:-80]))
    return b"".join(plain)
