"""Plan together: three modules, the teeth, an illustration, and the patient's own limits."""

import msgspec
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout

from app.console.steps.base import Sentence, StepPanel
from app.console.steps.plan_table import PlanTable
from app.ipc.messages import Chair
from core.model.dentition import dentition, local_day
from core.model.intents import NextStep, SetPlan
from core.model.limits import Limit, LimitOwner
from core.model.people import ToothState
from core.model.procedure import Choice, ModulePlan, Plan
from core.procedure.modules import load_modules
from core.procedure.plan import DATA_CHOICES, default_plan
from widgets.controls import Button, Card, Hairline, Label
from widgets.odontogram import Odontogram
from widgets.plan_acid import AcidPlot

TOOTH_CHANNEL = "pulp_temperature"
TOOTH_LOWEST_C, TOOTH_STEP_C = 37.0, 0.5


class PlanPanel(StepPanel):
    """Every touch sets the plan anew; the engine settles it and the screen shows what it became."""

    wide = True

    def build(self) -> None:
        self.modules = load_modules()
        self._offered: dict[str, Plan] = {}
        shown = Sentence("eye", "patient", bold=True, wrap=False)
        self.head.addWidget(shown)
        shown.say(self.say("plan.shown"))
        self.head.removeWidget(self.stepper)
        self.head.insertWidget(2, self.stepper)
        self.body.setSpacing(8)
        self.table = PlanTable(list(self.modules), self.words)
        self.table.chosen.connect(self._choose)
        self.body.addWidget(self.table)
        cards = QHBoxLayout()
        cards.setSpacing(12)
        cards.addWidget(self._build_teeth(), 40)
        cards.addWidget(self._build_plot(), 35)
        cards.addWidget(self._build_limits(), 24)
        self.body.addLayout(cards, 1)
        self.conventional = self.button("plan.conventional")
        self.conventional.clicked.connect(self._decline_all)
        self.default = self.button("plan.default")
        self.default.clicked.connect(self._back_to_default)
        self.left_foot(self.conventional, self.default)
        self.go_on = self.primary("plan.go_on")
        self.go_on.clicked.connect(lambda: self.act(NextStep()))
        self.wants(NextStep(), self.go_on)
        plan = SetPlan(modules=(), own_limits=(), data_choice="")
        self.wants(plan, self.conventional, self.default, self.tighter, self.looser, self.table, self.teeth)
        self.wants(plan, self.data, tells=True)

    def _build_teeth(self) -> Card:
        card, column = _card()
        column.addWidget(Label(self.say("plan.teeth"), bold=True))
        self.teeth = Odontogram("occlusal", self.words)
        self.teeth.tooth_clicked.connect(self._toggle_tooth)
        column.addWidget(self.teeth, 1)
        self.chosen = Label("", size=13, tone="muted", wrap=True)
        column.addWidget(self.chosen)
        return card

    def _build_plot(self) -> Card:
        card, column = _card()
        column.addWidget(Label(self.say("plan.acid"), bold=True, wrap=True))
        column.addWidget(Label(self.say("plan.acid_note"), size=13, tone="muted", wrap=True))
        names = (self.say("plan.curve.none"), self.say("plan.curve.default"), self.say("plan.curve.own"))
        weeks = (self.say("plan.today"), *(self.say("plan.weeks", weeks=weeks) for weeks in (4, 8, 12)))
        self.plot = AcidPlot(names, weeks)
        column.addWidget(self.plot, 1)
        return card

    def _build_limits(self) -> Card:
        card, column = _card()
        column.setSpacing(4)
        self.own_title = Label("", bold=True, tone="patient")
        column.addWidget(self.own_title)
        column.addWidget(Hairline())
        row = QHBoxLayout()
        row.setSpacing(6)
        self.tooth = Label("", bold=True, tone="patient")
        self.tooth.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.tighter = self._step_button("plan.lower", -TOOTH_STEP_C)
        self.looser = self._step_button("plan.higher", TOOTH_STEP_C)
        row.addWidget(self.tighter)
        row.addWidget(self.tooth, 1)
        row.addWidget(self.looser)
        column.addWidget(Label(self.say("plan.tooth_under"), size=13, tone="muted"))
        column.addLayout(row)
        column.addWidget(Hairline())
        column.addWidget(Label(self.say("plan.data"), size=13, tone="muted"))
        self.data = Button("", role="plum_outline")
        self.data.clicked.connect(self._next_data_choice)
        column.addWidget(self.data)
        column.addStretch(1)
        return card

    def _step_button(self, key: str, step: float) -> Button:
        made = Button("\N{MINUS SIGN}" if step < 0 else "+")
        made.setAccessibleName(self.say(key))
        made.setFixedWidth(48)
        made.clicked.connect(lambda: self._move_tooth_limit(step))
        return made

    # state

    def show_state(self, chair: Chair) -> None:
        view = chair.procedure
        if view is None or view.plan is None:
            self.close_button(self.go_on, view.blocked if view is not None else ())
            return
        plan = view.plan
        if plan.version == 1:
            self._offered = {view.visit_id: plan}
        self.table.show_rows(plan.modules)
        born = chair.patient.birth_date if chair.patient is not None else ""
        self.teeth.set_dentition(dentition(born, local_day(self.store.clock.utc_us()), view.teeth))
        self.teeth.set_teeth(view.teeth)
        self.chosen.setText(self._teeth_sentence(view.teeth))
        balance = next((row for row in plan.modules if row.module == "balance"), None)
        share = balance.dose_percent / 100 if balance is not None and balance.choice is not Choice.DECLINED else 0.0
        self.plot.set_share(share, self.say("plan.acid_note"))
        name = chair.patient.given_name if chair.patient is not None else ""
        self.own_title.setText(self.say("plan.own", patient=name))
        self._show_limits(plan)
        nothing = all(row.choice is Choice.DECLINED for row in plan.modules)
        self.go_on.setText(self.say("plan.go_without" if nothing else "plan.go_on"))
        self.close_button(self.go_on, view.blocked)

    def _show_limits(self, plan: Plan) -> None:
        own, ceiling = self._own_tooth_limit(plan), self._tooth_ceiling(plan)
        self.tooth.setText(self.say("plan.celsius", value=f"{own if own is not None else ceiling:.1f}"))
        self.tooth.set_tone("muted" if own is None else "patient")
        self.tighter.setEnabled((own if own is not None else ceiling) > TOOTH_LOWEST_C)
        self.looser.setEnabled(own is not None)
        self.data.setText(self.words.say(plan.data_choice))

    def _teeth_sentence(self, teeth: tuple[ToothState, ...]) -> str:
        planned = ", ".join(str(tooth.fdi) for tooth in teeth if tooth.planned)
        watched = ", ".join(str(tooth.fdi) for tooth in teeth if tooth.finding and not tooth.planned)
        parts = [self.say("plan.planned", teeth=planned) if planned else self.say("plan.none_planned")]
        if watched:
            parts.append(self.say("plan.watched", teeth=watched))
        return " ".join(parts)

    def _own_tooth_limit(self, plan: Plan) -> float | None:
        return next((one.high for one in plan.own_limits if one.channel == TOOTH_CHANNEL), None)

    def _tooth_ceiling(self, plan: Plan) -> float:
        included = [row.module for row in plan.modules if row.choice is not Choice.DECLINED]
        limits = [*self.modules.limits, *(limit for key in included for limit in self.modules.key(key).limits)]
        highs = [one.high for one in limits if one.channel == TOOTH_CHANNEL and one.high is not None]
        return min(highs, default=40.0)

    # touches

    @property
    def _plan(self) -> Plan | None:
        view = self.chair.procedure if self.chair is not None else None
        return view.plan if view is not None else None

    def _set(self, **changes: object) -> None:
        if self._plan is None:
            return
        plan = msgspec.structs.replace(self._plan, **changes)
        self.act(SetPlan(modules=plan.modules, own_limits=plan.own_limits, data_choice=plan.data_choice))

    def _choose(self, key: str, choice: str) -> None:
        if self._plan is None:
            return
        self._set(
            modules=tuple(self._chosen(row, Choice(choice)) if row.module == key else row for row in self._plan.modules)
        )

    def _chosen(self, row: ModulePlan, choice: Choice) -> ModulePlan:
        """The row with another choice: full or gentler strength, and the teeth with a finding if none is named yet."""
        module = self.modules.key(row.module)
        gentler = choice is Choice.GENTLER
        teeth = row.teeth
        view = self.chair.procedure if self.chair is not None else None
        if module.per_tooth and not teeth and view is not None:
            teeth = tuple(one.fdi for one in view.teeth if (one.planned or one.finding) and not one.missing)[:1]
        return ModulePlan(
            module=row.module,
            choice=choice,
            teeth=teeth,
            dose_percent=module.gentler.dose_percent if gentler else module.dose_percent,
            tissue_limit_c=module.gentler.tissue_limit_c if gentler else module.tissue_limit_c,
        )

    def _toggle_tooth(self, fdi: int) -> None:
        """Choose a tooth for repair, or leave it out; without any tooth the module is left out."""
        if self._plan is None:
            return
        rows = []
        for row in self._plan.modules:
            if self.modules.key(row.module).per_tooth:
                teeth = tuple(one for one in row.teeth if one != fdi) if fdi in row.teeth else (*row.teeth, fdi)
                choice = Choice.DECLINED if not teeth else row.choice
                if teeth and choice is Choice.DECLINED:
                    row, choice = self._chosen(row, Choice.INCLUDED), Choice.INCLUDED
                row = msgspec.structs.replace(row, teeth=teeth, choice=choice)
            rows.append(row)
        self._set(modules=tuple(rows))

    def _move_tooth_limit(self, step: float) -> None:
        if self._plan is None:
            return
        ceiling = self._tooth_ceiling(self._plan)
        value = (self._own_tooth_limit(self._plan) or ceiling) + step
        others = tuple(one for one in self._plan.own_limits if one.channel != TOOTH_CHANNEL)
        if value >= ceiling:
            self._set(own_limits=others)
            return
        own = Limit(
            channel=TOOTH_CHANNEL,
            owner=LimitOwner.PATIENT,
            high=max(value, TOOTH_LOWEST_C),
            reason="limit.reason.own",
            holds=True,
        )
        self._set(own_limits=(*others, own))

    def _next_data_choice(self) -> None:
        if self._plan is not None:
            place = DATA_CHOICES.index(self._plan.data_choice)
            self._set(data_choice=DATA_CHOICES[(place + 1) % len(DATA_CHOICES)])

    def _decline_all(self) -> None:
        if self._plan is not None:
            self._set(modules=tuple(self._chosen(row, Choice.DECLINED) for row in self._plan.modules))

    def _back_to_default(self) -> None:
        view = self.chair.procedure if self.chair is not None else None
        if view is not None:
            plan = self._offered.get(view.visit_id) or default_plan(self.modules, view.teeth)
            self._set(modules=plan.modules, own_limits=(), data_choice=plan.data_choice)


def _card() -> tuple[Card, QVBoxLayout]:
    card = Card()
    column = QVBoxLayout(card)
    column.setContentsMargins(16, 12, 16, 10)
    column.setSpacing(6)
    return card, column
