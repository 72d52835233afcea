"""What a hub keeps of the time between visits: a summary for each day, and events; and what that says of a patient."""

from datetime import date, timedelta
from enum import IntEnum
from typing import Literal

import msgspec

DAY_US = 86_400_000_000
EPOCH = date(1970, 1, 1)
LAST_DAY = (date.max - EPOCH).days


def day_iso(day: int) -> str:
    """The date of a day counted from 1970-01-01; the number itself where no calendar has it."""
    return (EPOCH + timedelta(days=day)).isoformat() if 0 <= day <= LAST_DAY else str(day)


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


class HomeDay(msgspec.Struct, frozen=True, kw_only=True):
    """A day of a patient of which their hubs know something; a day that nobody lists is unknown.

    Attributes:
        day: days since 1970-01-01 UTC.
        worn_s: 0: a hub was asked about this day later and had kept nothing of it, as when it is not worn.
        acid_s, attacks: as in DaySummary.
        lowest_ph: of plaque; None where it was not measured.
        clenches: how many the hub noted.
        whole: whether the hub was asked after the day was over. If not, more may have come.
    """

    day: int
    worn_s: int
    acid_s: int = 0
    attacks: int = 0
    lowest_ph: float | None = None
    clenches: int = 0
    whole: bool = True


class HomeMean(msgspec.Struct, frozen=True, kw_only=True):
    """Several days on average, a day. `spread_s`: standard deviation of their acid."""

    days: int = 0
    worn_s: float = 0.0
    acid_s: float = 0.0
    spread_s: float = 0.0


Verdict = Literal["less", "more", "alike", "few", "uneven", "alone"]


class HomeChange(msgspec.Struct, frozen=True, kw_only=True):
    """Acid since a visit against before it; `core/people/at_home.py` decides.

    Attributes:
        visit_day: day of the visit; None where no visit lies before the days: then `since` holds them all.
        verdict: `less`, `more`, or `alike` where no change is clear; `few` days on one side, `uneven` wear, or `alone`:
            nothing to compare with.
    """

    visit_day: int | None
    before: HomeMean
    since: HomeMean
    verdict: Verdict


class HomeNote(msgspec.Struct, frozen=True, kw_only=True):
    """An event of a hub at home that staff should see. `at_us`: UTC; `kind` and `value` as in HubEvent."""

    at_us: int
    kind: int
    value: int


class AtHome(msgspec.Struct, frozen=True, kw_only=True):
    """What a patient's hubs kept of the days at home.

    Attributes:
        days: in order, the newest last; bounded.
        visits: days of the visits in that time, in order.
        change: None while no day can be counted.
        notes: the newest first; bounded.
    """

    days: tuple[HomeDay, ...] = ()
    visits: tuple[int, ...] = ()
    change: HomeChange | None = None
    notes: tuple[HomeNote, ...] = ()
