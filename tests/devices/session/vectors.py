"""Makes docs/hub-protocol-vectors.json: every message of the protocol, from keys that never change.

python -m tests.devices.session.vectors
"""

import hashlib
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from core.model import cbor
from core.model.certificate import Certificate, Role, lengthen, shorten
from core.model.clock import ManualClock
from core.model.cose import parse1
from devices.hub.commands import STOP_PLAINTEXT
from devices.hub.receipts import encode_query
from devices.hub.session.handshake import encode_refusal
from devices.hub.session.keys import SessionKeys, credential, derive, edhoc_kid
from devices.hub.session.records import Sealer, expand
from devices.hub.session.segments import split
from devices.hub.session.wire import EAD_CERTIFICATE, MESSAGE_REFUSAL, MIN_MTU, FromHub, Refusal, ToHub
from devices.simulator.session.edhoc import Ead, Initiator, Party, Responder
from tests.devices.session import vector_messages as messages
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
    signer,
)
from tests.devices.session.vector_messages import FIRMWARE, Plain

FILE: Final = Path(__file__).resolve().parents[3] / "docs" / "hub-protocol-vectors.json"
ROOM: Final = MIN_MTU - 3
"""Largest value of the handshake at the least MTU."""

MAKER = root_certificate("manufacturer")
FACTORY = certificate(signer("manufacturer"), Role.HUB, SERIAL)


def build() -> Plain:
    """The whole file as plain data; bytes as hex."""
    handshake, keys = _handshake()
    return {
        "profile": "2.1",
        "note": "Bytes are hex. Every key here is public: use none of them for anything but tests.",
        "keys": _keys(),
        "certificates": _certificates(),
        "revocation_list": messages.REVOCATIONS.hex(),
        "advertisement": messages.advertisement(),
        "identity_in_clear": messages.identity_in_clear().hex(),
        "handshake": handshake,
        "refusals": {one.name: split(encode_refusal(one, 185), ROOM, MESSAGE_REFUSAL)[0].hex() for one in Refusal},
        "records": _records(keys),
        "frames": messages.frames(),
        "status": messages.status().hex(),
        "stop": STOP_PLAINTEXT.hex(),
        "query": {"counter": 2012, "plaintext": encode_query(2012).hex()},
        "envelope": messages.envelope(),
        "commands": messages.commands(keys.id),
        "receipts": messages.receipts(keys.id),
        "documents": {
            name: {"document": raw.hex(), "plaintexts": messages.segments(raw)}
            for name, raw in messages.documents(keys.id).items()
        },
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
        "values": {
            f"message_{number}": [value.hex() for value in split(message, ROOM, number)]
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
    """Each stream's records, with a change of key on the way."""
    start = next(one for one in messages.commands(keys.id) if one["opcode"] == "START_PHASE")
    receipt = next(one for one in messages.receipts(keys.id) if one["request"] == start["message"])
    identity = messages.segments(messages.documents(keys.id)["identity"])
    frames = messages.frames()
    from_hub: list[tuple[FromHub, object]] = [
        *((FromHub.DOCUMENTS, one) for one in identity),
        (FromHub.STATUS, messages.status().hex()),
        (FromHub.TELEMETRY, frames["samples"]),
        (FromHub.HISTORY, frames["samples"]),
        (FromHub.HISTORY, frames["end"]),
        *((FromHub.RECEIPT, one) for one in _listed(receipt)),
        (FromHub.TELEMETRY, frames["samples"]),
    ]
    to_hub: list[tuple[ToHub, object]] = [
        *((ToHub.CONTROL, one) for one in _listed(start)),
        (ToHub.QUERY, encode_query(2012).hex()),
        (ToHub.STOP, STOP_PLAINTEXT.hex()),
        (ToHub.STOP, STOP_PLAINTEXT.hex()),
    ]
    return {
        "note": "In this order. The key changes where the epoch does; a hub or workstation would wait longer.",
        "hub_to_workstation": _sealed(keys.hub_to_workstation, from_hub),
        "workstation_to_hub": _sealed(keys.workstation_to_hub, to_hub),
    }


def _listed(message: Plain) -> list[object]:
    plaintexts = message["plaintexts"]
    assert isinstance(plaintexts, list)
    return plaintexts


def _sealed(direction: bytes, sent: Sequence[tuple[FromHub | ToHub, object]]) -> list[Plain]:
    sealer = Sealer(direction, ManualClock(), records_per_epoch=3)
    return [
        {
            "stream": stream.name.lower(),
            "plaintext": plaintext,
            "record": sealer.seal(stream, bytes.fromhex(str(plaintext))).hex(),
        }
        for stream, plaintext in sent
    ]


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
