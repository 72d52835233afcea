"""The base of every error that a person may see."""

from typing import ClassVar


class SmilescapeError(Exception):
    """An error with a next step.

    Attributes:
        code: stable, dotted name for logs and tests, such as `record.wrong_key`.
        remedy: one sentence that tells the person what to do now.
    """

    code: ClassVar[str] = "error"

    def __init__(self, message: str, remedy: str = "") -> None:
        super().__init__(message)
        self.remedy = remedy

    def __str__(self) -> str:
        message = super().__str__()
        return f"{message} {self.remedy}" if self.remedy else message
