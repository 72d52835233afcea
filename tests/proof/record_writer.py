"""Writers that are killed. Where there is `fork`, one process that has imported everything forks each of them.

For each line `CALL` on its standard input a writer begins at the record named on the command line, tells each step that
is committed, and dies before its CALL-th call to the system (0: somebody else kills it); then comes the line `dead`.
"""

import os
import signal
import sys
import traceback
from pathlib import Path

from tests.proof.faults import ANY, KILL, Faults, preload
from tests.proof.record_script import Writer


def say(word: object) -> None:
    os.write(1, f"{word}\n".encode())


def write(path: Path, call: int) -> None:
    faults = Faults() if call else None
    if faults is not None:
        faults.arm(ANY, call, KILL)
    writer = Writer(path, say)
    while True:
        writer.go()
        writer.tidy()


def main(path: Path) -> None:
    say("counts" if preload() and hasattr(os, "fork") else "waits")
    for line in sys.stdin:
        if not hasattr(os, "fork"):
            say(f"pid {os.getpid()}")
            write(path, 0)
        child = os.fork()
        if child == 0:
            try:
                say(f"pid {os.getpid()}")
                write(path, int(line))
            except BaseException:
                traceback.print_exc()
            finally:
                os._exit(1)
        _, status = os.waitpid(child, 0)
        say("dead" if os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL else "stumbled")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
