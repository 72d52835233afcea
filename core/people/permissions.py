"""Who may do what: the table in `resources/permissions.toml`, checked when it is read.

`nobody` is a workstation without a login; whatever it may do, everybody may.
"""

from collections.abc import Mapping, Set
from enum import StrEnum
from functools import cache

import msgspec

from core.model.clinical import BY_HAND, Written
from core.model.datafile import DataError, fault, parse, read_resource
from core.model.intents import BackToStep, Intent
from core.model.people import Operator, Role
from core.model.procedure import STEPS, Step

NAME = "permissions.toml"
NOBODY = "nobody"
BEFORE_PLAN = (Step.SEAT, Step.LISTEN, Step.BASELINE)
READING = frozenset({"ListPatients", "SearchRecords", "GetTimeline", "GetVisit", "ReadRange", "ReadAttachment"})
"""What an emergency may open: it reads one patient's data, changes nothing and makes no file."""


class Sight(StrEnum):
    """What is shown without being asked for."""

    IDENTITIES = "identities"
    TREATMENT = "treatment"
    COURSE = "course"


INTENTS = frozenset(one.__name__ for one in Intent.__args__)
ENTRIES = frozenset(one.__name__ for one in BY_HAND)
SIGHTS = frozenset(one.value for one in Sight)


class Rule(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One line of the table.

    Attributes:
        prepares: of an intent, who may as well before the plan.
        emergency: of an act or a sight, whether it is opened for one patient in an emergency.
        why: for people who read the table.
    """

    name: str
    roles: tuple[str, ...]
    why: str
    prepares: tuple[str, ...] = ()
    emergency: bool = False


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    act: tuple[Rule, ...]
    intent: tuple[Rule, ...]
    entry: tuple[Rule, ...]
    sight: tuple[Rule, ...]


class Permissions:
    """The table. Whoever is not active may do what nobody may, and no more."""

    def __init__(
        self,
        acts: Mapping[str, Rule],
        intents: Mapping[str, Rule],
        entries: Mapping[str, Rule],
        sights: Mapping[str, Rule],
    ) -> None:
        self.acts = acts
        self._intents = intents
        self._entries = entries
        self._sights = sights

    def may(self, operator: Operator | None, act: str, *, emergency: bool = False) -> bool:
        """Whether this person, or nobody, may ask for this. Raises KeyError for an act that the table does not name.

        Args:
            emergency: they have opened the data of the patient whom this is about.
        """
        return _allows(self.acts[act], operator, emergency=emergency)

    def may_want(self, actor: Operator, intent: Intent, step: Step) -> bool:
        """Whether this person may want this of a procedure that is at this step."""
        rule = self._intents[type(intent).__name__]
        if _allows(rule, actor):
            return True
        preparing = step in BEFORE_PLAN
        if isinstance(intent, BackToStep):
            preparing = STEPS.index(step) <= STEPS.index(Step.PLAN) and intent.step in BEFORE_PLAN
        return actor.active and actor.role in rule.prepares and preparing

    def may_write(self, operator: Operator | None, kind: type[Written]) -> bool:
        """Whether this person adds and corrects entries of this kind; nobody does of kinds that are not by hand."""
        rule = self._entries.get(kind.__name__)
        return rule is not None and _allows(rule, operator)

    def sees(self, operator: Operator | None, sight: Sight, *, emergency: bool = False) -> bool:
        """Whether this is shown to this person, of any patient."""
        return _allows(self._sights[sight], operator, emergency=emergency)

    def open_to(self, operator: Operator | None) -> tuple[str, ...]:
        """Every act that this person, or nobody, may ask for."""
        return tuple(act for act in self.acts if self.may(operator, act))

    def roles(self, act: str) -> tuple[str, ...]:
        """Who may, in the order of the roles."""
        return tuple(role.value for role in Role if role in self.acts[act].roles)


def _allows(rule: Rule, operator: Operator | None, *, emergency: bool = False) -> bool:
    if NOBODY in rule.roles:
        return True
    if operator is None or not operator.active:
        return False
    return operator.role in rule.roles or (emergency and rule.emergency)


@cache
def load_permissions(acts: frozenset[str] | None = None) -> Permissions:
    """The shipped table. `acts`: every act there is; without them only intents and sights are compared.

    Raises:
        DataError: with file and line, as `parse_permissions`.
    """
    return parse_permissions(read_resource(NAME), acts)


def parse_permissions(text: str, acts: Set[str] | None = None, name: str = NAME) -> Permissions:
    """
    Raises:
        DataError: an unknown role, act, intent or sight; one that stands twice; one that nothing says who may do; an
            emergency that would do more than read; a line that does not say why.
    """
    file = parse(text, name, _File)
    return Permissions(
        _section(text, name, "act", file.act, acts),
        _section(text, name, "intent", file.intent, INTENTS),
        _section(text, name, "entry", file.entry, ENTRIES),
        _section(text, name, "sight", file.sight, SIGHTS),
    )


def _section(text: str, name: str, kind: str, rules: tuple[Rule, ...], known: Set[str] | None) -> dict[str, Rule]:
    table: dict[str, Rule] = {}
    for index, rule in enumerate(rules):
        if known is not None and rule.name not in known:
            raise fault(text, name, kind, index, f"there is no {kind} {rule.name}")
        if rule.name in table:
            raise fault(text, name, kind, index, f"{rule.name} stands twice")
        if strangers := {*rule.roles, *rule.prepares} - {*Role, NOBODY}:
            raise fault(text, name, kind, index, f"there is no role {', '.join(sorted(strangers))}")
        if not rule.why.strip():
            raise fault(text, name, kind, index, f"{rule.name} does not say why")
        if not rule.roles:
            raise fault(text, name, kind, index, f"nobody at all may {rule.name}")
        if rule.prepares and kind != "intent":
            raise fault(text, name, kind, index, f"{rule.name} is no intent, so nobody prepares with it")
        if rule.emergency and kind != "sight" and rule.name not in READING:
            raise fault(text, name, kind, index, f"an emergency is for reading, and {rule.name} does more")
        table[rule.name] = rule
    if missing := sorted((known or set()) - table.keys()):
        line = len(text.splitlines())
        raise DataError(f"{name}:{line}: nothing says who may {', '.join(missing)}.", f"Add a [[{kind}]].")
    return table
