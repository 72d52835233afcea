"""One chair's record, open for writing."""

import contextlib
import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import filelock
import msgspec

from core.model import cbor
from core.model.alarm import Alarm, AlarmState
from core.model.clock import Clock
from core.model.ids import new_id
from core.model.people import Patient, VisitSummary
from core.model.plugins import FIRST_NUMBER
from core.model.procedure import ProcedureView
from core.model.wear import DaySummary, HubEvent
from core.model.words import Text
from core.record.attachments import AttachmentStore
from core.record.audit import AuditLog
from core.record.blocks import BlockStore
from core.record.charted import write_entries
from core.record.compaction import Compactor, Packed, Task
from core.record.entries import EntryBook
from core.record.errors import (
    ChannelChanged,
    NotFound,
    RecordBusy,
    RecordError,
    RecordMissing,
    StaleVersion,
)
from core.record.evidence import CheckpointBook, WitnessBook, mark_restored
from core.record.fits import stored_fits
from core.record.orders import OrderBook
from core.record.schema import record_migrations
from core.record.search import SearchIndex, patient_words, visit_words
from core.record.sequences import SequenceBook
from core.record.sqlcipher import CipherFile, of_system
from core.record.types import AuditEntry, RecordedChannel, StampedBlock
from core.record.versions import Clinical, utc_offset_s
from core.record.wear import WearBook
from core.signals.catalogue import Catalogue, load_catalogue
from core.signals.clockmap import ClockFit

_log = logging.getLogger(__name__)

OPEN = "open"
"""State of a visit that has not ended."""


