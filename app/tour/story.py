"""What happens on the tour: a patient is seated, treated, interrupted, treated on; the visit is signed and reported."""

import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtWidgets import QAbstractButton, QLineEdit

from app.console.chair_page import ChairPage
from app.console.patients_page_visits import VisitsView
from app.console.run import PatientScreens
from app.console.setup_page import SetupPage
from app.tour.guide import Guide, TourFailed
from core.model.hub import LinkState, TherapyState
from core.model.procedure import PhaseState, Step
from widgets.odontogram import Odontogram

if TYPE_CHECKING:
    from widgets.strips.strips import Strips

TOOK_UP = 8
ZOOMS = 8


@dataclass
class Measured:
    """What the story measured on its way."""

    stop_to_hold_s: float = 0.0
    stop_to_screen_s: float = 0.0
    frame_times_ms: dict[str, float] = field(default_factory=dict)
    tapped_frames: int = 0
    visit_id: str = ""
    due_bytes: dict[int, int] = field(default_factory=dict)
    """How long each chair's hub journal was when the visit had been closed on the screen."""


class Story:
    """The main job on chair 1, step by step.

    Args:
        journals: where each chair's simulated hub writes what it makes.
    """

    def __init__(self, guide: Guide, screens: PatientScreens, exports: Path, journals: dict[int, Path]) -> None:
        self.guide = guide
        self.screens = screens
        self.exports = exports
        self.journals = journals
        self.measured = Measured()

    def run(self) -> Measured:
        for part in (self.watch, self.seat, self.listen, self.baseline, self.plan, self.consent, self.preflight):
            part()
        for part in (self.treat, self.stop, self.lose_the_link, self.resume, self.finish, self.recover, self.close):
            part()
        for part in (self.review, self.other_pages):
            part()
        return self.measured

    # before treatment

    def watch(self) -> None:
        guide = self.guide
        guide.until("both hubs are connected", lambda: all(guide.chair(n).link is LinkState.UP for n in (1, 2)))
        guide.until("signals move", lambda: len(guide.chair(1).values) >= TOOK_UP)
        guide.rest(2.0)
        guide.picture("chairs")

    def seat(self) -> None:
        guide = self.guide
        guide.window.open_chair(1)
        panel = guide.window.page
        guide.until("patients are listed", self._rows)
        guide.picture("chair-welcome")
        guide.click(self._rows()[0])
        guide.press("seat.seat", panel)
        guide.until("the patient is seated", lambda: guide.view().step is Step.SEAT)
        self.measured.visit_id = guide.view().visit_id
        guide.until("the hub is known", lambda: not guide.view().blocked)
        guide.rest(0.5)
        guide.picture("chair-seat")
        self._go_on("seat.go_on", Step.LISTEN)

    def listen(self) -> None:
        guide = self.guide
        questions = self._answers()
        if len(questions) != 25:
            raise TourFailed(f"Expected 25 answers to choose from, found {len(questions)}.")
        for number, choice in enumerate((2, 2, 3, 1, 2)):
            guide.click(questions[number * 5 + choice - 1])
            guide.rest(0.2)
        field_ = next(one for one in guide.window.page.findChildren(QLineEdit) if one.isVisible())
        guide.type(field_, "Please tell me before each step")
        guide.keys("Return")
        guide.until("the answers are kept", lambda: not guide.view().blocked and guide.view().comfort_words)
        guide.picture("chair-listen")
        self._go_on("listen.go_on", Step.BASELINE)

    def baseline(self) -> None:
        guide = self.guide
        guide.press("baseline.measure")
        guide.until("the baseline is half done", lambda: guide.view().baseline.seconds > 9)
        guide.picture("chair-baseline")
        self._look_back()
        guide.until("the baseline is done", lambda: not guide.view().blocked)
        self._go_on("baseline.go_on", Step.PLAN)

    def _look_back(self) -> None:
        """Freeze, look back and mark a moment by keys, while the measurement goes on."""
        guide = self.guide
        strips = self._strips()
        guide.click(strips.view)
        guide.keys("F")
        guide.until("the picture stands", lambda: strips.frozen)
        guide.keys("Left")
        guide.rest(0.3)
        guide.picture("chair-frozen")
        seconds = guide.view().baseline.seconds
        guide.keys("F")
        guide.until("the picture goes on", lambda: not strips.frozen)
        guide.keys("M")
        guide.until("the moment is marked", lambda: strips.view.marks)
        guide.until("the measurement goes on", lambda: guide.view().baseline.seconds > seconds)

    def plan(self) -> None:
        guide = self.guide
        guide.until("the plan is there", lambda: guide.view().plan is not None)
        guide.rest(0.5)
        guide.picture("chair-plan")
        self._leave_out_a_tooth()
        self._go_on("plan.go_on", Step.CONSENT)

    def _leave_out_a_tooth(self) -> None:
        """The patient wants one of two teeth done today, and no more."""
        guide = self.guide
        teeth = self._planned_teeth()
        if len(teeth) != 2:
            raise TourFailed(f"Expected two teeth to choose from, found {teeth}.")
        chart = next((one for one in guide.window.page.findChildren(Odontogram) if one.isVisible()), None)
        if chart is None:
            raise TourFailed("The plan shows no teeth.")
        guide.click(chart, chart.tooth_rect(teeth[1]).center().toPoint())
        guide.until(f"tooth {teeth[1]} is left out", lambda: self._planned_teeth() == teeth[:1])

    def consent(self) -> None:
        guide = self.guide
        self.screens.show(True)
        screen = self.screens.window
        assert screen is not None
        screen.resize(1920, 1080)
        guide.rest(0.5)
        guide.picture("chair-consent", patient_consent=screen)
        button = next(one for one in screen.findChildren(QAbstractButton) if one.isVisible() and one.isEnabled())
        guide.click(self._largest(screen) or button)
        guide.until("the patient agreed", lambda: guide.view().envelope is not None)
        envelope = guide.view().envelope
        if envelope is None or envelope.signed_by != "patient_screen":
            raise TourFailed("The consent does not say that it was given on the patient screen.")
        self._go_on("consent.go_on", Step.PREFLIGHT)

    def preflight(self) -> None:
        guide = self.guide
        guide.rest(1.5)
        guide.picture("chair-preflight")
        self._confirm("preflight")
        guide.press("preflight.go_on")
        guide.until("treatment is open", lambda: guide.view().step is Step.TREAT)

    # treatment

    def treat(self) -> None:
        guide = self.guide
        if guide.button("treat.start") is not None:
            guide.press("treat.start")
        guide.until("the first phase runs", lambda: self._running() is not None)
        guide.until("the second phase runs", lambda: (self._running() or 0) >= 2)
        guide.rest(3.0)
        screen = self.screens.window
        assert screen is not None
        guide.picture("chair-treat", patient_treat=screen)
        guide.window.resize(1920, 1080)
        guide.rest(2.0)
        guide.picture("chair-treat-1920")
        guide.window.resize(1280, 800)
        guide.keys("Ctrl+1")
        guide.until("Ctrl+1 opens the chairs", lambda: guide.window.page.key == "chairs")
        guide.rest(0.3)
        guide.picture("chairs-treating")
        guide.keys("Ctrl+2")
        guide.until("Ctrl+2 opens the chair", lambda: guide.window.page.key == "chair")

    def stop(self) -> None:
        """STOP by a click on the octagon; the time until the hub itself says that it holds."""
        guide = self.guide
        octagon = guide.window.bottom.stop
        began = time.monotonic()
        guide.click(octagon)
        guide.until("the hub holds", lambda: self._therapy() is TherapyState.HELD, 10)
        held = guide.store.chair(1)
        assert held is not None
        assert held.hub is not None
        self.measured.stop_to_screen_s = time.monotonic() - began
        self.measured.stop_to_hold_s = max(0.0, held.hub.received_monotonic - began)
        guide.until("the procedure is held", lambda: guide.view().hold is not None)
        guide.rest(2.0)
        screen = self.screens.window
        assert screen is not None
        guide.picture("chair-held", patient_paused=screen)

    def lose_the_link(self) -> None:
        """Out of range for some seconds while therapy is held: an alarm, a gap, and a gap filled."""
        guide = self.guide
        guide.click(guide.window.top.mark)
        panel = guide.window.demo
        assert panel is not None
        for group in ("attacks", "devices"):
            guide.click(panel.groups.button(group))
            guide.rest(0.3)
            guide.picture(f"break-{group}")
        guide.click(panel.buttons["drop_link"])
        guide.keys("Escape")
        guide.until("the link is lost", lambda: guide.chair(1).link is not LinkState.UP, 15)
        guide.until("the alarm is raised", lambda: "link.lost" in self._alarms(), 15)
        guide.click(guide.window.bottom.beacon)
        guide.rest(0.3)
        guide.picture("alarms")
        guide.click(guide.window.bottom.beacon)
        guide.until("the link is back", lambda: guide.chair(1).link is LinkState.UP and guide.chair(1).hub is not None)
        guide.until("the gap is filled", lambda: guide.chair(1).backfill_frames == 0)
        guide.rest(1.0)
        guide.picture("chair-backfilled")

    def resume(self) -> None:
        """Three touches: hub, patient, dentist."""
        guide = self.guide
        guide.press("resume.check")
        guide.until("the hub is checked", lambda: guide.view().hold and guide.view().hold.hub_checked_us)  # type: ignore[union-attr]
        guide.picture("chair-resume")
        guide.press("resume.yes")
        guide.until("the patient said yes", lambda: guide.view().hold and guide.view().hold.patient_yes_us)  # type: ignore[union-attr]
        guide.press("resume.resume")
        guide.until("treatment goes on", lambda: self._running() is not None and guide.view().hold is None)

    def finish(self) -> None:
        guide = self.guide
        guide.press("treat.check_in")
        guide.rest(0.3)
        guide.picture("chair-check-in")
        guide.press("treat.answer.fine")
        over = (PhaseState.DONE, PhaseState.SKIPPED)
        guide.until("every phase is done", lambda: all(phase.state in over for phase in guide.view().phases), 120)
        self._frame_times()
        self._go_on("treat.go_on", Step.RECOVER)

    # after treatment

    def recover(self) -> None:
        guide = self.guide
        guide.rest(1.0)
        guide.picture("chair-recover")
        self._confirm("recover")
        guide.until("values are back near rest", lambda: not guide.view().blocked, 60)
        self._go_on("recover.go_on", Step.CLOSE)

    def close(self) -> None:
        guide = self.guide
        guide.rest(0.5)
        guide.picture("chair-close")
        guide.press("close.sign")
        guide.until("the visit is closed", lambda: guide.view().closed)
        self.measured.due_bytes = {chair: path.stat().st_size for chair, path in self.journals.items()}
        self.screens.show(False)
        guide.picture("chair-closed")

    def review(self) -> None:
        """The patient's time line, the recording zoomed from the whole visit to samples, and the report."""
        guide = self.guide
        guide.press("close.report")
        guide.until("the report is made", self._report)
        guide.rest(1.0)
        guide.picture("report-preview")
        visits = guide.window.page.findChild(VisitsView)
        if visits is None:
            raise TourFailed("The patients page shows no visits.")
        guide.click(visits.report.back_button)
        guide.rest(1.5)
        guide.picture("patients")
        guide.click(visits.review.plot)
        for _ in range(ZOOMS):
            guide.keys("Up")
            guide.rest(0.15)
        guide.rest(1.0)
        guide.picture("patients-zoom")
        guide.press("patients.csv")
        guide.until("the samples are exported", lambda: any(self.exports.glob("*.csv")))
        guide.click(visits.all_button)
        guide.rest(0.5)
        guide.picture("patients-all")

    def other_pages(self) -> None:
        guide = self.guide
        guide.keys("Ctrl+4")
        guide.until("Ctrl+4 opens Safety", lambda: guide.window.page.key == "safety")
        guide.rest(1.0)
        guide.picture("safety")
        guide.keys("Ctrl+5")
        guide.until("Ctrl+5 opens Set-up", lambda: isinstance(guide.window.page, SetupPage))
        page = guide.window.page
        assert isinstance(page, SetupPage)
        guide.click(page.devices.scan)
        guide.until("the scan is over", page.devices.scan.isEnabled)
        guide.rest(0.3)
        guide.picture("setup")
        guide.click(page.tabs.button("people"))
        guide.rest(0.3)
        guide.picture("setup-people")
        guide.click(page.tabs.button("settings"))
        guide.rest(0.3)
        guide.picture("setup-settings")
        self.measured.tapped_frames = guide.chair(1).tapped_frames

    # parts

    def _go_on(self, name: str, step: Step) -> None:
        self.guide.press(name)
        self.guide.until(f"the step {step.value} opens", lambda: self.guide.view().step is step)

    def _confirm(self, key: str) -> None:
        """Confirm every line that a person must confirm."""
        guide = self.guide
        items = guide.view().preflight if key == "preflight" else guide.view().recovery
        for item in items:
            if item.by_hand:
                guide.press(f"check.{item.key}")
                guide.until(f"{item.key} is confirmed", lambda wanted=item.key: self._passed(wanted))  # type: ignore[misc]

    def _passed(self, key: str) -> bool:
        view = self.guide.view()
        return any(item.key == key and item.passed for item in (*view.preflight, *view.recovery))

    def _rows(self) -> list[QAbstractButton]:
        rows = self.guide.window.page.findChildren(QAbstractButton)
        return [row for row in rows if type(row).__name__ == "PatientRow" and row.isVisible()]

    def _answers(self) -> list[QAbstractButton]:
        buttons = self.guide.window.page.findChildren(QAbstractButton)
        return [button for button in buttons if button.isCheckable() and button.isVisible()]

    @staticmethod
    def _largest(window: object) -> QAbstractButton | None:
        from PySide6.QtWidgets import QWidget

        assert isinstance(window, QWidget)
        shown = [one for one in window.findChildren(QAbstractButton) if one.isVisible() and one.isEnabled()]
        return max(shown, key=lambda one: one.width() * one.height(), default=None)

    def _planned_teeth(self) -> list[int]:
        plan = self.guide.view().plan
        return [tooth for row in plan.modules for tooth in row.teeth] if plan is not None else []

    def _running(self) -> int | None:
        phases = self.guide.view().phases
        return next((phase.number for phase in phases if phase.state is PhaseState.RUNNING), None)

    def _therapy(self) -> TherapyState | None:
        chair = self.guide.store.chair(1)
        return chair.hub.therapy if chair is not None and chair.hub is not None else None

    def _alarms(self) -> list[str]:
        workstation = self.guide.store.workstation
        return [alarm.kind for alarm in workstation.alarms] if workstation is not None else []

    def _report(self) -> bool:
        return any(self.exports.glob("*.pdf"))

    def _frame_times(self) -> None:
        import numpy as np

        times = self._strips().frame_times()
        if not len(times):
            raise TourFailed("The strips drew nothing.")
        self.measured.frame_times_ms = {
            "frames": float(len(times)),
            "p50": round(float(np.percentile(times, 50)), 3),
            "p99": round(float(np.percentile(times, 99)), 3),
        }

    def _strips(self) -> "Strips":
        page = self.guide.window.page
        if not isinstance(page, ChairPage) or page.strips is None:
            raise TourFailed("The chair shows no strips.")
        return page.strips
