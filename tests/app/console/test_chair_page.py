"""The chair's page, driven by clicks and keys, with intents observed where they leave for the engine."""

from collections.abc import Iterator
from pathlib import Path
from typing import TypeVar

import msgspec
import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QApplication, QMainWindow, QWidget
from pytestqt.qtbot import QtBot

from app.console.chair_page import ChairPage
from app.console.steps.base import StepPanel
from app.console.steps.baseline import BaselinePanel
from app.console.steps.checks import PreflightPanel
from app.console.steps.close import ClosePanel
from app.console.steps.consent import ConsentPanel
from app.console.steps.listen import ListenPanel
from app.console.steps.plan import PlanPanel
from app.console.steps.resume import ResumePanel
from app.console.steps.treat import TreatPanel
from app.console.steps.welcome import PatientRow, WelcomePanel
from app.console.store import Store
from app.ipc.clinical_messages import SearchHits, SearchRecords
from app.ipc.messages import (
    Act,
    AddMark,
    AddPatient,
    Done,
    GetVisit,
    Moment,
    Refused,
    SeatPatient,
    VisitDetail,
)
from app.ipc.ring import LiveBlock, RingPoll
from core.model.block import SampleBlock
from core.model.clock import ManualClock
from core.model.intents import (
    CheckHub,
    CheckIn,
    ConfirmCheck,
    EndEarly,
    Intent,
    NextStep,
    PatientYes,
    Pause,
    Resume,
    SetComfort,
    SetPlan,
    SignConsent,
    SignSummary,
    SkipPhase,
    StartBaseline,
    StartTherapy,
)
from core.model.limits import Limit, LimitOwner
from core.model.people import VisitSummary
from core.model.procedure import (
    Baseline,
    CheckItem,
    Choice,
    HoldOrigin,
    PhaseState,
    PhaseView,
    Plan,
    Step,
)
from core.model.search import Found
from core.model.words import Text, Words
from core.procedure.consent import sign_envelope
from core.procedure.modules import load_modules
from core.procedure.plan import default_plan, make_phases
from widgets import theme

from .conftest import Sample

T = TypeVar("T", bound=StepPanel)
LEFT = Qt.MouseButton.LeftButton
BODY = {1280: (1192, 664), 1920: (1832, 944), 1100: (1012, 664)}
"""What the shell leaves of a window for the page."""
SHOTS = Path(__file__).parents[3] / "out" / "shots"


@pytest.fixture
def page(store: Store, words: Words, qtbot: QtBot, backend: object, sample: Sample) -> Iterator[ChairPage]:
    store.apply(sample.workstation())
    window = QMainWindow()
    made = ChairPage(store, words)
    window.setCentralWidget(made)
    window.resize(*BODY[1280])
    window.show()
    made.make_strips()
    yield made
    window.close()
    window.deleteLater()
    QApplication.processEvents()


class Visit:
    """One chair's procedure, pushed to the page as the engine would."""

    def __init__(self, store: Store, sample: object) -> None:
        self.store, self.sample = store, sample
        self.modules = load_modules()
        self.revision = 7
        teeth = sample.teeth()  # type: ignore[attr-defined]
        self.plan = default_plan(self.modules, teeth)
        store.set_current(2)

    def show(self, step: Step | None, state: str = "treating", **changes: object) -> None:
        """Push the procedure at `step`; None: no visit."""
        self.revision += 1
        view = None
        if step is not None:
            base: dict[str, object] = {"plan": self.plan, "phases": (), "current_phase": 0, "revision": self.revision}
            view = self.sample.procedure(2, step, **{**base, **changes})  # type: ignore[attr-defined]
        self.store.apply(self.sample.chair(2, state, procedure=view))  # type: ignore[attr-defined]

    def phases(self, *states: PhaseState) -> tuple[PhaseView, ...]:
        made = make_phases(self.modules, self.plan, simulated=False)
        waiting = [PhaseState.WAITING] * (len(made) - len(states))
        pairs = zip(made, [*states, *waiting], strict=True)
        return tuple(msgspec.structs.replace(phase, state=state, elapsed_s=60) for phase, state in pairs)


@pytest.fixture
def visit(store: Store, sample: object, page: ChairPage) -> Visit:
    return Visit(store, sample)


