"""The practice's rules on what an erasure leaves and when a patient is listed for it: `resources/retention.toml`."""

import tomllib
from importlib import resources
from pathlib import Path
from typing import Final

import msgspec

from core.backup.belongings import KEPT_KINDS
from core.backup.errors import BackupError

ALWAYS: Final = frozenset({"audit", "orders", "alarms", "worn"})
"""What stays in any case, and so has to be named."""


class RetentionWrong(BackupError):  # noqa: N818 - named for what is the case
    """The rules cannot be read."""

    code = "retention.wrong"


class Stays(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Something that an erasure leaves, and why."""

    what: str
    why: str


class Retention(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`years`: after the last visit, before a patient is listed for erasure."""

    years: int
    stays: list[Stays]

    @property
    def kept_kinds(self) -> frozenset[str]:
        """Kinds of entries that stay."""
        return frozenset(one.what for one in self.stays) & KEPT_KINDS


def load_retention(path: Path | None = None) -> Retention:
    """Raises RetentionWrong."""
    source = path if path is not None else Path(str(resources.files("resources") / "retention.toml"))
    try:
        found = msgspec.convert(tomllib.loads(source.read_text(encoding="utf-8")), Retention)
    except (OSError, tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise RetentionWrong(
            f"{source} cannot be read: {error}.", "Compare it with the one that was shipped."
        ) from error
    named = {one.what for one in found.stays}
    wrong = sorted((named - ALWAYS - KEPT_KINDS) | (ALWAYS - named))
    if wrong or found.years < 1:
        raise RetentionWrong(
            f"{source}: {', '.join(wrong) or 'years'} is not as it has to be.",
            f"Name all of {', '.join(sorted(ALWAYS))}; else at most {', '.join(sorted(KEPT_KINDS))}; a year or more.",
        )
    return found
