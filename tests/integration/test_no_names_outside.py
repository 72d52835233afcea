"""A visit of a patient whom nobody could mistake, with errors on the way; then all outside the records is searched."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from app.console.bridge import EngineBridge
from app.console.patients_page import PatientsPage
from app.console.run import PatientScreens, page_makers
from app.console.store import Store
from app.console.window import MainWindow
from app.ipc import messages as ipc
from app.ipc.clinical_messages import SaveAttachment, SearchRecords
from app.ipc.export_messages import ExportSamples
from app.ipc.import_messages import LookAtSignals
from core.model.intents import CheckIn, Pause
from core.model.people import Patient
from core.model.procedure import Step
from core.model.words import load_words
from tests.integration.practice import Practice

GIVEN, FAMILY, PHONE = "Zebulonquist", "Xanthopoulakis", "+99 777 000 4711 88"
BORN, ALLERGY, WORDS = "1931-07-29", "quokkadander", "ploverquilly"
NEEDLES = (GIVEN, FAMILY, PHONE, PHONE.replace(" ", ""), BORN, "29 July 1931", ALLERGY, WORDS)
WAIT_MS = 30_000


@pytest.fixture
def console(practice: Practice, qapp: QApplication) -> Iterator[tuple[MainWindow, PatientScreens]]:
    """The window and the patient's, on the real engine."""
    words = load_words()
    bridge = EngineBridge(practice.engine.runtime, None)
    store = Store(bridge)
    window = MainWindow(store, words, makers=page_makers())
    screens = PatientScreens(store, words)
    window.show()
    screens.show(True)
    bridge.start(store)
    yield window, screens
    bridge.close()
    screens.close()
    window._closing = True
    window.close()
    window.deleteLater()


def forms(text: str) -> list[bytes]:
    """How a text may stand in a file."""
    return [form for case in {text, text.lower(), text.upper()} for form in (case.encode(), case.encode("utf-16-le"))]


def found_in(data: bytes) -> list[str]:
    return [text for text in NEEDLES if any(form in data for form in forms(text))]


def titles() -> str:
    return "\n".join(widget.windowTitle() for widget in QApplication.topLevelWidgets())


def provoke(practice: Practice, patient: Patient, visit: str) -> None:
    """Refusals and faults that have the patient's name at hand."""
    stale = ipc.CorrectPatient(patient=patient, reason=f"wrong {FAMILY}")
    for body in (
        ipc.AddPatient(chair=1, given_name=GIVEN, family_name=FAMILY, birth_date=f"{BORN}x"),
        ipc.AddPatient(chair=77, given_name=GIVEN, family_name=FAMILY, birth_date=BORN),
        ipc.SeatPatient(chair=1, patient_id=FAMILY),
        stale,
        ipc.ListPatients(query=f"{GIVEN} {FAMILY}"),
        ipc.Login(operator_id=FAMILY, pin=PHONE),
        ipc.GetTimeline(patient_id=FAMILY),
        ipc.GetVisit(chair=1, visit_id=FAMILY),
        ExportSamples(
            chair=1,
            visit_id=visit,
            format="csv",
            channels=(FAMILY,),
            from_us=0,
            to_us=1,
            path=f"/nowhere/{FAMILY}.csv",
        ),
        LookAtSignals(path=f"/nowhere/{FAMILY}.csv"),
        SearchRecords(query=FAMILY),
        SaveAttachment(chair=1, attachment_id=FAMILY, folder=f"/nowhere/{FAMILY}"),
        ipc.MakeReport(chair=1, visit_id=visit, path=f"/nowhere/{FAMILY}.pdf"),
        ipc.AddMark(chair=1, label=f"{GIVEN} {WORDS}"),
    ):
        practice.ask(body)


def test_nothing_outside_the_records_tells_who_was_here(
    practice: Practice,
    console: tuple[MainWindow, PatientScreens],
    qtbot: QtBot,
    capfd: pytest.CaptureFixture[str],
) -> None:
    window, _ = console
    made = practice.ask(
        ipc.AddPatient(chair=1, given_name=GIVEN, family_name=FAMILY, birth_date=BORN, allergies=ALLERGY, phone=PHONE)
    )
    assert isinstance(made, ipc.Done), made
    practice.until(lambda: practice.chairs[1].hub)
    seated = practice.ask(ipc.SeatPatient(chair=1, patient_id=made.id))
    assert isinstance(seated, ipc.Done), seated
    practice.until(lambda: practice.view().step is Step.SEAT)

    def wait(what: Callable[[], object]) -> None:
        qtbot.waitUntil(lambda: bool(what()), timeout=WAIT_MS)

    wait(lambda: window.store.chair(1) is not None)
    window.open_chair(1)
    wait(lambda: window.top.title.text().startswith(f"{GIVEN[0]}{FAMILY[0]}, "))
    QTest.mouseClick(window.top.title, Qt.MouseButton.LeftButton)
    assert FAMILY in window.top.title.text(), "so the search below would find what it looks for"
    said = titles()
    practice.walk_to_treatment()
    practice.act(CheckIn(answer="fine", words=WORDS))
    patient = practice.chairs[1].patient
    assert patient is not None
    provoke(practice, patient, seated.id)
    practice.act(Pause())
    advertised = repr(practice.ask(ipc.Scan(seconds=1.0)))
    said += _through_the_pages(window, made.id, wait)
    practice.shut_down()
    out = capfd.readouterr()

    root = practice.folder.root
    named = [str(file.relative_to(root)) for file in root.rglob("*")]
    leaks = {
        "titles": found_in(said.encode()),
        "advertisements": found_in(advertised.encode()),
        "names of files": found_in("\n".join(named).encode()),
        "the terminal": found_in((out.out + out.err).encode()),
    }
    searched = [file for file in root.rglob("*") if file.is_file() and file.parent != practice.folder.exports]
    for file in searched:
        leaks[str(file.relative_to(root))] = found_in(file.read_bytes())
    assert {where: what for where, what in leaks.items() if what} == {}
    kinds = {file.name for file in searched}
    assert {"engine.log", "chair-1.sqlite", "chair-1.ring", "practice.sqlite"} <= kinds, "what had to be searched"
    assert list(practice.folder.exports.glob("*.pdf")), "and a report was made, named by the code of its visit"


def _through_the_pages(window: MainWindow, patient_id: str, wait: Callable[[Callable[[], object]], None]) -> str:
    """As people do; returns every title that a window bore meanwhile."""
    said = ""
    for place in ("chairs", "chair", "safety", "setup"):
        window.show_page(place)
        said += titles()
    window.show_page("patients")
    page = window.page
    assert isinstance(page, PatientsPage)
    wait(page.list.rows)
    (row,) = (row for row in page.list.rows() if row.found.patient.id == patient_id)
    assert FAMILY not in row.text(), "initials, until somebody means to read the name"
    row.click()
    assert FAMILY in row.text()
    page.open_patient(patient_id)
    wait(lambda: page.visits._detail is not None)
    page.visits.views_button.click()
    wait(lambda: page.visits.views.lines)
    page.visits.report_button.click()
    wait(page.visits.report_button.isEnabled)
    page.visits._make_report("pdf", "en")
    wait(page.visits.report_button.isEnabled)
    return said + titles()


def test_the_search_finds_a_name_however_it_is_written(tmp_path: Path) -> None:
    for form in (FAMILY.encode(), FAMILY.upper().encode(), FAMILY.encode("utf-16-le")):
        assert found_in(b"\0\1" + form + b"\0") == [FAMILY]
    assert found_in(b"nobody") == []
