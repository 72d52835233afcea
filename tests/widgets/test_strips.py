"""The live strips, read off their own pixels."""

import os
import subprocess
import sys
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QColor, QImage, QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from core.model.block import Provenance
from core.model.channel import ChannelSpec
from core.model.clock import ManualClock
from core.model.limits import Limit, LimitOwner
from core.model.words import load_words
from widgets import theme
from widgets.strips.history import ChannelHistory
from widgets.strips.strips import DELAY_US, Strips
from widgets.strips.sweep import WINDOW_US, Sweep

START = 1_800_000_000_000_000 // WINDOW_US * WINDOW_US
"""A moment at which the sweep begins at the left edge."""


def spec(number: int, key: str, **changes: object) -> ChannelSpec:
    base: dict[str, object] = {
        "number": number,
        "key": key,
        "unit": "1",
        "display_unit": "u",
        "rate_hz": 10.0,
        "scale": 0.01,
        "low": 0.0,
        "high": 100.0,
        "decimals": 1,
    }
    return ChannelSpec(**{**base, **changes})  # type: ignore[arg-type]


LINE = spec(1, "pulp_temperature", row=0, pinned=True, trace=2)
STEP = spec(2, "heart_rate", row=1, style="step", rate_hz=1.0, trace=3)
HELD = spec(3, "saliva_flow", row=2, style="held", rate_hz=0.1, trace=5)
EMG = spec(4, "jaw_emg", row=3, style="envelope", rate_hz=1000.0, low=-100.0, trace=6, reading="rectified")
PPG = spec(5, "pulse_wave", row=4, rate_hz=125.0, trace=1, reading="swing")
SPECS = (LINE, STEP, HELD, EMG, PPG)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(utc_us=START + DELAY_US)


@pytest.fixture
def strips(qapp: QApplication, qtbot: QtBot, clock: ManualClock) -> Iterator[Strips]:
    theme.apply(qapp, "light")
    made = Strips(SPECS, clock, load_words("en"))
    made.resize(688, 500)
    made.show()
    made._timer.stop()  # frames come when the test says so
    yield made
    made.close()
    made.deleteLater()
    qapp.processEvents()


def constant(strips: Strips, of: ChannelSpec, value: float, begin_s: float, end_s: float, **kw: Provenance) -> None:
    """Samples of one value from `begin_s` to `end_s`, s since START."""
    count = round((end_s - begin_s) * of.rate_hz)
    raw = np.full(count, round(value / of.scale), np.int16)
    strips.push(of.number, START + round(begin_s * 1e6), raw, of.period_us, **kw)


