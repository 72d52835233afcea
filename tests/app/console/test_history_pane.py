"""The time line of a patient: read, filtered, written and corrected, each by who may."""

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from PySide6.QtCore import QBuffer, QByteArray, QIODevice, Qt
from PySide6.QtGui import QColor, QImage, QImageWriter
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QPushButton
from pytestqt.qtbot import QtBot

from app.console.history_pane import HistoryPane
from app.console.history_words import correction
from app.console.store import Store
from app.ipc.clinical_messages import (
    AddAttachment,
    AddEntry,
    AttachmentData,
    CorrectEntry,
    EntrySaved,
    ReadAttachment,
)
from app.ipc.messages import Refused, Timeline
from core.model.clinical import (
    AdverseEvent,
    Attachment,
    Condition,
    Consent,
    ConsentState,
    Entry,
    EntryVersion,
    Finding,
    Identity,
    Material,
    Note,
    Observation,
    Outcome,
    PlanMade,
    Relation,
    Severity,
    Source,
    StepDone,
)
from core.model.people import Patient, VisitSummary
from core.model.procedure import Choice, Envelope, ModulePlan, Plan
from core.model.words import Text, Words
from widgets import theme
from widgets.controls import Label

from .conftest import NOW_US, FakeBackend, Sample

MINUTE = 60_000_000
DAY = 86_400_000_000
DARIUS = "patient-2"


def png() -> bytes:
    image = QImage(120, 80, QImage.Format.Format_RGB32)
    image.fill(QColor("#8A5A00"))
    buffer = QBuffer()
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    QImageWriter(buffer, QByteArray(b"png")).write(image)
    return bytes(buffer.data().data())


PNG = png()
PLAN = Plan(modules=(ModulePlan(module="repair", choice=Choice.INCLUDED, teeth=(36,)),))


def envelope() -> Envelope:
    return Envelope(
        id="e",
        version=1,
        patient_id=DARIUS,
        visit_id="v2",
        plan=PLAN,
        limits=(),
        signed_by="patient_screen",
        witness="op-mira",
        signed_us=NOW_US,
        sha256=b"",
    )


def row(
    entry: Entry, version: int = 1, *, author: str = "Mira Chen", reason: str = "added", after: int = 0
) -> EntryVersion:
    return EntryVersion(
        chair=2, version=version, author=author, reason=reason, written_us=entry.at_us + after, entry=entry
    )


def note(text: str, at_us: int, *, withdrawn: bool = False, entry_id: str = "n1") -> Note:
    return Note(id=entry_id, patient_id=DARIUS, at_us=at_us, text=text, withdrawn=withdrawn)


def rows(patient: Patient) -> tuple[EntryVersion, ...]:
    at = NOW_US
    common: dict[str, Any] = {"patient_id": DARIUS, "visit_id": "v2"}
    caries = Finding(id="f1", at_us=at - 400 * DAY, fdi=36, condition=Condition.CARIES, surfaces="O", icdas=3, **common)
    filled = Finding(
        id="f2",
        at_us=at + 12 * MINUTE,
        fdi=36,
        condition=Condition.RESTORATION,
        surfaces="O",
        material=Material.SMILESCAPE,
        source=Source.PROCEDURE,
        **common,
    )
    return (
        row(Identity(id=DARIUS, patient_id=DARIUS, at_us=at - 900 * DAY, patient=patient)),
        row(caries),
        row(PlanMade(id="v2", at_us=at + MINUTE, plan=PLAN, **common)),
        row(Consent(id="v2", at_us=at + 2 * MINUTE, envelope=envelope(), state=ConsentState.GIVEN, **common)),
        row(note("Sensitive to cold on 36.", at + 3 * MINUTE)),
        row(
            note("Sensitive to cold on 37.", at + 3 * MINUTE),
            2,
            author="Jon Reyes",
            reason="wrong tooth",
            after=2 * MINUTE,
        ),
        row(note("Belongs to Ines.", at + 4 * MINUTE, entry_id="n2")),
        row(note("Belongs to Ines.", at + 4 * MINUTE, entry_id="n2", withdrawn=True), 2, reason="wrong patient"),
        row(
            StepDone(
                id="v2/2", at_us=at + 10 * MINUTE, fdi=36, module="repair", phase="seal_dentine", number=2, **common
            )
        ),
        row(filled, author="workstation", reason="procedure"),
        row(
            AdverseEvent(
                id="a1",
                at_us=at + 11 * MINUTE,
                text="Lip numb for some minutes.",
                severity=Severity.MILD,
                relation=Relation.POSSIBLE,
                outcome=Outcome.RESOLVED,
                **common,
            )
        ),
        row(Observation(id="o1", at_us=at + 9 * MINUTE, text="Probing depth 36", value=3.0, unit="mm", **common)),
        row(
            Attachment(
                id="p1",
                at_us=at + 5 * MINUTE,
                name="bitewing left.png",
                media_type="image/png",
                size=len(PNG),
                sha256=hashlib.sha256(PNG).digest(),
                text="Bitewing",
                **common,
            )
        ),
    )


