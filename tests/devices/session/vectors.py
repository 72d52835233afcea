"""Makes docs/hub-protocol-vectors.json: every message of the secure session, from keys that never change.

python -m tests.devices.session.vectors
"""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Final

from core.model import cbor
from core.model.certificate import (
    Certificate,
    Role,
    issue_revocations,
    lengthen,
    shorten,
)
from core.model.clock import ManualClock
from core.model.cose import KeySigner, parse1
from core.model.hub import HoldCause, HubIdentity, Opcode, Receipt, ReceiptCode, TherapyState
from devices.hub.receipts import ReceiptNotice, encode_receipt
from devices.hub.session.control import Control, encode_control, encode_journal_request, encode_parts
from devices.hub.session.documents import (
    ENROLLED,
    SIMULATED,
    Attestation,
    ClearIdentity,
    Manifest,
    encode_clear_identity,
    encode_identity_document,
    encode_journal,
    encode_keys,
    sign_attestation,
    sign_manifest,
)
from devices.hub.session.documents import encode_document as document
from devices.hub.session.journal import JournalHead, append
from devices.hub.session.keys import SessionKeys, credential, derive, edhoc_kid
from devices.hub.session.records import Sealer, expand
from devices.hub.session.segments import split
from devices.hub.session.signed import SignedCommand, sign_command, sign_receipt
from devices.hub.session.wire import (
    EAD_CERTIFICATE,
    MESSAGE_REFUSAL,
    DocumentKind,
    FromHub,
    JournalEvent,
    Refusal,
    SessionOpcode,
    ToHub,
)
from devices.simulator.session.edhoc import Ead, Initiator, Party, Responder
from tests.devices.session.parties import (
    CLINICIAN,
    HUB,
    NOW_S,
    ROOT,
    SERIAL,
    STATION,
    TRUST,
    WORKSTATION,
    certificate,
    pair,
    root_certificate,
    secret,
    signer,
)

FILE: Final = Path(__file__).resolve().parents[3] / "docs" / "hub-protocol-vectors.json"
PROCEDURE: Final = "V-2027-0001"
HUB_TIME_US: Final = 60_000_000
MTU_23: Final = 20
MODEL: Final = "Smilescape Hub"

Plain = dict[str, object]

MAKER = root_certificate("manufacturer")
FACTORY = certificate(signer("manufacturer"), Role.HUB, SERIAL)
FIRMWARE = certificate(ROOT, Role.FIRMWARE_SIGNER, "firmware-signer")
IDENTITY = HubIdentity(
    serial=SERIAL,
    model=MODEL,
    firmware="2.0.0",
    hardware="A",
    profile_major=2,
    profile_minor=0,
    boot=7,
    simulated=True,
)
ENVELOPE: Final = cbor.encode(
    {
        "procedure": PROCEDURE,
        "ceilings": [{"module": 1, "tooth": 36, "dose_percent": 60, "seconds": 300, "tissue_limit": 3950}],
    }
)
START_BODY: Final = bytes.fromhex("0100010024" + "3c" + "7800" + "6e0f")
"""START_PHASE: phase 1, module 1, tooth 36, dose 60 %, 120 s, ceiling 39.50 °C."""


def build() -> Plain:
    """The whole file as plain data; bytes as hex."""
    handshake, keys = _handshake()
    commands = _commands(keys.id)
    return {
        "profile": "2.0",
        "note": "Bytes are hex. Every key here is public: use none of them for anything but tests.",
        "keys": _keys(),
        "certificates": _certificates(),
        "revocation_list": issue_revocations(ROOT, number=3, issued_s=NOW_S, kids=[b"\x22" * 8, b"\x11" * 8]).hex(),
        "handshake": handshake,
        "refusals": {one.name: split(bytes((one,)), MTU_23, MESSAGE_REFUSAL)[0].hex() for one in Refusal},
        "records": _records(keys),
        "envelope": ENVELOPE.hex(),
        "commands": commands,
        "receipts": _receipts(keys.id, commands),
        "identity_in_clear": encode_clear_identity(
            ClearIdentity(major=2, minor=0, flags=ENROLLED | SIMULATED, model=MODEL)
        ).hex(),
        "documents": _documents(keys.id),
        "refused": _refused(keys),
    }


