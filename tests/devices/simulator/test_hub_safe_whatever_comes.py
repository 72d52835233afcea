"""Whatever is sent, replayed, mutated or forged, no dose appears but what a signature and an envelope allowed."""

import random
from dataclasses import dataclass

import msgspec
import pytest

from core.model.certificate import Role
from core.model.cose import KeySigner
from core.model.hub import Opcode, PhaseOrder, ReceiptCode
from devices.errors import FrameError
from devices.hub.commands import STOP_PLAINTEXT, Bare, Introduce, Revoke, Signed, encode_command, encode_phase
from devices.hub.session.control import decode_parts
from devices.hub.session.envelope import HubEnvelope, encode_envelope, envelope_hash
from devices.hub.session.signed import SignedCommand, sign_command, verify_receipt
from devices.hub.session.wire import ToHub
from devices.simulator.control import PatientStop, Warm
from devices.simulator.therapy import LEASE_US
from tests.devices.simulator.visit import ENVELOPE, ORDER, PROCEDURE, Person, Practice, Visit, new_hub

NARROW = msgspec.structs.replace(
    ENVELOPE, phases=(msgspec.structs.replace(ENVELOPE.phases[0], dose_percent=40, seconds=4),)
)
OTHER = msgspec.structs.replace(ENVELOPE, procedure="another")
ENVELOPES = (ENVELOPE, NARROW, OTHER)
ORDERS = (
    ORDER,
    msgspec.structs.replace(ORDER, dose_percent=30, seconds=3),
    msgspec.structs.replace(ORDER, dose_percent=100),
    msgspec.structs.replace(ORDER, phase=2, module=4, tooth=0, dose_percent=50, seconds=2, tissue_limit_c=38.5),
    msgspec.structs.replace(ORDER, seconds=3000),
)
FITTING = ((NARROW, ORDERS[1]), (ENVELOPE, ORDERS[0]), (OTHER, ORDERS[1]), (ENVELOPE, ORDERS[3]))
TREATS = (Opcode.START_PHASE, Opcode.RESUME, Opcode.SET_ENVELOPE)
ENDS = (Opcode.END_PHASE, Opcode.CLEAR)

PRACTICE = Practice()
STATIONS = (PRACTICE.workstation, Person(PRACTICE, Role.WORKSTATION, "ws-2"))


@dataclass(frozen=True)
class Genuine:
    """What the clinician really signed, and the envelope that was sent with it."""

    command: SignedCommand
    session: bytes
    envelope: bytes


