"""Take in a file: dropped here, or chosen from the list; a child of the page, so that STOP keeps its keys."""

from pathlib import Path

from PySide6.QtCore import QDir, Signal
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import QFileSystemModel, QHBoxLayout, QLineEdit, QListView, QVBoxLayout, QWidget

from core.model.clinical import MAX_SHORT, Attachment
from core.model.words import Words
from widgets.controls import Button, Card, Label

MAX_MB = 16
ENDINGS = ("*.png", "*.jpg", "*.jpeg", "*.tif", "*.tiff", "*.dcm", "*.pdf", "*.txt")


class AttachForm(Card):
    """Signals:
    saved: an Attachment and its bytes.
    cancelled: it was put away.
    """

    saved = Signal(object, bytes)
    cancelled = Signal()

    def __init__(self, words: Words, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._words = words
        self._patient_id = ""
        self._path: Path | None = None
        self.setAcceptDrops(True)
        self._files = QFileSystemModel(self)
        self._files.setReadOnly(True)
        self._files.setFilter(QDir.Filter.AllDirs | QDir.Filter.Files | QDir.Filter.NoDot)
        self._files.setNameFilters(list(ENDINGS))
        self._files.setNameFilterDisables(False)
        self.list = QListView()
        self.list.setModel(self._files)
        self.list.setStyleSheet(
            "QListView { background: transparent; border: none; } QListView::item { height: 48px; }"
        )
        self.list.setAccessibleName(words.say("clinical.kind.attachment"))
        self.where = Label(size=13, tone="muted", elide=True)
        self.name, self.text = QLineEdit(), QLineEdit()
        self.message = Label(words.say("clinical.choose_file", size=MAX_MB), tone="muted", wrap=True)
        self.save = Button(words.say("clinical.save"), role="pri")
        self.cancel = Button(words.say("clinical.cancel"))
        self._arrange()
        self.list.clicked.connect(lambda index: self.choose(Path(self._files.filePath(index))))
        self.list.activated.connect(lambda index: self.choose(Path(self._files.filePath(index))))
        self.save.clicked.connect(self._save)
        self.cancel.clicked.connect(self.cancelled)

    def open_new(self, patient_id: str) -> None:
        self._patient_id = patient_id
        self._path = None
        self.name.clear()
        self.text.clear()
        self.save.setEnabled(False)
        self.message.setText(self._words.say("clinical.choose_file", size=MAX_MB))
        self._look_in(Path.home())
        self.list.setFocus()

    def choose(self, path: Path) -> None:
        """Go into a folder, or take a file."""
        if path.is_dir():
            self._look_in(path.resolve())
            return
        self._path = path
        self.name.setText(path.name[:MAX_SHORT])
        self.save.setEnabled(True)
        self.message.setText("")

    def say(self, sentence: str) -> None:
        self.message.setText(sentence)
        self.save.setEnabled(True)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if any(url.isLocalFile() for url in event.mimeData().urls()):
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        self.choose(Path(next(url.toLocalFile() for url in event.mimeData().urls() if url.isLocalFile())))

    def _look_in(self, folder: Path) -> None:
        self.list.setRootIndex(self._files.setRootPath(str(folder)))
        self.where.setText(str(folder))

    def _save(self) -> None:
        path = self._path
        if path is None:
            return
        try:
            with path.open("rb") as file:
                data = file.read(MAX_MB * 1024 * 1024 + 1)  # one more is refused by whoever takes it
        except OSError as error:
            self.say(self._words.say("clinical.file_unread", why=error.strerror or ""))
            return
        self.save.setEnabled(False)
        entry = Attachment(patient_id=self._patient_id, name=self.name.text(), text=self.text.text())
        self.saved.emit(entry, data)

    def _arrange(self) -> None:
        fields = QVBoxLayout()
        fields.setSpacing(4)
        for key, field in (("name", self.name), ("text", self.text)):
            label = Label(self._words.say(f"clinical.field.{key}"), size=13, bold=True)
            label.setBuddy(field)
            field.setAccessibleName(label.text())
            field.setMaxLength(MAX_SHORT)
            fields.addWidget(label)
            fields.addWidget(field)
        fields.addSpacing(8)
        fields.addWidget(self.message)
        fields.addStretch()
        foot = QHBoxLayout()
        foot.setSpacing(12)
        foot.addStretch()
        foot.addWidget(self.cancel)
        foot.addWidget(self.save)
        fields.addLayout(foot)
        left = QVBoxLayout()
        left.setSpacing(4)
        left.addWidget(self.where)
        left.addWidget(self.list, 1)
        sides = QHBoxLayout()
        sides.setSpacing(24)
        sides.addLayout(left, 1)
        sides.addLayout(fields, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(16, 12, 16, 16)
        column.setSpacing(8)
        column.addWidget(Label(self._words.say("clinical.kind.attachment"), size=18, bold=True))
        column.addLayout(sides, 1)
