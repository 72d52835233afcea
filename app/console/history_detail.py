"""One thing of the time line in full: its newest version, the older ones struck through, what can be done with it."""

from PySide6.QtCore import QBuffer, QByteArray, QIODevice, QSize, Qt, Signal
from PySide6.QtGui import QImage, QImageReader, QPixmap
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QScrollArea, QVBoxLayout, QWidget

from app.console.history_words import HistoryItem, correction, line_of, when, who
from core.model.clinical import BY_HAND, Attachment, EntryVersion
from core.model.words import Words
from widgets.controls import Button, Hairline, Label

PREVIEW = QSize(300, 220)
MAX_PIXELS = 64_000_000
"""Larger images are not decoded here: a small file can claim to be enormous."""
SHOWN = ("image/png", "image/jpeg")


class HistoryDetail(QWidget):
    """Signals:
    correct_wanted, withdraw_wanted: the newest EntryVersion.
    visit_wanted: id of a visit.
    file_wanted, copy_wanted: an EntryVersion of a file.
    """

    correct_wanted = Signal(object)
    withdraw_wanted = Signal(object)
    visit_wanted = Signal(str)
    file_wanted = Signal(object)
    copy_wanted = Signal(object)

    def __init__(self, words: Words, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._words = words
        self.item: HistoryItem | None = None
        self.picture = QLabel()
        self.picture.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.message = Label(tone="muted", wrap=True)
        self.correct = Button(words.say("clinical.correct"))
        self.withdraw = Button(words.say("clinical.withdraw"))
        self.open = Button(words.say("patients.actions.open"), role="pri", icon="right", icon_right=True)
        self.look = Button(words.say("clinical.show_file"), icon="eye")
        self.copy = Button(words.say("clinical.save_copy"), icon="doc")
        self._area = QScrollArea()
        self._area.setWidgetResizable(True)
        self._area.setFrameShape(QFrame.Shape.NoFrame)
        self._area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        column.addWidget(self._area, 1)
        column.addWidget(self.picture)
        column.addWidget(self.message)
        for pair in ((self.correct, self.withdraw), (self.look, self.copy)):
            row = QHBoxLayout()
            row.setSpacing(12)
            for button in pair:
                row.addWidget(button, 1)
            column.addLayout(row)
        column.addWidget(self.open)
        self.correct.clicked.connect(lambda: self.correct_wanted.emit(self._newest()))
        self.withdraw.clicked.connect(lambda: self.withdraw_wanted.emit(self._newest()))
        self.open.clicked.connect(self._open_visit)
        self.look.clicked.connect(lambda: self.file_wanted.emit(self._newest()))
        self.copy.clicked.connect(lambda: self.copy_wanted.emit(self._newest()))

    def show_item(
        self, item: HistoryItem, now_us: int, *, writable: bool, corrects: bool = True, copies: bool = True
    ) -> None:
        """
        Args:
            writable: who is logged in may correct it.
            corrects: they may correct anything at all; else there are no such buttons.
            copies: they may save copies of files.
        """
        self.item = item
        self.picture.hide()
        self.picture.setPixmap(QPixmap())
        self._say("")
        newest = item.newest
        by_hand = newest is not None and isinstance(newest.entry, BY_HAND)
        file = newest is not None and isinstance(newest.entry, Attachment)
        for button in (self.correct, self.withdraw):
            button.setVisible(by_hand and corrects and not item.withdrawn)
            button.setEnabled(writable)
        if by_hand and corrects and not writable and not item.withdrawn:
            self._say(self._words.say("clinical.not_allowed"))
        self.look.setVisible(file)
        self.copy.setVisible(file and copies)
        self.open.setVisible(item.visit is not None)
        self._area.setWidget(self._told(item, now_us))

    def show_file(self, entry: Attachment, data: bytes) -> None:
        """An image in small; text as text; nothing else is opened here."""
        if entry.media_type == "text/plain":
            self._say(data.decode("utf-8-sig", "replace")[:2000])
        elif (image := _image(entry, data)) is not None:
            ratio = self.devicePixelRatioF()
            wanted = QSize(min(PREVIEW.width(), max(120, self.width())), PREVIEW.height())
            scaled = image.scaled(
                wanted * ratio, Qt.AspectRatioMode.KeepAspectRatio, Qt.TransformationMode.SmoothTransformation
            )
            scaled.setDevicePixelRatio(ratio)
            self.picture.setPixmap(QPixmap.fromImage(scaled))
            self.picture.setAccessibleName(entry.name)
            self.picture.show()
        else:
            self._say(self._words.say("clinical.file_hidden"))

    def say(self, sentence: str) -> None:
        self._say(sentence)

    # inside

    def _open_visit(self) -> None:
        if self.item is not None:
            self.visit_wanted.emit(self.item.id)

    def _say(self, sentence: str) -> None:
        self.message.setText(sentence)
        self.message.setVisible(bool(sentence))

    def _newest(self) -> EntryVersion | None:
        return self.item.newest if self.item is not None else None

    def _told(self, item: HistoryItem, now_us: int) -> QWidget:
        inner = QWidget()
        column = QVBoxLayout(inner)
        column.setContentsMargins(0, 0, 6, 0)
        column.setSpacing(6)
        column.addWidget(Label(self._words.say(f"clinical.kind.{item.kind}"), size=18, bold=True))
        newest = item.newest
        shown = (
            newest.entry.text if newest is not None and newest.entry.text and "\n" in newest.entry.text else item.line
        )
        said = Label(shown, wrap=True, tone="patient" if item.voice == "patient" else "ink")
        if item.withdrawn:
            _strike(said)
        column.addWidget(said)
        if newest is not None:
            told = correction(self._words, item, now_us) or self._written(newest, now_us)
            column.addWidget(Label(told, size=13, tone="muted", wrap=True))
        for row in reversed(item.versions[:-1]):
            column.addWidget(Hairline())
            older = Label(line_of(self._words, row.entry), tone="muted", wrap=True)
            older.setAccessibleName(self._words.say("clinical.superseded", text=older.text()))
            _strike(older)
            column.addWidget(older)
            column.addWidget(Label(self._written(row, now_us), size=13, tone="muted", wrap=True))
        column.addStretch()
        return inner

    def _written(self, row: EntryVersion, now_us: int) -> str:
        return self._words.say(
            "clinical.written",
            when=when(self._words, row.written_us, now_us),
            who=who(self._words, row.author),
            chair=row.chair,
        )


def _strike(label: Label) -> None:
    face = label.font()
    face.setStrikeOut(True)
    label.setFont(face)


def _image(entry: Attachment, data: bytes) -> QImage | None:
    """None for what is no image that is shown here, or cannot be decoded."""
    if entry.media_type not in SHOWN:
        return None
    held = QByteArray(data)
    buffer = QBuffer(held)
    buffer.open(QIODevice.OpenModeFlag.ReadOnly)
    reader = QImageReader(buffer, QByteArray(b"png" if entry.media_type == "image/png" else b"jpeg"))
    size = reader.size()
    if not size.isValid() or size.width() * size.height() > MAX_PIXELS:
        return None
    image = reader.read()
    return None if image.isNull() else image