def panel(page: ChairPage, kind: type[T]) -> T:
    assert isinstance(page.panel, kind), type(page.panel)
    return page.panel


def intents(backend: object) -> list[Intent]:
    return [body.intent for body in backend.of(Act)]  # type: ignore[attr-defined]


def click(qtbot: QtBot, button: QWidget) -> None:
    assert button.isVisible()
    assert button.isEnabled()
    QTest.mouseClick(button, LEFT)


def test_no_visit_finds_a_patient_and_seats_them(
    page: ChairPage, visit: Visit, backend: object, qtbot: QtBot, sample: object
) -> None:
    known = tuple(sample.patient(number) for number in (1, 2))  # type: ignore[attr-defined]
    hits = tuple(Found(kind="patient", id=one.id, chair=1, at_us=0, patient=one) for one in known)
    backend.answers[SearchRecords] = SearchHits(query="", hits=hits)  # type: ignore[attr-defined]
    visit.show(None, "idle")
    welcome = panel(page, WelcomePanel)
    assert not welcome.seat.isEnabled()
    assert welcome.blocked.text
    QTest.keyClicks(welcome.search, "Dar")
    assert backend.of(SearchRecords)[-1] == SearchRecords(query="Dar")  # type: ignore[attr-defined]
    QApplication.processEvents()  # layouts show what was added in the next turn
    rows = welcome.findChildren(PatientRow)
    row = next(row for row in rows if row.patient.id == "patient-2" and row.isVisible())
    shown = [row.reveal.shown]
    click(qtbot, row)
    assert [*shown, row.reveal.shown] == [False, True], "who is picked can be read"
    click(qtbot, welcome.seat)
    assert backend.of(SeatPatient) == [SeatPatient(chair=2, patient_id="patient-2")]  # type: ignore[attr-defined]


def test_a_new_patient_needs_name_and_a_real_date(page: ChairPage, visit: Visit, backend: object, qtbot: QtBot) -> None:
    visit.show(None, "idle")
    welcome = panel(page, WelcomePanel)
    QTest.keyClicks(welcome.fields["given_name"], "Ada")
    QTest.keyClicks(welcome.fields["family_name"], "Lake")
    QTest.keyClicks(welcome.fields["birth_date"], "1980-13-31")
    assert not welcome.add.isEnabled()
    welcome.fields["birth_date"].clear()
    QTest.keyClicks(welcome.fields["birth_date"], "1980-12-31")
    click(qtbot, welcome.add)
    assert backend.of(AddPatient) == [  # type: ignore[attr-defined]
        AddPatient(chair=2, given_name="Ada", family_name="Lake", birth_date="1980-12-31")
    ]


def test_mdas_answers_are_kept_at_once_and_may_be_skipped(
    page: ChairPage, visit: Visit, backend: object, qtbot: QtBot
) -> None:
    visit.show(Step.LISTEN, blocked=(Text("blocked.comfort"),))
    listen = panel(page, ListenPanel)
    assert not listen.go_on.isEnabled()
    click(qtbot, listen.choices["mdas3", 4])
    first = {"mdas1": 0, "mdas2": 0, "mdas3": 4, "mdas4": 0, "mdas5": 0}
    assert intents(backend) == [SetComfort(answers=first)]
    visit.show(Step.LISTEN, comfort=first)
    click(qtbot, listen.skip)
    assert intents(backend)[-1] == SetComfort(answers=dict.fromkeys(first, 0))
    visit.show(Step.LISTEN, comfort=dict.fromkeys(first, 0))
    click(qtbot, listen.go_on)
    assert intents(backend)[-1] == NextStep()


def test_own_words_are_sent_before_the_next_step_and_each_against_its_revision(
    page: ChairPage, visit: Visit, backend: object, qtbot: QtBot
) -> None:
    answers = dict.fromkeys(("mdas1", "mdas2", "mdas3", "mdas4", "mdas5"), 2)
    visit.show(Step.LISTEN, comfort=answers)
    listen = panel(page, ListenPanel)
    listen.words_field.setFocus()
    QTest.keyClicks(listen.words_field, "no needles")
    seen = visit.revision
    click(qtbot, listen.go_on)
    assert intents(backend) == [SetComfort(answers=answers, words="no needles")]
    visit.show(Step.LISTEN, comfort=answers, comfort_words="no needles")
    assert intents(backend)[1:] == [NextStep()]
    assert [body.revision for body in backend.of(Act)] == [seen, seen + 1]  # type: ignore[attr-defined]


