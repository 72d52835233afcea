"""What consoles ask about signals that were recorded elsewhere: look at them first, then take them in.

The file is read by the reader process, which comes between a hostile file and the engine; both requests are long jobs.
"""

import msgspec

from app.ipc.message import Message


class LookAtSignals(Message, frozen=True, kw_only=True):
    """What a CSV or EDF+ file holds. Answered by `SignalsFound`. Nothing is taken in.

    `zone`: of an EDF's clock, such as +02:00; a CSV says it in each line.
    """

    path: str
    zone: str = ""


class ImportSignals(Message, frozen=True, kw_only=True):
    """Take signals in with a visit. Answered by `SignalsImported`; within the engine, by `SignalsRead`.

    Attributes:
        sha256: of the file that was looked at; another one is refused.
        names: what the file calls a signal → key of the channel; empty leaves it out.
    """

    chair: int
    visit_id: str
    path: str
    sha256: str
    names: dict[str, str]
    zone: str = ""


class ForeignSignal(msgspec.Struct, frozen=True, kw_only=True):
    """One signal of a file.

    Attributes:
        unit: as the file has it.
        from_us, to_us: UTC µs of its first and last sample.
        channel: the channel that it names itself; empty where it names none.
        choices: keys of the channels that have its unit.
    """

    name: str
    unit: str
    samples: int
    from_us: int
    to_us: int
    channel: str
    choices: tuple[str, ...]


class SignalsFound(Message, frozen=True, kw_only=True):
    """What is in the file of that SHA-256."""

    sha256: str
    signals: tuple[ForeignSignal, ...]


class SignalsPiece(Message, frozen=True, kw_only=True):
    """From the reader process alone, under the number of the request: samples on their way to the recorder.

    Attributes:
        channel: its key.
        first: how many samples of the signal come before.
        signal_us: UTC µs of the signal's first sample.
        begin_us: UTC µs of the first sample here.
        raw: int16, little-endian.
        steps: int64 µs from one sample to the next, from 0 at the first, little-endian, deflated.
    """

    channel: str
    first: int
    signal_us: int
    begin_us: int
    raw: bytes
    steps: bytes


class SignalsRead(Message, frozen=True, kw_only=True):
    """From the reader process alone: the file is read whole, in so many pieces."""

    pieces: int


class SignalsImported(Message, frozen=True, kw_only=True):
    """`stored`: samples that are new. `known`: those that were there already."""

    stored: int
    known: int


ImportRequest = LookAtSignals | ImportSignals
IMPORT_REQUESTS = ImportRequest.__args__
ImportReply = SignalsFound | SignalsPiece | SignalsRead | SignalsImported