def timeline(patient: Patient) -> Timeline:
    def visit(number: int, began_us: int) -> VisitSummary:
        return VisitSummary(
            id=f"v{number}",
            patient_id=DARIUS,
            code=f"V-{number}",
            chair=number,
            began_us=began_us,
            ended_us=began_us + 40 * MINUTE,
            state="complete",
            title_key="visit.title.procedure",
            teeth=(36,),
        )

    visits = (visit(2, NOW_US), visit(1, NOW_US - 400 * DAY))
    return Timeline(patient=patient, visits=visits, entries=rows(patient))


@pytest.fixture
def pane(qtbot: QtBot, store: Store, words: Words, sample: Sample) -> HistoryPane:
    store.apply(sample.workstation())
    made = HistoryPane(store, words)
    qtbot.addWidget(made)
    made.resize(1160, 470)
    made.show_timeline(timeline(sample.patient()))
    made.show()
    QApplication.processEvents()
    return made


def press(button: QPushButton) -> None:
    assert button.isVisible()
    assert button.height() >= 48
    QTest.mouseClick(button, Qt.MouseButton.LeftButton)


def lines(pane: HistoryPane) -> list[str]:
    return [item.line for item in pane.items()]


def test_everything_stands_in_one_line_the_latest_first(pane: HistoryPane) -> None:
    assert lines(pane) == [
        "36 O: Restoration, Smilescape",
        "Mild: Lip numb for some minutes.",
        "Repair, Seal dentine, tooth 36: done",
        "Probing depth 36 3 mm",
        f"bitewing left.png, PNG, {max(1, round(len(PNG) / 1024))} KB",
        "Belongs to Ines.",
        "Sensitive to cold on 37.",
        "Consent given to plan 1, on the patient screen",
        "Plan, version 1: Repair",
        "Smilescape procedure 36, chair 2, complete",
        "36 O: Caries, ICDAS 3",
        "Smilescape procedure 36, chair 1, complete",
        "Darius Hale, born 12 Mar 2001",
    ]


def test_a_filter_shows_one_kind(pane: HistoryPane) -> None:
    press(pane.filter.button("teeth"))
    assert [item.kind for item in pane.items()] == ["finding", "step", "finding"]
    press(pane.filter.button("consents"))
    assert [item.kind for item in pane.items()] == ["consent", "plan"]
    press(pane.filter.button("all"))
    assert len(pane.items()) == 13


def test_a_corrected_note_keeps_the_older_one_in_sight_struck_through(pane: HistoryPane, words: Words) -> None:
    pane.list.choose("n1", "note")
    labels = [label for label in pane.detail.findChildren(Label) if label.isVisible()]
    struck = [label.text() for label in labels if label.font().strikeOut()]
    assert struck == ["Sensitive to cold on 36."]
    assert any("by Jon Reyes: wrong tooth" in label.text() for label in labels)
    pane.list.choose("n2", "note")
    said = [label for label in pane.detail.findChildren(Label) if label.isVisible() and label.font().strikeOut()]
    assert len(said) == 2
    assert not pane.detail.correct.isVisible(), "what was withdrawn is not corrected"


def test_a_note_is_written_and_stands_in_the_line(pane: HistoryPane, backend: FakeBackend) -> None:
    press(pane.add_buttons["note"])
    QTest.keyClicks(pane.form.text, "Bite is even.")
    saved = row(note("Bite is even.", NOW_US + 13 * MINUTE, entry_id="n9"))
    backend.answers[AddEntry] = EntrySaved(row=saved)
    press(pane.form.save)
    (asked,) = backend.of(AddEntry)
    assert isinstance(asked, AddEntry)
    assert isinstance(asked.entry, Note)
    assert (asked.entry.text, asked.entry.patient_id) == ("Bite is even.", DARIUS)
    assert lines(pane)[0] == "Bite is even."
    assert pane.detail.item is not None
    assert pane.detail.item.id == "n9"


