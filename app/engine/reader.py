"""Serves reads from the chairs' records: what the reader process does. Holds the keys; knows no engine and no loop."""

import logging
from pathlib import Path

from app.engine.reader_wire import ReaderSetup, ReadRequest
from app.ipc.access_messages import ListViews, Views
from app.ipc.messages import (
    ChannelSpan,
    Done,
    ExportCsv,
    GetTimeline,
    GetVisit,
    ListLog,
    LogEntry,
    LogPage,
    MakeReport,
    Moment,
    RangeData,
    ReadRange,
    Refused,
    Reply,
    ReportMade,
    Timeline,
    Trace,
    VisitDetail,
)
from app.ipc.refusals import as_refused, refused
from core.model.errors import SmilescapeError
from core.model.people import Patient, VisitSummary
from core.model.wear import DAY_US, AtHome
from core.people.views import looked_at
from core.record import NotFound, RecordReader
from core.record.at_home import at_home

_log = logging.getLogger(__name__)

MAX_COLUMNS = 20_000
MAX_CHANNELS = 64
MAX_LOG = 500


class ReadDesk:
    """Answers each request; opens a record when it is first needed. Used from one thread."""

    def __init__(self, setup: ReaderSetup) -> None:
        self._setup = setup
        self._files = {chair.chair: chair for chair in setup.chairs}
        self._readers: dict[int, RecordReader] = {}

    def serve(self, request: ReadRequest) -> Reply:
        """Never raises: what goes wrong is the answer."""
        try:
            return self._serve(request)
        except _Refuse as no:
            return no.refused
        except Exception as error:
            return as_refused(error)

    def close(self) -> None:
        for reader in self._readers.values():
            reader.close()
        self._readers.clear()

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
            case ExportCsv():
                return self._csv(request)
            case ListViews():
                return Views(views=tuple(looked_at(self._all_readers(), request.patient_id)))

    def _timeline(self, patient_id: str) -> Timeline:
        """One time line over all chair files: a patient may have sat in any of them."""
        newest: Patient | None = None
        visits: dict[str, VisitSummary] = {}
        for reader in self._all_readers():
            try:
                found = reader.timeline(patient_id)
            except NotFound:
                continue
            if newest is None or found.patient.version > newest.version:
                newest = found.patient
            visits.update((visit.id, visit) for visit in found.visits)
        if newest is None:
            raise _Refuse("no_patient")
        return Timeline(
            patient=newest,
            visits=tuple(sorted(visits.values(), key=lambda visit: visit.began_us, reverse=True)),
            home=self._home(patient_id),
        )

    def _home(self, patient_id: str, until: int | None = None) -> AtHome | None:
        """None when a file cannot be read: visits and reports must not suffer for it."""
        try:
            return at_home(self._all_readers(), patient_id, until=until)
        except SmilescapeError as error:
            _log.warning("the days at home cannot be read: %s", error)
            return None

    def _visit(self, request: GetVisit) -> VisitDetail:
        reader = self._reader(request.chair)
        visit = self._known_visit(reader, request.chair, request.visit_id)
        patient = reader.patient(visit.patient_id)
        if patient is None:
            raise _Refuse("no_patient")
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
            for chair, file in self._files.items()
            if request.chair in (0, chair) and Path(file.path).exists()
            for line in self._reader(chair).log(request.before_us, wanted + 1)
        ]
        entries.sort(key=lambda entry: entry.at_us, reverse=True)
        return LogPage(entries=tuple(entries[:wanted]), more=len(entries) > wanted)

    def _range(self, request: ReadRange) -> RangeData:
        if (
            request.to_us <= request.from_us
            or not 0 < request.columns <= MAX_COLUMNS
            or len(request.channels) > MAX_CHANNELS
        ):
            raise _Refuse("bad_range")
        reader = self._reader(request.chair)
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
        from core.reports.data import Practice
        from core.reports.patient import make_report

        path = _target(request.path)
        reader = self._reader(request.chair)
        visit = self._known_visit(reader, request.chair, request.visit_id)
        practice = Practice(self._setup.practice, self._setup.phone)
        home = self._home(visit.patient_id, until=visit.began_us // DAY_US)
        made = make_report(collect(reader, request.visit_id, practice=practice, home=home), path)
        return ReportMade(path=str(made.path), pages=made.pages, preview_png=made.preview_png)

    def _csv(self, request: ExportCsv) -> Done:
        from core.record.csv import export_csv

        path = _target(request.path)
        export_csv(self._reader(request.chair), request.channels, request.from_us, request.to_us, path)
        return Done(detail=str(path))

    def _all_readers(self) -> list[RecordReader]:
        """Of every chair that has a record by now."""
        return [self._reader(chair) for chair, file in self._files.items() if Path(file.path).exists()]

    def _reader(self, chair: int) -> RecordReader:
        reader = self._readers.get(chair)
        if reader is None:
            file = self._files.get(chair)
            if file is None or not Path(file.path).exists():
                raise _Refuse("no_record", chair=chair)
            reader = self._readers[chair] = RecordReader.open(Path(file.path), file.key)
        return reader

    def _known_visit(self, reader: RecordReader, chair: int, visit_id: str) -> VisitSummary:
        visit = reader.visit(visit_id)
        if visit is None:
            raise _Refuse("no_visit", chair=chair)
        return visit


class _Refuse(Exception):  # noqa: N818
    """Carries a refusal out of the middle of a read."""

    def __init__(self, why: str, **values: str | int) -> None:
        super().__init__(why)
        self.refused: Refused = refused(why, "reader", **values)


def _target(path: str) -> Path:
    """Where to write; the console names it in full, since this process has its own working folder."""
    target = Path(path)
    if not target.is_absolute() or target.is_dir():
        raise _Refuse("bad_path", path=path)
    return target