def test_baseline_is_measured_and_measured_again(page: ChairPage, visit: Visit, backend: object, qtbot: QtBot) -> None:
    visit.show(Step.BASELINE, blocked=(Text("blocked.baseline"),))
    step = panel(page, BaselinePanel)
    click(qtbot, step.measure)
    visit.show(Step.BASELINE, baseline=Baseline(seconds=60, means={"heart_rate": 78.0}))
    assert step.means["heart_rate"].text() == "78 /min"
    assert step.means["spo2"].text().startswith("–")
    click(qtbot, step.again)
    visit.show(Step.BASELINE, baseline=Baseline(seconds=60))
    click(qtbot, step.go_on)
    assert intents(backend) == [StartBaseline(), StartBaseline(), NextStep()]


def test_a_button_that_closes_leaves_the_focus_with_its_step(page: ChairPage, visit: Visit, qtbot: QtBot) -> None:
    """Qt would hand it to whatever comes next, such as the demo's mark in the top bar."""
    qtbot.waitUntil(page.window().isActiveWindow)
    visit.show(Step.BASELINE, blocked=(Text("blocked.baseline"),))
    step = panel(page, BaselinePanel)
    step.measure.setFocus()
    visit.show(Step.BASELINE, baseline=Baseline(seconds=3, running=True), blocked=(Text("blocked.baseline"),))
    assert not step.measure.isVisible()
    assert QApplication.focusWidget() is page
    reached = []
    for _ in range(12):
        QTest.keyClick(QApplication.focusWidget() or page, Qt.Key.Key_Tab)
        reached.append(QApplication.focusWidget())
    assert step.again in reached


def sent_plan(backend: object) -> SetPlan:
    last = intents(backend)[-1]
    assert isinstance(last, SetPlan)
    return last


def settle(visit: Visit, backend: object) -> None:
    """The engine takes the plan."""
    last = sent_plan(backend)
    visit.plan = Plan(
        version=visit.plan.version + 1,
        modules=last.modules,
        own_limits=last.own_limits,
        data_choice=last.data_choice,
    )
    visit.show(Step.PLAN)


def test_plan_is_made_by_choices_teeth_and_own_limits(
    page: ChairPage, visit: Visit, backend: object, qtbot: QtBot
) -> None:
    visit.show(Step.PLAN)
    plan = panel(page, PlanPanel)
    assert not page.strips.isVisible()  # type: ignore[union-attr]
    assert page.folded.isVisible()
    selector = plan.table.selectors["balance"]
    click(qtbot, selector)
    click(qtbot, selector.options[1])
    row = next(row for row in sent_plan(backend).modules if row.module == "balance")
    assert (row.choice, row.dose_percent) == (Choice.GENTLER, 60)
    settle(visit, backend)
    assert plan.plot.share == pytest.approx(0.6)
    assert "60" in plan.table.changed_text("balance")

    where = plan.teeth.tooth_rect(37).center().toPoint()
    QTest.mouseClick(plan.teeth, LEFT, pos=where)
    repair = next(row for row in sent_plan(backend).modules if row.module == "repair")
    assert 37 in repair.teeth
    settle(visit, backend)

    click(qtbot, plan.tighter)
    assert sent_plan(backend).own_limits == (
        Limit(
            channel="pulp_temperature",
            owner=LimitOwner.PATIENT,
            high=38.5,
            reason="limit.reason.own",
            holds=True,
        ),
    )
    settle(visit, backend)
    assert "38.5" in plan.tooth.text()
    click(qtbot, plan.looser)
    assert sent_plan(backend).own_limits == ()
    settle(visit, backend)
    click(qtbot, plan.data)
    assert sent_plan(backend).data_choice == "data.never"
    settle(visit, backend)
    click(qtbot, plan.conventional)
    assert all(row.choice is Choice.DECLINED for row in sent_plan(backend).modules)


