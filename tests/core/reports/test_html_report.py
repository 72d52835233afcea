"""The HTML report in a real browser: no network, no complaint, plots to look at closely, and without script."""

import html.parser
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from core.reports.patient import make_report
from tests.core.reports.browser import Browser, find_browser
from tests.core.reports.visits import full_visit

PROGRAM = find_browser()
browsed = pytest.mark.skipif(PROGRAM is None, reason="there is no Chromium, such as Debian's package chromium")
LANGUAGES = ("en", "es", "zh")
PLOT = ".plot:nth-of-type(1)"


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("pages")
    made = (
        (language, make_report(full_visit(), folder / f"{language}.html", language=language, format="html"))
        for language in LANGUAGES
    )
    return {language: one.path for language, one in made}


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    assert PROGRAM is not None
    with Browser(PROGRAM, tmp_path_factory.mktemp("browser")) as found:
        yield found


def curve(browser: Browser) -> str:
    return str(browser.ask(f"document.querySelector('{PLOT} .curve').getAttribute('d')"))


def said(browser: Browser) -> str:
    return str(browser.ask(f"document.querySelector('{PLOT} .said').textContent"))


@browsed
@pytest.mark.parametrize("language", LANGUAGES)
def test_it_asks_for_nothing_but_itself_and_nobody_complains(
    browser: Browser, pages: dict[str, Path], language: str
) -> None:
    browser.open(pages[language])
    browser.ask("document.fonts.ready.then(() => 1)")
    browser.click(f"{PLOT} [data-do=zoom_in]")
    browser.click("[data-do=theme]")
    assert browser.requests() == [pages[language].as_uri()]
    assert browser.complaints() == []
    assert browser.ask("[...document.fonts].filter(one => one.status === 'loaded').length") >= 2, "the shipped fonts"


@browsed
def test_its_policy_forbids_what_was_not_shipped(browser: Browser, pages: dict[str, Path], tmp_path: Path) -> None:
    """A script, a style or a picture that somebody puts into the file later does nothing."""
    forged = tmp_path / "forged.html"
    foreign = '<script>document.title = "taken"</script><img src="https://example.org/x.png" alt="">'
    forged.write_text(pages["en"].read_text(encoding="utf-8").replace("<main", f"{foreign}<main", 1), encoding="utf-8")
    browser.open(forged)
    assert browser.ask("document.title") == "Your visit, Ilse"
    assert len([one for one in browser.complaints() if "Content Security Policy" in one]) >= 2


@browsed
def test_a_plot_can_be_looked_at_closely_by_button_key_and_drag(browser: Browser, pages: dict[str, Path]) -> None:
    browser.open(pages["en"])
    whole = curve(browser)
    assert said(browser) == ""
    browser.click(f"{PLOT} [data-do=zoom_in]")
    assert said(browser).startswith("Minute 2:30 to 7:30: between ")
    closer = curve(browser)
    assert closer != whole
    browser.ask(f"document.querySelector('{PLOT} .stage').focus()")
    browser.press("ArrowRight")
    assert said(browser).startswith("Minute 5:00 to 10:00: ")
    browser.press("+")
    assert said(browser).startswith("Minute 6:15 to 8:45: ")
    x, y = browser.middle(f"{PLOT} svg")
    browser.mouse("mousePressed", x, y)
    for moved in (0, 20, 60, 100):
        browser.mouse("mouseMoved", x + moved, y)
    browser.mouse("mouseReleased", x + 100, y)
    assert not said(browser).startswith("Minute 6:15")
    browser.press("0")
    assert curve(browser) == whole
    assert said(browser) == ""


@browsed
def test_a_plot_can_be_pinched(browser: Browser, pages: dict[str, Path]) -> None:
    browser.open(pages["en"])
    x, y = browser.middle(f"{PLOT} svg")
    touch: Any = lambda kind, apart: browser.send(  # noqa: E731
        "Input.dispatchTouchEvent",
        type=kind,
        touchPoints=[{"x": x - apart, "y": y, "id": 1}, {"x": x + apart, "y": y, "id": 2}] if apart else [],
    )
    touch("touchStart", 40)
    for apart in (50, 70, 100, 140):
        touch("touchMove", apart)
    touch("touchEnd", 0)
    assert said(browser).startswith("Minute ")


@browsed
def test_what_is_said_of_a_part_is_what_was_recorded_there(browser: Browser, pages: dict[str, Path]) -> None:
    """The gap of the visit lies between 1:00 and 1:30; closest in, nothing is said to have been measured there."""
    browser.open(pages["en"])
    browser.ask(f"document.querySelector('{PLOT} .stage').focus()")
    for _ in range(8):
        browser.press("+")
    heard = {said(browser)}
    assert re.fullmatch(r"Minute 4:5\d\.\d to 5:0\d\.\d: between \d\d\.\d.°C and \d\d\.\d.°C\.", heard.pop())
    for _ in range(300):
        browser.press("ArrowLeft")
        heard.add(said(browser))
        if said(browser).startswith("Minute 0:00"):
            break
    assert any(one.endswith("nothing was recorded.") for one in heard)


