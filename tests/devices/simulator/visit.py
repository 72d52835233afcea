"""A practice and its workstation, written by hand against docs/hub-protocol.md, without the driver."""

import hashlib
from collections.abc import Iterable

import msgspec

from core.model.certificate import (
    Certificate,
    Role,
    Trust,
    issue,
    issue_revocations,
    issue_root,
    lengthen,
    read_root,
    read_unverified,
    shorten,
)
from core.model.clock import Clock, ManualClock
from core.model.cose import KeySigner
from core.model.hub import Opcode, PhaseOrder, Receipt, ReceiptCode
from core.model.strict_cbor import Value
from devices.hub.commands import (
    STOP_PLAINTEXT,
    Bare,
    Command,
    Enrol,
    Introduce,
    Signed,
    encode_command,
    encode_phase,
)
from devices.hub.receipts import encode_query
from devices.hub.session.documents import decode_document, octets
from devices.hub.session.envelope import AllowedPhase, HubEnvelope, encode_envelope, envelope_hash
from devices.hub.session.handshake import decode_refusal
from devices.hub.session.identity import HubCard, decode_card
from devices.hub.session.keys import Session, credential, derive, edhoc_kid
from devices.hub.session.segments import Joiner, split
from devices.hub.session.signed import SignedCommand, SignedReceipt, request_hash, sign_command, verify_receipt
from devices.hub.session.wire import (
    EAD_CERTIFICATE,
    MAX_DOCUMENT,
    MAX_HANDSHAKE,
    MAX_PLAINTEXT,
    MESSAGE_REFUSAL,
    DocumentKind,
    FromHub,
    Refusal,
    ToHub,
)
from devices.hub.status import StatusReport, decode_status
from devices.simulator import maker
from devices.simulator.brain import Brain
from devices.simulator.link import HubLink, Outgoing
from devices.simulator.session.edhoc import Ead, Initiator, KeyPair, Party

NOW_S = 1_800_000_000
YEAR_S = 31_536_000
SERIAL = "SH-1"
PROCEDURE = "0190a000-0000-7000-8000-000000000001"
ORDER = PhaseOrder(phase=1, module=3, tooth=16, seconds=60, dose_percent=80, tissue_limit_c=39.0)
ENVELOPE = HubEnvelope(
    procedure=PROCEDURE,
    consent_sha256=hashlib.sha256(b"what the patient read").digest(),
    phases=(
        AllowedPhase(phase=1, module=3, tooth=16, dose_percent=80, seconds=60, ceiling_centi_c=3900),
        AllowedPhase(phase=2, module=4, tooth=0, dose_percent=50, seconds=30, ceiling_centi_c=3850),
    ),
)


class Person:
    """Somebody with keys and a certificate."""

    def __init__(self, practice: "Practice", role: Role, name: str, *, from_s: int = NOW_S - YEAR_S) -> None:
        self.signer = KeySigner()
        self.pair = KeyPair()
        agreeing = role in (Role.HUB, Role.WORKSTATION)
        raw = issue(
            practice.root,
            role=role,
            subject=name,
            not_before_s=from_s,
            not_after_s=NOW_S + YEAR_S,
            signing_key=self.signer.public,
            agreement_x=self.pair.x if agreeing else None,
        )
        self.certificate = read_unverified(raw)


class Practice:
    """A root and who is known under it."""

    def __init__(self, name: str = "Practice") -> None:
        self.root = KeySigner()
        self.root_raw = issue_root(self.root, subject=name, not_before_s=NOW_S - YEAR_S, not_after_s=NOW_S + 9 * YEAR_S)
        self.workstation = Person(self, Role.WORKSTATION, "ws-1")
        self.clinician = Person(self, Role.CLINICIAN, "dr-kim")

    @property
    def trust(self) -> Trust:
        return Trust(read_root(self.root_raw))

    def certify(self, serial: str, signing_key: bytes, x: bytes, *, from_s: int = NOW_S) -> bytes:
        return issue(
            self.root,
            role=Role.HUB,
            subject=serial,
            not_before_s=from_s,
            not_after_s=NOW_S + YEAR_S,
            signing_key=signing_key,
            agreement_x=x,
        )

    def certify_hub(self, brain: Brain) -> bytes:
        mine = brain.vault.key.certificate
        assert mine.agreement_x is not None
        return self.certify(mine.subject, mine.signing_key, mine.agreement_x)

    def enrol(self, brain: Brain) -> None:
        """Make the hub ours without a handshake."""
        assert brain.vault.enrol(self.root_raw, self.certify_hub(brain), idle=True) is ReceiptCode.DONE

    def revoke(self, *kids: bytes, number: int = 1, issued_s: int = NOW_S) -> bytes:
        return issue_revocations(self.root, number=number, issued_s=issued_s, kids=kids)


