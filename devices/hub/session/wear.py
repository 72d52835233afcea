"""Summaries and events of the time between visits, as documents (docs/hub-protocol.md, section 7)."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Final

import msgspec

from core.model.strict_cbor import Value
from core.model.wear import ChannelDay, DaySummary, HubEvent
from devices.hub.session.documents import encode_document, whole_numbers
from devices.hub.session.errors import MessageMalformed
from devices.hub.session.wire import MAX_DAYS, MAX_EVENTS, DocumentKind

_U32: Final = 0xFFFF_FFFF
_DAY_S: Final = 86_400
_INT16: Final = range(-32_768, 32_768)


def encode_summaries(days: Sequence[DaySummary]) -> bytes:
    """The document that answers SUMMARIES."""
    body = [
        [day.day, day.worn_s, day.acid_s, day.attacks, [list(msgspec.structs.astuple(one)) for one in day.channels]]
        for day in days
    ]
    return encode_document(DocumentKind.SUMMARIES, body)


def decode_summaries(body: Value) -> list[DaySummary]:
    """Raises MessageMalformed: not summaries, days not ascending, or numbers that no day can have."""
    if not isinstance(body, list) or len(body) > MAX_DAYS:
        raise MessageMalformed("these are no summaries")
    days = [_day(item) for item in body]
    if any(one.day >= other.day for one, other in pairwise(days)):
        raise MessageMalformed("the days are not in order")
    return days


def encode_events(first: int, events: Sequence[HubEvent]) -> bytes:
    """The document that answers EVENTS."""
    return encode_document(DocumentKind.EVENTS, [first, [list(msgspec.structs.astuple(one)) for one in events]])


def decode_events(body: Value) -> list[HubEvent]:
    """Raises MessageMalformed: not events, or not numbered one after another from the first."""
    match body:
        case [int(first), list(items)] if len(items) <= MAX_EVENTS:
            events = [_event(item) for item in items]
            if [one.number for one in events] == list(range(first, first + len(events))):
                return events
    raise MessageMalformed("these are no events")


def _day(item: Value) -> DaySummary:
    if not isinstance(item, list) or len(item) != 5 or not isinstance(item[4], list) or len(item[4]) > 256:
        raise MessageMalformed("a day cannot be read")
    day, worn, acid, attacks = whole_numbers(item[:4], 4)
    channels = tuple(_channel(one) for one in item[4])
    if not (0 <= day <= _U32 and 0 <= acid <= worn <= _DAY_S and 0 <= attacks <= _DAY_S):
        raise MessageMalformed("a day is longer than a day")
    return DaySummary(day=day, worn_s=worn, acid_s=acid, attacks=attacks, channels=channels)


def _channel(item: Value) -> ChannelDay:
    channel, count, low, high, total = whole_numbers(item, 5)
    sound = 0 <= channel <= 255 and 1 <= count <= _U32 and low in _INT16 and high in _INT16
    if not (sound and low * count <= total <= high * count):
        raise MessageMalformed(f"the summary of channel {channel} cannot be")
    return ChannelDay(channel=channel, count=count, low=low, high=high, sum=total)


def _event(item: Value) -> HubEvent:
    number, utc, boot, hub_time, kind, value = whole_numbers(item, 6)
    within = 0 <= number <= _U32 and 0 <= utc <= _U32 and 0 <= boot <= _U32 and 0 <= kind <= 255
    if not (within and 0 <= hub_time < 1 << 64 and -(1 << 31) <= value < 1 << 31):
        raise MessageMalformed(f"event {number} cannot be")
    return HubEvent(number=number, utc_s=utc, boot=boot, hub_time_us=hub_time, kind=kind, value=value)
