"""A page that must not stay: opened by another program to be printed, and gone afterwards."""

import atexit
import os
import shutil
import tempfile
from pathlib import Path

from PySide6.QtCore import QUrl
from PySide6.QtGui import QDesktopServices


class PrivateSheet:
    """One PDF at a time, in a folder for this user alone; on Linux in memory, never beside what it opens."""

    def __init__(self) -> None:
        self._folder: Path | None = None
        atexit.register(self.forget)

    def show(self, pdf: bytes) -> bool:
        """Whether some program opened it. The file stays until `forget`, or the end of this program."""
        self.forget()
        within = os.environ.get("XDG_RUNTIME_DIR", "")
        try:
            place = tempfile.mkdtemp(prefix="smilescape-", dir=within if Path(within).is_dir() and within else None)
            self._folder = Path(place)
            path = self._folder / "code.pdf"
            path.write_bytes(pdf)
        except OSError:
            return False
        return QDesktopServices.openUrl(QUrl.fromLocalFile(str(path)))

    def forget(self) -> None:
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)
            self._folder = None
