"""A writer that commits as fast as it can and says so after each commit, until it is killed."""

import sys
from pathlib import Path

import numpy as np

from core.model.block import SampleBlock
from core.model.clock import SystemClock
from core.record import Record, StampedBlock

KEY = bytes(range(32))


def main(path: Path) -> None:
    open_or_create = path.exists()
    record = (
        Record.open(path, KEY, clock=SystemClock())
        if open_or_create
        else Record.create(path, KEY, chair=1, simulated=True, clock=SystemClock())
    )
    resume = record.resume_point("hub")
    step = 0 if resume is None else resume + 1
    while True:
        with record.transaction():
            for channel, count in ((8, 200), (2, 2)):
                index = np.arange(step * count, (step + 1) * count)
                block = SampleBlock(channel, 0, step * count, step * 200_000, 200_000 // count, index.astype(np.int16))
                record.add_blocks("hub", [StampedBlock(block, step * 200_000)], None)
            record.add_sequences("hub", [(step, step + 1)])
            record.audit("step", actor="test", at_us=step, body={"step": step})
        sys.stdout.write(f"{step}\n")
        sys.stdout.flush()
        if step % 7 == 0:
            record.compact(settle=step % 3 == 0)
        step += 1


if __name__ == "__main__":
    main(Path(sys.argv[1]))
