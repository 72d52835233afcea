"""Patients: find somebody, open a visit, look closely, write a report; and what is shown when that fails."""

import itertools
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from PySide6.QtCore import QBuffer, QByteArray, QEvent, QIODevice, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QColor, QDesktopServices, QFontMetricsF, QImage, QImageWriter, QPainter, QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from app.console.patients_page import PatientsPage
from app.console.store import Store
from app.ipc.clinical_messages import SearchHits, SearchRecords
from app.ipc.export_messages import ExportSamples
from app.ipc.messages import (
    ChannelSpan,
    CorrectPatient,
    Done,
    GetTimeline,
    GetVisit,
    MakeReport,
    Moment,
    RangeData,
    ReadRange,
    Refused,
    Reply,
    ReportMade,
    Request,
    Timeline,
    Trace,
    VisitDetail,
)
from core.model.clinical import Note
from core.model.limits import Limit, LimitOwner
from core.model.people import Patient, VisitSummary
from core.model.procedure import Plan, ProcedureView, Step
from core.model.search import Found
from core.model.wear import DAY_US, AtHome, HomeDay
from core.model.words import Text, Words
from widgets import theme
from widgets.timeline import Timeline as TimelineWidget
from widgets.timeline import TimelineEntry

from .conftest import Sample

BEGAN = 2_391_847_200_000_000
MINUTE = 60_000_000
LENGTH_MIN = 48
CHANNELS = ("pulp_temperature", "heart_rate", "saliva_ph", "swarm_dose", "jaw_emg", "spo2", "pulse_wave")
GAP = (BEGAN + 25 * MINUTE, BEGAN + 26 * MINUTE)


Floats = npt.NDArray[np.float64]


def value(channel: str, t_us: Floats) -> Floats:
    """What the invented hub measured: a pure function of time, so that any zoom can be checked."""
    s: Floats = (t_us - BEGAN) / 1e6
    bump: Floats = np.exp(-(((s - 1400) / 300) ** 2))
    made: dict[str, Floats] = {
        "pulp_temperature": 36.4 + 0.9 * bump + 0.05 * np.sin(s / 37),
        "heart_rate": 74 + 14 * bump + 3 * np.sin(s / 23),
        "saliva_ph": 6.84 - 0.05 * bump + 0.04 * np.sin(s / 61),
        "swarm_dose": np.clip((s - 1200) / 6, 0, 38),
    }
    made["jaw_emg"] = 20 * np.sin(s * 3) * (1 + bump)
    return made.get(channel, made["jaw_emg"])


def trace(channel: str, body: ReadRange) -> Trace:
    edges = np.linspace(body.from_us, body.to_us, body.columns + 1)
    at = ((edges[:-1] + edges[1:]) / 2).astype("<i8")
    steps = np.linspace(edges[:-1], edges[1:], 9)
    physical = value(channel, steps)
    low, high = physical.min(axis=0).astype("<f4"), physical.max(axis=0).astype("<f4")
    gaps: tuple[tuple[int, int], ...] = ()
    if channel == "saliva_ph":
        inside = (at >= GAP[0]) & (at < GAP[1])
        low[inside] = high[inside] = np.nan
        gaps = (GAP,) if inside.any() else ()
    return Trace(channel=channel, at_us=at.tobytes(), low=low.tobytes(), high=high.tobytes(), gaps=gaps, samples=False)


def patient(number: int) -> Patient:
    names = [("Amara", "Obi"), ("Darius", "Hale"), ("Ines", "Marchetti"), ("Tomas", "Lind")]
    given, family = names[number]
    return Patient(
        id=f"p{number}",
        version=1,
        code=f"P-{1000 + number}",
        given_name=given,
        family_name=family,
        birth_date="2001-03-12",
        allergies="latex" if number == 1 else "",
    )


def visit(number: int, **changes: object) -> VisitSummary:
    base: dict[str, object] = {
        "id": f"v{number}",
        "patient_id": "p1",
        "code": f"V-{2000 + number}",
        "chair": 2 if number % 2 else 1,
        "began_us": BEGAN - (3 - number) * 200 * 86_400_000_000,
        "ended_us": BEGAN - (3 - number) * 200 * 86_400_000_000 + LENGTH_MIN * MINUTE,
        "state": "complete",
        "title_key": "test.repair",
        "teeth": (46,),
        "mdas": 19 - 4 * number,
    }
    return VisitSummary(**{**base, **changes})  # type: ignore[arg-type]


