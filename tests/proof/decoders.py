"""Every decoder of bytes that somebody else made, with valid inputs from docs/hub-protocol-vectors.json."""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

import msgspec
import numpy as np

from core.model import cbor
from core.model.block import Provenance
from core.model.certificate import Role, lengthen, read_revocations, read_unverified, shorten
from core.model.clock import ManualClock
from core.model.cose import parse1
from core.model.errors import SmilescapeError
from core.model.note import read_note
from core.model.plugins import read_manifest
from core.model.strict_cbor import Tagged, Value, decode, decode_sequence
from core.signals import codec
from devices.errors import FrameError
from devices.hub.advertising import decode_advert, encode_advert
from devices.hub.batch import decode_batch
from devices.hub.commands import Signed, decode_command, decode_phase, encode_command
from devices.hub.frames import FetchEnd, SampleFrame, decode_frame, encode_end, encode_samples
from devices.hub.receipts import decode_query, decode_receipt, encode_receipt
from devices.hub.session import documents
from devices.hub.session.attestation import verify_attestation
from devices.hub.session.control import decode_control
from devices.hub.session.envelope import decode_envelope, encode_envelope
from devices.hub.session.handshake import decode_refusal
from devices.hub.session.identity import decode_card, decode_clear_identity, encode_card, encode_clear_identity
from devices.hub.session.journal import decode_entry, encode_entry, verify_chain
from devices.hub.session.records import Opener, Sealer
from devices.hub.session.segments import Joiner
from devices.hub.session.signed import verify_command, verify_receipt
from devices.hub.session.wear import decode_events, decode_summaries
from devices.hub.session.wire import MAX_DOCUMENT, MAX_PLAINTEXT, DocumentKind
from devices.hub.status import decode_status, encode_status
from devices.vitals.heart_rate import parse_heart_rate
from devices.vitals.pulse_oximeter_frames import parse_continuous, parse_features, parse_spot_check
from devices.vitals.thermometer_frames import parse_interval, parse_site, parse_temperature
from tests.devices.session import parties
from tests.devices.session.vectors import FILE

LONGEST: Final = 1024


@dataclass(frozen=True)
class Decoder:
    """One decoder.

    Attributes:
        decode: what it does with bytes, and, where they can be encoded again, whether that says the same.
        refuses: the only errors that it may raise.
        seeds: valid inputs.
    """

    name: str
    decode: Callable[[bytes], object]
    seeds: Sequence[bytes]
    refuses: tuple[type[Exception], ...] = (SmilescapeError,)
    longest: int = LONGEST

    def __str__(self) -> str:
        return self.name


def _again(decode: Callable[[bytes], Any], encode: Callable[[Any], bytes]) -> Callable[[bytes], object]:
    """Decoding what was encoded from what was decoded gives the same."""

    def both(data: bytes) -> object:
        value = decode(data)
        assert decode(encode(value)) == value
        return value

    return both


def _exactly(decode: Callable[[bytes], Any], encode: Callable[[Any], bytes]) -> Callable[[bytes], object]:
    """The form is the only one: what is decoded encodes to the same bytes."""

    def both(data: bytes) -> object:
        value = decode(data)
        assert encode(value) == data
        return value

    return both


def decoders() -> list[Decoder]:
    """All of them, by name."""
    return sorted(_all(), key=lambda one: one.name)


