"""Chair: one screen for the whole treatment. Live strips beside the teeth, over the wizard's card."""

from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QRect, Qt, QTimer
from PySide6.QtGui import QKeySequence, QResizeEvent, QShortcut
from PySide6.QtWidgets import QApplication, QVBoxLayout, QWidget

from app.console.page import Page
from app.console.steps.base import StepPanel, scroller
from app.console.steps.baseline import BaselinePanel
from app.console.steps.checks import PreflightPanel, RecoverPanel
from app.console.steps.close import ClosePanel
from app.console.steps.consent import ConsentPanel
from app.console.steps.intents import IntentQueue
from app.console.steps.listen import ListenPanel
from app.console.steps.plan import PlanPanel
from app.console.steps.resume import ResumePanel
from app.console.steps.seat import SeatPanel
from app.console.steps.treat import TreatPanel
from app.console.steps.welcome import WelcomePanel
from app.console.store import Store
from app.console.teeth_card import TeethCard
from app.ipc.messages import AddMark, Chair, Refused, Reply
from core.model.dentition import dentition, local_day
from core.model.procedure import HoldOrigin, Step
from core.model.words import Words
from core.signals.catalogue import load_catalogue
from widgets.controls import Button, Card, Label
from widgets.focus import OWN_FOCUS
from widgets.strips.folded import WIDTH, Folded

if TYPE_CHECKING:
    from app.ipc.ring import RingPoll
    from widgets.strips.strips import Strips

MARGIN = 16
DRAWER_BELOW = 1200 - 88
"""Page width under which the right column becomes a drawer (1,200 less the rail)."""
DRAWER = 456
HANDLE = 64
NARROW, NARROW_HEIGHT = 880, 700
"""The body of a wide step in less width gets this height, and scrolls."""
LIMITED_TOOTH = "pulp_temperature"

PANELS: dict[str, type[StepPanel]] = {
    "welcome": WelcomePanel,
    Step.SEAT: SeatPanel,
    Step.LISTEN: ListenPanel,
    Step.BASELINE: BaselinePanel,
    Step.PLAN: PlanPanel,
    Step.CONSENT: ConsentPanel,
    Step.PREFLIGHT: PreflightPanel,
    Step.TREAT: TreatPanel,
    "resume": ResumePanel,
    Step.RECOVER: RecoverPanel,
    Step.CLOSE: ClosePanel,
}


