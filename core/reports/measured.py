"""What was measured: each plot with its words, and the legend of the limits."""

from collections.abc import Iterable

from core.model.limits import Limit, LimitOwner
from core.model.words import Words
from core.reports import svg
from core.reports.data import ReportData, Signal
from core.reports.phrasing import Told, either, joined, listed, number, span
from core.reports.plot import plot

NO_BREAK = "\N{NO-BREAK SPACE}"


def main_first(signals: tuple[Signal, ...]) -> list[Signal]:
    """The first is the one on the first page: the warmth of the tooth, or the first there is."""
    return sorted(signals, key=lambda signal: signal.spec.key != "pulp_temperature")


def plot_told(data: ReportData, signal: Signal, words: Words) -> Told:
    key, places = signal.spec.key, signal.spec.decimals
    named = {"low": signal.lowest, "high": signal.highest, "mean": signal.mean}
    named |= {name: it for name, it in (("rest", signal.rest), ("ending", signal.ending)) if it is not None}
    values = {name: valued(key, f"{it:.{places}f}", words) for name, it in named.items()}
    same = values["low"] == values["high"]
    title = words.say(channel_key(key, words))
    said_range = words.say("report.plot.same" if same else "report.plot.range", **values)
    compared = [words.say(f"report.plot.{name}", **values) for name in ("rest", "ending") if name in values]
    said_range = joined([said_range, *([] if same else compared)], words)
    gaps = words.say("report.plot.gaps", time=span(signal.gaps_s, words)) if signal.gaps else ""
    said = {owner.value: words.say(f"report.owner.{owner.value}") for owner in LimitOwner}
    said |= {name: words.say(f"report.plot.{name}") for name in ("minutes", "measured")}
    said["decimal"] = words.say("report.decimal")
    limits = joined((_limit(limit, said[limit.owner.value], words) for limit in signal.limits), words)
    return {
        "title": _titled(title, key, words),
        "explain": words.say(f"channel.{key}.plain"),
        "text": joined((said_range, gaps), words),
        "alt": joined((words.say("report.plot.alt", name=title), said_range, limits, gaps), words),
        "picture": plot(signal, from_us=data.visit.began_us, to_us=data.end_us, height=150, said=said),
    }


def _limit(limit: Limit, owner: str, words: Words) -> str:
    return words.say("report.plot.limit", owner=owner, bound=bound_said(limit, words))


def channel_key(channel: str, words: Words) -> str:
    """The words' key of what a patient calls a channel."""
    return either(words, f"report.channel.{channel}.title", f"channel.{channel}.name")


def valued(channel: str, figure: str, words: Words) -> str:
    """A figure with its unit, as patients read it."""
    key, value = f"report.channel.{channel}.value", number(figure, words)
    return words.say(key, value=value).replace(" ", NO_BREAK, 1) if key in words else value


def _titled(title: str, channel: str, words: Words) -> str:
    """The name of a plot with the unit of its figures, where they have one."""
    key = f"report.channel.{channel}"
    own = words.say(f"{key}.unit") if f"{key}.unit" in words else ""
    unit = own or (words.say(f"{key}.value", value="").strip() if f"{key}.value" in words else "")
    return words.say("report.plot.titled", name=title, unit=unit) if unit else title


def bound_said(limit: Limit, words: Words) -> str:
    """Such as “at most 38 °C”."""
    said: list[str] = []
    for which, bound in (("least", limit.low), ("most", limit.high)):
        if bound is not None:
            value = valued(limit.channel, f"{bound:g}", words)
            said.append(words.say(f"report.bound.{which}", value=value))
    return listed(said, words)


def owners(signals: Iterable[Signal], words: Words) -> list[Told]:
    """The legend of the marks, of those owners who have a limit here."""
    there = {limit.owner for signal in signals for limit in signal.limits}
    return [
        {"picture": svg.owner_mark(owner), "text": words.say(f"report.owner_long.{owner.value}")}
        for owner in LimitOwner
        if owner in there
    ]
