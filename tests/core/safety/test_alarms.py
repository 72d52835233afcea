"""The alarm book: priorities, latching, acknowledgement, paused sound, floods."""

import pytest

from core.model.alarm import AlarmPriority, AlarmState, AudioState
from core.model.datafile import DataError, read_resource
from core.model.words import load_words
from core.safety.alarm_catalogue import load_alarms, parse_alarms
from core.safety.alarms import AlarmBook

S = 1_000_000


@pytest.fixture
def book() -> AlarmBook:
    return AlarmBook(load_alarms())


def flooded(book: AlarmBook) -> bool:
    """A function, so that type narrowing does not outlive the next event."""
    return book.flood


def test_one_condition_is_one_alarm_while_it_lasts(book: AlarmBook) -> None:
    first = book.raise_("link.lost", 1, at_us=0)
    assert book.raise_("link.lost", 1, at_us=S).id == first.id
    other = book.raise_("link.lost", 2, at_us=S)
    assert other.id != first.id
    assert len(book.changes()) == 2
    assert book.changes() == ()


def test_an_alarm_that_does_not_latch_ends_with_its_condition(book: AlarmBook) -> None:
    book.raise_("link.lost", 1, at_us=0)
    book.clear("link.lost", 1, at_us=5 * S)
    assert book.active() == ()
    assert [(alarm.state, alarm.ended_us) for alarm in book.changes()] == [
        (AlarmState.ACTIVE, None),
        (AlarmState.ENDED, 5 * S),
    ]
    book.clear("link.lost", 1, at_us=6 * S)
    assert book.changes() == ()


def test_a_latching_alarm_stays_and_sounds_until_somebody_has_seen_it(book: AlarmBook) -> None:
    alarm = book.raise_("hub.fault", 1, at_us=0)
    book.clear("hub.fault", 1, at_us=S)
    assert [each.state for each in book.active()] == [AlarmState.LATCHED]
    assert book.sounding(S) is AlarmPriority.HIGH
    ended = book.seen(alarm.id, "op", at_us=2 * S)
    assert (ended.state, ended.acknowledged_by) == (AlarmState.ENDED, "op")
    assert book.sounding(2 * S) is None
    with pytest.raises(KeyError):
        book.seen(alarm.id, "op", at_us=3 * S)


def test_what_was_seen_stays_visible_without_sound_and_ends_with_its_condition(book: AlarmBook) -> None:
    alarm = book.raise_("hub.fault", 1, at_us=0)
    book.seen(alarm.id, "op", at_us=S)
    assert book.sounding(S) is None
    assert [each.state for each in book.active()] == [AlarmState.ACTIVE]
    book.clear("hub.fault", 1, at_us=2 * S)
    assert book.active() == ()


def test_a_condition_that_comes_back_while_latched_must_be_seen_anew(book: AlarmBook) -> None:
    alarm = book.raise_("hub.fault", 1, at_us=0)
    book.clear("hub.fault", 1, at_us=S)
    again = book.raise_("hub.fault", 1, at_us=2 * S)
    assert (again.id, again.state, again.began_us) == (alarm.id, AlarmState.ACTIVE, 0)


def test_the_most_urgent_stands_first(book: AlarmBook) -> None:
    for kind in ("battery.low", "hub.fault", "link.lost"):
        book.raise_(kind, 1, at_us=0, percent=10)
    assert [alarm.kind for alarm in book.active()] == ["hub.fault", "link.lost", "battery.low"]


def test_a_pause_of_the_sound_is_at_most_two_minutes_and_ends_by_itself(book: AlarmBook) -> None:
    book.raise_("link.lost", 1, at_us=0)
    assert book.pause_audio(600.0, at_us=0) == 120 * S
    assert book.audio(119 * S) == (AudioState.PAUSED, 120 * S)
    assert book.sounding(119 * S) is None
    assert book.active() != ()
    assert book.audio(120 * S) == (AudioState.ON, None)
    assert book.sounding(120 * S) is AlarmPriority.MEDIUM
    book.tick(120 * S)
    assert [change.state for change in book.audio_changes()] == [AudioState.PAUSED, AudioState.ON]