def _keys() -> Plain:
    names = ("practice", "manufacturer", SERIAL, STATION, "dr-kim", "firmware-signer")
    return {
        name: {
            "ed25519_private": signer(name).seed.hex(),
            "ed25519_public": signer(name).public.hex(),
            "kid": hashlib.sha256(signer(name).public).digest()[:8].hex(),
        }
        | (
            {"p256_private": pair(name).private.hex(), "p256_x": pair(name).x.hex()}
            if name in (SERIAL, STATION)
            else {}
        )
        for name in names
    }


def _certificates() -> Plain:
    every = {
        "practice root": TRUST.root,
        "manufacturer's root": MAKER,
        "hub": HUB,
        "hub as it left the factory": FACTORY,
        "workstation": WORKSTATION,
        "clinician": CLINICIAN,
        "firmware signer": FIRMWARE,
    }
    return {name: _certificate(one) for name, one in every.items()}


def _certificate(one: Certificate) -> Plain:
    return {
        "role": int(one.role),
        "subject": one.subject,
        "not_before": one.not_before_s,
        "not_after": one.not_after_s,
        "certificate": one.raw.hex(),
    } | ({"short_form": shorten(one).hex()} if one.agreement_x else {})


def _handshake() -> tuple[Plain, SessionKeys]:
    parties = {one: Party(pair(one.subject), credential(one), edhoc_kid(one.role)) for one in (HUB, WORKSTATION)}
    station = Initiator(parties[WORKSTATION], ephemeral=pair("ephemeral workstation"))
    hub = Responder(parties[HUB], ephemeral=pair("ephemeral hub"))
    message_1 = station.message_1(c_i=b"\x0e")
    message_2 = hub.message_2(message_1, c_r=b"\x27", ead_2=[Ead(EAD_CERTIFICATE, True, shorten(HUB))])
    station.open_2(message_2)
    item = Ead(EAD_CERTIFICATE, True, shorten(WORKSTATION))
    message_3 = station.message_3(parties[HUB].credential, pair(SERIAL).x, ead_3=[item])
    hub.open_3(message_3)
    message_4 = hub.message_4(parties[WORKSTATION].credential, pair(STATION).x)
    station.finish(message_4)
    keys = derive(station.export, SERIAL, STATION)
    messages = {1: message_1, 2: message_2, 3: message_3, 4: message_4}
    return {
        "ephemeral_workstation": pair("ephemeral workstation").private.hex(),
        "ephemeral_hub": pair("ephemeral hub").private.hex(),
        "credential_workstation": parties[WORKSTATION].credential.hex(),
        "credential_hub": parties[HUB].credential.hex(),
        "messages": {f"message_{number}": message.hex() for number, message in messages.items()},
        "values_at_mtu_23": {
            f"message_{number}": [value.hex() for value in split(message, MTU_23, number)]
            for number, message in messages.items()
        },
        "exporter_context": cbor.encode(["smilescape/2", SERIAL, STATION]).hex(),
        "exporter_secret": station.export(2, cbor.encode(["smilescape/2", SERIAL, STATION]), 32).hex(),
        "session_id": keys.id.hex(),
        "hub_to_workstation": _direction(keys.hub_to_workstation),
        "workstation_to_hub": _direction(keys.workstation_to_hub),
    }, keys


def _direction(first: bytes) -> Plain:
    following = expand(first, b"next", 32)
    return {
        f"epoch_{number}": {
            "secret": one.hex(),
            "key": expand(one, b"key", 32).hex(),
            "iv": expand(one, b"iv", 12).hex(),
        }
        for number, one in enumerate((first, following))
    }


