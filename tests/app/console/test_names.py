"""Names where a patient may see the screen, and who a patient is, corrected."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from app.console.patient_form import PatientForm
from app.console.setup_settings import SettingsPane
from app.console.store import Store
from app.console.topbar import TopBar
from app.ipc.access_messages import SetNames
from app.ipc.messages import CorrectPatient, Refused
from core.model.words import Text, Words
from widgets.controls import Button

from .conftest import FakeBackend, Sample


@pytest.fixture
def bar(qtbot: QtBot, store: Store, words: Words, sample: Sample) -> TopBar:
    store.apply(sample.workstation())
    store.apply(sample.chair(2))
    store.set_current(2)
    made = TopBar(store, words, demo=False)
    qtbot.addWidget(made)
    made.resize(1280, 56)
    made.show()
    QApplication.processEvents()
    return made


def test_the_top_bar_names_nobody_until_it_is_touched_and_never_hides_an_allergy(bar: TopBar) -> None:
    assert (bar.title.text(), bar.subtitle.text()) == ("DH, V-2002", "Allergy: latex")
    heard = " ".join((bar.title.accessibleName(), bar.title.toolTip()))
    assert "Darius" not in heard
    QTest.mouseClick(bar.title, Qt.MouseButton.LeftButton)
    assert (bar.title.text(), bar.subtitle.text()) == ("Darius Hale", "12 Mar 2001. Allergy: latex")
    bar.title._reveal.hide()
    assert bar.title.text() == "DH, V-2002"
    bar.title.clearFocus()
    bar.activateWindow()
    bar.title.setFocus(Qt.FocusReason.TabFocusReason)
    assert bar.title.text() == "Darius Hale", "by the keyboard, too"


def test_a_name_that_was_touched_is_not_shown_of_the_next(bar: TopBar, store: Store, sample: Sample) -> None:
    QTest.mouseClick(bar.title, Qt.MouseButton.LeftButton)
    store.apply(sample.chair(3))
    store.set_current(3)
    assert bar.title.text() == "IM, V-2003"
    assert bar.subtitle.text() == ""


def test_the_workstation_keeps_whether_names_are_shown(
    qtbot: QtBot, bar: TopBar, store: Store, words: Words, sample: Sample, backend: FakeBackend
) -> None:
    pane = SettingsPane(store, words)
    qtbot.addWidget(pane)
    pane.show()
    assert pane.names.key == "hidden"
    QTest.mouseClick(pane.names.button("shown"), Qt.MouseButton.LeftButton)
    assert backend.of(SetNames) == [SetNames(shown=True)]
    assert bar.title.text() == "DH, V-2002", "the engine has the last word"
    store.apply(sample.workstation(names_shown=True))
    assert bar.title.text() == "Darius Hale"
    assert bar.title.focusPolicy() is Qt.FocusPolicy.NoFocus
    store.apply(sample.workstation(operator=sample.jon, names_shown=True))
    assert not pane.names.isEnabled(), "dentists decide it"
    assert pane.names.key == "shown"


@pytest.fixture
def form(qtbot: QtBot, store: Store, words: Words, sample: Sample) -> PatientForm:
    made = PatientForm(store, words, Button("erase"))
    qtbot.addWidget(made)
    made.resize(1128, 470)
    made.open_patient(sample.patient())
    made.show()
    QApplication.processEvents()
    return made


def press(form: PatientForm) -> None:
    QTest.mouseClick(form.save, Qt.MouseButton.LeftButton)


def test_a_patient_is_corrected_with_a_reason_against_the_version_that_was_seen(
    form: PatientForm, qtbot: QtBot, backend: FakeBackend, sample: Sample
) -> None:
    form.fields["family_name"].setText("Hale-Obi")
    form.fields["allergies"].clear()
    form.notes.setPlainText("Prefers mornings.")
    press(form)
    assert backend.of(CorrectPatient) == []
    assert form.message.text() == "Why is it corrected?"
    QTest.keyClicks(form.reason, "married")
    with qtbot.waitSignal(form.saved):
        press(form)
    (asked,) = backend.of(CorrectPatient)
    assert isinstance(asked, CorrectPatient)
    assert asked.reason == "married"
    was = sample.patient()
    assert (asked.patient.id, asked.patient.version, asked.patient.code) == (was.id, was.version, was.code)
    changed = (asked.patient.name, asked.patient.allergies, asked.patient.notes)
    assert changed == ("Darius Hale-Obi", "", "Prefers mornings.")


def test_a_stale_version_is_refused_in_words_and_nothing_typed_is_lost(form: PatientForm, backend: FakeBackend) -> None:
    backend.answers[CorrectPatient] = Refused(
        code="record.stale_version",
        text=Text("test.say", {"text": "It was changed meanwhile."}),
        remedy=Text("test.say", {"text": "Open the patient again."}),
    )
    form.fields["phone"].setText("1234")
    QTest.keyClicks(form.reason, "new number")
    press(form)
    assert form.message.text() == "It was changed meanwhile. Open the patient again."
    assert (form.fields["phone"].text(), form.reason.text()) == ("1234", "new number")
    assert form.save.isEnabled()


@pytest.mark.parametrize(
    ("field", "text", "said"),
    [
        ("given_name", " ", "Given name is needed."),
        ("birth_date", "12.3.2001", "The date of birth must be like 1980-12-31."),
    ],
)
def test_what_cannot_be_is_said_before_it_is_asked(
    form: PatientForm, backend: FakeBackend, field: str, text: str, said: str
) -> None:
    form.fields[field].setText(text)
    QTest.keyClicks(form.reason, "typed")
    press(form)
    assert form.message.text() == said
    assert backend.of(CorrectPatient) == []
