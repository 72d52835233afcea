"""Forgeries of a thief who has the keys of the session, and neither the hub's nor a clinician's nor the root's."""

import asyncio
from collections.abc import Callable, Iterator
from random import Random
from typing import Final

import msgspec

from core.model.certificate import Role, issue, issue_revocations, issue_root
from core.model.cose import KeySigner, SignedMessage, kid_of, parse1
from core.model.hub import Opcode, PhaseOrder, ReceiptCode
from core.model.strict_cbor import Fields
from devices.hub.commands import (
    Bare,
    Command,
    Enrol,
    Introduce,
    Revoke,
    Signed,
    encode_command,
    encode_phase,
)
from devices.hub.session.envelope import encode_envelope
from devices.hub.session.segments import split
from devices.hub.session.signed import sign_command, sign_receipt
from devices.hub.session.wire import MAX_PLAINTEXT, FromHub, ToHub
from devices.simulator.brain import Brain
from devices.simulator.session.edhoc import KeyPair
from tests.devices.simulator.visit import ENVELOPE, NOW_S, ORDER, YEAR_S, Person, Practice
from tests.proof.mutations import MESSAGE_KINDS, altered, message_strata, sampled, ways
from tests.proof.ordering import command_of, order_of
from tests.proof.pair import Pair
from tests.proof.tally import Forger

_ACCEPTED: Final = frozenset({ReceiptCode.DONE, ReceiptCode.ALREADY})


