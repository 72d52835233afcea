"""The page's part for the next dentist."""

from core.reports.html_parts import Page, element, listed, table

_PHASES = ("tooth", "module", "phase", "state")
_SIGNALS = ("signal", "rest", "ending", "lowest", "mean", "highest", "limits")
_PAUSES = ("began", "lasted", "cause", "after_pause")
_ALARMS = ("began", "alarm", "priority", "lasted", "seen")


def clinical_part(page: Page) -> str:
    words = page.clinical
    told = page.told["clinical"]
    assert isinstance(told, dict)
    facts = "".join(element("div", inner=element("dt", name) + element("dd", value)) for name, value in told["facts"])
    parts = (
        element("h2", words["title"], id="clinical-title", class_="part"),
        element("p", words["intro"], class_="small"),
        element("p", words["caution"], class_="strong"),
        element("dl", inner=facts, class_="facts"),
        _sub(words["teeth"], _teeth(page, told)),
        _sub(
            words["phases"],
            _grid(
                page,
                [*(page.words[key] for key in _PHASES), words["strength"], words["time"]],
                told["phases"],
                "phases",
                page.words["no_phases"],
            ),
        ),
        _sub(
            words["signals"],
            _grid(page, [words[key] for key in _SIGNALS], told["signals"], "signals", page.words["nothing_measured"]),
        ),
        _sub(
            words["pauses"], _grid(page, [words[key] for key in _PAUSES], told["pauses"], "pauses", words["no_pauses"])
        ),
        _sub(
            words["alarms"], _grid(page, [words[key] for key in _ALARMS], told["alarms"], "alarms", words["no_alarms"])
        ),
        _sub(words["consent"], listed(told["consent"])),
    )
    return element("aside", inner="".join(parts), class_="clinical", id="clinical", aria_labelledby="clinical-title")


def _teeth(page: Page, told: dict[str, object]) -> str:
    words = page.clinical
    charts = ""
    for key in ("before", "after"):
        chart = told[key]
        assert isinstance(chart, dict)
        drawn = element("div", inner=page.drawn(chart["picture"], str(chart["alt"]), "teeth"), class_="scroll")
        charts += element("figure", inner=element("figcaption", words[key]) + drawn)
    rows = told["teeth"]
    assert isinstance(rows, list)
    if not rows:
        return charts + element("p", words["uncharted"])
    headers = [words[key] for key in ("tooth", "before", "after")]
    return charts + table(headers, rows, words["teeth"]) + element("p", words["charted"], class_="small")


def _sub(title: str, inner: str) -> str:
    return element("h3", title) + inner


def _grid(page: Page, headers: list[str], rows: list[list[str]], name: str, nothing: str) -> str:
    return table(headers, rows, page.clinical[name]) if rows else element("p", nothing)