def test_a_correction_without_a_reason_stays_in_the_form(pane: HistoryPane, backend: FakeBackend) -> None:
    pane.list.choose("n1", "note")
    press(pane.detail.correct)
    pane.form.text.setPlainText("Sensitive to cold on 35.")
    press(pane.form.save)
    assert backend.of(CorrectEntry) == []
    assert pane.form.message.text() == "Why is it corrected?"
    QTest.keyClicks(pane.form.reason, "charted on the wrong tooth")
    backend.answers[CorrectEntry] = Refused(
        code="record.stale_version", text=Text("test.say", {"text": "Somebody was faster."})
    )
    press(pane.form.save)
    (asked,) = backend.of(CorrectEntry)
    assert isinstance(asked, CorrectEntry)
    assert (asked.chair, asked.version, asked.reason) == (2, 2, "charted on the wrong tooth")
    assert pane.form.message.text() == "Somebody was faster."
    assert pane.form.text.toPlainText() == "Sensitive to cold on 35.", "nothing that was typed is lost"
    assert pane.form.save.isEnabled()


def test_what_does_not_belong_here_is_withdrawn_with_its_reason(pane: HistoryPane, backend: FakeBackend) -> None:
    pane.list.choose("o1", "observation")
    press(pane.detail.withdraw)
    assert not pane.form.text.isEnabled()
    QTest.keyClicks(pane.form.reason, "other patient")
    press(pane.form.save)
    (asked,) = backend.of(CorrectEntry)
    assert isinstance(asked, CorrectEntry)
    assert asked.entry.withdrawn


def test_a_value_that_is_no_number_is_said(pane: HistoryPane, backend: FakeBackend) -> None:
    press(pane.add_buttons["observation"])
    pane.form.lines["value"].setText("three")
    press(pane.form.save)
    assert "three" in pane.form.message.text()
    assert backend.of(AddEntry) == []
    pane.form.lines["value"].setText("3,5")
    pane.form.lines["unit"].setText("mm")
    press(pane.form.save)
    (asked,) = backend.of(AddEntry)
    assert isinstance(asked, AddEntry)
    assert isinstance(asked.entry, Observation)
    assert (asked.entry.value, asked.entry.unit) == (3.5, "mm")


def test_an_adverse_event_has_severity_relation_and_outcome(pane: HistoryPane, backend: FakeBackend) -> None:
    press(pane.add_buttons["adverse"])
    QTest.keyClicks(pane.form.text, "Fainted.")
    press(pane.form.choices["severity"].button("severe"))
    press(pane.form.choices["relation"].button("unlikely"))
    press(pane.form.choices["outcome"].button("recovering"))
    pane.form.lines["reported_to"].setText("Dr Obi")
    press(pane.form.save)
    (asked,) = backend.of(AddEntry)
    assert isinstance(asked, AddEntry)
    assert asked.entry == AdverseEvent(
        patient_id=DARIUS,
        text="Fainted.",
        severity=Severity.SEVERE,
        relation=Relation.UNLIKELY,
        outcome=Outcome.RECOVERING,
        reported_to="Dr Obi",
    )


def test_a_finding_is_made_by_touching_tooth_and_surfaces(pane: HistoryPane, backend: FakeBackend) -> None:
    press(pane.add_buttons["finding"])
    chart = pane.findings.chart
    assert min(chart.tooth_rect(fdi).width() for fdi in (12, 14, 31, 48)) >= 48
    QTest.mouseClick(chart, Qt.MouseButton.LeftButton, pos=chart.tooth_rect(26).center().toPoint())
    pad = pane.findings.pad
    for letter in "OM":
        QTest.mouseClick(pad, Qt.MouseButton.LeftButton, pos=pad.surface_centre(letter).toPoint())
    assert pad.surfaces == "MO"
    QTest.keyClick(pad, Qt.Key.Key_M)
    assert pad.surfaces == "O"
    press(pane.findings.icdas.button("4"))
    press(pane.findings.save)
    (asked,) = backend.of(AddEntry)
    assert isinstance(asked, AddEntry)
    assert asked.entry == Finding(
        patient_id=DARIUS, fdi=26, condition=Condition.CARIES, surfaces="O", icdas=4, source=Source.EXAM
    )