class MessageForger(Forger):
    """Seals rightly what was signed wrongly."""

    async def run(self, pair: Pair) -> None:
        await self._receipts(pair)
        await self._orders(pair)
        await self._certificates(pair)

    async def _receipts(self, pair: Pair) -> None:
        """Receipts from somebody who holds the session's keys, but not the hub's: sealed rightly, signed wrongly."""
        client = pair.brain.client
        assert client is not None
        signer, session_id, serial = client.signer, pair.session.id, pair.session.hub_serial
        other = KeySigner()
        for _ in range(4):
            records, task = await pair.says(Bare(Opcode.REPORT))
            message = encode_command(pair.brain.desk.counter + 1, Bare(Opcode.REPORT))
            for stream, record in records:
                pair.write(stream, record)
            genuine = pair.waiting.copy()
            plain = b"".join(value[1:] for stream, _, value in genuine if stream is FromHub.RECEIPT)
            raw = _receipt_of(plain)
            pair.waiting.clear()
            strata = message_strata(plain, self._random)
            again = parse1(sign_receipt(message, raw, other, hub_serial=serial, session_id=session_id))
            strata["another's key"] = [again.encode()]
            strata["another's key under the hub's kid"] = [_with_kid(again, kid=kid_of(signer.public)).encode()]
            strata["of another hub"] = [sign_receipt(message, raw, signer, hub_serial="SH-9", session_id=session_id)]
            strata["of another session"] = [sign_receipt(message, raw, signer, hub_serial=serial, session_id=bytes(16))]
            strata["for another message"] = [sign_receipt(b"x", raw, signer, hub_serial=serial, session_id=session_id)]
            strata["for another counter"] = [
                sign_receipt(message, _renumbered(raw, far), signer, hub_serial=serial, session_id=session_id)
                for far in range(1, 200)
            ]
            for kind, mutant in sampled(strata, self._random, self._most):
                before = pair.ears.effects
                for part in split(mutant, MAX_PLAINTEXT):
                    pair.notify(FromHub.RECEIPT, pair.hubs_session.sealer.seal(FromHub.RECEIPT, part))
                self.tally.forged(
                    f"to station, signed receipt: {kind}", pair.ears.effects != before or task.done(), mutant.hex()
                )
            for part in split(plain, MAX_PLAINTEXT):
                pair.notify(FromHub.RECEIPT, pair.hubs_session.sealer.seal(FromHub.RECEIPT, part))
            self.tally.valid("to station, signed receipt", (await task).receipt.accepted)

    async def _orders(self, pair: Pair) -> None:
        """Orders from a thief with the session's keys, who has no clinician's."""
        assert (await pair.carries_out(order_of(self._practice, pair, Opcode.SET_ENVELOPE))).receipt.accepted
        for opcode in (Opcode.START_PHASE, Opcode.SET_ENVELOPE, Opcode.END_PHASE, Opcode.CLEAR, Opcode.RESUME):
            for kind, make in self._forged_orders(pair, opcode):
                state = pair.brain.therapy.state, pair.brain.parts.consent.in_force(pair.brain.body.now_us)
                code = self._sends(pair, make())
                after = pair.brain.therapy.state, pair.brain.parts.consent.in_force(pair.brain.body.now_us)
                self.tally.forged(f"to hub, order: {kind}", code in _ACCEPTED or after != state, opcode.name)
            await asyncio.sleep(0)
            pair.waiting.clear()
            self._valid_orders(pair)
            pair.commander.count_from(pair.brain.desk.counter)

    def _valid_orders(self, pair: Pair) -> None:
        """Each is done once, however often the same message comes, and never again under another counter."""
        for opcode in (Opcode.SET_ENVELOPE, Opcode.START_PHASE, Opcode.END_PHASE):
            order, counter = order_of(self._practice, pair, opcode), pair.brain.desk.counter + 1
            self.tally.valid("to hub, order", self._sends(pair, order) is ReceiptCode.DONE)
            done = pair.brain.logbook.next, pair.brain.therapy.state
            self._sends(pair, order, counter)
            self.tally.forged(
                "to hub, order: the same again", (pair.brain.logbook.next, pair.brain.therapy.state) != done
            )
            again = self._sends(pair, order) in _ACCEPTED
            self.tally.forged("to hub, order: replayed under a new counter", again)

    def _sends(self, pair: Pair, command: Command, counter: int | None = None) -> ReceiptCode:
        """Send it with the session's keys; what the hub makes of it."""
        message = encode_command(counter or pair.brain.desk.counter + 1, command)
        client = pair.brain.client
        assert client is not None
        answer = b""
        for part in split(message, MAX_PLAINTEXT):
            pair.waiting.clear()
            pair.write(ToHub.CONTROL, pair.session.sealer.seal(ToHub.CONTROL, part))
        answer = b"".join(value[1:] for stream, _, value in pair.waiting if stream is FromHub.RECEIPT)
        return ReceiptCode(_receipt_of(answer)[1])

    def _forged_orders(self, pair: Pair, opcode: Opcode) -> Iterator[tuple[str, Callable[[], Command]]]:
        """Each is made when its turn comes, for the counter of that moment."""
        random = self._random
        envelope = encode_envelope(ENVELOPE) if opcode is Opcode.SET_ENVELOPE else b""
        stranger, station = KeySigner(), self._practice.workstation.signer
        early = Person(self._practice, Role.CLINICIAN, "dr-lee")
        mine, serial, here = self._practice.clinician.signer, pair.session.hub_serial, pair.session.id

        def signed(
            signer: KeySigner = mine, hub: str = serial, session: bytes = here, **changes: object
        ) -> Callable[[], Command]:
            def make() -> Command:
                command = command_of(pair, opcode, **changes)
                return Signed(opcode, sign_command(command, signer, hub_serial=hub, session_id=session), envelope)

            return make

        def changed(alter: Callable[[bytes], bytes]) -> Callable[[], Command]:
            return lambda: Signed(opcode, alter(order_of(self._practice, pair, opcode).message), envelope)

        def in_place(other: bytes) -> Callable[[], Command]:
            return lambda: Signed(opcode, order_of(self._practice, pair, opcode).message, other)

        def under_kid(raw: bytes) -> bytes:
            return _under(raw, stranger, kid_of(mine.public))

        size = len(order_of(self._practice, pair, opcode).message)
        for kind in MESSAGE_KINDS:
            for n in self._some(ways(kind, size)):
                yield kind, changed(lambda raw, kind=kind, n=n: altered(raw, kind, n, random))  # type: ignore[misc]
        for _ in self._some(40):
            yield "a stranger's signature", signed(stranger)
            yield (
                "a stranger's under the clinician's kid",
                changed(under_kid),
            )
            yield "the workstation's signature", signed(station)
            yield "a clinician who was not introduced", signed(early.signer)
            yield "for another hub", signed(hub=f"SH-{random.randrange(2, 99)}")
            yield "for another session", signed(session=random.randbytes(16))
            yield "for another opcode", signed(opcode=random.choice([o for o in Opcode if o is not opcode]))
            yield "another counter inside", signed(counter=random.randrange(pair.brain.desk.counter + 300, 1 << 31))
            now_us = pair.brain.body.now_us
            yield "its time is over", signed(not_after_us=random.randrange(0, now_us))
            yield "too far ahead", signed(not_after_us=now_us + random.randrange(10_000_001, 1 << 40))
            if opcode in (Opcode.START_PHASE, Opcode.RESUME, Opcode.SET_ENVELOPE):
                yield "another envelope", signed(envelope_sha256=random.randbytes(32))
            if opcode is Opcode.SET_ENVELOPE:
                swapped = encode_envelope(msgspec.structs.replace(ENVELOPE, consent_sha256=random.randbytes(32)))
                yield "envelope swapped", in_place(swapped)
            if opcode is Opcode.START_PHASE:
                for order in _beyond(random):
                    yield "beyond the envelope", signed(body=encode_phase(order))
                yield "another procedure", signed(procedure=random.randbytes(8).hex())
            if opcode in (Opcode.CLEAR, Opcode.END_PHASE, Opcode.SET_ENVELOPE):
                yield (
                    "another's signed command",
                    lambda: Signed(opcode, order_of(self._practice, pair, Opcode.START_PHASE).message, envelope),
                )
            yield "signed for the counter before", signed(counter=pair.brain.desk.counter)

    async def _certificates(self, pair: Pair) -> None:
        """Certificates, roots and lists that the practice's root did not sign."""
        practice, random = self._practice, self._random
        thief = Practice("Thief")
        clinician = Person(practice, Role.CLINICIAN, "dr-may").certificate
        listed = practice.revoke(random.randbytes(8), number=1000)
        hubs = practice.certify_hub(pair.brain)
        forged: list[tuple[str, Command]] = []
        for kind, raw in sampled(message_strata(clinician.raw, random), random, self._most):
            forged.append((f"clinician: {kind}", Introduce(raw)))
        for kind, raw in sampled(message_strata(listed, random), random, self._most):
            forged.append((f"revocation list: {kind}", Revoke(raw)))
        for kind, raw in sampled(message_strata(hubs, random), random, self._most):
            forged.append((f"hub: {kind}", Enrol(practice.root_raw, raw)))
        for kind, raw in sampled(message_strata(practice.root_raw, random), random, self._most):
            forged.append((f"root: {kind}", Enrol(raw, hubs)))
        for _ in self._some(20):
            key, by = KeySigner().public, thief.root
            ours = _under_kid(_issued(by, Role.CLINICIAN, key), practice)
            forged += [
                ("clinician: another root", Introduce(_issued(by, Role.CLINICIAN, key))),
                ("clinician: another role", Introduce(_issued(practice.root, Role.FIRMWARE_SIGNER, key))),
                ("clinician: signed by itself", Introduce(_self_issued())),
                (
                    "clinician: another root's under ours",
                    Introduce(ours),
                ),
                ("clinician: the workstation's", Introduce(practice.workstation.certificate.raw)),
                ("revocation list: another root", Revoke(issue_revocations(by, number=2000, issued_s=NOW_S, kids=[]))),
                ("root: another", Enrol(thief.root_raw, thief.certify_hub(pair.brain))),
                ("hub: another root", Enrol(practice.root_raw, thief.certify_hub(pair.brain))),
                ("hub: other keys", Enrol(practice.root_raw, practice.certify("SH-1", key, KeyPair().x))),
                ("hub: another serial", Enrol(practice.root_raw, _for_serial(practice, pair.brain, "SH-7"))),
            ]
        for kind, command in forged:
            code = self._sends(pair, command)
            self.tally.forged(f"to hub, certificate of {kind}", code in _ACCEPTED or pair.link.drop, kind)
        for command in (Introduce(clinician.raw), Revoke(listed)):
            self.tally.valid("to hub, certificate", self._sends(pair, command) is ReceiptCode.DONE)
        pair.waiting.clear()


