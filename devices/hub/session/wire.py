"""Every number of the secure session that stands on the air, in one place."""

from enum import IntEnum
from typing import Final

PROFILE: Final = (2, 1)
"""Major and minor version of the profile with a secure session."""

ATT_INSUFFICIENT_AUTHENTICATION: Final = 0x05
"""What a hub answers to a write that needs a session when there is none."""
ATT_RECORD_REFUSED: Final = 0x80
MIN_MTU: Final = 247
"""Least ATT MTU: a record of MAX_RECORD bytes in one packet."""

# Handshake
MAX_HANDSHAKE: Final = 400
"""Largest EDHOC message, bytes."""
MAX_ATTEMPTS: Final = 3
"""Handshakes that may be begun on one link."""
HANDSHAKE_SECONDS: Final = 30
"""A hub drops a link on which no session stands for so long: while it is connected nobody else reaches it."""
MESSAGE_REFUSAL: Final = 15
"""Message number of the hub's refusal."""
EAD_CERTIFICATE: Final = 65001
EXPORTER_LABEL: Final = 2

# Records
RECORD: Final = 0x80
"""First byte of a record, plus its stream."""
MAX_RECORD: Final = 244
MAX_PLAINTEXT: Final = 222
MOST_REFUSED: Final = 32
"""Refused records after which a hub ends the session."""
RECORDS_PER_EPOCH: Final = 1 << 20
SECONDS_PER_EPOCH: Final = 3600.0
LAST_EPOCH: Final = 255

# Segments
MORE: Final = 0x80
FIRST: Final = 0x40
KIND: Final = 0x0F
MAX_CONTROL: Final = 4096
MAX_DOCUMENT: Final = 16 * 1024

# Commands
COMMAND_LIFETIME_US: Final = 5_000_000
"""How long a workstation's signed command is valid."""
LONGEST_LIFETIME_US: Final = 10_000_000
"""How long a hub lets one be."""
MAX_PROCEDURE: Final = 64
MAX_BODY: Final = 64
FURTHEST_COUNTER: Final = 256
"""One command must not be able to use up many counters."""
MAX_ENVELOPE: Final = 2048
MAX_PHASES: Final = 64
ENVELOPE_US: Final = 12 * 3600 * 1_000_000
"""How long an envelope is in force, hub time."""
IRK_BYTES: Final = 16

# Witness
WITNESS_MINOR: Final = 1
"""First minor version whose hubs countersign checkpoints."""
MAX_CHECKPOINT: Final = 1024
"""Longest signed checkpoint, bytes; of its origin, 128."""
MAX_PATH: Final = 64
MOST_LOGS: Final = 64
"""Logs of which a hub remembers a checkpoint."""

# What is asked for in bulk
MAX_FETCH: Final = 256
MAX_JOURNAL_ENTRIES: Final = 64
MAX_EVENTS: Final = 64
MAX_DAYS: Final = 16
JOURNAL_KEPT: Final = 4096
EVENTS_KEPT: Final = 4096
DAYS_KEPT: Final = 90


class FromHub(IntEnum):
    """Streams of records from hub to workstation."""

    TELEMETRY = 0
    HISTORY = 1
    RECEIPT = 2
    STATUS = 3
    DOCUMENTS = 4


class ToHub(IntEnum):
    """Streams of records from workstation to hub."""

    CONTROL = 0
    STOP = 1
    QUERY = 2


class Refusal(IntEnum):
    """Why the hub does not go on with a handshake."""

    MALFORMED = 1
    CERTIFICATE = 2
    NOT_AUTHENTIC = 3
    BUSY = 4
    """A session stands already."""
    TOO_MANY = 5
    """The hub drops the link."""
    MTU = 6
    """Below MIN_MTU; what the hub sees follows as u16."""


class DocumentKind(IntEnum):
    """What a document is."""

    IDENTITY = 1
    ATTESTATION = 2
    JOURNAL = 3
    KEYS = 4
    """The hub's new keys, the answer to REKEY."""
    SUMMARIES = 5
    EVENTS = 6
    WITNESS = 7


class JournalEvent(IntEnum):
    """What the hub's journal tells of beside commands, in place of an opcode."""

    STOP = 0x00
    SESSION_BEGUN = 0xF0
    SESSION_REFUSED = 0xF1
    BOOT = 0xF2
    BOOKKEEPING = 0xF3
    """Commands that change nothing for the patient were done, up to the entry's counter."""
    HELD = 0xF4
    """Since 2.1: therapy was held by the hub itself; the entry's code is the hold cause."""
    OPENED = 0xF5
    """Since 2.1: enrolment was opened by hand."""