def _records(keys: SessionKeys) -> Plain:
    """Two records of each stream, in this order, with a change of key half-way."""
    return {
        "note": "In this order. The key changes where the epoch does; a hub or workstation would wait longer.",
        "hub_to_workstation": _sealed(keys.hub_to_workstation, list(FromHub)),
        "workstation_to_hub": _sealed(keys.workstation_to_hub, list(ToHub)),
    }


def _sealed(direction: bytes, streams: list[FromHub] | list[ToHub]) -> list[Plain]:
    sealer = Sealer(direction, ManualClock(), records_per_epoch=len(streams))
    found: list[Plain] = []
    for turn in range(2):
        for stream in streams:
            plaintext = f"{stream.name.lower()} {turn}".encode()
            record = sealer.seal(stream, plaintext)
            found.append({"stream": stream.name.lower(), "plaintext": plaintext.hex(), "record": record.hex()})
    return found


def _commands(session_id: bytes) -> list[Plain]:
    """A control message of each opcode, counters rising."""
    doctor, root = signer("dr-kim"), signer("practice")
    found: list[Plain] = []

    def add(opcode: Opcode | SessionOpcode, payload: bytes = b"", **more: object) -> None:
        message = encode_control(Control(opcode, 2000 + len(found), payload))
        parts = [value.hex() for value in split(message, 160)]
        found.append({"opcode": opcode.name, "message": message.hex(), "plaintexts": parts, **more})

    def add_signed(
        opcode: Opcode | SessionOpcode, by: KeySigner = doctor, body: bytes = b"", rest: bytes = b""
    ) -> None:
        command = SignedCommand(
            opcode=opcode,
            counter=2000 + len(found),
            not_after_us=HUB_TIME_US + 5_000_000,
            procedure=PROCEDURE,
            envelope_sha256=hashlib.sha256(ENVELOPE).digest(),
            body=body,
        )
        raw = sign_command(command, by, hub_serial=SERIAL, session_id=session_id)
        add(opcode, encode_parts(raw) + rest, signed=raw.hex())

    for opcode in (Opcode.START_STREAM, Opcode.STOP_STREAM):
        add(opcode)
    add(Opcode.ACKNOWLEDGE, (1214).to_bytes(4, "little"))
    add(Opcode.FETCH, (1151).to_bytes(4, "little") + (56).to_bytes(2, "little"))
    add(SessionOpcode.REPORT)
    add(SessionOpcode.CLINICIAN, encode_parts(CLINICIAN.raw))
    add_signed(SessionOpcode.SET_ENVELOPE, rest=ENVELOPE)
    add_signed(Opcode.START_PHASE, body=START_BODY)
    add(Opcode.HOLD)
    add_signed(Opcode.RESUME)
    add(Opcode.RENEW_LEASE)
    for opcode in (Opcode.END_PHASE, Opcode.CLEAR):
        add_signed(opcode)
    add(SessionOpcode.ATTEST)
    add(SessionOpcode.JOURNAL, encode_journal_request(0, 64))
    add(SessionOpcode.REKEY)
    add(SessionOpcode.ENROL, encode_parts(TRUST.root.raw, HUB.raw))
    add(SessionOpcode.REVOKE, issue_revocations(root, number=3, issued_s=NOW_S, kids=[b"\x22" * 8, b"\x11" * 8]))
    return found


def _receipts(session_id: bytes, commands: list[Plain]) -> list[Plain]:
    start = next(str(one["message"]) for one in commands if one["opcode"] == "START_PHASE")
    answered = [
        (bytes.fromhex(start), _receipt(Opcode.START_PHASE, 2007, TherapyState.RUNNING, HoldCause.NONE)),
        (b"STOP", _receipt(0, 0, TherapyState.HELD, HoldCause.STOP)),
    ]
    return [
        {
            "request": request.hex(),
            "receipt": receipt.hex(),
            "signed": sign_receipt(request, receipt, signer(SERIAL), hub_serial=SERIAL, session_id=session_id).hex(),
        }
        for request, receipt in answered
    ]


