"""Every message that the vectors show inside and outside a session: what each carries, and its bytes."""

from typing import Final

import numpy as np

from core.model.block import Provenance, SampleBlock
from core.model.certificate import Role, issue_revocations
from core.model.hub import HoldCause, HubIdentity, HubStatus, Opcode, PhaseOrder, Receipt, ReceiptCode, TherapyState
from core.model.merkle import consistency_proof, leaf_hash, node_hash, root_at
from core.model.note import Checkpoint, Note, cosign, sign_checkpoint
from core.model.wear import ChannelDay, DaySummary, EventKind, HubEvent
from core.model.witness import hub_witness
from devices.hub.advertising import HubAdvert, advertising_data, private_address, scan_response
from devices.hub.commands import (
    STOP_PLAINTEXT,
    Acknowledge,
    Ask,
    Bare,
    Command,
    Enrol,
    Introduce,
    Revoke,
    Signed,
    Tell,
    Witness,
    Witnessed,
    encode_command,
    encode_phase,
    opcode_of,
)
from devices.hub.frames import FetchEnd, encode_end, encode_samples
from devices.hub.receipts import OPCODE_NO_RECEIPT, OPCODE_STOP, ReceiptNotice, encode_query, encode_receipt
from devices.hub.session.attestation import Attestation, Manifest, sign_attestation, sign_manifest
from devices.hub.session.documents import encode_document, encode_journal, encode_keys, encode_witness
from devices.hub.session.envelope import AllowedPhase, HubEnvelope, encode_envelope, envelope_hash
from devices.hub.session.identity import (
    ENROLLED,
    SIMULATED,
    BootSpan,
    ClearIdentity,
    HubCard,
    encode_card,
    encode_clear_identity,
)
from devices.hub.session.journal import JournalHead, append
from devices.hub.session.segments import split
from devices.hub.session.signed import SignedCommand, sign_command, sign_receipt
from devices.hub.session.wear import encode_events, encode_summaries
from devices.hub.session.wire import MAX_PLAINTEXT, PROFILE, DocumentKind, JournalEvent, Refusal
from devices.hub.status import StatusReport, encode_status
from tests.devices.session.parties import (
    CLINICIAN,
    HUB,
    NOW_S,
    ROOT,
    SERIAL,
    TRUST,
    WORKSTATION,
    certificate,
    pair,
    secret,
    signer,
)

Plain = dict[str, object]

MODEL: Final = "Smilescape Hub"
PROCEDURE: Final = "V-2027-0001"
BOOT: Final = 7
HUB_TIME_US: Final = 60_000_000
FIRST_COUNTER: Final = 2000
IRK: Final = secret("irk")[:16]
DAY: Final = NOW_S // 86_400
UNKNOWN_EVENT: Final = 0xF9
"""Of the journal of some later minor version."""

IDENTITY: Final = HubIdentity(
    serial=SERIAL,
    model=MODEL,
    firmware="2.0.0",
    hardware="A",
    profile_major=PROFILE[0],
    profile_minor=PROFILE[1],
    boot=BOOT,
    simulated=True,
)
CLEAR: Final = ClearIdentity(major=PROFILE[0], minor=PROFILE[1], flags=ENROLLED | SIMULATED, model=MODEL)
CARD: Final = HubCard(
    identity=IDENTITY,
    flags=ENROLLED | SIMULATED,
    irk=IRK,
    revocations=2,
    next_entry=9,
    next_event=3,
    boots=(
        BootSpan(BOOT - 1, (NOW_S - 3600) * 1_000_000, 1_800_000_000),
        BootSpan(BOOT, NOW_S * 1_000_000, HUB_TIME_US),
    ),
)
FIRMWARE: Final = certificate(ROOT, Role.FIRMWARE_SIGNER, "firmware-signer")
REVOCATIONS: Final = issue_revocations(ROOT, number=3, issued_s=NOW_S, kids=[b"\x22" * 8, b"\x11" * 8])
ORDER: Final = PhaseOrder(phase=1, module=1, tooth=36, seconds=120, dose_percent=60, tissue_limit_c=39.5)
ENVELOPE: Final = HubEnvelope(
    procedure=PROCEDURE,
    consent_sha256=secret("consent"),
    phases=(
        AllowedPhase(phase=1, module=1, tooth=36, dose_percent=60, seconds=300, ceiling_centi_c=3950),
        AllowedPhase(phase=2, module=3, tooth=0, dose_percent=20, seconds=120, ceiling_centi_c=4000),
    ),
)
ENVELOPE_RAW: Final = encode_envelope(ENVELOPE)


