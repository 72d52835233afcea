"""Records: what was sealed is opened once, in its place, and nothing else is."""

from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.model.clock import ManualClock
from devices.hub.session.errors import RecordFault, RecordRefused, SessionSpent
from devices.hub.session.records import Opener, Sealer
from devices.hub.session.wire import MAX_PLAINTEXT, MAX_RECORD, SECONDS_PER_EPOCH, FromHub
from tests.devices.session.parties import secret

SECRET = secret("direction")
FRAME = bytes(range(156))


@dataclass
class Line:
    """A direction with both its ends."""

    per_epoch: int = 1 << 20
    clock: ManualClock = field(default_factory=ManualClock)

    def __post_init__(self) -> None:
        self.sealer = Sealer(SECRET, self.clock, records_per_epoch=self.per_epoch)
        self.opener = Opener(SECRET)

    def fault(self, record: bytes, stream: int = FromHub.TELEMETRY) -> RecordFault:
        with pytest.raises(RecordRefused) as caught:
            self.opener.open(stream, record)
        return caught.value.fault


@given(st.lists(st.tuples(st.sampled_from(list(FromHub)), st.binary(max_size=MAX_PLAINTEXT)), max_size=30))
def test_what_was_sealed_is_opened(sent: list[tuple[FromHub, bytes]]) -> None:
    line = Line(per_epoch=4)
    for stream, plaintext in sent:
        record = line.sealer.seal(stream, plaintext)
        assert len(record) == len(plaintext) + 22
        assert line.opener.open(stream, record) == plaintext


def test_the_longest_frame_fits_a_value_and_a_longer_one_is_no_record() -> None:
    line = Line()
    assert len(line.sealer.seal(0, bytes(MAX_PLAINTEXT))) == MAX_RECORD
    with pytest.raises(ValueError, match="223"):
        line.sealer.seal(0, bytes(MAX_PLAINTEXT + 1))
    assert line.fault(bytes(MAX_RECORD + 1)) is RecordFault.SIZE
    assert line.fault(line.sealer.seal(0, b"")[:-1]) is RecordFault.SIZE


def test_the_head_stands_in_clear() -> None:
    line = Line(per_epoch=1)
    line.sealer.seal(FromHub.STATUS, FRAME)
    assert line.sealer.seal(FromHub.STATUS, FRAME)[:6] == bytes((0x83, 1, 1, 0, 0, 0))


def test_a_record_counts_once() -> None:
    line = Line()
    record = line.sealer.seal(0, FRAME)
    line.opener.open(0, record)
    assert line.fault(record) is RecordFault.NUMBER


def test_gaps_are_allowed_and_what_was_overtaken_is_not() -> None:
    line = Line()
    first, second, third, fourth = (line.sealer.seal(0, bytes((n,))) for n in range(4))
    assert line.opener.open(0, first) == b"\0"
    assert line.opener.open(0, third) == b"\2"
    assert line.fault(second) is RecordFault.NUMBER
    assert line.opener.open(0, fourth) == b"\3"
    assert line.opener.last(0) == 3


def test_each_stream_counts_for_itself() -> None:
    line = Line()
    status = line.sealer.seal(FromHub.STATUS, b"status")
    for _ in range(3):
        line.opener.open(0, line.sealer.seal(0, FRAME))
    assert line.opener.open(FromHub.STATUS, status) == b"status"


def test_a_record_of_another_stream_is_refused_even_with_its_head_changed() -> None:
    line = Line()
    record = line.sealer.seal(FromHub.HISTORY, FRAME)
    assert line.fault(record, FromHub.TELEMETRY) is RecordFault.STREAM
    assert line.fault(b"\x80" + record[1:], FromHub.TELEMETRY) is RecordFault.TAG


def test_a_record_of_another_direction_or_session_is_refused() -> None:
    line = Line()
    other = Sealer(secret("another direction"), ManualClock())
    assert line.fault(other.seal(0, FRAME)) is RecordFault.TAG


