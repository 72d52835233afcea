"""An intent that is not carried out."""

from core.model.errors import SmilescapeError
from core.model.words import Text


class Refusal(SmilescapeError):  # noqa: N818
    """What a person asked for is not done.

    Attributes:
        code: stable name for logs and tests, such as `stale`, `role` or `blocked`.
        text: why; `remedy_text` is what to do now.
    """

    def __init__(self, code: str, text: Text, remedy: Text | None = None) -> None:
        super().__init__(f"{code}: {text.key}")
        self.code = code  # type: ignore[misc]  # one class for every refusal: the code belongs to the occurrence
        self.text = text
        self.remedy_text = remedy


def refuse(code: str, remedy: str | None = None, **values: str | int | float) -> Refusal:
    """The refusal whose sentence is `refusal.<code>`, and its remedy `refusal.<remedy>`.

    The remedy defaults to the sentence `refusal.<code>_remedy`.
    """
    return Refusal(code, Text(f"refusal.{code}", values), Text(f"refusal.{remedy or code + '_remedy'}", values))
