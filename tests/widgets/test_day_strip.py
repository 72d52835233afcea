"""The strip of days: what is drawn for each kind of day, and how a day is told by pointer, finger and keys."""

import pytest
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QColor, QImage, QMouseEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from widgets import theme
from widgets.day_strip import DayLegend, DayLevel, DayMark, DayStrip

DAYS = 30


def marks() -> list[DayMark]:
    """Thirty days, of which four are unlike the others and the last is too low to be seen."""
    made = [DayMark("counted", f"day {number}", 40.0) for number in range(DAYS)]
    made[5] = DayMark("bare", "day 5, bare")
    made[10] = DayMark("unknown", "day 10, unknown")
    made[15] = DayMark("part", "day 15, part", 40.0)
    made[20] = DayMark("counted", "day 20, visit", 20.0, visit=True)
    made[25] = DayMark("counted", "day 25, no acid", 0.0)
    return made


@pytest.fixture
def strip(qtbot: QtBot, qapp: QApplication) -> DayStrip:
    theme.apply(qapp, "light")
    made = DayStrip()
    qtbot.addWidget(made)
    made.resize(520, 200)
    made.set_days(marks(), ticks=((3, "Sep"),), end="30 Sep", unit="min")
    made.show()
    return made


def share(image: QImage, strip: DayStrip, position: int, token: str) -> float:
    """How much of a day's column, above the axis, carries nearly a colour."""
    wanted = QColor(token)
    column = strip.day_rect(position).toAlignedRect().adjusted(1, 2, -1, -3)
    every = [(x, y) for x in range(column.left(), column.right()) for y in range(column.top(), column.bottom())]
    near = [
        point
        for point in every
        if all(
            abs(channel(image.pixelColor(*point)) - channel(wanted)) < 24
            for channel in (QColor.red, QColor.green, QColor.blue)
        )
    ]
    return len(near) / len(every)


def centre(strip: DayStrip, position: int) -> QPoint:
    return strip.day_rect(position).center().toPoint()


def point(strip: DayStrip, to: QPoint) -> None:
    """Move the pointer, whatever window lies above this one."""
    at, none = QPointF(to), Qt.MouseButton.NoButton
    moved = QMouseEvent(QEvent.Type.MouseMove, at, strip.mapToGlobal(at), none, none, Qt.KeyboardModifier.NoModifier)
    QApplication.sendEvent(strip, moved)


def test_each_kind_of_day_looks_different_also_in_greyscale(strip: DayStrip) -> None:
    image = strip.grab().toImage()
    control, surface = theme.tokens().control, theme.tokens().surface
    drawn = {position: share(image, strip, position, control) for position in (0, 5, 10, 15, 25)}
    assert drawn[0] > 0.3, "a bar of 40 minutes"
    assert 0.05 < drawn[15] < drawn[0] / 2, "an outline"
    assert 0.02 < drawn[5] < drawn[0] / 2, "a hatch"
    assert drawn[10] == 0, "nothing where nothing is known"
    hatched, empty = (share(image, strip, position, surface) for position in (5, 10))
    assert hatched < empty


def test_no_acid_is_told_from_an_unknown_day(strip: DayStrip) -> None:
    image = strip.grab().toImage()
    control = QColor(theme.tokens().control)

    def ink(position: int) -> int:
        box = strip.day_rect(position)
        rows = range(round(box.bottom()) - 4, round(box.bottom()) - 1)
        return sum(image.pixelColor(round(box.center().x()), y).lightness() <= control.lightness() + 20 for y in rows)

    assert ink(25) > ink(10)


def test_bars_stand_in_proportion_and_end_at_the_ceiling(strip: DayStrip) -> None:
    control = theme.tokens().control
    image = strip.grab().toImage()
    high, low = (share(image, strip, position, control) for position in (0, 20))
    assert high == pytest.approx(2 * low, rel=0.1)
    strip.set_days(marks(), ceiling=30)
    beyond, within = (share(strip.grab().toImage(), strip, position, control) for position in (0, 20))
    assert beyond == pytest.approx(1.5 * within, rel=0.1)


