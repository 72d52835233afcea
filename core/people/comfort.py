"""Dental anxiety by the Modified Dental Anxiety Scale (MDAS): five questions of 1–5.

Total 5–25; 19 or more is high (11.6 % of 11,382 adults in the United Kingdom). The scale asks the patient; no signal
replaces the answer: heart rate alone does not measure anxiety (BMC Oral Health 2019;19:211), it only prompts to ask.
"""

from collections.abc import Mapping

import msgspec

ITEMS = ("mdas1", "mdas2", "mdas3", "mdas4", "mdas5")
HIGH_FROM = 19
NOT_ASKED = 0


class Mdas(msgspec.Struct, frozen=True, kw_only=True):
    """A score.

    Attributes:
        total: 5–25, None when it has no meaning because not every item was answered.
        answered: how many of the five were.
        declined: none was: the patient was not asked, or did not want to say.
    """

    total: int | None
    answered: int

    @property
    def declined(self) -> bool:
        return self.answered == 0

    @property
    def high(self) -> bool | None:
        """Whether the anxiety is high; None when it is not known."""
        return None if self.total is None else self.total >= HIGH_FROM


def score_mdas(answers: Mapping[str, int]) -> Mdas:
    """Score the answers, `mdas1`…`mdas5` → 1–5, 0 or absent for not asked.

    Raises:
        ValueError: an unknown item, or an answer that is not 0–5.
    """
    unknown = set(answers) - set(ITEMS)
    if unknown or any(not 0 <= value <= 5 for value in answers.values()):
        raise ValueError(f"not an MDAS answer: {dict(answers)}")
    given = [answers[item] for item in ITEMS if answers.get(item, NOT_ASKED) != NOT_ASKED]
    return Mdas(total=sum(given) if len(given) == len(ITEMS) else None, answered=len(given))
