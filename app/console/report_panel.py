"""The report: its first page, where it is, how to open it, and in which form and language to have it."""

from pathlib import Path

from PySide6.QtCore import QRectF, Qt, QUrl, Signal
from PySide6.QtGui import QDesktopServices, QPainter, QPaintEvent, QPen, QPixmap
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QVBoxLayout, QWidget

from app.ipc.messages import MakeReport, ReportMade
from core.model.words import Words
from widgets.controls import Button, Card, Label
from widgets.theme import color, tokens

FORMATS = ("pdf", "html")
LANGUAGES = ("en", "es", "zh")


class ReportPanel(Card):
    """The finished report.

    Signals:
        closed: back to the visit.
        wanted: format and language in which somebody wants it, too.
    """

    closed = Signal()
    wanted = Signal(str, str)

    def __init__(self, words: Words, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._words = words
        self._path = Path()
        self.format, self.language = FORMATS[0], LANGUAGES[0]
        self.formats = {key: self._choice(f"patients.report.format.{key}") for key in FORMATS}
        self.languages = {key: self._choice(f"patients.report.language.{key}") for key in LANGUAGES}
        self.preview = _Page(words)
        self._headline = Label(words.say("patients.report.ready"), size=24, bold=True)
        self._pages = Label(tone="muted", wrap=True)
        self.path_label = Label(size=13, wrap=True)
        self.path_label.setTextInteractionFlags(
            Qt.TextInteractionFlag.TextSelectableByMouse | Qt.TextInteractionFlag.TextSelectableByKeyboard
        )
        self._problem = Label(tone="muted", wrap=True)
        self.back_button = Button(words.say("patients.back"))
        self.folder_button = Button(words.say("patients.actions.open_folder"))
        self.open_button = Button(words.say("patients.actions.open"), role="pri", icon="doc")
        self.back_button.clicked.connect(self.closed)
        self.folder_button.clicked.connect(lambda: self._open(self._path.parent))
        self.open_button.clicked.connect(lambda: self._open(self._path))
        for key, button in self.formats.items():
            button.clicked.connect(lambda _=False, key=key: self._want(key, self.language))
        for key, button in self.languages.items():
            button.clicked.connect(lambda _=False, key=key: self._want(self.format, key))
        self._arrange()
        self._show_choice()

    def show_report(self, made: ReportMade, asked: MakeReport | None = None) -> None:
        """`asked`: what was asked for; an English PDF when it is not said."""
        self._path = Path(made.path)
        self.format, self.language = (asked.format, asked.language) if asked is not None else (FORMATS[0], LANGUAGES[0])
        self.set_busy(False)
        key = "html" if self.format == "html" else "pages_one" if made.pages == 1 else "pages"
        self._pages.setText(self._words.say(f"patients.report.{key}", pages=made.pages))
        self.path_label.setText(_breakable(made.path))
        self._problem.setText("")
        self.preview.show_png(made.preview_png)
        self.open_button.setFocus()

    def set_busy(self, busy: bool) -> None:
        """While another one is made, nobody asks for a third."""
        for button in (*self.formats.values(), *self.languages.values()):
            button.setEnabled(not busy)
        self._show_choice()

    def _want(self, form: str, language: str) -> None:
        self._show_choice()
        if (form, language) != (self.format, self.language):
            self.wanted.emit(form, language)

    def _show_choice(self) -> None:
        for chosen, buttons in ((self.format, self.formats), (self.language, self.languages)):
            for key, button in buttons.items():
                button.setChecked(key == chosen)

    def _choice(self, key: str) -> Button:
        button = Button(self._words.say(key))
        button.setCheckable(True)
        return button

    def _arrange(self) -> None:
        side = QVBoxLayout()
        side.setSpacing(8)
        for label in (self._headline, self._pages, self.path_label, self._problem):
            side.addWidget(label)
        side.addSpacing(16)
        for title, buttons in (("format", self.formats), ("language", self.languages)):
            side.addWidget(Label(self._words.say(f"patients.report.{title}.title"), size=13, tone="muted"))
            choices = QHBoxLayout()
            choices.setSpacing(12)
            for button in buttons.values():
                choices.addWidget(button)
            choices.addStretch()
            side.addLayout(choices)
        side.addStretch()
        row = QHBoxLayout()
        row.setSpacing(12)
        row.addWidget(self.back_button)
        row.addStretch()
        row.addWidget(self.folder_button)
        row.addWidget(self.open_button)
        side.addLayout(row)
        both = QHBoxLayout(self)
        both.setContentsMargins(24, 24, 24, 16)
        both.setSpacing(32)
        both.addWidget(self.preview, 5)
        both.addLayout(side, 6)

    def _open(self, path: Path) -> None:
        opened = QDesktopServices.openUrl(QUrl.fromLocalFile(str(path)))
        self._problem.setText("" if opened else self._words.say("patients.report.not_opened"))


class _Page(QWidget):
    """A sheet of paper, as large as fits; white in both schemes, for that is how it prints."""

    def __init__(self, words: Words) -> None:
        super().__init__()
        self._words = words
        self._image = QPixmap()
        self.setAccessibleName(words.say("patients.report.preview"))
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)

    def show_png(self, data: bytes) -> None:
        """A page as PNG; what is no image leaves a sentence in its place."""
        self._image = QPixmap()
        self._image.loadFromData(data)
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        painter.setPen(color(tokens().muted))
        if self._image.isNull():
            painter.drawText(self.rect(), Qt.AlignmentFlag.AlignCenter, self._words.say("patients.report.no_preview"))
            return
        ratio = self.devicePixelRatioF()
        fitted = self._image.scaled(
            self.size() * ratio, Qt.AspectRatioMode.KeepAspectRatio, Qt.TransformationMode.SmoothTransformation
        )
        fitted.setDevicePixelRatio(ratio)
        size = fitted.deviceIndependentSize()
        sheet = QRectF(
            (self.width() - size.width()) / 2, (self.height() - size.height()) / 2, size.width(), size.height()
        )
        painter.drawPixmap(sheet.topLeft(), fitted)
        painter.setPen(QPen(color(tokens().control), 1))
        painter.drawRect(sheet.adjusted(0.5, 0.5, -0.5, -0.5))


def report_name(code: str, form: str, language: str) -> str:
    """The name of a report's file: the visit's code, and the language unless it is English."""
    return f"{code}.{form}" if language == "en" else f"{code}-{language}.{form}"


def _breakable(path: str) -> str:
    """The path with places where a line may end: labels break words at spaces only."""
    return path.replace("/", "/\N{ZERO WIDTH SPACE}").replace("\\", "\\\N{ZERO WIDTH SPACE}")
