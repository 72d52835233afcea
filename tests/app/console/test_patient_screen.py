"""The patient's screen: one sentence, one picture, one button, and never more certainty than there is."""

import itertools
import tomllib
from collections.abc import Callable, Iterator
from importlib import resources
from pathlib import Path
from typing import Any

import msgspec
import pytest
from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QColor
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from app.console.patient_screen import PatientScreen, PlumButton, scene_of
from app.console.store import Store
from app.ipc.messages import Act, Refused
from core.model.hub import LinkState, TherapyState
from core.model.intents import BackToStep, PatientYes, Pause, SignConsent
from core.model.procedure import Choice, HoldOrigin, ModulePlan, PhaseState, Plan, Step
from core.model.words import Text, Words
from widgets import theme
from widgets.breathing import BreathingGuide
from widgets.teeth import LOWER, UPPER
from widgets.teeth_arch import TeethArch


@pytest.fixture
def screen(store: Store, words: Words) -> Iterator[PatientScreen]:
    store.set_current(2)
    made = PatientScreen(store, words)
    made.resize(1920, 1080)
    made.show()
    yield made
    made.close()
    made.deleteLater()
    QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)


def held(sample: Any, **changes: object) -> Any:
    origin = changes.pop("origin", HoldOrigin.PATIENT)
    view = sample.procedure(2, phases=sample.phases(PhaseState.HELD), hold=sample.hold(origin, **changes))
    return sample.chair(2, "held", procedure=view)


def press(screen: PatientScreen) -> None:
    QTest.mouseClick(screen.button, Qt.MouseButton.LeftButton)


def acts(backend: Any) -> list[object]:
    return [body.intent for body in backend.of(Act)]


def test_while_treating_the_button_pauses_by_the_patient(
    screen: PatientScreen, store: Store, sample: Any, backend: Any
) -> None:
    store.apply(sample.chair(2, "treating"))
    assert screen.button.text() == "Pause"
    assert screen.arch.current == 36
    backend.silent = True
    press(screen)
    assert acts(backend) == [Pause(by="patient")]
    assert screen.button.text() == "One moment"


def test_at_consent_the_patient_agrees(screen: PatientScreen, store: Store, sample: Any, backend: Any) -> None:
    store.apply(sample.chair(2, "planning", procedure=sample.procedure(2, Step.CONSENT)))
    assert screen.button.text() == "I agree"
    QTest.keyClick(screen.button, Qt.Key.Key_Space)
    assert acts(backend) == [SignConsent(how="patient_screen")]


def test_the_patient_reads_what_is_agreed_and_may_want_something_else(
    screen: PatientScreen, store: Store, sample: Any, backend: Any, words: Words
) -> None:
    rows = (
        ModulePlan(module="repair", choice=Choice.INCLUDED, teeth=(44,)),
        ModulePlan(module="balance", choice=Choice.GENTLER),
        ModulePlan(module="augment", choice=Choice.DECLINED),
    )
    view = sample.procedure(2, Step.CONSENT, plan=Plan(modules=rows))
    store.apply(sample.chair(2, "planning", procedure=view))
    said = " ".join(part.text() for part in screen.agreed)
    assert words.say("module.repair.does") in said
    assert words.say("module.balance.does") in said
    assert words.say("module.augment.does") not in said
    assert not any(letter.isdigit() for letter in said)
    QApplication.processEvents()
    image = screen.arch.grab().toImage()
    plum = QColor(theme.tokens().patient)

    def plum_round(fdi: int) -> int:
        at = screen.arch.tooth_centre(fdi).toPoint()
        return sum(image.pixelColor(at.x() + x, at.y() + y) == plum for x in range(-45, 46) for y in range(-45, 46))

    assert plum_round(44) > 200
    assert plum_round(34) == 0
    QTest.mouseClick(screen.change, Qt.MouseButton.LeftButton)
    assert acts(backend) == [BackToStep(step="plan")]


def test_teeth_of_both_jaws_are_shown_in_both(qapp: QApplication) -> None:
    arch = TeethArch()
    arch.resize(800, 800)
    arch.set_tooth(0, planned=frozenset({26, 36}))
    assert arch.tooth_centre(26).y() < 400 < arch.tooth_centre(36).y()
    arch.deleteLater()