def _all() -> Iterator[Decoder]:
    told = json.loads(FILE.read_text(encoding="utf-8"))
    strange = (FrameError,)

    def hexed(*values: str) -> list[bytes]:
        return [bytes.fromhex(one) for one in values]

    papers = {name: bytes.fromhex(one["document"]) for name, one in told["documents"].items()}
    certificates = hexed(*(one["certificate"] for one in told["certificates"].values()))
    short = hexed(*(one["short_form"] for one in told["certificates"].values() if "short_form" in one))
    messages = hexed(*(one["message"] for one in told["commands"]))
    receipts = hexed(*(one["receipt"] for one in told["receipts"]))
    signed = hexed(*(one["signed"] for one in told["receipts"]))
    frames = hexed(told["frames"]["samples"], told["frames"]["end"])
    orders = [one.message for one in map(decode_command, map(decode_control, messages)) if isinstance(one, Signed)]
    identity = documents.octets(documents.decode_document(papers["identity"])[1])
    journal = documents.decode_journal(documents.decode_document(papers["journal"])[1])[1]

    yield Decoder("frame", _frame, frames, strange, MAX_PLAINTEXT)
    yield Decoder("batch", _batch, [b"".join(_packed(one) for one in frames * 3)], strange)
    yield Decoder("record", _record, [Sealer(bytes(32), ManualClock(0)).seal(3, frames[0])], strange)
    yield Decoder("segments", _segments, [_packed(b"\xc0abc") + _packed(b"\x80de") + _packed(b"\x00f")], strange)
    yield Decoder("cbor", _cbor, [*papers.values(), *hexed(*told["refused"]["cbor"].values())])
    yield Decoder("cbor sequence", lambda data: decode_sequence(data, limit=LONGEST), [b"".join(papers.values())])
    yield Decoder("cose", _exactly(lambda data: parse1(data, limit=LONGEST), lambda one: one.encode()), signed)
    yield Decoder("certificate", read_unverified, certificates)
    yield Decoder(
        "short certificate",
        _exactly(lambda data: read_unverified(lengthen(data, Role.HUB, bytes(8))), shorten),
        short,
    )
    root = parties.TRUST.root
    yield Decoder("revocation list", lambda data: read_revocations(data, root), hexed(told["revocation_list"]))
    yield Decoder(
        "identity in clear",
        _again(decode_clear_identity, encode_clear_identity),
        hexed(told["identity_in_clear"]),
        strange,
    )
    yield Decoder(
        "identity card",
        _again(decode_card, lambda card: documents.octets(documents.decode_document(encode_card(card))[1])),
        [identity],
        strange,
    )
    yield Decoder("document", _document, list(papers.values()), longest=4096)
    note = documents.octets(documents.decode_document(papers["witness"])[1])
    yield Decoder("note", _exactly(read_note, lambda one: one.encode().encode()), [note])
    yield Decoder("journal entry", _exactly(decode_entry, encode_entry), journal)
    yield Decoder("journal", lambda data: verify_chain(_unpacked(data), None), [b"".join(map(_packed, journal))])
    envelope = bytes.fromhex(told["envelope"]["envelope"])
    yield Decoder("envelope", _exactly(decode_envelope, encode_envelope), [envelope], strange)
    yield Decoder("control message", _control, messages, strange)
    yield Decoder("phase", decode_phase, [bytes(10)], strange)
    yield Decoder("receipt", _again(lambda data: decode_receipt(data[:20]), encode_receipt), receipts, strange)
    hub = parties.HUB
    yield Decoder("signed receipt", lambda data: verify_receipt(data, hub), signed)
    session = bytes.fromhex(told["handshake"]["session_id"])
    yield Decoder("signed command", partial(_signed_command, session), orders)
    yield Decoder("query", decode_query, hexed(told["query"]["plaintext"]), strange)
    yield Decoder("status", _again(decode_status, encode_status), hexed(told["status"]), strange)
    yield Decoder("refusal", decode_refusal, [b"\x01", b"\x06\xb9\x00"], strange)
    yield Decoder("advertisement", _advert, [bytes((1, 2, 0, 1, 90, 0))], strange)
    yield Decoder("heart rate", parse_heart_rate, hexed("0048", "1e4800e803e8030004"), strange)
    yield Decoder(
        "oximeter, continuous", parse_continuous, hexed("0061004800", "1f61004800610048006100480020001200"), strange
    )
    yield Decoder("oximeter, spot check", parse_spot_check, hexed("0061004800", "0161004800e8070c1f173b3b"), strange)
    yield Decoder("oximeter, features", parse_features, hexed("0000", "ff00ffffffffff"), strange)
    yield Decoder("thermometer", parse_temperature, hexed("006e0100ff", "076e0100ffe8070c1f173b3b02"), strange)
    yield Decoder("thermometer, site", parse_site, hexed("02"), strange)
    yield Decoder("thermometer, interval", parse_interval, hexed("3c00"), strange)
    yield Decoder("plug-in manifest", _manifest, [_EXAMPLE.read_bytes()], (ValueError, msgspec.ValidationError), 4096)
    yield Decoder("codec", _codec, list(_coded()), (codec.CodecError,))


_EXAMPLE: Final = FILE.parents[1] / "examples" / "oral-ph-sensor" / "oral_ph_sensor" / "sensor.toml"


def _packed(data: bytes) -> bytes:
    return bytes((len(data),)) + data


def _unpacked(data: bytes) -> list[bytes]:
    """Several inputs in one: each with its length before it."""
    found: list[bytes] = []
    while data:
        found.append(data[1 : 1 + data[0]])
        data = data[1 + data[0] :]
    return found


