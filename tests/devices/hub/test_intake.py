"""Records taken in by the batch, in any portions, do what they would do one by one."""

import asyncio
from collections.abc import Sequence

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from core.model.block import Provenance, SampleBlock
from core.model.clock import ManualClock
from core.model.errors import SmilescapeError
from devices.errors import FrameError
from devices.hub.frames import FetchEnd, SampleFrame, decode_frame, encode_end, encode_samples
from devices.hub.intake import FEW, MOST, Intake
from devices.hub.ledger import FURTHEST_JUMP, Ledger
from devices.hub.session.records import Opener, Sealer
from devices.hub.session.wire import FromHub

SECRET = bytes(range(32))
BOOT = 5
KNOWN = 8
UNKNOWN = 200
CHANNELS = np.arange(256) == KNOWN
Arrival = tuple[FromHub, bytes]
Sample = tuple[int, int, int, int, int, Provenance]
"""Boot, channel, index, hub time, value, provenance."""


class Taken:
    """What an intake tells, order within a portion apart."""

    def __init__(self) -> None:
        self.samples: list[Sample] = []
        self.sequences: list[int] = []
        self.ends: list[FetchEnd] = []
        self.refused: list[tuple[str, bytes]] = []

    def blocks_arrived(self, blocks: Sequence[SampleBlock], sequences: Sequence[range]) -> None:
        self.samples += [one for block in blocks for one in singles(block, block.provenance)]
        self.sequences += [number for numbers in sequences for number in numbers]

    def history_arrived(self, ends: Sequence[FetchEnd]) -> None:
        self.ends += ends

    def frame_refused(self, error: SmilescapeError, raw: bytes) -> None:
        self.refused.append((str(error), raw))

    def told(self) -> tuple[object, ...]:
        return sorted(self.samples), sorted(self.sequences), self.ends, sorted(self.refused)


def singles(block: SampleBlock, provenance: Provenance) -> list[Sample]:
    return [
        (block.boot, block.channel, block.first_index + n, block.start_us + n * block.period_us, value, provenance)
        for n, value in enumerate(block.samples.tolist())
        if block.channel == KNOWN
    ]


def one_by_one(arrivals: Sequence[Arrival], ledger: Ledger) -> Taken:
    """Each record for itself, as the protocol says it."""
    taken, opener = Taken(), Opener(SECRET)
    for stream, record in arrivals:
        provenance = Provenance.BACKFILLED if stream is FromHub.HISTORY else Provenance.LIVE
        try:
            frame = decode_frame(opener.open(stream, record), provenance)
            if isinstance(frame, SampleFrame):
                if frame.boot > BOOT:
                    raise FrameError(f"A frame of boot {frame.boot} came too early.")
                if ledger.take(frame.sequence, frame.sequence + 1):
                    taken.sequences.append(frame.sequence)
                    taken.samples += [one for block in frame.blocks for one in singles(block, block.provenance)]
            elif frame is not None and stream is FromHub.HISTORY:
                taken.ends.append(frame)
        except FrameError as error:
            taken.refused.append((str(error), record))
    return taken


@st.composite
def plaintexts(draw: st.DrawFn) -> bytes:
    """Mostly the frames of a stream; sometimes what no hub should send."""
    number = draw(st.integers(0, 30))
    kind = draw(st.sampled_from(("frame",) * 6 + ("end", "later", "spoilt", "far", "boot", "elsewhere")))
    if kind == "end":
        return encode_end(FetchEnd(counter=number, sent=1, oldest=0, next_sequence=number))
    if kind == "later":
        return b"\x18" + draw(st.binary(max_size=10))
    boot = BOOT + 1 if kind == "boot" else draw(st.sampled_from((BOOT, BOOT, BOOT - 1)))
    sequence = number + FURTHEST_JUMP * 2 if kind == "far" else number
    samples = np.arange(5 * number, 5 * number + 5).astype(np.int16)
    blocks = [SampleBlock(UNKNOWN, boot, number, number * 1000, 1000, samples[:1])]
    if kind != "elsewhere":
        blocks.append(SampleBlock(KNOWN, boot, 5 * number, 5000 * number, 1000, samples))
    frame = bytearray(encode_samples(boot, sequence, 5000 * number + 5000, blocks))
    if kind == "spoilt":
        frame[draw(st.integers(0, len(frame) - 1))] ^= draw(st.integers(1, 255))
    return bytes(frame)