class World:
    """A hub, what was sent to it, and what was really signed; it judges by that alone."""

    def __init__(self) -> None:
        self.brain = new_hub()
        PRACTICE.enrol(self.brain)
        self.genuine: dict[bytes, Genuine] = {}
        self.sent = [encode_command(1, Bare(Opcode.REPORT))]
        self.receipts: set[bytes] = set()
        self.envelopes: dict[bytes, HubEnvelope] = {envelope_hash(encode_envelope(one)): one for one in ENVELOPES}
        self.stopped = True
        self.order: Genuine | None = None
        self.bound = b""
        self.lease_us = 0
        self.delivered: dict[tuple[str, int], int] = {}
        self.visit = Visit(self.brain, PRACTICE).shake_hands()

    def act(self, what: str, a: int, b: int) -> None:
        """One thing that somebody does; `a` and `b` choose how."""
        getattr(self, f"_{what}")(a, b)

    def _introduce(self, _a: int, _b: int) -> None:
        self.send(encode_command(self.visit.next_counter, Introduce(PRACTICE.clinician.certificate.raw)))

    def _treat(self, a: int, b: int) -> None:
        self.send(self.signed(TREATS[a % 3], ENVELOPES[b % 3], ORDERS[b % 5]))

    def _begin(self, a: int, b: int) -> None:
        self._order(*FITTING[a % 4])
        self._supervise(b, 0)

    def _overreach(self, a: int, b: int) -> None:
        self._order(ENVELOPES[a % 3], ORDERS[b % 5])
        self._supervise(a, 0)

    def _order(self, envelope: HubEnvelope, order: PhaseOrder) -> None:
        self._introduce(0, 0)
        self._end(0, 0)
        self.send(self.signed(Opcode.SET_ENVELOPE, envelope, order))
        self.send(self.signed(Opcode.START_PHASE, envelope, order))

    def _end(self, a: int, _b: int) -> None:
        self.send(self.signed(ENDS[a % 2], ENVELOPE, ORDER))

    def _forge(self, a: int, b: int) -> None:
        self.send(self.signed(TREATS[a % 3], ENVELOPES[b % 3], ORDERS[b % 5], forged=True))

    def _hold(self, _a: int, _b: int) -> None:
        self.send(encode_command(self.visit.next_counter, Bare(Opcode.HOLD)))

    def _renew(self, _a: int, _b: int) -> None:
        self.send(encode_command(self.visit.next_counter, Bare(Opcode.RENEW_LEASE)))

    def _stop(self, _a: int, _b: int) -> None:
        self.visit.write(ToHub.STOP, STOP_PLAINTEXT)
        self.stopped = True

    def _replay(self, a: int, _b: int) -> None:
        self.send(self.sent[a % len(self.sent)])

    def _renumber(self, a: int, _b: int) -> None:
        message = self.sent[a % len(self.sent)]
        self.send(message[:1] + self.visit.next_counter.to_bytes(4, "little") + message[5:])

    def _mutate(self, a: int, b: int) -> None:
        message = bytearray(self.sent[a % len(self.sent)])
        message[b % len(message)] ^= 1 << (a % 8)
        self.send(bytes(message))

    def _garbage(self, a: int, b: int) -> None:
        self.send(bytes((a % 256,)) + self.visit.next_counter.to_bytes(4, "little") + bytes((b % 256,)) * b)

    def _revoke(self, a: int, _b: int) -> None:
        self.send(encode_command(self.visit.next_counter, Revoke(PRACTICE.revoke(number=a))))

    def _button(self, a: int, _b: int) -> None:
        self.brain.apply(PatientStop(pressed=bool(a % 2)))

    def _warm(self, _a: int, _b: int) -> None:
        self.brain.apply(Warm(kelvin=8.0))

    def _reconnect(self, a: int, _b: int) -> None:
        self.meet(STATIONS[a % 2])

    def _reboot(self, a: int, _b: int) -> None:
        self.brain.reboot()
        self.stopped = True
        self.meet(STATIONS[a % 2])

    def _wait(self, a: int, _b: int) -> None:
        self.passes(10 + a % 70)

    def _supervise(self, a: int, b: int) -> None:
        for _ in range(a % 5):
            self._renew(a, b)
            self.passes(20)

    def meet(self, station: Person) -> None:
        self.visit.leave()
        self.visit = Visit(self.brain, PRACTICE, person=station).shake_hands()

    def signed(self, opcode: Opcode, envelope: HubEnvelope, order: PhaseOrder, *, forged: bool = False) -> bytes:
        raw, counter = encode_envelope(envelope), self.visit.next_counter
        command = SignedCommand(
            opcode=opcode,
            counter=counter,
            not_after_us=self.brain.body.now_us + 5_000_000,
            procedure=envelope.procedure,
            envelope_sha256=envelope_hash(raw),
            body=encode_phase(order) if opcode is Opcode.START_PHASE else b"",
        )
        signer = KeySigner() if forged else PRACTICE.clinician.signer
        session = self.visit.side.up.id
        message = sign_command(command, signer, hub_serial=self.visit.side.hub.subject, session_id=session)
        if not forged:
            self.genuine[message] = Genuine(command, session, raw)
        return encode_command(counter, Signed(opcode, message, raw if opcode is Opcode.SET_ENVELOPE else b""))

    def send(self, message: bytes) -> None:
        """Send, and draw from the receipt what may follow from it."""
        self.sent.append(message)
        try:
            raw = self.visit.raw(message)
        except FrameError:
            return
        receipt = verify_receipt(raw, self.visit.side.hub).notice.receipt
        if receipt.code is not ReceiptCode.DONE or raw in self.receipts:
            return
        self.receipts.add(raw)
        if receipt.opcode in TREATS:
            self.treated(Opcode(receipt.opcode), message)
        elif receipt.opcode == Opcode.RENEW_LEASE:
            self.lease_us = LEASE_US
        elif receipt.opcode in (Opcode.HOLD, *ENDS):
            self.stopped = True

    def treated(self, opcode: Opcode, message: bytes) -> None:
        """The hub did what treats: the signature must be one that was really made, for this, here and now."""
        (signed,), rest = decode_parts(message[5:], 1)
        genuine = self.genuine[signed]
        assert (genuine.command.opcode, genuine.session) == (opcode, self.visit.side.up.id)
        if opcode is Opcode.SET_ENVELOPE:
            assert rest == genuine.envelope
            return
        self.stopped = False
        self.lease_us = LEASE_US
        self.bound = genuine.command.envelope_sha256
        if opcode is Opcode.START_PHASE:
            self.order = genuine

    def passes(self, ticks: int) -> None:
        for _ in range(ticks):
            self.brain.tick()
            self.lease_us -= 50_000
            self.judge()

    def judge(self) -> None:
        dose = self.brain.body.swarm.dose
        if dose == 0:
            return
        assert not self.stopped
        assert self.lease_us >= 0
        assert self.order is not None
        command = self.order.command
        order = next(one for one in ORDERS if encode_phase(one) == command.body)
        allowed = self.envelopes[self.bound].phase(order.phase)
        assert allowed is not None
        assert dose <= min(order.dose_percent, allowed.dose_percent)
        key = (command.procedure, order.phase)
        self.delivered[key] = self.delivered.get(key, 0) + 50_000
        assert self.delivered[key] <= allowed.seconds * 1_000_000


ACTIONS = (
    *["begin", "overreach"] * 3,
    *["wait", "supervise"] * 4,
    *["renew", "treat"] * 3,
    *["replay", "renumber", "mutate", "forge", "garbage"] * 2,
    *["introduce", "end", "hold", "stop", "button", "warm", "revoke", "reconnect", "reboot"],
)


@pytest.mark.parametrize("seed", range(20))
def test_no_dose_but_what_was_allowed(seed: int) -> None:
    dice = random.Random(seed)
    world = World()
    for _ in range(40):
        world.act(dice.choice(ACTIONS), dice.randrange(1000), dice.randrange(1000))
        world.passes(1)


def test_the_judge_sees_doses_at_all() -> None:
    world = World()
    for _ in range(2):
        world.act("begin", 0, 1)
        world.act("wait", 40, 0)
        world.act("renew", 0, 0)
        world.act("wait", 40, 0)
    assert world.delivered[PROCEDURE, 1] > 2_000_000