def test_choices_work_by_keyboard_alone(page: ChairPage, visit: Visit, backend: object, qtbot: QtBot) -> None:
    visit.show(Step.PLAN)
    plan = panel(page, PlanPanel)
    selector = plan.table.selectors["augment"]
    QTest.keyClick(selector, Qt.Key.Key_Space)
    rows = selector.options
    assert rows[0].hasFocus()
    QTest.keyClick(rows[0], Qt.Key.Key_Down)
    QTest.keyClick(rows[1], Qt.Key.Key_Down)
    QTest.keyClick(rows[2], Qt.Key.Key_Return)
    row = next(row for row in sent_plan(backend).modules if row.module == "augment")
    assert row.choice is Choice.DECLINED
    assert selector.options == []


def test_consent_is_a_plum_yes_and_shows_its_version(
    page: ChairPage, visit: Visit, backend: object, qtbot: QtBot, sample: object
) -> None:
    visit.show(Step.CONSENT, blocked=(Text("blocked.consent"),))
    consent = panel(page, ConsentPanel)
    assert not consent.go_on.isEnabled()
    assert consent.agree.role == "plum"
    click(qtbot, consent.agree)
    assert intents(backend) == [SignConsent(how="patient_screen")]
    envelope = sign_envelope(
        visit.plan, (), patient_id="patient-2", visit_id="visit-2", how="aloud", witness="op-mira", at_us=1
    )
    visit.show(Step.CONSENT, envelope=envelope)
    assert not consent.agree.isVisible()
    assert envelope.sha256.hex()[:8] in consent.version.text()
    click(qtbot, consent.go_on)
    assert intents(backend)[-1] == NextStep()


def test_preflight_shows_unknown_as_unknown_and_starts_only_when_open(
    page: ChairPage, visit: Visit, backend: object, qtbot: QtBot
) -> None:
    items = (
        CheckItem(key="link", passed=True),
        CheckItem(key="hub_idle", passed=None),
        CheckItem(key="limits", passed=False),
        CheckItem(key="eyes", passed=None, by_hand=True),
    )
    visit.show(Step.PREFLIGHT, preflight=items, blocked=(Text("check.hub_idle.open"),))
    check = panel(page, PreflightPanel)
    assert [check.lines[item.key].mark.mark for item in items] == ["done", "unknown", "failed", "waiting"]
    assert not check.go_on.isEnabled()
    button = check.lines["eyes"].button
    assert button is not None
    click(qtbot, button)
    assert intents(backend) == [ConfirmCheck(key="eyes", passed=True)]
    visit.show(Step.PREFLIGHT, preflight=tuple(msgspec.structs.replace(item, passed=True) for item in items))
    click(qtbot, check.go_on)
    assert intents(backend)[-1] == StartTherapy()


def test_treatment_can_be_paused_skipped_and_asked_about(
    page: ChairPage, visit: Visit, backend: object, qtbot: QtBot
) -> None:
    visit.show(Step.TREAT, phases=visit.phases(PhaseState.DONE, PhaseState.RUNNING), current_phase=2)
    treat = panel(page, TreatPanel)
    assert [row.current for row in treat.rows.rows].index(True) == 1
    assert treat.rows.rows[1].figure == "1:00 of 5:00"
    click(qtbot, treat.pause)
    click(qtbot, treat.skip)
    click(qtbot, treat.check_in)
    assert not treat.pause.isVisible()
    click(qtbot, treat.answers["stop"])
    assert intents(backend) == [Pause(), SkipPhase(), CheckIn(answer="stop")]


def test_unknown_state_says_so_and_still_lets_one_pause(
    page: ChairPage, visit: Visit, backend: object, qtbot: QtBot
) -> None:
    visit.show(Step.TREAT, "unknown", phases=visit.phases(PhaseState.UNKNOWN), current_phase=1)
    treat = panel(page, TreatPanel)
    assert "asking the hub" in treat.notice.text()
    assert treat.notice.isVisible()
    assert not treat.skip.isEnabled()
    click(qtbot, treat.pause)
    assert intents(backend) == [Pause()]