VISITS = tuple(visit(number) for number in range(4))
LIMITS = (
    Limit(channel="pulp_temperature", owner=LimitOwner.PATIENT, high=38.0),
    Limit(channel="saliva_ph", owner=LimitOwner.DEVICE, low=5.5),
)
MOMENTS = (
    Moment(at_us=BEGAN + 2 * MINUTE, kind="consent.signed", text=Text("test.consent"), voice="patient"),
    Moment(at_us=BEGAN + 20 * MINUTE, kind="phase.started", text=Text("test.sealing")),
    Moment(at_us=BEGAN + 22 * MINUTE, kind="check_in", text=Text("test.warm"), voice="patient"),
    Moment(at_us=BEGAN + 26 * MINUTE, kind="link.filled", text=Text("test.gap"), voice="device"),
    Moment(at_us=BEGAN + 40 * MINUTE, kind="summary.signed", text=Text("test.signed")),
)


def detail(of: VisitSummary) -> VisitDetail:
    return VisitDetail(
        visit=of,
        patient=patient(1),
        procedure=ProcedureView(
            visit_id=of.id,
            visit_code=of.code,
            patient_id="p1",
            chair=of.chair,
            step=Step.CLOSE,
            plan=Plan(own_limits=LIMITS[:1]),
            limits=LIMITS,
        ),
        channels=tuple(
            ChannelSpan(channel=channel, from_us=of.began_us, to_us=of.ended_us or 0, samples=28_800)
            for channel in CHANNELS
        ),
        moments=MOMENTS,
    )


def somebody(number: int) -> Found:
    last = VISITS[-1] if number == 1 else None
    return Found(
        kind="patient",
        id=f"p{number}",
        chair=1,
        at_us=0,
        patient=patient(number),
        visit=last,
        last_us=last.began_us if last is not None else None,
    )


HITS = (
    *(somebody(number) for number in (1, 3, 2, 0)),
    Found(
        kind="note",
        id="n1",
        chair=2,
        at_us=BEGAN,
        patient=patient(1),
        visit=VISITS[-1],
        entry=Note(id="n1", patient_id="p1", visit_id="v3", at_us=BEGAN, text="Sensitive to cold on 46."),
    ),
)


def said_of(hit: Found) -> str:
    if hit.entry is not None:
        return hit.entry.text.casefold() or "-"
    return f"{hit.patient.name} {hit.patient.code}".casefold()


def png() -> bytes:
    image = QImage(909, 1286, QImage.Format.Format_RGB32)
    image.fill(QColor("#FFFFFF"))
    painter = QPainter(image)
    painter.fillRect(72, 72, 400, 60, QColor("#1F6657"))
    painter.end()
    buffer = QBuffer()
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    QImageWriter(buffer, QByteArray(b"png")).write(image)
    return bytes(buffer.data().data())


@dataclass
class ReaderBackend:
    """The engine's place: answers as a reader would; `held` keeps answers back until they are let go."""

    asked: list[Request] = field(default_factory=list)
    refuse: dict[type, Refused] = field(default_factory=dict)
    hold: bool = False
    held: list[tuple[Request, Callable[[Reply], None]]] = field(default_factory=list)
    visits: tuple[VisitSummary, ...] = VISITS
    home: AtHome | None = None

    def request(self, body: Request, done: Callable[[Reply], None]) -> None:
        self.asked.append(body)
        if self.hold:
            self.held.append((body, done))
        else:
            done(self.reply(body))

    def release(self) -> None:
        held, self.held = self.held, []
        for body, done in held:
            done(self.reply(body))

    def reply(self, body: Request) -> Reply:
        if type(body) in self.refuse:
            return self.refuse[type(body)]
        match body:
            case SearchRecords(query=query):
                return SearchHits(query=query, hits=tuple(hit for hit in HITS if query.casefold() in said_of(hit)))
            case GetTimeline():
                return Timeline(patient=patient(1), visits=self.visits, home=self.home)
            case GetVisit(visit_id=visit_id):
                return detail(next(each for each in self.visits if each.id == visit_id))
            case ReadRange(channels=channels):
                return RangeData(traces=tuple(trace(channel, body) for channel in channels))
            case MakeReport(path=path):
                return ReportMade(path=path, pages=2, preview_png=png())
            case _:
                return Done()

    def stop(self, chair: int) -> None:
        raise AssertionError("nothing here stops a chair")

    def history(self, chair: int) -> None:
        return None

    def ranges(self) -> list[ReadRange]:
        return [body for body in self.asked if isinstance(body, ReadRange)]


REFUSED = Refused(code="reader.gone", text=Text("test.gone"), remedy=Text("test.gone_remedy"))


