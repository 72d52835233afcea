"""What can go wrong with backups and erasures, each with its next step."""

# ruff: noqa: N818 - the names say what happened

from core.model.errors import SmilescapeError


class BackupError(SmilescapeError):
    """The base of the errors of this room."""

    code = "backup"


class BackupFailed(BackupError):
    """A backup was not made. Nothing half is left of it; the ones before stand."""

    code = "backup.failed"


class BackupCancelled(BackupError):
    """Somebody broke it off."""

    code = "backup.cancelled"

    def __init__(self) -> None:
        super().__init__("The backup was broken off. Nothing of it is left.", "Start it again when there is time.")


class BackupDamaged(BackupError):
    """A backup, or the keys beside it, are not what was written."""

    code = "backup.damaged"


class NoSheet(BackupError):
    """Nobody could ever open a backup: there is no recovery sheet."""

    code = "backup.no_sheet"

    def __init__(self) -> None:
        super().__init__(
            "There is no recovery sheet yet, and without one nobody opens a backup.",
            "Print it: python main.py backup sheet.",
        )


class SheetUnknown(BackupError):
    """The sheet is whole, and does not open these keys."""

    code = "backup.sheet_unknown"


class EraseRefused(BackupError):
    """This patient cannot be erased now."""

    code = "erase.refused"
