"""The days at home, as hubs kept them: one Observation for each day."""

from collections.abc import Iterator
from decimal import Decimal

from core.exchange.fhir.codes import Own, hl7, urn
from core.exchange.fhir.context import Context, Entries, instant
from core.exchange.fhir.datatypes import Concept, Period, note, quantity
from core.exchange.fhir.resources import Component, Observation
from core.model.wear import DAY_US, AtHome, HomeDay


def home_entries(context: Context, home: AtHome) -> Entries:
    """A day of which nothing is known is not told; one on which no hub was worn has no figures but that."""
    for day in home.days:
        yield urn("Observation", context.patient, "day", str(day.day)), _day(context, day)


def _day(context: Context, day: HomeDay) -> Observation:
    """Days are those of UTC. `preliminary`: the hub was asked before the day was over."""
    begin = day.day * DAY_US
    return Observation(
        status="final" if day.whole else "preliminary",
        category=(hl7("observation-category", "activity", "Activity"),),
        code=_code(context, "day"),
        subject=context.subject,
        effective_period=Period(start=instant(begin), end=instant(begin + DAY_US)),
        performer=context.organization,
        note=note("" if day.whole else context.words.say("exchange.home.part")),
        component=tuple(_figures(context, day)),
    )


def _figures(context: Context, day: HomeDay) -> Iterator[Component]:
    yield Component(code=_code(context, "worn"), value_quantity=quantity(Decimal(day.worn_s), "s"))
    if not day.worn_s:
        return
    yield Component(code=_code(context, "acid"), value_quantity=quantity(Decimal(day.acid_s), "s"))
    yield Component(code=_code(context, "attacks"), value_integer=day.attacks)
    yield Component(code=_code(context, "clenches"), value_integer=day.clenches)
    if day.lowest_ph is not None:
        lowest = quantity(Decimal(repr(round(day.lowest_ph, 3))), "[pH]", "pH")
        yield Component(code=_code(context, "lowest_ph"), value_quantity=lowest)


def _code(context: Context, key: str) -> Concept:
    return context.own.concept(Own.HOME, key, context.words.say(f"exchange.home.{key}"))
