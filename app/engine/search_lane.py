"""The reader's thread for searches: only the newest counts, and it breaks off the one before."""

import threading
from collections.abc import Callable

from app.engine.reader import ReadDesk
from app.engine.reader_wire import ReaderSetup
from app.ipc.clinical_messages import SearchRecords
from app.ipc.messages import Reply
from app.ipc.refusals import refused


class SearchLane:
    """Every search is answered once: with what was found, or refused as superseded."""

    def __init__(self, setup: ReaderSetup, answer: Callable[[int, Reply], None]) -> None:
        self._desk = ReadDesk(setup)
        self._answer = answer
        self._changed = threading.Condition()
        self._waiting: tuple[int, SearchRecords] | None = None
        self._running = False
        threading.Thread(target=self._run, name="search", daemon=True).start()

    def put(self, number: int, request: SearchRecords) -> None:
        with self._changed:
            skipped, self._waiting = self._waiting, (number, request)
            if self._running:
                self._desk.interrupt()
            self._changed.notify()
        if skipped is not None:
            self._answer(skipped[0], refused("superseded", "reader"))

    def _run(self) -> None:
        while True:
            with self._changed:
                self._running = False
                self._changed.wait_for(lambda: self._waiting is not None)
                taken, self._waiting = self._waiting, None
                self._running = True
            if taken is None:
                continue
            number, request = taken
            reply = self._desk.search(request, self._outdated)
            self._answer(number, refused("superseded", "reader") if self._outdated() else reply)

    def _outdated(self) -> bool:
        return self._waiting is not None
