"""The chairs' records as the reader process has them open, and how it says no."""

import logging
from collections.abc import Mapping
from pathlib import Path

from app.engine.reader_wire import ReaderSetup
from app.ipc.messages import Refused
from app.ipc.refusals import refused
from core.model.errors import SmilescapeError
from core.model.people import Patient, VisitSummary
from core.model.wear import AtHome
from core.record import RecordReader
from core.record.at_home import at_home
from core.reports.data import Practice

_log = logging.getLogger(__name__)


class Refuse(Exception):  # noqa: N818
    """Carries a refusal out of the middle of a read."""

    def __init__(self, why: str, **values: str | int) -> None:
        super().__init__(why)
        self.refused: Refused = refused(why, "reader", **values)


class OpenRecords:
    """Opens a record when it is first needed. Used from one thread."""

    def __init__(self, setup: ReaderSetup) -> None:
        self.setup = setup
        self._files = {chair.chair: chair for chair in setup.chairs}
        self._readers: dict[int, RecordReader] = {}

    def close(self) -> None:
        for reader in self._readers.values():
            reader.close()
        self._readers.clear()

    def interrupt(self) -> None:
        """Break off what another thread reads here."""
        for reader in list(self._readers.values()):
            reader.interrupt()

    @property
    def practice(self) -> Practice:
        return Practice(self.setup.practice, self.setup.phone)

    @property
    def names(self) -> Mapping[str, str]:
        """Of operators, by id."""
        return self.setup.names

    def chairs(self) -> list[int]:
        """Those that have a record by now."""
        return [chair for chair, file in self._files.items() if Path(file.path).exists()]

    def by_chair(self) -> dict[int, RecordReader]:
        """All of them."""
        return {chair: self.of(chair) for chair in self.chairs()}

    def every(self) -> list[RecordReader]:
        """The same without their numbers."""
        return list(self.by_chair().values())

    def of(self, chair: int) -> RecordReader:
        """Raises Refuse: this chair has no record."""
        reader = self._readers.get(chair)
        if reader is None:
            file = self._files.get(chair)
            if file is None or not Path(file.path).exists():
                raise Refuse("no_record", chair=chair)
            reader = self._readers[chair] = RecordReader.open(Path(file.path), file.key)
        return reader

    def visit(self, chair: int, visit_id: str) -> VisitSummary:
        """Raises Refuse: this chair's record does not hold the visit."""
        visit = self.of(chair).visit(visit_id)
        if visit is None:
            raise Refuse("no_visit", chair=chair)
        return visit

    def patient(self, patient_id: str) -> Patient | None:
        """The newest version that a file tells. One that cannot be read keeps no visit of another from being shown."""
        found: list[Patient] = []
        for chair in self.chairs():
            try:
                found += [one for one in (self.of(chair).patient(patient_id),) if one is not None]
            except SmilescapeError as error:
                _log.warning("the record of chair %d cannot be read: %s", chair, error)
        return max(found, key=lambda one: one.version, default=None)

    def home(self, patient_id: str, until: int | None = None) -> AtHome | None:
        """None when a file cannot be read: visits and reports must not suffer for it."""
        try:
            return at_home(self.every(), patient_id, until=until)
        except SmilescapeError as error:
            _log.warning("the days at home cannot be read: %s", error)
            return None


def target(path: str) -> Path:
    """Where to write; the console names it in full, since this process has its own working folder.

    Raises Refuse: it is no full path.
    """
    place = Path(path)
    if not place.is_absolute():
        raise Refuse("bad_path", path=path)
    return place


def target_file(path: str) -> Path:
    """The same for a file. Raises Refuse: a folder is there."""
    place = target(path)
    if place.is_dir():
        raise Refuse("bad_path", path=path)
    return place


def target_folder(path: str) -> Path:
    """A folder to write into. Raises Refuse: it is not there."""
    place = target(path)
    if not place.is_dir():
        raise Refuse("bad_path", path=path)
    return place
