"""The spark line: its peaks stay, its gap is seen, its limit stands where it should."""

import numpy as np
import pytest
from PySide6.QtGui import QColor, QImage
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from core.model.limits import LimitOwner
from widgets import theme
from widgets.spark import SparkLine


@pytest.fixture
def spark(qtbot: QtBot, qapp: QApplication) -> SparkLine:
    theme.apply(qapp, "light")
    made = SparkLine()
    made.resize(300, 66)
    qtbot.addWidget(made)
    return made


def rows_of(image: QImage, x: int, token: str) -> list[int]:
    """The rows at column `x` that carry nearly that colour."""
    wanted = QColor(token)
    return [
        y
        for y in range(image.height())
        if abs(image.pixelColor(x, y).red() - wanted.red()) < 40
        and abs(image.pixelColor(x, y).green() - wanted.green()) < 40
        and abs(image.pixelColor(x, y).blue() - wanted.blue()) < 40
    ]


def test_high_values_stand_above_low_ones(spark: SparkLine) -> None:
    t = np.arange(100.0)
    spark.set_points(t, np.where(t < 50, 36.0, 38.0), 35.0, 39.0, 2)
    image = spark.grab().toImage()
    left, right = rows_of(image, 60, theme.tokens().traces[2]), rows_of(image, 240, theme.tokens().traces[2])
    assert left
    assert right
    assert max(right) < min(left)


def test_a_single_peak_among_a_million_samples_is_drawn(spark: SparkLine) -> None:
    y = np.zeros(1_000_000)
    y[500_000] = 1.0
    spark.set_points(np.arange(1_000_000.0), y, 0.0, 1.0, 0)
    image = spark.grab().toImage()
    middle = round((300 - 7) / 2)
    assert min(min(rows_of(image, x, theme.tokens().traces[0])) for x in range(middle - 2, middle + 3)) < 12


def test_silence_is_hatched_and_has_no_head(spark: SparkLine) -> None:
    t = np.arange(100.0)
    y = np.where(t < 80, 0.5, np.nan)
    spark.set_points(t, y, 0.0, 1.0, 0, gap_from=80.0)
    image = spark.grab().toImage()
    hatched = [x for x in range(240, 292) if rows_of(image, x, theme.tokens().control)]
    assert len(hatched) > 40
    assert not any(rows_of(image, x, theme.tokens().traces[0]) for x in range(244, 300))


def test_the_patients_own_limit_is_plum(spark: SparkLine) -> None:
    t = np.arange(10.0)
    spark.set_points(t, np.full(10, 0.2), 0.0, 1.0, 0, limit=0.9, owner=LimitOwner.PATIENT)
    image = spark.grab().toImage()
    assert rows_of(image, 100, theme.tokens().patient)
    assert not rows_of(image, 100, theme.tokens().control)


def test_nothing_yet_draws_nothing(spark: SparkLine) -> None:
    spark.set_points(np.empty(0), np.empty(0), 0.0, 1.0, 0)
    spark.clear()
    assert not spark.grab().isNull()


@pytest.mark.parametrize(("t", "low", "high"), [(np.arange(3.0), 0.0, 1.0), (np.arange(4.0), 1.0, 1.0)])
def test_what_cannot_be_drawn_is_refused(spark: SparkLine, t: np.ndarray, low: float, high: float) -> None:
    with pytest.raises(ValueError, match=r"alike|empty"):
        spark.set_points(t, np.zeros(4), low, high, 0)
