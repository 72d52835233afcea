"""Patients page: a visit for other programs, and a patient out of a file; no dialog ever stands before STOP."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QEvent, QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QDialog
from pytestqt.qtbot import QtBot

from app.console.file_chooser import listing_of
from app.console.patients_page import PatientsPage
from app.console.store import Store
from app.ipc.export_messages import ExportFhir
from app.ipc.messages import (
    AddPatient,
    Done,
    GetTimeline,
    GetVisit,
    ListPatients,
    Patients,
    RangeData,
    ReadRange,
    Refused,
    Reply,
    Request,
    Timeline,
    VisitDetail,
)
from core.model.people import Patient, VisitSummary
from core.model.words import Text, Words, load_words
from widgets import theme
from widgets.controls import Button

FOUND = {
    "resourceType": "Patient",
    "name": [{"family": "Okafor", "given": ["Ngozi"]}],
    "birthDate": "1990-04-01",
    "telecom": [{"system": "phone", "value": "0123 9"}],
    "extension": [{"url": f"http://example.org/{number}"} for number in range(15)],
}
DARIUS = Patient(
    id="p1", version=1, code="P-1001", given_name="Darius", family_name="Hale", birth_date="2001-03-12", simulated=True
)
VISITS = tuple(
    VisitSummary(
        id=f"v{number}",
        patient_id="p1",
        code=f"V-200{number}",
        chair=number + 1,
        began_us=2_391_847_200_000_000 + number * 10**12,
        ended_us=2_391_847_200_000_000 + number * 10**12 + 10**9,
        state="complete",
        title_key="visit.title.procedure",
        teeth=(46,),
    )
    for number in range(2)
)


class Engine:
    """Answers as the engine would."""

    def __init__(self) -> None:
        self.asked: list[Request] = []
        self.patients: tuple[Patient, ...] = (DARIUS,)
        self.visits = VISITS
        self.refuse: dict[type, Refused] = {}
        self.hold: type | None = None
        self.held: list[Callable[[], None]] = []

    def request(self, body: Request, done: Callable[[Reply], None]) -> None:
        self.asked.append(body)
        if self.hold is not None and isinstance(body, self.hold):
            self.held.append(lambda: done(self.reply(body)))
        else:
            done(self.reply(body))

    def reply(self, body: Request) -> Reply:
        if type(body) in self.refuse:
            return self.refuse[type(body)]
        match body:
            case ListPatients():
                return Patients(patients=self.patients)
            case GetTimeline():
                return Timeline(patient=DARIUS, visits=self.visits)
            case GetVisit(visit_id=visit_id):
                visit = next(one for one in self.visits if one.id == visit_id)
                return VisitDetail(visit=visit, patient=DARIUS, procedure=None, channels=(), moments=())
            case ReadRange():
                return RangeData(traces=())
            case AddPatient():
                return Done(id="new")
            case _:
                return Done()

    def stop(self, chair: int) -> None:
        raise AssertionError("nothing here stops a chair")

    def history(self, chair: int) -> None:
        return None

    def last(self, kind: type[Request]) -> list[Request]:
        return [body for body in self.asked if isinstance(body, kind)]


REFUSED = Refused(
    code="x", text=Text("ipc.said", {"text": "The disk is full."}), remedy=Text("reader.not_written.remedy")
)


@pytest.fixture
def engine() -> Engine:
    return Engine()


@pytest.fixture
def page(qapp: QApplication, engine: Engine, tmp_path: Path) -> Iterator[PatientsPage]:
    theme.apply(qapp, "light")
    store = Store(engine)
    store.set_link(True)
    store.welcome(practice="Cedar Lane", data_folder=str(tmp_path), simulated=True)
    made = PatientsPage(store, load_words())
    made.resize(1192, 664)
    made.show()
    made.activated()
    yield made
    made.close()
    made.deleteLater()
    QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a patient, a folder, and things that are not wanted."""
    made = tmp_path / "in"
    (made / "older").mkdir(parents=True)
    (made / "okafor.json").write_text(json.dumps(FOUND), encoding="utf-8")
    (made / "picture.png").write_bytes(b"")
    (made / ".hidden.json").write_bytes(b"")
    return made


def click(button: Button) -> None:
    QTest.mouseClick(button, Qt.MouseButton.LeftButton)


