"""The figures of the model, read from `resources/physiology.toml` and checked on load.

The sections below say which figures there must be and in which unit (UCUM); the file gives value, spread between
people, what it is and where it comes from.
"""

import math
from collections.abc import Iterator
from functools import cache
from typing import Annotated, Final, Literal, get_args, get_type_hints

import msgspec
import numpy as np

from core.model.datafile import DataError, fault, line_at, parse, read_resource


class Figure(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One figure.

    Attributes:
        value: of a typical person.
        spread: how far people differ from it, each way, all alike likely.
        unit: UCUM.
        source: where it comes from; "(check)" marks general knowledge, "illustrative" what was chosen to look right.
    """

    value: float
    spread: float = 0.0
    unit: str
    what: str
    source: str

    def of(self, person: np.random.Generator) -> float:
        """The figure of one person."""
        return float(person.uniform(self.value - self.spread, self.value + self.spread))


One = Annotated[Figure, "1"]
Acidity = Annotated[Figure, "[pH]"]
Flow = Annotated[Figure, "mL/min"]
Volume = Annotated[Figure, "mL"]
Molar = Annotated[Figure, "mmol/L"]
MolarRate = Annotated[Figure, "mmol/L/s"]
Mass = Annotated[Figure, "mg/L"]
Loss = Annotated[Figure, "ug/cm2/h"]
PerDay = Annotated[Figure, "/d"]
PerMinute = Annotated[Figure, "/min"]
PerSecond = Annotated[Figure, "%/s"]
Percent = Annotated[Figure, "%"]
Milliseconds = Annotated[Figure, "ms"]
Seconds = Annotated[Figure, "s"]
Minutes = Annotated[Figure, "min"]
Days = Annotated[Figure, "d"]
Celsius = Annotated[Figure, "Cel"]
Kelvin = Annotated[Figure, "K"]
Hertz = Annotated[Figure, "Hz"]
Newton = Annotated[Figure, "N"]
Microvolt = Annotated[Figure, "uV"]
PartsPerBillion = Annotated[Figure, "[ppb]"]
Nanogram = Annotated[Figure, "ng/mL"]
Picogram = Annotated[Figure, "pg/mL"]


class Section(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The base of all sections: every field is a figure."""


class SalivaFigures(Section, frozen=True, kw_only=True):
    rest_flow: Flow
    least_flow: Flow
    taste_flow: Flow
    chewing_flow: Flow
    half_taste: Molar
    volume: Volume
    serving: Molar
    bicarbonate_most: Molar
    bicarbonate_half_flow: Flow
    bicarbonate_pk: Acidity
    carbon_dioxide: Molar
    lactate: Molar
    plaque_share: One


class PlaqueFigures(Section, frozen=True, kw_only=True):
    buffer_neutral: Molar
    buffer_acid: Molar
    acid_rate: MolarRate
    half_sugar: Molar
    acid_pk: Acidity
    acid_steepness: One
    rest_acid: MolarRate
    rest_acid_share: One
    base_rate: MolarRate
    exchange: MolarRate
    exchange_fixed: One
    sugar_way: Seconds
    acid_way: Seconds
    acids_per_sugar: One
    lactate_share: One
    regrowth: Days
    usual_hygiene: One


class MineralFigures(Section, frozen=True, kw_only=True):
    solubility: One
    calcium: Molar
    calcium_release: Molar
    phosphate: Molar
    ionic_strength: Molar
    lactate_pk: Acidity
    acetate_pk: Acidity
    fluoride: Mass
    fluoride_tenth: Mass
    loss_rate: Loss
    loss_order: One
    acid_order: One
    gain_rate: Loss
    gain_half: One
    repair_gain: One


class MicrobiomeFigures(Section, frozen=True, kw_only=True):
    acid_share: One
    growth: PerDay
    acid_growth: One
    sugar_growth: One
    base_pk: Acidity
    base_steepness: One
    competition: One
    arrival: PerDay
    balance_shift: PerMinute
    care_full: Minutes
    care_lasts: Days
    care_slows: One
    balance_base: MolarRate


class GumFigures(Section, frozen=True, kw_only=True):
    half_load: One
    response: Days
    warmth: Kelvin
    sulphur_rest: PartsPerBillion
    sulphur_inflamed: PartsPerBillion
    sulphur_care: One
    mmp8_rest: Nanogram
    mmp8_inflamed: Nanogram
    il1b_rest: Picogram
    il1b_inflamed: Picogram


class WarmthFigures(Section, frozen=True, kw_only=True):
    pulp: Celsius
    tissue: Celsius
    room: Celsius
    pulp_lag: Seconds
    tissue_lag: Seconds
    pulp_dose: Kelvin
    tissue_dose: Kelvin


class MindFigures(Section, frozen=True, kw_only=True):
    anxiety_shape: One
    anxiety_ease: One
    seat: One
    consent: One
    treatment: One
    pause: One
    pause_lasts: Minutes
    onset: One
    calm_floor: One
    heat: One
    heat_from: Celsius
    rise: Seconds
    fall: Seconds
    reassurance: One
    reassurance_lasts: Minutes
    breathing: One
    comfort_most: One


class HeartFigures(Section, frozen=True, kw_only=True):
    rest: PerMinute
    reactivity: PerMinute
    startle_lasts: Seconds
    breath: Hertz
    arrhythmia: PerMinute
    guided_gain: One
    guided_in: Seconds
    guided_out: Seconds
    vagal_loss: One
    wander: PerMinute
    spo2: Percent
    spo2_wander: Percent
    swing: Percent
    constriction: One


class JawFigures(Section, frozen=True, kw_only=True):
    rise: Seconds
    fall: Seconds
    lag: Seconds
    emg_rest: Microvolt
    emg_full: Microvolt
    force_full: Newton
    force_noise: Newton
    own_pause: Seconds
    chew_rate: Hertz
    chew_burst: Seconds
    chew_strength: One
    grind_rate: Hertz
    grind_burst: Seconds


class SwarmFigures(Section, frozen=True, kw_only=True):
    ramp: Seconds
    energy: Percent
    drain: PerSecond
    recharge: PerSecond
    energy_least: Percent
    live: Percent
    live_loss: PerSecond
    live_least: Percent
    heat_rest: Kelvin
    heat_dose: Kelvin
    heat_lag: Seconds
    sync: Milliseconds
    sync_dose: Milliseconds
    sync_tired: Milliseconds
    tired_below: Percent


Jaw = Literal["upper", "lower"]
ToothKind = Literal["incisor", "canine", "premolar", "molar"]


class Site(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The approximal plaque of one kind of tooth, as shares of the most.

    Attributes:
        access: how fast the film of saliva passes.
        thickness: of plaque; 1 is that of a lower molar.
        reach: how much of the sugar in saliva gets there.
    """

    jaw: Jaw
    kind: ToothKind
    access: float
    thickness: float
    reach: float
    source: str


class Physiology(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Every figure of the model, by section, and the sites."""

    saliva: SalivaFigures
    plaque: PlaqueFigures
    mineral: MineralFigures
    microbiome: MicrobiomeFigures
    gums: GumFigures
    warmth: WarmthFigures
    mind: MindFigures
    heart: HeartFigures
    jaw: JawFigures
    swarm: SwarmFigures
    site: list[Site]

    def figures(self) -> Iterator[tuple[str, Figure]]:
        """Every figure with its name, such as `saliva.rest_flow`, in order."""
        for section, fields in _sections():
            for key in fields:
                yield f"{section}.{key}", getattr(getattr(self, section), key)


_SITES: Final = frozenset((jaw, kind) for jaw in get_args(Jaw) for kind in get_args(ToothKind))


@cache
def _sections() -> tuple[tuple[str, dict[str, str]], ...]:
    """Each section, and the unit of each of its figures."""
    found = []
    for section, kind in get_type_hints(Physiology).items():
        if isinstance(kind, type) and issubclass(kind, Section):
            hints = get_type_hints(kind, include_extras=True)
            found.append((section, {key: get_args(hint)[1] for key, hint in hints.items()}))
    return tuple(found)


def parse_physiology(text: str, name: str = "physiology.toml") -> Physiology:
    """Check and read the figures. Raises DataError, naming file and line."""
    read = parse(text, name, Physiology)
    for section, units in _sections():
        for key, unit in units.items():
            what = _figure_fault(getattr(getattr(read, section), key), unit)
            if what:
                line = line_at(text, f"{section}.{key}")
                raise DataError(f"{name}:{line}: {section}.{key} {what}.", "Mend the entry.")
    seen: set[tuple[str, str]] = set()
    for index, site in enumerate(read.site):
        what = _site_fault(site, seen)
        if what:
            raise fault(text, name, "site", index, f"the site {site.jaw} {site.kind} {what}")
        seen.add((site.jaw, site.kind))
    for jaw, kind in sorted(_SITES - seen):
        raise DataError(f"{name}: there is no site {jaw} {kind}.", "Add a [[site]] for it.")
    return read


def _figure_fault(figure: Figure, unit: str) -> str:
    if not (math.isfinite(figure.value) and math.isfinite(figure.spread)):
        return "is no finite number"
    if figure.value < 0 or not 0 <= figure.spread <= figure.value:
        return "is below 0, or its spread reaches there"
    if figure.unit != unit:
        return f"is in {figure.unit!r}, but the model reckons in {unit!r}"
    if not figure.what or not figure.source:
        return "does not say what it is, or gives no source"
    return ""


def _site_fault(site: Site, seen: set[tuple[str, str]]) -> str:
    if (site.jaw, site.kind) in seen:
        return "stands twice"
    if not (0 < site.access <= 1 and 0 < site.thickness <= 2 and 0 < site.reach <= 1):
        return "has a share that cannot be"
    return "" if site.source else "gives no source"


@cache
def load_physiology() -> Physiology:
    """The figures that ship with the product. Raises DataError."""
    return parse_physiology(read_resource("physiology.toml"))
