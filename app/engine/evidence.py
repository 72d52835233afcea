"""Has the audit logs signed and witnessed: each chair's by the other chairs and by the hub that it is connected to.

A log that a witness remembers longer, or otherwise, is an alarm: its file was set back, or altered.
"""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from app.engine.alarm_desk import AlarmDesk
from app.engine.clock import AsyncClock, within
from app.ipc.evidence_messages import ChairEvidence
from core.keys.errors import KeysError
from core.model.certificate import CertificateRefused
from core.model.errors import SmilescapeError
from core.model.hub import ReceiptCode
from core.model.note import Note
from core.model.witness import Verdict
from core.model.words import Text
from core.record import Record
from core.record.evidence import (
    Contradiction,
    Cosignature,
    LogAltered,
    Signing,
    StoredCheckpoint,
    WitnessKind,
    WitnessRefused,
    vouch,
)
from devices.hub.witnessing import NotCountersigned

if TYPE_CHECKING:
    from app.engine.chair import Chair
    from app.engine.keys_desk import KeysDesk

log = logging.getLogger(__name__)

LOOK_SECONDS: Final = 10.0
SEAL_SECONDS: Final = 300.0
SEAL_ENTRIES: Final = 256
"""A log that has grown is signed after so long, or when so many entries are not."""
CLOSE_SECONDS: Final = 3.0
"""How long an end waits for witnesses; what is not witnessed is so at the next start."""


@dataclass(frozen=True, slots=True)
class Who:
    """A witness. `name`: a hub's serial, or the number of a chair."""

    kind: WitnessKind
    name: str

    def __str__(self) -> str:
        return f"{self.kind} {self.name}"

    @property
    def by(self) -> str:
        """Words key of its kind."""
        return f"@evidence.by.{self.kind}"


@dataclass
class _Kept:
    """What is remembered of a chair. `asked`: who has countersigned the checkpoint of this id."""

    lock: asyncio.Lock
    sealed_at: float
    checkpoint: int = 0
    asked: frozenset[Who] = frozenset()
    state: ChairEvidence | None = None