def test_three_touches_resume_in_their_order_only(
    page: ChairPage, visit: Visit, backend: object, qtbot: QtBot, sample: object
) -> None:
    phases = visit.phases(PhaseState.HELD)

    def held(**changes: object) -> None:
        hold = sample.hold(HoldOrigin.PATIENT, phase=1, **changes)  # type: ignore[attr-defined]
        visit.show(Step.TREAT, "held_patient", phases=phases, current_phase=1, hold=hold)

    held(hub_confirmed=False)
    resume = panel(page, ResumePanel)
    assert not resume.yes.button.isEnabled()
    assert not resume.resume.button.isEnabled()
    assert "not confirmed" in resume.check.reason.text()
    click(qtbot, resume.check.button)
    held(hub_checked_us=1_800_000_000_000_000)
    assert not resume.resume.button.isEnabled()
    assert resume.yes.button.role == "plum"
    click(qtbot, resume.yes.button)
    held(hub_checked_us=1_800_000_000_000_000, patient_yes_us=1_800_000_001_000_000)
    click(qtbot, resume.resume.button)
    assert intents(backend) == [CheckHub(), PatientYes(how="aloud"), Resume()]
    click(qtbot, resume.end)
    visit.show(Step.TREAT, phases=phases)
    assert isinstance(intents(backend)[-1], EndEarly)


@pytest.mark.parametrize("width", [1280, 1100])
@pytest.mark.parametrize("origin", list(HoldOrigin))
def test_what_to_do_about_a_hold_is_read_to_its_end(
    page: ChairPage, visit: Visit, sample: object, store: Store, origin: HoldOrigin, width: int
) -> None:
    page.window().resize(*BODY[width])
    hold = sample.hold(origin, phase=1, next_step=Text(f"hold.{origin.value}.next"))  # type: ignore[attr-defined]
    view = sample.procedure(  # type: ignore[attr-defined]
        2, Step.TREAT, plan=visit.plan, phases=visit.phases(PhaseState.HELD), current_phase=1, hold=hold
    )
    store.apply(sample.chair(2, "held", procedure=view, next_step=hold.next_step))  # type: ignore[attr-defined]
    page.grab()
    resume = panel(page, ResumePanel)
    reason = resume.check.reason
    assert reason.text() == page.words.tell(hold.next_step)
    assert reason.heightForWidth(reason.width()) <= reason.height()
    assert resume.check.height() >= reason.geometry().bottom()


def test_the_time_of_a_touch_stands_at_the_right(page: ChairPage, visit: Visit, sample: object) -> None:
    hold = sample.hold(phase=1, hub_checked_us=1_800_000_000_000_000)  # type: ignore[attr-defined]
    visit.show(Step.TREAT, "held", phases=visit.phases(PhaseState.HELD), current_phase=1, hold=hold)
    QApplication.processEvents()
    check = panel(page, ResumePanel).check
    assert check.time.isVisible()
    assert check.time.geometry().right() == pytest.approx(check.width() - 5, abs=2)
    assert check.reason.heightForWidth(check.reason.width()) == check.reason.fontMetrics().height()


def test_a_refusal_is_shown_in_the_card(page: ChairPage, visit: Visit, backend: object, qtbot: QtBot) -> None:
    backend.answers[Act] = Refused(  # type: ignore[attr-defined]
        code="stale", text=Text("refusal.stale"), remedy=Text("refusal.stale_remedy")
    )
    visit.show(Step.TREAT, phases=visit.phases(PhaseState.RUNNING), current_phase=1)
    treat = panel(page, TreatPanel)
    click(qtbot, treat.skip)
    assert treat.refusal.isVisible()
    assert "older than the procedure" in treat.refusal.text
    backend.answers[Act] = Done()  # type: ignore[attr-defined]
    click(qtbot, treat.pause)
    assert not treat.refusal.isVisible()


def test_summary_is_signed_and_the_report_is_asked_for(
    page: ChairPage, visit: Visit, backend: object, qtbot: QtBot
) -> None:
    over = visit.phases(*[PhaseState.DONE] * len(visit.phases()))
    visit.show(Step.CLOSE, phases=over)
    close = panel(page, ClosePanel)
    with qtbot.waitSignal(page.report_wanted) as wanted:
        click(qtbot, close.report)
    assert wanted.args == ["patient-2", "visit-2"]
    QTest.keyClicks(close.note, "went well")
    click(qtbot, close.sign)
    assert intents(backend) == [SignSummary(note="went well")]
    visit.show(Step.CLOSE, phases=over, closed=True, signed_by="op-mira", signed_us=1_800_000_000_000_000)
    click(qtbot, close.next)
    assert isinstance(page.panel, WelcomePanel)