def test_only_a_new_alarm_of_higher_priority_sounds_through_a_pause(book: AlarmBook) -> None:
    book.raise_("link.lost", 1, at_us=0)
    book.pause_audio(120.0, at_us=0)
    book.raise_("sensor.silent", 1, at_us=S, channel="spo2")
    assert book.sounding(S) is None
    book.raise_("hub.fault", 1, at_us=2 * S)
    assert book.sounding(2 * S) is AlarmPriority.HIGH
    assert book.audio_changes()[-1].by_alarm


def test_a_pause_without_an_alarm_silences_nothing_that_comes(book: AlarmBook) -> None:
    book.pause_audio(120.0, at_us=0)
    book.raise_("battery.low", 1, at_us=S, percent=9)
    assert book.sounding(S) is AlarmPriority.LOW


def test_a_clock_set_back_does_not_stretch_a_pause(book: AlarmBook) -> None:
    book.raise_("link.lost", 1, at_us=1000 * S)
    book.pause_audio(120.0, at_us=1000 * S)
    assert book.sounding(0) is AlarmPriority.MEDIUM


def test_silence_is_itself_an_alarm(book: AlarmBook) -> None:
    book.audio_lost(True, at_us=0)
    assert book.audio(0) == (AudioState.SILENT, None)
    assert [alarm.kind for alarm in book.active()] == ["audio.silent"]
    book.audio_lost(False, at_us=S)
    assert book.active() == ()


def test_a_momentary_event_ends_by_itself_and_a_repeated_one_lasts(book: AlarmBook) -> None:
    book.raise_("frame.refused", 1, at_us=0)
    book.raise_("frame.refused", 1, at_us=20 * S)
    book.tick(40 * S)
    assert len(book.active()) == 1
    book.tick(50 * S)
    assert book.active() == ()


def test_a_flood_begins_above_ten_in_ten_minutes_and_ends_below_five(book: AlarmBook) -> None:
    for number in range(10):
        book.raise_("sensor.silent", 1, at_us=number * S, channel=str(number))
    assert not flooded(book)
    book.raise_("sensor.silent", 1, at_us=10 * S, channel="10")
    assert flooded(book)
    book.tick(605 * S)
    assert flooded(book)
    book.tick(607 * S)
    assert not flooded(book)


def test_every_kind_has_its_sentence_and_its_remedy() -> None:
    words = load_words()
    keys = [f"alarm.{kind}.{part}" for kind in load_alarms().kinds for part in ("text", "remedy")]
    assert [key for key in keys if key not in words] == []


@pytest.mark.parametrize(
    ("old", "new", "entry", "nth", "says"),
    [
        ('key = "link.refused"', 'key = "link.lost"', "kind", 1, "twice"),
        ('priority = "medium"', 'priority = "urgent"', "kind", 0, "urgent"),
        ("fundamental_hz = 494.0", "fundamental_hz = 1200.0", "sound", 1, "150-1000"),
        ("gaps_ms = [180, 180]", "gaps_ms = [180]", "sound", 1, "2 pulses"),
        ("harmonics_db = [-2.0, -4.0, -6.0, -8.0, -10.0]", "harmonics_db = [-2.0, -30.0]", "sound", 0, "harmonics"),
    ],
)
def test_a_fault_names_file_and_line(old: str, new: str, entry: str, nth: int, says: str) -> None:
    text = read_resource("alarms.toml").replace(old, new, 1)
    starts = [number for number, row in enumerate(text.splitlines(), 1) if row == f"[[{entry}]]"]
    with pytest.raises(DataError, match=says) as caught:
        parse_alarms(text)
    assert f"alarms.toml:{starts[nth]}:" in str(caught.value)