@st.composite
def journeys(draw: st.DrawFn) -> list[Arrival]:
    """Records of a session with short epochs, some of which are lost, altered, played again or moved."""
    sealer = Sealer(SECRET, ManualClock(), records_per_epoch=draw(st.integers(2, 9)))
    sent: list[Arrival] = []
    for plaintext in draw(st.lists(plaintexts(), min_size=1, max_size=25)):
        stream = draw(st.sampled_from((FromHub.TELEMETRY, FromHub.TELEMETRY, FromHub.HISTORY)))
        sent.append((stream, sealer.seal(stream, plaintext)))
    arrivals: list[Arrival] = []
    for stream, record in sent:
        fate = draw(st.sampled_from(("arrives",) * 8 + ("lost", "altered", "twice", "elsewhere", "cut")))
        if fate == "altered":
            at = draw(st.integers(0, len(record) - 1))
            record = record[:at] + bytes((record[at] ^ 1 << draw(st.integers(0, 7)),)) + record[at + 1 :]
        elif fate == "cut":
            record = record[: draw(st.integers(0, len(record) - 1))]
        elif fate == "elsewhere":
            stream = FromHub.HISTORY if stream is FromHub.TELEMETRY else FromHub.TELEMETRY
        arrivals += [] if fate == "lost" else [(stream, record)] * (2 if fate == "twice" else 1)
    for _ in range(draw(st.integers(0, 3))):
        arrivals.insert(draw(st.integers(0, len(arrivals))), draw(st.sampled_from(sent)))
    return arrivals


def made(taken: Taken, ledger: Ledger, few: int = FEW) -> Intake:
    return Intake(Opener(SECRET), ledger, BOOT, CHANNELS, taken, lambda: None, few=few)


@settings(max_examples=250, deadline=None)
@given(journeys(), st.sampled_from((0, 5, 100)), st.data())
def test_portions_do_what_single_records_do(arrivals: list[Arrival], few: int, data: st.DataObject) -> None:
    expected_ledger, ledger, taken = Ledger(3, 3), Ledger(3, 3), Taken()
    expected = one_by_one(arrivals, expected_ledger)
    cuts = data.draw(st.sets(st.integers(0, len(arrivals))))

    async def play() -> None:
        intake = made(taken, ledger, few)
        for at, (stream, record) in enumerate(arrivals):
            if at in cuts:
                intake.flush()
            intake.add(stream, record)
        intake.flush()

    asyncio.run(play())
    assert taken.told() == expected.told()
    assert ledger.next_sequence == expected_ledger.next_sequence
    assert ledger.missing == expected_ledger.missing


def stream(count: int) -> list[Arrival]:
    sealer = Sealer(SECRET, ManualClock())
    blocks = [
        [SampleBlock(KNOWN, BOOT, 5 * n, 5000 * n, 1000, np.arange(5 * n, 5 * n + 5).astype(np.int16))]
        for n in range(count)
    ]
    return [
        (FromHub.TELEMETRY, sealer.seal(FromHub.TELEMETRY, encode_samples(BOOT, n, 5000 * (n + 1), one)))
        for n, one in enumerate(blocks)
    ]


async def test_records_are_taken_in_soon_without_anybody_asking() -> None:
    taken = Taken()
    intake = made(taken, Ledger(0, 0))
    for arrival in stream(3):
        intake.add(*arrival)
    assert not taken.sequences
    async with asyncio.timeout(10):
        while not taken.sequences:  # noqa: ASYNC110 - the loop's own timer is what is tested
            await asyncio.sleep(0)
    assert taken.sequences == [0, 1, 2]


async def test_many_records_do_not_wait() -> None:
    taken = Taken()
    intake = made(taken, Ledger(0, 0))
    for arrival in stream(MOST):
        intake.add(*arrival)
    assert taken.sequences == list(range(MOST))


async def test_a_listener_that_fails_costs_the_driver_nothing() -> None:
    class Broken(Taken):
        def blocks_arrived(self, blocks: Sequence[SampleBlock], sequences: Sequence[range]) -> None:
            raise RuntimeError("no")

    intake = made(Broken(), Ledger(0, 0))
    intake.add(*stream(1)[0])
    intake.flush()
    intake.flush()


async def test_of_a_forged_record_nothing_gets_through() -> None:
    """Not even into the frame that takes its place in the batch."""
    taken = Taken()
    intake = made(taken, Ledger(0, 0))
    arrivals = stream(6)
    way, record = arrivals[2]
    arrivals[2] = way, record[:-1] + bytes((record[-1] ^ 1,))
    for arrival in arrivals:
        intake.add(*arrival)
    intake.flush()
    assert taken.sequences == [0, 1, 3, 4, 5]
    assert [raw for _, raw in taken.refused] == [arrivals[2][1]]
    assert {index // 5 for _, _, index, _, _, _ in taken.samples} == {0, 1, 3, 4, 5}
