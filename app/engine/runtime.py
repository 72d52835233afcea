"""The data folder: where everything lies, and that real and simulated data never meet in it."""

import errno
import os
import shutil
from dataclasses import dataclass
from pathlib import Path

import platformdirs

from core.model.errors import SmilescapeError

APP = "smilescape"
MARKER = ".simulated"
_PROBE = ".writable"


class FolderError(SmilescapeError):
    """The data folder cannot be used."""

    code = "folder"


class FolderReadOnly(FolderError):  # noqa: N818
    """Nothing can be written there."""

    code = "folder.read_only"


class FolderFull(FolderError):  # noqa: N818
    """The disk has no space left."""

    code = "folder.full"


class MixedData(FolderError):  # noqa: N818
    """Simulated and real data would come together."""

    code = "folder.mixed"


@dataclass(frozen=True, slots=True)
class Folder:
    """A data folder that exists and can be written.

    Attributes:
        simulated: it holds simulated data only, for ever.
    """

    root: Path
    simulated: bool

    @staticmethod
    def default(*, demo: bool = False) -> Path:
        """Where the data lies when nothing else is said; the demo has a folder of its own."""
        return Path(platformdirs.user_data_dir(f"{APP}-demo" if demo else APP, appauthor=False, roaming=False))

    @classmethod
    def open(cls, root: Path, *, simulated: bool) -> "Folder":
        """Create what is missing, readable by this user only, and try that it can be written.

        Raises:
            MixedData: the folder holds the other kind of data.
            FolderReadOnly, FolderFull, FolderError: it cannot be used, and why.
        """
        root = Path(os.path.abspath(root))  # noqa: PTH100 - links stay as the user named them
        try:
            marked = (root / MARKER).exists()
            held = marked or _holds_records(root)
        except OSError as error:
            raise _cannot_use(root, error) from error
        if held and marked != simulated:
            raise _mixed(root, marked)
        folder = cls(root, simulated)
        try:
            root.mkdir(mode=0o700, parents=True, exist_ok=True)
            for each in (folder.runtime_dir, folder.log_dir, folder.exports):
                each.mkdir(mode=0o700, exist_ok=True)
                each.chmod(0o700)
            (root / _PROBE).write_bytes(b"\0")
            (root / _PROBE).unlink()
            if simulated:
                (root / MARKER).touch(mode=0o600)
        except OSError as error:
            raise _cannot_use(root, error) from error
        return folder

    @property
    def runtime_dir(self) -> Path:
        """The engine's address, its lock and the live rings."""
        return self.root / "runtime"

    @property
    def log_dir(self) -> Path:
        return self.root / "log"

    @property
    def exports(self) -> Path:
        """Where reports and exports go when no other place is chosen."""
        return self.root / "exports"

    @property
    def practice_file(self) -> Path:
        return self.root / "practice.sqlite"

    def chair_file(self, chair: int) -> Path:
        return self.root / f"chair-{chair}.sqlite"

    def ring_file(self, chair: int) -> Path:
        return self.runtime_dir / f"chair-{chair}.ring"

    def chairs(self) -> tuple[int, ...]:
        """Numbers of the chairs that have a record here."""
        names = (file.stem.removeprefix("chair-") for file in self.root.glob("chair-*.sqlite"))
        return tuple(sorted(int(name) for name in names if name.isdigit()))

    def free_bytes(self) -> int:
        """Space left for this user on the folder's disk."""
        return shutil.disk_usage(self.root).free

    def admit(self, *, simulated: bool) -> None:
        """Ask before a hub's data enters.

        Raises:
            MixedData: the hub is simulated and the folder is not, or the other way round.
        """
        if simulated != self.simulated:
            raise _mixed(self.root, self.simulated)


def _holds_records(root: Path) -> bool:
    return any(root.glob("*.sqlite"))


def _mixed(root: Path, simulated: bool) -> MixedData:
    if simulated:
        return MixedData(
            f"{root} holds simulated data; nothing real may enter it.", "Choose another data folder for real hubs."
        )
    return MixedData(f"{root} holds real records; nothing simulated may enter it.", "Choose another folder for it.")


def _cannot_use(root: Path, error: OSError) -> FolderError:
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return FolderReadOnly(
            f"{root} cannot be written.", "Give yourself the right to write there, or choose another."
        )
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return FolderFull(f"The disk of {root} is full.", "Free some space, then start again.")
    return FolderError(f"{root} cannot be used: {error.strerror}.", "Choose another data folder.")
