"""Limits: the strictest counts, and samples cross and keep them as they should."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.model.block import Provenance, SampleBlock
from core.model.datafile import DataError, read_resource
from core.model.limits import Limit, LimitOwner
from core.model.words import load_words
from core.safety.limit_table import load_limits, parse_limits
from core.safety.limits import Crossing, LimitMonitor, strictest, tightest
from core.signals.catalogue import load_catalogue

CHANNELS = load_catalogue()
PULP = CHANNELS.key("pulp_temperature")


def heat(high: float, owner: LimitOwner = LimitOwner.PROTOCOL, **more: object) -> Limit:
    return Limit(**{"channel": "pulp_temperature", "owner": owner, "high": high, "holds": True, **more})  # type: ignore[arg-type]


# Which counts


def test_the_tightest_wins_on_each_side_and_keeps_owner_and_reason() -> None:
    patient = heat(38.0, LimitOwner.PATIENT, reason="own")
    cold = Limit(channel="pulp_temperature", owner=LimitOwner.DEVICE, low=20.0, holds=True)
    assert set(strictest([heat(39.0), patient, heat(40.0, LimitOwner.DEVICE), cold])) == {patient, cold}


@pytest.mark.parametrize("order", [1, -1])
def test_equal_bounds_go_to_the_one_nearer_to_the_patient(order: int) -> None:
    owners = [LimitOwner.PATIENT, LimitOwner.CLINICIAN, LimitOwner.PROTOCOL, LimitOwner.DEVICE]
    for index, nearest in enumerate(owners):
        limits = [heat(38.0, owner) for owner in owners[index:]]
        assert [limit.owner for limit in strictest(limits[::order])] == [nearest]


def test_a_warning_never_hides_a_hold() -> None:
    warn = Limit(channel="saliva_ph", owner=LimitOwner.CLINICIAN, low=6.0, priority="low")
    hold = Limit(channel="saliva_ph", owner=LimitOwner.DEVICE, low=5.5, holds=True)
    assert strictest([hold, warn]) == (warn, hold)
    assert tightest([hold, warn], "saliva_ph", high=False) == hold


def test_a_patients_limit_never_hides_a_more_urgent_alarm() -> None:
    patient, protocol = heat(38.0, LimitOwner.PATIENT), heat(39.0, priority="high")
    assert strictest([protocol, patient]) == (patient, protocol)


limits = st.builds(
    Limit,
    channel=st.sampled_from(["saliva_ph", "pulp_temperature"]),
    owner=st.sampled_from(list(LimitOwner)),
    low=st.one_of(st.none(), st.sampled_from([1.0, 2.0])),
    high=st.one_of(st.none(), st.sampled_from([8.0, 9.0])),
    holds=st.booleans(),
    priority=st.sampled_from(["low", "medium", "high"]),
    seconds=st.sampled_from([0.0, 5.0]),
)


@given(st.lists(limits, max_size=6))
@settings(deadline=None)
def test_what_any_limit_forbids_the_strictest_forbid_too(every: list[Limit]) -> None:
    kept = strictest(every)
    assert strictest(kept) == kept
    for limit in every:
        for value in (0.5, 1.5, 2.5, 7.5, 8.5, 9.5):
            if beyond(limit, value):
                assert any(
                    beyond(other, value)
                    and other.channel == limit.channel
                    and other.holds >= limit.holds
                    and other.seconds <= limit.seconds
                    for other in kept
                )


def beyond(limit: Limit, value: float) -> bool:
    return (limit.high is not None and value > limit.high) or (limit.low is not None and value < limit.low)


# Watching samples


def block(values: list[float], start: int = 0, provenance: Provenance = Provenance.LIVE, boot: int = 1) -> SampleBlock:
    """Pulp temperatures at 10 Hz from sample `start` on."""
    raw = np.round((np.array(values) - PULP.offset) / PULP.scale).astype(np.int16)
    return SampleBlock(
        channel=PULP.number,
        boot=boot,
        first_index=start,
        start_us=start * 100_000,
        period_us=100_000,
        samples=raw,
        provenance=provenance,
    )


def feed(monitor: LimitMonitor, *blocks: SampleBlock) -> list[tuple[float, bool]]:
    found: list[Crossing] = []
    for each in blocks:
        found += monitor.feed(each, each.end_us / 1e6)
    return [(round(crossing.value, 2), crossing.began) for crossing in found]


def test_a_crossing_begins_once_and_ends_inside_the_margin() -> None:
    monitor = LimitMonitor([heat(39.0)], CHANNELS)
    assert feed(monitor, block([38.9, 39.0, 39.01, 39.5, 38.95])) == [(39.01, True)]
    assert monitor.crossed() == (heat(39.0),)
    assert monitor.quiet(0.5) is False
    assert feed(monitor, block([39.2, 38.92, 38.9, 38.5], start=5)) == [(38.9, False)]
    assert monitor.quiet(1.0) is True


def test_a_low_limit_is_the_mirror_image() -> None:
    low = Limit(channel="pulp_temperature", owner=LimitOwner.DEVICE, low=36.0, holds=True)
    monitor = LimitMonitor([low], CHANNELS)
    assert feed(monitor, block([36.0, 35.99, 36.05, 36.09])) == [(35.99, True), (36.09, False)]


def test_a_value_must_stay_beyond_for_its_time_across_blocks() -> None:
    monitor = LimitMonitor([heat(39.0, seconds=0.5)], CHANNELS)
    assert feed(monitor, block([39.1] * 4), block([38.9], start=4), block([39.1] * 5, start=5)) == []
    assert feed(monitor, block([39.2, 39.3], start=10)) == [(39.2, True)]


def test_suspect_samples_cross_a_limit_but_never_clear_it() -> None:
    monitor = LimitMonitor([heat(39.0, seconds=0.2)], CHANNELS)
    assert feed(monitor, block([39.5, 36.0], provenance=Provenance.SUSPECT)) == []
    assert feed(monitor, block([39.5], start=2, provenance=Provenance.SUSPECT)) == [(39.5, True)]
    assert feed(monitor, block([36.0] * 50, start=3, provenance=Provenance.SUSPECT)) == []
    assert feed(monitor, block([36.0], start=53)) == [(36.0, False)]


def test_the_past_is_not_judged() -> None:
    monitor = LimitMonitor([heat(39.0)], CHANNELS)
    assert feed(monitor, block([45.0], provenance=Provenance.BACKFILLED)) == []
    assert feed(monitor, block([36.0] * 10, start=10), block([45.0], start=5)) == []


def test_limits_that_stay_keep_what_is_known_of_them() -> None:
    monitor = LimitMonitor([heat(39.0)], CHANNELS)
    feed(monitor, block([39.5]))
    monitor.set_limits([heat(39.0), Limit(channel="spo2", owner=LimitOwner.PROTOCOL, low=90.0)])
    assert feed(monitor, block([39.6], start=1)) == []
    assert feed(monitor, block([36.0], start=2)) == [(36.0, False)]


def test_a_reboot_restarts_device_time_but_clears_no_crossing() -> None:
    monitor = LimitMonitor([heat(39.0, seconds=0.2)], CHANNELS)
    feed(monitor, block([39.5] * 5, start=1000))
    assert monitor.quiet(100.5) is False
    assert feed(monitor, block([39.5], boot=2)) == []
    assert feed(monitor, block([36.0], start=1, boot=2)) == [(36.0, False)]


def test_a_silent_channel_is_told_after_three_seconds_or_three_periods() -> None:
    monitor = LimitMonitor([heat(39.0)], CHANNELS)
    flow = CHANNELS.key("saliva_flow")
    slow = SampleBlock(
        channel=flow.number, boot=1, first_index=0, start_us=0, period_us=10_000_000, samples=np.zeros(1, np.int16)
    )
    monitor.feed(block([36.0]), 100.0)
    monitor.feed(slow, 100.0)
    assert monitor.tick(103.0) == ()
    assert monitor.tick(103.1) == ("pulp_temperature",)
    assert monitor.quiet(103.1) is None
    assert monitor.tick(130.1) == ("pulp_temperature", "saliva_flow")
    monitor.forget("pulp_temperature")
    assert monitor.tick(130.1) == ("saliva_flow",)


@pytest.mark.parametrize("spacing_us", [999_000, 250_000, 1_300_000])
def test_a_sensor_that_sends_at_a_pace_of_its_own_is_judged_all_the_same(spacing_us: int) -> None:
    heart = CHANNELS.key("heart_rate")
    monitor = LimitMonitor([Limit(channel="heart_rate", owner=LimitOwner.PROTOCOL, high=120.0, seconds=5.0)], CHANNELS)
    crossings: list[Crossing] = []
    for index in range(40):
        at_us = index * spacing_us
        samples = np.array([150], np.int16)
        crossings += monitor.feed(SampleBlock(heart.number, 1, index, at_us, heart.period_us, samples), at_us / 1e6)
    assert [crossing.began for crossing in crossings] == [True]


def test_what_is_measured_now_and_then_is_never_silent() -> None:
    spot = CHANNELS.key("spot_spo2")
    monitor = LimitMonitor([], CHANNELS)
    monitor.feed(SampleBlock(spot.number, 1, 0, 0, spot.period_us, np.array([970], np.int16)), 1.0)
    assert monitor.tick(1e6) == ()


def test_limits_of_a_hub_that_was_never_heard_are_not_quiet_but_a_missing_sensor_does_not_matter() -> None:
    sensor = Limit(channel="heart_rate", owner=LimitOwner.PROTOCOL, low=50.0, holds=True)
    monitor = LimitMonitor([heat(39.0), sensor], CHANNELS)
    assert monitor.quiet(0.0) is None
    monitor.feed(block([36.0]), 0.0)
    assert monitor.quiet(0.0) is True


@given(
    st.lists(st.floats(35.0, 39.5), min_size=1, max_size=60),
    st.lists(st.integers(1, 7), min_size=1),
    st.sampled_from([0.0, 0.3, 1.0]),
)
@settings(deadline=None)
def test_how_samples_are_cut_into_blocks_changes_nothing(values: list[float], cuts: list[int], seconds: float) -> None:
    whole = feed(LimitMonitor([heat(38.0, seconds=seconds)], CHANNELS), block(values))
    monitor, parts, at = LimitMonitor([heat(38.0, seconds=seconds)], CHANNELS), [], 0
    while at < len(values):
        length = cuts[at % len(cuts)]
        parts += feed(monitor, block(values[at : at + length], start=at))
        at += length
    assert parts == whole
    assert [began for _, began in whole] == [index % 2 == 0 for index in range(len(whole))]


# The data file


def test_the_limits_that_ship_have_sources_and_reasons_that_people_can_read() -> None:
    table = load_limits()
    words = load_words()
    assert all(table.sources)
    assert [limit.reason for limit in table.limits if limit.reason not in words] == []
    assert {limit.channel for limit in table.limits if limit.holds} >= {"pulp_temperature", "saliva_ph", "spo2"}


@pytest.mark.parametrize(
    ("old", "new", "nth", "says"),
    [
        ('channel = "lactate"', 'channel = "lactat"', 5, "no known channel"),
        ('priority = "high"', 'priority = "urgent"', 0, "urgent"),
        ("low = 50.0", "low = 150.0", 6, "no room"),
        ('owner = "device"', 'owner = "nobody"', 0, "nobody"),
    ],
)
def test_a_fault_names_file_and_line(old: str, new: str, nth: int, says: str) -> None:
    text = read_resource("limits.toml").replace(old, new, 1)
    starts = [number for number, row in enumerate(text.splitlines(), 1) if row == "[[limit]]"]
    with pytest.raises(DataError, match=says) as caught:
        parse_limits(text, CHANNELS)
    assert f"limits.toml:{starts[nth]}:" in str(caught.value)
