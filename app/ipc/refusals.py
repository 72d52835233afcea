"""Answers that say no, why, and what to do."""

import logging

from app.ipc.messages import Refused
from core.model.errors import SmilescapeError
from core.model.words import Text
from core.procedure.refusal import Refusal

_log = logging.getLogger(__name__)


def refused(why: str, room: str = "ipc", **values: str | int | float) -> Refused:
    """A refusal whose words are `<room>.<why>.text` and `<room>.<why>.remedy`."""
    code = f"{room}.{why}"
    return Refused(code=code, text=Text(f"{code}.text", {**values}), remedy=Text(f"{code}.remedy", {**values}))


def as_refused(error: Exception) -> Refused:
    """An error as an answer: typed errors say themselves what they are, any other is logged with its trace."""
    if isinstance(error, Refusal):
        return Refused(code=error.code, text=error.text, remedy=error.remedy_text)
    if isinstance(error, SmilescapeError):
        remedy = Text("ipc.said", {"text": error.remedy}) if error.remedy else None
        return Refused(code=error.code, text=Text("ipc.said", {"text": Exception.__str__(error)}), remedy=remedy)
    _log.error("a request failed", exc_info=error)
    return refused("failed")
