"""A record, open to be read: in any process, while another writes it."""

from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

from core.model.alarm import Alarm, AlarmPriority
from core.model.note import Note
from core.model.people import Patient, VisitSummary
from core.model.procedure import ProcedureView
from core.model.wear import DaySummary, HubEvent
from core.model.words import Text
from core.record.attachments import AttachmentStore
from core.record.audit import AuditLog
from core.record.entries import EntryBook
from core.record.errors import NotARecord, NotFound, RecordDamaged
from core.record.evidence import (
    Cosignature,
    StoredCheckpoint,
    WitnessBook,
    checkpoints,
    cosignatures,
    current_origin,
)
from core.record.fits import stored_fits
from core.record.orders import journal_of
from core.record.schema import record_migrations
from core.record.search import SearchIndex
from core.record.signals import SignalReader
from core.record.sqlcipher import CipherFile
from core.record.types import (
    AuditEntry,
    AuditHead,
    Columns,
    DayRead,
    Erased,
    HubWear,
    LoggedEntry,
    Loss,
    PatientTimeline,
    Reading,
    RecordedChannel,
    RecordedMoment,
    RecordInfo,
    Span,
    StoredBlock,
    Turn,
    VerifyReport,
    page_of,
)
from core.record.verify import verify
from core.record.verify_evidence import Seen
from core.record.verify_log import has_evidence
from core.record.versions import Clinical, read_cbor
from core.record.wear import (
    days_of,
    days_worn_by,
    events_of,
    newest_events,
    readings,
    turns_of,
    wear_info,
)
from core.record.zoom import Zoom
from core.signals.clockmap import ClockFit

_LOG = """
SELECT at_us, kind, text, author FROM event
WHERE at_us < ? AND at_us >= coalesce((SELECT at_us FROM event WHERE at_us < ? ORDER BY at_us DESC LIMIT 1 OFFSET ?), 0)
ORDER BY at_us DESC, id DESC
"""
_SOURCES = "SELECT name FROM source WHERE id IN (SELECT source FROM stream) ORDER BY id"
"""Devices with samples; a hub's ledgers have names of their own."""


def _check_kind(file: CipherFile) -> None:
    """Raises NotARecord, or RecordDamaged for a file that was cut down to nothing."""
    if file.applied(record_migrations):
        return
    if file.rows("SELECT name FROM sqlite_master LIMIT 1"):
        raise NotARecord(f"{file.path} is not the record of a chair.", "Name a file such as chair-1.sqlite.")
    raise RecordDamaged(f"{file.path} holds nothing.", "Restore it from a backup.")