def test_a_visit_is_a_disc_below_its_day(strip: DayStrip) -> None:
    image = strip.grab().toImage()
    for position, there in ((20, True), (21, False)):
        box = strip.day_rect(position)
        pixel = image.pixelColor(QPointF(box.center().x(), box.bottom() + 10).toPoint())
        assert (pixel.lightness() < 60) == there


def test_a_mean_is_a_line_over_its_days_alone(strip: DayStrip) -> None:
    strip.set_days(marks(), levels=(DayLevel(0, 9, 50.0, "50"),))
    image = strip.grab().toImage()
    box = strip.day_rect(2)
    y = box.bottom() - 50 / 60 * box.height()

    def dark(position: int) -> bool:
        x = round(strip.day_rect(position).center().x())
        return any(image.pixelColor(x, round(y) + off).lightness() < 60 for off in (-1, 0, 1))

    assert dark(2)
    assert not dark(12)


def test_the_newest_day_is_told_first_and_the_pointer_tells_others(strip: DayStrip, qtbot: QtBot) -> None:
    assert strip.told == DAYS - 1
    told: list[int] = []
    strip.day_told.connect(told.append)
    point(strip, centre(strip, 5))
    assert strip.accessibleDescription() == "day 5, bare"
    point(strip, centre(strip, 10))
    point(strip, QPoint(2, 2))
    assert told == [5, 10, DAYS - 1], "outside the days the chosen one is told again"


def test_a_tap_stays_and_a_finger_may_slide(strip: DayStrip) -> None:
    left = Qt.MouseButton.LeftButton
    QTest.mousePress(strip, left, pos=centre(strip, 3))
    at = QPointF(centre(strip, 8))
    slide = QMouseEvent(QEvent.Type.MouseMove, at, strip.mapToGlobal(at), left, left, Qt.KeyboardModifier.NoModifier)
    QApplication.sendEvent(strip, slide)
    QTest.mouseRelease(strip, left, pos=centre(strip, 8))
    point(strip, QPoint(2, 2))
    assert strip.accessibleDescription() == "day 8"
    QTest.mouseClick(strip, Qt.MouseButton.LeftButton, pos=centre(strip, 20))
    point(strip, QPoint(2, 2))
    assert strip.accessibleDescription() == "day 20, visit"


def test_keys_go_by_day_by_week_and_to_the_ends(strip: DayStrip) -> None:
    for key, wanted in (
        (Qt.Key.Key_Left, 28),
        (Qt.Key.Key_PageUp, 21),
        (Qt.Key.Key_Right, 22),
        (Qt.Key.Key_Home, 0),
        (Qt.Key.Key_Left, 0),
        (Qt.Key.Key_PageDown, 7),
        (Qt.Key.Key_End, DAYS - 1),
        (Qt.Key.Key_Right, DAYS - 1),
    ):
        QTest.keyClick(strip, key)
        assert strip.told == wanted
    before = strip.grab().toImage()
    strip.setFocus()
    QTest.keyClick(strip, Qt.Key.Key_Home)
    QApplication.processEvents()
    assert strip.grab().toImage() != before


def test_without_days_nothing_is_told_and_keys_pass_on(strip: DayStrip) -> None:
    strip.set_days(())
    assert strip.told == -1
    assert strip.accessibleDescription() == ""
    QTest.keyClick(strip, Qt.Key.Key_Left)
    point(strip, QPoint(300, 100))
    assert strip.told == -1
    strip.grab()


def test_a_legend_wraps_and_cuts_nothing(qtbot: QtBot) -> None:
    legend = DayLegend([("counted", "Minutes"), ("part", "Not counted"), ("bare", "No wear"), ("unknown", "Not known")])
    qtbot.addWidget(legend)
    assert legend.heightForWidth(800) == 20
    assert legend.heightForWidth(200) == 40
    assert legend.accessibleName() == "Minutes. Not counted. No wear. Not known."
    legend.resize(200, 80)
    assert all(place.right() <= 200 for place in legend._places(200))
