"""Proof of firmware and journal, altered or made by another hand, as a workstation checks them."""

from collections.abc import Callable, Sequence
from typing import Final

from core.model.certificate import Certificate, CertificateRefused, Role, lengthen, read_unverified, shorten
from core.model.cose import KeySigner, parse1
from core.model.errors import SmilescapeError
from core.model.hub import Opcode
from devices.hub.commands import Ask, Bare
from devices.hub.session.attestation import verify_attestation
from devices.hub.session.documents import decode_journal, octets
from devices.hub.session.errors import FirmwareRefused, JournalBroken
from devices.hub.session.journal import JournalHead, verify_chain
from devices.hub.session.wire import DocumentKind
from devices.simulator import maker
from tests.devices.simulator.visit import NOW_S, Practice
from tests.proof.mutations import message_strata, sampled
from tests.proof.pair import Pair
from tests.proof.tally import Forger

_AT_ONCE: Final = 8


class EvidenceForger(Forger):
    """Nothing that is not the hub's own, whole and of this session, proves anything."""

    async def run(self, pair: Pair) -> None:
        await self._firmware(pair)
        await self._journal(pair)
        self._certificate(pair)

    async def _firmware(self, pair: Pair) -> None:
        waiter = pair.documents.expect(DocumentKind.ATTESTATION)
        await pair.carries_out(Bare(Opcode.ATTEST))
        proof, model, known = octets(await waiter), pair.brain.identity.model, pair.session
        signer = read_unverified(maker.firmware_certificate())

        def proves(
            message: bytes,
            *,
            hub: Certificate = known.peer,
            session: bytes = known.id,
            signers: Sequence[Certificate] = (signer,),
            least: int = 0,
            of: str = model,
        ) -> Callable[[], object]:
            by = {one.kid: one for one in signers}
            return lambda: verify_attestation(message, hub, by, session_id=session, model=of, least_version=least)

        self.tally.valid("to station, firmware", _stands(proves(proof), FirmwareRefused))
        tries = [
            (kind, proves(one)) for kind, one in sampled(message_strata(proof, self._random), self._random, self._most)
        ]
        resigned = _signed_by(proof, KeySigner())
        tries += [
            ("another's signature", proves(resigned)),
            ("another session", proves(proof, session=self._random.randbytes(16))),
            ("another hub", proves(proof, hub=self._practice.workstation.certificate)),
            ("nobody vouches for it", proves(proof, signers=())),
            ("another vouches for it", proves(proof, signers=(self._practice.clinician.certificate,))),
            ("older than before", proves(proof, least=1 << 30)),
            ("another model", proves(proof, of="Hub")),
        ]
        for kind, one in tries:
            self.tally.forged(f"to station, firmware: {kind}", _stands(one, FirmwareRefused))

    async def _journal(self, pair: Pair) -> None:
        waiter = pair.documents.expect(DocumentKind.JOURNAL)
        await pair.carries_out(Ask(Opcode.JOURNAL, 0, _AT_ONCE))
        _, genuine = decode_journal(await waiter)
        self.tally.valid("to station, journal", _stands(lambda: verify_chain(genuine, JournalHead()), JournalBroken))
        last = len(genuine) - 1
        assert last > 1
        tries: list[tuple[str, list[bytes]]] = []
        for place in range(last):  # what follows the last one tells whether that was altered
            for kind, one in sampled(message_strata(genuine[place], self._random), self._random, self._most):
                tries.append((kind, [*genuine[:place], one, *genuine[place + 1 :]]))
            tries += [
                ("left out", [*genuine[:place], *genuine[place + 1 :]]),
                ("doubled", [*genuine[: place + 1], *genuine[place:]]),
                ("swapped", [*genuine[:place], genuine[place + 1], genuine[place], *genuine[place + 2 :]]),
            ]
        for kind, raws in tries:
            stands = _stands(lambda raws=raws: verify_chain(raws, JournalHead()), JournalBroken)  # type: ignore[misc]
            self.tally.forged(f"to station, journal: {kind}", stands)

    def _certificate(self, pair: Pair) -> None:
        """Of a hub, in the short form in which it comes in the handshake."""
        trust, hub = self._practice.trust, pair.session.peer
        short = shorten(hub)

        def counts(value: bytes) -> Callable[[], object]:
            return lambda: trust.verify(
                lengthen(value, Role.HUB, trust.root.kid), Role.HUB, now_s=NOW_S, subject=hub.subject
            )

        self.tally.valid("to station, certificate", _stands(counts(short), CertificateRefused))
        for kind, one in sampled(message_strata(short, self._random), self._random, self._most):
            self.tally.forged(f"to station, certificate: {kind}", _stands(counts(one), CertificateRefused))
        thief = Practice("Thief")
        foreign = shorten(read_unverified(thief.certify_hub(pair.brain)))
        self.tally.forged("to station, certificate: another root", _stands(counts(foreign), CertificateRefused))


def _stands(check: Callable[[], object], refused: type[SmilescapeError]) -> bool:
    """Whether it passes; any error but the one that it may raise is a fault of its own."""
    try:
        check()
    except refused:
        return False
    return True


def _signed_by(message: bytes, signer: KeySigner) -> bytes:
    found = parse1(message)
    return type(found)(kid=found.kid, unverified=found.unverified, signature=signer.sign(found.unverified)).encode()
