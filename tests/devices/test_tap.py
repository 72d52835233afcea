from hypothesis import given
from hypothesis import strategies as st

from core.model.clock import ManualClock
from devices.tap import Tap


def test_the_tap_keeps_the_newest_frames_with_their_times() -> None:
    clock = ManualClock(monotonic=5.0)
    tap = Tap(clock, max_frames=2)
    for number in range(3):
        tap.add("uuid", bytearray([number]))
        clock.advance(1.0)
    held = [(frame.at, frame.uuid, frame.data) for frame in tap.frames()]
    assert held == [(6.0, "uuid", b"\1"), (7.0, "uuid", b"\2")]
    assert (tap.total, tap.total_bytes) == (3, 3)


def test_the_tap_keeps_a_copy() -> None:
    tap = Tap(ManualClock())
    data = bytearray(b"a")
    tap.add("uuid", data)
    data[0] = 0
    assert tap.frames()[0].data == b"a"


@given(st.lists(st.binary(max_size=12), max_size=60), st.integers(1, 8), st.integers(0, 40))
def test_the_tap_never_holds_more_than_it_may_and_always_the_newest(
    frames: list[bytes], max_frames: int, max_bytes: int
) -> None:
    tap = Tap(ManualClock(), max_frames=max_frames, max_bytes=max_bytes)
    for data in frames:
        tap.add("uuid", data)
    held = [frame.data for frame in tap.frames()]
    assert len(held) <= max_frames
    assert sum(map(len, held)) <= max_bytes
    assert held == frames[len(frames) - len(held) :]
    assert (tap.total, tap.total_bytes) == (len(frames), sum(map(len, frames)))
