"""Exports as people press them: where to, how far, cancel, what came of it; and STOP stays free."""

from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import QDateTime, Qt, QUrl
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from app.console.day_reports import DayReports
from app.console.export_panel import SIGNALS, ExportPanel
from app.console.job_bar import JobBar
from app.console.patients_page import PatientsPage
from app.console.store import Store
from app.ipc.export_messages import (
    CancelJob,
    DayMade,
    ExportDay,
    ExportSamples,
    MakePack,
    NotMade,
    PackMade,
    ReportFile,
)
from app.ipc.messages import ChannelSpan, Job, Refused, VisitDetail
from core.model.people import VisitSummary
from core.model.words import Text, Words

Sample = Any
Backend = Any
BEGAN = 1_800_000_000_000_000
REFUSED = Refused(
    code="record.export", text=Text("test.say", {"text": "Full."}), remedy=Text("test.say", {"text": "Make room."})
)


def job(number: int, percent: int) -> Job:
    text = Text("record.job.exporting", {"name": f"V-{number}.csv"})
    return Job(id=f"export-{number}", text=text, percent=percent, may_cancel=True)


def click(button: Any) -> None:
    QTest.mouseClick(button, Qt.MouseButton.LeftButton)


@pytest.fixture
def detail(sample: Sample) -> VisitDetail:
    visit = VisitSummary(
        id="v-1",
        patient_id="patient-2",
        code="V-77AB",
        chair=2,
        began_us=BEGAN,
        ended_us=BEGAN + 60_000_000,
        state="complete",
        title_key="",
    )
    spans = tuple(
        ChannelSpan(channel=key, from_us=BEGAN, to_us=BEGAN + 59_000_000, samples=600)
        for key in ("saliva_ph", "jaw_emg")
    )
    return VisitDetail(visit=visit, patient=sample.patient(), procedure=None, channels=spans, moments=())


@pytest.fixture
def panel(qtbot: QtBot, store: Store, words: Words, sample: Sample, detail: VisitDetail, tmp_path: Path) -> ExportPanel:
    store.apply(sample.workstation())
    (tmp_path / "stick").mkdir()
    made = ExportPanel(store, words, lambda: [("BLUE STICK", tmp_path / "stick")])
    qtbot.addWidget(made)
    made.resize(1160, 560)
    made.show_visit(detail, tmp_path)
    made.show()
    return made


@pytest.fixture
def day(qtbot: QtBot, store: Store, words: Words, sample: Sample, tmp_path: Path) -> DayReports:
    store.apply(sample.workstation())
    made = DayReports(store, words, list)
    qtbot.addWidget(made)
    made.resize(1160, 560)
    made.open_today(tmp_path)
    made.show()
    return made


@pytest.mark.parametrize(
    ("form", "name"), [("edf", "V-77AB-edf"), ("parquet", "V-77AB.parquet"), ("csv", "V-77AB.csv")]
)
def test_the_whole_visit_goes_where_it_was_told(
    panel: ExportPanel, backend: Backend, tmp_path: Path, form: str, name: str
) -> None:
    click(panel.place.buttons[1])
    click(panel.buttons[form])
    (body,) = backend.of(ExportSamples)
    assert (body.format, body.path) == (form, str(tmp_path / "stick" / name))
    assert (body.from_us, body.to_us, body.channels) == (BEGAN, BEGAN + 60_000_000, ("saliva_ph", "jaw_emg"))
    assert panel.told.text() == f"{name} is written."
    assert panel.folder_button.isVisible()


