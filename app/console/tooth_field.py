"""Which tooth something is about: touched on the chart, or the whole mouth."""

from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from core.model.dentition import Dentition
from core.model.people import ToothState
from core.model.words import Words
from widgets.controls import Button, Label
from widgets.odontogram import Odontogram


class ToothField(QWidget):
    """The chart, what is chosen in words, and the way back to the whole mouth.

    Attributes:
        fdi: 0 for the whole mouth.
    """

    def __init__(self, words: Words) -> None:
        super().__init__()
        self._words = words
        self.fdi = 0
        self.chart = Odontogram("occlusal", words)
        self.said = Label(bold=True)
        self.whole = Button(words.say("clinical.whole_mouth"))
        self.whole.setCheckable(True)
        foot = QHBoxLayout()
        foot.addWidget(self.said, 1)
        foot.addWidget(self.whole)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        column.addWidget(self.chart, 1)
        column.addLayout(foot)
        self.chart.tooth_clicked.connect(self.choose)
        self.whole.clicked.connect(lambda: self.choose(0))
        self.choose(0)

    def show_teeth(self, teeth: Sequence[ToothState], dentition: Dentition) -> None:
        self.chart.set_dentition(dentition)
        self.chart.set_teeth(teeth)

    def choose(self, fdi: int) -> None:
        self.fdi = fdi
        self.chart.set_current(fdi)
        self.whole.setChecked(not fdi)
        words = self._words
        self.said.setText(words.say("clinical.tooth", fdi=fdi) if fdi else words.say("clinical.whole_mouth"))
        self.said.setAlignment(Qt.AlignmentFlag.AlignVCenter)