def _receipt(opcode: int, counter: int, therapy: TherapyState, cause: HoldCause) -> bytes:
    receipt = Receipt(
        opcode=opcode,
        counter=counter,
        code=ReceiptCode.DONE,
        therapy=therapy,
        cause=cause,
        hub_time_us=HUB_TIME_US,
    )
    return encode_receipt(ReceiptNotice(receipt=receipt))


def _documents(session_id: bytes) -> Plain:
    measurement = secret("firmware")
    manifest = Manifest(model=MODEL, version="2.0.0", measurement=measurement, security_version=3)
    quote = Attestation(
        session_id=session_id,
        version="2.0.0",
        measurement=measurement,
        security_version=3,
        boot=7,
        manifest=sign_manifest(manifest, signer("firmware-signer")),
    )
    attestation = sign_attestation(quote, signer(SERIAL))
    return {
        "identity": encode_identity_document(IDENTITY, ENROLLED | SIMULATED).hex(),
        "attestation": document(DocumentKind.ATTESTATION, attestation).hex(),
        "journal": encode_journal(0, _journal()).hex(),
        "keys": encode_keys(signer("new hub key").public, pair("new hub key").x).hex(),
    }


def _journal() -> list[bytes]:
    head = JournalHead()
    raws = []
    for at, (opcode, counter, who, message) in enumerate(
        (
            (JournalEvent.BOOT, 0, b"", b""),
            (JournalEvent.SESSION_BEGUN, 0, WORKSTATION.kid, b""),
            (Opcode.START_PHASE, 2007, CLINICIAN.kid, b"the control message"),
            (JournalEvent.STOP, 0, WORKSTATION.kid, b"STOP"),
        )
    ):
        raw, head = append(
            head,
            boot=7,
            hub_time_us=at * 1_000_000,
            opcode=opcode,
            counter=counter,
            signer=who,
            message=message,
        )
        raws.append(raw)
    return raws


def _refused(keys: SessionKeys) -> Plain:
    """What has to be refused, by kind: each reader must take none of its list."""
    expired = certificate(ROOT, Role.HUB, SERIAL, not_after_s=NOW_S)
    doubled = b"\xa2\x01\x01\x01\x01"
    record = Sealer(keys.hub_to_workstation, ManualClock()).seal(FromHub.STATUS, b"status 0")
    changes: dict[str, Callable[[bytes], bytes]] = {
        "bit of the tag": lambda raw: raw[:-1] + bytes((raw[-1] ^ 1,)),
        "bit of the number": lambda raw: raw[:2] + b"\x01" + raw[3:],
        "next epoch": lambda raw: raw[:1] + b"\x01" + raw[2:],
        "epoch after the next": lambda raw: raw[:1] + b"\x02" + raw[2:],
        "another stream": lambda raw: b"\x80" + raw[1:],
        "cut short": lambda raw: raw[:21],
    }
    message = parse1(HUB.raw)
    header = cbor.encode({1: -8, 4: message.kid})
    return {
        "hub certificates": {
            "expired": expired.raw.hex(),
            "wrong role": WORKSTATION.raw.hex(),
            "another root": FACTORY.raw.hex(),
            "self-signed": certificate(signer(SERIAL), Role.HUB, SERIAL).raw.hex(),
            "extra unprotected header": (
                b"\xd2" + cbor.encode([header, {4: message.kid}, message.unverified, message.signature])
            ).hex(),
            "no tag": HUB.raw[1:].hex(),
            "followed by a byte": (HUB.raw + b"\0").hex(),
            "role of the short form changed": lengthen(shorten(WORKSTATION), Role.HUB, TRUST.root.kid).hex(),
        },
        "status records": {name: change(record).hex() for name, change in changes.items()},
        "cbor": {
            "number longer than it need be": "1801",
            "indefinite length": "9f01ff",
            "keys out of order": "a202010101",
            "key doubled": doubled.hex(),
            "followed by a byte": "0100",
            "ends too early": "4201",
        },
        "segments": {"reserved bit": "6001", "empty": "40", "out of place": "0001"},
    }


def encoded() -> str:
    return json.dumps(build(), indent=1, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    FILE.write_text(encoded(), encoding="utf-8")
