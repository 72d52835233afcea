"""The long job that runs now: what it is, how far it is, and Cancel."""

from PySide6.QtCore import QRectF
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from app.console.store import Store
from app.ipc.export_messages import CancelJob
from app.ipc.messages import Job
from core.model.words import Words
from widgets.controls import Button, Label
from widgets.theme import color, tokens


class JobBar(QWidget):
    """Shows the first job that may be cancelled, whoever began it; nothing while there is none.

    `of`: how the ids of its jobs begin, as the engine gives them.
    """

    def __init__(self, store: Store, words: Words, parent: QWidget | None = None, *, of: str = "export-") -> None:
        super().__init__(parent)
        self._store, self._words, self._of = store, words, of
        self._shown = ""
        self.said = Label(elide=True)
        self.line = _Line()
        self.cancel = Button(words.say("exchange.job.cancel"))
        self.cancel.setObjectName("job.cancel")
        self.cancel.clicked.connect(self._cancel)
        left = QVBoxLayout()
        left.setSpacing(8)
        left.addWidget(self.said)
        left.addWidget(self.line)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(16)
        row.addLayout(left, 1)
        row.addWidget(self.cancel)
        store.workstation_changed.connect(self.refresh)
        store.link_changed.connect(self.refresh)
        self.refresh()

    @property
    def running(self) -> bool:
        return bool(self._jobs())

    def refresh(self) -> None:
        jobs = self._jobs()
        self.setVisible(bool(jobs))
        if not jobs:
            self._shown = ""
            return
        job = jobs[0]
        if job.id != self._shown:
            self._shown = job.id
            self.cancel.setEnabled(True)
            self.cancel.setText(self._words.say("exchange.job.cancel"))
        percent = job.percent or 0
        said = self._words.say("exchange.job.percent", what=self._words.tell(job.text), percent=percent)
        if len(jobs) > 1:
            key = "more_one" if len(jobs) == 2 else "more"
            said = self._words.say(f"exchange.job.{key}", said=said, count=len(jobs) - 1)
        self.said.setText(said)
        self.said.setAccessibleName(said)
        self.line.set_share(percent / 100)

    def _jobs(self) -> list[Job]:
        station = self._store.workstation
        if station is None or not self._store.answering:
            return []
        return [job for job in station.jobs if job.may_cancel and job.id.startswith(self._of)]

    def _cancel(self) -> None:
        self.cancel.setEnabled(False)
        self.cancel.setText(self._words.say("exchange.job.cancelling"))
        self._store.ask(CancelJob(id=self._shown))


class _Line(QWidget):
    """A share of a line, from the left."""

    def __init__(self) -> None:
        super().__init__()
        self._share = 0.0
        self.setFixedHeight(6)

    def set_share(self, share: float) -> None:
        self._share = min(max(share, 0.0), 1.0)
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        whole = QRectF(self.rect())
        painter.setPen(color(tokens().control))
        painter.setBrush(color(tokens().sunken))
        painter.drawRoundedRect(whole.adjusted(0.5, 0.5, -0.5, -0.5), 2.5, 2.5)
        painter.setBrush(color(tokens().action))
        painter.setPen(color(tokens().action))
        if self._share > 0:
            done = whole.adjusted(0.5, 0.5, -0.5, -0.5)
            done.setWidth(max(3.0, done.width() * self._share))
            painter.drawRoundedRect(done, 2.5, 2.5)
        painter.end()