class RecordReader:
    """Reads one record; calls from several threads take turns. Each call is one short snapshot of the file.

    Every method may raise RecordDamaged.
    """

    def __init__(self, file: CipherFile) -> None:
        self._file = file
        self._signals = SignalReader(file)
        self._zoom = Zoom(file, self._signals)
        self._clinical = Clinical(file)
        self._audit = AuditLog(file)
        self.search = SearchIndex(file)
        self.attachments = AttachmentStore(file)
        about = file.row("SELECT chair FROM about")
        self.chair = int(about[0]) if about is not None else 0
        self.entries = EntryBook(file, self.chair)

    @classmethod
    def open(cls, path: Path, key: bytes) -> "RecordReader":
        """Raises RecordMissing, NotARecord, WrongKey, RecordDamaged, RecordNewer, RecordOlder, RecordReadOnly."""
        file = CipherFile.read(path, key)
        try:
            file.check_current(record_migrations)
            _check_kind(file)
            return cls(file)
        except BaseException:
            file.close()
            raise

    def close(self) -> None:
        self._file.close()

    @property
    def file(self) -> CipherFile:
        """The file itself, for what goes through all of its tables, as the plan of an erasure does."""
        return self._file

    def erased(self) -> list[Erased]:
        """Who was erased from this file, the newest first."""
        rows = self._file.rows("SELECT patient, author, reason, at_us FROM erasure ORDER BY id DESC")
        return [Erased(*row) for row in rows]

    def known_since(self, patient_id: str) -> int | None:
        """As a record says it."""
        return self._clinical.known_since(patient_id)

    def interrupt(self) -> None:
        """Break off what another thread reads; it raises Interrupted there."""
        self._file.interrupt()

    def __enter__(self) -> "RecordReader":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # signals

    def channels(self) -> list[RecordedChannel]:
        """What each channel number means in this record."""
        return self._signals.channels()

    def channel(self, key: str) -> RecordedChannel:
        """Raises NotFound."""
        return self._signals.channel(key)

    def spans(self, visit_id: str | None = None) -> list[Span]:
        """What the record holds of each channel, in one visit or in all."""
        with self._file.reading():
            return self._signals.spans(visit_id)

    def columns(self, channel: str, from_us: int, to_us: int, columns: int, visit_id: str | None = None) -> Columns:
        """One channel over [from_us, to_us), UTC µs, in `columns` columns of equal width.

        The cost follows from the columns asked for, not from the length of the range or of the record. A column's low
        and high never miss an extreme; from afar they may include what lies up to half a column beside it. Then gaps
        shorter than that may be left out; all others are told, to within a sample. When there are no more samples than
        columns, the samples themselves come back.

        Raises NotFound for a channel that the record does not know.
        """
        with self._file.reading():
            return self._zoom.columns(self._signals.channel(channel), from_us, to_us, columns, visit_id)

    def samples(
        self, source: str | None, channel: str, from_us: int | None = None, to_us: int | None = None
    ) -> Iterator[StoredBlock]:
        """Every sample: blocks that reach into the range, by source, boot and index. `source` None: all.

        Holds no snapshot between blocks; what is written meanwhile may or may not be included.
        """
        return self._signals.samples(source, channel, from_us, to_us)

    def losses(self) -> list[Loss]:
        """Frames that their source confirmed lost."""
        sql = "SELECT name, first, last, at_us FROM loss JOIN source ON source.id = source ORDER BY loss.id"
        return [Loss(*row) for row in self._file.rows(sql)]

    def clock_fits(self, source: str, boot: int) -> list[ClockFit]:
        """How hub time was mapped to UTC, oldest first."""
        return stored_fits(self._file, source, boot)

    # what a hub kept between visits

    def days(self, source: str) -> list[DaySummary]:
        """The newest summary of each day of a hub, in order of days."""
        return [one.summary for one in days_of(self._file, source)]

    def days_read(self, source: str) -> list[DayRead]:
        """The same, each with the moment when it was read."""
        return days_of(self._file, source)

    def readings(self, source: str) -> list[Reading]:
        """When summaries of a hub were read and brought news, in order."""
        return readings(self._file, source)

    def wear(self) -> list[HubWear]:
        """What there is of each hub, in the order in which the record met them."""
        return wear_info(self._file)

    def turns(self) -> dict[str, list[Turn]]:
        """By hub, who came with it and when, in order."""
        return turns_of(self._file)

    def days_worn_by(self, patient_id: str) -> dict[str, list[DaySummary]]:
        """By hub, the days on which this patient wore it as far as this file knows; `at_home` looks at all files."""
        with self._file.reading():
            return days_worn_by(self._file, [visit.id for visit in self.visits(patient_id)])

    def hub_events(self, source: str) -> list[HubEvent]:
        """What a hub says has happened, in its order."""
        return events_of(self._file, source)

    def newest_hub_events(self, source: str) -> Iterator[HubEvent]:
        """The same, the newest first; what nobody takes is not read."""
        return newest_events(self._file, source)

    def hub_journal(self, source: str) -> list[bytes]:
        """The entries of a hub's journal, verbatim, in their order."""
        return journal_of(self._file, source)

    # people and visits

    def patients(self) -> list[Patient]:
        """The newest version of each, by name."""
        return sorted(
            self._clinical.patients.all_newest(), key=lambda patient: (patient.family_name, patient.given_name)
        )

    def patient(self, patient_id: str) -> Patient | None:
        return self._clinical.patients.newest(patient_id)

    def patient_history(self, patient_id: str) -> list[Patient]:
        """Every version, the first one first."""
        return self._clinical.patients.history(patient_id)

    def visits(self, patient_id: str | None = None) -> list[VisitSummary]:
        """The newest version of each visit, the latest visit first."""
        return self._clinical.visits_of(patient_id)

    def last_visit(self, patient_id: str) -> VisitSummary | None:
        """The patient's newest visit in this file."""
        sql = "SELECT entity FROM search_row WHERE patient = ? AND kind = 'visit' ORDER BY at_us DESC LIMIT 1"
        row = self._file.row(sql, (patient_id,))
        return self.visit(row[0]) if row is not None else None

    def visit(self, visit_id: str) -> VisitSummary | None:
        return self._clinical.visits.newest(visit_id)

    def timeline(self, patient_id: str) -> PatientTimeline:
        """A patient and their visits in this file. Raises NotFound."""
        with self._file.reading():
            patient = self.patient(patient_id)
            if patient is None:
                raise NotFound("This record does not know the patient.", "Look in the records of the other chairs.")
            return PatientTimeline(patient, tuple(self.visits(patient_id)))

    def procedure(self, visit_id: str) -> ProcedureView | None:
        """The procedure as it stood last."""
        return self._clinical.procedures.newest(visit_id)

    def procedure_history(self, visit_id: str) -> list[ProcedureView]:
        """Every state the procedure was saved in, the first one first."""
        return self._clinical.procedures.history(visit_id)

    def alarms(self) -> list[Alarm]:
        """The newest state of each, in order of onset."""
        return sorted(self._clinical.alarms.all_newest(), key=lambda alarm: alarm.began_us)

    # what happened

    def moments(self, visit_id: str) -> list[RecordedMoment]:
        """Events of a visit, and the alarms that began while it lasted, in order of time."""
        with self._file.reading():
            sql = "SELECT at_us, kind, text, voice, author, data FROM event WHERE visit = ? ORDER BY at_us, id"
            found = [
                RecordedMoment(at_us, kind, read_cbor(text, Text), voice, author, data)
                for at_us, kind, text, voice, author, data in self._file.rows(sql, (visit_id,))
            ]
            visit = self.visit(visit_id)
            if visit is not None:
                end = visit.ended_us if visit.ended_us is not None else 1 << 62
                found += [
                    RecordedMoment(alarm.began_us, "alarm", alarm.text, "device")
                    for alarm in self.alarms()
                    if visit.began_us <= alarm.began_us <= end
                ]
        return sorted(found, key=lambda moment: moment.at_us)

    def happened(self, from_us: int, to_us: int) -> list[RecordedMoment]:
        """Events of [from_us, to_us), UTC µs, of whatever visit, in order of time; without alarms."""
        sql = (
            "SELECT at_us, kind, text, voice, author, data FROM event WHERE at_us >= ? AND at_us < ? ORDER BY at_us, id"
        )
        return [
            RecordedMoment(at_us, kind, read_cbor(text, Text), voice, author, data)
            for at_us, kind, text, voice, author, data in self._file.rows(sql, (from_us, to_us))
        ]

    def event_text(self, event_id: str) -> Text | None:
        row = self._file.row("SELECT text FROM event WHERE id = ?", (event_id,))
        return read_cbor(row[0], Text) if row is not None else None

    def log(self, before_us: int | None = None, limit: int = 100) -> list[LoggedEntry]:
        """Alarms and events before a time, newest first: `limit` of them, and those of the same time as the last."""
        before = 1 << 62 if before_us is None else before_us
        with self._file.reading():
            found = [
                LoggedEntry(at_us, "command" if kind.startswith("command") else "event", read_cbor(text, Text), author)
                for at_us, kind, text, author in self._file.rows(_LOG, (before, before, limit - 1))
            ]
            found += [_logged(alarm) for alarm in self.alarms() if alarm.began_us < before]
        return list(page_of(sorted(found, key=lambda entry: entry.at_us, reverse=True), limit))

    def audit_entries(self, start: int = 0, limit: int = 1000) -> list[AuditEntry]:
        """Audit entries from number `start` on."""
        return self._audit.entries(start, limit)

    def audit_head(self) -> AuditHead:
        """Size of the audit log and the RFC 9162 tree hash over it."""
        return self._audit.head()

    # evidence

    @property
    def origin(self) -> str:
        """The name of this record's audit log."""
        return current_origin(self._file, str((self._file.row("SELECT id FROM about") or ("",))[0]))

    def checkpoints(self) -> list[StoredCheckpoint]:
        """Signed checkpoints of the audit log, in order. Raises NoteRefused."""
        return checkpoints(self._file) if has_evidence(self._file) else []

    def cosignatures(self, checkpoint: int) -> list[Cosignature]:
        """Below one checkpoint; of each witness the newest. Raises NoteRefused."""
        return cosignatures(self._file, checkpoint)

    def witnessed(self, origin: str) -> Note | None:
        """The last checkpoint of another log that this record countersigned. Raises NoteRefused."""
        return WitnessBook(self._file, "").seen(origin) if has_evidence(self._file) else None

    def inclusion(self, sequence: int, size: int) -> list[bytes]:
        """RFC 9162 proof that an entry is among the first `size`. Raises ValueError."""
        return self._audit.tree.inclusion(sequence, size)

    def consistency(self, old: int, size: int) -> list[bytes]:
        """RFC 9162 proof that the first `size` entries begin with the first `old`. Raises ValueError."""
        return self._audit.tree.consistency(old, size)

    # the file

    def info(self) -> RecordInfo:
        """The record at a glance."""
        with self._file.reading():
            about = self._file.row("SELECT id, chair, simulated, created_us FROM about")
            if about is None:
                raise RecordDamaged(f"{self._file.path} does not say whose record it is.", "Restore it from a backup.")
            spans = self._signals.spans(None)
            blocks, samples = self._signals.totals()
            return RecordInfo(
                path=str(self._file.path),
                id=about[0],
                chair=about[1],
                simulated=bool(about[2]),
                created_us=about[3],
                schema=self._file.applied(record_migrations)[-1],
                size_bytes=self._file.path.stat().st_size,
                sources=tuple(row[0] for row in self._file.rows(_SOURCES)),
                patients=self._clinical.patients.count(),
                visits=self._clinical.visits.count(),
                events=int((self._file.row("SELECT count(*) FROM event") or (0,))[0]),
                alarms=self._clinical.alarms.count(),
                audit=self._audit.head(),
                blocks=blocks,
                samples=samples,
                losses=tuple(self.losses()),
                from_us=min((span.from_us for span in spans), default=None),
                to_us=max((span.to_us for span in spans), default=None),
                channels=tuple(spans),
                wear=tuple(self.wear()),
            )

    def verify(self, *, roots: Collection[bytes] | None = None, seen: Sequence[Seen] = ()) -> VerifyReport:
        """Check every page, block, sample count and audit entry. Never raises for damage: the report tells.

        Args:
            roots: kids of the roots that the practice ever had; None: not known, and any is taken and named.
            seen: what others keep of this log, from their `witnessed`.
        """
        return verify(self._file, roots=roots, seen=seen)


def _logged(alarm: Alarm) -> LoggedEntry:
    lasted = None if alarm.ended_us is None else (alarm.ended_us - alarm.began_us) / 1_000_000
    return LoggedEntry(
        alarm.began_us, "alarm", alarm.text, alarm.acknowledged_by or "", int(AlarmPriority(alarm.priority)), lasted
    )
