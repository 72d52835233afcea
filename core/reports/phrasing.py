"""Lists, figures, dates and times in the report's words."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Protocol

from core.model.words import Words

Told = dict[str, object]
"""What the template reads, by the names it uses."""


class Dated(Protocol):
    """What has a moment at which it was made, UTC µs, and a local time."""

    @property
    def made_us(self) -> int: ...
    @property
    def utc_offset_s(self) -> int: ...


def either(words: Words, key: str, fallback: str) -> str:
    """The key of the patient's name for something, or staff's where patients have none."""
    return key if key in words else fallback


def listed(parts: Iterable[str], words: Words) -> str:
    found = list(parts)
    if len(found) < 2:
        return "".join(found)
    return words.say("report.list", head=words.say("report.separator").join(found[:-1]), tail=found[-1])


def joined(sentences: Iterable[str], words: Words) -> str:
    """Sentences one after the other, empty ones left out."""
    return words.say("report.between").join(filter(None, (sentence.strip() for sentence in sentences)))


def number(figure: str, words: Words) -> str:
    """A figure with the decimal sign of the language."""
    return figure.replace(".", words.say("report.decimal"))


def span(seconds: float, words: Words) -> str:
    if seconds < 120:
        return words.say("report.seconds", count=max(1, round(seconds)))
    return words.say("report.minutes", count=round(seconds / 60))


def _local(data: Dated, at_us: int) -> datetime:
    return datetime.fromtimestamp(at_us / 1e6, UTC) + timedelta(seconds=data.utc_offset_s)


def date(data: Dated, at_us: int, words: Words) -> str:
    when = _local(data, at_us)
    return words.say("report.date", day=when.day, month=f"@report.month.{when.month}", year=when.year)


def clock(data: Dated, at_us: int, words: Words) -> str:
    when = _local(data, at_us)
    return words.say("report.clock", hour=when.hour, minute=f"{when.minute:02d}")


def date_numbers(data: Dated) -> list[int]:
    when = _local(data, data.made_us)
    return [when.year, when.month, when.day]
