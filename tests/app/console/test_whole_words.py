"""At 1280 × 800 nothing that staff must read at a glance is cut, and no button hides below an edge."""

import string
from collections.abc import Iterator
from typing import Any

import pytest
from PySide6.QtCore import QPoint
from PySide6.QtGui import QFontMetricsF
from PySide6.QtWidgets import QLabel

from app.console.store import Store
from app.console.window import MainWindow
from core.model.words import Words
from widgets.sentence import FITS, LINE, fitting
from widgets.theme import font

Sample = Any
LONGEST: dict[str, str | float] = {
    "patient": "Maximiliane",
    "channel": "Tissue temperature",
    "name": "Tissue temperature",
    "value": "39.4 °C",
    "bound": "38.5 °C",
    "owner": "clinician",
    "what": "it does not tell of an order that it answered",
    "reason": "Heat can harm the pulp.",
    "seconds": 120,
    "phase": "Settle minerals",
    "tooth": 44,
    "number": 12,
    "count": 14,
    "left": "1:59",
    "percent": 12,
    "code": "outside the device's own limits.",
    "by": "chair",
}


def filled(words: Words, key: str) -> str:
    """A sentence with the longest values that it may get."""
    template = words.say(key)
    fields = {name for _, name, _, _ in string.Formatter().parse(template) if name}
    return words.say(key, **{name: LONGEST[name] for name in fields if name in LONGEST})


def triples(words: Words) -> Iterator[tuple[str, str, str]]:
    """Headline, reason and next step of everything that the bar may say of a chair."""
    keys = words.keys()
    for key in sorted(keys):
        if (key.startswith("sentence.") and key.endswith(".reason")) or ".reason_tooth" in key:
            base = key.rsplit(".", 1)[0]
            yield words.say(f"{base}.headline"), filled(words, key), filled(words, f"{base}.next")
        elif key.startswith("hold.") and key.endswith(".reason"):
            base = key.removesuffix(".reason")
            for then in (f"{base}.next", "sentence.held.check", "sentence.held.yes", "sentence.held.resume"):
                yield words.say("sentence.holding.headline"), filled(words, key), filled(words, then)
        elif key.startswith("alarm.") and key.endswith(".text"):
            remedy = filled(words, key.removesuffix("text") + "remedy")
            yield words.say("sentence.unreachable.headline"), filled(words, key), remedy
        elif key.startswith("shell.engine.") and key.endswith(".headline"):
            base = key.removesuffix(".headline")
            yield words.say(key), words.say(f"{base}.reason"), words.say(f"{base}.next")


@pytest.fixture
def window(store: Store, words: Words, sample: Sample) -> Iterator[MainWindow]:
    store.apply(sample.workstation())
    for number, state in enumerate(("idle", "treating", "held", "unknown"), 1):
        store.apply(sample.chair(number, state))
    made = MainWindow(store, words)
    made.resize(1280, 800)
    made.show()
    yield made
    made.close()
    made.deleteLater()


def test_every_sentence_fits_the_bottom_bar(window: MainWindow, words: Words) -> None:
    window.bottom.jobs.say(words.say("shell.jobs.off"), words.say("shell.jobs.off_detail"))
    window.bottom.lease.say(words.say("shell.lease.unknown"), words.say("shell.lease.unknown_detail"))
    window.grab()
    cell = window.bottom.sentence
    found = list(triples(words))
    assert len(found) > 60
    cut = []
    for headline, reason, step in found:
        assert "{" not in headline + reason + step, (reason, step)
        cell.say("held", headline, reason, step)
        if not cell.fits():
            cut.append((headline, reason, step))
    assert cut == []


def test_a_sentence_without_end_is_cut_and_known_to_be() -> None:
    assert not fitting("word " * 60, "next", 300).whole
    assert not fitting("unbreakable" * 10, "next", 300).whole
    assert all(fit.height <= 80 for fit in FITS)
    for size, height in LINE.items():
        assert QFontMetricsF(font(size, bold=True)).height() <= height + 3


@pytest.mark.parametrize("current", [0, 1, 2, 3, 4])
def test_the_cells_of_the_bottom_bar_are_as_wide_as_their_words(
    window: MainWindow, store: Store, words: Words, current: int
) -> None:
    store.set_current(current)
    window.grab()
    bar = window.bottom
    for cell, room in ((bar.jobs, 54), (bar.beacon, 61 + 14)):
        title, detail = cell.words
        assert QFontMetricsF(font(15, bold=True)).horizontalAdvance(title) <= cell.width() - room, title
        assert QFontMetricsF(font(13)).horizontalAdvance(detail) <= cell.width() - room, detail
    title, detail = bar.lease.words()
    assert QFontMetricsF(font(13)).horizontalAdvance(detail) <= bar.lease.width() - 62, detail
    assert bar.stop.mapTo(window, QPoint(bar.stop.width(), 0)).x() <= 1280


def test_no_label_of_the_shell_is_narrower_than_its_text(window: MainWindow) -> None:
    window.grab()
    for label in window.findChildren(QLabel):
        if label.isVisible() and label.text() and not label.wordWrap():
            wanted = QFontMetricsF(label.font()).horizontalAdvance(label.text())
            assert label.width() + 1 >= wanted, label.text()