def open_fhir(page: PatientsPage) -> None:
    click(page.visits.others_button)
    click(page.visits.others.exports.buttons["fhir"])


# out


@pytest.fixture
def visit(page: PatientsPage) -> PatientsPage:
    page.open_patient("p1")
    QApplication.processEvents()
    open_fhir(page)
    return page


def test_a_visit_is_written_under_its_code_and_never_under_a_name(
    visit: PatientsPage, engine: Engine, tmp_path: Path
) -> None:
    panel = visit.visits.others.fhir
    click(panel.write_button)
    path = tmp_path / "exports" / "V-2001.fhir.json"
    assert engine.last(ExportFhir) == [ExportFhir(chair=2, visit_id="v1", path=str(path))]
    assert panel.result.text() == "Written."
    assert panel.folder_button.isVisible()
    click(panel.visits.button("every"))
    assert panel.result.text() == "", "what was written is not what is chosen now"
    click(panel.samples.button("full"))
    click(panel.write_button)
    asked = engine.last(ExportFhir)[-1]
    assert isinstance(asked, ExportFhir)
    assert (asked.every_visit, asked.every_sample) == (True, True)
    assert Path(asked.path).name == "V-2001-all-full.fhir.json"
    assert all(name not in asked.path for name in ("Darius", "Hale", "P-1001"))


def test_it_cannot_be_written_twice_at_once_and_a_refusal_is_said(visit: PatientsPage, engine: Engine) -> None:
    panel = visit.visits.others.fhir
    engine.hold = ExportFhir
    click(panel.write_button)
    assert panel.write_button.text() == "Writing file"
    click(panel.write_button)
    assert len(engine.last(ExportFhir)) == 1
    engine.refuse[ExportFhir] = REFUSED
    engine.held.pop()()
    assert "The disk is full." in panel.result.text()
    assert panel.write_button.isEnabled()
    assert not panel.folder_button.isVisible()


def test_every_visit_is_offered_where_there_are_several(page: PatientsPage, engine: Engine) -> None:
    engine.visits = VISITS[:1]
    page.open_patient("p1")
    QApplication.processEvents()
    open_fhir(page)
    assert not page.visits.others.fhir.visits.button("every").isEnabled()
    click(page.visits.others.fhir.back_button)
    assert page.visits.others.exports.isVisible()
    click(page.visits.others.exports.back)
    assert page.visits.review.isVisible()


# in


@pytest.fixture
def chooser(page: PatientsPage, folder: Path, qtbot: QtBot) -> PatientsPage:
    page.imports.chooser.folder = folder
    click(page.list.import_button)
    qtbot.waitUntil(lambda: bool(page.imports.chooser.names()))
    return page


def choose(page: PatientsPage, row: int) -> None:
    files = page.imports.chooser.list
    place = files.visualItemRect(files.item(row)).center()
    QTest.mouseClick(files.viewport(), Qt.MouseButton.LeftButton, pos=QPoint(place))


def test_folders_and_fhir_files_are_shown_in_the_page_and_no_dialog_opens(chooser: PatientsPage, qtbot: QtBot) -> None:
    files = chooser.imports.chooser
    assert files.names() == ["older/", "okafor.json"]
    assert not [top for top in QApplication.topLevelWidgets() if isinstance(top, QDialog) and top.isVisible()]
    choose(chooser, 0)
    qtbot.waitUntil(lambda: files.folder.name == "older")
    assert files.names() == []
    assert "No .json file" in files.state.text()
    click(files.up_button)
    qtbot.waitUntil(lambda: files.names() == ["older/", "okafor.json"])
    click(files.back_button)
    assert chooser.list.isVisible()


def test_a_patient_is_looked_at_then_added_in_the_ordinary_way(
    chooser: PatientsPage, engine: Engine, qtbot: QtBot
) -> None:
    panel = chooser.imports
    chooser.imports.chooser.list.setCurrentRow(1)
    QTest.keyClick(chooser.imports.chooser.list, Qt.Key.Key_Return)
    qtbot.waitUntil(panel.add_button.isVisible)
    assert panel.headline.text() == "Ngozi Okafor"
    assert panel.facts.text() == "Born 1 Apr 1990, 0123 9"
    assert panel.allergies.text() == "The file says nothing of allergies. Ask."
    assert panel.known.text() == ""
    assert "http://example.org/0" in panel.left_out.text()
    assert "and 3 more" in panel.left_out.text()
    assert engine.last(AddPatient) == [], "nobody is added before somebody has looked"
    click(panel.add_button)
    assert engine.last(AddPatient) == [
        AddPatient(chair=1, given_name="Ngozi", family_name="Okafor", birth_date="1990-04-01", phone="0123 9")
    ]
    assert engine.last(GetTimeline) == [GetTimeline(patient_id="new")]
    assert chooser.visits.isVisible()


