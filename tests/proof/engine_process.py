"""The integration tests' engine, on a wall clock that is set while it runs: `CLOCK` names a file, an offset in µs."""

import mmap
import os
import struct
import sys
from pathlib import Path
from typing import Final

from app.engine import house
from app.engine.clock import SystemAsyncClock
from tests.integration.engine_process import run

CLOCK: Final = "SMILESCAPE_TEST_CLOCK"
OFFSET: Final = struct.Struct("<q")


class JumpingClock(SystemAsyncClock):
    def __init__(self) -> None:
        with Path(os.environ[CLOCK]).open("rb") as file:
            self._offset = mmap.mmap(file.fileno(), OFFSET.size, access=mmap.ACCESS_READ)

    def utc_us(self) -> int:
        return super().utc_us() + int(OFFSET.unpack(self._offset[: OFFSET.size])[0])


if __name__ == "__main__":
    vars(house)["SystemAsyncClock"] = JumpingClock
    sys.exit(run())
