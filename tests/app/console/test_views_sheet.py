"""The list of who looked, written out for the patient: by who may, under a code."""

from pathlib import Path

import pytest
from PySide6.QtCore import Qt, QUrl
from PySide6.QtGui import QDesktopServices
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from app.console.store import Store
from app.console.views_pane import ViewsPane
from app.ipc.access_messages import ListViews, PrintViews, Views
from app.ipc.messages import Refused, ReportMade
from core.model.people import Operator, Role
from core.model.words import Text, Words

from .conftest import FakeBackend, Sample


@pytest.fixture
def pane(qtbot: QtBot, store: Store, words: Words, sample: Sample, backend: FakeBackend, tmp_path: Path) -> ViewsPane:
    store.welcome(practice="Cedar Lane", data_folder=str(tmp_path), simulated=True)
    store.apply(sample.workstation())
    backend.answers[ListViews] = Views(views=())
    made = ViewsPane(store, words)
    qtbot.addWidget(made)
    made.resize(1100, 480)
    made.open_patient("patient-2", "V-2002")
    made.show()
    return made


def test_it_is_written_under_a_code_in_the_language_that_was_touched(
    pane: ViewsPane, backend: FakeBackend, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    backend.answers[PrintViews] = ReportMade(path=str(tmp_path / "x.pdf"), pages=1, preview_png=b"")
    assert not pane.sheet.open.isVisible()
    QTest.mouseClick(pane.sheet.languages["es"], Qt.MouseButton.LeftButton)
    (asked,) = backend.of(PrintViews)
    assert isinstance(asked, PrintViews)
    assert (asked.patient_id, asked.language, Path(asked.path).name) == ("patient-2", "es", "V-2002-looks-es.pdf")
    assert "x.pdf" in pane.sheet.said.text()
    opened: list[QUrl] = []
    monkeypatch.setattr(QDesktopServices, "openUrl", opened.append)
    QTest.mouseClick(pane.sheet.open, Qt.MouseButton.LeftButton)
    assert [Path(url.toLocalFile()) for url in opened] == [tmp_path / "x.pdf"]


def test_a_refusal_is_said_and_it_can_be_asked_again(pane: ViewsPane, backend: FakeBackend) -> None:
    backend.answers[PrintViews] = Refused(code="report.failed", text=Text("test.say", {"text": "No room."}))
    QTest.mouseClick(pane.sheet.languages["en"], Qt.MouseButton.LeftButton)
    assert pane.sheet.said.text() == "No room."
    assert not pane.sheet.open.isVisible()
    assert pane.sheet.languages["en"].isEnabled()


def test_who_may_not_has_no_such_buttons(pane: ViewsPane, store: Store, sample: Sample) -> None:
    anna = Operator(id="c", name="Anna", role=Role.COMPANION)
    store.apply(sample.workstation(operator=anna, operators=(anna,)))
    pane.open_patient("patient-2", "V-2002")
    assert not pane.sheet.isVisible()
