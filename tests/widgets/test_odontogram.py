"""The chart: every tooth where it belongs, every state visible, every tooth reachable by keyboard."""

import itertools

import msgspec
import pytest
from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QColor, QImage
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from core.model.dentition import Dentition
from core.model.people import ToothState
from widgets import theme
from widgets.odontogram import Odontogram
from widgets.odontogram_paint import column
from widgets.teeth import LOWER, LOWER_PRIMARY, SURFACES, UPPER, UPPER_PRIMARY, is_upper, teeth


@pytest.fixture
def chart(qtbot: QtBot, qapp: QApplication) -> Odontogram:
    theme.apply(qapp, "light")
    made = Odontogram("full")
    made.resize(848, 520)
    qtbot.addWidget(made)
    made.show()
    return made


def picture(chart: Odontogram) -> QImage:
    return chart.grab().toImage()


def centre_of(chart: Odontogram, fdi: int, surface: str) -> QPointF:
    """A point well inside a surface, in widget pixels."""
    path = teeth()[fdi].surfaces[surface]
    box = path.boundingRect()
    inside = next(
        point
        for point in (
            QPointF(box.left() + box.width() * x / 20, box.top() + box.height() * y / 20)
            for x, y in sorted(((x, y) for x in range(1, 20) for y in range(1, 20)), key=_off)
        )
        if path.contains(point)
    )
    frame = chart.chart_rect()
    scale = frame.width() / 1480
    row = 334 if is_upper(fdi) else 582
    return QPointF(frame.left() + (teeth()[fdi].x + inside.x()) * scale, frame.top() + (row + inside.y()) * scale)


def _off(point: tuple[int, int]) -> float:
    return (point[0] - 10) ** 2 + (point[1] - 10) ** 2


def colour_at(image: QImage, point: QPointF) -> QColor:
    ratio = image.devicePixelRatio()
    return image.pixelColor(round(point.x() * ratio), round(point.y() * ratio))


def near(one: QColor, other: QColor) -> bool:
    return max(abs(one.red() - other.red()), abs(one.green() - other.green()), abs(one.blue() - other.blue())) < 24


def test_every_tooth_has_five_surfaces_an_outline_and_roots() -> None:
    assert set(UPPER + LOWER) <= set(teeth())
    for tooth in teeth().values():
        assert set(tooth.surfaces) == set(SURFACES)
        assert tooth.roots
        for surface in tooth.surfaces.values():
            assert tooth.outline.boundingRect().adjusted(-1, -1, 1, 1).contains(surface.boundingRect())


def test_columns_meet_without_gap_or_overlap() -> None:
    for row in (UPPER, LOWER, UPPER_PRIMARY, LOWER_PRIMARY):
        edges = [column(fdi) for fdi in row]
        assert all(left[1] == right[0] for left, right in itertools.pairwise(edges))
        assert all(a < teeth()[fdi].x < b for fdi, (a, b) in zip(row, edges, strict=True))


@pytest.mark.parametrize("fdi", UPPER + LOWER)
def test_a_click_on_the_middle_of_a_tooth_names_it(chart: Odontogram, qtbot: QtBot, fdi: int) -> None:
    with qtbot.waitSignal(chart.tooth_clicked) as clicked:
        QTest.mouseClick(chart, Qt.MouseButton.LeftButton, pos=centre_of(chart, fdi, "O").toPoint())
    assert clicked.args == [fdi]


def test_beside_the_chart_is_no_tooth(chart: Odontogram) -> None:
    chart.resize(1000, 520)
    assert chart.tooth_at(QPointF(2, 200)) == 0
    assert chart.tooth_at(QPointF(998, 200)) == 0


@pytest.mark.parametrize(("kind", "token"), [("done", "action"), ("filled", "control")])
def test_a_surface_is_filled_where_it_is_and_nowhere_else(chart: Odontogram, kind: str, token: str) -> None:
    for fdi in (16, 36, 46):
        for surface in "OM":
            chart.set_teeth([msgspec.convert({"fdi": fdi, kind: surface}, ToothState)])
            image = picture(chart)
            assert colour_at(image, centre_of(chart, fdi, surface)) == QColor(getattr(theme.tokens(), token))
            other = "M" if surface == "O" else "O"
            assert colour_at(image, centre_of(chart, fdi, other)) != QColor(getattr(theme.tokens(), token))


def test_planned_is_outlined_and_finding_is_hatched(chart: Odontogram) -> None:
    def share(image: QImage, fdi: int, token: str) -> float:
        box = chart.tooth_rect(fdi).toRect()
        wanted = QColor(token)
        hits = sum(
            near(image.pixelColor(x, y), wanted)
            for x in range(box.left(), box.right())
            for y in range(box.top(), box.bottom())
        )
        return hits / (box.width() * box.height())

    chart.set_teeth([])
    plain = picture(chart)
    chart.set_teeth([ToothState(fdi=26, planned="O"), ToothState(fdi=37, finding="O")])
    marked = picture(chart)
    action, ink = theme.tokens().action, theme.tokens().ink
    assert share(plain, 26, action) == 0
    assert 0.005 < share(marked, 26, action) < 0.1
    assert share(marked, 37, ink) > share(plain, 37, ink) + 0.005
    beside = centre_of(chart, 37, "B")
    around = [QPointF(beside.x() + x, beside.y()) for x in range(-6, 7)]
    assert [colour_at(marked, point) for point in around] == [colour_at(plain, point) for point in around]


def test_a_missing_tooth_has_no_root(chart: Odontogram) -> None:
    root = teeth()[17].crown.boundingRect().center()
    scale = chart.chart_rect().width() / 1480
    at = QPointF((teeth()[17].x + root.x()) * scale, (256 + root.y()) * scale) + chart.chart_rect().topLeft()
    chart.set_teeth([])
    assert colour_at(picture(chart), at) == QColor(theme.tokens().surface)
    chart.set_teeth([ToothState(fdi=17, missing=True)])
    assert colour_at(picture(chart), at) != QColor(theme.tokens().surface)


