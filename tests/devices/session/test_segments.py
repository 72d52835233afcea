"""Segments: a message comes out whole or not at all."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.hub.session.errors import SegmentRefused
from devices.hub.session.segments import Joiner, split

LIMIT = 100


def joined(segments: list[bytes], joiner: Joiner | None = None) -> list[bytes]:
    """Messages that come out; segments that are refused are passed over."""
    joiner = joiner or Joiner(LIMIT)
    found = []
    for number, segment in enumerate(segments):
        try:
            whole = joiner.add(segment, number)
        except SegmentRefused:
            continue
        if whole is not None:
            found.append(whole[1])
    return found


@given(st.binary(min_size=1, max_size=LIMIT), st.integers(2, 182))
def test_a_message_comes_out_as_it_went_in(message: bytes, room: int) -> None:
    segments = split(message, room)
    assert all(2 <= len(segment) <= room for segment in segments)
    assert joined(segments) == [message]


@given(st.binary(min_size=30, max_size=LIMIT), st.data())
def test_a_message_with_a_lost_doubled_or_moved_segment_never_comes_out_as_another(
    message: bytes, data: st.DataObject
) -> None:
    segments = split(message, 10)
    numbered = list(enumerate(segments))
    mishap = data.draw(st.sampled_from(["lost", "doubled", "moved"]))
    at = data.draw(st.integers(0, len(segments) - 1))
    taken = numbered[at]
    if mishap == "lost":
        del numbered[at]
    elif mishap == "doubled":
        numbered.insert(data.draw(st.integers(at, len(segments))), taken)
    else:
        del numbered[at]
        numbered.insert(data.draw(st.integers(0, len(segments) - 1)), taken)
    joiner = Joiner(LIMIT)
    for number, segment in numbered:
        try:
            whole = joiner.add(segment, number)
        except SegmentRefused:
            continue
        assert whole in (None, (0, message))


def test_the_middle_of_a_message_is_never_taken_for_a_whole_one() -> None:
    _, middle, last = split(b"a" * 9 + b"b" * 9 + b"c" * 9, 10)
    joiner = Joiner(LIMIT)
    for number, segment in enumerate((middle, last)):
        with pytest.raises(SegmentRefused, match="out of place"):
            joiner.add(segment, number)


def test_a_gap_in_the_records_drops_the_message() -> None:
    first, second = split(bytes(15), 10)
    joiner = Joiner(LIMIT)
    joiner.add(first, 4)
    with pytest.raises(SegmentRefused, match="out of place"):
        joiner.add(second, 6)


def test_a_new_message_takes_the_place_of_one_that_was_broken_off() -> None:
    broken, _ = split(bytes(15), 10)
    assert joined([broken, *split(b"whole", 10)]) == [b"whole"]


def test_a_message_longer_than_the_limit_is_dropped_and_the_next_one_comes() -> None:
    endless = [b"\xc0" + bytes(50), b"\x80" + bytes(50), b"\x80x", b"\x80" + bytes(50), b"\x00end"]
    assert joined([*endless, *split(b"whole", 10)]) == [b"whole"]


@pytest.mark.parametrize("head", [0x10, 0x20, 0x41, 0x4F])
def test_a_head_that_says_what_it_should_not_is_refused(head: int) -> None:
    with pytest.raises(SegmentRefused, match="its head"):
        Joiner(LIMIT).add(bytes((head, 1)))


@pytest.mark.parametrize("segment", [b"", b"\x40", b"\xc0"])
def test_an_empty_segment_is_refused(segment: bytes) -> None:
    with pytest.raises(SegmentRefused, match="empty"):
        Joiner(LIMIT).add(segment)


def test_parts_of_two_kinds_are_not_put_together() -> None:
    joiner = Joiner(LIMIT, (1, 3))
    joiner.add(split(bytes(15), 10, 1)[0])
    with pytest.raises(SegmentRefused, match="out of place"):
        joiner.add(split(bytes(15), 10, 3)[1])


@pytest.mark.parametrize(("message", "room", "kind"), [(b"", 10, 0), (b"x", 1, 0), (b"x", 10, 16)])
def test_what_cannot_be_split_is_a_mistake(message: bytes, room: int, kind: int) -> None:
    with pytest.raises(ValueError, match="bytes of kind"):
        split(message, room, kind)


@given(st.lists(st.binary(max_size=80), max_size=20))
def test_garbage_never_grows_beyond_the_limit(segments: list[bytes]) -> None:
    assert all(len(message) <= LIMIT for message in joined(segments))