def wavy(strips: Strips, begin_us: int, end_us: int) -> None:
    for one in SPECS:
        first, last = -(-begin_us // one.period_us), -(-end_us // one.period_us)
        t = np.arange(first, last, dtype=np.int64) * one.period_us
        if len(t):
            raw = (4000 + 2500 * np.sin(t / 1e6 * (1 + one.number))).astype(np.int16)
            strips.push(one.number, int(t[0]), raw, one.period_us)


def frame(strips: Strips, clock: ManualClock, at_s: float) -> None:
    """Draw with the head at `at_s` since START."""
    clock.advance(at_s - (clock.utc_us() - DELAY_US - START) / 1e6)
    strips.tick()
    strips.tick()


def lane(strips: Strips, place: int) -> npt.NDArray[np.uint8]:
    raster = strips.view.raster
    assert raster is not None
    one = raster.lanes[place]
    return raster.pixels[one.top : one.bottom]


def near(pixels: npt.NDArray[np.uint8], colour: str, within: int = 60) -> npt.NDArray[np.bool_]:
    wanted = QColor(colour)
    target = np.array([wanted.blue(), wanted.green(), wanted.red()], np.int16)
    found: npt.NDArray[np.bool_] = (np.abs(pixels[..., :3].astype(np.int16) - target) < within).all(axis=-1)
    return found


def trace_rows(strips: Strips, place: int, x: int) -> npt.NDArray[np.intp]:
    raster = strips.view.raster
    assert raster is not None
    colour = theme.tokens().traces[raster.lanes[place].history.spec.trace]
    return np.flatnonzero(near(lane(strips, place)[:, x], colour))


def column(strips: Strips, at_s: float) -> int:
    sweep = strips.view.sweep
    assert sweep is not None
    return int(sweep.x(START + round(at_s * 1e6)))


def test_trace_stands_where_its_value_is(strips: Strips, clock: ManualClock) -> None:
    constant(strips, LINE, 50.0, 0, 10)
    frame(strips, clock, 9.5)
    rows = trace_rows(strips, 0, column(strips, 5))
    raster = strips.view.raster
    assert raster is not None
    assert rows.mean() + 0.5 == pytest.approx(raster.lanes[0].scale.y(50.0) - raster.lanes[0].top, abs=0.6)
    assert not len(trace_rows(strips, 0, column(strips, 15))), "nothing ahead of the head"


def test_a_higher_value_stands_higher(strips: Strips, clock: ManualClock) -> None:
    constant(strips, LINE, 20.0, 0, 5)
    constant(strips, LINE, 80.0, 5, 10)
    frame(strips, clock, 9.5)
    assert trace_rows(strips, 0, column(strips, 8)).max() < trace_rows(strips, 0, column(strips, 2)).min()


@pytest.mark.parametrize("steps", [1, 7, 40])
def test_incremental_picture_equals_a_full_redraw(strips: Strips, clock: ManualClock, steps: int) -> None:
    """Over more than one window, so that the sweep overwrites itself."""
    fed = START
    for step in range(1, 15 * steps + 1):
        at = 42.0 * step / (15 * steps)
        until = START + round((at + 0.2) * 1e6)
        wavy(strips, fed, until)
        fed = until
        if step == 7 * steps:
            strips.set_hold(clock.utc_us() - 2_000_000, patient=True, word="own stop")
        frame(strips, clock, at)
    view = strips.view
    raster = view.raster
    assert raster is not None
    incremental = raster.pixels.copy()
    assert view.sweep is not None
    head = view.sweep.column(view.head_us)
    raster.redraw(view.sweep, head, view._hold_ranges(head))
    assert np.flatnonzero((incremental != raster.pixels).any(axis=(0, 2))).tolist() == []


def test_what_is_on_the_screen_is_the_raster(strips: Strips, clock: ManualClock, qapp: QApplication) -> None:
    """Partial repaints leave no stale pixels: the window equals a fresh full render of it."""
    strips._timer.stop()
    wavy(strips, START, START + 41_000_000)
    for at in np.arange(0.0, 40.0, 0.37):
        frame(strips, clock, float(at))
        qapp.processEvents()
    live = strips.screen().grabWindow(strips.winId()).toImage().convertToFormat(QImage.Format.Format_RGB32)
    fresh = strips.grab().toImage().convertToFormat(QImage.Format.Format_RGB32)
    inside = strips.view.geometry()
    assert live.copy(inside) == fresh.copy(inside)


def test_gap_is_hatched_and_its_length_is_said(strips: Strips, clock: ManualClock) -> None:
    constant(strips, LINE, 50.0, 0, 4)
    constant(strips, LINE, 50.0, 7, 20)
    frame(strips, clock, 19)
    inside = near(lane(strips, 0)[:, column(strips, 4.5) : column(strips, 6.5)], theme.tokens().control, 40)
    outside = near(lane(strips, 0)[:, column(strips, 9.0) : column(strips, 11.0)], theme.tokens().control, 40)
    assert 0.12 < inside.mean() < 0.4
    assert outside.mean() < 0.02
    assert not len(trace_rows(strips, 0, column(strips, 5.5)))
    assert [note.text for note in strips.view._item.overlay.notes] == ["gap 3.0 s"]


def test_late_samples_fill_the_gap(strips: Strips, clock: ManualClock) -> None:
    constant(strips, LINE, 50.0, 0, 4)
    constant(strips, LINE, 50.0, 7, 20)
    frame(strips, clock, 15)
    constant(strips, LINE, 50.0, 3, 8, provenance=Provenance.BACKFILLED)
    frame(strips, clock, 15.5)
    assert len(trace_rows(strips, 0, column(strips, 5.5)))
    assert not near(lane(strips, 0)[:, column(strips, 5.2)], theme.tokens().control, 40).any()
    assert strips.history(LINE.number).gaps == []
    times = strips.history(LINE.number).times
    assert len(times) == 200
    assert (np.diff(times) == LINE.period_us).all(), "none doubled, none lost"


def test_silence_grows_a_gap_and_the_value_becomes_unknown(strips: Strips, clock: ManualClock) -> None:
    constant(strips, LINE, 50.0, 0, 4)
    frame(strips, clock, 4.5)
    assert strips.readouts.values[0] == "50.0"
    frame(strips, clock, 5.7)
    frame(strips, clock, 8.0)
    assert strips.readouts.values[0] == "–"
    assert near(lane(strips, 0)[:, column(strips, 5.0) : column(strips, 7.5)], theme.tokens().control, 40).mean() > 0.1


def test_a_value_measured_each_second_never_flickers_while_it_comes_in_time(strips: Strips, clock: ManualClock) -> None:
    """A sensor's second is dated to its begin and comes after its end, with the delay of the air."""
    for second in range(5):
        constant(strips, STEP, 71.0, second, second + 1)
        for tenths in (12, 17, 21):
            frame(strips, clock, second + tenths / 10)
            assert strips.readouts.values[1] == "71.0", (second, tenths)
    frame(strips, clock, 8.0)
    assert strips.readouts.values[1] == "–"


def test_limit_is_a_line_in_its_owners_colour_at_its_value(strips: Strips, clock: ManualClock) -> None:
    strips.set_limits(
        [
            Limit(channel=LINE.key, owner=LimitOwner.PATIENT, high=75.0),
            Limit(channel=LINE.key, owner=LimitOwner.DEVICE, low=10.0),
        ]
    )
    frame(strips, clock, 3)
    raster = strips.view.raster
    assert raster is not None
    one = raster.lanes[0]
    x = column(strips, 22)
    own = np.flatnonzero(near(lane(strips, 0)[:, x], theme.tokens().patient, 20))
    assert own.mean() + 0.5 == pytest.approx(one.scale.y(75.0) - one.top, abs=0.6)
    assert near(lane(strips, 0)[:, x], theme.tokens().control, 20).sum() == 1
    erased = column(strips, 3.5)
    assert near(lane(strips, 0)[:, erased], theme.tokens().patient, 20).any(), "limits stay in the erase gap"
    assert [(sign.owner, sign.text) for sign in strips.gutter.signs] == [
        (LimitOwner.PATIENT, "75.0"),
        (LimitOwner.DEVICE, "10.0"),
    ]


def test_hold_is_sunken_from_its_moment_and_named_on_the_axis(strips: Strips, clock: ManualClock) -> None:
    constant(strips, LINE, 50.0, 0, 14)
    frame(strips, clock, 12)
    strips.set_hold(START + 8_000_000, patient=True, word="own stop")
    frame(strips, clock, 13)
    sunken = QColor(theme.tokens().sunken)
    y = 20
    assert QColor(strips.view.raster.image.pixel(column(strips, 9), y)) == sunken  # type: ignore[union-attr]
    assert QColor(strips.view.raster.image.pixel(column(strips, 7), y)) == QColor(theme.tokens().surface)  # type: ignore[union-attr]
    assert ("own stop", "patient") in [(word.text, word.token) for word in strips.axis.words]


def test_held_value_is_dotted_and_suspect_values_are_dashed(strips: Strips, clock: ManualClock) -> None:
    constant(strips, HELD, 50.0, 0, 20)
    constant(strips, LINE, 50.0, 0, 5)
    constant(strips, LINE, 50.0, 5, 12, provenance=Provenance.SUSPECT)
    constant(strips, LINE, 50.0, 12, 20)
    frame(strips, clock, 18)
    drawn = [bool(len(trace_rows(strips, 2, x))) for x in range(column(strips, 1), column(strips, 9))]
    assert 0.3 < np.mean(drawn) < 0.75
    dashed = [bool(len(trace_rows(strips, 0, x))) for x in range(column(strips, 6), column(strips, 11))]
    solid = [bool(len(trace_rows(strips, 0, x))) for x in range(column(strips, 13), column(strips, 17))]
    assert 0.3 < np.mean(dashed) < 0.8
    assert all(solid)
    assert "suspect" in [note.text for note in strips.view._item.overlay.notes]


def test_large_values_are_read_as_their_channel_wants(strips: Strips, clock: ManualClock) -> None:
    t = np.arange(4000)
    strips.push(EMG.number, START, np.where(t % 2, 2000, -2000).astype(np.int16), EMG.period_us)
    t = np.arange(500)
    strips.push(PPG.number, START, (1000 + 300 * (t % 2)).astype(np.int16), PPG.period_us)
    frame(strips, clock, 3.5)
    assert strips.readouts.values[3:] == ["20.0", "3.0"]


def test_freeze_stands_still_while_values_go_on_and_one_looks_back(
    strips: Strips, clock: ManualClock, qtbot: QtBot
) -> None:
    constant(strips, LINE, 20.0, 0, 40)
    frame(strips, clock, 39)
    QTest.mouseClick(strips.header.freeze, Qt.MouseButton.LeftButton)
    assert strips.frozen
    still = lane(strips, 0).copy()
    constant(strips, LINE, 80.0, 40, 50)
    frame(strips, clock, 49)
    assert (lane(strips, 0) == still).all()
    assert strips.readouts.values[0] == "80.0"
    assert "live" in strips.header.note
    QTest.keyClick(strips, Qt.Key.Key_Left)
    assert strips.view.head_us == START + 34_000_000
    where = QPointF(300, 200)
    notch = QWheelEvent(
        where, where, QPoint(), QPoint(0, 120), Qt.MouseButton.NoButton, Qt.KeyboardModifier.NoModifier,
        Qt.ScrollPhase.NoScrollPhase, False,
    )  # fmt: skip
    QApplication.sendEvent(strips, notch)
    assert strips.view.head_us == START + 32_000_000
    strips.look_back(9999)
    assert strips.view.head_us > START, "no further than what is known"
    QTest.keyClick(strips, Qt.Key.Key_Escape)
    assert strips.view.head_us == START + 49_000_000


def test_the_newest_moment_looked_back_at_stands_at_the_right_edge_alone(strips: Strips, clock: ManualClock) -> None:
    constant(strips, LINE, 50.0, 20, 44)
    frame(strips, clock, 43)
    strips.set_frozen(True)
    strips.look_back(3)
    assert strips.view.head_us == START + 40_000_000
    raster = strips.view.raster
    assert raster is not None
    known = [x for x in range(raster.width) if len(trace_rows(strips, 0, x))]
    assert known[0] == pytest.approx(raster.width / 3, abs=2), "nothing is known before"
    assert known[-1] == raster.width - 1


def test_a_wall_clock_set_back_redraws_and_does_not_stop(strips: Strips, clock: ManualClock) -> None:
    wavy(strips, START, START + 20_000_000)
    frame(strips, clock, 19)
    clock.jump_wall(-8)
    strips.tick()
    assert strips.view.head_us == START + 11_000_000
    assert not len(trace_rows(strips, 0, column(strips, 11.6)))


def test_another_chair_starts_from_nothing(strips: Strips, clock: ManualClock) -> None:
    constant(strips, LINE, 50.0, 0, 10)
    frame(strips, clock, 9)
    strips.clear()
    frame(strips, clock, 9.5)
    assert not len(trace_rows(strips, 0, column(strips, 5)))
    assert strips.readouts.values[0] == "–"


def test_frame_times_are_those_of_frames_that_drew(strips: Strips, clock: ManualClock, qapp: QApplication) -> None:
    frame(strips, clock, 1)
    qapp.processEvents()
    before = len(strips.frame_times())
    for _ in range(5):
        strips.tick()
        qapp.processEvents()
    assert len(strips.frame_times()) == before, "nothing new, nothing painted"
    frame(strips, clock, 2)
    qapp.processEvents()
    assert len(strips.frame_times()) == before + 1
    assert (strips.frame_times() > 0).all()


def test_history_keeps_ten_minutes_and_forgets_what_is_older() -> None:
    history = ChannelHistory(LINE)
    for minute in range(25):
        raw = np.zeros(600, np.int16)
        history.add(START + minute * 60_000_000, raw, LINE.period_us, Provenance.LIVE)
    kept_s = (history.times[-1] - history.times[0]) / 1e6
    assert kept_s >= 600
    assert (np.diff(history.times) == LINE.period_us).all()
    assert len(history.times) * 8 <= 8 * (2 * 6000 + 1024)


def test_lost_samples_are_no_values() -> None:
    history = ChannelHistory(LINE)
    assert history.add(START, np.zeros(5, np.int16), LINE.period_us, Provenance.LOST) is None
    assert history.last_us is None


def test_sweep_maps_time_to_columns_and_back() -> None:
    sweep = Sweep(START, 420)
    assert sweep.column(START + WINDOW_US) == 420
    for moment in (0, 1, 123_456, 29_999_999):
        here = sweep.column(START + moment)
        assert sweep.start_us(here) <= START + moment < sweep.start_us(here + 1) + 1


RATIO_SCRIPT = '''
import numpy as np
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QApplication
app = QApplication([])
from widgets import theme
theme.apply(app, "light")
from core.model.clock import ManualClock
from core.model.words import load_words
from core.signals.catalogue import load_catalogue
from widgets.strips.strips import Strips
clock = ManualClock()
specs = load_catalogue().strips
strips = Strips(specs, clock, load_words("en"))
strips.resize(*SIZE)
strips.show()
strips._timer.stop()
fed = clock.utc_us() - 40_000_000
for _ in range(90):
    until = clock.utc_us()
    for spec in specs:
        t = np.arange(-(-fed // spec.period_us), -(-until // spec.period_us)) * spec.period_us
        if len(t):
            middle = ((spec.low + spec.high) / 2 - spec.offset) / spec.scale
            swing = (spec.high - spec.low) / 4 / spec.scale
            raw = (middle + swing * np.sin(t / 4e5)).astype(np.int16)
            strips.push(spec.number, int(t[0]), raw, spec.period_us)
    fed = until
    strips.tick()
    app.processEvents()
    clock.advance(0.4)
strips.tick()
app.processEvents()
view, raster = strips.view, strips.view.raster
ratio = strips.devicePixelRatioF()
assert abs(raster.ratio - RATIO) < 1e-6, raster.ratio
native = round(strips.width() * ratio), round(strips.height() * ratio)
live = strips.screen().grabWindow(strips.winId(), 0, 0, *native).toImage().convertToFormat(QImage.Format.Format_RGB32)
fresh = strips.grab().toImage().convertToFormat(QImage.Format.Format_RGB32)
pixels = [np.frombuffer(i.constBits(), np.uint32).reshape(i.height(), i.width()) for i in (live, fresh)]
def live_shape(picture, x, y):
    """The offscreen platform hands out as many device pixels as the window has logical ones: the left upper part."""
    return picture.shape[0] - y, picture.shape[1] - x
corner = view.mapTo(strips, view.rect().topLeft())
x, y = round(corner.x() * ratio) + 3, round(corner.y() * ratio) + 3
h, w = (min(a, b) for a, b in zip(live_shape(pixels[0], x, y), (raster.height - 6, raster.width - 6)))
parts = [p[y : y + h, x : x + w] for p in pixels]
stale = int((parts[0] != parts[1]).sum())
own = raster.pixels.view(np.uint32)[:, :, 0] & 0xFFFFFF
best = min(
    int(((parts[0] & 0xFFFFFF) != own[3 + dy : 3 + dy + h, 3 + dx : 3 + dx + w]).sum())
    for dx in (-1, 0, 1) for dy in (-1, 0, 1)
)
grown = raster.pixels.copy()
head = view.sweep.column(view.head_us)
raster.redraw(view.sweep, head, view._hold_ranges(head))
columns = int((grown != raster.pixels).any(axis=(0, 2)).sum())
print(stale, best / parts[0].size, columns)
strips.close(); strips.deleteLater(); app.processEvents()
'''


@pytest.mark.parametrize("ratio", ["1", "1.25", "1.5", "2"])
def test_screen_shows_the_raster_pixel_by_pixel_at_every_device_pixel_ratio(ratio: str) -> None:
    """Cursor, head dots and notes lie over it: less than 2 % of the pixels. What grew frame by frame is what one
    redraw makes of it.
    """
    environment = {**os.environ, "QT_QPA_PLATFORM": "offscreen", "QT_SCALE_FACTOR": ratio}
    script = RATIO_SCRIPT.replace("RATIO)", f"{ratio})").replace("*SIZE", "620, 560")
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, env=environment, check=False, timeout=120
    )
    assert done.returncode == 0, done.stderr
    stale, share, different = done.stdout.split()[-3:]
    assert int(stale) == 0
    assert float(share) < 0.02
    assert int(different) == 0
