"""The practice's keys as people see them: rows of a list, named by the kid of each key."""

from enum import StrEnum

import msgspec

from core.model.cose import KID_BYTES
from core.model.errors import SmilescapeError


class KeyKind(StrEnum):
    """Who holds a key."""

    HUB = "hub"
    WORKSTATION = "workstation"
    CLINICIAN = "clinician"


class KeyState(StrEnum):
    """Whether a key counts."""

    IN_FORCE = "in_force"
    SOON = "soon"
    """It counts, and ends soon: it is to be renewed."""
    EXPIRED = "expired"
    REVOKED = "revoked"
    NONE = "none"
    """A dentist who has no key, and therefore cannot sign."""


class KeyRow(msgspec.Struct, frozen=True, kw_only=True):
    """One key of the practice.

    Attributes:
        name: whose it is: a person's name, a hub's serial number, a workstation's name.
        holder: operator id, hub's serial number, or workstation's name.
        kid: as `grouped` writes it; empty where there is no key.
        issued_us, expires_us: UTC µs; 0 where there is no key.
        reason, revoked_by: of the revocation; who is an operator's id.
        chair: of a hub that is bound; 0 otherwise.
        mine: of the person or the workstation that asks.
    """

    kind: KeyKind
    name: str
    holder: str
    kid: str
    issued_us: int
    expires_us: int
    state: KeyState
    reason: str = ""
    revoked_by: str = ""
    chair: int = 0
    mine: bool = False


class KidUnclear(SmilescapeError):  # noqa: N818 - named for what is the case
    """What was typed names no key, or several."""

    code = "keys.kid"


def grouped(data: bytes) -> str:
    """Hexadecimal digits in groups of four, such as `1A2B 3C4D 5E6F 7081`: easy to read aloud and to compare."""
    digits = data.hex().upper()
    return " ".join(digits[at : at + 4] for at in range(0, len(digits), 4))


def read_kid(text: str) -> bytes:
    """The kid that was written with or without spaces, in either case. Raises KidUnclear."""
    try:
        kid = bytes.fromhex("".join(text.split()))
    except ValueError:
        kid = b""
    if len(kid) != KID_BYTES:
        raise KidUnclear(f"{text!r} is not the number of a key.", "Take it from the list: 16 digits and letters A–F.")
    return kid