def test_who_signs_reads_what_happened(
    page: ChairPage, visit: Visit, backend: object, sample: object, words: Words
) -> None:
    def moment(kind: str, text: str) -> Moment:
        return Moment(at_us=1_800_000_000_000_000, kind=kind, text=Text("test.say", {"text": text}))

    summary = VisitSummary(
        id="visit-2",
        patient_id="patient-2",
        code="V-2",
        chair=2,
        began_us=1,
        ended_us=None,
        state="open",
        title_key="",
    )
    backend.answers[GetVisit] = VisitDetail(  # type: ignore[attr-defined]
        visit=summary,
        patient=sample.patient(2),  # type: ignore[attr-defined]
        procedure=None,
        channels=(),
        moments=(
            moment("step", "Step: Treat"),
            moment("held", "STOP was pressed."),
            moment("resumed", "Sealing resumed"),
            moment("held", "Hub link lost."),
            moment("alarm", "Hub link lost"),
        ),
    )
    visit.show(Step.CLOSE, phases=visit.phases(PhaseState.DONE))
    close = panel(page, ClosePanel)
    assert [row.text() for row in close.moments.rows()] == ["STOP was pressed.", "Sealing resumed", "Hub link lost."]
    page.refresh()
    page.refresh()
    assert len(backend.of(GetVisit)) == 1, "asked once, not with every push"  # type: ignore[attr-defined]


def test_no_answer_of_the_check_in_is_suggested(page: ChairPage, visit: Visit, backend: object, qtbot: QtBot) -> None:
    qtbot.waitUntil(page.window().isActiveWindow)
    visit.show(Step.TREAT, phases=visit.phases(PhaseState.RUNNING), current_phase=1)
    treat = panel(page, TreatPanel)
    treat.check_in.setFocus()
    QTest.keyClick(treat.check_in, Qt.Key.Key_Space)
    assert len({answer.role for answer in treat.answers.values()}) == 1
    focused = QApplication.focusWidget()
    assert focused is treat.not_now
    QTest.keyClick(focused, Qt.Key.Key_Space)
    assert intents(backend) == []


def live(clock: ManualClock, seconds: float) -> RingPoll:
    """Saliva pH of 7.00 up to now."""
    count = round(seconds * 10)
    start = clock.utc_us() - count * 100_000
    block = SampleBlock(2, 1, 0, 0, 100_000, np.full(count, 7000, np.int16))
    return RingPoll([LiveBlock(block, start)])


def test_strips_show_the_chair_in_context_only(
    page: ChairPage, visit: Visit, store: Store, clock: ManualClock, sample: object, backend: object
) -> None:
    visit.show(Step.TREAT, phases=visit.phases(PhaseState.RUNNING), current_phase=1)
    strips = page.strips
    assert strips is not None
    store.samples(2, live(clock, 5))
    store.samples(1, live(clock, 20))
    assert strips.values()["saliva_ph"] == "7.00"
    assert len(strips.history(2).times) == 50
    backend.rings[1] = live(clock, 8)  # type: ignore[attr-defined]
    store.apply(sample.chair(1, "idle"))  # type: ignore[attr-defined]
    store.set_current(1)
    assert len(strips.history(2).times) == 80, "the other chair's ring, and nothing of this one"


def test_keys_freeze_and_mark(
    page: ChairPage, visit: Visit, backend: object, qtbot: QtBot, store: Store, clock: ManualClock
) -> None:
    visit.show(Step.TREAT, phases=visit.phases(PhaseState.RUNNING), current_phase=1)
    strips = page.strips
    assert strips is not None
    store.samples(2, live(clock, 5))
    strips.setFocus()
    QTest.keyClick(strips, Qt.Key.Key_M)
    assert backend.of(AddMark) == [AddMark(chair=2)]  # type: ignore[attr-defined]
    assert [mark.at_us for mark in strips.view.marks] == [clock.utc_us()]
    QTest.keyClick(strips, Qt.Key.Key_F)
    assert strips.frozen
    QTest.keyClick(strips, Qt.Key.Key_F)
    assert not strips.frozen