class Record:
    """Reads and writes one chair's file, from one thread at a time.

    Everything that changes the file stands inside `with record.transaction():`, which is one durable commit: when the
    block has ended, it survives a crash of program and machine; when an exception left it, nothing of it happened.
    Only one program has a record open for writing; any number read it meanwhile. What clinicians write is in `entries`,
    the bytes of files in `attachments`; both are written inside a transaction, too.

    Every method may raise DiskFull, RecordDamaged or RecordReadOnly.
    """

    def __init__(self, file: CipherFile, lock: filelock.BaseFileLock, clock: Clock, catalogue: Catalogue) -> None:
        self._file = file
        self._lock = lock
        self._clock = clock
        self._blocks = BlockStore(file)
        self._sequences = SequenceBook(file, self._blocks)
        self._wear = WearBook(file, self._blocks.source)
        self.orders = OrderBook(file, self._blocks.source)
        self._compactor = Compactor(file, self._blocks.tail)
        self._clinical = Clinical(file)
        self._audit = AuditLog(file)
        self._search = SearchIndex(file)
        self._refused: set[int] = set()
        with self.transaction():
            self._describe_channels(catalogue)
        row = file.row("SELECT id, chair, simulated FROM about")
        if row is None:
            raise NotFound(f"{file.path} is not a record of a chair.", "Open one that is.")
        self.id: str = row[0]
        self.chair: int = row[1]
        self.simulated = bool(row[2])
        self.checkpoints = CheckpointBook(file, self._audit, self.id)
        self.witness = WitnessBook(file, self.id)
        self.entries = EntryBook(file, self.chair)
        self.attachments = AttachmentStore(file)

    @classmethod
    def create(
        cls,
        path: Path,
        key: bytes,
        *,
        chair: int,
        simulated: bool,
        clock: Clock,
        catalogue: Catalogue | None = None,
    ) -> "Record":
        """Make a new record with a key of 32 random bytes.

        Raises RecordExists, RecordMissing (no such folder), RecordBusy, RecordReadOnly, DiskFull.
        """
        lock = writer_lock(path)
        try:

            def fill(file: CipherFile) -> None:
                file.migrate(record_migrations)
                file.execute(
                    "INSERT INTO about (id, chair, simulated, created_us) VALUES (?, ?, ?, ?)",
                    (new_id(), chair, int(simulated), clock.utc_us()),
                )

            file = CipherFile.create(path, key, fill)
            try:
                return cls(file, lock, clock, catalogue or load_catalogue())
            except BaseException:
                file.close()
                raise
        except BaseException:
            lock.release()
            raise

    @classmethod
    def open(cls, path: Path, key: bytes, *, clock: Clock, catalogue: Catalogue | None = None) -> "Record":
        """Open a record and bring its schema up to date.

        Raises RecordMissing, WrongKey, RecordDamaged, RecordNewer, RecordReadOnly, RecordBusy, ChannelChanged.
        """
        CipherFile.read(path, key).close()  # a wrong key or a damaged file is reported before anything is touched
        lock = writer_lock(path)
        try:
            file = CipherFile.open(path, key)
            try:
                file.migrate(record_migrations)
                return cls(file, lock, clock, catalogue or load_catalogue())
            except BaseException:
                file.close()
                raise
        except BaseException:
            lock.release()
            raise

    @property
    def path(self) -> Path:
        return self._file.path

    @property
    def file(self) -> CipherFile:
        """The file itself, for what goes through all of its tables, as an erasure does."""
        return self._file

    @contextlib.contextmanager
    def transaction(self) -> Iterator[None]:
        """One durable commit. Nested blocks belong to the outermost; one that fails takes everything with it."""
        if self._file.in_transaction:
            yield
            return
        try:
            with self._file.transaction():
                yield
                self._blocks.flush()
        except BaseException:
            self.forget()
            raise

    def forget(self) -> None:
        """Read everything anew when it is needed; what is being packed is void."""
        self._blocks.forget()
        self._sequences.forget()
        self._compactor.forget()

    def reread(self) -> None:
        """Within a transaction in which rows go that are remembered: what waits is written, then all is forgotten."""
        self._blocks.flush()
        self.forget()

    def close(self) -> None:
        """Compact what is left and close; the file then stands alone. Safe to call twice."""
        try:
            if self._lock.is_locked:
                with contextlib.suppress(RecordError):  # raw samples are as safe; a full disk must not keep it open
                    self.compact(settle=True)
                    with self.transaction():
                        self._blocks.tail.close()
                    self._file.shrink()
        finally:
            self._file.close()
            self._lock.release()

    # signals

    def add_blocks(self, source: str, blocks: Sequence[StampedBlock], visit_id: str | None) -> int:
        """Store what is new of `blocks`, in whatever order they come; returns the samples newly stored.

        A sample is known by (source, boot, channel, index); the first to arrive is kept. Those of a plug-in's channel
        whose number means another one in this record are left out.
        """
        self._must_write()
        sound = [item for item in blocks if item.block.channel not in self._refused] if self._refused else blocks
        return self._blocks.add(source, sound, visit_id)

    def describe_channel(self, channel: RecordedChannel) -> None:
        """Write down what a number beyond the catalogue's means. Raises ChannelChanged: here it means another."""
        self._must_write()
        row = self._file.row("SELECT number, key, unit, scale, zero FROM channel WHERE number = ?", (channel.number,))
        if row is None:
            self._file.execute(
                "INSERT INTO channel (number, key, unit, scale, zero) VALUES (?, ?, ?, ?, ?)",
                (channel.number, channel.key, channel.unit, channel.scale, channel.offset),
            )
        elif RecordedChannel(*row) != channel:
            raise ChannelChanged(
                f"Channel {channel.number} was recorded as {row[1:]}, now it would be {channel}.",
                "Give the changed channel a number of its own.",
            )

    def begin_frames(self, source: str, first: int) -> None:
        """What a source that is new here made before frame `first` belongs elsewhere; otherwise nothing changes."""
        self._must_write()
        self._sequences.begin(source, first)

    def add_sequences(self, source: str, ranges: Iterable[tuple[int, int]]) -> None:
        """Frames of these half-open ranges are in the record: to be said in the transaction that adds their blocks."""
        self._must_write()
        self._sequences.add(source, ranges)

    def resume_point(self, source: str) -> int | None:
        """Highest frame up to which every one is committed, confirmed lost, or belongs elsewhere."""
        return self._sequences.resume_point(source)

    def missing_sequences(self, source: str, first: int, last: int) -> list[tuple[int, int]]:
        """Ranges of frames within `first` to `last` that are neither committed nor lost; both ends included."""
        return self._sequences.missing(source, first, last)

    def add_loss(self, source: str, first_seq: int, last_seq: int, at_us: int) -> None:
        """The source confirmed that it no longer holds these frames, both ends included."""
        self._must_write()
        self._sequences.add_loss(source, first_seq, last_seq, at_us)

    def save_clock_fit(self, source: str, boot: int, fit: ClockFit) -> None:
        self._must_write()
        self._file.execute(
            "INSERT INTO clock_fit (source, boot, fit) VALUES (?, ?, ?)",
            (self._blocks.source(source), boot, cbor.encode(fit)),
        )

    def newest_us(self, source: str, before_boot: int) -> int:
        """UTC µs one period past the newest sample of a source's earlier boots; 0 when there is none."""
        return self._blocks.newest_us(source, before_boot)

    def clock_fits(self, source: str, boot: int) -> list[ClockFit]:
        """Every fit of that boot, oldest first, to go on from after a restart."""
        return stored_fits(self._file, source, boot)

    def compact(self, *, settle: bool = False) -> int:
        """Move raw blocks into compressed ones, and those into large ones that stay; returns how many it wrote.

        Cheap when there is little to do, bounded in work, and a commit of its own outside a transaction. `settle`
        leaves nothing raw and nothing that would be written anew, in as many such commits as that takes.
        """
        written = 0
        while task := self.plan_compaction(settle=settle):
            packed = task.pack()
            with self.transaction():
                written += self.store_compacted(packed)
            if not settle:
                break
        return written

    def plan_compaction(self, *, settle: bool = False) -> Task | None:
        """The same in three steps, of which the second is most of the work and may go on in another thread while
        samples are committed: `task.pack()`. What comes of it goes to `store_compacted`.
        """
        if self._file.in_transaction:
            self._blocks.flush()
        with self._file.reading():
            return self._compactor.plan(self._clock.utc_us(), everything=settle)

    def store_compacted(self, packed: Packed) -> int:
        """Write it, inside a transaction; returns the blocks written. Nothing if another task was planned since."""
        self._must_write()
        return self._compactor.store(packed)

    # what a hub kept between visits

    def add_wear(self, source: str, days: Sequence[DaySummary], events: Sequence[HubEvent], *, read_us: int) -> None:
        """Keep summaries (of a day that is known, the newest counts) and events (each once)."""
        self._must_write()
        self._wear.add(source, days, events, read_us)

    def worn(self, source: str, visit_id: str, at_us: int) -> None:
        """The patient of this visit wears the hub."""
        self._must_write()
        self._wear.worn(source, visit_id, at_us)

    # people and visits

    def save_patient(self, patient: Patient, *, author: str, reason: str, at_us: int) -> Patient:
        """Store a version of a patient's identity and return it with its number; unchanged, nothing is stored.

        Raises:
            StaleVersion: `patient` was read before the newest version was written.
        """
        self._must_write()
        newest = self._clinical.patients.newest(patient.id)
        if newest is not None:
            if msgspec.structs.replace(patient, version=newest.version) == newest:
                return newest
            if patient.version < newest.version:
                raise StaleVersion(
                    f"{newest.name} was changed meanwhile (version {newest.version}).",
                    "Open the patient again and repeat the change.",
                )
            patient = msgspec.structs.replace(patient, version=max(patient.version, newest.version + 1))
        self._clinical.patients.save(
            patient.id, patient, author=author, reason=reason, at_us=at_us, version=patient.version
        )
        self._search.put(patient_words(patient, at_us))
        return patient

    def patients(self) -> list[Patient]:
        """The newest version of each, by name."""
        return sorted(
            self._clinical.patients.all_newest(), key=lambda patient: (patient.family_name, patient.given_name)
        )

    def patient(self, patient_id: str) -> Patient | None:
        return self._clinical.patients.newest(patient_id)

    def known_since(self, patient_id: str) -> int | None:
        """When the newest visit in this file began, or the newest version was written; None: not known here."""
        return self._clinical.known_since(patient_id)

    def begin_visit(self, visit: VisitSummary, *, author: str = "", reason: str = "begun") -> None:
        self._must_write()
        self._save_visit(visit, author=author, reason=reason, at_us=visit.began_us)

    def end_visit(
        self,
        visit_id: str,
        ended_us: int,
        state: str,
        teeth: Sequence[int],
        title_key: str,
        *,
        mdas: int | None = None,
        author: str = "",
        reason: str = "ended",
    ) -> VisitSummary:
        """Raises NotFound."""
        self._must_write()
        visit = self._clinical.visits.newest(visit_id)
        if visit is None:
            raise NotFound(f"There is no visit {visit_id}.", "Begin the visit first.")
        ended = msgspec.structs.replace(
            visit,
            ended_us=ended_us,
            state=state,
            teeth=tuple(teeth),
            title_key=title_key,
            mdas=visit.mdas if mdas is None else mdas,
        )
        self._save_visit(ended, author=author, reason=reason, at_us=ended_us)
        return ended

    def open_visit(self) -> VisitSummary | None:
        """The visit that has not ended."""
        return next((visit for visit in self.visits(None) if visit.state == OPEN), None)

    def visits(self, patient_id: str | None) -> list[VisitSummary]:
        """The newest version of each visit, of one patient or of all, the latest visit first."""
        return self._clinical.visits_of(patient_id)

    def visit(self, visit_id: str) -> VisitSummary | None:
        """Its newest version."""
        return self._clinical.visits.newest(visit_id)

    def save_procedure(self, view: ProcedureView, *, author: str, at_us: int, reason: str = "") -> None:
        """Keep one more state of a visit's procedure, and the plan, consent, steps and findings that are new in it."""
        self._must_write()
        write_entries(self.entries, self.procedure(view.visit_id), view, author=author, at_us=at_us)
        self._clinical.procedures.save(
            view.visit_id, view, author=author, reason=reason or view.step, at_us=at_us, owner=view.patient_id
        )

    def procedure(self, visit_id: str) -> ProcedureView | None:
        return self._clinical.procedures.newest(visit_id)

    def save_alarm(self, alarm: Alarm, *, author: str = "", at_us: int | None = None) -> None:
        """Keep one more state of an alarm."""
        self._must_write()
        at = self._clock.utc_us() if at_us is None else at_us
        self._clinical.alarms.save(alarm.id, alarm, author=author, reason=alarm.state, at_us=at)

    def alarms(self, *, active: bool = False) -> list[Alarm]:
        """The newest state of each alarm, in order of onset; only those that have not ended when `active`."""
        found = self._clinical.alarms.all_newest()
        kept = [alarm for alarm in found if not active or alarm.state is not AlarmState.ENDED]
        return sorted(kept, key=lambda alarm: alarm.began_us)

    # what happened

    def add_event(
        self,
        kind: str,
        text: Text,
        *,
        at_us: int,
        visit_id: str | None,
        author: str,
        voice: str = "staff",
        data: bytes = b"",
    ) -> str:
        """Store something that happened and return its id. `voice`: `patient`, `staff` or `device`."""
        self._must_write()
        identity = new_id()
        self._file.execute(
            "INSERT INTO event (id, kind, text, at_us, utc_offset_s, visit, author, voice, data) "
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (identity, kind, cbor.encode(text), at_us, utc_offset_s(at_us), visit_id, author, voice, data),
        )
        self._search.put_event(identity, kind, text, at_us=at_us, visit=visit_id, voice=voice)
        return identity

    def audit(self, kind: str, *, actor: str, at_us: int, body: Mapping[str, object]) -> AuditEntry:
        """Append to the audit log, in the same commit as what it tells of."""
        self._must_write()
        return self._audit.append(kind, actor=actor, at_us=at_us, body=body)

    def restored(self, backup: str, made_us: int, *, author: str, at_us: int, missing: int = 0) -> None:
        """Say that this file came from a backup on purpose: its log goes on under another name.

        Args:
            backup, made_us: which one, and when it was made, UTC µs.
            missing: how many patients of it had been erased since.
        """
        self._must_write()
        mark_restored(self._file, self.id, backup, made_us, author=author, at_us=at_us)
        self.checkpoints = CheckpointBook(self._file, self._audit, self.id)
        body = {"backup": backup, "made_us": made_us, "missing": missing, "origin": self.checkpoints.origin}
        self.audit("record.restored", actor=author, at_us=at_us, body=body)
        said = Text("log.record.restored", {"backup": backup})
        self.add_event("restored", said, at_us=at_us, visit_id=None, author=author)

    # inside

    def _must_write(self) -> None:
        if not self._file.in_transaction:
            raise RuntimeError("A record is changed inside `with record.transaction():` only.")

    def _save_visit(self, visit: VisitSummary, *, author: str, reason: str, at_us: int) -> None:
        self._clinical.visits.save(visit.id, visit, author=author, reason=reason, at_us=at_us, owner=visit.patient_id)
        self._search.put(visit_words(visit))

    def _describe_channels(self, catalogue: Catalogue) -> None:
        """Write down what each number means; the file then explains itself.

        Raises:
            ChannelChanged: our own catalogue disagrees with what was recorded.
        """
        rows = self._file.rows("SELECT number, key, unit, scale, zero FROM channel")
        known = {row[0]: tuple(row[1:]) for row in rows}
        for spec in catalogue:
            ours = (spec.key, spec.unit, spec.scale, spec.offset)
            if spec.number not in known:
                self._file.execute(
                    "INSERT INTO channel (number, key, unit, scale, zero) VALUES (?, ?, ?, ?, ?)", (spec.number, *ours)
                )
            elif known[spec.number] != ours and spec.number >= FIRST_NUMBER:
                # Another plug-in had this number once. That must not keep anybody from the record.
                _log.error("Channel %d was recorded as %s: no %s is.", spec.number, known[spec.number], spec.key)
                self._refused.add(spec.number)
            elif known[spec.number] != ours:
                raise ChannelChanged(
                    f"Channel {spec.number} was recorded as {known[spec.number]}, the catalogue says {ours}.",
                    "Give the changed channel a number of its own in channels.toml.",
                )


def writer_lock(path: Path) -> filelock.BaseFileLock:
    """The lock of the one writer; the operating system frees it when the process dies."""
    if not path.parent.is_dir():  # the lock would make the folder
        raise RecordMissing(f"The folder {path.parent} does not exist.", "Make it, or choose another.")
    lock = filelock.FileLock(str(path) + ".lock", thread_local=False)  # another thread may close the record
    try:
        lock.acquire(timeout=0)
    except filelock.Timeout:
        raise RecordBusy(f"{path} is open in another program.", "Close that one first.") from None
    except OSError as error:
        raise of_system(error, path.parent) from error
    return lock