MAKER = Trust(read_root(maker.root_certificate()))


class Workstation:
    """One link, as the workstation sees it: values in, values out."""

    def __init__(
        self,
        practice: Practice,
        *,
        person: Person | None = None,
        trust: Trust | None = None,
        room: int = 244,
        clock: Clock | None = None,
    ) -> None:
        self.practice = practice
        self.person = person or practice.workstation
        self._trust = trust or practice.trust
        self._room = room
        self._clock = clock or ManualClock()
        mine = self.person.certificate
        party = Party(self.person.pair, credential(mine), edhoc_kid(Role.WORKSTATION))
        self._edhoc = Initiator(party)
        self._joiner = Joiner(MAX_HANDSHAKE, (2, 4, MESSAGE_REFUSAL))
        self._parts = {stream: Joiner(MAX_DOCUMENT) for stream in (FromHub.RECEIPT, FromHub.DOCUMENTS)}
        self._hub: Certificate | None = None
        self.session: Session | None = None
        self.refusal: tuple[Refusal | None, int] | None = None
        self.receipts: list[bytes] = []
        self.documents: list[tuple[int, Value]] = []
        self.statuses: list[StatusReport] = []
        self.frames: dict[FromHub, list[bytes]] = {FromHub.TELEMETRY: [], FromHub.HISTORY: []}

    @property
    def hub(self) -> Certificate:
        assert self._hub is not None
        return self._hub

    @property
    def up(self) -> Session:
        assert self.session is not None, self.refusal
        return self.session

    def begin(self) -> list[bytes]:
        return split(self._edhoc.message_1(), self._room, 1)

    def feed(self, value: bytes) -> list[bytes]:
        """A value of the handshake; what to write next."""
        whole = self._joiner.add(value)
        if whole is None:
            return []
        kind, message = whole
        if kind == MESSAGE_REFUSAL:
            self.refusal = decode_refusal(message)
            return []
        if kind == 2:
            _, items = self._edhoc.open_2(message)
            raw = lengthen(items[0].value or b"", Role.HUB, self._trust.root.kid)
            self._hub = self._trust.verify(raw, Role.HUB, now_s=NOW_S)
            assert self._hub.agreement_x is not None
            mine = [Ead(EAD_CERTIFICATE, True, shorten(self.person.certificate))]
            third = self._edhoc.message_3(credential(self._hub), self._hub.agreement_x, ead_3=mine)
            return split(third, self._room, 3)
        self._edhoc.finish(message)
        keys = derive(self._edhoc.export, self.hub.subject, self.person.certificate.subject)
        self.session = Session.at_workstation(keys, self.hub, self._clock)
        return []

    def control(self, message: bytes) -> list[bytes]:
        """The records that carry a control message."""
        return [self.up.sealer.seal(ToHub.CONTROL, part) for part in split(message, MAX_PLAINTEXT)]

    def take(self, stream: FromHub, value: bytes) -> None:
        """A notified record."""
        plaintext = self.up.opener.open(stream, value)
        if stream is FromHub.STATUS:
            self.statuses.append(decode_status(plaintext))
        elif stream in self.frames:
            self.frames[stream].append(plaintext)
        else:
            whole = self._parts[stream].add(plaintext, self.up.opener.last(stream))
            if whole is not None and stream is FromHub.RECEIPT:
                self.receipts.append(whole[1])
            elif whole is not None:
                self.documents.append(decode_document(whole[1]))

    def card(self) -> HubCard:
        """The newest identity document."""
        bodies = [body for kind, body in self.documents if kind == DocumentKind.IDENTITY]
        return decode_card(octets(bodies[-1]))

    def signed(self, opcode: Opcode, counter: int, now_us: int, **changes: object) -> Signed:
        """A command that the clinician signs, right unless changed."""
        command = SignedCommand(
            opcode=opcode,
            counter=counter,
            not_after_us=now_us + 5_000_000,
            procedure=PROCEDURE,
            envelope_sha256=envelope_hash(encode_envelope(ENVELOPE)),
            body=encode_phase(ORDER) if opcode is Opcode.START_PHASE else b"",
        )
        return self.sign(msgspec.structs.replace(command, **changes), opcode)

    def sign(self, command: SignedCommand, opcode: Opcode, *, signer: KeySigner | None = None) -> Signed:
        message = sign_command(
            command,
            signer or self.practice.clinician.signer,
            hub_serial=self.hub.subject,
            session_id=self.up.id,
        )
        return Signed(opcode, message, encode_envelope(ENVELOPE) if opcode is Opcode.SET_ENVELOPE else b"")


