"""Which hubs are not trusted, over sessions, reboots and restarts, until a dentist lifts the doubt."""

import logging
from typing import Final

import msgspec

from core.model.clock import Clock
from core.model.hub_doubt import HubDoubt
from core.model.procedure import Doubt
from core.model.words import Text
from core.procedure.refusal import Refusal
from core.record import RecordError
from core.record.practice import PracticeFile

log = logging.getLogger(__name__)

SETTING: Final = "hub.doubts"
"""In the practice's file, because a hub may move from chair to chair; its newest row counts, none is ever lost."""
MAX_REASON: Final = 200


class DoubtsDesk:
    """Lasting doubts by serial number. What cannot be written now counts all the same, and is tried again.

    Raises msgspec.ValidationError when what was kept cannot be read: nobody is trusted by a guess.
    """

    def __init__(self, practice: PracticeFile, clock: Clock) -> None:
        self._practice = practice
        self._clock = clock
        stored = practice.setting(SETTING, "[]") or "[]"
        self._standing = {(one.serial, one.doubt): one for one in msgspec.json.decode(stored, type=list[HubDoubt])}
        self._unsaved = False

    @property
    def standing(self) -> tuple[HubDoubt, ...]:
        """All of them, the newest first."""
        return tuple(sorted(self._standing.values(), key=lambda one: (-one.found_us, one.serial, one.doubt)))

    def of(self, serial: str) -> tuple[HubDoubt, ...]:
        """Those about one hub."""
        return tuple(one for one in self.standing if one.serial == serial)

    def keep(self, serial: str, doubt: Doubt, *, where: str, chair: int) -> None:
        """Something was found; one that stands already keeps its first finding."""
        found = HubDoubt(serial=serial, doubt=doubt, where=where, chair=chair, found_us=self._clock.utc_us())
        if self._standing.setdefault((serial, doubt), found) is found:
            self._unsaved = True
            self.save()

    def save(self) -> None:
        """Write down what could not be written before; nothing when there is nothing."""
        if not self._unsaved:
            return
        try:
            self._write()
        except RecordError as error:
            log.error("a doubt about a hub could not be written, it is tried again: %s", error)
        else:
            self._unsaved = False

    def lift(self, serial: str, doubt: Doubt, *, found_us: int) -> HubDoubt:
        """Trust the hub again, as far as this finding goes; durable when this returns.

        Args:
            found_us: of the finding that the person looked at.

        Raises:
            Refusal: there is no such doubt, or it was found anew since.
            RecordError: it could not be written, and stands.
        """
        one = self._standing.get((serial, doubt))
        if one is None or one.found_us != found_us:
            raise Refusal("doubt.gone", Text("refused.doubt.gone"), Text("refused.doubt.gone_remedy"))
        del self._standing[(serial, doubt)]
        try:
            self._write()
        except BaseException:
            self._standing[(serial, doubt)] = one
            raise
        self._unsaved = False
        return one

    def _write(self) -> None:
        self._practice.set_setting(SETTING, msgspec.json.encode(self.standing).decode())


def reason_of(said: str) -> str:
    """A reason as it is kept. Raises Refusal: none was given."""
    reason = " ".join(said.split())[:MAX_REASON].lstrip("@")  # with it begins the key of a sentence
    if not reason:
        raise Refusal("doubt.reason", Text("refused.doubt.reason"), Text("refused.doubt.reason_remedy"))
    return reason
