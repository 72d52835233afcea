"""What a hub keeps of the time between visits: a summary for each day, and events."""

from enum import IntEnum

import msgspec


class EventKind(IntEnum):
    """What happened. Numbers are those of the air and of the record; one that is not here is from a later hub."""

    ACID_BEGAN = 1
    ACID_ENDED = 2
    CLENCH = 3
    BATTERY_LOW = 4
    SENSOR_SILENT = 5
    SENSOR_BACK = 6
    PUT_IN = 7
    TAKEN_OUT = 8
    MEMORY_FULL = 9
    FAULT = 10


class ChannelDay(msgspec.Struct, frozen=True, kw_only=True):
    """One channel over one day, in the channel's raw units: number of samples, least, highest, sum."""

    channel: int
    count: int
    low: int
    high: int
    sum: int


class DaySummary(msgspec.Struct, frozen=True, kw_only=True):
    """One day on which the hub was worn.

    Attributes:
        day: days since 1970-01-01 UTC.
        worn_s, acid_s: seconds worn, and of them with plaque pH below 5.5.
        attacks: acid attacks that began.
    """

    day: int
    worn_s: int
    acid_s: int
    attacks: int
    channels: tuple[ChannelDay, ...] = ()


class HubEvent(msgspec.Struct, frozen=True, kw_only=True):
    """One event.

    Attributes:
        number: from 0, for the hub's life.
        utc_s: UTC, s, as the hub was told the time; 0 where it was not.
        kind: an EventKind, or a number that this version does not know.
        value: by kind: see docs/hub-protocol.md, section 7.
    """

    number: int
    utc_s: int
    boot: int
    hub_time_us: int
    kind: int
    value: int
