"""The main window: top bar, rail, page, bottom bar. Overlays are child frames and never reach the bottom bar."""

from collections.abc import Callable

from PySide6.QtCore import QRect, Qt, QTimer, Signal
from PySide6.QtGui import QCloseEvent, QColor, QKeySequence, QPainter, QResizeEvent, QShortcut
from PySide6.QtWidgets import QApplication, QHBoxLayout, QMainWindow, QStackedWidget, QVBoxLayout, QWidget

from app.console import bottombar, topbar
from app.console.activity import Activity
from app.console.alarm_panel import AlarmPanel, panel_box
from app.console.bottombar import BottomBar
from app.console.chairs_page import ChairsPage
from app.console.demo_panel import Demo, DemoPanel
from app.console.demo_strip import DemoStrip
from app.console.emergency_panel import EmergencyPanel
from app.console.login import LoginOverlay
from app.console.notice import NoticePanel
from app.console.operator_menu import OperatorMenu
from app.console.page import EmptyPage, Page
from app.console.question import Question
from app.console.rail import PLACES, Rail
from app.console.store import Store
from app.console.topbar import TopBar
from app.console.trends import Trends
from app.ipc.messages import Chair
from core.model.words import Text, Words
from widgets import theme
from widgets.focus import OWN_FOCUS
from widgets.overlay import Panel, Veil
from widgets.theme import tokens

STOP_KEYS = ("F12", "Ctrl+.")
TICK_MS = 500
SMALLEST = (900, 500)
"""A screen of 1920 × 1080 at 200 % has 960 × 540 logical pixels, and STOP must lie on it."""
NARROW_BELOW, SHORT_BELOW = 1000, 1100
"""Widths under which the rail shows icons alone, and the bottom bar's jobs theirs."""
_NEEDS = {"chair": "Act", "patients": "ListPatients", "safety": "ListLog"}
"""What one must be allowed to ask, for a place to be of use."""
_CHAIRLESS = ("chairs", "safety", "setup")
"""Places without a chair in context: there STOP stops all."""

PageMaker = Callable[[Store, Words], Page]


class Ground(QWidget):
    """The colour behind the pages."""

    def paintEvent(self, _event: object) -> None:
        painter = QPainter(self)
        painter.fillRect(self.rect(), QColor(tokens().bg))
        painter.end()


