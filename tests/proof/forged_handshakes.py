"""Handshakes altered on their way, and begun by strangers."""

from collections.abc import Callable

from core.model.certificate import Role
from core.model.clock import ManualClock
from devices.errors import FrameError
from devices.hub.session.errors import SessionError
from devices.hub.session.handshake import Initiator, SessionKey, WorkstationHandshake
from devices.simulator.brain import Brain
from devices.simulator.session.handshake import HubHandshake
from tests.devices.simulator.visit import NOW_S, Person, Practice
from tests.proof.mutations import MESSAGE_KINDS, altered, ways
from tests.proof.pair import ROOM, key_of
from tests.proof.tally import Forger


class HandshakeForger(Forger):
    """Whoever gets an altered message goes no further."""

    def run(self) -> None:
        """Each message of a handshake, altered on the way: whoever gets it goes no further."""
        practice = self._practice
        brain = Brain(serial="SH-1", seed=1)
        practice.enrol(brain)
        hub = SessionKey(brain.vault.key.certificate, brain.vault.key.agreement_private)
        foreign = Person(Practice("Thief"), Role.WORKSTATION, "ws-1")
        clock = ManualClock(NOW_S * 1_000_000)

        def shake(
            number: int, alter: Callable[[bytes], bytes], person: Person = practice.workstation
        ) -> tuple[bool, bool]:
            """Whether hub and workstation have a session; message `number` is altered, value by value."""
            side = HubHandshake(hub, practice.trust, clock, room=ROOM)
            station = WorkstationHandshake(
                Initiator(key_of(person), practice.trust, hub_serial="SH-1", now_s=NOW_S), clock, room=ROOM
            )
            values = station.begin()
            while values:
                answers = [out for one in values for out in side.feed(_on_the_way(one, number, alter))]
                values = []
                for one in answers:
                    try:
                        values += station.feed(_on_the_way(one, number, alter))
                    except Exception as error:
                        if (
                            not isinstance(error, SessionError | FrameError)
                            and "ertificate" not in type(error).__name__
                        ):
                            raise
                        return side.session is not None, False
            return side.session is not None, station.session is not None

        sizes = {1: 38, 2: 206, 3: 195, 4: 10}
        for number, size in sizes.items():
            for kind in MESSAGE_KINDS:
                for n in self._some(ways(kind, size)):
                    at_hub, at_station = shake(
                        number,
                        lambda raw, kind=kind, n=n: altered(raw, kind, n, self._random),  # type: ignore[misc]
                    )
                    reached = at_station if number % 2 == 0 else at_hub or at_station
                    self.tally.forged(f"handshake, message {number}: {kind}", reached, n)
            self.tally.valid("handshake", shake(0, bytes) == (True, True))
        for _ in self._some(20):
            self.tally.forged("handshake: a workstation of another root", any(shake(0, bytes, foreign)))


def _on_the_way(value: bytes, number: int, alter: Callable[[bytes], bytes]) -> bytes:
    return alter(value) if value[0] & 0x0F == number else value
