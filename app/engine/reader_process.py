"""The reader: serves records to one operator until its input ends. `python -m app.engine.reader_process`.

Record files and keys come as the first frame of its input. Reviews, long jobs and searches have a thread each, so that
an export never keeps a zoom waiting. When the input ends, the engine has closed the reader or has died: nothing more
may be read, so the process ends at once, in the middle of whatever it does.
"""

import contextlib
import logging
import os
import queue
import sys
import threading
from typing import BinaryIO

from app.engine.import_work import Emit
from app.engine.reader import ReadDesk
from app.engine.reader_wire import (
    LONG_REQUESTS,
    MAX_SETUP,
    JobRequest,
    ReaderSetup,
    ReadRequest,
    decode_setup,
)
from app.engine.search_lane import SearchLane
from app.ipc.clinical_messages import SearchRecords
from app.ipc.export_messages import CancelJob, Progressed
from app.ipc.frames import claim_stdout, read_frame, write_frame
from app.ipc.messages import MAX_MESSAGE, Answer, Reply, decode_ask, encode
from app.ipc.refusals import refused
from core.model.progress import Cancelled, Watch
from core.model.traces import install, log_plainly


class Lane:
    """One thread with its own open records."""

    def __init__(self, setup: ReaderSetup, answers: "Answers") -> None:
        self._setup = setup
        self._answers = answers
        self._work: queue.Queue[tuple[int, ReadRequest | JobRequest]] = queue.Queue()
        self._cancelled: set[int] = set()
        self._desk = ReadDesk(self._setup)
        threading.Thread(target=self._run, daemon=True).start()

    def put(self, number: int, request: ReadRequest | JobRequest) -> None:
        self._work.put((number, request))

    def cancel(self, number: int) -> None:
        """The request of that number ends at its next step, or before its first."""
        self._cancelled.add(number)

    def abandon(self) -> None:
        """What was begun will not be finished: take its drafts away."""
        self._desk.sweep()

    def _run(self) -> None:
        while True:
            number, request = self._work.get()
            self._answers.send(number, self._desk.serve(request, self._watch(number), self._emit(number)))
            self._cancelled.discard(number)

    def _emit(self, number: int) -> Emit:
        return lambda piece: self._answers.send(number, piece)

    def _watch(self, number: int) -> Watch:
        told = -1

        def watch(done: float) -> None:
            nonlocal told
            if number in self._cancelled:
                raise Cancelled
            if (step := int(done * 200)) != told:
                told = step
                self._answers.send(number, Progressed(done=done))

        return watch


class Answers:
    """Writes whole frames, whichever thread they come from."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._lock = threading.Lock()

    def send(self, number: int, reply: Reply | Progressed) -> None:
        data = encode(Answer(number, reply))
        if len(data) > MAX_MESSAGE:
            data = encode(Answer(number, refused("bad_range", "reader")))
        with self._lock, contextlib.suppress(BrokenPipeError):
            write_frame(self._stream, data)


def main() -> None:
    """Serve until the input ends."""
    install()
    log_plainly(logging.StreamHandler(), logging.WARNING)
    answers = Answers(claim_stdout())
    first = read_frame(sys.stdin.buffer, MAX_SETUP)
    if first is None:
        return
    setup = decode_setup(first)
    reviews, jobs = Lane(setup, answers), Lane(setup, answers)
    searches = SearchLane(setup, answers.send)
    while (data := read_frame(sys.stdin.buffer, MAX_MESSAGE)) is not None:
        ask = decode_ask(data)
        if isinstance(ask.body, CancelJob):
            jobs.cancel(ask.number)
        elif isinstance(ask.body, SearchRecords):
            searches.put(ask.number, ask.body)
        elif isinstance(ask.body, ReadRequest | JobRequest):
            (jobs if isinstance(ask.body, LONG_REQUESTS) else reviews).put(ask.number, ask.body)
        else:
            answers.send(ask.number, refused("failed", "reader"))
    jobs.abandon()
    os._exit(0)  # also when a thread is in the middle of a long job


if __name__ == "__main__":
    main()
