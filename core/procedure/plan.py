"""The plan: what is offered, what the patient chose, and the phases that follow from it."""

from collections.abc import Sequence

import msgspec

from core.model.limits import Limit, LimitOwner
from core.model.people import ToothState
from core.model.procedure import Choice, ModulePlan, PhaseView, Plan
from core.procedure.modules import Module, ModuleCatalogue
from core.procedure.refusal import refuse
from core.safety.limits import limit_fault, tightest

DATA_CHOICES = ("data.ask_me", "data.never", "data.research")
WHOLE_SURFACE = "O"
"""The surface planned on a tooth that has no finding."""


def default_plan(modules: ModuleCatalogue, teeth: Sequence[ToothState]) -> Plan:
    """Everything offered, on the teeth with something planned. A module per tooth without such a tooth is left out."""
    planned = tuple(tooth.fdi for tooth in teeth if tooth.planned and not tooth.missing)
    rows: list[ModulePlan] = []
    for module in modules:
        choice = Choice.DECLINED if module.per_tooth and not planned else Choice.INCLUDED
        rows.append(_row(module, choice, planned if choice is Choice.INCLUDED else ()))
    return Plan(modules=tuple(rows))


def check_plan(
    modules: ModuleCatalogue,
    teeth: Sequence[ToothState],
    rows: Sequence[ModulePlan],
    own_limits: Sequence[Limit],
    data_choice: str,
    *,
    version: int,
) -> Plan:
    """The plan in its settled form: each module once, in order of the catalogue; what is not named is declined.

    A dose or temperature above what the chosen variant allows comes down to it; none is ever raised.

    Raises:
        Refusal: an unknown or doubled module, a tooth that cannot be treated, a limit looser than the one in force.
    """
    named = {row.module: row for row in rows}
    unknown = [key for key in named if key not in modules]
    if unknown or len(named) != len(rows):
        raise refuse("plan_module", module=unknown[0] if unknown else rows[0].module)
    if data_choice not in DATA_CHOICES:
        raise refuse("plan_data", choice=data_choice)
    settled = tuple(_settle(module, named.get(module.key), teeth) for module in modules)
    plan = Plan(version=version, modules=settled, data_choice=data_choice)
    return msgspec.structs.replace(plan, own_limits=_own(modules, plan, own_limits))


def base_limits(modules: ModuleCatalogue, plan: Plan | None) -> tuple[Limit, ...]:
    """The limits of device, clinician and protocol, the protocols of the included modules among them."""
    if plan is None:
        return modules.limits
    limits = list(modules.limits)
    for row in included(plan):
        limits += modules.key(row.module).limits
    return tuple(limits)


def limits_in_force(modules: ModuleCatalogue, plan: Plan | None) -> tuple[Limit, ...]:
    """Every limit with its owner, the patient's included; `core.safety.limits.strictest` says which of them count."""
    return base_limits(modules, plan) + (plan.own_limits if plan else ())


def included(plan: Plan) -> tuple[ModulePlan, ...]:
    return tuple(row for row in plan.modules if row.choice is not Choice.DECLINED)


def make_phases(modules: ModuleCatalogue, plan: Plan, *, simulated: bool) -> tuple[PhaseView, ...]:
    """The phases of a plan in the order in which they will run, numbered from 1."""
    phases: list[PhaseView] = []
    for row in included(plan):
        for tooth in row.teeth or (0,):
            for spec in modules.key(row.module).phases:
                phases.append(
                    PhaseView(
                        number=len(phases) + 1,
                        module=row.module,
                        key=spec.key,
                        tooth=tooth,
                        seconds=spec.demo_seconds if simulated else spec.seconds,
                        dose_percent=max(1, row.dose_percent * spec.dose_percent // 100),
                    )
                )
    return tuple(phases)


def mark_planned(modules: ModuleCatalogue, plan: Plan, teeth: Sequence[ToothState]) -> tuple[ToothState, ...]:
    """The odontogram with the plan drawn in: surfaces planned on the teeth chosen, none on the others."""
    chosen = {tooth for row in included(plan) if modules.key(row.module).per_tooth for tooth in row.teeth}
    marked = [
        msgspec.structs.replace(
            tooth, planned=(tooth.planned or tooth.finding or WHOLE_SURFACE) if tooth.fdi in chosen else ""
        )
        for tooth in teeth
    ]
    known = {tooth.fdi for tooth in teeth}
    marked += [ToothState(fdi=fdi, planned=WHOLE_SURFACE) for fdi in sorted(chosen - known)]
    return tuple(marked)


def _row(module: Module, choice: Choice, teeth: tuple[int, ...]) -> ModulePlan:
    gentler = choice is Choice.GENTLER
    return ModulePlan(
        module=module.key,
        choice=choice,
        teeth=teeth if module.per_tooth else (),
        dose_percent=module.gentler.dose_percent if gentler else module.dose_percent,
        tissue_limit_c=module.gentler.tissue_limit_c if gentler else module.tissue_limit_c,
    )


def _settle(module: Module, row: ModulePlan | None, teeth: Sequence[ToothState]) -> ModulePlan:
    if row is None or row.choice is Choice.DECLINED:
        return _row(module, Choice.DECLINED, ())
    ceiling = _row(module, row.choice, tuple(dict.fromkeys(row.teeth)))
    if row.dose_percent < 1:
        raise refuse("plan_dose", module=module.key)
    if module.per_tooth:
        missing = {tooth.fdi for tooth in teeth if tooth.missing}
        if not ceiling.teeth:
            raise refuse("plan_teeth", module=module.key)
        for fdi in ceiling.teeth:
            if not is_fdi(fdi) or fdi in missing:
                raise refuse("plan_tooth", tooth=fdi)
    return msgspec.structs.replace(
        ceiling,
        dose_percent=min(row.dose_percent, ceiling.dose_percent),
        tissue_limit_c=min(
            temperature for temperature in (row.tissue_limit_c, ceiling.tissue_limit_c) if temperature is not None
        ),
    )


def _own(modules: ModuleCatalogue, plan: Plan, own: Sequence[Limit]) -> tuple[Limit, ...]:
    others = base_limits(modules, plan)
    settled: list[Limit] = []
    for limit in own:
        if limit.owner is not LimitOwner.PATIENT or limit_fault(limit, modules.channels):
            raise refuse("limit_unsound", channel=limit.channel)
        for bound, high in ((limit.high, True), (limit.low, False)):
            other = tightest(others, limit.channel, high=high)
            theirs = (other.high if high else other.low) if other else None
            if bound is not None and theirs is not None and (bound > theirs if high else bound < theirs):
                raise refuse("limit_looser", channel=limit.channel, value=bound, limit=theirs)
        settled.append(msgspec.structs.replace(limit, holds=True))
    return tuple(settled)


def is_fdi(number: int) -> bool:
    """Whether ISO 3950 knows this tooth, permanent (11–48) or primary (51–85)."""
    quadrant, place = divmod(number, 10)
    return (1 <= quadrant <= 4 and 1 <= place <= 8) or (5 <= quadrant <= 8 and 1 <= place <= 5)
