"""The engine as it is, but with phases that no test outlasts: what is done in the middle of one is done there.

The product's simulated phases last some seconds, its baseline twenty. That they run out is for the tour to show.
"""

import sys
from typing import Final

import msgspec

from app.engine import house
from app.engine.__main__ import main
from core.procedure import checks
from core.procedure.modules import Module, ModuleCatalogue, load_modules
from core.safety.limit_table import load_limits
from core.signals.catalogue import load_catalogue

PHASE_S: Final = 3600
BASELINE_S: Final = 5.0


def long_modules() -> ModuleCatalogue:
    """The modules that ship, of the same phases and doses."""
    return ModuleCatalogue({module.key: _long(module) for module in load_modules()}, load_catalogue(), load_limits())


def _long(module: Module) -> Module:
    phases = (msgspec.structs.replace(phase, seconds=PHASE_S, demo_seconds=PHASE_S) for phase in module.phases)
    return msgspec.structs.replace(module, phases=tuple(phases))


def run() -> int:
    vars(house)["load_modules"] = long_modules
    vars(checks)["BASELINE_DEMO_S"] = BASELINE_S
    return main()


if __name__ == "__main__":
    sys.exit(run())