def test_the_current_tooth_stands_in_a_column_with_its_number_in_a_pill(chart: Odontogram) -> None:
    chart.set_current(36)
    image = picture(chart)
    box = chart.tooth_rect(36)
    assert colour_at(image, QPointF(box.left() + 3, box.bottom() - 8)) == QColor(theme.tokens().sunken)
    frame = chart.chart_rect()
    number = QPointF(box.center().x() - 11, frame.top() + 486 * frame.width() / 1480)
    assert colour_at(image, number) == QColor(theme.tokens().action)


def test_arrows_walk_the_rows_and_enter_chooses(chart: Odontogram, qtbot: QtBot) -> None:
    chart.setFocus()
    chart.set_current(16)
    for key, fdi in (
        (Qt.Key.Key_Right, 15),
        (Qt.Key.Key_Down, 45),
        (Qt.Key.Key_Left, 46),
        (Qt.Key.Key_Down, 46),
        (Qt.Key.Key_End, 38),
        (Qt.Key.Key_Right, 38),
        (Qt.Key.Key_Up, 28),
        (Qt.Key.Key_Home, 18),
    ):
        QTest.keyClick(chart, key)
        assert chart.cursor_tooth == fdi
    with qtbot.waitSignal(chart.tooth_clicked) as clicked:
        QTest.keyClick(chart, Qt.Key.Key_Return)
    assert clicked.args == [18]


def test_the_focused_tooth_is_said(chart: Odontogram, qtbot: QtBot) -> None:
    chart.set_teeth([ToothState(fdi=36, planned="OB", filled="M"), ToothState(fdi=11, finding="O")])
    chart.set_current(36)
    assert chart.accessibleDescription() == (
        "Tooth 36: being worked on; planned: biting surface, cheek side; filling: towards the middle."
    )
    assert chart.describe(11) == "Tooth 11: finding: biting edge."
    assert chart.describe(12) == "Tooth 12: nothing noted."
    QTest.keyClick(chart, Qt.Key.Key_Right)
    assert chart.accessibleDescription() == "Tooth 37: nothing noted."


def test_the_picture_is_made_anew_for_another_scheme_and_another_size(chart: Odontogram, qapp: QApplication) -> None:
    chart.set_teeth([ToothState(fdi=36, done="O")])
    light = picture(chart)
    theme.apply(qapp, "dark")
    dark = picture(chart)
    assert colour_at(light, centre_of(chart, 36, "O")) != colour_at(dark, centre_of(chart, 36, "O"))
    assert colour_at(dark, centre_of(chart, 36, "O")) == QColor(theme.tokens().action)
    theme.apply(qapp, "light")
    chart.resize(424, 260)
    assert colour_at(picture(chart), centre_of(chart, 36, "O")) == QColor(theme.tokens().action)


# primary and mixed dentition


@pytest.mark.parametrize(
    ("dentition", "rows"),
    [
        (Dentition.PRIMARY, (UPPER_PRIMARY, LOWER_PRIMARY)),
        (Dentition.MIXED, (UPPER, UPPER_PRIMARY, LOWER_PRIMARY, LOWER)),
        (Dentition.PERMANENT, (UPPER, LOWER)),
    ],
)
def test_every_tooth_of_a_dentition_is_found_where_it_is_drawn(
    chart: Odontogram, dentition: Dentition, rows: tuple[tuple[int, ...], ...]
) -> None:
    chart.set_dentition(Dentition.MIXED)
    chart.set_dentition(dentition)
    shown = [fdi for row in rows for fdi in row]
    assert [chart.tooth_at(chart.tooth_rect(fdi).center()) for fdi in shown] == shown
    assert {fdi for fdi in teeth() if not chart.tooth_rect(fdi).isEmpty()} == set(shown)
    frame = chart.chart_rect()
    for fdi in shown:
        assert frame.adjusted(-1, -1, 1, 1).contains(chart.tooth_rect(fdi))


def test_a_finding_on_a_primary_tooth_is_drawn(chart: Odontogram) -> None:
    chart.set_dentition(Dentition.MIXED)
    bare = picture(chart)
    chart.set_teeth([ToothState(fdi=75, filled="O")])
    drawn, box = picture(chart), chart.tooth_rect(75)
    changed = [
        QPointF(x, y)
        for x in range(chart.width())
        for y in range(chart.height())
        if bare.pixel(x, y) != drawn.pixel(x, y)
    ]
    assert changed
    assert all(box.adjusted(-2, -2, 2, 2).contains(point) for point in changed)
    assert "75" in chart.describe(75)


def test_arrows_walk_through_all_rows_of_a_mixed_chart(chart: Odontogram) -> None:
    chart.set_dentition(Dentition.MIXED)
    chart.set_current(13)
    walked = []
    for _ in range(4):
        QTest.keyClick(chart, Qt.Key.Key_Down)
        walked.append(chart.cursor_tooth)
    assert walked == [53, 83, 43, 43]
    QTest.keyClick(chart, Qt.Key.Key_Home)
    assert chart.cursor_tooth == 48
    chart.set_dentition(Dentition.PRIMARY)
    assert chart.cursor_tooth == 55, "the keyboard is never on a tooth that is not there"


def test_a_tooth_being_worked_on_that_is_not_shown_is_not_marked(chart: Odontogram) -> None:
    before = picture(chart)
    chart.set_current(75)
    assert picture(chart) == before
    with pytest.raises(ValueError, match="no tooth"):
        chart.set_current(99)