class ChairPage(Page):
    """The chair in context. Strips are made when the page is first opened: pyqtgraph is slow to import.

    Signals:
    """

    key = "chair"

    def __init__(self, store: Store, words: Words) -> None:
        super().__init__(store, words)
        self._clock = store.clock
        self._number = 0
        self._visit = ""
        self._unfolded = False
        self._drawer_open = False
        self._next_wanted = False
        self.strips: Strips | None = None
        self.panel: StepPanel | None = None
        self.panels: dict[str, StepPanel] = {}
        self.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
        self.setProperty(OWN_FOCUS, True)
        self.intents = IntentQueue(store, self)
        self.intents.refused.connect(self._refused)
        self.folded = Folded(load_catalogue().strips, words, self)
        self.folded.clicked.connect(self._toggle_fold)
        self.teeth = TeethCard(words)
        self.teeth.setParent(self)
        self.card = Card(self)
        self._column = QVBoxLayout(self.card)
        self._column.setContentsMargins(16, 14, 16, 16)
        self.bare = QWidget()
        self._bare_column = QVBoxLayout(self.bare)
        self._bare_column.setContentsMargins(0, 0, 0, 0)
        self.wide = scroller(self.bare)
        self.wide.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAsNeeded)
        self.wide.setParent(self)
        self.nothing = Label(words.say("chair.none"), size=18, tone="muted", wrap=True, parent=self)
        self.nothing.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.handle = Button(words.say("chair.drawer"), icon="tooth", height=HANDLE, parent=self)
        self.handle.setCheckable(True)
        self.handle.clicked.connect(self._toggle_drawer)
        self._shortcuts()
        store.chair_changed.connect(self._chair_changed)
        store.current_changed.connect(self.refresh)
        store.link_changed.connect(self.refresh)
        store.samples_arrived.connect(self._samples)

    # the page

    def activated(self) -> None:
        if self.strips is None:
            QTimer.singleShot(0, self.make_strips)
        self.refresh()
        self.setFocus(Qt.FocusReason.OtherFocusReason)
        if isinstance(self.panel, WelcomePanel):
            self.panel.activated()

    def make_strips(self) -> None:
        """Import pyqtgraph and show what the ring still holds."""
        if self.strips is not None:
            return
        from widgets.strips.strips import Strips

        self.strips = Strips(load_catalogue().strips, self._clock, self.words, self)
        self.strips.mark_wanted.connect(self._mark)
        self.strips.values_changed.connect(self.folded.set_values)
        self._number = 0
        self.refresh()

    def refresh(self) -> None:
        """Show the chair in context as the store has it."""
        chair = self.store.chair(self.store.current) if self.store.current else None
        self._switch(self.store.current if chair is not None else 0)
        if chair is not None:
            self._show_panel(chair)
            self._show_strips(chair)
            self._show_teeth(chair)
        self._place()

    # what comes in

    def _chair_changed(self, number: int) -> None:
        if number == self.store.current:
            self.refresh()

    def _samples(self, number: int, poll: "RingPoll") -> None:
        if self.strips is None or number != self._number:
            return
        for block, utc_us in poll.blocks:
            self.strips.push(block.channel, utc_us, block.samples, block.period_us, block.provenance)

    def _switch(self, number: int) -> None:
        """Another chair: nothing of the last one may stay."""
        if number == self._number:
            return
        self._number = number
        self._next_wanted = self._unfolded = False
        self.intents.clear()
        if self.strips is None:
            return
        self.strips.clear()
        held = self.store.history(number) if number else None
        if held is not None:
            self._samples(number, held)

    # what is shown

    def _panel_key(self, chair: Chair) -> str:
        view = chair.procedure
        if view is None or (view.closed and self._next_wanted):
            return "welcome"
        if view.hold is not None and view.step is Step.TREAT:
            return "resume"
        return view.step

    def _show_panel(self, chair: Chair) -> None:
        visit = chair.procedure.visit_id if chair.procedure is not None else ""
        if visit != self._visit:
            self._visit, self._next_wanted = visit, False
        key = self._panel_key(chair)
        if key == "welcome" and not self.store.may("SeatPatient"):
            self._show_nobody()
            return
        self.nothing.setText(self.words.say("chair.none"))
        fresh = key not in self.panels
        if fresh:
            self.panels[key] = self._make_panel(key)
        panel = self.panels[key]
        focused = QApplication.focusWidget()
        inside = self.panel is not None and focused is not None and self.panel.isAncestorOf(focused)
        if panel is not self.panel:
            if self.panel is not None:
                if inside:
                    self.setFocus(Qt.FocusReason.OtherFocusReason)
                self.panel.hide()
            self.panel = panel
            self._unfolded = False
            self._drawer_open = True
            panel.say_refused(None)
            (self._bare_column if panel.wide else self._column).addWidget(panel)
        panel.refresh(chair)
        panel.show()
        focused = QApplication.focusWidget()
        if inside and (focused is None or not panel.isAncestorOf(focused)):
            self.setFocus(Qt.FocusReason.OtherFocusReason)  # it has closed: the next Tab finds the step's others
        if isinstance(panel, WelcomePanel) and fresh:
            panel.activated()

    def _show_nobody(self) -> None:
        """Who may not seat anybody is told that nobody is there."""
        if self.panel is not None:
            self.panel.hide()
        self.panel = None
        self.nothing.setText(self.words.say("chair.nobody"))

    def _make_panel(self, key: str) -> StepPanel:
        made = PANELS[key](self.store, self.words, self.intents)
        if isinstance(made, ClosePanel):
            made.report_wanted.connect(self.report_wanted)
            made.next_wanted.connect(self._seat_next)
        return made

    def _show_strips(self, chair: Chair) -> None:
        if self.strips is None:
            return
        view = chair.procedure
        self.strips.header.mark.setVisible(self.store.may("AddMark"))
        self.strips.set_limits(chair.limits or (view.limits if view is not None else ()))
        self.strips.set_patient(chair.patient.given_name if chair.patient is not None else "")
        tooth = self._tooth(chair)
        self.strips.set_notes({LIMITED_TOOTH: str(tooth)} if tooth else {})
        hold = view.hold if view is not None else None
        if hold is None or chair.state == "was_held":
            self.strips.set_hold(None)  # what was stays in the picture
            return
        own = hold.origin is HoldOrigin.PATIENT
        word = self.words.say(f"chair.hold.{hold.origin.value}")
        self.strips.set_hold(hold.since_us, patient=own, word=word)

    def _show_teeth(self, chair: Chair) -> None:
        if chair.procedure is not None:
            born = chair.patient.birth_date if chair.patient is not None else ""
            teeth = chair.procedure.teeth
            shown = dentition(born, local_day(self._clock.utc_us()), teeth)
            self.teeth.show_teeth(teeth, self._tooth(chair), shown)

    @staticmethod
    def _tooth(chair: Chair) -> int:
        """The tooth of the present phase, 0 without one."""
        view = chair.procedure
        if view is None:
            return 0
        return next((phase.tooth for phase in view.phases if phase.number == view.current_phase), 0)

    # where things stand

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._place()

    def _place(self) -> None:
        """Strips folded beside a wide step; otherwise 60 % beside the column, or beside its drawer."""
        panel = self.panel
        known = self._number != 0 and panel is not None
        self.nothing.setVisible(not known)
        self.nothing.setGeometry(self.rect())
        if not known or panel is None:
            for part in (self.folded, self.teeth, self.card, self.wide, self.handle):
                part.hide()
            if self.strips is not None:
                self.strips.hide()
            return
        inner = self.rect().adjusted(MARGIN, MARGIN, -MARGIN, -MARGIN)
        if panel.wide:
            self._place_wide(inner, panel)
        else:
            self._place_columns(inner, panel)

    def _place_wide(self, inner: QRect, panel: StepPanel) -> None:
        self.folded.setGeometry(QRect(inner.left(), inner.top(), WIDTH, inner.height()))
        rest = inner.adjusted(WIDTH + MARGIN, 0, 0, 0)
        self.wide.setGeometry(rest)
        panel.inner.setMinimumHeight(0 if rest.width() >= NARROW else NARROW_HEIGHT)
        self.folded.set_open(self._unfolded)
        self.folded.show()
        self.wide.setVisible(not self._unfolded)
        for part in (self.teeth, self.card, self.handle):
            part.hide()
        if self.strips is not None:
            self.strips.setGeometry(rest)
            self.strips.set_watching(self._unfolded)

    def _place_columns(self, inner: QRect, panel: StepPanel) -> None:
        drawer = self.width() < DRAWER_BELOW
        right = min(DRAWER, inner.width() - 96) if drawer else round((inner.width() - MARGIN) * 0.4 / 8) * 8
        column = QRect(inner.right() - right + 1, inner.top(), right, inner.height())
        left = inner.adjusted(0, 0, -HANDLE - MARGIN if drawer else -right - MARGIN, 0)
        self.folded.hide()
        self.wide.hide()
        if self.strips is not None:
            self.strips.setGeometry(left)
            self.strips.set_watching(True)
        self.handle.setVisible(drawer)
        self.handle.setGeometry(inner.right() - HANDLE + 1, inner.top(), HANDLE, HANDLE)
        self.handle.setText("" if drawer else self.words.say("chair.drawer"))
        self.handle.setAccessibleName(self.words.say("chair.drawer"))
        self.handle.setChecked(self._drawer_open)
        if drawer:
            column = column.adjusted(0, HANDLE + 12, 0, 0)
        shown = not drawer or self._drawer_open
        teeth = 0 if panel.tall or column.height() < 600 else round(right * 0.61 + 36)
        self.teeth.setVisible(shown and teeth > 0)
        self.teeth.setGeometry(QRect(column.left(), column.top(), right, teeth))
        self.card.setVisible(shown)
        self.card.setGeometry(column.adjusted(0, teeth + MARGIN if teeth else 0, 0, 0))
        for part in (self.teeth, self.card, self.handle) if drawer else ():
            part.raise_()

    # touches

    def _shortcuts(self) -> None:
        for key, slot in (("F", self._freeze), ("M", self._mark)):
            shortcut = QShortcut(QKeySequence(key), self)
            shortcut.setContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
            shortcut.activated.connect(slot)

    def _freeze(self) -> None:
        if self.strips is not None and self.strips.isVisible():
            self.strips.set_frozen(not self.strips.frozen)

    def _mark(self) -> None:
        if self._number and self.store.may("AddMark"):
            at_us = self._clock.utc_us()
            self.store.ask(AddMark(chair=self._number), partial(self._marked, self._number, at_us))

    def _marked(self, number: int, at_us: int, reply: Reply) -> None:
        if isinstance(reply, Refused):
            self._refused(reply)
        elif self.strips is not None and number == self._number:
            self.strips.add_mark(at_us, self.words.say("chair.strips.mark"))

    def _toggle_fold(self) -> None:
        self._unfolded = not self._unfolded
        self._place()

    def _toggle_drawer(self) -> None:
        self._drawer_open = not self._drawer_open
        self._place()

    def _seat_next(self) -> None:
        self._next_wanted = True
        self.refresh()

    def _refused(self, reply: Refused | None) -> None:
        if self.panel is not None:
            self.panel.say_refused(reply)
