"""What an engine is started with. Passed as JSON on its standard input, so that no secret stands in a command line."""

import msgspec


class DeviceBinding(msgspec.Struct, frozen=True, kw_only=True):
    """A device that belongs to a chair. `kind`: its key in `devices/kinds.py`; `serial` empty until it is known."""

    chair: int
    kind: str
    address: str
    name: str = ""
    serial: str = ""


class EngineConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Everything the engine cannot find out by itself.

    Attributes:
        data_folder: where the records lie.
        radio: how to reach the air, as `devices.radio.Radio.parse` reads it.
        chairs: how many chairs this workstation has.
        simulated: whether the data folder holds simulated data; a folder is one or the other for good.
        passphrase: unwraps key files; empty when the keys are in the keyring.
        devices: bindings to set at the start; others stay as they were.
        idle_exit_s: with no console and no open treatment for this long, end; 0 is never.
    """

    data_folder: str
    radio: str = "platform"
    chairs: int = 4
    simulated: bool = False
    practice: str = ""
    practice_phone: str = ""
    passphrase: str = ""
    devices: tuple[DeviceBinding, ...] = ()
    idle_exit_s: float = 0.0
    sound: bool = True
