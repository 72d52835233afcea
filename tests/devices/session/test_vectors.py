"""docs/hub-protocol-vectors.json is what this implementation makes, and what it takes or refuses."""

import json
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from core.model.block import Provenance
from core.model.certificate import CertificateRefused, Role, lengthen, read_revocations, read_unverified
from core.model.errors import SmilescapeError
from core.model.hub import Opcode, ReceiptCode
from core.model.merkle import root_at
from core.model.note import Checkpoint, read_note
from core.model.strict_cbor import CborRefused, Value, decode
from core.model.witness import Verdict, hub_witness, judge
from devices.errors import FrameError
from devices.hub import commands as codec
from devices.hub.advertising import address_bytes, is_of, resolves
from devices.hub.frames import FetchEnd, SampleFrame, decode_frame, encode_end, encode_samples
from devices.hub.receipts import decode_query, encode_receipt
from devices.hub.session.attestation import verify_attestation
from devices.hub.session.control import decode_control
from devices.hub.session.documents import decode_document, decode_journal, decode_keys, decode_witness, octets
from devices.hub.session.envelope import decode_envelope, envelope_hash
from devices.hub.session.handshake import decode_refusal
from devices.hub.session.identity import check_identity, decode_clear_identity
from devices.hub.session.journal import JournalHead, compare, verify_chain
from devices.hub.session.records import Opener
from devices.hub.session.segments import Joiner
from devices.hub.session.signed import request_hash, verify_command, verify_receipt
from devices.hub.session.wear import decode_events, decode_summaries
from devices.hub.session.wire import (
    MAX_CONTROL,
    MAX_DOCUMENT,
    MAX_PLAINTEXT,
    MESSAGE_REFUSAL,
    DocumentKind,
    FromHub,
    JournalEvent,
    Refusal,
    ToHub,
)
from devices.hub.status import decode_status
from tests.devices.session import vector_messages as messages
from tests.devices.session.parties import CLINICIAN, HUB, NOW_S, SERIAL, TRUST, WORKSTATION
from tests.devices.session.vector_messages import FIRMWARE
from tests.devices.session.vectors import FILE, encoded

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
    assert {one["stream"] for one in VECTORS["records"][way]} == {one.name.lower() for one in streams}
    assert opener.epoch >= 1


def joined(plaintexts: list[str], limit: int) -> bytes:
    """The message that segments carry, each in a record of its own."""
    joiner = Joiner(limit)
    whole = None
    for number, plaintext in enumerate(plaintexts):
        assert len(plaintext) <= 2 * MAX_PLAINTEXT
        whole = joiner.add(bytes.fromhex(plaintext), number)
    assert whole is not None
    return whole[1]


def test_there_is_a_command_of_each_opcode_and_its_signature_counts() -> None:
    assert {one["opcode"] for one in VECTORS["commands"]} == {one.name for one in Opcode}
    for one in VECTORS["commands"]:
        message = joined(one["plaintexts"], MAX_CONTROL)
        assert message.hex() == one["message"]
        control = decode_control(message)
        command = codec.decode_command(control)
        assert command is not None
        assert codec.opcode_of(command) is Opcode[one["opcode"]]
        assert codec.encode_command(control.counter, command) == message
        if isinstance(command, codec.Signed):
            signed, _ = verify_command(
                command.message, {CLINICIAN.kid: CLINICIAN}, hub_serial=SERIAL, session_id=SESSION
            )
            assert (signed.opcode, signed.counter) == (control.opcode, control.counter)
            assert signed.envelope_sha256.hex() == VECTORS["envelope"]["sha256"]
            if signed.opcode == Opcode.START_PHASE:
                assert codec.decode_phase(signed.body) == messages.ORDER
            if signed.opcode == Opcode.SET_ENVELOPE:
                assert decode_envelope(command.envelope) == messages.ENVELOPE
        if isinstance(command, codec.Witness):
            seen = Checkpoint(messages.ORIGIN, 4, root_at(messages.log_node, 4))
            fresh = read_note(command.checkpoint)
            fresh.verify(messages.ORIGIN, WORKSTATION.signing_key)
            assert judge(seen, fresh.checkpoint, command.old, command.path) is Verdict.GROWN


def test_the_envelope_is_what_it_says() -> None:
    raw = bytes.fromhex(VECTORS["envelope"]["envelope"])
    assert decode_envelope(raw) == messages.ENVELOPE
    assert envelope_hash(raw).hex() == VECTORS["envelope"]["sha256"]


