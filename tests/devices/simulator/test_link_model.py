"""The Link Layer by itself: time moves only when told, so each figure is exact."""

from collections.abc import Callable
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.simulator.link_model import IFS_S, End, LinkLayer, Phy, Quality, Terms, airtime_s
from devices.simulator.timers import Cancellable, ManualTimers

FULL = 251
INTERVALS = {7.5: 6, 15.0: 12, 30.0: 24, 50.0: 40}


class Rig:
    """A link, and what arrived at which side of it, in order."""

    def __init__(self, *, interval_ms: float = 30.0, timeout_ms: int = 720, seed: int = 1, quality: Quality) -> None:
        self.timers = ManualTimers()
        self.terms = Terms(round(interval_ms / 1.25), timeout_ms // 10)
        self.lost: list[float] = []
        self.layer = LinkLayer(self.timers, Random(seed), self.terms, lost=lambda: self.lost.append(self.timers.now()))
        self.layer.tune(self.terms, quality)
        self.began = self.timers.now()
        self.arrived: dict[str, list[int]] = {"central": [], "peripheral": []}
        self.acknowledged: dict[str, list[int]] = {"central": [], "peripheral": []}

    def end(self, name: str) -> End:
        return self.layer.central if name == "central" else self.layer.peripheral

    def send(self, name: str, number: int, octets: int = FULL) -> None:
        self.layer.send(
            self.end(name),
            octets,
            delivered=lambda: self.arrived[name].append(number),
            acknowledged=lambda: self.acknowledged[name].append(number),
        )

    def keep_sending(self, name: str, octets: int = FULL) -> None:
        """Never an empty queue."""
        sent = 0

        def more() -> None:
            nonlocal sent
            sent += 1
            number = sent
            self.layer.send(
                self.end(name), octets, delivered=lambda: self.arrived[name].append(number), acknowledged=more
            )

        for _ in range(64):
            more()

    def until(self, condition: Callable[[], bool]) -> float:
        """Seconds until it is so."""
        for _ in range(1_000_000):
            if condition():
                return self.timers.now() - self.began
            assert self.timers.due is not None, "nothing will happen any more"
            self.timers.step()
        raise AssertionError("it never came")


def test_a_full_packet_and_its_answer_take_what_the_specification_says() -> None:
    assert airtime_s(FULL, 2) == pytest.approx(1048e-6)
    assert airtime_s(0, 2) == pytest.approx(44e-6)
    assert airtime_s(FULL, 1) == pytest.approx(2088e-6)
    assert airtime_s(27, 1) == pytest.approx(296e-6)
    exchange = airtime_s(FULL) + IFS_S + airtime_s(0) + IFS_S
    assert 1 / exchange == pytest.approx(718.4, abs=0.1)


@pytest.mark.parametrize(
    ("interval_ms", "frames", "share"),
    [(7.5, 5, 1), (15, 10, 1), (30, 21, 1), (50, 35, 1), (15, 1, 8), (30, 2, 8), (50, 4, 8), (7.5, 1, 8)],
)
def test_an_event_carries_as_many_full_packets_as_fit(interval_ms: float, frames: int, share: int) -> None:
    rig = Rig(interval_ms=interval_ms, quality=Quality(paced=True, share=share))
    rig.keep_sending("peripheral")
    rig.timers.advance(100.999 * interval_ms / 1000)
    assert rig.layer.events == 100
    assert len(rig.arrived["peripheral"]) == 100 * frames
    assert rig.arrived["peripheral"] == sorted(rig.arrived["peripheral"])


def test_both_ways_at_once_share_the_event() -> None:
    rig = Rig(interval_ms=30, quality=Quality(paced=True))
    rig.keep_sending("peripheral")
    rig.keep_sending("central")
    rig.timers.advance(10.999 * 0.03)
    both = 2 * (airtime_s(FULL) + IFS_S)
    for name in ("central", "peripheral"):
        assert len(rig.arrived[name]) == 10 * int((0.03 - IFS_S) / both)


@pytest.mark.parametrize("interval_ms", INTERVALS)
def test_a_packet_waits_for_the_next_event_and_its_acknowledgement_for_the_answer(interval_ms: float) -> None:
    rig = Rig(interval_ms=interval_ms, quality=Quality(paced=True))
    rig.timers.advance(0.4 * interval_ms / 1000)
    rig.send("central", 1, octets=20)
    waited = rig.until(lambda: rig.arrived["central"] == [1])
    assert waited == pytest.approx(interval_ms / 1000 + airtime_s(20))
    assert rig.acknowledged["central"] == []
    waited = rig.until(lambda: rig.acknowledged["central"] == [1])
    assert waited == pytest.approx(interval_ms / 1000 + airtime_s(20) + IFS_S + airtime_s(0))
    assert rig.layer.events == 1


def test_a_peripheral_knows_of_its_last_packet_only_in_the_next_event() -> None:
    rig = Rig(interval_ms=30, quality=Quality(paced=True))
    rig.send("peripheral", 1)
    rig.until(lambda: rig.arrived["peripheral"] == [1])
    assert rig.acknowledged["peripheral"] == []
    rig.until(lambda: rig.acknowledged["peripheral"] == [1])
    rig.timers.advance(1.0)
    assert rig.layer.events == 2
    assert rig.timers.due is None, "an idle faultless link holds no timer"


def test_an_unpaced_faultless_link_is_ideal_and_becomes_so_again() -> None:
    rig = Rig(quality=Quality())
    ideal = [rig.layer.ideal]
    rig.layer.tune(rig.terms, Quality(errors=0.5))
    ideal.append(rig.layer.ideal)
    rig.send("central", 1)
    rig.layer.tune(rig.terms, Quality())
    ideal.append(rig.layer.ideal)  # what waits must not be overtaken
    rig.until(lambda: rig.layer.ideal)
    assert rig.arrived["central"] == [1]
    rig.layer.tune(rig.terms, Quality(paced=True))
    ideal.append(rig.layer.ideal)
    assert ideal == [True, False, False, False]


@pytest.mark.parametrize(("octets", "phy", "pieces"), [(251, 2, 1), (27, 2, 10), (27, 1, 10), (100, 1, 3)])
def test_a_shorter_data_length_cuts_packets_into_pieces(octets: int, phy: Phy, pieces: int) -> None:
    rig = Rig(interval_ms=50, quality=Quality(paced=True, octets=octets, phy=phy))
    rig.send("central", 1)
    waited = rig.until(lambda: rig.arrived["central"] == [1])
    rest = FULL - (pieces - 1) * octets
    piece = airtime_s(octets, phy) + 2 * IFS_S + airtime_s(0, phy)
    assert waited == pytest.approx(0.05 + (pieces - 1) * piece + airtime_s(rest, phy))


@given(
    errors=st.floats(0.0, 0.6),
    seed=st.integers(0, 999),
    sizes=st.lists(st.tuples(st.booleans(), st.integers(1, 251)), min_size=1, max_size=40),
    octets=st.sampled_from([27, 100, 251]),
)
def test_whatever_is_damaged_all_arrives_once_and_in_order(
    errors: float, seed: int, sizes: list[tuple[bool, int]], octets: int
) -> None:
    rig = Rig(seed=seed, timeout_ms=32_000, quality=Quality(paced=True, errors=errors, octets=octets))
    wanted: dict[str, list[int]] = {"central": [], "peripheral": []}
    for number, (of_central, size) in enumerate(sizes):
        name = "central" if of_central else "peripheral"
        wanted[name].append(number)
        rig.send(name, number, size)
    rig.until(lambda: rig.acknowledged == wanted)
    assert rig.arrived == wanted
    assert not rig.lost


def test_errors_cost_time_and_packets_sent_again() -> None:
    times = {}
    for errors in (0.0, 0.3):
        rig = Rig(seed=7, quality=Quality(paced=True, errors=errors))
        for number in range(200):
            rig.send("peripheral", number)
        times[errors] = rig.until(lambda rig=rig: len(rig.acknowledged["peripheral"]) == 200)  # type: ignore[misc]
        assert (rig.layer.peripheral.resent > 0) == (errors > 0)
        assert (rig.layer.central.damaged > 0) == (errors > 0)
    assert times[0.3] > 2 * times[0.0]


def test_a_jam_below_the_timeout_only_delays() -> None:
    rig = Rig(interval_ms=30, timeout_ms=720, quality=Quality(paced=True))
    rig.keep_sending("peripheral")
    rig.timers.advance(0.3105)  # in the middle of an event
    before = len(rig.arrived["peripheral"])
    rig.layer.tune(rig.terms, Quality(paced=True, jammed_until=rig.timers.now() + 0.7))
    rig.timers.advance(0.7)
    assert len(rig.arrived["peripheral"]) == before
    rig.timers.advance(0.1)
    arrived = rig.arrived["peripheral"]
    assert len(arrived) > before
    assert arrived == list(range(1, len(arrived) + 1)), "nothing was lost, doubled or overtaken"
    assert not rig.lost


@pytest.mark.parametrize("paced", [True, False])
@pytest.mark.parametrize("busy", [True, False])
def test_a_jam_beyond_the_timeout_ends_the_link_once(paced: bool, busy: bool) -> None:
    rig = Rig(interval_ms=30, timeout_ms=720, quality=Quality(paced=paced))
    rig.timers.advance(5.0)
    jammed = rig.timers.now()
    rig.layer.tune(rig.terms, Quality(paced=paced, jammed_until=jammed + 5.0))
    if busy:
        rig.keep_sending("central")
    rig.timers.advance(10.0)
    assert rig.lost == [pytest.approx(jammed + 0.72)]
    assert rig.arrived["central"] == []
    assert rig.timers.due is None


def test_jams_that_end_in_time_do_not_add_up() -> None:
    rig = Rig(interval_ms=30, timeout_ms=720, quality=Quality())
    for _ in range(10):
        rig.layer.tune(rig.terms, Quality(jammed_until=rig.timers.now() + 0.6))
        rig.timers.advance(1.0)
    assert not rig.lost


def test_a_jam_can_be_ended_early() -> None:
    rig = Rig(quality=Quality(paced=True))
    rig.layer.tune(rig.terms, Quality(paced=True, jammed_until=rig.timers.now() + 99))
    rig.send("central", 1)
    rig.timers.advance(0.3)
    rig.layer.tune(rig.terms, Quality(paced=True))
    rig.until(lambda: rig.arrived["central"] == [1])
    assert not rig.lost


def test_a_link_on_which_every_packet_is_damaged_ends_though_nobody_sends() -> None:
    rig = Rig(interval_ms=30, timeout_ms=720, quality=Quality(errors=1.0))
    rig.timers.advance(2.0)
    assert len(rig.lost) == 1
    assert rig.lost[0] - rig.began == pytest.approx(0.72, abs=0.03)


def test_a_new_interval_counts_from_the_next_event() -> None:
    rig = Rig(interval_ms=50, quality=Quality(paced=True))
    rig.keep_sending("peripheral")
    rig.timers.advance(0.475)
    rig.layer.tune(Terms(6, 72), Quality(paced=True))
    events = rig.layer.events
    rig.timers.advance(0.0751)
    assert rig.layer.events == events + 10


def test_a_timeout_is_never_shorter_than_two_intervals() -> None:
    assert Terms(12, 72).at_interval(40) == Terms(40, 72)
    longest = Terms(12, 72).at_interval(3200)
    assert longest.timeout_s > 2 * longest.interval_s
    assert longest.interval_s == 4.0


def test_a_closed_link_says_nothing_more() -> None:
    rig = Rig(quality=Quality(paced=True))
    rig.send("central", 1)
    rig.layer.close()
    rig.send("central", 2)
    rig.layer.tune(rig.terms, Quality(errors=1.0))
    assert rig.timers.due is None
    rig.timers.advance(5.0)
    assert (rig.arrived["central"], rig.lost) == ([], [])


def test_whoever_is_told_may_close_the_link() -> None:
    rig = Rig(quality=Quality(paced=True))
    rig.layer.send(rig.layer.central, 20, delivered=rig.layer.close)
    rig.send("central", 2)
    rig.timers.advance(1.0)
    assert rig.arrived["central"] == []
    assert rig.timers.due is None


class Late(ManualTimers):
    """An event loop that is busy, and calls late."""

    def __init__(self, now: float) -> None:
        super().__init__(now)
        self.late_s = 0.0

    def call_at(self, when: float, callback: Callable[[], None]) -> Cancellable:
        return super().call_at(when + self.late_s, callback)


@pytest.mark.parametrize("late_ms", [1, 4, 40])
def test_late_timers_cost_no_event_and_lose_nothing(late_ms: float) -> None:
    rig = Rig(interval_ms=30, quality=Quality(paced=True))
    rig.timers = late = Late(rig.timers.now())
    rig.layer = LinkLayer(late, Random(1), rig.terms, lost=lambda: rig.lost.append(late.now()))
    late.late_s = late_ms / 1000
    rig.layer.tune(rig.terms, Quality(paced=True))
    rig.keep_sending("peripheral")
    late.advance(3.0299)
    arrived = rig.arrived["peripheral"]
    assert arrived == list(range(1, len(arrived) + 1))
    assert len(arrived) >= 98 * 21
    assert not rig.lost


@pytest.mark.parametrize("still_s", [0.8, 60.0])
def test_a_process_that_stood_still_finds_its_link_up(still_s: float) -> None:
    rig = Rig(interval_ms=30, timeout_ms=720, quality=Quality(paced=True))
    rig.timers = late = Late(rig.timers.now())
    rig.layer = LinkLayer(late, Random(1), rig.terms, lost=lambda: rig.lost.append(late.now()))
    rig.layer.tune(rig.terms, Quality(paced=True, errors=0.1))
    rig.keep_sending("peripheral")
    late.advance(1.0)
    late.late_s = still_s
    late.advance(0.03)
    late.late_s = 0.0
    late.advance(still_s + 1.0)
    assert not rig.lost
    arrived = rig.arrived["peripheral"]
    assert arrived == list(range(1, len(arrived) + 1))
    assert rig.layer.events < 4 / 0.03


def test_links_that_get_an_interval_at_the_same_moment_do_not_all_speak_at_the_same() -> None:
    firsts = set()
    for seed in range(20):
        rig = Rig(seed=seed, quality=Quality(paced=True))
        rig.layer.tune(rig.terms.at_interval(INTERVALS[50.0]), Quality(paced=True))
        rig.send("peripheral", 1)
        firsts.add(round(rig.until(lambda rig=rig: bool(rig.arrived["peripheral"])), 4))  # type: ignore[misc]
    assert len(firsts) > 15
    assert max(firsts) - min(firsts) > 0.025
    assert max(firsts) < 0.06