def test_the_code_of_a_pack_is_shown_once(
    panel: ExportPanel, backend: Backend, detail: VisitDetail, tmp_path: Path
) -> None:
    code = "7K4M-Q2XD-9HTP-W3RB-6CNE"
    missing = (("V-77AB", "report.pdf", "There is none."),)
    backend.answers[MakePack] = PackMade(
        folder=str(tmp_path / "V-77AB-pack"), code=code, sheet=b"", missing=missing, visits=((2, "v-1"),)
    )
    click(panel.buttons["pack"])
    assert backend.of(MakePack) == [MakePack(patient_id=detail.patient.id, folder=str(tmp_path), name="V-77AB-pack")]
    assert not panel.sheet_button.isVisible(), "there is no sheet"
    assert panel.code.text() == f"Code: {code}"
    assert panel.code.isVisible()
    assert panel.told.text() == "V-77AB-pack is written. report.pdf of V-77AB is not in it: There is none."
    click(panel.buttons["csv"])
    assert panel.code.text() == ""
    assert not panel.code.isVisible()


def test_a_pack_speaks_the_language_that_was_chosen_and_its_sheet_is_written_for_a_moment_alone(
    panel: ExportPanel, backend: Backend, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[Path] = []

    def open_url(url: QUrl) -> bool:
        opened.append(Path(url.toLocalFile()))
        return opened[-1].read_bytes() == b"%PDF-the code"

    monkeypatch.setattr("app.console.private_sheet.QDesktopServices.openUrl", open_url)
    (tmp_path / "run").mkdir()
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / "run"))
    backend.answers[MakePack] = PackMade(
        folder=str(tmp_path / "stick" / "V-77AB-pack"), code="7K4M", sheet=b"%PDF-the code", missing=(), visits=()
    )
    click(panel.languages.button("zh"))
    click(panel.place.buttons[1])
    click(panel.buttons["pack"])
    assert backend.of(MakePack)[0].language == "zh"
    assert list((tmp_path / "run").iterdir()) == [], "nothing is written until somebody wants it"
    for leave in (panel.back, panel.buttons["csv"]):
        click(panel.sheet_button)
        assert "print it there" in panel._note.text()
        assert opened[-1].is_relative_to(tmp_path / "run")
        assert opened[-1].parent.stat().st_mode & 0o077 == 0
        click(leave)
        assert not opened[-1].exists()
        assert not panel.sheet_button.isVisible()
        click(panel.buttons["pack"])
    monkeypatch.setattr("app.console.private_sheet.QDesktopServices.openUrl", lambda url: False)
    click(panel.sheet_button)
    assert panel._note.text() == "No program opened the sheet. Write the code down."
    assert panel.code.text() == "Code: 7K4M"


def test_no_name_of_a_patient_is_in_a_file_name(panel: ExportPanel, backend: Backend, sample: Sample) -> None:
    for button in panel.buttons.values():
        click(button)
    patient = sample.patient()
    for body in backend.of(ExportSamples):
        assert patient.family_name not in Path(body.path).name
        assert patient.given_name not in Path(body.path).name


def test_a_folder_that_is_none_is_said_and_nothing_is_written(panel: ExportPanel, backend: Backend) -> None:
    for typed, said in (("/no/such/folder", "This folder is not there."), ("exports", "Name the folder in full.")):
        panel.place.field.setText(typed)
        assert panel.place._problem.text() == said
        writing = [button for name, button in panel.buttons.items() if name != SIGNALS]
        assert not any(button.isEnabled() for button in writing)
    assert backend.of(ExportSamples) == []


def test_a_refusal_is_told_with_its_remedy(panel: ExportPanel, backend: Backend) -> None:
    backend.answers[ExportSamples] = REFUSED
    click(panel.buttons["csv"])
    assert panel.told.text() == "Full. Make room."
    assert not panel.folder_button.isVisible()
    assert panel.buttons["csv"].isEnabled()


