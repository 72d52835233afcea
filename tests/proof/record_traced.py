"""A record's life, to be traced: each step that is committed is told of in a file beside it."""

import os
import sys
from pathlib import Path

from tests.proof.record_script import Writer


def main(folder: Path, steps: int) -> None:
    told = os.open(folder / "told", os.O_WRONLY | os.O_CREAT)
    writer = Writer(folder / "r", lambda step: _tell(told, step))
    for _ in range(steps):
        writer.go()
        writer.tidy()
    writer.record.close()


def _tell(told: int, step: int) -> None:
    os.write(told, b"%d" % step)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