def test_there_is_a_receipt_of_each_code_and_it_answers_what_it_names() -> None:
    codes = set()
    for one in VECTORS["receipts"]:
        signed = joined(one["plaintexts"], MAX_CONTROL)
        assert signed.hex() == one["signed"]
        receipt = verify_receipt(signed, HUB)
        assert receipt.request == request_hash(bytes.fromhex(one["request"]))
        assert receipt.session_id == SESSION
        assert encode_receipt(receipt.notice).hex() == one["receipt"]
        codes.add(receipt.notice.receipt.code)
    assert codes == set(ReceiptCode)


def test_a_refusal_of_each_reason() -> None:
    assert set(VECTORS["refusals"]) == {one.name for one in Refusal}
    for name, value in VECTORS["refusals"].items():
        whole = Joiner(400, (MESSAGE_REFUSAL,)).add(bytes.fromhex(value))
        assert whole is not None
        assert decode_refusal(whole[1]) == (Refusal[name], 185 if name == "MTU" else 0)


def test_the_hub_is_recognised_by_its_address() -> None:
    advert = VECTORS["advertisement"]
    irk, address = bytes.fromhex(advert["irk"]), bytes.fromhex(advert["address_on_the_air"])
    assert address_bytes(advert["address"]) == address
    assert resolves(irk, address)
    assert is_of(irk, advert["address"], {})
    assert advert["address_on_the_air"] in advert["scan_response"]
    assert len(advert["advertising_data"]) == 62


def test_frames_and_status_are_read_and_written_alike() -> None:
    frames = {name: bytes.fromhex(raw) for name, raw in VECTORS["frames"].items()}
    samples = decode_frame(frames["samples"], Provenance.LIVE)
    assert isinstance(samples, SampleFrame)
    assert encode_samples(samples.boot, samples.sequence, samples.hub_time_us, samples.blocks) == frames["samples"]
    end = decode_frame(frames["end"], Provenance.LIVE)
    assert isinstance(end, FetchEnd)
    assert encode_end(end) == frames["end"]
    assert decode_frame(frames["of a later minor, to be ignored"], Provenance.LIVE) is None
    report = decode_status(bytes.fromhex(VECTORS["status"]))
    assert report.envelope.hex() == VECTORS["envelope"]["sha256"][:32]
    assert decode_query(bytes.fromhex(VECTORS["query"]["plaintext"])) == VECTORS["query"]["counter"]
    assert bytes.fromhex(VECTORS["stop"]) == codec.STOP_PLAINTEXT


def test_there_is_a_document_of_each_kind_and_it_says_what_it_should() -> None:
    bodies: dict[str, Value] = {}
    kinds = set()
    for name, one in VECTORS["documents"].items():
        document = joined(one["plaintexts"], MAX_DOCUMENT)
        assert document.hex() == one["document"]
        kind, bodies[name] = decode_document(document)
        kinds.add(kind)
    assert kinds == set(DocumentKind)
    clear = decode_clear_identity(bytes.fromhex(VECTORS["identity_in_clear"]))
    card = check_identity(clear, octets(bodies["identity"]), HUB)
    assert card == messages.CARD
    quote = verify_attestation(
        octets(bodies["attestation"]),
        HUB,
        {FIRMWARE.kid: FIRMWARE},
        session_id=SESSION,
        model=card.identity.model,
        least_version=3,
    )
    assert quote.boot == card.identity.boot
    entries, head = verify_chain(decode_journal(bodies["journal"])[1], JournalHead())
    assert head.number == len(entries) == card.next_entry
    assert decode_journal(bodies["journal that has nothing new"]) == (9, [])
    known = {entry.opcode for entry in entries} - {messages.UNKNOWN_EVENT, Opcode.START_PHASE}
    assert known == set(JournalEvent), "one of each event, and one of a version to come"
    assert compare([], entries).unknown == tuple(entry for entry in entries if entry.message)
    assert len(decode_keys(bodies["keys"])) == 2
    assert [one.day for one in decode_summaries(bodies["summaries"])] == [messages.DAY - 1, messages.DAY]
    assert [one.number for one in decode_events(bodies["events"])] == list(range(card.next_event))
    told = decode_witness(bodies["witness"])
    assert told is not None
    told.verify(messages.ORIGIN, WORKSTATION.signing_key)
    assert told.cosigned(hub_witness(HUB.kid), HUB.signing_key) == NOW_S
    assert decode_witness(bodies["witness of a log that was never seen"]) is None


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
