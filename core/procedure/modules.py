"""The module catalogue: what the procedure can do, read from `resources/modules` and checked on load."""

from collections.abc import Iterator, Mapping
from functools import cache
from importlib import resources
from typing import Literal

import msgspec

from core.model.datafile import DataError, fault, parse
from core.model.limits import Limit, LimitOwner
from core.safety.limit_table import LimitTable, load_limits
from core.safety.limits import limit_fault
from core.signals.catalogue import Catalogue, load_catalogue

Evidence = Literal["none", "early", "moderate", "strong"]
LONGEST_PHASE_S = 3600


class PhaseSpec(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One phase of a module.

    Attributes:
        seconds: how long it lasts.
        demo_seconds: how long it lasts instead when the visit is simulated.
        dose_percent: share of the module's dose that this phase delivers, 1–100.
    """

    key: str
    seconds: int
    demo_seconds: int
    dose_percent: int = 100


class Gentler(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The gentler variant: less dose, and a temperature limit of its own."""

    dose_percent: int
    tissue_limit_c: float


class ModuleLimit(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A limit that the module's protocol brings."""

    channel: str
    low: float | None = None
    high: float | None = None
    reason: str
    priority: str = "medium"
    holds: bool = False
    seconds: float = 0.0

    def limit(self) -> Limit:
        return Limit(
            channel=self.channel,
            owner=LimitOwner.PROTOCOL,
            low=self.low,
            high=self.high,
            reason=self.reason,
            priority=self.priority,
            holds=self.holds,
            seconds=self.seconds,
        )


class _File(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    key: str
    number: int
    per_tooth: bool
    dose_percent: int
    tissue_limit_c: float
    evidence: Evidence
    gentler: Gentler
    phase: list[PhaseSpec]
    limit: list[ModuleLimit] = []


class Module(msgspec.Struct, frozen=True, kw_only=True):
    """One module.

    Attributes:
        number: 1–255, the number on the wire; never reused.
        per_tooth: whether it is done tooth by tooth, or once for the whole mouth.
        dose_percent: its full dose; `tissue_limit_c` the temperature at which the hub holds by itself, °C.
        evidence: how much is known; its words are `module.<key>.evidence`.

    What people read stands in `resources/words` under `module.<key>`: name, does, effect, risk, evidence, instead,
    gentler, and `phase.<phase>`.
    """

    key: str
    number: int
    per_tooth: bool
    dose_percent: int
    tissue_limit_c: float
    evidence: Evidence
    gentler: Gentler
    phases: tuple[PhaseSpec, ...]
    limits: tuple[Limit, ...]


class ModuleCatalogue:
    """Every module, with the channels and default limits that plans are checked against."""

    def __init__(self, modules: Mapping[str, Module], channels: Catalogue, table: LimitTable) -> None:
        self._modules = dict(modules)
        self.channels = channels
        self.limits = table.limits
        self.recovery = table.recovery

    def __iter__(self) -> Iterator[Module]:
        return iter(self._modules.values())

    def __len__(self) -> int:
        return len(self._modules)

    def __contains__(self, key: object) -> bool:
        return key in self._modules

    def key(self, key: str) -> Module:
        """The module with this key. Raises KeyError."""
        return self._modules[key]


def parse_module(text: str, channels: Catalogue, name: str) -> Module:
    """Check and read one module file. Raises DataError, naming file and line."""
    file = parse(text, name, _File)
    for entry, index, what in _faults(file, channels):
        raise fault(text, name, entry, index, f"module {file.key!r} {what}")
    return Module(
        key=file.key,
        number=file.number,
        per_tooth=file.per_tooth,
        dose_percent=file.dose_percent,
        tissue_limit_c=file.tissue_limit_c,
        evidence=file.evidence,
        gentler=file.gentler,
        phases=tuple(file.phase),
        limits=tuple(entry.limit() for entry in file.limit),
    )


def _faults(file: _File, channels: Catalogue) -> Iterator[tuple[str, int, str]]:
    if not 1 <= file.number <= 255:
        yield "number", 0, f"has number {file.number}, not one of 1-255"
    if not 1 <= file.dose_percent <= 100:
        yield "dose_percent", 0, f"has dose {file.dose_percent} %, not one of 1-100"
    if not 1 <= file.gentler.dose_percent <= file.dose_percent or file.gentler.tissue_limit_c > file.tissue_limit_c:
        yield "gentler", 0, "has a gentler variant that is not gentler"
    if not file.phase:
        yield "phase", 0, "has no phase"
    keys: set[str] = set()
    for index, phase in enumerate(file.phase):
        if phase.key in keys:
            yield "phase", index, f"has phase {phase.key!r} twice"
        keys.add(phase.key)
        if not (1 <= phase.demo_seconds <= phase.seconds <= LONGEST_PHASE_S and 1 <= phase.dose_percent <= 100):
            yield "phase", index, f"has phase {phase.key!r} with impossible seconds or dose"
    for index, limit in enumerate(file.limit):
        if what := limit_fault(limit.limit(), channels):
            yield "limit", index, f"brings a limit of {limit.channel!r} that {what}"


def parse_modules(texts: Mapping[str, str], channels: Catalogue, table: LimitTable) -> ModuleCatalogue:
    """Read several module files, name → text, ordered by wire number. Raises DataError."""
    modules: dict[str, Module] = {}
    for name, text in texts.items():
        module = parse_module(text, channels, name)
        if module.key in modules:
            raise fault(text, name, "key", 0, f"module {module.key!r} stands twice")
        if any(other.number == module.number for other in modules.values()):
            raise fault(text, name, "number", 0, f"module {module.key!r} repeats number {module.number}")
        modules[module.key] = module
    if not modules:
        raise DataError("resources/modules holds no module.", "Install the product again.")
    ordered = sorted(modules.values(), key=lambda module: module.number)
    return ModuleCatalogue({module.key: module for module in ordered}, channels, table)


@cache
def load_modules() -> ModuleCatalogue:
    """The modules that ship with the product. Raises DataError."""
    folder = resources.files("resources") / "modules"
    files = sorted((file for file in folder.iterdir() if file.name.endswith(".toml")), key=lambda file: file.name)
    texts = {f"modules/{file.name}": file.read_text(encoding="utf-8") for file in files}
    return parse_modules(texts, load_catalogue(), load_limits())
