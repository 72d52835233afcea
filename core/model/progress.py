"""How long work says how far it is, and how it is told to end."""

from collections.abc import Callable

from core.model.errors import SmilescapeError

Watch = Callable[[float], None]
"""Called now and then with the part that is done, 0 to 1. It may raise Cancelled, which must leave nothing behind."""


class Cancelled(SmilescapeError):  # noqa: N818
    """Somebody asked for it to end."""

    code = "cancelled"

    def __init__(self) -> None:
        super().__init__("Cancelled. Nothing was left behind.", "Begin again when it suits.")


def unwatched(done: float) -> None:
    """For those who neither look nor cancel."""


def within(watch: Watch, begin: float, end: float) -> Watch:
    """A watch for a part of the work, which fills [begin, end] of the whole."""
    return lambda done: watch(begin + (end - begin) * min(max(done, 0.0), 1.0))
