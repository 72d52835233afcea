"""The recovery sheet for backups: drawn, printed, typed back, and only then in force."""

from dataclasses import dataclass
from typing import Final

from core.backup.vault import draw_sheet, take_sheet
from core.record.practice_keys import PracticeKeys

CHECKED_LINE: Final = 3
"""The line that is typed back, from 1."""


@dataclass(frozen=True, slots=True)
class SheetDraft:
    """A sheet that counts for nothing yet. `lines`: as they are printed."""

    seed: bytes
    lines: tuple[str, ...]

    @classmethod
    def draw(cls) -> "SheetDraft":
        seed, lines = draw_sheet()
        return cls(seed, tuple(lines))

    def read_back(self, typed: str) -> bool:
        """Whether somebody has it before them: this is its line `CHECKED_LINE`. Spaces and case do not matter."""
        return _plain(typed) == _plain(self.lines[CHECKED_LINE - 1])

    def take(self, keys: PracticeKeys, *, author: str) -> None:
        """From now on it opens the backups, and none before does."""
        take_sheet(keys, self.seed, author=author)

    def __repr__(self) -> str:
        return "SheetDraft()"  # it stands in no log


def sheet_in_force(keys: PracticeKeys) -> tuple[str, int] | None:
    """Who printed the sheet that counts, and when, UTC µs; None: there is none."""
    return keys.kept_by("sheet")


def _plain(line: str) -> str:
    return "".join(line.split()).upper()
