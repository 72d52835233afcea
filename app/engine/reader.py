"""Serves reads from the chairs' records: what the reader process does. Holds the keys; knows no engine and no loop."""

from collections.abc import Callable

from app.engine.export_work import ExportWork
from app.engine.import_work import Emit, unheard
from app.engine.open_records import OpenRecords, Refuse, target_file, target_folder
from app.engine.reader_wire import JobRequest, ReaderSetup, ReadRequest
from app.engine.visit_report import views_sheet, visit_report
from app.ipc.access_messages import ListViews, PrintViews, Views
from app.ipc.backup_messages import ErasedPatient, ListOverdue, Overdue, OverduePatient
from app.ipc.clinical_messages import (
    AttachmentData,
    ReadAttachment,
    SaveAttachment,
    SearchHits,
    SearchRecords,
)
from app.ipc.messages import (
    ChannelSpan,
    Done,
    GetTimeline,
    GetVisit,
    ListLog,
    ListPatients,
    LogEntry,
    LogPage,
    MakeReport,
    Moment,
    Patients,
    RangeData,
    ReadRange,
    Reply,
    ReportMade,
    Timeline,
    Trace,
    VisitDetail,
)
from app.ipc.refusals import as_refused
from core.backup.overdue import overdue
from core.backup.retention import load_retention
from core.model.clinical import Attachment, EntryVersion
from core.model.clock import SystemClock
from core.model.people import Patient, VisitSummary
from core.model.progress import Watch, unwatched
from core.people.charting import without_repeats
from core.people.views import looked_at
from core.record import NotFound, RecordReader
from core.record.attachments import write_copy
from core.record.search_all import search_all
from core.record.types import Erased, page_of

MAX_COLUMNS = 20_000
MAX_CHANNELS = 64
MAX_LOG = 500
MAX_QUERY = 200


