"""What a benchmark must know of the disk under it: which file system, how much was written, and how to forget it."""

import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import Final

IN_MEMORY: Final = frozenset({"tmpfs", "ramfs"})


def file_system(folder: Path) -> str:
    """The type of the file system that holds `folder`, "unknown" where the system does not say."""
    if sys.platform != "linux":
        return "unknown"
    place, found = folder.resolve(), (-1, "unknown")
    for line in Path("/proc/self/mountinfo").read_text(encoding="utf-8").splitlines():
        before, _, after = line.partition(" - ")
        mount = Path(before.split()[4])
        if mount == place or mount in place.parents:
            found = max(found, (len(mount.parts), after.split()[0]))
    return found[1]


def written_bytes() -> int | None:
    """What this process has caused to be written to disks so far; None where the system does not count it."""
    with suppress(OSError):
        for line in Path("/proc/self/io").read_text(encoding="ascii").splitlines():
            if line.startswith("write_bytes:"):
                return int(line.split()[1])
    return None


def forget(path: Path) -> bool:
    """Have the system drop a file from its memory, so that the next read is cold; False where that cannot be asked."""
    if not hasattr(os, "posix_fadvise"):
        return False
    with path.open("rb") as file:
        os.fsync(file.fileno())
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
    return True
