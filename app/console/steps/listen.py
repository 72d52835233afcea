"""Listen: five questions before anything is measured, and the words the patient wants to be heard with."""

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QButtonGroup, QHBoxLayout, QLineEdit, QVBoxLayout

from app.console.steps.base import StepPanel
from app.ipc.messages import Chair
from core.model.intents import NextStep, SetComfort
from core.people.comfort import ITEMS, NOT_ASKED, score_mdas
from widgets.controls import Button, Card, Hairline, Label

ANSWERS = range(1, 6)


class ListenPanel(StepPanel):
    """MDAS with large choices; each answer is kept at once. Not asking is an answer too."""

    wide = True

    def build(self) -> None:
        card = Card()
        column = QVBoxLayout(card)
        column.setContentsMargins(16, 8, 16, 10)
        column.setSpacing(6)
        self.groups: dict[str, QButtonGroup] = {}
        self.choices: dict[tuple[str, int], Button] = {}
        self.given: dict[str, Label] = {}
        for place, item in enumerate(ITEMS):
            if place:
                column.addWidget(Hairline())
            column.addLayout(self._question(item))
        column.addWidget(Hairline())
        self.words_field = QLineEdit()
        self.words_field.setMaxLength(400)
        self.words_field.setPlaceholderText(self.words.say("comfort.words"))
        self.words_field.setAccessibleName(self.words.say("comfort.words"))
        self.words_field.editingFinished.connect(self._words_said)
        column.addWidget(self.words_field)
        self.body.setSpacing(6)
        self.body.addWidget(card)
        self.total = Label("", bold=True)
        self.signal = Label(self.words.say("comfort.signal"), tone="patient", wrap=True)
        row = QHBoxLayout()
        row.addWidget(self.signal, 1)
        row.addWidget(self.total)
        self.body.addLayout(row)
        self.validity = Label(self.words.say("mdas.validity"), size=13, tone="muted", wrap=True)
        self.body.addWidget(self.validity)
        self.body.addStretch(1)
        self.skip = self.button("listen.skip")
        self.skip.clicked.connect(lambda: self._send(dict.fromkeys(ITEMS, NOT_ASKED)))
        self.left_foot(self.skip)
        self.go_on = self.primary("listen.go_on")
        self.go_on.clicked.connect(self._go_on)
        self.wants(NextStep(), self.go_on)
        self.wants(SetComfort(answers={}), self.skip, self.words_field, *self.choices.values())

    def _question(self, item: str) -> QVBoxLayout:
        box = QVBoxLayout()
        box.setSpacing(4)
        box.addWidget(Label(self.words.say(f"mdas.{item}"), bold=True, wrap=True))
        row = QHBoxLayout()
        row.setSpacing(12)
        group = QButtonGroup(self)
        for answer in ANSWERS:
            button = Button(self.words.say(f"mdas.answer{answer}"), wrap=True)
            button.setCheckable(True)
            button.setAccessibleName(f"{self.words.say(f'mdas.{item}')} {button.text()}")
            group.addButton(button, answer)
            button.clicked.connect(lambda _=False, item=item, answer=answer: self._answer(item, answer))
            row.addWidget(button, 1)
            self.choices[item, answer] = button
        self.groups[item] = group
        self.given[item] = Label("", tone="patient", bold=True)
        box.addLayout(row)
        box.addWidget(self.given[item])
        return box

    def show_state(self, chair: Chair) -> None:
        view = chair.procedure
        if view is None:
            return
        asks = self.store.may_want(SetComfort(answers={}), self.number)
        for item, group in self.groups.items():
            given = view.comfort.get(item, NOT_ASKED)
            group.setExclusive(False)
            for answer in ANSWERS:
                button = self.choices[item, answer]
                button.setChecked(answer == given)
                button.set_role("plum" if answer == given else "plain")
            group.setExclusive(True)
            self.given[item].setText(self.words.say(f"mdas.answer{given}" if given in ANSWERS else "shell.unknown"))
            self.given[item].setVisible(not asks)
        if not self.words_field.hasFocus():
            self.words_field.setText(view.comfort_words)
        self._show_total(view.comfort)
        self.close_button(self.go_on, view.blocked)

    def _show_total(self, answers: dict[str, int]) -> None:
        score = score_mdas({item: answers.get(item, NOT_ASKED) for item in ITEMS})
        if score.total is not None:
            level = self.words.say("mdas.high" if score.high else "mdas.not_high")
            self.total.setText(f"{self.words.say('mdas.total', total=score.total)}. {level}")
        elif score.declined:
            self.total.setText(self.words.say("mdas.declined") if answers else "")
        else:
            self.total.setText(self.words.say("mdas.partial", answered=score.answered))
        self.total.setAlignment(Qt.AlignmentFlag.AlignRight)

    def _given(self) -> dict[str, int]:
        return {item: max(self.groups[item].checkedId(), NOT_ASKED) for item in ITEMS}

    def _answer(self, item: str, answer: int) -> None:
        self._send({**self._given(), item: answer})

    def _words_said(self) -> None:
        view = self.chair.procedure if self.chair is not None else None
        if view is not None and self.words_field.text().strip() != view.comfort_words:
            self._send(self._given())

    def _send(self, answers: dict[str, int]) -> None:
        self.act(SetComfort(answers=answers, words=self.words_field.text().strip()))

    def _go_on(self) -> None:
        self._words_said()
        self.act(NextStep())