class MainWindow(QMainWindow):
    """The shell. Pages are made when first opened.

    Signals:
        close_agreed: the window may close; True when a person agreed to hold running therapy.
        patient_screen_wanted: whether the patient's own window shall be shown.
    """

    close_agreed = Signal(bool)
    patient_screen_wanted = Signal(bool)

    def __init__(
        self, store: Store, words: Words, *, demo: Demo | None = None, makers: dict[str, PageMaker] | None = None
    ) -> None:
        super().__init__()
        self.store = store
        self.words = words
        self.trends = Trends(store)
        self._makers = makers or {}
        self._closing = False
        self._last_chair = 0
        self.pages: dict[str, Page] = {}
        self.setWindowTitle(words.say("shell.title"))
        self.setMinimumSize(*SMALLEST)
        self.resize(1280, 800)
        self.top = TopBar(store, words, demo=demo is not None)
        self.rail = Rail(store, words)
        self.bottom = BottomBar(store, words)
        self._stack = QStackedWidget()
        self._lay_out()
        self.strip = DemoStrip(words) if demo is not None else None
        self.alarms = AlarmPanel(store, words, self, self.bottom.beacon)
        self.notices = NoticePanel(store, words, self)
        self.menu = OperatorMenu(store, words, self, self.top.person)
        self.demo = DemoPanel(store, words, demo, self, self.top.mark) if demo is not None else None
        self.login = LoginOverlay(store, words, self)
        self.question = Question(words, self)
        self.emergency = EmergencyPanel(store, words, self, self.top.person)
        self._whose = ""
        self.activity = Activity(store, self)
        self._wire()
        self._keys()
        self._tick = QTimer(self)
        self._tick.setInterval(TICK_MS)
        self._tick.timeout.connect(self.tick)
        self._tick.start()
        self.show_page("chairs")
        self._take_over()

    def _lay_out(self) -> None:
        ground = Ground()
        column = QVBoxLayout(ground)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        middle = QHBoxLayout()
        middle.setSpacing(0)
        middle.addWidget(self.rail)
        middle.addWidget(self._stack, 1)
        column.addWidget(self.top)
        column.addLayout(middle, 1)
        column.addWidget(self.bottom)
        self.setCentralWidget(ground)
        ground.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
        ground.setProperty(OWN_FOCUS, True)
        ground.setFocus()

    def _wire(self) -> None:
        self.rail.chosen.connect(self.show_page)
        self.top.chair_chosen.connect(self.open_chair)
        self.top.operator_pressed.connect(self._toggle_menu)
        self.top.mark_pressed.connect(self._toggle_demo)
        self.bottom.beacon_pressed.connect(self._toggle_alarms)
        self.store.open_page.connect(self.show_page)
        self.store.current_changed.connect(self._remember)
        self.store.workstation_changed.connect(self._lock_or_open)
        self.alarms.closed.connect(self._alarms_closed)
        self.menu.closed.connect(lambda: self.top.person.setChecked(False))
        self.menu.mode_chosen.connect(self.set_mode)
        self.menu.switch_wanted.connect(self._switch)
        self.menu.emergency_wanted.connect(lambda: self.emergency.open_at(self.width() - 16, topbar.HEIGHT + 8))
        self.login.left.connect(self._lock_or_open)
        self.store.chair_changed.connect(lambda _number: self._offer_places())
        self.notices.closed.connect(self._place_overlays)
        self.store.noticed.connect(lambda *_: self._place_overlays())
        if self.demo is not None:
            self.demo.closed.connect(lambda: self.top.mark.setChecked(False))
        if self.strip is not None:
            self.strip.watch.connect(lambda: self.open_chair(self._busiest()))
            self.strip.run.connect(lambda: self.open_chair(self._idle()))
            self.strip.break_something.connect(self._toggle_demo)

    def _keys(self) -> None:
        for number, (key, _) in enumerate(PLACES, 1):
            shortcut = QShortcut(QKeySequence(f"Ctrl+{number}"), self)
            shortcut.activated.connect(lambda key=key: self.show_page(key))
        for keys in STOP_KEYS:
            stop = QShortcut(QKeySequence(keys), self)
            stop.setContext(Qt.ShortcutContext.ApplicationShortcut)
            stop.setAutoRepeat(False)
            stop.activated.connect(self.bottom.press_stop)
        escape = QShortcut(QKeySequence(Qt.Key.Key_Escape), self)
        escape.activated.connect(self._escape)

    # pages

    def show_page(self, key: str) -> None:
        """Bring a page to the front; while the console is locked there is none to bring."""
        if self.login.isVisible():
            return
        if not self.allowed(key):
            self.store.notice(Text("access.not_yours"), Text("access.not_yours_remedy"))
            key = "chairs"
        if key in _CHAIRLESS:
            self.store.set_current(0)
        elif key == "chair" and self.store.chair(self.store.current) is None:
            self.store.set_current(self._last_chair or self._busiest())
        before = self._stack.currentWidget()
        page = self._page(key)
        if isinstance(before, Page) and before is not page:
            before.deactivated()
        self._stack.setCurrentWidget(page)
        self.rail.show_place(key)
        for panel in (self.menu, self.demo):
            if panel is not None:
                panel.close_panel()
        page.activated()

    def allowed(self, key: str) -> bool:
        """Whether who is logged in has anything to see there."""
        station = self.store.workstation
        if station is None or key not in _NEEDS:
            return True
        return self.store.may(_NEEDS[key]) or (key == "chair" and any(one.shown for one in self._taken()))

    def _taken(self) -> list[Chair]:
        return [chair for chair in self.store.chairs() if chair.patient is not None]

    def _offer_places(self) -> None:
        for key, item in self.rail.items.items():
            item.setEnabled(self.allowed(key))

    def _forget_pages(self) -> None:
        """Somebody else is there: what was made for who was there before goes, and is made anew."""
        for page in self.pages.values():
            page.deactivated()
            self._stack.removeWidget(page)
            page.hide()
            page.deleteLater()
        self.pages = {}
        for panel in (self.notices, self.emergency):
            panel.close_panel()
        self.notices.forget()

    @property
    def page(self) -> Page:
        """The page in front."""
        page = self._stack.currentWidget()
        assert isinstance(page, Page)
        return page

    def open_chair(self, number: int) -> None:
        """Go to a chair."""
        if number:
            self.store.set_current(number)
        self.show_page("chair")
        self.top.refresh()

    def _page(self, key: str) -> Page:
        if key not in self.pages:
            page = self._make(key)
            page.report_wanted.connect(self._make_report)
            self._stack.addWidget(page)
            self.pages[key] = page
        return self.pages[key]

    def _make_report(self, patient_id: str, visit_id: str) -> None:
        self.show_page("patients")
        self.page.make_report(patient_id, visit_id)

    def _open_erasure(self, patient_id: str) -> None:
        self.show_page("patients")
        self.page.open_erasure(patient_id)

    def _make(self, key: str) -> Page:
        if key in self._makers:
            return self._makers[key](self.store, self.words)
        if key == "chairs":
            chairs = ChairsPage(self.store, self.words, self.trends, self.strip)
            chairs.opened.connect(self.open_chair)
            return chairs
        if key == "safety":
            from app.console.safety_page import SafetyPage

            return SafetyPage(self.store, self.words)
        if key == "setup":
            from app.console.setup_page import SetupPage

            setup = SetupPage(self.store, self.words)
            setup.mode_chosen.connect(self.set_mode)
            setup.patient_screen_wanted.connect(self.patient_screen_wanted)
            setup.erasure_wanted.connect(self._open_erasure)
            return setup
        title = self.words.say(f"shell.rail.{key}")
        return EmptyPage(self.store, self.words, title=title, sentence=self.words.say("shell.no_page"))

    def _remember(self) -> None:
        if self.store.current:
            self._last_chair = self.store.current

    def _busiest(self) -> int:
        chairs = self.store.chairs()
        treated = [chair.number for chair in chairs if chair.procedure is not None]
        return next(iter([*treated, *(chair.number for chair in chairs)]), 0)

    def _idle(self) -> int:
        free = [chair.number for chair in self.store.chairs() if chair.patient is None]
        return free[0] if free else self._busiest()

    # overlays

    def _toggle_alarms(self) -> None:
        if not self.alarms.isHidden():
            self.alarms.close_panel()
            return
        self.alarms.refresh()
        self.alarms.show()
        self._place_overlays()
        self.bottom.beacon.setChecked(True)
        first = next(iter(self.alarms.seen_buttons.values()), self.alarms.pause)
        first.setFocus()

    def _alarms_closed(self) -> None:
        self.bottom.beacon.setChecked(False)
        self._place_overlays()

    def _toggle_menu(self) -> None:
        if self.menu.isHidden():
            self.menu.open_at(self.width() - 16, topbar.HEIGHT + 8)
        else:
            self.menu.close_panel()

    def _toggle_demo(self) -> None:
        if self.demo is None:
            return
        if self.demo.isHidden():
            self.demo.open_at(self.width() - 16, topbar.HEIGHT + 16)
            self.top.mark.setChecked(True)
        else:
            self.demo.close_panel()

    def _escape(self) -> None:
        if self.login.switching:
            self.login.call_off()
        else:
            self._close_panels()

    def _close_panels(self) -> None:
        if not self.question.isHidden():
            self.question.hide()
            return
        for panel in (self.demo, self.menu, self.alarms, self.emergency):
            if panel is not None:
                panel.close_panel()

    def _switch(self) -> None:
        self.login.switch()
        self._lock_or_open()

    def _lock_or_open(self) -> None:
        """Locked, the pages are covered and cannot be reached by the keyboard either; the bottom bar stays."""
        self._take_over()
        wanted = self.login.wanted()
        if wanted == self.login.isVisibleTo(self):
            return
        self.login.refresh()
        for widget in (self.top, self.rail, self._stack):
            widget.setEnabled(not wanted)
        self._close_panels()
        self.login.setVisible(wanted)
        if wanted:
            self._place_overlays()
            first = next(iter(self.login.operators.values()), None)
            (first or (self.login.stay if self.login.switching else self.login.first.name)).setFocus()

    def _take_over(self) -> None:
        """Another person's pages are not this one's; a page with names does not stand open while nobody is there."""
        station = self.store.workstation
        now = station.operator.id if station is not None and station.operator is not None else ""
        place = self.rail.place
        if now and now != self._whose:
            first, self._whose = not self._whose, now
            if not first:
                self._forget_pages()
                self._close_panels()
                self.login.hide()
                for widget in (self.top, self.rail, self._stack):
                    widget.setEnabled(True)
                self.show_page(place if self.allowed(place) else "chairs")
        elif station is not None and station.dimmed and place == "patients":
            self._forget_pages()
            self.show_page("chairs")
        self._offer_places()

    def _place_overlays(self) -> None:
        above = QRect(0, 0, self.width(), self.height() - bottombar.HEIGHT)
        veils: tuple[Veil, ...] = (self.login, self.question)
        for veil in veils:
            veil.setGeometry(above)
        self.alarms.setGeometry(panel_box(self, self.alarms.wanted_height()))
        if not self.notices.isHidden():
            self.notices.place(self.alarms.geometry() if not self.alarms.isHidden() else None)
        order: tuple[Veil | Panel, ...] = (self.login, self.notices, self.alarms, self.question)
        for overlay in order:
            if not overlay.isHidden():
                overlay.raise_()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        narrow = self.width() < NARROW_BELOW
        self.rail.set_narrow(narrow)
        self.top.set_narrow(narrow)
        self.bottom.set_narrow(self.width() < SHORT_BELOW)
        for panel in (self.menu, self.demo):
            if panel is not None:
                panel.close_panel()
        self._place_overlays()

    # time, look, end

    def tick(self) -> None:
        """Twice a second: ages, clocks and countdowns move on even when nothing arrives."""
        self.top.refresh()
        self.rail.refresh()
        self.bottom.refresh()
        self.alarms.refresh()
        if isinstance(self.page, ChairsPage):
            self.page.refresh()

    def set_mode(self, mode: str) -> None:
        """`light` or `dark`, for every window of the program."""
        app = QApplication.instance()
        assert isinstance(app, QApplication)
        theme.apply(app, "dark" if mode == "dark" else "light")
        for widget in app.topLevelWidgets():
            for part in (widget, *widget.findChildren(QWidget)):
                part.update()

    def closeEvent(self, event: QCloseEvent) -> None:
        """Closing while therapy may run asks first, in the window, and then holds."""
        if not self._closing and self.therapy_runs():
            event.ignore()
            self.question.ask("shell.quit", lambda: self._agree(True))
            self._place_overlays()
            return
        event.accept()
        self._end(False)

    def close_now(self) -> None:
        """Close without a question: the machine or a person outside ended the program. Therapy is held all the same."""
        self._agree(self.therapy_runs())

    def therapy_runs(self) -> bool:
        """Whether dose may be flowing anywhere."""
        return any(
            chair.lease_until_monotonic is not None or (chair.procedure is not None and chair.procedure.treating)
            for chair in self.store.chairs()
        )

    def _agree(self, held: bool) -> None:
        self._end(held)
        self.close()

    def _end(self, held: bool) -> None:
        if not self._closing:
            self._closing = True
            self._tick.stop()
            self.close_agreed.emit(held)
