"""What must be true before a step may be left: comfort, baseline, pre-flight, recovery."""

import msgspec

from core.model.procedure import (
    Baseline,
    CheckItem,
    Choice,
    Facts,
    PhaseState,
    ProcedureView,
    Step,
)
from core.model.words import Text
from core.procedure.consent import covers_plan
from core.procedure.modules import ModuleCatalogue
from core.safety.limit_table import Tolerance

MDAS_KEYS = ("mdas1", "mdas2", "mdas3", "mdas4", "mdas5")
BATTERY_LEAST = 20
"""Battery at which a treatment may begin, percent."""
BASELINE_S = 60.0
BASELINE_DEMO_S = 20.0
PREFLIGHT_BY_HAND = ("comfortable", "teeth", "eyes")
RECOVERY_BY_HAND = ("well",)
OVER = (PhaseState.DONE, PhaseState.SKIPPED)


def begun(view: ProcedureView) -> bool:
    """Whether any phase was ever ordered or left out."""
    return any(phase.state is not PhaseState.WAITING for phase in view.phases)


def conventional(view: ProcedureView) -> bool:
    """Whether every module was declined: a visit without the procedure."""
    return view.plan is not None and all(row.choice is Choice.DECLINED for row in view.plan.modules)


def preflight_items(view: ProcedureView) -> tuple[CheckItem, ...]:
    """The pre-flight list as measured now, what people confirmed kept."""
    facts = view.facts
    battery = facts.battery_percent
    measured: tuple[tuple[str, bool | None, Text | None], ...] = (
        ("link", facts.link_up, None),
        ("status", facts.status_fresh, None),
        ("proven", facts.hub_proven, None),
        (
            "battery",
            None if battery is None else battery >= BATTERY_LEAST,
            None if battery is None else Text("check.battery.detail", {"percent": battery, "least": BATTERY_LEAST}),
        ),
        ("recording", facts.recording, None),
        ("alarms", _not(facts.high_alarm), None),
        ("hub_idle", facts.hub_idle, None),
        ("limits", facts.limits_quiet, None),
        ("envelope", covers_plan(view.envelope, view.plan), None),
    )
    items = [CheckItem(key=key, passed=passed, detail=detail) for key, passed, detail in measured]
    return (*items, *_by_hand(view.preflight, PREFLIGHT_BY_HAND))


def recovery_items(view: ProcedureView, modules: ModuleCatalogue, facts: Facts) -> tuple[CheckItem, ...]:
    """The recovery list as measured now; without fresh values the last comparison with the baseline stands."""
    before = {item.key: item for item in view.recovery}
    values = before.get("values", CheckItem(key="values", passed=None))
    if facts.values:
        values = _compare(view.baseline, facts.values, modules.recovery)
    parked = CheckItem(key="parked", passed=facts.hub_idle)
    return (values, parked, *_by_hand(view.recovery, RECOVERY_BY_HAND))


def fresh_baseline(simulated: bool) -> Baseline:
    return Baseline(needed=BASELINE_DEMO_S if simulated else BASELINE_S)


def blocked(view: ProcedureView) -> tuple[Text, ...]:
    """Why the present step cannot be left yet; empty when it can."""
    match view.step:
        case Step.SEAT:
            return _texts(("link", view.facts.link_up), ("identity", view.facts.identity_known))
        case Step.LISTEN:
            return _texts(("comfort", all(key in view.comfort for key in MDAS_KEYS)))
        case Step.BASELINE:
            return _texts(("baseline", view.baseline.seconds >= view.baseline.needed))
        case Step.PLAN:
            return _texts(("plan", view.plan is not None))
        case Step.CONSENT:
            return _texts(("consent", covers_plan(view.envelope, view.plan)))
        case Step.PREFLIGHT:
            return open_items(view.preflight)
        case Step.TREAT:
            over = all(phase.state in OVER for phase in view.phases)
            return _texts(("phases", over), ("hold", view.hold is None))
        case Step.RECOVER:
            return open_items(view.recovery)
        case Step.CLOSE:
            return _texts(("signature", view.closed))


def open_items(items: tuple[CheckItem, ...]) -> tuple[Text, ...]:
    """One reason for each line that has not passed; an empty list has not been made and blocks too."""
    if not items:
        return (Text("blocked.checks"),)
    return tuple(Text(f"check.{item.key}.open") for item in items if item.passed is not True)


def confirm(items: tuple[CheckItem, ...], key: str, passed: bool) -> tuple[CheckItem, ...] | None:
    """The list with one line confirmed by hand; None when there is no such line."""
    if not any(item.key == key and item.by_hand for item in items):
        return None
    return tuple(msgspec.structs.replace(item, passed=passed) if item.key == key else item for item in items)


def _texts(*conditions: tuple[str, bool | None]) -> tuple[Text, ...]:
    return tuple(Text(f"blocked.{key}") for key, met in conditions if met is not True)


def _not(value: bool | None) -> bool | None:
    return None if value is None else not value


def _by_hand(before: tuple[CheckItem, ...], keys: tuple[str, ...]) -> tuple[CheckItem, ...]:
    passed = {item.key: item.passed for item in before if item.by_hand}
    return tuple(CheckItem(key=key, passed=passed.get(key), by_hand=True) for key in keys)


def _compare(baseline: Baseline, values: dict[str, float], near: tuple[Tolerance, ...]) -> CheckItem:
    """Compare what is known both now and at rest; the first channel that is off is named."""
    known = [row for row in near if row.channel in values and row.channel in baseline.means]
    for row in known:
        rest, now = baseline.means[row.channel], values[row.channel]
        if abs(now - rest) > row.within:
            detail = Text(
                "check.values.detail",
                {"channel": f"@channel.{row.channel}.name", "now": round(now, 2), "rest": round(rest, 2)},
            )
            return CheckItem(key="values", passed=False, detail=detail)
    return CheckItem(key="values", passed=True if known else None)