def _receipt_of(message: bytes) -> bytes:
    """The receipt of 20 bytes inside a signed one."""
    return Fields(parse1(message).unverified, 3, limit=512).octets(2, 20)


def _renumbered(raw: bytes, more: int) -> bytes:
    counter = int.from_bytes(raw[4:8], "little") + more
    return raw[:4] + counter.to_bytes(4, "little") + raw[8:]


def _with_kid(message: SignedMessage, *, kid: bytes) -> SignedMessage:
    return SignedMessage(kid=kid, unverified=message.unverified, signature=message.signature)


def _under(raw: bytes, signer: KeySigner, kid: bytes) -> bytes:
    """The same payload, signed by another, under this kid."""
    message = parse1(raw)
    return SignedMessage(kid=kid, unverified=message.unverified, signature=signer.sign(message.unverified)).encode()


def _under_kid(raw: bytes, practice: Practice) -> bytes:
    return _with_kid(parse1(raw), kid=kid_of(practice.root.public)).encode()


def _issued(root: KeySigner, role: Role, key: bytes) -> bytes:
    return issue(root, role=role, subject="dr-no", not_before_s=NOW_S - 1, not_after_s=NOW_S + YEAR_S, signing_key=key)


def _self_issued() -> bytes:
    return issue_root(KeySigner(), subject="dr-no", not_before_s=NOW_S - 1, not_after_s=NOW_S + YEAR_S)


def _for_serial(practice: Practice, brain: Brain, serial: str) -> bytes:
    mine = brain.vault.key.certificate
    assert mine.agreement_x is not None
    return practice.certify(serial, mine.signing_key, mine.agreement_x)


def _beyond(random: Random) -> Iterator[PhaseOrder]:
    for field_, least, most in (
        ("dose_percent", 81, 100),
        ("seconds", 61, 3600),
        ("module", 4, 60000),
        ("tooth", 17, 18),
    ):
        yield msgspec.structs.replace(ORDER, **{field_: random.randint(least, most)})
    yield msgspec.structs.replace(ORDER, tissue_limit_c=39.01 + random.random() * 2.9)
    yield msgspec.structs.replace(ORDER, phase=random.randint(2, 60000))