def test_what_was_done_is_written_in_words_to_the_tooth_that_was_touched(
    pane: HistoryPane, backend: FakeBackend
) -> None:
    press(pane.add_buttons["step"])
    chart = pane.form.tooth.chart
    assert min(chart.tooth_rect(fdi).height() for fdi in (12, 14, 31, 48)) >= 48
    QTest.keyClicks(pane.form.text, "Fissure sealed.")
    QTest.mouseClick(chart, Qt.MouseButton.LeftButton, pos=chart.tooth_rect(36).center().toPoint())
    assert pane.form.tooth.said.text() == "Tooth 36"
    done = StepDone(id="s1", patient_id=DARIUS, at_us=NOW_US + 13 * MINUTE, fdi=36, text="Fissure sealed.")
    backend.answers[AddEntry] = EntrySaved(row=row(done))
    press(pane.form.save)
    (asked,) = backend.of(AddEntry)
    assert isinstance(asked, AddEntry)
    assert asked.entry == StepDone(patient_id=DARIUS, fdi=36, text="Fissure sealed.")
    assert lines(pane)[0] == "36: Fissure sealed."
    pane.findings.open_tooth(36)
    assert any("Fissure sealed." in label.text() for label in pane.findings.findChildren(Label))


def test_a_step_in_words_is_corrected_to_another_tooth_and_says_so(pane: HistoryPane, backend: FakeBackend) -> None:
    done = StepDone(id="s1", patient_id=DARIUS, at_us=NOW_US + 13 * MINUTE, fdi=36, text="Fissure sealed.")
    pane._rows = (*pane._rows, row(done))
    pane._refresh()
    pane.list.choose("s1", "step")
    press(pane.detail.correct)
    assert pane.form.tooth.fdi == 36
    press(pane.form.tooth.whole)
    assert pane.form.tooth.fdi == 0
    pane.form.tooth.choose(37)
    QTest.keyClicks(pane.form.reason, "other tooth")
    press(pane.form.save)
    (asked,) = backend.of(CorrectEntry)
    assert isinstance(asked, CorrectEntry)
    assert isinstance(asked.entry, StepDone)
    assert (asked.entry.fdi, asked.reason) == (37, "other tooth")
    pane._saved(EntrySaved(row=row(asked.entry, 2, reason="other tooth")), pane.form.say, DARIUS)
    (item,) = (item for item in pane.items() if item.id == "s1")
    assert item.line == "37: Fissure sealed."
    assert "other tooth" in correction(pane._words, item, NOW_US)


def test_a_word_about_a_step_of_the_procedure_leaves_its_tooth_alone(pane: HistoryPane, backend: FakeBackend) -> None:
    pane.list.choose("v2/2", "step")
    press(pane.detail.correct)
    assert not pane.form.tooth.isVisible()
    QTest.keyClicks(pane.form.text, "Paused twice to rinse.")
    QTest.keyClicks(pane.form.reason, "left out")
    press(pane.form.save)
    (asked,) = backend.of(CorrectEntry)
    assert isinstance(asked, CorrectEntry)
    assert isinstance(asked.entry, StepDone)
    assert (asked.entry.fdi, asked.entry.module) == (36, "repair")
    pane._saved(EntrySaved(row=row(asked.entry, 2, reason="left out")), pane.form.say, DARIUS)
    (item,) = (item for item in pane.items() if item.id == "v2/2")
    assert item.line == "Repair, Seal dentine, tooth 36: done. Paused twice to rinse."
    assert "left out" in correction(pane._words, item, NOW_US)


def test_a_childs_chart_has_primary_teeth_and_findings_are_added_to_them(
    pane: HistoryPane, backend: FakeBackend, sample: Sample
) -> None:
    child = msgspec.structs.replace(sample.patient(), birth_date="2023-05-06")
    pane.show_timeline(Timeline(patient=child, visits=(), entries=()))
    press(pane.add_buttons["finding"])
    chart = pane.findings.chart
    assert pane.findings.dentition.key == "primary"
    assert min(chart.tooth_rect(fdi).width() for fdi in (51, 52, 53, 54, 55)) >= 48
    assert chart.tooth_rect(36).isEmpty()
    QTest.mouseClick(chart, Qt.MouseButton.LeftButton, pos=chart.tooth_rect(75).center().toPoint())
    pad = pane.findings.pad
    QTest.mouseClick(pad, Qt.MouseButton.LeftButton, pos=pad.surface_centre("O").toPoint())
    press(pane.findings.save)
    (asked,) = backend.of(AddEntry)
    assert isinstance(asked, AddEntry)
    assert asked.entry == Finding(patient_id=DARIUS, fdi=75, condition=Condition.CARIES, surfaces="O")


def test_the_other_teeth_are_a_touch_away(pane: HistoryPane) -> None:
    press(pane.add_buttons["finding"])
    assert pane.findings.dentition.key == "permanent"
    press(pane.findings.dentition.button("mixed"))
    assert not pane.findings.chart.tooth_rect(75).isEmpty()
    pane.findings.open_tooth(75)
    assert pane.findings.pad.surface_at(pane.findings.pad.surface_centre("O")) == "O"


