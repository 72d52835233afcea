"""The modules side by side: what each does, what is known of it, and what the patient chose."""

from collections.abc import Sequence

from PySide6.QtCore import QRectF, Signal
from PySide6.QtGui import QPainter
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QVBoxLayout, QWidget

from core.model.procedure import Choice, ModulePlan
from core.model.words import Words
from core.procedure.modules import Module
from widgets.controls import Card, Hairline, Label
from widgets.plan_selector import ChoiceOption, ChoiceSelector
from widgets.theme import color, tokens

ROWS = ("changed", "effect", "risk", "evidence", "instead")
LEVELS = ("none", "early", "moderate", "strong")
LABELS = 92


class EvidenceBars(QWidget):
    """Three bars that fill with what is known."""

    def __init__(self, level: int) -> None:
        super().__init__()
        self._level = level
        self.setFixedSize(20, 16)

    def paintEvent(self, _event: object) -> None:
        scheme = tokens()
        painter = QPainter(self)
        for bar in range(3):
            height = 5 + 4 * bar
            fill = color(scheme.muted if bar < self._level else scheme.line)
            painter.fillRect(QRectF(bar * 7, 15 - height, 5, height), fill)
        painter.end()


class PlanTable(Card):
    """One column a module. `chosen` carries module and choice when a person chose."""

    chosen = Signal(str, str)

    def __init__(self, modules: Sequence[Module], words: Words) -> None:
        super().__init__()
        self._words = words
        self._modules = {module.key: module for module in modules}
        self.selectors: dict[str, ChoiceSelector] = {}
        self._subtitles: dict[str, Label] = {}
        self._cells: dict[tuple[str, str], Label] = {}
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(1, 1, 1, 1)
        self._grid.setSpacing(0)
        self._grid.setColumnMinimumWidth(0, LABELS)
        for place, row in enumerate(ROWS):
            self._grid.addWidget(Hairline(), 1 + 2 * place, 0, 1, 2 * len(modules) + 1)
            label = Label(words.say(f"module.row.{row}"), tone="muted")
            label.setContentsMargins(14, 0, 4, 0)
            self._grid.addWidget(label, 2 + 2 * place, 0)
            self._grid.setRowMinimumHeight(2 + 2 * place, 36)
        for column, module in enumerate(modules):
            self._grid.addWidget(Hairline(vertical=True), 0, 1 + 2 * column, 2 * len(ROWS) + 1, 1)
            self._add_column(2 + 2 * column, module)

    def _add_column(self, column: int, module: Module) -> None:
        head = QWidget()
        box = QVBoxLayout(head)
        box.setContentsMargins(14, 10, 14, 10)
        box.setSpacing(8)
        titles = QHBoxLayout()
        titles.setSpacing(10)
        name = self._words.say(f"module.{module.key}.name")
        titles.addWidget(Label(name, size=18, bold=True))
        subtitle = Label("", tone="muted", wrap=True)
        titles.addWidget(subtitle, 1)
        self._subtitles[module.key] = subtitle
        box.addLayout(titles)
        selector = ChoiceSelector(self._options(), name)
        selector.chosen.connect(lambda choice, key=module.key: self.chosen.emit(key, choice))
        self.selectors[module.key] = selector
        box.addWidget(selector)
        self._grid.addWidget(head, 0, column)
        self._grid.setColumnStretch(column, 1)
        for place, row in enumerate(ROWS):
            self._grid.addWidget(self._cell(module, row), 2 + 2 * place, column)

    def _cell(self, module: Module, row: str) -> QWidget:
        key = "evidence_short" if row == "evidence" else row
        label = Label("" if row == "changed" else self._words.say(f"module.{module.key}.{key}"), wrap=True)
        if row == "changed":
            label = Label("", bold=True)
        self._cells[module.key, row] = label
        cell = QWidget()
        box = QHBoxLayout(cell)
        box.setContentsMargins(14, 4, 10, 4)
        box.setSpacing(8)
        if row == "evidence":
            box.addWidget(EvidenceBars(LEVELS.index(module.evidence)))
            label.setToolTip(self._words.say(f"module.{module.key}.evidence"))
        box.addWidget(label, 1)
        return cell

    def _options(self) -> list[ChoiceOption]:
        say = self._words.say
        return [
            ChoiceOption("included", say("module.choice.included"), "check", "action"),
            ChoiceOption("gentler", say("module.choice.gentler"), "check", "patient"),
            ChoiceOption("declined", say("module.choice.declined"), "x", "patient", dashed=True),
        ]

    def show_rows(self, rows: Sequence[ModulePlan]) -> None:
        """The plan as it stands."""
        for row in rows:
            module = self._modules.get(row.module)
            if module is None:
                continue
            self.selectors[row.module].choose(row.choice.value)
            where = ", ".join(str(tooth) for tooth in row.teeth)
            summary = self._words.say(f"module.{row.module}.summary")
            if where and row.choice is not Choice.DECLINED:
                summary = self._words.say("chair.plan.where", summary=summary, teeth=where)
            self._subtitles[row.module].setText(summary)
            changed = self._cells[row.module, "changed"]
            changed.setText(self._changed(row, module))
            changed.set_tone("muted" if row.choice is Choice.INCLUDED else "patient")
            for name in ROWS[1:]:
                self._cells[row.module, name].set_tone("muted" if row.choice is Choice.DECLINED else "ink")

    def changed_text(self, module: str) -> str:
        return self._cells[module, "changed"].text()

    def _changed(self, row: ModulePlan, module: Module) -> str:
        say = self._words.say
        if row.choice is Choice.DECLINED:
            return say("module.changed.declined")
        if row.dose_percent == module.dose_percent:
            return say("module.changed.none")
        return say("module.changed.dose", dose=row.dose_percent, full=module.dose_percent)
