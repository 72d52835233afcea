"""What consoles ask about the practice's keys. No message carries a secret but the PIN that a person typed."""

from app.ipc.message import Message
from core.model.keys import KeyRow

# requests


class ListKeys(Message, frozen=True, kw_only=True):
    """Answered by `Keys`. Dentists only, as all that follows but `ChangePin`."""


class RevokeKey(Message, frozen=True, kw_only=True):
    """A key counts no more. `kid`: 16 hexadecimal digits, spaces do not matter. `reason`: what happened, in words."""

    kid: str
    reason: str


class TakeBack(Message, frozen=True, kw_only=True):
    """The revocation of a hub's key: it was found. It still has to be opened by hand and enrolled."""

    kid: str
    reason: str


class RotateWorkstation(Message, frozen=True, kw_only=True):
    """New keys for this workstation, the old ones revoked; not during treatment. `reason` may be empty."""

    reason: str = ""


class RotateHub(Message, frozen=True, kw_only=True):
    """New keys for the hub of a chair that is connected and idle; the old ones are revoked."""

    chair: int


class RenewHub(Message, frozen=True, kw_only=True):
    """A new certificate over the same keys, for the hub of a chair that is connected and idle."""

    chair: int


class RotateMine(Message, frozen=True, kw_only=True):
    """A new key for who is logged in, the old one revoked; not during treatment. `pin`: theirs, to prove it."""

    pin: str


class RenewKeys(Message, frozen=True, kw_only=True):
    """New certificates over the same keys: of who is logged in, and of this workstation."""


class ChangePin(Message, frozen=True, kw_only=True):
    """One's own PIN; the key stays. Anybody who is logged in, for themselves."""

    operator_id: str
    old: str
    new: str


class ResetPin(Message, frozen=True, kw_only=True):
    """A new PIN for somebody else. A dentist gets a new key with it, and the old one is revoked."""

    operator_id: str
    pin: str


# reply


class Keys(Message, frozen=True, kw_only=True):
    """Every key of the practice's root.

    Attributes:
        root: kid of the root, as the rows write kids.
        list_number, list_issued_us: of the newest revocation list.
        behind: a hub knows a newer list: the practice's file came from a backup.
        unlocked: whether who asks has opened the root, without which nothing can be changed.
        makers: whose new hubs are taken for genuine.
    """

    rows: tuple[KeyRow, ...]
    root: str
    list_number: int
    list_issued_us: int
    behind: bool
    unlocked: bool
    makers: tuple[str, ...] = ()


KeyRequest = (
    ListKeys
    | RevokeKey
    | TakeBack
    | RotateWorkstation
    | RotateHub
    | RenewHub
    | RotateMine
    | RenewKeys
    | ChangePin
    | ResetPin
)
KEY_REQUESTS = KeyRequest.__args__