def log_node(level: int, number: int) -> bytes:
    """A node of a log whose entry i is the decimal number i."""
    if level == 0:
        return leaf_hash(str(number).encode())
    return node_hash(log_node(level - 1, 2 * number), log_node(level - 1, 2 * number + 1))


ORIGIN: Final = "smilescape/record/0190a000-0000-7000-8000-000000000001"
CHECKPOINT: Final = sign_checkpoint(Checkpoint(ORIGIN, 7, root_at(log_node, 7)), signer(WORKSTATION.subject))
"""Of the log's first seven entries."""


def consistency() -> list[bytes]:
    """Proof that the log of seven entries begins with that of four."""
    return consistency_proof(log_node, 4, 7)


def countersigned() -> Note:
    """The checkpoint, as the hub answers it."""
    return CHECKPOINT.with_signatures([cosign(CHECKPOINT, hub_witness(HUB.kid), signer(SERIAL), NOW_S)])


def advertisement() -> Plain:
    """What an enrolled hub sends before anybody connects."""
    address = private_address(IRK, bytes.fromhex("4a5b6c"))
    major, minor = PROFILE
    advert = HubAdvert(profile_major=major, profile_minor=minor, enrolled=True, simulated=True, battery_percent=92)
    return {
        "irk": IRK.hex(),
        "address_on_the_air": address.hex(),
        "address": ":".join(f"{byte:02X}" for byte in reversed(address)),
        "advertising_data": advertising_data(advert).hex(),
        "scan_response": scan_response(address).hex(),
        "scan_response_when_open": scan_response(None).hex(),
    }


def identity_in_clear() -> bytes:
    return encode_clear_identity(CLEAR)


def envelope() -> Plain:
    return {
        "procedure": ENVELOPE.procedure,
        "consent_sha256": ENVELOPE.consent_sha256.hex(),
        "phases": [
            [one.phase, one.module, one.tooth, one.dose_percent, one.seconds, one.ceiling_centi_c]
            for one in ENVELOPE.phases
        ],
        "envelope": ENVELOPE_RAW.hex(),
        "sha256": envelope_hash(ENVELOPE_RAW).hex(),
    }


def control_messages(session_id: bytes) -> list[tuple[Command, bytes]]:
    """A command of each opcode, counters rising, in an order that makes sense."""

    def signed(opcode: Opcode, counter: int) -> Signed:
        command = SignedCommand(
            opcode=opcode,
            counter=counter,
            not_after_us=HUB_TIME_US + 5_000_000,
            procedure=PROCEDURE,
            envelope_sha256=envelope_hash(ENVELOPE_RAW),
            body=encode_phase(ORDER) if opcode is Opcode.START_PHASE else b"",
        )
        raw = sign_command(command, signer("dr-kim"), hub_serial=SERIAL, session_id=session_id)
        return Signed(opcode, raw, ENVELOPE_RAW if opcode is Opcode.SET_ENVELOPE else b"")

    wanted: list[Command | Opcode] = [
        Tell(NOW_S * 1_000_000),
        Revoke(REVOCATIONS),
        Bare(Opcode.ATTEST),
        Ask(Opcode.JOURNAL, 0, 64),
        Ask(Opcode.EVENTS, 0, 64),
        Ask(Opcode.SUMMARIES, DAY - 1, 16),
        Bare(Opcode.REPORT),
        Bare(Opcode.START_STREAM),
        Ask(Opcode.FETCH, 1151, 56),
        Acknowledge(1214),
        Introduce(CLINICIAN.raw),
        Opcode.SET_ENVELOPE,
        Opcode.START_PHASE,
        Bare(Opcode.RENEW_LEASE),
        Bare(Opcode.HOLD),
        Opcode.RESUME,
        Opcode.END_PHASE,
        Opcode.CLEAR,
        Witnessed(ORIGIN.encode()),
        Witness(CHECKPOINT.encode().encode(), 4, tuple(consistency())),
        Bare(Opcode.STOP_STREAM),
        Bare(Opcode.REKEY),
        Enrol(TRUST.root.raw, HUB.raw),
    ]
    found: list[tuple[Command, bytes]] = []
    for counter, one in enumerate(wanted, FIRST_COUNTER):
        command = signed(one, counter) if isinstance(one, Opcode) else one
        found.append((command, encode_command(counter, command)))
    return found