def test_a_button_that_leaves_gives_its_focus_to_nobody(screen: PatientScreen, store: Store, sample: Any) -> None:
    store.apply(sample.chair(2, "treating"))
    screen.button.setFocus()
    store.apply(held(sample))
    assert not screen.button.isVisible()
    assert screen.focusWidget() is screen


def test_what_a_patient_reads_is_large(screen: PatientScreen, store: Store, sample: Any) -> None:
    view = sample.procedure(2, Step.CONSENT)
    store.apply(sample.chair(2, "planning", procedure=view))
    assert screen.agreed or not view.plan.modules
    for part in (screen.sentence, *screen.agreed, screen.button, screen.change, screen.numbers_button, screen.numbers):
        face = part._face if isinstance(part, PlumButton) else part.font()
        assert face.pixelSize() >= 28, part


def test_going_on_is_offered_only_after_the_first_touch(
    screen: PatientScreen, store: Store, sample: Any, backend: Any
) -> None:
    store.apply(held(sample))
    assert not screen.button.isVisible()
    assert screen.guide.isVisible()
    store.apply(held(sample, hub_checked_us=1))
    assert screen.button.text() == "Yes, go on"
    press(screen)
    assert acts(backend) == [PatientYes(how="patient_screen")]
    store.apply(held(sample, hub_checked_us=1, patient_yes_us=2))
    assert not screen.button.isVisible()


def test_a_hold_that_the_hub_has_not_confirmed_is_not_called_a_pause(sample: Any) -> None:
    assert scene_of(held(sample, hub_confirmed=False, hub_checked_us=1), fresh=True).sentence == "patient.pausing"
    assert scene_of(held(sample, origin=HoldOrigin.LIMIT), fresh=True).sentence == "patient.paused"


@pytest.mark.parametrize(
    "changes",
    [
        {"hub": None},
        {"link": LinkState.LOST},
        {"link": LinkState.REFUSED},
        {"therapy": TherapyState.UNKNOWN},
        {"therapy": TherapyState.FAULT},
        {"phase": PhaseState.UNKNOWN},
        {"fresh": False},
    ],
)
def test_whatever_is_unknown_is_said_as_being_checked_and_pause_stays(
    sample: Any, words: Words, changes: dict[str, Any]
) -> None:
    fresh = changes.pop("fresh", True)
    if "therapy" in changes:
        changes["hub"] = sample.hub_status(changes.pop("therapy"))
    if "phase" in changes:
        changes["procedure"] = sample.procedure(2, phases=sample.phases(changes.pop("phase")))
    scene = scene_of(sample.chair(2, "treating", **changes), fresh=fresh)
    assert scene.sentence == "patient_screen.unknown"
    assert scene.action == "pause"
    assert "checking" in words.say(scene.sentence)


def test_a_pause_is_not_promised_to_last_while_the_hub_is_not_heard_of(sample: Any) -> None:
    seen = held(sample)
    assert scene_of(seen, fresh=True).sentence == "patient.paused_you"
    lost = msgspec.structs.replace(seen, state="was_held", link=LinkState.LOST, hub=None)
    assert scene_of(lost, fresh=True).sentence == "patient_screen.unknown"


def test_no_sentence_of_this_screen_promises_safety(words: Words) -> None:
    for key in words.keys():  # noqa: SIM118 - Words is no mapping
        if key.startswith("patient_screen."):
            assert "safe" not in words.say(key).casefold(), key
            assert "!" not in words.say(key), key


def test_a_screen_that_hears_nothing_stops_saying_that_all_goes_on(
    screen: PatientScreen, store: Store, sample: Any, clock: Any, words: Words
) -> None:
    store.apply(sample.chair(2, "treating"))
    clock.advance(3)
    screen.refresh()
    assert screen.sentence.text() == words.say("patient_screen.unknown")


def test_a_refused_press_is_said_and_can_be_repeated(
    screen: PatientScreen, store: Store, sample: Any, backend: Any
) -> None:
    store.apply(sample.chair(2, "treating"))
    backend.answers[Act] = Refused(code="link", text=Text("test.say", {"text": "No link."}))
    press(screen)
    assert "Press again" in screen.problem.text()
    assert screen.button.text() == "Pause"
    press(screen)
    assert len(acts(backend)) == 2


