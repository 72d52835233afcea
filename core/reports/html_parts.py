"""The patient's part of the page, and what both parts are built of."""

import json
import re
from collections.abc import Iterable, Sequence
from html import escape
from itertools import count

from core.reports.phrasing import Told
from core.reports.svg import CONTROL, INK, LINE, MUTED, PINE, PLUM

_TOKENS = {INK: "ink", MUTED: "muted", LINE: "line", CONTROL: "control", PINE: "pine", PLUM: "plum", "#FFFFFF": "paper"}
_FIXED = re.compile(r'"(' + "|".join(_TOKENS) + r')"')
_DRESS = re.compile(r"<style>.*?</style>| font-family=\"Inter\"| xmlns=\"[^\"]*\"", re.DOTALL)


def element(name: str, text: str = "", *, inner: str = "", **attributes: str | None) -> str:
    """An element with escaped text, then markup. `class_` is `class`; None leaves an attribute out."""
    said = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{escape(value)}"'
        for key, value in attributes.items()
        if value is not None
    )
    return f"<{name}{said}>{escape(text, quote=False)}{inner}</{name}>"


class Page:
    """What is told, and what may stand only once in a page."""

    def __init__(self, told: Told) -> None:
        self.told = told
        self.words = _said(told["words"])
        self.clinical = _said(told["clinical_words"])
        self.html = _said(told["html_words"])
        self._numbers = count(1)

    def text(self, key: str) -> str:
        return str(self.told[key])

    def join(self, *sentences: str) -> str:
        return str(self.told["between"]).join(filter(None, sentences))

    def number(self) -> int:
        return next(self._numbers)

    def drawn(self, picture: object, alt: str = "", class_: str = "") -> str:
        """An SVG in the page's own colours. Without `alt` it says nothing that words beside it do not say."""
        name = f"gap{self.number()}"
        svg = _DRESS.sub("", str(picture)).replace('id="gap"', f'id="{name}"').replace("url(#gap)", f"url(#{name})")
        svg = _FIXED.sub(lambda match: f'"var(--{_TOKENS[match.group(1)]})"', svg)
        heard = f'role="img" aria-label="{escape(alt)}"' if alt else 'aria-hidden="true"'
        dress = f' class="{class_}"' if class_ else ""
        # Hatched surfaces take their pattern from a class of the page, which cannot know its number.
        svg = svg.replace('class="finding"', f'class="finding" fill="url(#{name})"')
        return svg.replace("<svg", f"<svg {heard}{dress}", 1)

    def section(self, title: str, inner: str, *, number: str = "", class_: str | None = None) -> str:
        name = f"s{self.number()}"
        mark = element("span", number, class_="number", aria_hidden="true") if number else ""
        head = f'<h2 id="{name}">{mark}{escape(title)}</h2>'
        return element("section", inner=head + inner, aria_labelledby=name, class_=class_)


def table(headers: Sequence[str], rows: Iterable[Sequence[str]], caption: str) -> str:
    """A table in a frame that scrolls where the screen is narrow. The first cell of a row is its header."""
    head = element("tr", inner="".join(element("th", text, scope="col") for text in headers))
    body = "".join(
        element(
            "tr",
            inner=element("th", row[0], scope="row") + "".join(element("td", cell) for cell in row[1:]),
        )
        for row in rows
    )
    inside = element("caption", caption, class_="heard") + element("thead", inner=head) + element("tbody", inner=body)
    return element(
        "div", inner=element("table", inner=inside), class_="scroll", tabindex="0", role="group", aria_label=caption
    )


def listed(rows: Iterable[str], class_: str | None = None) -> str:
    return element("ul", inner="".join(element("li", row) for row in rows), class_=class_)


def patient_part(page: Page, plots: list[dict[str, object]]) -> str:
    """Header and main part, up to the clinical one."""
    words = page.words
    tools = "".join(
        element("button", page.html[key], type="button", data_do=key, hidden="") for key in ("theme", "print")
    )
    right = (
        element("p", page.text("practice"), class_="practice")
        + element("p", f"{words['visit']} {page.text('code')}", class_="small")
        + element("div", inner=tools, class_="tools")
    )
    left = element("h1", page.text("title")) + element("p", page.text("subtitle"), class_="muted")
    head = element("header", inner=element("div", inner=left) + element("div", inner=right, class_="right"))
    note = element("p", page.text("unreviewed"), class_="note", role="note") if page.text("unreviewed") else ""
    sections = (
        page.section(words["did"], element("p", page.text("did"), class_="lead") + _teeth(page), number="1"),
        page.section(words["mouth"], _figures(page), number="2"),
        element(
            "div",
            inner=page.section(words["watch"], _watch(page), number="3")
            + page.section(words["call"], _call(page), number="4"),
            class_="pair",
        ),
        _plots(page, plots),
        _home(page),
        page.section(words["plan"], _plan(page)),
        page.section(words["phases"], _phases(page)),
        _happenings(page),
        page.section(words["alarms"], _alarms(page)),
        _viewed(page),
    )
    inner = element("main", inner=note + "".join(sections), id="text", tabindex="-1")
    return head + inner


def _teeth(page: Page) -> str:
    teeth = _said(page.told["teeth"])
    sides = (
        element("span", page.words["your_right"])
        + _legend(page, _rows(page.told["teeth"], "legend"))
        + element("span", page.words["your_left"])
    )
    chart = element("div", inner=page.drawn(teeth["picture"], teeth["alt"], "teeth"), class_="scroll")
    return element("figure", inner=chart + element("div", inner=sides, class_="sides small"))


