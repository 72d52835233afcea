"""What a simulated clinic is started with, and how to find one that runs."""

import contextlib
import secrets
from pathlib import Path

import msgspec
import psutil

FILE_NAME = "clinic.json"


class ClinicConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Passed as JSON on standard input.

    Attributes:
        runtime: the data folder's runtime folder; hubs keep their boot counters and journals beside it.
        chairs: how many, each with a hub and a heart-rate band.
        seed: the same seed gives the same mouths.
        speed: how many times faster than life.
        interval_ms: connection interval of every link, 7.5–4000; 0: the air takes no time.
        data, passphrase: the data folder whose keys can be stolen, and what wraps them; empty for none.
    """

    runtime: str
    chairs: int = 2
    seed: int = 1
    speed: float = 1.0
    interval_ms: float = 0.0
    data: str = ""
    passphrase: str = ""


class SimulatedDevice(msgspec.Struct, frozen=True, kw_only=True):
    """One device on the simulated air. `journal`: where a hub writes every sample that it made."""

    chair: int
    kind: str
    address: str
    name: str
    journal: str = ""


class ClinicAddress(msgspec.Struct, frozen=True, kw_only=True):
    """How to reach a running clinic.

    Attributes:
        radio: what the engine gives to `devices.radio.Radio.parse`.
        control, key: socket for faults and the shared secret, hex.
    """

    pid: int
    radio: str
    control: str
    key: str
    devices: tuple[SimulatedDevice, ...]


class Trigger(msgspec.Struct, frozen=True, kw_only=True):
    """Something to happen to the hub of a chair, or to the air around it: an air fault's or a scenario's name."""

    chair: int
    name: str


def write_clinic(runtime: Path, address: ClinicAddress) -> None:
    """Publish atomically, readable by this user only."""
    draft = runtime / f".{FILE_NAME}.{secrets.token_hex(4)}"
    draft.touch(mode=0o600)
    draft.write_bytes(msgspec.json.encode(address))
    draft.replace(runtime / FILE_NAME)


def read_clinic(runtime: Path) -> ClinicAddress | None:
    """The running clinic; None when there is none."""
    found = last_clinic(runtime)
    return found if found is not None and psutil.pid_exists(found.pid) else None


def last_clinic(runtime: Path) -> ClinicAddress | None:
    """The clinic that ran last, though it may have ended."""
    with contextlib.suppress(OSError, msgspec.MsgspecError):
        return msgspec.json.decode((runtime / FILE_NAME).read_bytes(), type=ClinicAddress)
    return None