@browsed
def test_without_script_every_plot_stands_there_and_no_button_promises_more(
    browser: Browser, pages: dict[str, Path]
) -> None:
    browser.send("Emulation.setScriptExecutionDisabled", value=True)
    try:
        browser.open(pages["en"])
        tree = browser.send("DOM.getDocument", depth=-1)["root"]
        seen = str(tree)
        assert seen.count("'curve'") == len(full_visit().signals)
        offered = browser.send("DOM.querySelectorAll", nodeId=tree["nodeId"], selector=".plot .tools:not([hidden])")
        assert offered["nodeIds"] == []
    finally:
        browser.send("Emulation.setScriptExecutionDisabled", value=False)


PAIRS = """
(() => {
  const light = (rgb) => { const [r, g, b] = rgb.match(/[\\d.]+/g).map((one) => one / 255)
      .map((one) => one <= 0.04045 ? one / 12.92 : ((one + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
  const behind = (node) => { for (let at = node; at; at = at.parentElement) {
    const found = getComputedStyle(at).backgroundColor;
    if (found !== 'rgba(0, 0, 0, 0)') return found; } return 'rgb(255, 255, 255)'; };
  const found = [];
  for (const node of document.querySelectorAll('body *')) {
    const own = [...node.childNodes].some((one) => one.nodeType === 3 && one.textContent.trim());
    if (!own || node.closest('script, [hidden], .heard')) continue;
    const style = getComputedStyle(node), ink = node.closest('svg') ? style.fill : style.color;
    const [high, low] = [light(ink), light(behind(node))].sort((one, other) => other - one);
    const ratio = (high + 0.05) / (low + 0.05);
    if (ratio < 4.5) found.push(`${ratio.toFixed(2)} ${node.tagName} ${node.textContent.slice(0, 40)}`);
  }
  return found;
})()
"""


@browsed
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_text_stands_out_from_its_ground(browser: Browser, pages: dict[str, Path], scheme: str) -> None:
    """WCAG 2.2, 1.4.3: 4.5 to 1 at least."""
    browser.send("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
    browser.open(pages["en"])
    assert browser.ask(PAIRS) == []
    ground = browser.ask("getComputedStyle(document.body).backgroundColor")
    assert ground == {"light": "rgb(245, 243, 238)", "dark": "rgb(20, 24, 22)"}[scheme]
    browser.click("[data-do=theme]")
    assert browser.ask("getComputedStyle(document.body).backgroundColor") != ground
    assert browser.ask(PAIRS) == []


@browsed
def test_nothing_but_charts_plots_and_tables_is_wider_than_a_phone(browser: Browser, pages: dict[str, Path]) -> None:
    browser.send("Emulation.setDeviceMetricsOverride", width=360, height=740, deviceScaleFactor=2, mobile=True)
    try:
        for page in pages.values():
            browser.open(page)
            assert browser.ask("document.documentElement.scrollWidth") <= 360
    finally:
        browser.send("Emulation.clearDeviceMetricsOverride")


class _Outline(html.parser.HTMLParser):
    """What a screen reader goes by: landmarks, headings, names of pictures; and every id."""

    def __init__(self) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.tags: list[str] = []
        self.levels: list[int] = []
        self.nameless: list[str] = []
        self.outside: list[str] = []

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        known = dict(attributes)
        self.tags.append(tag)
        if known.get("id"):
            self.ids.append(str(known["id"]))
        if re.fullmatch(r"h[1-6]", tag):
            self.levels.append(int(tag[1]))
        if tag == "svg" and not known.get("aria-label") and known.get("aria-hidden") != "true":
            self.nameless.append(str(known))
        self.outside += [
            f"{key}={value}" for key, value in attributes if key in ("src", "style") or key.startswith("on")
        ]
        if tag == "a" and not str(known.get("href")).startswith("#"):
            self.outside.append(str(known.get("href")))


@pytest.mark.parametrize("language", LANGUAGES)
def test_it_can_be_read_by_ear(pages: dict[str, Path], language: str) -> None:
    text = pages[language].read_text(encoding="utf-8")
    outline = _Outline()
    outline.feed(text)
    assert f'<html lang="{ {"zh": "zh-Hans"}.get(language, language) }"' in text
    for landmark in ("header", "main", "aside", "footer"):
        assert outline.tags.count(landmark) == 1
    assert outline.levels[0] == 1
    assert outline.levels.count(1) == 1
    assert all(after - before <= 1 for before, after in zip(outline.levels, outline.levels[1:], strict=False))
    assert len(outline.ids) == len(set(outline.ids))
    assert outline.nameless == []
    assert outline.outside == []


def test_what_somebody_wrote_stays_what_they_wrote(tmp_path: Path) -> None:
    """No name, note or word of a patient becomes part of the page."""
    evil = '</script><script>alert(1)</script><b onclick="x">&amp;'
    page = make_report(full_visit(given_name=evil, words=evil), tmp_path / "evil.html", format="html").path
    text = page.read_text(encoding="utf-8")
    assert "<script>alert" not in text
    assert "<b onclick" not in text
    assert text.count("&lt;/script&gt;&lt;script&gt;alert(1)") >= 3
    assert "&amp;amp;" in text