def commands(session_id: bytes) -> list[Plain]:
    found: list[Plain] = []
    for command, message in control_messages(session_id):
        one: Plain = {"opcode": opcode_of(command).name, "message": message.hex(), "plaintexts": segments(message)}
        if isinstance(command, Signed):
            one["signed"] = command.message.hex()
        found.append(one)
    return found


def segments(message: bytes) -> list[str]:
    """The plaintexts of the records that carry a message."""
    return [one.hex() for one in split(message, MAX_PLAINTEXT)]


def receipts(session_id: bytes) -> list[Plain]:
    """A receipt of each code, one for STOP, and two that answer queries."""
    by_opcode = {opcode_of(command): message for command, message in control_messages(session_id)}
    start, time = by_opcode[Opcode.START_PHASE], by_opcode[Opcode.TIME]
    counter = FIRST_COUNTER + 12
    running, held = TherapyState.RUNNING, TherapyState.HELD
    answered = [(time, _receipt(Opcode.TIME, FIRST_COUNTER, ReceiptCode.DONE))]
    answered += [
        (
            start,
            _receipt(Opcode.START_PHASE, counter, code, running if code < ReceiptCode.MALFORMED else TherapyState.IDLE),
        )
        for code in ReceiptCode
    ]
    answered += [
        (STOP_PLAINTEXT, _receipt(OPCODE_STOP, 0, ReceiptCode.DONE, held, HoldCause.STOP)),
        (encode_query(3000), _receipt(OPCODE_NO_RECEIPT, 3000, ReceiptCode.NOT_STORED, detail=counter)),
    ]
    found: list[Plain] = []
    for request, receipt in answered:
        raw = sign_receipt(request, receipt, signer(SERIAL), hub_serial=SERIAL, session_id=session_id)
        found.append(
            {"request": request.hex(), "receipt": receipt.hex(), "signed": raw.hex(), "plaintexts": segments(raw)}
        )
    return found


def _receipt(
    opcode: int,
    counter: int,
    code: ReceiptCode,
    therapy: TherapyState = TherapyState.IDLE,
    cause: HoldCause = HoldCause.NONE,
    detail: int = 0,
) -> bytes:
    receipt = Receipt(opcode=opcode, counter=counter, code=code, therapy=therapy, cause=cause, hub_time_us=HUB_TIME_US)
    return encode_receipt(ReceiptNotice(receipt=receipt, detail=detail))


def _block(channel: int, first_index: int, period_us: int, values: list[int], *, suspect: bool = False) -> SampleBlock:
    return SampleBlock(
        channel=channel,
        boot=BOOT,
        first_index=first_index,
        start_us=first_index * period_us,
        period_us=period_us,
        samples=np.array(values, np.int16),
        provenance=Provenance.SUSPECT if suspect else Provenance.LIVE,
    )


def frames() -> Plain:
    """Plaintexts of Telemetry and History."""
    return {
        "samples": encode_samples(
            BOOT,
            1207,
            HUB_TIME_US,
            [
                _block(8, 59_975, 1000, [0, 1, -1, 32_767, -32_768]),
                _block(2, 598, 100_000, [6_800], suspect=True),
            ],
        ).hex(),
        "end": encode_end(FetchEnd(counter=FIRST_COUNTER + 8, sent=56, oldest=1151, next_sequence=1208)).hex(),
        "of a later minor, to be ignored": "18" + "00" * 7,
    }


