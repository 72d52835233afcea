"""Forgeries by the hundred thousand, stratum by stratum, with valid messages accepted in between."""

from random import Random

from core.model.hub import Opcode, ReceiptCode
from devices.hub.commands import (
    STOP_PLAINTEXT,
    Bare,
    Introduce,
)
from devices.hub.session.wire import FromHub, ToHub
from devices.simulator.brain import Brain
from tests.devices.simulator.visit import Practice
from tests.proof.forged_evidence import EvidenceForger
from tests.proof.forged_handshakes import HandshakeForger
from tests.proof.forged_messages import MessageForger
from tests.proof.forged_records import RecordForger, Strangers
from tests.proof.pair import Pair
from tests.proof.tally import Tally


class Campaign:
    """Everything that is tried.

    Args:
        rounds: how often each part is gone through.
        seed, most: as Forger.
    """

    def __init__(self, seed: int, rounds: int, most: int | None) -> None:
        self.tally = Tally()
        self._random = Random(seed)
        self._rounds = rounds
        self._practice = Practice()
        what = (self.tally, self._practice, self._random, most)
        self._records = RecordForger(*what)
        self._messages = MessageForger(*what)
        self._evidence = EvidenceForger(*what)
        self._handshakes = HandshakeForger(*what)

    async def run(self) -> Tally:
        for number in range(self._rounds):
            pair = await self._pair()
            await self._records.run(pair, await self._strangers())
            await self._evidence.run(pair)
            await self._messages.run(pair)
            if number % 4 == 0:
                self._handshakes.run()
        return self.tally

    async def _pair(self, practice: Practice | None = None, serial: str = "SH-1") -> Pair:
        practice = practice or self._practice
        brain = Brain(serial=serial, seed=self._random.randrange(1 << 30))
        practice.enrol(brain)
        pair = await Pair(practice, brain).meet()
        assert (await pair.carries_out(Bare(Opcode.START_STREAM))).receipt.code is ReceiptCode.DONE
        assert (await pair.carries_out(Introduce(practice.clinician.certificate.raw))).receipt.accepted
        return pair

    async def _strangers(self) -> Strangers:
        """Genuine records that do not belong here, with their stream; all unused where they were made."""
        another = await self._pair(serial="SH-2")
        theirs = await self._pair(Practice("Other"), serial="SH-1")
        before = Brain(serial="SH-1", seed=1)
        self._practice.enrol(before)
        former = await Pair(self._practice, before).meet()
        found: Strangers = {}
        for name, one in (("another hub", another), ("another practice", theirs), ("another session", former)):
            for _ in range(8):
                for stream in FromHub:
                    found.setdefault(f"to station, {name}", []).append(
                        (stream, one.hubs_session.sealer.seal(stream, b"\x01" + bytes(60)))
                    )
                for to in ToHub:
                    found.setdefault(f"to hub, {name}", []).append((to, one.session.sealer.seal(to, STOP_PLAINTEXT)))
        return found
