"""What the engine hands to the process that makes backups, and what it says meanwhile."""

from typing import Literal

import msgspec

MAX_TASK = 1 << 20


class VaultFile(msgspec.Struct, frozen=True):
    """A file of the data folder and what opens it."""

    path: str
    key: bytes

    def __repr__(self) -> str:
        return f"VaultFile({self.path!r})"  # a key never stands in a log


class VaultTask(msgspec.Struct, frozen=True, kw_only=True):
    """One piece of work.

    Attributes:
        work: make a backup, open one to see whether it holds, or say what an erasure would take.
        at_us: when it was asked for, UTC µs by the engine's clock.
        files: the practice's file first, then all chairs'.
        place, name: a folder of backups, and of what is to be opened the backup's name.
        scratch: where a backup is tried out.
        patient, kept, exports: whose erasure, which kinds of entries stay, and where reports lie.
    """

    work: Literal["make", "check", "plan"]
    files: tuple[VaultFile, ...]
    at_us: int = 0
    simulated: bool = False
    place: str = ""
    name: str = ""
    scratch: str = ""
    patient: str = ""
    kept: tuple[str, ...] = ()
    exports: str = ""


class Step(msgspec.Struct, frozen=True, tag=True):
    """The part that is done, 0 to 1."""

    done: float


class Ended(msgspec.Struct, frozen=True, tag=True):
    """It is done. `name`: of the backup."""

    name: str = ""


class Planned(msgspec.Struct, frozen=True, tag=True):
    """What an erasure takes and leaves, as `core.backup.erasing.Plan`; `exports`: files that go with it."""

    goes: dict[str, int]
    stays: dict[str, int]
    codes: tuple[str, ...]
    nobodys: dict[str, int]
    exports: tuple[str, ...]


class Failed(msgspec.Struct, frozen=True, tag=True):
    """It is not done, why, and what to do."""

    code: str
    said: str
    remedy: str = ""


Outcome = Ended | Planned | Failed
Said = Step | Outcome

_encoder = msgspec.msgpack.Encoder()
_task = msgspec.msgpack.Decoder(VaultTask)
_said: msgspec.msgpack.Decoder[Said] = msgspec.msgpack.Decoder(Said)


def encode(message: VaultTask | Said) -> bytes:
    return _encoder.encode(message)


def decode_task(data: bytes) -> VaultTask:
    """Raises msgspec.MsgspecError."""
    return _task.decode(data)


def decode_said(data: bytes) -> Said:
    """Raises msgspec.MsgspecError."""
    return _said.decode(data)