class ReadDesk:
    """Answers each request; opens a record when it is first needed. Used from one thread."""

    def __init__(self, setup: ReaderSetup) -> None:
        self._records = OpenRecords(setup)
        self._work = ExportWork(self._records)

    def serve(self, request: ReadRequest | JobRequest, watch: Watch = unwatched, emit: Emit = unheard) -> Reply:
        """Never raises: what goes wrong is the answer. A job calls `watch` as it goes on, which may end it; what is
        taken in from a file goes out by `emit`."""
        try:
            if isinstance(request, JobRequest):
                return self._work.serve(request, watch, emit)
            return self._serve(request)
        except Refuse as no:
            return no.refused
        except Exception as error:
            return as_refused(error)

    def search(self, request: SearchRecords, cancelled: Callable[[], bool] = lambda: False) -> Reply:
        """As `serve`; broken off by `interrupt`, or once `cancelled` says so."""
        try:
            hits = search_all(self._records.every(), request.query[:MAX_QUERY], cancelled=cancelled)
        except Refuse as no:
            return no.refused
        except Exception as error:
            return as_refused(error)
        return SearchHits(query=request.query, hits=hits)

    def interrupt(self) -> None:
        """Break off what another thread reads here."""
        self._records.interrupt()

    def close(self) -> None:
        self._records.close()

    def sweep(self) -> None:
        """From another thread, before the process ends: take away what a job has begun."""
        self._work.sweep()

    def _serve(self, request: ReadRequest) -> Reply:
        match request:
            case GetTimeline():
                return self._timeline(request.patient_id)
            case GetVisit():
                return self._visit(request)
            case ReadRange():
                return self._range(request)
            case ListLog():
                return self._log(request)
            case MakeReport():
                return self._report(request)
            case ListViews():
                return Views(views=tuple(looked_at(self._records.every(), request.patient_id)))
            case PrintViews():
                return self._print_views(request)
            case SearchRecords():
                return self.search(request)
            case ListPatients(query=query):
                hits = search_all(self._records.every(), query[:MAX_QUERY])
                return Patients(query=query, patients=tuple(hit.patient for hit in hits if hit.kind == "patient"))
            case ReadAttachment():
                entry, data = self._attachment(request.chair, request.attachment_id)
                return AttachmentData(entry=entry, data=data)
            case SaveAttachment():
                entry, data = self._attachment(request.chair, request.attachment_id)
                return Done(detail=str(write_copy(entry, data, target_folder(request.folder))))
            case ListOverdue():
                return self._overdue()

    def _print_views(self, request: PrintViews) -> ReportMade:
        patient = self._records.patient(request.patient_id)
        if patient is None:
            raise Refuse("no_patient")
        views = looked_at(self._records.every(), request.patient_id)
        made = views_sheet(self._records, patient, views, target_file(request.path), request.language)
        return ReportMade(path=str(made.path), pages=made.pages, preview_png=made.preview_png)

    def _timeline(self, patient_id: str) -> Timeline:
        """One time line over all chair files: a patient may have sat in any of them."""
        newest: Patient | None = None
        visits: dict[str, VisitSummary] = {}
        for reader in self._records.by_chair().values():
            try:
                found = reader.timeline(patient_id)
            except NotFound:
                continue
            if newest is None or found.patient.version > newest.version:
                newest = found.patient
            visits.update((visit.id, visit) for visit in found.visits)
        if newest is None:
            raise Refuse("erased" if patient_id in self._erased() else "no_patient")
        return Timeline(
            patient=newest,
            visits=tuple(sorted(visits.values(), key=lambda visit: visit.began_us, reverse=True)),
            home=self._records.home(patient_id),
            entries=self._entries(patient_id),
        )

    def _overdue(self) -> Overdue:
        """Who is past the practice's time, and who was erased already."""
        years, names = load_retention().years, self._records.names
        found = overdue(self._records.every(), years, SystemClock().utc_us())
        return Overdue(
            years=years,
            patients=tuple(OverduePatient(o.patient.id, o.patient.name, o.patient.code, o.last_us) for o in found),
            erased=tuple(
                ErasedPatient(one.patient, names.get(one.author, one.author), one.reason, one.at_us)
                for one in sorted(self._erased().values(), key=lambda one: one.at_us, reverse=True)
            ),
        )

    def _erased(self) -> dict[str, Erased]:
        """Over all chairs, by patient."""
        return {one.patient: one for reader in self._records.every() for one in reader.erased()}

    def _entries(self, patient_id: str) -> tuple[EntryVersion, ...]:
        """Over all chair files. A version of the identity may stand in several: the first to have it counts."""
        readers = self._records.every()
        rows = [row for reader in readers for row in reader.entries.of_patient(patient_id)]
        identities: dict[int, EntryVersion] = {}
        for reader in readers:
            for row in reader.entries.identities(patient_id):
                known = identities.get(row.version)
                if known is None or row.written_us < known.written_us:
                    identities[row.version] = row
        return tuple(sorted((*without_repeats(rows), *identities.values()), key=lambda row: row.written_us))

    def _attachment(self, chair: int, attachment_id: str) -> tuple[Attachment, bytes]:
        reader = self._records.of(chair)
        row = reader.entries.newest("attachment", attachment_id)
        if row is None or not isinstance(row.entry, Attachment):
            raise Refuse("no_attachment", chair=chair)
        return row.entry, reader.attachments.whole(row.entry)

    def _visit(self, request: GetVisit) -> VisitDetail:
        reader = self._records.of(request.chair)
        visit = self._records.visit(request.chair, request.visit_id)
        patient = self._records.patient(visit.patient_id)
        if patient is None:
            raise Refuse("no_patient")
        return VisitDetail(
            visit=visit,
            patient=patient,
            procedure=reader.procedure(visit.id),
            channels=tuple(
                ChannelSpan(channel=span.channel, from_us=span.from_us, to_us=span.to_us, samples=span.samples)
                for span in reader.spans(visit.id)
            ),
            moments=tuple(
                Moment(at_us=moment.at_us, kind=moment.kind, text=moment.text, voice=moment.voice)
                for moment in reader.moments(visit.id)
            ),
        )

    def _log(self, request: ListLog) -> LogPage:
        """One log over all chair files, newest first."""
        wanted = min(max(request.limit, 1), MAX_LOG)
        entries = [
            LogEntry(
                chair=chair,
                at_us=line.at_us,
                kind=line.kind,
                text=line.text,
                actor=line.actor,
                priority=line.priority,
                duration_s=line.duration_s,
            )
            for chair in self._records.chairs()
            if request.chair in (0, chair)
            for line in self._records.of(chair).log(request.before_us, wanted + 1)
        ]
        entries.sort(key=lambda entry: entry.at_us, reverse=True)
        page = page_of(entries, wanted)
        return LogPage(entries=tuple(page), more=len(entries) > len(page))

    def _range(self, request: ReadRange) -> RangeData:
        if (
            request.to_us <= request.from_us
            or not 0 < request.columns <= MAX_COLUMNS
            or len(request.channels) > MAX_CHANNELS
        ):
            raise Refuse("bad_range")
        reader = self._records.of(request.chair)
        return RangeData(traces=tuple(self._trace(reader, request, channel) for channel in request.channels))

    def _trace(self, reader: RecordReader, request: ReadRange, channel: str) -> Trace:
        visit = request.visit_id or None
        found = reader.columns(channel, request.from_us, request.to_us, request.columns, visit)
        return Trace(
            channel=channel,
            at_us=found.at_us.astype("<i8").tobytes(),
            low=found.low.astype("<f4").tobytes(),
            high=found.high.astype("<f4").tobytes(),
            gaps=found.gaps,
            samples=found.samples,
        )

    def _report(self, request: MakeReport) -> ReportMade:
        path = target_file(request.path)
        visit = self._records.visit(request.chair, request.visit_id)
        made = visit_report(self._records, request.chair, visit, path, request.format, request.language)
        return ReportMade(path=str(made.path), pages=made.pages, preview_png=made.preview_png)