def test_no_bit_of_a_record_can_be_flipped_and_a_refused_one_changes_nothing() -> None:
    line = Line()
    record = line.sealer.seal(0, FRAME)
    for bit in range(len(record) * 8):
        forged = bytearray(record)
        forged[bit // 8] ^= 1 << bit % 8
        with pytest.raises(RecordRefused):
            line.opener.open(0, bytes(forged))
    assert line.opener.epoch == 0
    assert line.opener.open(0, record) == FRAME


@pytest.mark.parametrize("size", [*range(24), 100])
def test_a_record_cut_short_is_refused(size: int) -> None:
    line = Line()
    with pytest.raises(RecordRefused):
        line.opener.open(0, line.sealer.seal(0, FRAME)[:size])


def test_the_key_changes_after_its_records_and_numbers_run_on() -> None:
    line = Line(per_epoch=3)
    records = [line.sealer.seal(0, FRAME) for _ in range(7)]
    assert [record[1] for record in records] == [0, 0, 0, 1, 1, 1, 2]
    assert [record[2] for record in records] == list(range(7))
    for record in records:
        assert line.opener.open(0, record) == FRAME
    assert line.opener.epoch == 2


def test_all_streams_of_a_direction_share_its_epochs() -> None:
    line = Line(per_epoch=2)
    line.sealer.seal(0, FRAME)
    line.sealer.seal(1, FRAME)
    assert line.sealer.seal(2, FRAME)[:3] == bytes((0x82, 1, 0))


def test_the_key_changes_after_an_hour() -> None:
    line = Line()
    line.sealer.seal(0, FRAME)
    line.clock.advance(SECONDS_PER_EPOCH - 1)
    assert line.sealer.seal(0, FRAME)[1] == 0
    line.clock.advance(1)
    assert line.sealer.seal(0, FRAME)[1] == 1
    assert line.sealer.epoch == 1


def test_a_record_of_the_epoch_before_is_refused_once_the_next_began() -> None:
    line = Line(per_epoch=2)
    _, late, fresh = (line.sealer.seal(n, FRAME) for n in range(3))
    line.opener.open(2, fresh)
    assert line.fault(late, 1) is RecordFault.EPOCH


def test_an_epoch_is_not_left_out() -> None:
    line = Line(per_epoch=1)
    _, _, third = (line.sealer.seal(0, FRAME) for _ in range(3))
    assert line.fault(third) is RecordFault.EPOCH


def test_a_forged_next_epoch_changes_nothing() -> None:
    line = Line(per_epoch=2)
    first, second, third = (line.sealer.seal(0, FRAME) for _ in range(3))
    line.opener.open(0, first)
    assert line.fault(third[:-1] + bytes((third[-1] ^ 1,))) is RecordFault.TAG
    assert line.opener.epoch == 0
    assert line.opener.open(0, second) == FRAME
    assert line.opener.open(0, third) == FRAME


def test_nothing_follows_epoch_255() -> None:
    line = Line(per_epoch=1)
    for _ in range(256):
        record = line.sealer.seal(0, b"x")
        line.opener.open(0, record)
    assert (record[1], line.opener.epoch) == (255, 255)
    with pytest.raises(SessionSpent):
        line.sealer.seal(0, b"x")
    again = Sealer(SECRET, ManualClock()).seal(0, b"x")
    assert line.fault(again[:2] + b"\xff\xff\xff\x00" + again[6:]) is RecordFault.EPOCH


def test_no_nonce_is_used_twice_under_a_key() -> None:
    line = Line()
    records = [line.sealer.seal(stream, b"same") for _ in range(3) for stream in range(5)]
    assert len({record[6:] for record in records}) == len(records)


@given(st.binary(max_size=300), st.integers(0, 4))
def test_garbage_is_refused_in_a_typed_way(garbage: bytes, stream: int) -> None:
    with pytest.raises(RecordRefused):
        Opener(SECRET).open(stream, garbage)
