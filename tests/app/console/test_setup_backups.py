"""Set-up, Backups, and erasing a patient: what is shown, and what clicks and typed words ask of the engine."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from PySide6.QtCore import QEvent, Qt, QUrl
from PySide6.QtGui import QDesktopServices
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLabel, QWidget

from app.console.erase_panel import GROUPS
from app.console.patients_page import PatientsPage
from app.console.setup_page import SetupPage
from app.console.store import Store
from app.ipc import backup_messages as ipc
from app.ipc.export_messages import CancelJob
from app.ipc.messages import Done, GetTimeline, Job, Refused, Timeline
from core.backup.belongings import owners
from core.model.people import Operator
from core.model.words import Text, Words

Sample = Any
Backend = Any
NOW_US = 1_800_000_000_000_000
DAY_US = 86_400_000_000
GOOD = ipc.BackupState(made_us=NOW_US - DAY_US, places=1, sheet_by="Mira Chen", sheet_us=NOW_US - 9 * DAY_US)


def kept(day: int, **changes: Any) -> ipc.KeptBackup:
    made_us = NOW_US - day * DAY_US
    base: dict[str, Any] = {
        "name": f"backup-{day}",
        "made_us": made_us,
        "bytes": 412_000_000 + day,
        "chairs": 4,
        "ours": True,
        "checked_us": made_us,
    }
    return ipc.KeptBackup(**{**base, **changes})


def place(path: Path, *backups: ipc.KeptBackup, **changes: Any) -> ipc.BackupPlace:
    base: dict[str, Any] = {
        "path": str(path),
        "there": True,
        "daily": True,
        "made_us": NOW_US - DAY_US,
        "outstanding": False,
        "kept": backups,
    }
    return ipc.BackupPlace(**{**base, **changes})


PLAN = ipc.ErasurePlan(
    patient_id="patient-2",
    name="Darius Hale",
    codes=("V-31K",),
    goes=(ipc.Share("patient", 3), ipc.Share("visit", 2), ipc.Share("note", 4), ipc.Share("block", 96)),
    stays=(ipc.Share("adverse", 1, "Adverse events: safety needs them."), ipc.Share("audit", 0, "The audit log.")),
    exports=("V-31K.pdf",),
    nobodys=1200,
    places=("/media/stick", "/mnt/vault"),
    away=("/media/stick",),
)


def no(code: str, text: str) -> Refused:
    return Refused(code=code, text=Text("test.say", {"text": text}), remedy=None)


def shown(page: QWidget) -> str:
    QApplication.processEvents()
    return " | ".join(label.text() for label in page.findChildren(QLabel) if label.isVisibleTo(page))


def click(button: QWidget) -> None:
    assert button.isEnabled()
    assert button.isVisible()
    QTest.mouseClick(button, Qt.MouseButton.LeftButton)


@pytest.fixture
def stick(tmp_path: Path) -> Path:
    folder = tmp_path / "stick"
    folder.mkdir()
    return folder


@pytest.fixture
def setup(store: Store, sample: Sample, words: Words, backend: Backend, stick: Path) -> Iterator[SetupPage]:
    backend.answers[ipc.ListBackups] = ipc.Backups(places=(place(stick, kept(1), kept(8, checked_us=NOW_US)),))
    backend.answers[ipc.ListOverdue] = ipc.Overdue(years=10, patients=(), erased=())
    state(store, sample, GOOD)
    page = SetupPage(store, words)
    page.resize(1192, 664)
    page.show()
    page.activateWindow()
    QApplication.processEvents()
    yield page
    page.deleteLater()
    QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)


def state(store: Store, sample: Sample, backups: ipc.BackupState, who: Operator | None = None, **more: Any) -> None:
    store.set_link(True)
    store.apply(sample.workstation(operator=who or sample.mira, chairs=(1, 2), backups=backups, **more))


def opened(setup: SetupPage) -> SetupPage:
    click(setup.tabs.button("backups"))
    QApplication.processEvents()
    return setup


# backups


def test_what_is_kept_is_listed_with_when_size_chairs_and_whether_it_holds(setup: SetupPage, stick: Path) -> None:
    said = shown(opened(setup).backups)
    for words in (
        "Last good backup: 14 Jan 2027",
        str(stick),
        "One each day.",
        "412 MB, 4 chairs. Restored once to try it, when it was made.",
        "412 MB, 4 chairs. Opened again on 15 Jan 2027",
        "Printed by Mira Chen on 6 Jan 2027",
        "Nobody was last seen more than 10 years ago",
    ):
        assert words in said, words


def test_a_backup_is_made_watched_and_cancelled(
    setup: SetupPage, store: Store, sample: Sample, backend: Backend, stick: Path
) -> None:
    pane = opened(setup).backups
    backend.silent = True
    click(pane.make)
    assert backend.of(ipc.MakeBackup) == [ipc.MakeBackup(path=str(stick))]
    job = Job(id="backup-1", text=Text("backup.job.making", {"place": str(stick)}), percent=40, may_cancel=True)
    export = Job(id="export-1", text=Text("job.recording"), percent=2, may_cancel=True)
    state(store, sample, GOOD, jobs=(export, job))
    assert "40 %" in shown(pane)
    assert not pane.make.isEnabled()
    assert not any(button.isEnabled() for button in pane.checks.values())
    click(pane.jobs.cancel)
    assert backend.of(CancelJob) == [CancelJob(id="backup-1")]
    state(store, sample, GOOD)
    assert pane.make.isEnabled()


def test_what_came_of_it_is_said(setup: SetupPage, backend: Backend) -> None:
    pane = opened(setup).backups
    backend.answers[ipc.MakeBackup] = no("backup.failed", "The disk is full.")
    click(pane.make)
    assert "The disk is full." in shown(pane)
    backend.answers[ipc.MakeBackup] = Done(id="backup-0")
    click(pane.make)
    assert "Made, restored once to try it, and sound." in shown(pane)
    assert len(backend.of(ipc.ListBackups)) >= 3, "the list is read again"


def test_a_backup_is_opened_by_a_button(setup: SetupPage, backend: Backend, stick: Path) -> None:
    pane = opened(setup).backups
    click(pane.checks["backup-8"])
    assert backend.of(ipc.CheckBackup) == [ipc.CheckBackup(path=str(stick), name="backup-8")]
    assert "it holds" in shown(pane)
    backend.answers[ipc.CheckBackup] = no("backup.damaged", "chair-1.backup is not what was written.")
    click(pane.checks["backup-8"])
    assert "not what was written" in shown(pane)


def test_another_folder_is_chosen_and_one_each_day_wanted(setup: SetupPage, backend: Backend, tmp_path: Path) -> None:
    pane = opened(setup).backups
    assert pane.daily.key == "on"
    pane.place.field.clear()
    QTest.keyClicks(pane.place.field, str(tmp_path / "nowhere"))
    assert not pane.make.isEnabled()
    pane.place.field.clear()
    QTest.keyClicks(pane.place.field, str(tmp_path))
    assert pane.daily.key == "off"
    click(pane.daily.button("on"))
    assert backend.of(ipc.SetBackupPlace) == [ipc.SetBackupPlace(path=str(tmp_path), daily=True)]


def test_what_is_late_outstanding_cut_off_or_away_is_said(
    setup: SetupPage, store: Store, sample: Sample, backend: Backend, stick: Path
) -> None:
    away = place(stick, outstanding=True, there=False)
    here = place(stick.parent, daily=False, cut_off=(".part-backup-x",))
    backend.answers[ipc.ListBackups] = ipc.Backups(places=(away, here))
    state(store, sample, msgspec.structs.replace(GOOD, late=True, outstanding=1, new_keys=True))
    pane = opened(setup).backups
    said = shown(pane)
    for words in (
        "too old",
        "1 place still holds keys",
        "its files get new keys",
        "Not connected. Holds keys of patients who were erased.",
        ".part-backup-x was cut off; the next backup takes it away. No backup here yet.",
    ):
        assert words in said, words
    click(pane.renew)
    assert backend.of(ipc.RenewBackupKeys) == [ipc.RenewBackupKeys()]
    click(pane.forgets[str(stick)])
    assert backend.of(ipc.ForgetBackupPlace) == [ipc.ForgetBackupPlace(path=str(stick))]


def test_an_assistant_sees_and_changes_nothing(
    setup: SetupPage, store: Store, sample: Sample, backend: Backend
) -> None:
    state(store, sample, GOOD, sample.jon)
    pane = opened(setup).backups
    assert "Last good backup" in shown(pane)
    assert "412 MB" in shown(pane)
    for widget in (pane.make, pane.daily, pane.place, pane.renew, pane.sheet.print_button, *pane.checks.values()):
        assert not widget.isVisible()
    assert backend.of(ipc.ListOverdue) == []


# the sheet


def test_the_sheet_is_asked_for_on_every_pane_until_it_was_printed_and_typed_back(
    setup: SetupPage, store: Store, sample: Sample, backend: Backend, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert not setup.strip.isVisible()
    none = msgspec.structs.replace(GOOD, sheet_by="", sheet_us=0, sheet_wanted=True)
    state(store, sample, none)
    assert setup.strip.isVisible()
    assert "Print the recovery sheet of the records." in shown(setup)
    click(setup.strip_button)
    assert not setup.strip.isVisible(), "the pane itself asks"
    card = setup.backups.sheet
    assert not setup.backups.make.isEnabled(), "nobody could open a backup"
    looked: list[str] = []

    def look(url: QUrl) -> bool:
        looked.append(url.toLocalFile())
        return True

    monkeypatch.setattr(QDesktopServices, "openUrl", look)
    path = tmp_path / "sheet.pdf"

    def written(body: Any, done: Any) -> None:
        backend.asked.append(body)
        if isinstance(body, ipc.PrintSheet):
            state(store, sample, msgspec.structs.replace(none, line=3))
            done(ipc.SheetWritten(path=str(path), line=3))
        elif isinstance(body, ipc.ConfirmSheet):
            done(
                no("sheet_line", "That is not how line 3 was printed.") if "X" in body.line else ipc.Backups(places=())
            )
        else:
            done(backend.answers.get(type(body), Done()))

    monkeypatch.setattr(backend, "request", written)
    click(card.print_button)
    assert looked == [str(path)]
    assert "Line 3 of the sheet" in shown(card)
    QTest.keyClicks(card.line, "XXXX AAAA AAAA AAAA")
    click(card.confirm_button)
    assert "That is not how line 3 was printed." in shown(card)
    card.line.clear()
    QTest.keyClicks(card.line, "ABCD EFGH IJKL MNOP")
    QTest.keyClick(card.line, Qt.Key.Key_Return)
    assert backend.of(ipc.ConfirmSheet)[-1].line == "ABCD EFGH IJKL MNOP"
    assert card.line.text() == "", "no line of it stays on the screen"
    state(store, sample, GOOD)
    assert "Printed by Mira Chen" in shown(card)
    assert not card.line.isVisible()


# who is past the time, and erasing


def test_who_is_past_the_time_is_listed_and_leads_to_what_would_go(
    setup: SetupPage, store: Store, backend: Backend
) -> None:
    backend.answers[ipc.ListOverdue] = ipc.Overdue(
        years=10,
        patients=(ipc.OverduePatient("patient-2", "Darius Hale", "P-1002", NOW_US - 4000 * DAY_US),),
        erased=(ipc.ErasedPatient("0190-abcdef12", "Mira Chen", "on request", NOW_US),),
    )
    pane = opened(setup).backups
    said = shown(pane.retention)
    assert "1 patient was last seen more than 10 years ago." in said
    assert "Darius" not in said, "a patient may see this screen"
    assert "Erased patient …abcdef12" in said
    assert "by Mira Chen: on request" in said
    wanted: list[str] = []
    setup.erasure_wanted.connect(wanted.append)
    click(pane.retention.buttons["patient-2"])
    assert wanted == ["patient-2"]


def test_an_erasure_that_was_cut_off_is_finished_from_here(
    setup: SetupPage, store: Store, sample: Sample, backend: Backend
) -> None:
    state(store, sample, msgspec.structs.replace(GOOD, pending="patient-9"))
    pane = opened(setup).backups
    click(pane.retention.finish)
    (asked,) = backend.of(ipc.ErasePatient)
    assert (asked.patient_id, asked.name) == ("patient-9", "")


@pytest.fixture
def patients(store: Store, sample: Sample, words: Words, backend: Backend) -> Iterator[PatientsPage]:
    backend.answers[GetTimeline] = Timeline(patient=sample.patient(2), visits=())
    backend.answers[ipc.PlanErasure] = PLAN
    backend.answers[ipc.ErasePatient] = ipc.Erased(outstanding=("/media/stick",), left=())
    state(store, sample, GOOD)
    page = PatientsPage(store, words)
    page.resize(1192, 664)
    page.show()
    page.activateWindow()
    page.open_patient("patient-2")
    state(store, sample, GOOD)
    QApplication.processEvents()
    yield page
    page.deleteLater()
    QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)


def test_a_patient_is_erased_after_a_reason_and_the_name(patients: PatientsPage, backend: Backend) -> None:
    visits, panel = patients.visits, patients.visits.erasing
    click(visits.correct_button)
    click(visits.erase_button)
    said = shown(panel)
    for words in (
        "Erase Darius Hale for good",
        "Name, birth date and details, in every version | 3",
        "Stretches of samples, also outside visits | 96",
        "Reports: V-31K.pdf",
        "Adverse events: safety needs them. | 1",
        "whose they are is not known. | 1200",
        "Backups in /mnt/vault lose them at once.",
        "Backups in /media/stick are not connected",
    ):
        assert words in said, words
    assert not panel.erase.isVisible()
    click(panel.go)
    assert "A reason is needed." in shown(panel)
    QTest.keyClicks(panel.reason, "on request")
    click(panel.go)
    assert not panel.erase.isEnabled()
    QTest.keyClicks(panel.name, "Darius")
    assert not panel.erase.isEnabled()
    QTest.keyClicks(panel.name, " hale")
    click(panel.erase)
    assert backend.of(ipc.ErasePatient) == [
        ipc.ErasePatient(patient_id="patient-2", name="Darius hale", reason="on request")
    ]
    assert "Still outstanding: backups in /media/stick." in shown(panel)
    assert "Darius" not in shown(visits), "nothing of them stays on the screen"
    left: list[bool] = []
    visits.left.connect(lambda: left.append(True))
    click(panel.back)
    assert left == [True]


def test_while_a_visit_is_open_nothing_is_erased_and_it_says_so(patients: PatientsPage, backend: Backend) -> None:
    panel = patients.visits.erasing
    backend.answers[ipc.PlanErasure] = no("erase.refused", "Visit V-31K at chair 2 is still open.")
    click(patients.visits.correct_button)
    click(patients.visits.erase_button)
    assert "Visit V-31K at chair 2 is still open." in shown(panel)
    assert not panel.go.isVisible()
    click(panel.back)
    assert len(backend.of(GetTimeline)) == 2, "the patient is shown again"


def test_an_assistant_is_not_offered_it_and_what_was_begun_ends(
    patients: PatientsPage, store: Store, sample: Sample
) -> None:
    click(patients.visits.correct_button)
    click(patients.visits.erase_button)
    left: list[bool] = []
    patients.visits.left.connect(lambda: left.append(True))
    state(store, sample, GOOD, sample.jon)
    assert left == [True]
    assert not patients.visits.erase_button.isVisible()


def test_every_kind_that_goes_is_counted_somewhere_or_serves_another() -> None:
    """A table of which nothing is said would go unseen."""
    told = {name for members in GROUPS.values() for name in members}
    serves = {"payload", "pyramid", "summary", "search_row", "version"}
    assert {"attachment" if name == "attachment" else name for name in owners()} <= told | serves
