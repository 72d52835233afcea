"""The hub's chained journal, as it is kept (docs/hub-protocol.md, section 10)."""

import hashlib
from collections.abc import Callable

from devices.hub.session.journal import JournalHead, append, decode_entry
from devices.hub.session.wire import JournalEvent
from devices.simulator.store import Store


class Logbook:
    """Entries of one boot join those of all boots before. What was done in passing is told together.

    Sessions that were refused are told by the 1st, 2nd, 4th, 8th … since another entry, and how many they were before
    the next one: who has no key fills no journal.

    Args:
        now: hub time, µs.
    """

    def __init__(self, store: Store, boot: int, now: Callable[[], int]) -> None:
        self._store = store
        self._boot = boot
        self._now = now
        self._head = _head(store)
        self._passing: tuple[int, bytes] | None = None
        self._refused = self._refused_told = 0
        self._reason = 0

    @property
    def next(self) -> int:
        return self._store.journal.next

    @property
    def oldest(self) -> int:
        return self._store.journal.oldest

    def read(self, first: int, count: int) -> list[bytes]:
        """The entries from `first` on that are held."""
        return self._store.journal.read(first, count)

    def passing(self, counter: int, signer: bytes) -> None:
        """A command that changes nothing for the patient was done."""
        self._passing = (counter, signer)

    def write(self, opcode: int, *, counter: int = 0, signer: bytes = b"", code: int = 0, message: bytes = b"") -> None:
        """One entry, and before it the one that tells of what was done in passing."""
        self.settle()
        self._append(opcode, counter, signer, code, message)

    def refused(self, reason: int) -> None:
        """A session was refused, for this reason."""
        self._settle_passing()
        self._refused += 1
        self._reason = reason
        if self._refused & (self._refused - 1) == 0:
            self._tell_refused()

    def settle(self) -> None:
        """Tell of what was done in passing, or refused, since the last entry, if anything was."""
        if self._refused > self._refused_told:
            self._tell_refused()
        self._settle_passing()

    def _tell_refused(self) -> None:
        self._refused_told = self._refused
        self._append(JournalEvent.SESSION_REFUSED, self._refused, b"", self._reason, b"")

    def _settle_passing(self) -> None:
        if self._passing is not None:
            (counter, signer), self._passing = self._passing, None
            self._append(JournalEvent.BOOKKEEPING, counter, signer, 0, b"")

    def _append(self, opcode: int, counter: int, signer: bytes, code: int, message: bytes) -> None:
        raw, self._head = append(
            self._head,
            boot=self._boot,
            hub_time_us=self._now(),
            opcode=opcode,
            counter=counter,
            signer=signer,
            code=code,
            message=message,
        )
        self._store.journal.append([raw])
        if opcode == JournalEvent.SESSION_REFUSED:
            return
        self._refused = self._refused_told = 0
        state = self._store.state
        if state.accounted < counter <= state.counter:
            state.accounted = counter


def _head(store: Store) -> JournalHead:
    last = store.journal.read(store.journal.next - 1, 1)
    return JournalHead(decode_entry(last[0]).number + 1, hashlib.sha256(last[0]).digest()) if last else JournalHead()
