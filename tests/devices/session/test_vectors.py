"""docs/hub-protocol-vectors.json is what this implementation makes, and what it takes or refuses."""

import json
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from core.model.certificate import CertificateRefused, Role, lengthen, read_revocations, read_unverified
from core.model.errors import SmilescapeError
from core.model.hub import Opcode
from core.model.strict_cbor import CborRefused, decode
from devices.errors import FrameError
from devices.hub.session.control import decode_control, decode_parts
from devices.hub.session.documents import (
    check_identity,
    decode_clear_identity,
    decode_document,
    decode_journal,
    octets,
    verify_attestation,
)
from devices.hub.session.journal import JournalHead, verify_chain
from devices.hub.session.records import Opener
from devices.hub.session.segments import Joiner
from devices.hub.session.signed import request_hash, verify_command, verify_receipt
from devices.hub.session.wire import MAX_CONTROL, FromHub, SessionOpcode, ToHub
from tests.devices.session.parties import CLINICIAN, HUB, NOW_S, SERIAL, TRUST
from tests.devices.session.vectors import FILE, FIRMWARE, encoded

VECTORS: dict[str, Any] = json.loads(FILE.read_text(encoding="utf-8"))
SESSION = bytes.fromhex(VECTORS["handshake"]["session_id"])


def test_the_vectors_are_what_this_code_makes() -> None:
    """After a change that is meant: python -m tests.devices.session.vectors"""
    assert FILE.read_text(encoding="utf-8") == encoded()


def test_every_certificate_counts_and_has_its_short_form() -> None:
    for name, one in VECTORS["certificates"].items():
        found = read_unverified(bytes.fromhex(one["certificate"]))
        assert (found.role, found.subject) == (one["role"], one["subject"])
        if "short_form" in one:
            assert lengthen(bytes.fromhex(one["short_form"]), found.role, found.issuer) == found.raw, name
    assert read_revocations(bytes.fromhex(VECTORS["revocation_list"]), TRUST.root).number == 3


@pytest.mark.parametrize("way", ["hub_to_workstation", "workstation_to_hub"])
def test_the_records_open_in_their_order(way: str) -> None:
    opener = Opener(bytes.fromhex(VECTORS["handshake"][way]["epoch_0"]["secret"]))
    streams: type[FromHub | ToHub] = FromHub if way.startswith("hub") else ToHub
    for one in VECTORS["records"][way]:
        plaintext = opener.open(streams[one["stream"].upper()], bytes.fromhex(one["record"]))
        assert plaintext.hex() == one["plaintext"]
    assert opener.epoch == 1


def test_there_is_a_command_of_each_opcode_and_its_signature_counts() -> None:
    found = {one["opcode"] for one in VECTORS["commands"]}
    assert found == {one.name for one in (*Opcode, *SessionOpcode)}
    for one in VECTORS["commands"]:
        joiner = Joiner(MAX_CONTROL)
        whole = None
        for number, plaintext in enumerate(one["plaintexts"]):
            whole = joiner.add(bytes.fromhex(plaintext), number)
        assert whole is not None
        control = decode_control(whole[1])
        assert whole[1].hex() == one["message"]
        if "signed" in one:
            (raw,), _ = decode_parts(control.payload, 1)
            known = {CLINICIAN.kid: CLINICIAN}
            command, _ = verify_command(raw, known, hub_serial=SERIAL, session_id=SESSION)
            assert (command.opcode, command.counter) == (control.opcode, control.counter)


def test_the_receipts_answer_what_they_name() -> None:
    for one in VECTORS["receipts"]:
        receipt = verify_receipt(bytes.fromhex(one["signed"]), HUB)
        assert receipt.request == request_hash(bytes.fromhex(one["request"]))
        assert receipt.notice.receipt.raw.hex() == one["receipt"]


def test_the_documents_say_what_they_should() -> None:
    bodies = {name: decode_document(bytes.fromhex(raw))[1] for name, raw in VECTORS["documents"].items()}
    clear = decode_clear_identity(bytes.fromhex(VECTORS["identity_in_clear"]))
    identity = check_identity(clear, octets(bodies["identity"]), HUB)
    quote = verify_attestation(
        octets(bodies["attestation"]),
        HUB,
        {FIRMWARE.kid: FIRMWARE},
        session_id=SESSION,
        model=identity.model,
        least_version=3,
    )
    assert quote.boot == identity.boot
    entries, head = verify_chain(decode_journal(bodies["journal"])[1], JournalHead())
    assert head.number == len(entries) == 4


def test_everything_that_has_to_be_refused_is() -> None:
    secret = bytes.fromhex(VECTORS["handshake"]["hub_to_workstation"]["epoch_0"]["secret"])
    refused = VECTORS["refused"]
    readers: dict[str, tuple[Callable[[bytes], object], type[SmilescapeError]]] = {
        "hub certificates": (lambda raw: TRUST.verify(raw, Role.HUB, now_s=NOW_S), CertificateRefused),
        "status records": (lambda raw: Opener(secret).open(FromHub.STATUS, raw), FrameError),
        "cbor": (lambda raw: decode(raw, limit=4096), CborRefused),
        "segments": (lambda raw: Joiner(MAX_CONTROL).add(raw), FrameError),
    }
    assert readers.keys() == refused.keys()
    for kind, (read, error) in readers.items():
        for raw in refused[kind].values():
            with pytest.raises(error):
                read(bytes.fromhex(raw))


def test_the_vectors_are_plain_json() -> None:
    assert msgspec.json.decode(FILE.read_bytes()) == VECTORS