def _legend(page: Page, rows: list[dict[str, str]]) -> str:
    items = "".join(element("li", inner=page.drawn(row["picture"]) + escape(row["text"])) for row in rows)
    return element("ul", inner=items, class_="legend small") if items else ""


def _figures(page: Page) -> str:
    cells = "".join(
        element("div", inner=element("dt", row["text"], class_="small") + element("dd", row["value"]))
        for row in _rows(page.told, "figures")
    )
    return element("dl", inner=cells, class_="figures")


def _watch(page: Page) -> str:
    items = "".join(
        element(
            "li",
            inner=page.drawn(row["icon"])
            + element("div", inner=element("h3", row["title"]) + element("p", row["text"], class_="small")),
        )
        for row in _rows(page.told, "watch")
    )
    return element("ul", inner=items, class_="watch")


def _call(page: Page) -> str:
    phone = page.text("phone")
    inner = (
        (element("p", phone, class_="phone") if phone else element("p", page.words["no_phone"], class_="strong"))
        + element("p", page.words["call_text"], class_="small")
        + element("p", page.words["change_mind"], class_="voice")
    )
    return element("div", inner=inner, class_="box")


def _plots(page: Page, plots: list[dict[str, object]]) -> str:
    if not plots:
        return page.section(page.words["signals"], element("p", page.words["nothing_measured"]))
    said = {key: page.html[key] for key in ("shown", "nothing")}
    said |= {"minutes": page.text("minutes"), "decimal": page.text("decimal")}
    words = element("script", inner=_data(said), type="application/json", id="said")
    figures = "".join(_plot(page, row, data) for row, data in zip(_rows(page.told, "plots"), plots, strict=True))
    intro = element("p", page.join(page.words["signals_text"], page.text("more_signals")))
    keys = element("p", page.html["keys"], class_="small keys", hidden="")
    return page.section(
        page.words["signals"], intro + keys + figures + _legend(page, _rows(page.told, "owners")) + words
    )


def _plot(page: Page, row: dict[str, str], data: dict[str, object]) -> str:
    tools = "".join(
        element("button", page.html[do], type="button", data_do=do)
        for do in ("zoom_in", "zoom_out", "earlier", "later", "all")
    )
    inner = (
        element("h3", row["title"])
        + element("p", page.join(row["explain"], row["text"]), class_="small")
        + element("div", inner=page.drawn(row["picture"], row["alt"]), class_="scroll stage")
        + element("div", inner=tools, class_="tools", role="group", aria_label=row["title"], hidden="")
        + element("p", class_="small said", aria_live="polite")
        + element("script", inner=_data(data), type="application/json")
    )
    return element("figure", inner=inner, class_="plot")


def _data(value: object) -> str:
    """JSON that cannot end its element."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")


def _home(page: Page) -> str:
    home = page.told["home"]
    if home is None:
        return ""
    said = _said(home)
    inner = (
        element("p", said["text"])
        + element("p", said["explain"], class_="small")
        + element("div", inner=page.drawn(said["picture"], said["alt"]), class_="scroll")
        + _legend(page, _rows(home, "legend"))
    )
    return page.section(page.words["home"], element("figure", inner=inner))


def _plan(page: Page) -> str:
    words = page.words
    headers = (words["module"], words["choice"], words["strength"], words["evidence"])
    rows = [(row["name"], row["choice"], row["strength"], row["evidence"]) for row in _rows(page.told, "plan")]
    does = listed(row["said"] for row in _rows(page.told, "plan"))
    limits = "".join(element("p", limit, class_="voice") for limit in _texts(page.told, "own_limits"))
    shown = does + table(headers, rows, words["plan"]) if rows else ""
    return shown + limits + element("p", page.text("consent"))


def _phases(page: Page) -> str:
    rows = _rows(page.told, "phases")
    if not rows:
        return element("p", page.words["no_phases"])
    keys = ("phase", "module", "tooth", "state", "time")
    cells = [(row["name"], row["part"], row["tooth"], row["state"], row["time"]) for row in rows]
    return table([page.words[key] for key in keys], cells, page.words["phases"])


def _happenings(page: Page) -> str:
    items = "".join(
        element(
            "li",
            inner=element("span", row["time"], class_="when")
            + element("span", row["text"], class_="voice" if row["patient"] == "True" else None),
        )
        for row in _rows(page.told, "happenings")
    )
    return page.section(page.words["happenings"], element("ol", inner=items, class_="moments")) if items else ""


def _alarms(page: Page) -> str:
    items = "".join(
        element(
            "li",
            inner=element("span", row["time"], class_="when")
            + element("span", row["text"])
            + element("span", row["end"], class_="small end"),
        )
        for row in _rows(page.told, "alarms")
    )
    return element("ol", inner=items, class_="moments") if items else element("p", page.words["no_alarms"])


def _viewed(page: Page) -> str:
    rows = _texts(page.told, "viewed")
    if not rows:
        return ""
    return page.section(page.words["viewed"], element("p", page.words["viewed_text"]) + listed(rows))


def _said(value: object) -> dict[str, str]:
    assert isinstance(value, dict)
    return {str(key): str(item) for key, item in value.items()}


def _rows(value: object, key: str) -> list[dict[str, str]]:
    assert isinstance(value, dict)
    return [_said(row) for row in value[key]]


def _texts(value: object, key: str) -> list[str]:
    assert isinstance(value, dict)
    return [str(row) for row in value[key]]
