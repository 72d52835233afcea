"""What is there after a power cut: bytes of a file that were settled, names in a folder that was."""

import os
import sys
from pathlib import Path

if sys.platform == "darwin":
    import fcntl


def settle(descriptor: int) -> None:
    """Return once what was written through this descriptor is on the medium."""
    if sys.platform == "darwin":
        fcntl.fcntl(descriptor, fcntl.F_FULLFSYNC)  # fsync stops at the drive's cache there
    elif sys.platform == "win32":
        os.fsync(descriptor)
    else:
        os.fdatasync(descriptor)


def settle_folder(folder: Path) -> None:
    """Return once names made, changed or taken away in this folder are on the medium; Windows does that by itself."""
    if sys.platform == "win32":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def replace(path: Path, data: bytes, *, durable: bool) -> None:
    """Write a file whole: the old one or the new one is there, whatever happens.

    Args:
        durable: the new one is there after a power cut, too, once this has returned.
    """
    fresh = path.with_suffix(".new")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | getattr(os, "O_BINARY", 0), 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
        if durable:
            file.flush()
            settle(file.fileno())
    fresh.replace(path)
    if durable:
        settle_folder(path.parent)