def _frame(data: bytes) -> None:
    frame = decode_frame(data, Provenance.LIVE)
    if isinstance(frame, FetchEnd):
        assert decode_frame(encode_end(frame), Provenance.LIVE) == frame
    if isinstance(frame, SampleFrame):
        made = encode_samples(frame.boot, frame.sequence, frame.hub_time_us, frame.blocks)
        again = decode_frame(made, Provenance.LIVE)
        assert isinstance(again, SampleFrame)
        assert [one.samples.tolist() for one in again.blocks] == [one.samples.tolist() for one in frame.blocks]


def _batch(data: bytes) -> None:
    """As one by one, whatever comes together."""
    frames = [one[:MAX_PLAINTEXT] for one in _unpacked(data)] or [b""]
    batch = decode_batch(frames)
    for row, frame in enumerate(frames):
        try:
            alone = decode_frame(frame, Provenance.LIVE)
        except FrameError:
            assert not batch.sound[row]
            assert row in dict(batch.refused)
            continue
        assert batch.sound[row] == isinstance(alone, SampleFrame)
        assert (row in dict(batch.ends)) == isinstance(alone, FetchEnd)
        if isinstance(alone, SampleFrame):
            mine = np.flatnonzero(batch.pieces.row == row)
            got = [
                batch.words[at : at + count].tolist()
                for at, count in zip(batch.pieces.at[mine], batch.pieces.count[mine], strict=True)
            ]
            assert got == [one.samples.tolist() for one in alone.blocks]


def _record(data: bytes) -> None:
    Opener(bytes(32)).open(3, data)


def _segments(data: bytes) -> None:
    joiner = Joiner(64, (0, 2))
    for number, one in enumerate(_unpacked(data)):
        whole = joiner.add(one, number)
        assert whole is None or len(whole[1]) <= 64


def _cbor(data: bytes) -> None:
    value = decode(data, limit=LONGEST)
    if not _strange(value):
        assert cbor.encode(value) == data


def _strange(value: Value) -> bool:
    """What no message has, and `cbor.encode` writes otherwise: tags, floats, keys that are no numbers."""
    if isinstance(value, dict):
        return any(not isinstance(key, int) or _strange(one) for key, one in value.items())
    if isinstance(value, list):
        return any(map(_strange, value))
    return isinstance(value, Tagged | float)


def _document(data: bytes) -> None:
    kind, body = documents.decode_document(data)
    match kind:
        case DocumentKind.IDENTITY:
            decode_card(documents.octets(body))
        case DocumentKind.ATTESTATION:
            session = bytes(16)
            raw = documents.octets(body)
            verify_attestation(raw, parties.HUB, {}, session_id=session, model="", least_version=0)
        case DocumentKind.JOURNAL:
            verify_chain(documents.decode_journal(body)[1], None)
        case DocumentKind.KEYS:
            documents.decode_keys(body)
        case DocumentKind.SUMMARIES:
            decode_summaries(body)
        case DocumentKind.EVENTS:
            decode_events(body)
        case _:
            assert len(data) <= MAX_DOCUMENT


def _control(data: bytes) -> None:
    control = decode_control(data)
    command = decode_command(control)
    if command is not None:
        again = decode_control(encode_command(control.counter, command))
        assert decode_command(again) == command


def _signed_command(session: bytes, data: bytes) -> None:
    who = parties.CLINICIAN
    verify_command(data, {who.kid: who}, hub_serial=parties.SERIAL, session_id=session)


def _advert(data: bytes) -> None:
    found = decode_advert({0xFFFF: data})
    if found is not None:
        assert len(encode_advert(found)) <= 31


def _manifest(data: bytes) -> None:
    read_manifest(data)


def _coded() -> Iterator[bytes]:
    samples = (np.arange(300) % 50).astype(np.int16)
    offsets = np.arange(300, dtype=np.int64) ** 2
    for kind, raw in (codec.encode(samples), codec.encode(samples, offsets), (codec.Codec.RAW, samples.tobytes())):
        yield bytes((kind,)) + len(samples).to_bytes(2, "little") + raw


def _codec(data: bytes) -> None:
    if len(data) > 2:
        samples, _ = codec.decode(data[0], data[3:], int.from_bytes(data[1:3], "little"))
        assert samples.shape == (int.from_bytes(data[1:3], "little"),)
