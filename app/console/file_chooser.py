"""Files to choose from, inside a page: a dialog of its own would take keyboard and place from STOP."""

import os
import sys
import threading
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QObject, QSize, QStandardPaths, QStorageInfo, Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QListWidget, QListWidgetItem, QVBoxLayout, QWidget

from core.model.words import Words
from widgets.controls import Button, Label
from widgets.segmented import Segmented

MOST = 500
"""Entries that are shown of a folder."""
ROW = 48
STICKS = ("/media/", "/run/media/", "/Volumes/")
_FOLDER, _PATH = Qt.ItemDataRole.UserRole + 1, Qt.ItemDataRole.UserRole


@dataclass(frozen=True, slots=True)
class Listing:
    """What a folder holds: folders first, then the files that are wanted. `problem`: why it cannot be read."""

    folder: Path
    folders: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    problem: str = ""


class FileChooser(QWidget):
    """One file of a kind.

    Signals:
        chosen: its path.
        left: back, without one.
    """

    chosen = Signal(str)
    left = Signal()

    def __init__(self, words: Words, suffix: str | tuple[str, ...], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._words = words
        self._suffix = (suffix,) if isinstance(suffix, str) else suffix
        self._asked = 0
        self.folder = Path.home()
        self._lister = _Lister(self)
        self._lister.listed.connect(self._take)
        self.places = Segmented([])
        self.up_button = Button(words.say("files.up"))
        self.path_label = Label(tone="muted")
        self.state = Label(size=18, tone="muted", wrap=True)
        self.list = QListWidget()
        self.list.setAccessibleName(words.say("files.list"))
        self.list.setUniformItemSizes(True)
        self.list.setFrameShape(QListWidget.Shape.NoFrame)
        self.list.setVerticalScrollMode(QListWidget.ScrollMode.ScrollPerPixel)
        self.back_button = Button(words.say("files.back"))
        self.places.chosen.connect(lambda key: self.look(Path(key)))
        self.up_button.clicked.connect(lambda: self.look(self.folder.parent))
        self.list.itemClicked.connect(self._open)
        self.list.itemActivated.connect(self._open)
        self.back_button.clicked.connect(self.left)
        self._arrange()

    def begin(self) -> None:
        """A fresh look at the folder that was looked at last; a stick may have come."""
        self.places.set_options(_places(self._words))
        self.look(self.folder)

    def look(self, folder: Path) -> None:
        """List a folder, beside the window: a slow disk must not freeze it."""
        self._asked += 1
        self._lister.start(folder, self._suffix, self._asked)

    def names(self) -> list[str]:
        """What is shown, from the top."""
        return [self.list.item(row).text() for row in range(self.list.count())]

    def _take(self, listing: Listing, asked: int) -> None:
        if asked != self._asked:
            return
        self.folder = listing.folder
        self.path_label.setText(str(listing.folder))
        self.path_label.setToolTip(str(listing.folder))
        self.up_button.setEnabled(listing.folder.parent != listing.folder)
        self.places.choose(str(listing.folder))
        self.list.clear()
        for names, folder in ((listing.folders, True), (listing.files, False)):
            for name in names:
                item = QListWidgetItem(self._words.say("files.folder", name=name) if folder else name)
                item.setData(_PATH, str(listing.folder / name))
                item.setData(_FOLDER, folder)
                item.setSizeHint(QSize(0, ROW))
                self.list.addItem(item)
        said = listing.problem and self._words.say("files.problem", reason=listing.problem)
        if not said and not listing.files:
            said = self._words.say("files.none", suffix=self._words.say("files.or").join(self._suffix))
        self.state.setText(said)
        self.state.setVisible(bool(said))
        if self.list.count():
            self.list.setCurrentRow(0)
            self.list.setFocus()

    def _open(self, item: QListWidgetItem) -> None:
        path = str(item.data(_PATH))
        if item.data(_FOLDER):
            self.look(Path(path))
        else:
            self.chosen.emit(path)

    def _arrange(self) -> None:
        head = QHBoxLayout()
        head.setContentsMargins(0, 8, 0, 0)
        head.setSpacing(12)
        head.addWidget(self.places)
        head.addStretch()
        head.addWidget(self.up_button)
        foot = QHBoxLayout()
        foot.addWidget(self.back_button)
        foot.addStretch()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        column.addLayout(head)
        column.addWidget(self.path_label)
        column.addWidget(self.state)
        column.addWidget(self.list, 1)
        column.addLayout(foot)


class _Lister(QObject):
    """Lists folders in a thread. `listed` carries a Listing and the number asked with."""

    listed = Signal(object, int)

    def start(self, folder: Path, suffix: tuple[str, ...], asked: int) -> None:
        threading.Thread(target=self._run, args=(folder, suffix, asked), name="list-folder", daemon=True).start()

    def _run(self, folder: Path, suffix: tuple[str, ...], asked: int) -> None:
        self.listed.emit(listing_of(folder, suffix), asked)


def listing_of(folder: Path, suffix: str | tuple[str, ...]) -> Listing:
    """What a folder holds, without what is hidden; a folder that cannot be read says why."""
    folders: list[str] = []
    files: list[str] = []
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                if entry.name.startswith("."):
                    continue
                if entry.is_dir():
                    folders.append(entry.name)
                elif entry.name.lower().endswith(suffix):
                    files.append(entry.name)
    except OSError as error:
        return Listing(folder, problem=error.strerror or str(error))
    shown = sorted(files, key=str.casefold)[:MOST]
    return Listing(folder, tuple(sorted(folders, key=str.casefold)[: MOST - len(shown)]), tuple(shown))


def _places(words: Words) -> list[tuple[str, str]]:
    """Home, downloads, and the sticks and drives that are plugged in: (path, what it is called)."""
    downloads = QStandardPaths.writableLocation(QStandardPaths.StandardLocation.DownloadLocation)
    found = [(str(Path.home()), words.say("files.home"))]
    if downloads and Path(downloads) != Path.home() and Path(downloads).is_dir():
        found.append((downloads, words.say("files.downloads")))
    for volume in QStorageInfo.mountedVolumes():
        root = volume.rootPath()
        if volume.isReady() and (sys.platform == "win32" or f"{root}/".startswith(STICKS)):
            found.append((root, volume.name() or Path(root).name or root))
    return found[:6]
