"""What a hub keeps between visits: days and events, and no number that cannot be."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.model.strict_cbor import Value, decode
from core.model.wear import ChannelDay, DaySummary, EventKind, HubEvent
from devices.hub.session.documents import decode_document
from devices.hub.session.errors import MessageMalformed
from devices.hub.session.wear import decode_events, decode_summaries, encode_events, encode_summaries
from devices.hub.session.wire import MAX_DAYS, MAX_DOCUMENT, MAX_EVENTS, DocumentKind


@st.composite
def channel_days(draw: st.DrawFn) -> ChannelDay:
    low = draw(st.integers(-32768, 32767))
    high = draw(st.integers(low, 32767))
    count = draw(st.integers(1, 86_400_000))
    total = draw(st.integers(low * count, high * count))
    return ChannelDay(channel=draw(st.integers(0, 255)), count=count, low=low, high=high, sum=total)


@st.composite
def day_summaries(draw: st.DrawFn) -> DaySummary:
    worn = draw(st.integers(0, 86_400))
    return DaySummary(
        day=draw(st.integers(0, 2**32 - 1)),
        worn_s=worn,
        acid_s=draw(st.integers(0, worn)),
        attacks=draw(st.integers(0, 100)),
        channels=tuple(draw(st.lists(channel_days(), max_size=4))),
    )


EVENTS = st.builds(
    HubEvent,
    number=st.just(0),
    utc_s=st.integers(0, 2**32 - 1),
    boot=st.integers(0, 2**32 - 1),
    hub_time_us=st.integers(0, 2**64 - 1),
    kind=st.integers(0, 255),
    value=st.integers(-(2**31), 2**31 - 1),
)
DAY = DaySummary(day=20_000, worn_s=100, acid_s=10, attacks=1)
CHANNEL = ChannelDay(channel=3, count=2, low=-5, high=7, sum=2)
EVENT = HubEvent(number=5, utc_s=0, boot=7, hub_time_us=1, kind=EventKind.CLENCH, value=300)


def summaries(*days: DaySummary) -> list[DaySummary]:
    kind, body = decode_document(encode_summaries(days))
    assert kind == DocumentKind.SUMMARIES
    return decode_summaries(body)


def events(first: int, *found: HubEvent) -> list[HubEvent]:
    kind, body = decode_document(encode_events(first, found))
    assert kind == DocumentKind.EVENTS
    return decode_events(body)


@given(st.lists(day_summaries(), max_size=MAX_DAYS, unique_by=lambda one: one.day))
def test_summaries_survive(days: list[DaySummary]) -> None:
    days.sort(key=lambda one: one.day)
    assert summaries(*days) == days


@given(st.integers(0, 2**32 - 1 - MAX_EVENTS), st.lists(EVENTS, max_size=MAX_EVENTS))
def test_events_survive(first: int, found: list[HubEvent]) -> None:
    numbered = [msgspec.structs.replace(one, number=n) for n, one in enumerate(found, first)]
    assert events(first, *numbered) == numbered


def test_the_longest_answers_fit_a_document() -> None:
    count = 86_400_000
    channel = ChannelDay(channel=255, count=count, low=-32768, high=32767, sum=-32768 * count)
    day = msgspec.structs.replace(DAY, day=2**32 - MAX_DAYS, worn_s=86_400, channels=(channel,) * 32)
    days = [msgspec.structs.replace(day, day=day.day + n) for n in range(MAX_DAYS)]
    assert len(encode_summaries(days)) <= MAX_DOCUMENT
    event = HubEvent(number=2**32 - 1, utc_s=2**32 - 1, boot=2**32 - 1, hub_time_us=2**64 - 1, kind=255, value=-(2**31))
    assert len(encode_events(0, [event] * MAX_EVENTS)) <= MAX_DOCUMENT


@pytest.mark.parametrize(
    "day",
    [
        msgspec.structs.replace(DAY, worn_s=86_401),
        msgspec.structs.replace(DAY, acid_s=101),
        msgspec.structs.replace(DAY, day=-1),
        msgspec.structs.replace(DAY, attacks=-1),
        *(
            msgspec.structs.replace(DAY, channels=(msgspec.structs.replace(CHANNEL, **change),))
            for change in ({"channel": 256}, {"count": 0}, {"low": -32769}, {"high": 32768}, {"sum": 15}, {"sum": -11})
        ),
    ],
)
def test_a_day_that_cannot_be_is_refused(day: DaySummary) -> None:
    assert summaries(msgspec.structs.replace(DAY, channels=(CHANNEL,)))
    with pytest.raises(MessageMalformed):
        summaries(day)


def test_days_come_in_order_once_and_not_too_many() -> None:
    later = msgspec.structs.replace(DAY, day=20_001)
    for wrong in ((later, DAY), (DAY, DAY)):
        with pytest.raises(MessageMalformed):
            summaries(*wrong)
    with pytest.raises(MessageMalformed):
        summaries(*(msgspec.structs.replace(DAY, day=n) for n in range(MAX_DAYS + 1)))


@pytest.mark.parametrize(
    "change", [{"utc_s": 2**32}, {"boot": -1}, {"hub_time_us": 2**64 - 1 + 1}, {"kind": 256}, {"value": 2**31}]
)
def test_an_event_that_cannot_be_is_refused(change: dict[str, int]) -> None:
    if max(change.values()) < 2**64:
        with pytest.raises(MessageMalformed):
            events(5, msgspec.structs.replace(EVENT, **change))


def test_events_are_numbered_without_a_gap() -> None:
    assert events(5, EVENT) == [EVENT]
    for first, found in ((4, [EVENT]), (5, [EVENT, EVENT]), (5, [EVENT] * (MAX_EVENTS + 1))):
        with pytest.raises(MessageMalformed):
            events(first, *found)


BODIES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**40), 2**40) | st.binary(max_size=4) | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=6),
    max_leaves=20,
)


@given(BODIES)
def test_any_other_body_is_refused_in_a_typed_way(body: Value) -> None:
    for read in (decode_summaries, decode_events):
        try:
            read(body)
        except MessageMalformed:
            continue


@given(st.binary(max_size=100))
def test_garbage_is_refused_in_a_typed_way(garbage: bytes) -> None:
    try:
        decode_events(decode_document(garbage)[1])
    except MessageMalformed:
        return
    assert decode(garbage, limit=MAX_DOCUMENT) is not None
