"""The days at home in words: the answer to whether acid changed, each day, each event."""

from collections.abc import Sequence

from app.console.review_words import day_date, duration
from core.model.channel import ChannelSpec
from core.model.wear import AtHome, EventKind, HomeChange, HomeDay, HomeNote
from core.model.words import Words
from core.people.at_home import ENOUGH_DAYS, ENOUGH_S, counted


def answer(words: Words, home: AtHome) -> str:
    """Is it better than before the last visit? One sentence that claims no more than is known."""
    change = home.change
    if change is None:
        return words.say("patients.home.answer.nothing", hours=hours(words, ENOUGH_S))
    key = "no_visit" if change.visit_day is None else change.verdict
    return words.say(
        f"patients.home.answer.{key}",
        visit="" if change.visit_day is None else day_date(words, change.visit_day),
        since=minutes(change.since.acid_s),
        before=minutes(change.before.acid_s),
        since_days=change.since.days,
        before_days=change.before.days,
        since_worn=hours(words, change.since.worn_s),
        before_worn=hours(words, change.before.worn_s),
        enough=ENOUGH_DAYS,
    )


def basis(words: Words, change: HomeChange | None) -> str:
    """On how many days the answer rests."""
    if change is None or change.verdict == "few":
        return ""
    alone = "one_day" if change.since.days == 1 else "one_side"
    key = "both" if change.before.days else alone
    return words.say(f"patients.home.basis.{key}", since_days=change.since.days, before_days=change.before.days)


def facts(words: Words, days: Sequence[HomeDay]) -> str:
    """How much is known of the days that are shown."""
    worn = sum(1 for day in days if day.worn_s)
    return words.say("patients.home.facts", worn=worn, known=len(days), date=day_date(words, days[-1].day))


def day_said(words: Words, number: int, day: HomeDay | None, *, visit: bool = False) -> str:
    """One day; None: nobody knows anything of it."""
    date = day_date(words, number)
    if visit:
        date = words.say("patients.home.day.visit", date=date)
    if day is None:
        return words.say("patients.home.day.unknown", date=date)
    if not day.worn_s:
        return words.say("patients.home.day.bare", date=date)
    acid = words.say("patients.home.day.acid", duration=duration(words, day.acid_s))
    found = [acid if day.acid_s else words.say("patients.home.day.no_acid")]
    found += _counted(words, day.attacks, "attack", "attacks")
    if day.lowest_ph is not None:
        found.append(words.say("patients.home.day.lowest", value=f"{day.lowest_ph:.1f}"))
    found += _counted(words, day.clenches, "clench", "clenches")
    key = "worn" if counted(day) else "short" if day.whole else "unfinished"
    worn = words.say(f"patients.home.day.{key}", duration=duration(words, day.worn_s))
    return words.say("patients.home.day.said", date=date, found=", ".join(found), worn=worn)


def note_said(words: Words, note: HomeNote, names: dict[int, ChannelSpec]) -> str:
    """An event as staff read it."""
    known = {kind.value: kind.name.lower() for kind in EventKind}
    key = f"patients.home.notes.{known.get(note.kind, '')}"
    if key not in words:
        return words.say("patients.home.notes.other", kind=note.kind)
    spec = names.get(note.value)
    name = f"@channel.{spec.key}.name" if spec is not None else str(note.value)
    return words.say(key, value=note.value, name=name)


def minutes(seconds: float) -> int:
    return round(seconds / 60)


def hours(words: Words, seconds: float) -> str:
    return words.say("patients.home.hours", hours=round(seconds / 3600))


def _counted(words: Words, count: int, one: str, many: str) -> list[str]:
    return [words.say(f"patients.home.day.{one if count == 1 else many}", count=count)] if count else []
