"""Signals from elsewhere in the window: looked at first, named by unit, then taken in; marked in the review."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from app.console.patients_page import PatientsPage
from app.console.review_card import ReviewCard
from app.console.signals_panel import LEFT_OUT, SignalsPanel
from app.console.store import Store
from app.ipc.import_messages import ForeignSignal, ImportSignals, LookAtSignals, SignalsFound, SignalsImported
from app.ipc.messages import ChannelSpan, GetVisit, Refused, VisitDetail
from core.model.people import VisitSummary
from core.model.words import Text, Words
from core.signals.catalogue import load_catalogue
from widgets import theme

Backend = Any
Sample = Any
BEGAN = 1_800_000_000_000_000
VISIT = VisitSummary(
    id="v-1",
    patient_id="patient-2",
    code="V-77AB",
    chair=2,
    began_us=BEGAN,
    ended_us=BEGAN + 600_000_000,
    state="complete",
    title_key="",
)
REFUSED = Refused(
    code="exchange.import", text=Text("test.say", {"text": "Line 2."}), remedy=Text("test.say", {"text": "Mend it."})
)


def signal(name: str, unit: str, channel: str, *choices: str, at_us: int = BEGAN) -> ForeignSignal:
    return ForeignSignal(
        name=name, unit=unit, samples=1200, from_us=at_us, to_us=at_us + 60_000_000, channel=channel, choices=choices
    )


FOUND = SignalsFound(
    sha256="ab" * 32,
    signals=(
        signal("saliva_ph", "[pH]", "saliva_ph", "saliva_ph", "plaque_ph"),
        signal("pH night", "[pH]", "", "saliva_ph", "plaque_ph", at_us=BEGAN - 10**11),
        signal("Snoring", "dB", ""),
    ),
)


@pytest.fixture
def panel(qtbot: QtBot, store: Store, words: Words, sample: Sample, backend: Backend) -> SignalsPanel:
    store.apply(sample.workstation())
    backend.answers[LookAtSignals] = FOUND
    backend.answers[ImportSignals] = SignalsImported(stored=1200, known=0)
    made = SignalsPanel(store, words)
    qtbot.addWidget(made)
    made.resize(1160, 460)
    made.open_visit(VISIT)
    made.show()
    return made


def click(button: Any) -> None:
    QTest.mouseClick(button, Qt.MouseButton.LeftButton)


def said(panel: SignalsPanel) -> str:
    from widgets.controls import Label

    return " ".join(label.text() for label in panel.findChildren(Label))


def test_what_a_file_holds_is_shown_and_nothing_is_taken_in_before_somebody_says_so(
    panel: SignalsPanel, backend: Backend
) -> None:
    panel.choose("/stick/night.csv")
    assert backend.of(LookAtSignals) == [LookAtSignals(path="/stick/night.csv")]
    assert backend.of(ImportSignals) == []
    shown = said(panel)
    for part in ("night.csv", "saliva_ph, [pH]", "1,200 samples", "Snoring, dB", "No channel here has this unit."):
        assert part in shown
    assert shown.count("Outside of this visit's time") == 1
    assert panel.choices["saliva_ph"].key == "saliva_ph"
    assert panel.choices["pH night"].key == LEFT_OUT
    assert "Snoring" not in panel.choices
    click(panel.take_button)
    (body,) = backend.of(ImportSignals)
    assert (body.chair, body.visit_id, body.path, body.sha256) == (2, "v-1", "/stick/night.csv", FOUND.sha256)
    assert body.names == {"saliva_ph": "saliva_ph", "pH night": "", "Snoring": ""}
    assert panel.told.text() == "1200 samples are taken in. 0 were here already."
    assert not panel.take_button.isVisible()


def test_a_channel_is_given_once_and_at_least_one_is_taken_in(panel: SignalsPanel, backend: Backend) -> None:
    panel.choose("/stick/night.csv")
    click(panel.choices["pH night"].button("saliva_ph"))
    assert not panel.take_button.isEnabled()
    assert panel.told.text() == "Two of them are the same channel. Leave one out."
    click(panel.choices["saliva_ph"].button(LEFT_OUT))
    assert panel.take_button.isEnabled()
    click(panel.choices["pH night"].button(LEFT_OUT))
    assert not panel.take_button.isEnabled()
    click(panel.choices["pH night"].button("plaque_ph"))
    click(panel.take_button)
    assert backend.of(ImportSignals)[0].names == {"saliva_ph": "", "pH night": "plaque_ph", "Snoring": ""}


def test_the_zone_of_an_edf_is_asked_and_never_guessed(panel: SignalsPanel, backend: Backend) -> None:
    panel.choose("/stick/night.EDF")
    assert backend.of(LookAtSignals) == []
    assert panel.zone.isVisible()
    panel.zone.setText(" +02:00 ")
    click(panel.look_button)
    assert backend.of(LookAtSignals) == [LookAtSignals(path="/stick/night.EDF", zone="+02:00")]
    click(panel.take_button)
    assert backend.of(ImportSignals)[0].zone == "+02:00"
    panel.choose("/stick/day.csv")
    assert backend.of(LookAtSignals)[-1].zone == "", "a CSV says its zone itself"


def test_a_file_that_is_refused_says_where_and_another_can_be_chosen(panel: SignalsPanel, backend: Backend) -> None:
    backend.answers[LookAtSignals] = REFUSED
    panel.choose("/stick/night.csv")
    assert panel.told.text() == "Line 2. Mend it."
    assert not panel.take_button.isVisible()
    backend.answers[LookAtSignals] = FOUND
    backend.answers[ImportSignals] = REFUSED
    panel.choose("/stick/other.csv")
    click(panel.take_button)
    assert panel.told.text() == "Line 2. Mend it."
    assert panel.take_button.isEnabled()
    click(panel.other)
    assert panel.chooser.isVisible()


def test_an_answer_about_a_file_that_nobody_looks_at_any_more_is_left_alone(
    panel: SignalsPanel, backend: Backend
) -> None:
    backend.silent = True
    panel.choose("/stick/old.csv")
    panel._choose_file()
    panel._looked(FOUND, 2)
    assert panel.choices == {}
    assert panel.chooser.isVisible()


@pytest.fixture
def detail(sample: Sample) -> VisitDetail:
    spans = tuple(
        ChannelSpan(channel=key, from_us=BEGAN, to_us=BEGAN + 59_000_000, samples=600)
        for key in ("saliva_ph", "imported.saliva_ph")
    )
    return VisitDetail(visit=VISIT, patient=sample.patient(), procedure=None, channels=spans, moments=())


def test_what_was_imported_is_a_row_of_its_own_and_says_so(
    qtbot: QtBot, store: Store, words: Words, detail: VisitDetail
) -> None:
    card = ReviewCard(words, store.ask, list(load_catalogue()))
    qtbot.addWidget(card)
    card.resize(900, 400)
    card.show()
    card.open_visit(detail)
    card.set_channel_shown("imported.saliva_ph", True)
    assert card.channels == ("saliva_ph", "imported.saliva_ph")
    readings = card.rows.readings
    assert (readings["saliva_ph"].mark, readings["imported.saliva_ph"].mark) == ("", "imported")
    assert "Saliva pH imported:" in card.rows.accessibleDescription()
    assert [action.text() for action in card._menu.actions()] == ["Saliva pH", "Saliva pH imported"]
    card.grab()


def test_once_taken_in_the_visit_is_read_again_and_stays_where_it_is(
    qtbot: QtBot, store: Store, words: Words, sample: Sample, backend: Backend, detail: VisitDetail, tmp_path: Path
) -> None:
    store.apply(sample.workstation())
    store.welcome(practice="", data_folder=str(tmp_path), simulated=True)
    backend.answers[LookAtSignals] = FOUND
    backend.answers[ImportSignals] = SignalsImported(stored=1200, known=0)
    before = msgspec.structs.replace(detail, channels=detail.channels[:1])
    backend.answers[GetVisit] = before
    page = PatientsPage(store, words)
    qtbot.addWidget(page)
    page.resize(1192, 664)
    page.show()
    page._show(page.visits)
    page.visits._visits = {VISIT.id: VISIT}
    page.visits._take_visit(before, page.visits._asked)
    click(page.visits.others_button)
    click(page.visits.others.exports.buttons["signals"])
    page.visits.others.signals.choose("/stick/night.csv")
    backend.answers[GetVisit] = detail
    click(page.visits.others.signals.take_button)
    assert page.visits.others.signals.isVisible()
    assert page.visits.review._recorded() == ["saliva_ph", "imported.saliva_ph"]
    click(page.visits.others.signals.back)
    assert page.visits.others.exports.isVisible()


@pytest.mark.parametrize("mode", ["light", "dark"])
def test_it_has_a_picture(panel: SignalsPanel, snap: Callable[..., Path], mode: theme.Mode) -> None:
    panel.choose("/stick/night.csv")
    assert snap(panel, "signals-found", mode).stat().st_size > 5_000