def test_a_patients_stop_is_drawn_in_plum(
    page: ChairPage, visit: Visit, sample: object, clock: ManualClock, store: Store
) -> None:
    hold = sample.hold(HoldOrigin.PATIENT, since_us=clock.utc_us() - 3_000_000)  # type: ignore[attr-defined]
    visit.show(Step.TREAT, "held_patient", phases=visit.phases(PhaseState.HELD), current_phase=1, hold=hold)
    strips = page.strips
    assert strips is not None
    strips.tick()
    assert [(one.patient, one.word) for one in strips.view.holds] == [(True, "own stop")]
    visit.show(Step.TREAT, phases=visit.phases(PhaseState.RUNNING), current_phase=1)
    assert strips.view.holds[-1].to_us == clock.utc_us()


def test_a_small_window_turns_the_column_into_a_drawer(page: ChairPage, visit: Visit, qtbot: QtBot) -> None:
    page.window().resize(*BODY[1100])
    visit.show(Step.TREAT, phases=visit.phases(PhaseState.RUNNING), current_phase=1)
    QApplication.processEvents()
    assert page.handle.isVisible()
    assert page.card.isVisible()
    click(qtbot, page.handle)
    assert not page.card.isVisible()
    page.window().resize(*BODY[1280])
    QApplication.processEvents()
    assert not page.handle.isVisible()
    assert page.card.isVisible()


def test_folded_strips_unfold_and_fold(page: ChairPage, visit: Visit, qtbot: QtBot) -> None:
    visit.show(Step.PLAN)
    assert page.strips is not None
    click(qtbot, page.folded)
    assert page.strips.isVisible()
    assert not page.wide.isVisible()
    click(qtbot, page.folded)
    assert page.wide.isVisible()


@pytest.mark.parametrize("height", [664, 560])
@pytest.mark.parametrize("step", [None, Step.LISTEN, Step.PLAN, Step.CONSENT, Step.CLOSE])
def test_the_buttons_of_a_wide_step_are_never_cut(
    page: ChairPage, visit: Visit, step: Step | None, height: int
) -> None:
    page.window().resize(BODY[1280][0], height)
    visit.show(step, phases=visit.phases(*[PhaseState.DONE] * 9)) if step is Step.CLOSE else visit.show(step)
    QApplication.processEvents()  # layouts show what was added in the next turn
    assert page.panel is not None
    assert page.panel.wide
    held = [page.panel.foot.itemAt(at) for at in range(page.panel.foot.count())]
    widgets = [item.widget() for item in held if item is not None]
    shown = [one for one in widgets if isinstance(one, QAbstractButton) and one.isVisible()]
    assert shown or step is None
    for button in shown:
        assert button.visibleRegion().boundingRect() == button.rect(), button.objectName()


def test_every_control_has_a_name_and_a_target(page: ChairPage, visit: Visit, sample: object) -> None:
    from PySide6.QtWidgets import QLineEdit

    hold = sample.hold(HoldOrigin.LIMIT)  # type: ignore[attr-defined]
    shown: list[tuple[Step | None, dict[str, object]]] = [
        (None, {}),
        *((step, {}) for step in Step),
        (Step.TREAT, {"phases": visit.phases(PhaseState.RUNNING), "current_phase": 1}),
        (Step.TREAT, {"phases": visit.phases(PhaseState.HELD), "current_phase": 1, "hold": hold}),
    ]
    for step, changes in shown:
        visit.show(step, "treating", **changes)
        QApplication.processEvents()
        for kind in (QAbstractButton, QLineEdit):
            for control in page.findChildren(kind):
                if control.isVisible():
                    assert control.accessibleName(), (step, control)
                    assert control.height() >= 48, (step, control.accessibleName(), control.height())


@pytest.mark.parametrize("mode", ["light", "dark"])
def test_strips_follow_a_switch_of_the_scheme(
    page: ChairPage, visit: Visit, qapp: QApplication, mode: theme.Mode, clock: ManualClock, store: Store
) -> None:
    """Their ground is the surface of the scheme in force, also when it changes while they are shown."""
    store.samples(2, live(clock, 20))
    visit.show(Step.TREAT, phases=visit.phases(PhaseState.RUNNING), current_phase=1)
    strips = page.strips
    assert strips is not None
    strips.tick()
    theme.apply(qapp, mode)
    strips.tick()
    assert strips.view.raster is not None
    assert QColor(strips.view.raster.image.pixel(3, 3)) == QColor(theme.tokens().surface)
    SHOTS.mkdir(parents=True, exist_ok=True)
    assert page.grab().save(str(SHOTS / f"page-treat-{mode}.png"))
    theme.apply(qapp, "light")
