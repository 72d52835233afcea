"""Makes a backup, opens one, or plans an erasure, beside the engine. `python -m app.engine.vault_process`.

The task comes as the first frame of its input. Another frame, or the end of the input, breaks it off: it then clears
away what it began and ends. It works at low priority, so that live chairs never wait for it.
"""

import contextlib
import sys
import threading
from pathlib import Path

import psutil

from app.engine.vault_wire import MAX_TASK, Ended, Failed, Outcome, Planned, Step, VaultTask, decode_task, encode
from app.ipc.frames import claim_stdout, read_frame, write_frame
from core.backup.checking import check_backup
from core.backup.erasing import plan_erasure
from core.backup.making import Source, make_backup
from core.model.clock import ManualClock
from core.model.errors import SmilescapeError
from core.record import RecordReader
from core.record.practice import FILE_NAME, PracticeFile

_NICE = 10


class Worker:
    """Does one task. `broken_off`: set when it is to end."""

    def __init__(self, task: VaultTask) -> None:
        self._task = task
        self._out = claim_stdout()
        self.broken_off = threading.Event()

    def run(self) -> None:
        try:
            outcome = self._work()
        except SmilescapeError as error:
            outcome = Failed(error.code, Exception.__str__(error), error.remedy or "")
        except Exception as error:
            outcome = Failed("backup.failed", f"The backup met a fault: {error!r}.", "Send the log to support.")
        self._say(outcome)

    def _work(self) -> Outcome:
        match self._task.work:
            case "make" | "check":
                return self._backup()
            case "plan":
                return self._plan()

    def _backup(self) -> Ended:
        task, clock = self._task, ManualClock(utc_us=self._task.at_us)
        practice = PracticeFile.open(Path(task.files[0].path), task.files[0].key, clock=clock)
        place, scratch = Path(task.place), Path(task.scratch)
        try:
            if task.work == "check":
                check_backup(place, task.name, practice, clock=clock, scratch=scratch, watch=self._watch)
                return Ended(task.name)
            sources = [Source(Path(one.path), one.key) for one in task.files]
            made = make_backup(
                place,
                sources,
                practice,
                clock=clock,
                simulated=task.simulated,
                scratch=scratch,
                watch=self._watch,
            )
            return Ended(made.name)
        finally:
            practice.close()

    def _plan(self) -> Planned:
        task = self._task
        with contextlib.ExitStack() as stack:
            readers = [
                stack.enter_context(RecordReader.open(Path(one.path), one.key))
                for one in task.files
                if Path(one.path).name != FILE_NAME
            ]
            plan = plan_erasure(readers, task.patient, task.kept)
        exports = tuple(
            str(path) for path in sorted(Path(task.exports).rglob("*")) if any(code in path.name for code in plan.codes)
        )
        return Planned(dict(plan.goes), dict(plan.stays), plan.codes, dict(plan.nobodys), exports)

    def _watch(self, done: float) -> bool:
        self._say(Step(done))
        return not self.broken_off.is_set()

    def _say(self, said: Step | Outcome) -> None:
        with contextlib.suppress(BrokenPipeError):
            write_frame(self._out, encode(said))


def main() -> None:
    first = read_frame(sys.stdin.buffer, MAX_TASK)
    if first is None:
        return
    with contextlib.suppress(psutil.Error, OSError):
        low = getattr(psutil, "BELOW_NORMAL_PRIORITY_CLASS", _NICE)
        psutil.Process().nice(low)
    _keep_no_core()
    worker = Worker(decode_task(first))

    def listen() -> None:
        read_frame(sys.stdin.buffer, MAX_TASK)
        worker.broken_off.set()

    threading.Thread(target=listen, daemon=True).start()
    worker.run()


def _keep_no_core() -> None:
    """A crash must not leave the keys on the disk."""
    with contextlib.suppress(ImportError):
        import resource

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


if __name__ == "__main__":
    main()