class EvidenceDesk:
    """One for all chairs of an engine.

    Args:
        chairs: by number, those that are open.
        changed: called when what `states` tells has changed.
    """

    def __init__(
        self,
        chairs: Mapping[int, "Chair"],
        keys: "KeysDesk",
        alarms: AlarmDesk,
        clock: AsyncClock,
        changed: Callable[[], None],
    ) -> None:
        self._chairs = chairs
        self._keys = keys
        self._alarms = alarms
        self._clock = clock
        self._changed = changed
        self._kept: dict[int, _Kept] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def states(self) -> tuple[ChairEvidence, ...]:
        """Until when each chair's log is witnessed, and by whom."""
        return tuple(one.state for _, one in sorted(self._kept.items()) if one.state is not None)

    async def run(self) -> None:
        """Sign what grew, now and then, until cancelled."""
        while True:
            await self._clock.sleep(LOOK_SECONDS)
            for number, chair in list(self._chairs.items()):
                try:
                    unsigned = await chair.do(lambda record: record.checkpoints.unsigned())
                except SmilescapeError as error:
                    log.error("chair %d: how far its log is signed cannot be read: %s", number, error)
                    continue
                old = self._clock.monotonic() - self._of(number).sealed_at >= SEAL_SECONDS
                if unsigned >= SEAL_ENTRIES or (unsigned and old):
                    await self.seal(number, "interval")

    def soon(self, number: int, reason: str) -> None:
        """Have a log signed and witnessed, without waiting for it."""
        self._spawn(self.seal(number, reason))

    async def seal(self, number: int, reason: str) -> None:
        """Sign how far a chair's log reaches, and ask whoever has not countersigned that yet. Never raises."""
        kept, chair = self._of(number), self._chairs.get(number)
        if chair is None:
            return
        async with kept.lock:
            try:
                signing = self._keys.signing
                checkpoint = await self._sign(chair, signing, reason)
                kept.sealed_at = self._clock.monotonic()
                if checkpoint is not None:
                    await self._ask_all(chair, checkpoint, signing, kept)
                await self._look(chair, kept)
            except (KeysError, CertificateRefused) as error:
                log.info("chair %d: nobody can sign its log yet: %s", number, error)
            except SmilescapeError as error:
                log.error("chair %d: its log could not be signed: %s", number, error)

    async def sign(self, chair: "Chair") -> None:
        """The last word of a chair whose file is about to be closed. Never raises."""
        try:
            await self._sign(chair, self._keys.signing, "closed")
        except SmilescapeError as error:
            log.info("chair %d: its log was not signed at the end: %s", chair.number, error)

    async def close(self) -> None:
        """Sign and witness what there is, while hubs are still connected."""
        work = [self.seal(number, "end") for number in self._chairs]
        with contextlib.suppress(TimeoutError):
            await within(self._clock, CLOSE_SECONDS, asyncio.gather(*work))
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    # inside

    def _of(self, number: int) -> _Kept:
        if number not in self._kept:
            self._kept[number] = _Kept(asyncio.Lock(), self._clock.monotonic())
        return self._kept[number]

    async def _sign(self, chair: "Chair", signing: Signing, reason: str) -> StoredCheckpoint | None:
        at_us = self._clock.utc_us()

        def work(record: Record) -> StoredCheckpoint | None:
            return record.checkpoints.make(signing, at_us=at_us, reason=reason) or record.checkpoints.newest()

        try:
            checkpoint = await chair.do(work)
        except LogAltered as error:
            log.error("chair %d: %s", chair.number, error)
            self._alarms.raise_("evidence.altered", chair.number)
            return None
        self._alarms.clear("evidence.altered", chair.number)
        return checkpoint

    async def _ask_all(self, chair: "Chair", checkpoint: StoredCheckpoint, signing: Signing, kept: _Kept) -> None:
        if kept.checkpoint != checkpoint.id:
            kept.checkpoint, kept.asked = checkpoint.id, frozenset()
        others = {Who(WitnessKind.CHAIR, str(one.number)): one for one in self._chairs.values() if one is not chair}
        hubs = (
            {Who(WitnessKind.HUB, chair.hub.serial)} if chair.hub is not None and chair.hub.driver.witnesses else set()
        )
        for who in (*others, *hubs):
            if who in kept.asked:
                continue
            try:
                if who in others:
                    line = await self._ask_chair(chair, others[who], checkpoint, signing)
                else:
                    line = await self._ask_hub(chair, checkpoint)
                await self._keep(chair, checkpoint, line)
                kept.asked |= {who}
            except _Contradicted as error:
                await self._contradicted(chair, who, error)
            except SmilescapeError as error:
                log.warning("chair %d: %s did not countersign: %s", chair.number, who, error)

    @staticmethod
    async def _keep(chair: "Chair", checkpoint: StoredCheckpoint, line: Cosignature) -> None:
        await chair.do(lambda record: record.checkpoints.countersigned(checkpoint, line))

    async def _ask_chair(
        self, chair: "Chair", other: "Chair", checkpoint: StoredCheckpoint, signing: Signing
    ) -> Cosignature:
        origin, size, at_us = checkpoint.note.checkpoint.origin, checkpoint.size, self._clock.utc_us()
        seen = await other.do(lambda record: record.witness.seen(origin))
        old, path = await self._proof(chair, seen, size)

        def work(record: Record) -> Cosignature:
            line = record.witness.countersign(checkpoint.note, signing.signer.public, old, path, at_us=at_us)
            voucher = vouch(record.witness.name, record.witness.public(), signing)
            return Cosignature(WitnessKind.CHAIR, str(other.number), line, voucher, at_us)

        try:
            return await other.do(work)
        except WitnessRefused as error:
            if error.verdict is Verdict.MOVED or error.seen is None:
                raise
            raise _Contradicted(error.seen) from error

    async def _ask_hub(self, chair: "Chair", checkpoint: StoredCheckpoint) -> Cosignature:
        assert chair.hub is not None
        hub = chair.hub
        seen = await hub.driver.last_witnessed(checkpoint.note.checkpoint.origin)
        old, path = await self._proof(chair, seen, checkpoint.size)
        try:
            found = await hub.driver.countersign(checkpoint.note, old, path)
        except NotCountersigned as error:
            if error.receipt is not ReceiptCode.CONTRADICTED or seen is None:
                raise
            raise _Contradicted(seen) from error
        return Cosignature(WitnessKind.HUB, hub.serial, found.line, found.certificate, self._clock.utc_us())

    @staticmethod
    async def _proof(chair: "Chair", seen: Note | None, size: int) -> tuple[int, list[bytes]]:
        """From what a witness saw last; of a log that is shorter there is none."""
        old = seen.checkpoint.size if seen is not None else 0
        if not old or old > size:
            return old, []
        return old, await chair.do(lambda record: record.checkpoints.consistency(old, size))

    async def _contradicted(self, chair: "Chair", who: Who, found: "_Contradicted") -> None:
        """Keep what the witness holds, say so in the log once, and alarm each time."""
        seen, at_us = found.seen.checkpoint, self._clock.utc_us()
        log.error("chair %d: %s has seen %d entries that its log does not contain", chair.number, who, seen.size)

        def work(record: Record) -> str:
            kind = "rolled_back" if record.checkpoints.shorter(seen.size) else "forked"
            if record.checkpoints.contradicted(Contradiction(kind, str(who), found.seen, at_us)):
                text = Text(f"log.evidence.{kind}", {"by": who.by, "name": who.name, "entries": seen.size})
                record.add_event("evidence", text, at_us=at_us, visit_id=None, author="", voice="device")
                body = {"witness": str(who), "size": seen.size, "root": seen.root}
                record.audit(f"evidence.{kind}", actor="witness", at_us=at_us, body=body)
            return kind

        kind = await chair.do(work)
        self._alarms.raise_(f"evidence.{kind}", chair.number, by=who.by, name=who.name)

    async def _look(self, chair: "Chair", kept: _Kept) -> None:
        found = await chair.do(lambda record: record.checkpoints.countersigned_last())
        who: tuple[Text, ...] = ()
        if found is not None:
            who = tuple(Text(f"evidence.{one.kind}", {"name": one.witness}) for one in found[1])
        state = ChairEvidence(chair=chair.number, until_us=found[0].at_us if found is not None else None, witnesses=who)
        if state != kept.state:
            kept.state = state
            self._changed()

    def _spawn(self, work: Coroutine[object, object, None]) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


class _Contradicted(SmilescapeError):  # noqa: N818 - named for what is the case
    """A witness has seen what the log does not contain."""

    code = "evidence.contradicted"

    def __init__(self, seen: Note) -> None:
        super().__init__("A witness has seen what the log does not contain.", "Run `record verify`.")
        self.seen = seen
