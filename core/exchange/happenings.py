"""What happened while signals ran, as annotations."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from core.exchange.manifest import EventTold
from core.exchange.runs import Run
from core.model.words import Text, Words, load_words
from core.record import RecordReader

UNNAMED = "X"
_LONGEST = 200


@dataclass(frozen=True, slots=True)
class Gap:
    """Between two runs of a stream. `first`, `end`: indexes of what is missing."""

    before: Run
    after: Run

    @property
    def first(self) -> int:
        return self.before.end_index

    @property
    def end(self) -> int:
        return self.after.first_index


def gaps(stream: Iterable[Run]) -> Iterator[Gap]:
    """Where one stream has samples missing between two that it has."""
    last: Run | None = None
    for run in stream:
        if last is not None and run.first_index > last.end_index:
            yield Gap(last, run)
        last = run


def events(reader: RecordReader, from_us: int, to_us: int, *, named: bool, language: str = "en") -> list[EventTold]:
    """Events and alarms that began in [from_us, to_us), UTC µs, in order.

    `named`: with the names and notes that people typed. Without, only what the program itself says is told: its
    sentences, numbers, and X for the rest.
    """
    words = load_words(language)
    found = [
        EventTold(at_us=one.at_us, kind=one.kind, text=_said(words, one.text, named=named))
        for one in reader.happened(from_us, to_us)
    ]
    for alarm in reader.alarms():
        if from_us <= alarm.began_us < to_us:
            said = _said(words, alarm.text, named=named)
            found.append(EventTold(at_us=alarm.began_us, kind="alarm", text=said))
        if alarm.ended_us is not None and from_us <= alarm.ended_us < to_us:
            said = _said(words, alarm.text, named=named)
            found.append(EventTold(at_us=alarm.ended_us, kind="alarm ended", text=said))
    return sorted(found, key=lambda event: event.at_us)


def plain(text: str) -> str:
    """Without the signs that EDF+ separates annotations by, and not endless."""
    return "".join(sign if sign >= " " else " " for sign in text)[:_LONGEST]


def _said(words: Words, text: Text, *, named: bool) -> str:
    values = {name: value if named or not _typed(words, value) else UNNAMED for name, value in text.values.items()}
    return plain(words.say(text.key, **values))


def _typed(words: Words, value: str | float) -> bool:
    """Whether a person, or something outside the program, may have put this in."""
    return isinstance(value, str) and not (value.startswith("@") and value[1:] in words)
