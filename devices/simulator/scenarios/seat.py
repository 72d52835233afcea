"""The attacker's seat at a hub's GATT boundary."""

from collections import Counter
from collections.abc import Callable
from typing import TYPE_CHECKING, Final, NoReturn

from bumble.att import ATT_Error

from core.model.errors import SmilescapeError
from devices.hub.credentials import Clinician
from devices.hub.session.handshake import SessionKey
from devices.hub.session.wire import FromHub, ToHub
from devices.simulator.brain import Mischief
from devices.simulator.control import Behave, Control
from devices.simulator.eavesdropper import Eavesdropper
from devices.simulator.scenarios.stolen import StolenKeys
from devices.simulator.scenarios.stranger import Stranger

if TYPE_CHECKING:
    from devices.simulator.hub import SimulatedHub

PATIENCE_S: Final = 25.0
"""How long an attacker waits for the workstation; longer than one waits that was refused."""
_LOOK_S: Final = 0.05


class NothingStolen(SmilescapeError):  # noqa: N818
    """The attack needs keys that nobody has stolen."""

    code = "simulator.nothing_stolen"

    def __init__(self) -> None:
        super().__init__("This attack needs stolen keys.", "Give them with --stolen FILE.")


class Seat:
    """Hears and speaks on the air at one hub, and can get at the hub itself.

    Attributes:
        linger_s: how long what was changed stays, so that people can look at it.
    """

    def __init__(self, hub: "SimulatedHub", stolen: Callable[[], StolenKeys | None], *, linger_s: float) -> None:
        self.linger_s = linger_s
        self._hub = hub
        self._stolen = stolen

    @property
    def air(self) -> Eavesdropper:
        return self._hub.server.eavesdropper

    @property
    def linked(self) -> bool:
        """Whether anybody is connected."""
        return self._hub.server.link is not None

    @property
    def in_session(self) -> bool:
        return self._hub.brain.client is not None

    # the air

    def heard(self, stream: ToHub, most: int) -> list[bytes]:
        """The newest values that the workstation wrote to a characteristic."""
        return [value for of, value in self.air.written if of is stream][-most:]

    def told(self, stream: FromHub, most: int) -> list[bytes]:
        """The newest values that the hub notified on one."""
        return [value for of, value in self.air.notified if of is stream][-most:]

    async def write(self, stream: ToHub | None, *values: bytes) -> Counter[str]:
        """Say values to the hub in the workstation's place; how it answered them."""
        answers: Counter[str] = Counter()
        for value in values:
            try:
                await self._hub.server.hear(stream, value)
                answers["taken"] += 1
            except ATT_Error as error:
                answers[f"refused 0x{int(error.error_code):02X}"] += 1
        return answers

    async def notify(self, stream: FromHub | None, *values: bytes) -> None:
        """Say values to the workstation in the hub's place."""
        for value in values:
            await self._hub.server.say(stream, value)

    async def jam(self, seconds: float) -> None:
        """Let nothing through, either way; then the link is gone."""
        self._hub.server.faults.jammed = True
        try:
            await self.pause(seconds)
        finally:
            self._hub.server.faults.jammed = False
            await self.drop()

    async def drop(self) -> None:
        """End the workstation's link."""
        await self._hub.drop()

    # others

    def keys(self) -> SessionKey:
        """Of the stolen workstation. Raises NothingStolen."""
        return self._taken().session_key

    def clinician(self) -> Clinician:
        """Whose key was stolen too. Raises NothingStolen."""
        signer = self._taken().signer
        return signer if signer is not None else self._nothing()

    async def stranger(self, key: SessionKey) -> Stranger:
        """Another central, once the workstation's link is gone. He must not yield until he has left."""
        while self._hub.server.link is not None:
            await self.drop()
        return Stranger(self._hub.brain, self._hub.clock, key)

    def _taken(self) -> StolenKeys:
        return self._stolen() or self._nothing()

    def _nothing(self) -> NoReturn:
        raise NothingStolen

    # the hub itself

    @property
    def consent(self) -> tuple[bytes, str]:
        """Hash of the envelope in force and its procedure, as who stole the workstation knows them; zeros without."""
        brain = self._hub.brain
        envelope = brain.parts.consent.envelope
        return brain.parts.consent.in_force(brain.body.now_us) or bytes(32), envelope.procedure if envelope else "none"

    def corrupt(self, one: Mischief) -> None:
        self._hub.brain.corrupt(one)

    async def tell(self, message: Control) -> None:
        await self._hub.tell(message)

    async def behave(self) -> None:
        """The hub is honest again."""
        await self._hub.tell(Behave())

    # time

    async def pause(self, seconds: float) -> None:
        await self.until(lambda: False, seconds)

    async def linger(self) -> None:
        await self.pause(self.linger_s)

    async def until(self, condition: Callable[[], bool], seconds: float = PATIENCE_S) -> bool:
        """Look again and again; whether it came."""
        for _ in range(max(1, round(seconds / _LOOK_S))):
            if condition():
                return True
            await self._hub.sleep(_LOOK_S)
        return condition()


def said(answers: Counter[str]) -> str:
    """For the log."""
    return ", ".join(f"{count} {answer}" for answer, count in sorted(answers.items())) or "nobody answered"
