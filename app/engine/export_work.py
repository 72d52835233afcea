"""The long jobs of the reader process: files for other programs, and from them."""

import logging
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from app import __version__
from app.engine.import_work import Emit, serve_import, unheard
from app.engine.open_records import OpenRecords, Refuse, target, target_file
from app.engine.reader_wire import JobRequest, scratch_in
from app.engine.visit_report import visit_report
from app.ipc.export_messages import (
    DayMade,
    ExportDay,
    ExportFhir,
    ExportSamples,
    MakePack,
    NotMade,
    PackMade,
    ReportFile,
)
from app.ipc.import_messages import ImportSignals, LookAtSignals
from app.ipc.messages import Done, Refused, Reply
from app.ipc.refusals import as_refused, refused
from core.model.clock import SystemClock
from core.model.errors import SmilescapeError
from core.model.people import Patient, VisitSummary
from core.model.progress import Watch
from core.model.wear import DAY_US
from core.record.drafts import complete_folder, sweep
from core.record.record import OPEN

if TYPE_CHECKING:
    from core.exchange.fhir.context import Sender

_log = logging.getLogger(__name__)


class ExportWork:
    """Does one job after the other. Each calls its watch as it goes on; what that raises ends it with nothing left."""

    def __init__(self, records: OpenRecords) -> None:
        self._records = records
        self._begun: tuple[Path, ...] = ()

    def serve(self, request: JobRequest, watch: Watch, emit: Emit = unheard) -> Reply:
        """Raises Refuse, and SmilescapeError for what goes wrong."""
        try:
            watch(0.0)
            match request:
                case ExportSamples():
                    return self._samples(request, watch)
                case ExportFhir():
                    return self._fhir(request, watch)
                case ExportDay():
                    return self._day(request, watch)
                case MakePack():
                    return self._pack(request, watch)
                case LookAtSignals() | ImportSignals():
                    return serve_import(request, watch, emit)
        finally:
            self._begun = ()

    def sweep(self) -> None:
        """From another thread, before the process ends: take away what the present job has begun."""
        for begun in self._begun:
            sweep(begun)

    def _samples(self, request: ExportSamples, watch: Watch) -> Done:
        reader = self._records.of(request.chair)
        if request.to_us <= request.from_us or not request.channels:
            raise Refuse("bad_range")
        path = self._begin(target(request.path) if request.format == "edf" else target_file(request.path))
        chosen = (request.channels, request.from_us, request.to_us)
        if request.format == "edf":
            from core.exchange.edf import export_edf

            export_edf(reader, *chosen, path, watch=watch)
        elif request.format == "parquet":
            from core.exchange.parquet import export_parquet

            export_parquet(reader, *chosen, path, watch)
        else:
            from core.record.csv import export_csv

            export_csv(reader, *chosen, path, watch)
        return Done(detail=str(path))

    def _fhir(self, request: ExportFhir, watch: Watch) -> Done:
        from core.exchange.fhir.bundle import Held, export_visits
        from core.exchange.fhir.context import Detail

        visit = self._records.visit(request.chair, request.visit_id)
        path = self._begin(target_file(request.path))
        held = [Held(self._records.of(request.chair), visit)]
        if request.every_visit:
            every = [Held(one, each) for one in self._records.every() for each in one.visits(visit.patient_id)]
            held = sorted(every, key=lambda each: each.visit.began_us)
        detail = Detail.FULL if request.every_sample else Detail.REDUCED
        until = None if request.every_visit else visit.began_us // DAY_US
        home = self._records.home(visit.patient_id, until=until)
        others = self._records.every()
        export_visits(held, path, sender=self._sender(), detail=detail, others=others, home=home, watch=watch)
        return Done(detail=str(path))

    def _day(self, request: ExportDay, watch: Watch) -> DayMade:
        """Every visit is tried; one that cannot be reported keeps no other from its report."""
        visits = [
            (chair, visit)
            for chair, reader in self._records.by_chair().items()
            for visit in reader.visits()
            if request.from_us <= visit.began_us < request.to_us
        ]
        visits.sort(key=lambda one: one[1].began_us)
        made: list[ReportFile] = []
        not_made: list[NotMade] = []
        path = self._begin(target(request.folder) / request.name)
        try:
            with complete_folder(path) as draft:
                for done, (chair, visit) in enumerate(visits):
                    watch(done / len(visits))
                    file = _file_name(visit, chair, request, [one.file for one in made])
                    no = self._report(chair, visit, draft / file, request)
                    if no is None:
                        made.append(ReportFile(chair, visit.id, file))
                    else:
                        not_made.append(NotMade(chair, visit.code, no.text, no.remedy))
                watch(1.0)
                if not made:
                    raise _NothingMade
        except _NothingMade:
            return DayMade(folder="", made=(), refused=tuple(not_made))
        return DayMade(folder=str(path), made=tuple(made), refused=tuple(not_made))

    def _pack(self, request: MakePack, watch: Watch) -> PackMade:
        from core.exchange.pack import make_pack
        from core.exchange.pack_parts import PackVisit

        found: list[tuple[int, PackVisit]] = []
        known: list[Patient] = []
        for chair, reader in self._records.by_chair().items():
            patient = reader.patient(request.patient_id)
            if patient is None:
                continue
            known.append(patient)
            for visit in reader.visits(request.patient_id):
                if visit.state != OPEN:
                    home = self._records.home(visit.patient_id, until=visit.began_us // DAY_US)
                    others = tuple(other for other in self._records.every() if other is not reader)
                    found.append((chair, PackVisit(reader, visit, patient, self._sender(), home, others)))
        if not known:
            raise Refuse("no_patient")
        if not found:
            raise Refuse("no_visit_over")
        newest = max(known, key=lambda one: one.version)
        found.sort(key=lambda one: one[1].visit.began_us)
        folder = self._begin(target(request.folder) / request.name)
        scratch = self._begin(scratch_in(Path(self._records.setup.chairs[0].path).parent))
        chosen = [replace(one, patient=newest) for _, one in found]
        packed = make_pack(chosen, folder, scratch, language=request.language, watch=watch)
        return PackMade(
            folder=str(folder),
            code=packed.passphrase,
            sheet=self._sheet(packed.passphrase, folder.name, request.language),
            missing=packed.missing,
            visits=tuple((chair, one.visit.id) for chair, one in found),
        )

    def _sheet(self, code: str, pack: str, language: str) -> bytes:
        """Empty when it cannot be set: the code is shown in any case."""
        from core.reports.code_sheet import code_sheet

        now_us = SystemClock().utc_us()
        try:
            return code_sheet(code, pack, practice=self._records.setup.practice, at_us=now_us, language=language)
        except SmilescapeError as error:
            _log.error("the sheet with a pack's code could not be set: %s", type(error).__name__)
            return b""

    def _report(self, chair: int, visit: VisitSummary, path: Path, request: ExportDay) -> Refused | None:
        """Why there is no report; None when there is one."""
        if visit.state == OPEN:
            return refused("visit_open", "reader")
        try:
            visit_report(self._records, chair, visit, path, request.format, request.language)
        except SmilescapeError as error:
            return as_refused(error)
        return None

    def _sender(self) -> "Sender":
        from core.exchange.fhir.context import Sender

        setup = self._records.setup
        return Sender(__version__, setup.practice, setup.phone, setup.names)

    def _begin(self, path: Path) -> Path:
        """What an earlier process left under this name goes, and what this one begins can be swept."""
        sweep(path)
        self._begun = (*self._begun, path)
        return path


class _NothingMade(Exception):  # noqa: N818
    """No folder, then."""


def _file_name(visit: VisitSummary, chair: int, request: ExportDay, taken: list[str]) -> str:
    """By the code of the visit: no file name tells who it was."""
    ending = f".{request.format}" if request.language == "en" else f"-{request.language}.{request.format}"
    plain = f"{visit.code}{ending}"
    return plain if plain not in taken else f"{visit.code}-chair-{chair}{ending}"
