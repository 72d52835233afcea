"""What consoles ask about hubs that are not trusted."""

from app.ipc.message import Message
from core.model.procedure import Doubt


class LiftDoubt(Message, frozen=True, kw_only=True):
    """One doubt about one hub is lifted: it may treat again, as far as this doubt goes. Dentists only.

    Attributes:
        found_us: of the finding that the person looked at; one that was found anew since is not lifted.
        reason: in words; kept in the audit log with who lifted it.
    """

    serial: str
    doubt: Doubt
    found_us: int
    reason: str
