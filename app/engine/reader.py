"""Serves reads from the chairs' records: what the reader process does. Holds the keys; knows no engine and no loop."""

from app.engine.export_work import ExportWork
from app.engine.open_records import OpenRecords, Refuse, target
from app.engine.reader_wire import JobRequest, ReaderSetup, ReadRequest
from app.ipc.messages import (
    ChannelSpan,
    GetTimeline,
    GetVisit,
    ListLog,
    LogEntry,
    LogPage,
    MakeReport,
    Moment,
    RangeData,
    ReadRange,
    Reply,
    ReportMade,
    Timeline,
    Trace,
    VisitDetail,
)
from app.ipc.refusals import as_refused
from core.model.people import Patient, VisitSummary
from core.model.progress import Watch, unwatched
from core.model.wear import DAY_US
from core.record import NotFound, RecordReader

MAX_COLUMNS = 20_000
MAX_CHANNELS = 64
MAX_LOG = 500


class ReadDesk:
    """Answers each request; opens a record when it is first needed. Used from one thread."""

    def __init__(self, setup: ReaderSetup) -> None:
        self._records = OpenRecords(setup)
        self._work = ExportWork(self._records)

    def serve(self, request: ReadRequest | JobRequest, watch: Watch = unwatched) -> Reply:
        """Never raises: what goes wrong is the answer. A job calls `watch` as it goes on, which may end it."""
        try:
            if isinstance(request, JobRequest):
                return self._work.serve(request, watch)
            return self._serve(request)
        except Refuse as no:
            return no.refused
        except Exception as error:
            return as_refused(error)

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
            raise Refuse("no_patient")
        return Timeline(
            patient=newest,
            visits=tuple(sorted(visits.values(), key=lambda visit: visit.began_us, reverse=True)),
            home=self._records.home(patient_id),
        )

    def _visit(self, request: GetVisit) -> VisitDetail:
        reader = self._records.of(request.chair)
        visit = self._records.visit(request.chair, request.visit_id)
        patient = reader.patient(visit.patient_id)
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
        return LogPage(entries=tuple(entries[:wanted]), more=len(entries) > wanted)

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
        # Typst takes its time to load; reviews need none of it.
        from core.reports.collect import collect
        from core.reports.patient import make_report

        path = target(request.path)
        reader = self._records.of(request.chair)
        visit = self._records.visit(request.chair, request.visit_id)
        home = self._records.home(visit.patient_id, until=visit.began_us // DAY_US)
        made = make_report(collect(reader, request.visit_id, practice=self._records.practice, home=home), path)
        return ReportMade(path=str(made.path), pages=made.pages, preview_png=made.preview_png)
