# ruff: noqa: N818 - the names say what is the case, as in `raise KeysLocked`
"""What can go wrong with the practice's keys, each with its next step."""

from core.model.errors import SmilescapeError


class KeysError(SmilescapeError):
    """The base of all errors of this room."""

    code = "keys"


class NotFounded(KeysError):
    """There is no root yet."""

    code = "keys.not_founded"

    def __init__(self) -> None:
        super().__init__("This practice has no keys yet.", "A dentist has to log in once.")


class KeysLocked(KeysError):
    """Nobody is logged in whose PIN opens what is needed."""

    code = "keys.locked"

    def __init__(self) -> None:
        super().__init__("The practice's root key is locked.", "A dentist who has a key has to log in.")


class SigningEnded(KeysError):
    """The key was closed, at logout."""

    code = "keys.closed"

    def __init__(self) -> None:
        super().__init__("The key for this signature was closed at logout.", "Log in again, then give the order again.")


class WrongSecret(KeysError):
    """A PIN or key does not open what it should."""

    code = "keys.wrong_secret"

    def __init__(self) -> None:
        super().__init__("The PIN does not open this key.", "Try again.")


class EmptySecret(KeysError):
    """Only simulated data may be without a PIN."""

    code = "keys.empty_secret"

    def __init__(self) -> None:
        super().__init__("A key of a real practice is never without a PIN.", "Give a PIN.")


class WrappedDamaged(KeysError):
    """A wrapped secret is not what was written."""

    code = "keys.damaged"

    def __init__(self) -> None:
        super().__init__("A wrapped key is damaged.", "Restore the practice's file from a backup.")


class NoKey(KeysError):
    """A dentist without a key: it was revoked, or nobody has given one yet."""

    code = "keys.none"

    def __init__(self, name: str) -> None:
        super().__init__(
            f"{name} has no key here and cannot sign orders.", "Another dentist gives a new PIN in Set-up, Keys."
        )


class LastKey(KeysError):
    """Without this key nobody could open the root any more."""

    code = "keys.last"

    def __init__(self) -> None:
        super().__init__(
            "This is the last key that opens the practice's root.", "Replace it, or first give another dentist a key."
        )


class KeyInUse(KeysError):
    """Our own workstation's key."""

    code = "keys.in_use"

    def __init__(self) -> None:
        super().__init__("This is the key of this workstation.", "Replace it: that revokes the old one.")


class UnknownKey(KeysError):
    """No certificate of the present root has this kid."""

    code = "keys.unknown"

    def __init__(self, said: str) -> None:
        super().__init__(f"This practice has no key {said}.", "Look it up in the list of keys.")


class AlreadyRevoked(KeysError):
    """It does not count already."""

    code = "keys.already_revoked"

    def __init__(self, said: str) -> None:
        super().__init__(f"The key {said} was revoked before.", "Nothing is to be done.")


class KeysRevoked(KeysError):
    """A certificate is asked for over keys that were revoked."""

    code = "keys.revoked"

    def __init__(self, subject: str) -> None:
        super().__init__(
            f"The keys of {subject} were revoked.",
            "If it is yours again, take that back in Set-up, Keys; then enrol it.",
        )


class NotTakenBack(KeysError):
    """Only a hub's revocation can be taken back, and only while it stands."""

    code = "keys.not_taken_back"

    def __init__(self) -> None:
        super().__init__("This is no revoked key of a hub.", "People and workstations are given a new key instead.")


class ReasonMissing(KeysError):
    """Whoever revokes says why."""

    code = "keys.reason"

    def __init__(self) -> None:
        super().__init__("A revocation needs a reason.", "Say in a few words what happened.")


class ClockBehind(KeysError):
    """What is signed now would be older than what was signed before."""

    code = "keys.clock"

    def __init__(self, when: str) -> None:
        super().__init__(
            f"This computer's clock is behind what the practice signed on {when}.", "Set date and time right."
        )


class ListFull(KeysError):
    """A revocation list has its most entries."""

    code = "keys.list_full"

    def __init__(self) -> None:
        super().__init__(
            "The revocation list is full.", "Wait until revoked keys expire, or make a new root: main.py keys new-root."
        )


class MakerRefused(KeysError):
    """A file is not what makes a maker's hubs known."""

    code = "keys.maker"


class NoMaker(MakerRefused):
    """No maker is trusted, so no new hub can be told from a forgery."""

    code = "keys.no_maker"

    def __init__(self) -> None:
        super().__init__("No maker of hubs is trusted here.", "Import its certificate: main.py keys trust-maker FILE.")


class SheetWrong(KeysError):
    """A recovery sheet was typed otherwise than it was printed, or is another practice's."""

    code = "keys.sheet"
