"""Room kept on the disk so that the last minutes of a procedure fit when it is full.

A file beside the record, as long as what one chair writes in a quarter of an hour, given back at the first commit that
finds no room. It holds nothing.

How long: a hub's 17 channels and the standard sensors make 1,400 samples a second, 2.8 kB as int16, of which a commit
every 200 ms takes 560 bytes, and 69 more for each of 25 channels: 2.3 kB, for which it gets a slot of 4 kB, 20 kB/s.
Events, alarms and answers stay below 1 kB/s, and pages are never quite full: 22 kB/s were measured. Compaction, which
makes 2 kB/s of it, is not counted on. For 15 minutes that is 20 MB, and the write-ahead log takes up to 16 MiB (its
limit) while somebody reads. Together 35 MiB.
"""

import contextlib
import os
import secrets
import shutil
from pathlib import Path

BALLAST_BYTES = 36 * 1024 * 1024
MINUTES = 15
_CHUNK = 1024 * 1024


class Ballast:
    """The room of one record. No method raises: that there is none must keep nobody from recording."""

    def __init__(self, record: Path, size: int = BALLAST_BYTES) -> None:
        self.path = record.with_name(record.name + ".ballast")
        self._size = size

    def held(self) -> bool:
        with contextlib.suppress(OSError):
            return self.path.stat().st_size >= self._size
        return False

    def release(self) -> bool:
        """Give the room back; False when there was none."""
        try:
            self.path.unlink()
        except OSError:
            return False
        return True

    def keep(self) -> bool:
        """Take the room when twice as much is left beside it, so that it does not come and go; whether it is held."""
        if self.held():
            return True
        draft = self.path.with_name(self.path.name + ".new")
        try:
            if shutil.disk_usage(self.path.parent).free < 3 * self._size:
                return False
            with draft.open("wb", buffering=0) as file:
                self._fill(file.fileno())
            draft.replace(self.path)
        except OSError:
            return False
        finally:
            with contextlib.suppress(OSError):
                draft.unlink(missing_ok=True)
        return True

    def _fill(self, descriptor: int) -> None:
        """Blocks of the disk, not a hole and nothing that a file system could compress."""
        if hasattr(os, "posix_fallocate"):
            os.posix_fallocate(descriptor, 0, self._size)
            return
        for at in range(0, self._size, _CHUNK):
            os.write(descriptor, secrets.token_bytes(min(_CHUNK, self._size - at)))
        os.fsync(descriptor)