def test_a_missing_tooth_has_no_surfaces_and_a_filling_has_a_material(pane: HistoryPane, backend: FakeBackend) -> None:
    press(pane.add_buttons["finding"])
    pane.findings.open_tooth(18)
    pane.findings.pad.toggle("O")
    press(pane.findings.condition.button("restoration"))
    press(pane.findings.material.button("gold"))
    press(pane.findings.save)
    pane.findings.open_tooth(48)
    pane.findings.pad.toggle("O")
    press(pane.findings.condition.button("missing"))
    press(pane.findings.save)
    entries = [asked.entry for asked in backend.of(AddEntry) if isinstance(asked, AddEntry)]
    assert [(one.fdi, one.surfaces, one.material) for one in entries if isinstance(one, Finding)] == [
        (18, "O", Material.GOLD),
        (48, "", None),
    ]


def test_every_surface_of_every_tooth_can_be_touched_with_a_glove(pane: HistoryPane) -> None:
    press(pane.add_buttons["finding"])
    pad = pane.findings.pad
    pane.findings.open_tooth(16)
    QApplication.processEvents()
    for fdi in (11, 13, 15, 16, 18, 31, 33, 36, 44, 48):
        pad.set_tooth(fdi)
        for letter in "MDBLO":
            assert pad.surface_at(pad.surface_centre(letter)) == letter, (fdi, letter)


def test_an_assistant_writes_notes_and_observations_only(pane: HistoryPane, store: Store, sample: Sample) -> None:
    store.apply(sample.workstation(operator=sample.jon))
    enabled = {name for name, button in pane.add_buttons.items() if button.isEnabled()}
    assert enabled == {"note", "observation"}
    pane.list.choose("a1", "adverse")
    assert not pane.detail.correct.isEnabled()
    assert pane.detail.message.text() == "A dentist writes this."
    pane.list.choose("n1", "note")
    assert pane.detail.correct.isEnabled()


def test_a_file_is_chosen_sent_and_shown(pane: HistoryPane, backend: FakeBackend, tmp_path: Path) -> None:
    file = tmp_path / "bite.png"
    file.write_bytes(PNG)
    press(pane.add_buttons["attachment"])
    assert not pane.attach.save.isEnabled()
    pane.attach.choose(file)
    press(pane.attach.save)
    (asked,) = backend.of(AddAttachment)
    assert isinstance(asked, AddAttachment)
    assert (asked.data, asked.entry.name) == (PNG, "bite.png")
    pane._to_front()
    pane.list.choose("p1", "attachment")
    shown = next(item.versions[0].entry for item in pane.items() if item.id == "p1")
    assert isinstance(shown, Attachment)
    backend.answers[ReadAttachment] = AttachmentData(entry=shown, data=PNG)
    press(pane.detail.look)
    assert pane.detail.picture.isVisible()
    assert pane.detail.picture.pixmap().width() > 50


def test_an_image_that_cannot_be_decoded_is_not_shown(pane: HistoryPane) -> None:
    pane.list.choose("p1", "attachment")
    broken = Attachment(id="p1", patient_id=DARIUS, name="x.png", media_type="image/png")
    pane.detail.show_file(broken, PNG[:30])
    assert not pane.detail.picture.isVisible()
    assert "not shown" in pane.detail.message.text()


def test_nothing_of_a_patient_stays_for_the_next(pane: HistoryPane) -> None:
    press(pane.add_buttons["note"])
    pane.form.text.setPlainText("Half a sentence")
    pane.clear()
    assert pane.items() == []
    assert pane.detail.isHidden()
    assert not any(button.isEnabled() for button in pane.add_buttons.values())


@pytest.mark.parametrize("mode", ["light", "dark"])
def test_pictures(pane: HistoryPane, snap: Callable[..., Path], mode: theme.Mode, backend: FakeBackend) -> None:
    for size in ((1160, 470), (1800, 750)):
        pane._to_front()
        pane.list.choose("n1", "note")
        assert snap(pane, "history", mode, size).exists()
        press(pane.add_buttons["adverse"])
        assert snap(pane, "history-adverse", mode, size).exists()
        pane._to_front()
        press(pane.add_buttons["finding"])
        assert snap(pane, "history-chart", mode, size).exists()
        pane.findings.open_tooth(36)
        pane.findings.pad.toggle("O")
        assert snap(pane, "history-tooth", mode, size).exists()
        pane._to_front()
        press(pane.add_buttons["step"])
        pane.form.tooth.choose(36)
        assert snap(pane, "history-step", mode, size).exists()
        pane._to_front()
        press(pane.add_buttons["attachment"])
        assert snap(pane, "history-file", mode, size).exists()