def test_the_bar_says_how_far_a_job_is_and_cancels_it(
    qtbot: QtBot, store: Store, words: Words, sample: Sample, backend: Backend
) -> None:
    bar = JobBar(store, words)
    qtbot.addWidget(bar)
    store.apply(sample.workstation(jobs=(Job(id="recording-1", text=Text("job.recording")),)))
    assert bar.isHidden(), "recording is nothing to cancel"
    store.apply(sample.workstation(jobs=(job(1, 42), job(2, 0))))
    assert not bar.isHidden()
    assert bar.said.text() == "Writing V-1.csv, 42 %. 1 more waits."
    click(bar.cancel)
    assert backend.of(CancelJob) == [CancelJob(id="export-1")]
    assert (bar.cancel.isEnabled(), bar.cancel.text()) == (False, "Cancelling")
    store.apply(sample.workstation(jobs=(job(2, 3),)))
    assert (bar.cancel.isEnabled(), bar.cancel.text()) == (True, "Cancel")
    store.set_link(False)
    assert bar.isHidden(), "nobody knows how far it is"


def test_one_press_makes_the_reports_of_today_and_tells_what_was_not_made(
    day: DayReports, backend: Backend, store: Store, tmp_path: Path
) -> None:
    folder = str(tmp_path / "reports")
    not_made = NotMade(2, "V-B2", Text("reader.visit_open.text"), Text("reader.visit_open.remedy"))
    made = (ReportFile(1, "v-1", "V-A1.pdf"), ReportFile(2, "v-2", "V-B1.pdf"))
    backend.answers[ExportDay] = DayMade(folder=folder, made=made, refused=(not_made,))
    click(day.make)
    (body,) = backend.of(ExportDay)
    assert body.from_us <= store.clock.utc_us() < body.to_us
    assert body.folder == str(tmp_path)
    local = QDateTime.fromMSecsSinceEpoch(store.clock.utc_us() // 1000)
    assert body.name == f"reports-{local.toString('yyyy-MM-dd')}"
    assert (body.format, body.language) == ("pdf", "en")
    assert day.told.text() == "2 reports are made."
    assert day.lines() == ["Visit V-B2, chair 2: The visit is still under way. Close it, then make the reports again."]
    assert day.folder_button.isVisible()


def test_the_reports_of_a_day_are_made_in_the_form_and_language_that_were_chosen(
    day: DayReports, backend: Backend, tmp_path: Path
) -> None:
    backend.answers[ExportDay] = DayMade(folder=str(tmp_path), made=(ReportFile(1, "v", "V-zh.html"),), refused=())
    click(day.formats.button("html"))
    click(day.languages.button("zh"))
    click(day.make)
    (body,) = backend.of(ExportDay)
    assert (body.format, body.language) == ("html", "zh")


def test_a_day_before_is_chosen_and_an_empty_one_is_said_to_be(day: DayReports, backend: Backend) -> None:
    assert not day.later.isEnabled(), "tomorrow has no visits yet"
    backend.answers[ExportDay] = DayMade(folder="", made=(), refused=())
    click(day.earlier)
    click(day.make)
    (body,) = backend.of(ExportDay)
    assert body.to_us - body.from_us in (23 * 3_600_000_000, 24 * 3_600_000_000, 25 * 3_600_000_000)
    assert day.told.text() == "No visit began on this day."
    assert not day.folder_button.isVisible()
    click(day.later)
    assert not day.later.isEnabled()


def test_nobody_presses_twice_and_a_failure_is_told(day: DayReports, backend: Backend) -> None:
    backend.silent = True
    click(day.make)
    click(day.make)
    assert len(backend.of(ExportDay)) == 1
    day._ended(REFUSED)
    assert day.told.text() == "Full. Make room."
    assert day.make.isEnabled()


def test_the_day_is_reached_from_the_patients_and_left_again(
    qtbot: QtBot, store: Store, words: Words, sample: Sample, tmp_path: Path
) -> None:
    store.apply(sample.workstation())
    store.welcome(practice="", data_folder=str(tmp_path), simulated=True)
    page = PatientsPage(store, words)
    qtbot.addWidget(page)
    page.show()
    click(page.list.day_button)
    QApplication.processEvents()
    assert page.day.isVisible()
    assert page.day.place.folder == tmp_path / "exports"
    click(page.day.back)
    assert page.list.isVisible()