@pytest.fixture
def said(words: Words) -> Words:
    table = {key: words.say(key) for key in words.keys()}  # noqa: SIM118 - Words is no mapping
    invented = {
        "test.repair": "Repair",
        "test.consent": "Consent signed",
        "test.sealing": "Sealing starts",
        "test.warm": "Asked: warm, fine",
        "test.gap": "Gap 60 s, filled",
        "test.signed": "Signed, M. Chen",
        "test.gone": "The reader has ended.",
        "test.gone_remedy": "Log in again.",
    }
    return Words("en", {**table, **invented})


@pytest.fixture
def reader() -> ReaderBackend:
    return ReaderBackend()


@pytest.fixture
def page(qapp: QApplication, reader: ReaderBackend, said: Words, tmp_path: Path) -> Iterator[PatientsPage]:
    if theme.tokens().dark or not qapp.styleSheet():
        theme.apply(qapp, "light")
    store = Store(reader)
    store.set_link(True)
    store.welcome(practice="Cedar Lane", data_folder=str(tmp_path), simulated=True)
    store.apply(Sample().workstation())
    made = PatientsPage(store, said)
    made.resize(1192, 664)
    made.show()
    made.activated()
    yield made
    made.close()
    made.deleteLater()
    QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)


def settle(page: PatientsPage) -> None:
    """Let layouts and the fetcher's pause pass without waiting for the clock."""
    QApplication.processEvents()
    page.visits.review.fetcher.flush()
    QApplication.processEvents()


@pytest.fixture
def opened(page: PatientsPage) -> PatientsPage:
    """Darius, his newest visit, the whole of it in view."""
    row = next(row for row in page.list.rows() if row.found.id == "p1")
    QTest.mouseClick(row, Qt.MouseButton.LeftButton)
    assert not page.visits.isVisible(), "the first touch shows the name only"
    QTest.mouseClick(row, Qt.MouseButton.LeftButton)
    settle(page)
    return page


def test_everybody_is_listed_and_found_by_name_or_code(page: PatientsPage) -> None:
    assert names(page) == ["Darius Hale", "Tomas Lind", "Ines Marchetti", "Amara Obi", "Darius Hale"]
    QTest.keyClicks(page.list.search, "P-1003")
    page.list.refresh()
    assert names(page) == ["Tomas Lind"]
    QTest.keyClick(page.list.search, Qt.Key.Key_Return)
    assert page.visits.isVisible()


def test_only_the_newest_search_counts(page: PatientsPage, reader: ReaderBackend) -> None:
    reader.hold = True
    page.list.search.setText("obi")
    page.list.refresh()
    page.list.search.setText("lind")
    page.list.refresh()
    reader.held.reverse()
    reader.release()
    assert names(page) == ["Tomas Lind"]


def names(page: PatientsPage) -> list[str]:
    return [row.found.patient.name for row in page.list.rows()]


def test_lists_show_initials_and_a_code_until_touched(page: PatientsPage, reader: ReaderBackend) -> None:
    """By touch, by the keyboard's focus, and again short when that has gone."""
    darius, tomas = page.list.rows()[:2]
    assert [row.text() for row in (darius, tomas)] == ["DH, V-2003", "TL, P-1003"]
    shown = " ".join((darius.accessibleName(), darius.accessibleDescription(), darius.toolTip()))
    assert "Hale" not in shown
    assert "2001" not in shown
    QTest.mouseClick(darius, Qt.MouseButton.LeftButton)
    assert darius.text() == "Darius Hale"
    darius.reveal.hide()
    assert darius.text() == "DH, V-2003"
    tomas.setFocus(Qt.FocusReason.TabFocusReason)
    assert tomas.text() == "Tomas Lind"
    darius.setFocus(Qt.FocusReason.TabFocusReason)
    assert tomas.text() == "TL, P-1003"
    assert not [body for body in reader.asked if isinstance(body, GetTimeline)], "nothing was opened"
    page.store.apply(Sample().workstation(names_shown=True))
    assert [row.text() for row in page.list.rows()[:2]] == ["Darius Hale", "Tomas Lind"]


def test_a_patients_head_has_initials_until_touched_and_the_way_to_correct_it(
    opened: PatientsPage, reader: ReaderBackend
) -> None:
    view = opened.visits
    assert view.head.name.text() == "DH, P-1001"
    assert "Hale" not in view.timeline.accessibleName()
    QTest.mouseClick(view.head.name, Qt.MouseButton.LeftButton)
    assert view.head.name.text() == "Darius Hale"
    QTest.mouseClick(view.correct_button, Qt.MouseButton.LeftButton)
    assert view.form.isVisible()
    QTest.keyClicks(view.form.reason, "passport")
    asked = len([body for body in reader.asked if isinstance(body, GetTimeline)])
    QTest.mouseClick(view.form.save, Qt.MouseButton.LeftButton)
    (body,) = [body for body in reader.asked if isinstance(body, CorrectPatient)]
    assert isinstance(body, CorrectPatient)
    assert body.patient == patient(1)
    assert len([one for one in reader.asked if isinstance(one, GetTimeline)]) == asked + 1, "it is read again"
    assert not view.form.isVisible()