def status() -> bytes:
    return encode_status(
        StatusReport(
            status=HubStatus(
                therapy=TherapyState.HELD,
                cause=HoldCause.PATIENT,
                phase=1,
                phase_elapsed_ms=12_345,
                hub_time_us=HUB_TIME_US,
                lease_ms=0,
                command_counter=FIRST_COUNTER + 14,
                oldest_sequence=1151,
                newest_sequence=1207,
                battery_percent=92,
                rssi_dbm=-61,
                missed_events=5,
                memory_percent=3,
                swarm_dose_percent=0,
                patient_stop=True,
            ),
            boot=BOOT,
            next_sequence=1208,
            dropped=0,
            streaming=True,
            envelope=envelope_hash(ENVELOPE_RAW)[:16],
            events_dropped=2,
        )
    )


def documents(session_id: bytes) -> dict[str, bytes]:
    measurement = secret("firmware")
    manifest = Manifest(model=MODEL, version="2.0.0", measurement=measurement, security_version=3)
    quote = Attestation(
        session_id=session_id,
        version="2.0.0",
        measurement=measurement,
        security_version=3,
        boot=BOOT,
        manifest=sign_manifest(manifest, signer("firmware-signer")),
    )
    channel = ChannelDay(channel=2, count=864_000, low=5_200, high=7_100, sum=864_000 * 6_800)
    days = [
        DaySummary(day=DAY - 1, worn_s=50_000, acid_s=3_600, attacks=4, channels=(channel,)),
        DaySummary(day=DAY, worn_s=600, acid_s=0, attacks=0),
    ]
    events = [
        HubEvent(number=0, utc_s=0, boot=BOOT - 1, hub_time_us=1_000_000, kind=EventKind.PUT_IN, value=0),
        HubEvent(number=1, utc_s=NOW_S - 60, boot=BOOT, hub_time_us=2_000_000, kind=EventKind.ACID_BEGAN, value=548),
        HubEvent(number=2, utc_s=NOW_S, boot=BOOT, hub_time_us=HUB_TIME_US, kind=EventKind.CLENCH, value=310),
    ]
    return {
        "identity": encode_card(CARD),
        "attestation": encode_document(DocumentKind.ATTESTATION, sign_attestation(quote, signer(SERIAL))),
        "journal": encode_journal(0, journal(session_id)),
        "journal that has nothing new": encode_journal(9, []),
        "keys": encode_keys(signer("new hub key").public, pair("new hub key").x),
        "summaries": encode_summaries(days),
        "events": encode_events(0, events),
        "witness": encode_witness(countersigned().encode().encode()),
        "witness of a log that was never seen": encode_witness(b""),
    }


def journal(session_id: bytes) -> list[bytes]:
    """Entries of a hub that was opened by hand, booted, refused strangers, met a workstation, treated, held, stopped.

    The last one is of a minor version that nobody knows yet.
    """
    by_opcode = {opcode_of(command): message for command, message in control_messages(session_id)}
    head = JournalHead()
    raws = []
    for at, (opcode, counter, who, message, code) in enumerate(
        (
            (JournalEvent.OPENED, 0, b"", b"", 0),
            (JournalEvent.BOOT, 0, b"", b"", 0),
            (JournalEvent.SESSION_REFUSED, 3, b"", b"", Refusal.CERTIFICATE),
            (JournalEvent.SESSION_BEGUN, 0, WORKSTATION.kid, b"", 0),
            (JournalEvent.BOOKKEEPING, FIRST_COUNTER + 9, WORKSTATION.kid, b"", 0),
            (Opcode.START_PHASE, FIRST_COUNTER + 12, CLINICIAN.kid, by_opcode[Opcode.START_PHASE], 0),
            (JournalEvent.HELD, 0, b"", b"", HoldCause.LEASE),
            (JournalEvent.STOP, 0, WORKSTATION.kid, STOP_PLAINTEXT, ReceiptCode.ALREADY),
            (UNKNOWN_EVENT, 0, b"", b"", 0),
        )
    ):
        raw, head = append(
            head,
            boot=BOOT,
            hub_time_us=at * 1_000_000,
            opcode=opcode,
            counter=counter,
            signer=who,
            code=code,
            message=message,
        )
        raws.append(raw)
    return raws
