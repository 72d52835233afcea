"""Forgeries of somebody who hears and sends everything, and has no key."""

import asyncio
from collections import deque
from typing import Final

from core.model.block import Provenance
from core.model.clock import ManualClock
from core.model.hub import Opcode, ReceiptCode
from devices.errors import FrameError
from devices.hub.commands import (
    STOP_PLAINTEXT,
    Ask,
    Bare,
    Command,
    Enrol,
    Revoke,
    Signed,
    encode_command,
)
from devices.hub.frames import SampleFrame, decode_frame
from devices.hub.receipts import encode_query
from devices.hub.session.records import Opener, Sealer
from devices.hub.session.segments import split
from devices.hub.session.wire import MAX_PLAINTEXT, FromHub, ToHub
from tests.proof.mutations import record_strata, sampled
from tests.proof.ordering import order_of
from tests.proof.pair import NOTIFIED, Pair
from tests.proof.tally import Forger

Strangers = dict[str, list[tuple[int, bytes]]]
"""Genuine records that do not belong here, with their stream, by where they are from."""
_BATCH: Final = 64


class RecordForger(Forger):
    """Alters, replays, reorders, and brings records from elsewhere."""

    async def run(self, pair: Pair, strangers: Strangers) -> None:
        await self._from_hub(pair, strangers)
        await self._batches(pair, strangers)
        await self._to_hub(pair, strangers)
        await self._recombined(pair)
        self._epochs()

    async def _from_hub(self, pair: Pair, strangers: Strangers) -> None:
        """Each stream of the hub, one value at a time."""
        for _ in range(3):
            pair.hub_says(pair.link.telemetry(pair.brain.tick()))
        pair.hub_says(pair.link.status())
        await self._attack_station(pair, strangers)
        for command in (Ask(Opcode.FETCH, 0, 4), Ask(Opcode.JOURNAL, 0, 4), Bare(Opcode.ATTEST), Bare(Opcode.REPORT)):
            records, task = await pair.says(command)
            for stream, record in records:
                pair.write(stream, record)
            while (out := pair.link.history()) is not None:
                pair.hub_says([out])
            await self._attack_station(pair, strangers)
            self.tally.valid("to station, receipts", (await task).receipt.accepted)

    async def _attack_station(self, pair: Pair, strangers: Strangers) -> None:
        used: list[tuple[FromHub, bytes]] = []
        others = [record for _, record, _ in pair.waiting]
        while pair.waiting:
            stream, record, _ = pair.waiting.popleft()
            name = f"to station, {stream.name.lower()}"
            strata = record_strata(record, [one for one in others if one != record][:4], self._random)
            for kind, mutant in sampled(strata, self._random, self._most):
                self._station(pair, stream, mutant, f"{name}: {kind}")
            for wrong in NOTIFIED:
                if wrong is not stream:
                    self._station(pair, wrong, record, f"{name}: on another characteristic")
            before = pair.heard()
            pair.notify(stream, record)
            self.tally.valid(name, pair.heard() != before)
            used.append((stream, record))
            for earlier, replayed in used[-8:]:
                self._station(pair, earlier, replayed, f"{name}: replayed or late")
            self._foreign(pair, strangers)

    def _foreign(self, pair: Pair, strangers: Strangers) -> None:
        for name, records in strangers.items():
            if name.startswith("to station"):
                for stream, record in records:
                    self._station(pair, FromHub(stream), record, name)

    def _station(self, pair: Pair, stream: FromHub, value: bytes, stratum: str) -> None:
        before = pair.heard()
        pair.notify(stream, value)
        self.tally.forged(stratum, pair.heard() != before, value.hex())

    async def _batches(self, pair: Pair, strangers: Strangers) -> None:
        """The same for frames that are taken in many at once: only the valid ones may come out, in their values."""
        for _ in range(4):
            pair.hub_says([out for _ in range(3) for out in pair.link.telemetry(pair.brain.tick())])
            genuine = list(pair.waiting)
            pair.waiting.clear()
            pool = [
                (f"to station, batch: {kind}", mutant)
                for _, record, _ in genuine
                for kind, mutant in sampled(
                    record_strata(record, [genuine[0][1]], self._random), self._random, self._most
                )
            ]
            self._random.shuffle(pool)
            share = max(_BATCH, len(pool) // len(genuine) + 1)
            for _, record, plaintext in genuine:
                self._one_batch(pair, [pool.pop() for _ in range(min(share, len(pool)))], record, plaintext)
            assert not pool
            await asyncio.sleep(0)

    def _one_batch(self, pair: Pair, forged: list[tuple[str, bytes]], record: bytes, plaintext: bytes) -> None:
        ears, at = pair.ears, self._random.randrange(len(forged) + 1)
        pair.flush()
        samples, sequences = dict(ears.samples), set(ears.sequences)
        for mutant in [one for _, one in forged[:at]]:
            pair.notify(FromHub.TELEMETRY, mutant)
        pair.notify(FromHub.TELEMETRY, record)
        for mutant in [*(one for _, one in forged[at:]), record]:
            pair.notify(FromHub.TELEMETRY, mutant)
        pair.flush()
        frame = decode_frame(plaintext, Provenance.LIVE)
        assert isinstance(frame, SampleFrame)
        expected = samples | {
            (block.boot, block.channel, block.first_index + n): (block.start_us + n * block.period_us, value)
            for block in frame.blocks
            for n, value in enumerate(block.samples.tolist())
        }
        right = ears.samples == expected and not ears.doubled
        self.tally.valid("to station, batch", frame.sequence in ears.sequences)
        for kind, mutant in forged:
            self.tally.forged(kind, not right or len(ears.sequences) > len(sequences) + 1, mutant.hex())
        self.tally.forged("to station, batch: replayed", not right)
        ears.samples.clear()

    async def _to_hub(self, pair: Pair, strangers: Strangers) -> None:
        """Each stream of the workstation."""
        used: list[tuple[ToHub, bytes]] = []
        commands: list[Command] = [
            Bare(Opcode.REPORT),
            Bare(Opcode.HOLD),
            order_of(self._practice, pair, Opcode.SET_ENVELOPE),
            Revoke(self._practice.revoke(b"\0" * 8, number=1 + pair.brain.identity.boot)),
        ]
        for command in commands:
            if isinstance(command, Signed):
                command = order_of(self._practice, pair, command.opcode)
            records, task = await pair.says(command)
            self._attack_hub(pair, strangers, records, used)
            pair.hand_on()
            code = (await task).receipt.code
            wanted = {Opcode.HOLD: ReceiptCode.NOT_NOW}.get(getattr(command, "opcode", Opcode.REPORT), ReceiptCode.DONE)
            self.tally.valid("to hub, commands", code is wanted)
        seal = pair.session.sealer.seal
        self._attack_hub(pair, strangers, deque([(ToHub.STOP, seal(ToHub.STOP, STOP_PLAINTEXT))]), used)
        self._attack_hub(pair, strangers, deque([(ToHub.QUERY, seal(ToHub.QUERY, encode_query(1)))]), used)
        pair.waiting.clear()

    def _attack_hub(
        self,
        pair: Pair,
        strangers: Strangers,
        records: deque[tuple[ToHub, bytes]],
        used: list[tuple[ToHub, bytes]],
    ) -> None:
        others = [record for _, record in used]
        while records:
            stream, record = records.popleft()
            name = f"to hub, {stream.name.lower()}"
            for kind, mutant in sampled(record_strata(record, others[-4:], self._random), self._random, self._most):
                self._hub(pair, stream, mutant, f"{name}: {kind}")
            for wrong in ToHub:
                if wrong is not stream:
                    self._hub(pair, wrong, record, f"{name}: on another characteristic")
            before = pair.obeyed()
            pair.write(stream, record)
            self.tally.valid(name, pair.obeyed() != before)
            used.append((stream, record))
            for earlier, replayed in used[-8:]:
                self._hub(pair, earlier, replayed, f"{name}: replayed or late")
            for where, foreign in strangers.items():
                if where.startswith("to hub"):
                    for to, one in foreign:
                        self._hub(pair, ToHub(to), one, where)

    def _hub(self, pair: Pair, stream: ToHub, value: bytes, stratum: str) -> None:
        before, waiting = pair.obeyed(), len(pair.waiting)
        try:
            pair.write(stream, value)
            accepted = True
        except FrameError:
            accepted = pair.obeyed() != before or len(pair.waiting) != waiting
        self.tally.forged(stratum, accepted, value.hex())

    async def _recombined(self, pair: Pair) -> None:
        """Segments left out, doubled, reordered, put together with those of another message: no message comes of it."""
        for _ in range(8):
            seal, message = pair.session.sealer.seal, encode_command(pair.brain.desk.counter + 1, self._long(pair))
            made = [[seal(ToHub.CONTROL, part) for part in split(message, MAX_PLAINTEXT)] for _ in range(2)]
            (a1, *a), (b1, *b) = made
            mixes = {"another's end": [a1, *b], "end first": [*b, b1], "doubled head": [b1, b1, *a], "gap": [b1, b[-1]]}
            name, mix = self._random.choice(sorted(mixes.items()))
            before = pair.brain.desk.counter, pair.brain.logbook.next, len(pair.waiting)
            for record in mix:
                try:
                    pair.write(ToHub.CONTROL, record)
                except FrameError:
                    continue
            after = pair.brain.desk.counter, pair.brain.logbook.next, len(pair.waiting)
            self.tally.forged(f"to hub, segments: {name}", after != before)
            # What ends a message that is not whole must not spoil the next one.
            self.tally.valid("to hub, segments", (await pair.carries_out(Bare(Opcode.REPORT))).receipt.accepted)

    def _long(self, pair: Pair) -> Command:
        return Enrol(bytes(300), bytes(300))

    def _epochs(self) -> None:
        """Records of an epoch that is past, or that skips one."""
        secret, clock = self._random.randbytes(32), ManualClock(0)
        sealer, opener = Sealer(secret, clock, records_per_epoch=4), Opener(secret)
        epochs = [[sealer.seal(3, bytes(20)) for _ in range(4)] for _ in range(6)]
        for number in range(5):
            for record in epochs[number][:3]:
                self.tally.valid("epochs", _opens(opener, record))
            for later in epochs[number + 2 :]:
                for record in later:
                    self.tally.forged("epochs: skipped", _opens(opener, record))
            for past in epochs[:number]:
                self.tally.forged("epochs: past", _opens(opener, past[3]))


def _opens(opener: Opener, record: bytes) -> bool:
    try:
        opener.open(3, record)
    except FrameError:
        return False
    return True