def test_somebody_who_is_on_record_is_told_and_the_button_says_so(
    chooser: PatientsPage, engine: Engine, qtbot: QtBot
) -> None:
    known = Patient(id="p9", version=1, code="P-9", given_name="ngozi", family_name="OKAFOR", birth_date="1990-04-01")
    engine.patients = (DARIUS, known)
    choose(chooser, 1)
    qtbot.waitUntil(chooser.imports.add_button.isVisible)
    assert "P-9" in chooser.imports.known.text()
    assert chooser.imports.add_button.text() == "Add all the same"
    assert not chooser.imports.add_button.hasFocus()


def test_a_file_that_is_refused_says_where_and_another_can_be_chosen(
    chooser: PatientsPage, folder: Path, engine: Engine, qtbot: QtBot
) -> None:
    (folder / "okafor.json").write_text(json.dumps({**FOUND, "birthDate": "1990"}), encoding="utf-8")
    choose(chooser, 1)
    panel = chooser.imports
    qtbot.waitUntil(lambda: panel.headline.text() == "Nobody is added.")
    assert panel.facts.text() == (
        "Patient.birthDate: the birth date 1990 has no day. Ask the patient for the whole date, and enter them by hand."
    )
    assert not panel.add_button.isVisible()
    click(panel.other_button)
    qtbot.waitUntil(chooser.imports.chooser.isVisible)
    assert engine.last(AddPatient) == []


def test_nobody_is_added_while_it_is_unknown_who_is_on_record_or_when_it_is_refused(
    chooser: PatientsPage, engine: Engine, qtbot: QtBot
) -> None:
    panel = chooser.imports
    engine.refuse[ListPatients] = REFUSED
    choose(chooser, 1)
    qtbot.waitUntil(lambda: "The disk is full." in panel.facts.text())
    assert not panel.add_button.isVisible()
    engine.refuse = {AddPatient: REFUSED}
    panel.read(str(chooser.imports.chooser.folder / "okafor.json"))
    qtbot.waitUntil(panel.add_button.isVisible)
    click(panel.add_button)
    assert "The disk is full." in panel.known.text()
    assert panel.add_button.isEnabled()
    assert panel.isVisible()


def test_only_the_newest_file_counts(chooser: PatientsPage, folder: Path, qtbot: QtBot) -> None:
    (folder / "other.json").write_text(
        json.dumps({**FOUND, "name": [{"family": "Lind", "given": ["Tomas"]}]}), encoding="utf-8"
    )
    panel = chooser.imports
    panel.read(str(folder / "okafor.json"))
    panel.read(str(folder / "other.json"))
    qtbot.waitUntil(panel.add_button.isVisible)
    assert panel.headline.text() == "Tomas Lind"


def test_a_folder_that_cannot_be_read_says_why(tmp_path: Path, page: PatientsPage, qtbot: QtBot) -> None:
    gone = listing_of(tmp_path / "gone", ".json")
    assert gone.problem
    page.open_import()
    page.imports.chooser.look(tmp_path / "gone")
    qtbot.waitUntil(lambda: "cannot be read" in page.imports.chooser.state.text())


@pytest.mark.parametrize("mode", ["light", "dark"])
@pytest.mark.parametrize("size", [(1192, 664), (1832, 944), (872, 452)])
def test_every_state_has_a_picture(
    chooser: PatientsPage,
    qtbot: QtBot,
    snap: Callable[..., Path],
    mode: theme.Mode,
    size: tuple[int, int],
    words: Words,
) -> None:
    snap(chooser, "import-choose", mode, size)
    choose(chooser, 1)
    qtbot.waitUntil(chooser.imports.add_button.isVisible)
    picture = snap(chooser, "import-found", mode, size)
    chooser.open_patient("p1")
    open_fhir(chooser)
    other = snap(chooser, "fhir", mode, size)
    assert picture.stat().st_size > 5_000
    assert other.stat().st_size > 5_000