class Visit:
    """A workstation at a hub without radio: each value is handed over directly."""

    def __init__(self, brain: Brain, practice: Practice, *, mtu: int = 247, **how: object) -> None:
        self.brain = brain
        self.clock = ManualClock()
        self.link = HubLink(brain, self.clock)
        self.link.mtu = mtu
        self.side = Workstation(practice, room=mtu - 3, **how)  # type: ignore[arg-type]

    def shake_hands(self) -> "Visit":
        outgoing = self.side.begin()
        while outgoing:
            notified = [out for value in outgoing for out in self.link.shake_hands(value)]
            outgoing = [answer for out in notified for answer in self._take(out)]
        return self

    def carry(self, outgoing: Iterable[Outgoing]) -> None:
        for out in outgoing:
            self._take(out)

    def _take(self, out: Outgoing) -> list[bytes]:
        value = self.link.seal(out)
        if value is None:
            return []
        if out.stream is None:
            return self.side.feed(value)
        self.side.take(out.stream, value)
        return []

    @property
    def next_counter(self) -> int:
        return self.brain.desk.counter + 1

    def write(self, stream: ToHub, plaintext: bytes) -> None:
        self.carry(self.link.write(stream, self.side.up.sealer.seal(stream, plaintext)))

    def raw(self, message: bytes) -> bytes:
        """Send a control message; its signed receipt."""
        before = len(self.side.receipts)
        for record in self.side.control(message):
            self.carry(self.link.write(ToHub.CONTROL, record))
        assert len(self.side.receipts) == before + 1
        return self.side.receipts[-1]

    def ask(self, message: bytes) -> SignedReceipt:
        """Send a control message; its receipt, verified."""
        receipt = verify_receipt(self.raw(message), self.side.hub)
        assert receipt.request == request_hash(message)
        assert receipt.session_id == self.side.up.id
        return receipt

    def send(self, command: Command, counter: int | None = None) -> Receipt:
        return self.notice(command, counter).notice.receipt

    def notice(self, command: Command, counter: int | None = None) -> SignedReceipt:
        return self.ask(encode_command(self.next_counter if counter is None else counter, command))

    def order(self, opcode: Opcode, **changes: object) -> ReceiptCode:
        """Send a signed command; what the hub makes of it."""
        counter = self.next_counter
        return self.send(self.side.signed(opcode, counter, self.brain.body.now_us, **changes), counter).code

    def stop(self) -> Receipt:
        self.write(ToHub.STOP, STOP_PLAINTEXT)
        return verify_receipt(self.side.receipts[-1], self.side.hub).notice.receipt

    def query(self, counter: int) -> bytes:
        self.write(ToHub.QUERY, encode_query(counter))
        return self.side.receipts[-1]

    def introduce(self) -> ReceiptCode:
        return self.send(Introduce(self.side.practice.clinician.certificate.raw)).code

    def ready(self) -> "Visit":
        """Shake hands, introduce the clinician, set the envelope."""
        self.shake_hands()
        assert self.introduce() is ReceiptCode.DONE
        assert self.order(Opcode.SET_ENVELOPE) is ReceiptCode.DONE
        return self

    def begin(self) -> "Visit":
        """And start the phase."""
        self.ready()
        assert self.order(Opcode.START_PHASE) is ReceiptCode.DONE
        return self

    def passes(self, seconds: float, *, renewing: bool = True) -> None:
        """Let hub time pass, the lease renewed each second."""
        for tick in range(round(seconds * 20)):
            if renewing and tick % 20 == 0:
                self.send(Bare(Opcode.RENEW_LEASE))
            self.carry(self.link.telemetry(self.brain.tick()))

    @property
    def status(self) -> StatusReport:
        return decode_status(self.brain.status())

    def leave(self) -> None:
        self.link.close()


def new_hub(**how: object) -> Brain:
    """As it leaves the factory."""
    return Brain(serial=SERIAL, seed=1, **how)  # type: ignore[arg-type]


def enrol_over(visit: Visit) -> Receipt:
    """ENROL as it is sent, in a session with an open hub."""
    practice, hub = visit.side.practice, visit.side.hub
    assert hub.agreement_x is not None
    return visit.send(Enrol(practice.root_raw, practice.certify(hub.subject, hub.signing_key, hub.agreement_x)))