def test_a_name_goes_again_by_itself(page: PatientsPage, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> None:
    row = page.list.rows()[0]
    row.reveal._over.setInterval(1)
    row.reveal.touch()
    qtbot.waitUntil(lambda: row.text() == "DH, V-2003")


def test_a_note_that_was_found_opens_the_time_line_at_it(page: PatientsPage) -> None:
    page.list.search.setText("cold")
    page.list.refresh()
    (row,) = page.list.rows()
    assert "cold" not in row.accessibleDescription(), "what was written is as private as the name"
    QTest.mouseClick(row, Qt.MouseButton.LeftButton)
    assert "cold" in row.accessibleDescription()
    QTest.mouseClick(row, Qt.MouseButton.LeftButton)
    assert page.visits.history.isVisible()
    assert page.visits.history_button.isChecked()
    QTest.mouseClick(page.visits.home_button, Qt.MouseButton.LeftButton)
    assert page.visits.home.isVisible()
    assert not page.visits.history_button.isChecked()


def test_nobody_found_says_so_and_a_refusal_can_be_tried_again(page: PatientsPage, reader: ReaderBackend) -> None:
    page.list.search.setText("zz")
    page.list.refresh()
    assert "zz" in page.list._state.text()
    reader.refuse[SearchRecords] = REFUSED
    page.list.refresh()
    assert page.list._state.text() == "The reader has ended. Log in again."
    reader.refuse.clear()
    page.list.search.clear()
    QTest.mouseClick(page.list.retry, Qt.MouseButton.LeftButton)
    assert len(page.list.rows()) == 5
    assert not page.list.retry.isVisible()


def test_a_patient_opens_with_the_newest_visit(opened: PatientsPage, reader: ReaderBackend) -> None:
    assert opened.visits.timeline.chosen == "v3"
    assert "4 visits since" in opened.visits.head.facts.text()
    assert opened.visits.review.channels == ("pulp_temperature", "heart_rate", "saliva_ph", "swarm_dose")
    asked = reader.ranges()[-1]
    assert (asked.from_us, asked.to_us) == (BEGAN, BEGAN + LENGTH_MIN * MINUTE)


def test_as_many_columns_as_pixels(opened: PatientsPage, reader: ReaderBackend) -> None:
    plot = opened.visits.review.plot
    assert {asked.columns for asked in reader.ranges()} == {plot.width()}


def test_another_visit_of_the_line_is_opened_by_click_and_by_key(opened: PatientsPage, reader: ReaderBackend) -> None:
    line = opened.visits.timeline
    QTest.mouseClick(line, Qt.MouseButton.LeftButton, pos=line.entry_rect("v1").center().toPoint())
    settle(opened)
    assert reader.ranges()[-1].visit_id == "v1"
    line.setFocus()
    QTest.keyClick(line, Qt.Key.Key_Left)
    QTest.keyClick(line, Qt.Key.Key_Return)
    settle(opened)
    assert reader.ranges()[-1].visit_id == "v0"


def test_the_wheel_zooms_about_the_pointer_and_asks_for_what_is_in_view(
    opened: PatientsPage, reader: ReaderBackend
) -> None:
    plot = opened.visits.review.plot
    at = QPointF(plot.width() / 2, 40)
    for _ in range(8):
        event = QWheelEvent(
            at,
            plot.mapToGlobal(at),
            QPoint(0, 0),
            QPoint(0, 120),
            Qt.MouseButton.NoButton,
            Qt.KeyboardModifier.NoModifier,
            Qt.ScrollPhase.NoScrollPhase,
            False,
        )
        QApplication.sendEvent(plot._view.viewport(), event)
    settle(opened)
    begin, end = plot.shown
    assert end - begin < LENGTH_MIN * 60 / 3
    assert math.isclose((begin + end) / 2, LENGTH_MIN * 30, rel_tol=0.02)
    asked = reader.ranges()[-1]
    assert asked.from_us == pytest.approx(BEGAN + begin * 1e6, abs=2)
    assert asked.to_us == pytest.approx(BEGAN + end * 1e6, abs=2)
    assert opened.visits.review.band.window_range == pytest.approx((begin, end))


def test_keys_zoom_from_the_whole_visit_to_samples(opened: PatientsPage) -> None:
    plot = opened.visits.review.plot
    plot.setFocus()
    for _ in range(40):
        QTest.keyClick(plot, Qt.Key.Key_Up)
    begin, end = plot.shown
    assert end - begin == pytest.approx(0.02, rel=0.01)
    QTest.keyClick(plot, Qt.Key.Key_Home)
    assert plot.shown == pytest.approx((0, LENGTH_MIN * 60))


def test_while_an_answer_is_awaited_only_the_newest_range_waits(opened: PatientsPage, reader: ReaderBackend) -> None:
    plot = opened.visits.review.plot
    plot.setFocus()
    before = len(reader.ranges())
    reader.hold = True
    for _ in range(5):
        QTest.keyClick(plot, Qt.Key.Key_Up)
        opened.visits.review.fetcher.flush()
    assert len(reader.ranges()) == before + 1
    reader.hold = False
    reader.release()
    assert len(reader.ranges()) == before + 2
    begin, end = plot.shown
    newest = reader.ranges()[-1]
    assert newest.to_us - newest.from_us == pytest.approx((end - begin) * 1e6, abs=2)
    drawn = plot.trace("heart_rate")
    assert drawn is not None
    assert begin <= drawn.at[0] <= drawn.at[-1] <= end


def test_the_cursors_read_the_values_that_were_measured(opened: PatientsPage) -> None:
    review = opened.visits.review
    review.plot.set_cursors(600, 1400)
    said = review.rows.readings["heart_rate"]
    a, b = (float(value("heart_rate", np.array([BEGAN + t * 1e6]))[0]) for t in (600, 1400))
    shown = said.between.split(" to ")
    assert [float(text) for text in shown] == pytest.approx([a, b], abs=1.0)
    assert float(said.change.replace("−", "-")) == pytest.approx(b - a, abs=1.0)
    assert review._between.text() == "A to B: 13 min"


def test_a_cursor_out_of_view_still_reads_its_value(opened: PatientsPage) -> None:
    review = opened.visits.review
    review.plot.set_cursors(600, 1400)
    before = review.rows.readings["heart_rate"]
    review._go(2000, 2010)
    review.fetcher.flush()
    assert review.plot.shown == pytest.approx((2000, 2010))
    assert review.rows.readings["heart_rate"] == before
    assert review._between.text() == "A to B: 13 min"


def test_the_labels_beside_the_traces_keep_their_width(opened: PatientsPage) -> None:
    review = opened.visits.review
    left = review.plot.x()
    assert review._part.text() == "48 min"
    review._go(100.0, 699.0)
    QApplication.processEvents()
    assert review._part.text() == "9 min 59 s of 48 min"
    assert review.plot.x() == left == review.band.x()
    assert review._part.heightForWidth(review._part.width()) <= review._part.height()


def test_a_visits_title_is_read_whole_where_there_is_room(qapp: QApplication) -> None:
    line = TimelineWidget()
    line.resize(1128, 92)
    entry = TimelineEntry(id="v", when="Today 18:00", title="Smilescape procedure 44, 46, 47")
    line.set_entries([entry])
    assert line.entry_rect("v").width() >= QFontMetricsF(theme.font(13)).horizontalAdvance(entry.title) + 4
    line.set_entries([replace(entry, id=str(n)) for n in range(10)])
    cells = [line.entry_rect(str(n)) for n in range(10)]
    assert all(left.right() <= right.left() for left, right in itertools.pairwise(cells))
    line.deleteLater()


def test_a_cursor_in_a_gap_reads_no_value(opened: PatientsPage) -> None:
    review = opened.visits.review
    review.plot.set_cursors(600, (GAP[0] - BEGAN) / 1e6 + 30)
    assert review.rows.readings["saliva_ph"].change == "–"
    assert review.rows.readings["heart_rate"].change != "–"


def test_a_gap_is_hatched_and_the_patients_limit_is_plum(opened: PatientsPage) -> None:
    plot = opened.visits.review.plot
    image = plot.grab().toImage()
    edges = plot.edges()
    x = plot.x_of((GAP[0] + GAP[1] - 2 * BEGAN) / 2e6)

    def darkest(column: int, row: int) -> int:
        return min(image.pixelColor(column, y).lightness() for y in range(int(edges[row]) + 6, int(edges[row + 1]) - 6))

    assert min(darkest(round(x) + off, 2) for off in (-3, 0, 3)) < 200
    quiet = round(plot.x_of(100))
    plum = QColor(theme.tokens().patient)
    rows = [y for y in range(int(edges[0]), int(edges[1])) if _near(image.pixelColor(quiet, y), plum)]
    assert rows
    assert rows[0] < (edges[0] + edges[1]) / 2


def _near(one: QColor, other: QColor) -> bool:
    return max(abs(one.red() - other.red()), abs(one.green() - other.green()), abs(one.blue() - other.blue())) < 50


def test_the_trace_is_drawn_where_the_value_is(opened: PatientsPage) -> None:
    plot = opened.visits.review.plot
    image = plot.grab().toImage()
    row = next(row for row in plot.rows if row.spec.key == "pulp_temperature")
    ink = QColor(theme.tokens().traces[row.spec.trace])
    for t in (300.0, 1400.0, 2500.0):
        x = round(plot.x_of(t))
        found = [y for y in range(0, int(plot.edges()[1])) if _near(image.pixelColor(x, y), ink)]
        physical = float(value("pulp_temperature", np.array([BEGAN + t * 1e6]))[0])
        top, bottom = plot.edges()[:2]
        wanted = bottom - 7 - (physical - row.low) / (row.high - row.low) * (bottom - top - 14)
        assert found, t
        assert min(abs(y - wanted) for y in found) <= 3


def test_a_moment_leads_to_its_place(opened: PatientsPage, reader: ReaderBackend) -> None:
    sealing = next(row for row in opened.visits.moments.rows() if row.text() == "Sealing starts")
    QTest.mouseClick(sealing, Qt.MouseButton.LeftButton)
    settle(opened)
    begin, end = opened.visits.review.plot.shown
    assert (begin + end) / 2 == pytest.approx(20 * 60)
    assert end - begin == pytest.approx(360)
    assert opened.visits.review.plot.cursors[0] == pytest.approx(20 * 60)
    assert reader.ranges()[-1].from_us == BEGAN + 17 * MINUTE


def test_the_bands_handles_size_the_window_and_its_body_moves_it(opened: PatientsPage) -> None:
    review = opened.visits.review
    band = review.band
    middle = band.height() // 2

    def drag(start: float, stop: float) -> None:
        QTest.mousePress(band, Qt.MouseButton.LeftButton, pos=QPoint(round(start), middle))
        QTest.mouseMove(band, QPoint(round(stop), middle))
        QTest.mouseRelease(band, Qt.MouseButton.LeftButton, pos=QPoint(round(stop), middle))

    drag(2, band.width() * 0.25)
    drag(band.width() - 2, band.width() * 0.5)
    assert review.plot.shown == pytest.approx((720, 1440), abs=10)
    drag(band.width() * 0.375, band.width() * 0.475)
    assert review.plot.shown == pytest.approx((720 + 288, 1440 + 288), abs=12)


def test_a_flag_is_dragged_with_its_cursor(opened: PatientsPage) -> None:
    review = opened.visits.review
    QApplication.processEvents()
    flag = review.axis.flag_centre("A")
    assert flag is not None
    QTest.mousePress(review.axis, Qt.MouseButton.LeftButton, pos=flag.toPoint())
    QTest.mouseMove(review.axis, QPoint(round(review.axis.width() * 0.2), 10))
    QTest.mouseRelease(review.axis, Qt.MouseButton.LeftButton)
    assert review.plot.cursors[0] == pytest.approx(LENGTH_MIN * 60 * 0.2, abs=5)


def test_another_signal_can_be_shown(opened: PatientsPage, reader: ReaderBackend) -> None:
    opened.visits.review.set_channel_shown("jaw_emg", True)
    settle(opened)
    assert "jaw_emg" in reader.ranges()[-1].channels
    assert len(opened.visits.review.plot.rows) == 5
    for key in ("spo2", "pulse_wave"):
        opened.visits.review.set_channel_shown(key, True)
    assert len(opened.visits.review.channels) == 6


def test_csv_holds_what_is_in_view(opened: PatientsPage, reader: ReaderBackend, tmp_path: Path) -> None:
    opened.visits.review.jump(BEGAN + 20 * MINUTE)
    QTest.mouseClick(opened.visits.csv_button, Qt.MouseButton.LeftButton)
    body = next(body for body in reader.asked if isinstance(body, ExportSamples))
    assert (body.from_us, body.to_us) == (BEGAN + 17 * MINUTE, BEGAN + 23 * MINUTE)
    assert body.channels == opened.visits.review.channels
    assert Path(body.path).parent == tmp_path / "exports"
    assert opened.visits.open_csv_folder.isVisible()


def test_other_formats_take_the_place_of_the_visit_until_they_are_put_away(
    opened: PatientsPage, reader: ReaderBackend, tmp_path: Path
) -> None:
    QTest.mouseClick(opened.visits.others_button, Qt.MouseButton.LeftButton)
    panel = opened.visits.others.exports
    assert panel.isVisible()
    assert panel.place.folder == tmp_path / "exports"
    QTest.mouseClick(panel.buttons["edf"], Qt.MouseButton.LeftButton)
    body = next(body for body in reader.asked if isinstance(body, ExportSamples))
    assert body.channels == CHANNELS
    assert Path(body.path) == tmp_path / "exports" / "V-2003-edf"
    QTest.mouseClick(panel.back, Qt.MouseButton.LeftButton)
    assert opened.visits.review.isVisible()


def test_the_report_is_shown_with_its_first_page_and_can_be_opened(
    opened: PatientsPage, reader: ReaderBackend, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    urls: list[str] = []

    def open_url(url: QUrl) -> bool:
        urls.append(url.toLocalFile())
        return True

    monkeypatch.setattr(QDesktopServices, "openUrl", open_url)
    QTest.mouseClick(opened.visits.report_button, Qt.MouseButton.LeftButton)
    panel = opened.visits.report
    assert panel.isVisible()
    QApplication.processEvents()
    image = panel.preview.grab().toImage()
    page_green = QColor("#1F6657")
    every = [(x, y) for x in range(0, image.width(), 4) for y in range(0, image.height(), 4)]
    assert any(image.pixelColor(x, y) == page_green for x, y in every)
    QTest.mouseClick(panel.open_button, Qt.MouseButton.LeftButton)
    QTest.mouseClick(panel.folder_button, Qt.MouseButton.LeftButton)
    assert urls == [str(tmp_path / "exports" / "V-2003.pdf"), str(tmp_path / "exports")]
    QTest.mouseClick(panel.back_button, Qt.MouseButton.LeftButton)
    assert opened.visits.review.isVisible()


def test_a_report_can_be_had_as_a_page_and_in_other_languages(
    opened: PatientsPage, reader: ReaderBackend, tmp_path: Path
) -> None:
    QTest.mouseClick(opened.visits.report_button, Qt.MouseButton.LeftButton)
    panel = opened.visits.report
    assert panel.formats["pdf"].isChecked()
    assert panel.languages["en"].isChecked()
    for button in (panel.languages["zh"], panel.formats["html"], panel.formats["html"]):
        QTest.mouseClick(button, Qt.MouseButton.LeftButton)
    asked = [(one.format, one.language, Path(one.path).name) for one in reader.asked if isinstance(one, MakeReport)]
    assert asked == [
        ("pdf", "en", "V-2003.pdf"),
        ("pdf", "zh", "V-2003-zh.pdf"),
        ("html", "zh", "V-2003-zh.html"),
    ], "what is shown is not made again"
    assert panel.formats["html"].isChecked()
    assert not panel.formats["pdf"].isChecked()
    assert panel.languages["zh"].isChecked()
    assert "any browser" in panel._pages.text()
    reader.refuse[MakeReport] = REFUSED
    QTest.mouseClick(panel.languages["es"], Qt.MouseButton.LeftButton)
    assert panel.languages["zh"].isChecked(), "the one that is there"
    assert panel.languages["es"].isEnabled()


def test_a_report_that_is_refused_leaves_a_notice_and_the_button(
    opened: PatientsPage, reader: ReaderBackend, qtbot: QtBot
) -> None:
    reader.refuse[MakeReport] = REFUSED
    with qtbot.waitSignal(opened.store.noticed) as noticed:
        QTest.mouseClick(opened.visits.report_button, Qt.MouseButton.LeftButton)
    assert noticed.args == [REFUSED.text, REFUSED.remedy]
    assert opened.visits.report_button.isEnabled()


def test_loading_empty_and_refused_are_said(page: PatientsPage, reader: ReaderBackend) -> None:
    reader.hold = True
    page.open_patient("p1")
    assert page.visits._message.text() == "Reading the record."
    assert page.visits._message.isVisible()
    reader.hold = False
    reader.visits = ()
    reader.release()
    assert page.visits._message.text() == "No visits yet."
    reader.refuse[GetTimeline] = REFUSED
    page.open_patient("p1")
    assert page.visits._message.text() == "The reader has ended. Log in again."
    reader.refuse.clear()
    reader.visits = VISITS
    QTest.mouseClick(page.visits.retry, Qt.MouseButton.LeftButton)
    assert page.visits.review.isVisible()


def test_a_visit_that_came_too_late_is_not_shown(opened: PatientsPage, reader: ReaderBackend) -> None:
    reader.hold = True
    opened.visits.open_visit("v0")
    opened.visits.open_visit("v2")
    reader.hold = False
    reader.held.reverse()
    reader.release()
    assert opened.visits._detail is not None
    assert opened.visits._detail.visit.id == "v2"


def test_traces_of_the_visit_before_are_not_drawn_in_the_next(opened: PatientsPage, reader: ReaderBackend) -> None:
    reader.hold = True
    opened.visits.review.plot.setFocus()
    QTest.keyClick(opened.visits.review.plot, Qt.Key.Key_Up)
    opened.visits.review.fetcher.flush()
    reader.hold = False
    opened.visits.open_visit("v0")
    reader.release()
    assert opened.visits.review.plot.trace("heart_rate") is None
    settle(opened)
    assert reader.ranges()[-1].visit_id == "v0"
    assert opened.visits.review.plot.trace("heart_rate") is not None


def at_home() -> AtHome:
    last = BEGAN // DAY_US
    return AtHome(days=tuple(HomeDay(day=last - back, worn_s=50_000, acid_s=1800) for back in range(9, 0, -1)))


def test_the_days_at_home_come_in_front_of_the_visit_and_go_again(page: PatientsPage, reader: ReaderBackend) -> None:
    reader.home = at_home()
    page.open_patient("p1")
    settle(page)
    visits = page.visits
    QTest.mouseClick(visits.home_button, Qt.MouseButton.LeftButton)
    assert visits.home.strip.isVisible()
    assert "30 min of acid" in visits.home.told.text()
    assert not visits.review.isVisible()
    QTest.mouseClick(visits.home_button, Qt.MouseButton.LeftButton)
    assert visits.review.isVisible()
    visits.home_button.setFocus()
    QTest.keyClick(visits.home_button, Qt.Key.Key_Space)
    assert visits.home.strip.isVisible()
    QTest.mouseClick(
        visits.timeline, Qt.MouseButton.LeftButton, pos=visits.timeline.entry_rect("v1").center().toPoint()
    )
    settle(page)
    assert visits.review.isVisible()
    assert not visits.home_button.isChecked()


def test_a_visit_that_comes_meanwhile_waits_behind_the_days_at_home(
    opened: PatientsPage, reader: ReaderBackend
) -> None:
    reader.hold = True
    opened.visits.open_visit("v0")
    QTest.mouseClick(opened.visits.home_button, Qt.MouseButton.LeftButton)
    reader.hold = False
    reader.release()
    assert opened.visits.home.isVisible()
    QTest.mouseClick(opened.visits.home_button, Qt.MouseButton.LeftButton)
    assert opened.visits.review.isVisible()
    assert opened.visits._detail is not None
    assert opened.visits._detail.visit.id == "v0"


def test_before_the_record_is_read_nothing_is_claimed_of_the_days_at_home(
    page: PatientsPage, reader: ReaderBackend
) -> None:
    reader.home = at_home()
    page.open_patient("p1")
    QTest.mouseClick(page.visits.home_button, Qt.MouseButton.LeftButton)
    reader.hold = True
    page.open_patient("p1")
    assert not page.visits.home_button.isEnabled()
    assert not page.visits.home.isVisible(), "the days of the patient before are gone"
    reader.hold, reader.home, reader.visits = False, None, ()
    reader.release()
    QTest.mouseClick(page.visits.home_button, Qt.MouseButton.LeftButton)
    assert "could not be read" in page.visits.home.message.text()


def test_back_to_everybody(opened: PatientsPage) -> None:
    QTest.mouseClick(opened.visits.all_button, Qt.MouseButton.LeftButton)
    assert opened.list.isVisible()
    assert not opened.visits.isVisible()


@pytest.mark.parametrize("mode", ["light", "dark"])
def test_pictures(opened: PatientsPage, snap: Callable[..., Path], mode: theme.Mode) -> None:
    opened.visits.review.jump(BEGAN + 23 * MINUTE)
    opened.visits.review.plot.set_cursors(21.8 * 60, 23.7 * 60)
    for size in ((1192, 664), (1832, 944)):
        snap(opened, "patients", mode, size)
        settle(opened)
        assert snap(opened, "patients", mode, size).exists()
    opened.visits.report.show_report(ReportMade(path="/data/exports/V-2003.pdf", pages=3, preview_png=png()))
    opened.visits._front(opened.visits.report)
    assert snap(opened, "patients-report", mode, (1192, 664)).exists()
    for size in ((1192, 664), (1832, 944)):
        opened.open_list()
        opened.list.rows()[1].reveal.touch()
        assert snap(opened, "patients-list", mode, size).exists()
        opened.open_entry("p1", "v3", "visit")
        assert snap(opened, "patients-history", mode, size).exists()
        assert opened.visits.height() == size[1], "it fits below the head"