def test_every_module_that_ships_has_its_sentence(words: Words) -> None:
    for file in (resources.files("resources") / "modules").iterdir():
        module = tomllib.loads(file.read_text(encoding="utf-8"))
        for place in ("front", "back") if module["per_tooth"] else ("mouth",):
            assert f"patient_screen.doing.{module['key']}_{place}" in words


def test_numbers_only_when_asked(screen: PatientScreen, store: Store, sample: Any) -> None:
    store.apply(sample.chair(2, "treating"))
    assert not any(letter.isdigit() for letter in screen.sentence.text())
    assert not screen.numbers.isVisible()
    QTest.mouseClick(screen.numbers_button, Qt.MouseButton.LeftButton)
    assert "78" in screen.numbers.text()
    assert "98" in screen.numbers.text()
    QTest.mouseClick(screen.numbers_button, Qt.MouseButton.LeftButton)
    assert not screen.numbers.isVisible()


def test_the_tooth_that_is_worked_on_is_plum_and_no_other(
    screen: PatientScreen, store: Store, sample: Any, qapp: QApplication
) -> None:
    store.apply(sample.chair(2, "treating"))
    QApplication.processEvents()
    image = screen.arch.grab().toImage()
    plum = QColor(theme.tokens().patient)

    def plum_near(fdi: int) -> int:
        at = screen.arch.tooth_centre(fdi).toPoint()
        return sum(image.pixelColor(at.x() + x, at.y() + y) == plum for x in range(-12, 13) for y in range(-12, 13))

    assert plum_near(36) > 300
    assert plum_near(46) == plum_near(34) == plum_near(41) == 0


def test_the_arch_seats_every_tooth_of_either_jaw_in_order(qapp: QApplication) -> None:
    arch = TeethArch()
    arch.resize(800, 800)
    for fdi, row in ((36, LOWER), (16, UPPER)):
        arch.set_tooth(fdi)
        seats = [arch.tooth_centre(each) for each in row]
        assert all(left.x() < right.x() for left, right in itertools.pairwise(seats[3:-3]))
        assert all(0 < seat.x() < 800 and 0 < seat.y() < 800 for seat in seats)
        front_below = seats[7].y() > seats[0].y()
        assert front_below is (row is LOWER)
    arch.deleteLater()


def test_the_guide_breathes_four_in_and_six_out(qapp: QApplication) -> None:
    guide = BreathingGuide("in", "out", "slowly", "still")
    assert guide.says == "in"
    guide.advance(3.99)
    assert guide.says == "in"
    assert guide.breath == pytest.approx(1.0, abs=0.01)
    guide.advance(0.02)
    assert guide.says == "out"
    guide.advance(5.9)
    assert guide.breath == pytest.approx(0.0, abs=0.01)
    guide.advance(0.1)
    assert guide.says == "in"
    guide.show()
    assert (guide.moving, guide.says) == (True, "in")
    guide.set_motion(False)
    assert (guide.moving, guide.says) == (False, "still")
    guide.hide()
    guide.deleteLater()


def test_without_motion_nothing_moves(store: Store, words: Words, sample: Any) -> None:
    store.set_current(2)
    store.apply(held(sample))
    made = PatientScreen(store, words, reduced_motion=True)
    made.show()
    assert made.guide.isVisible()
    assert not made.guide.moving
    made.close()
    made.deleteLater()
    QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)


@pytest.mark.parametrize("mode", ["light", "dark"])
def test_pictures(
    screen: PatientScreen, store: Store, sample: Any, snap: Callable[..., Path], mode: theme.Mode
) -> None:
    plan = Plan(
        modules=(
            ModulePlan(module="repair", choice=Choice.INCLUDED, teeth=(44,)),
            ModulePlan(module="balance", choice=Choice.INCLUDED),
            ModulePlan(module="augment", choice=Choice.INCLUDED),
        )
    )
    repair = tuple(msgspec.structs.replace(phase, module="repair") for phase in sample.phases())
    states = {
        "treating": sample.chair(2, "treating", procedure=sample.procedure(2, phases=repair)),
        "paused": held(sample),
        "go-on": held(sample, hub_checked_us=1),
        "unknown": sample.chair(2, "unknown"),
        "consent": sample.chair(2, "planning", procedure=sample.procedure(2, Step.CONSENT, plan=plan)),
    }
    for name, chair in states.items():
        store.apply(chair)
        for size in ((1920, 1080), (1280, 800)):
            assert snap(screen, f"patient-{name}", mode, size).exists()
