"""The colours can be read: the pairs that the look promises, measured as WCAG 2 does."""

import pytest
from PySide6.QtGui import QColor

from widgets.tokens import DARK, LIGHT, Tokens

TEXT = 5.1
CONTROL = 3.2


def luminance(value: str) -> float:
    colour = QColor(value)
    linear = (colour.redF(), colour.greenF(), colour.blueF())
    parts = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in linear]
    return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]


def contrast(one: str, other: str) -> float:
    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def test_the_measure_is_right() -> None:
    assert contrast("#000000", "#FFFFFF") == pytest.approx(21)
    assert contrast("#777777", "#FFFFFF") == pytest.approx(4.48, abs=0.01)


@pytest.mark.parametrize("scheme", [LIGHT, DARK], ids=["light", "dark"])
def test_text_and_traces_reach_their_contrast(scheme: Tokens) -> None:
    pairs = [(ink, ground) for ink in (scheme.ink, scheme.muted) for ground in (scheme.bg, scheme.surface)]
    pairs += [(voice, scheme.surface) for voice in (scheme.action, scheme.patient, *scheme.traces)]
    pairs += [
        (scheme.ink, scheme.sunken),
        (scheme.muted, scheme.sunken),
        (scheme.on_action, scheme.action),
        (scheme.on_patient, scheme.patient),
        (scheme.on_stop, scheme.stop),
        (scheme.on_high, scheme.high),
        (scheme.on_alarm, scheme.medium),
        (scheme.on_alarm, scheme.low),
    ]
    poor = {pair: round(contrast(*pair), 2) for pair in pairs if contrast(*pair) < TEXT}
    assert not poor


@pytest.mark.parametrize("scheme", [LIGHT, DARK], ids=["light", "dark"])
def test_controls_reach_their_contrast(scheme: Tokens) -> None:
    pairs = [(scheme.control, ground) for ground in (scheme.bg, scheme.surface, scheme.sunken)]
    pairs += [(scheme.stop, scheme.surface), (scheme.action, scheme.bg)]
    poor = {pair: round(contrast(*pair), 2) for pair in pairs if contrast(*pair) < CONTROL}
    assert not poor
