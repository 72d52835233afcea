"""What was tried and what was accepted, by stratum."""

from dataclasses import dataclass, field
from random import Random

from tests.devices.simulator.visit import Practice


@dataclass(slots=True)
class Count:
    """Of one stratum: `forged` and `valid` tries, and how many of each were accepted."""

    forged: int = 0
    forged_accepted: int = 0
    valid: int = 0
    valid_accepted: int = 0


@dataclass(slots=True)
class Tally:
    """All strata by name. `examples`: forgeries that were accepted, the first few."""

    counts: dict[str, Count] = field(default_factory=dict)
    examples: list[str] = field(default_factory=list)

    def forged(self, stratum: str, accepted: bool, example: object = "") -> None:
        count = self.counts.setdefault(stratum, Count())
        count.forged += 1
        if accepted:
            count.forged_accepted += 1
            self.examples = [*self.examples, f"{stratum}: {example}"][:20]

    def valid(self, stratum: str, accepted: bool) -> None:
        count = self.counts.setdefault(stratum, Count())
        count.valid += 1
        count.valid_accepted += accepted

    @property
    def total(self) -> Count:
        every = self.counts.values()
        return Count(
            sum(one.forged for one in every),
            sum(one.forged_accepted for one in every),
            sum(one.valid for one in every),
            sum(one.valid_accepted for one in every),
        )

    def table(self) -> str:
        """For people: a line for each stratum."""
        lines = [f"{'stratum':<52}{'forged':>10}{'accepted':>10}{'valid':>8}{'accepted':>10}"]
        for name, one in [*sorted(self.counts.items()), ("all", self.total)]:
            lines.append(
                f"{name:<52}{one.forged:>10,}{one.forged_accepted:>10}{one.valid:>8,}{one.valid_accepted:>10,}"
            )
        return "\n".join(lines)


class Forger:
    """What every kind of forgery needs.

    Args:
        random: makes it repeatable, but for keys, which are fresh.
        most: tries of each stratum of each message; None: all that there are.
    """

    def __init__(self, tally: Tally, practice: Practice, random: Random, most: int | None) -> None:
        self.tally = tally
        self._practice = practice
        self._random = random
        self._most = most

    def _some(self, count: int) -> list[int]:
        if self._most is None or count <= self._most:
            return list(range(count))
        return self._random.sample(range(count), self._most)
