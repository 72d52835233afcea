"""What belongs to no single chair: operators, devices, settings, logins. Encrypted like a record."""

# ruff: noqa: N818 - the name says what happened, as in `raise DeviceTaken`

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import msgspec

from core.model.clock import Clock
from core.model.people import Operator, Role
from core.record.errors import NotFound, RecordError
from core.record.practice_keys import PracticeKeys
from core.record.practice_schema import practice_migrations
from core.record.sqlcipher import CipherFile

FILE_NAME = "practice.sqlite"


class DeviceTaken(RecordError):
    """The device belongs to another chair."""

    code = "practice.device_taken"


@dataclass(frozen=True, slots=True)
class DeviceBinding:
    """A device that a chair connects by itself. `kind`: its key in `devices/kinds.py`; `serial` empty until known."""

    chair: int
    kind: str
    address: str
    name: str
    serial: str
    bound_us: int


@dataclass(frozen=True, slots=True)
class Login:
    """Somebody logged in or out, or failed to. `outcome`: `in`, `out`, `refused` or whatever the engine says."""

    at_us: int
    operator_id: str
    outcome: str


class PracticeFile:
    """The practice's own file. Each call that changes it is one durable commit; errors as for a record.

    Attributes:
        keys: certificates, wrapped secrets, revocations, and what is known of hubs and makers.
    """

    def __init__(self, file: CipherFile, clock: Clock) -> None:
        file.always("PRAGMA secure_delete = ON")  # what was erased is not left in a free part of a page
        self._file = file
        self._clock = clock
        self.keys = PracticeKeys(file, clock)

    @classmethod
    def create(cls, path: Path, key: bytes, *, clock: Clock) -> "PracticeFile":
        return cls(CipherFile.create(path, key, lambda file: file.migrate(practice_migrations)), clock)

    @classmethod
    def open(cls, path: Path, key: bytes, *, clock: Clock) -> "PracticeFile":
        file = CipherFile.open(path, key)
        try:
            file.migrate(practice_migrations)
        except BaseException:
            file.close()
            raise
        return cls(file, clock)

    def close(self) -> None:
        self._file.close()

    @contextlib.contextmanager
    def transaction(self) -> Iterator[None]:
        """One commit around several calls; nothing of them when an exception leaves it."""
        with self._file.transaction():
            yield

    # operators

    def operators(self, *, closed: bool = False) -> list[Operator]:
        """Those who may log in, by name; with `closed`, also the accounts that were closed."""
        sql = "SELECT id, name, role, demo, active, max(version) FROM operator GROUP BY id ORDER BY name, id"
        everybody = [
            Operator(id=row[0], name=row[1], role=Role(row[2]), demo=bool(row[3]), active=bool(row[4]))
            for row in self._file.rows(sql)
        ]
        return [operator for operator in everybody if operator.active or closed]

    def operator(self, operator_id: str) -> Operator | None:
        """Also one whose account was closed, so that old entries keep their author."""
        return next((operator for operator in self.operators(closed=True) if operator.id == operator_id), None)

    def add_operator(self, operator: Operator, pin_hash: str) -> None:
        """A new operator, or a new version of one. `pin_hash` as `core.people` makes it, empty for the demo's."""
        with self._file.transaction():
            row = self._file.row("SELECT max(version) FROM operator WHERE id = ?", (operator.id,))
            self._file.execute(
                "INSERT INTO operator (id, version, name, role, demo, active, pin_hash, at_us) "
                "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    *(operator.id, int((row and row[0]) or 0) + 1, operator.name, str(operator.role)),
                    *(int(operator.demo), int(operator.active), pin_hash, self._clock.utc_us()),
                ),
            )

    def pin_hash(self, operator_id: str) -> str:
        """The hash in force. Raises NotFound."""
        row = self._file.row("SELECT pin_hash FROM operator WHERE id = ? ORDER BY version DESC LIMIT 1", (operator_id,))
        if row is None:
            raise NotFound("There is no such operator.", "Add the operator first.")
        return str(row[0])

    def set_pin_hash(self, operator_id: str, pin_hash: str) -> None:
        """Raises NotFound."""
        self.add_operator(self._known(operator_id), pin_hash)

    def close_operator(self, operator_id: str) -> None:
        """No more logins; the id stays. Raises NotFound."""
        operator = self._known(operator_id)
        self.add_operator(msgspec.structs.replace(operator, active=False), self.pin_hash(operator_id))

    def _known(self, operator_id: str) -> Operator:
        operator = self.operator(operator_id)
        if operator is None:
            raise NotFound("There is no such operator.", "Add the operator first.")
        return operator

    # devices

    def bind_device(self, chair: int, kind: str, address: str, name: str, serial: str = "") -> DeviceBinding:
        """Give a device to a chair; again for the same chair, its name and serial are brought up to date.

        Raises:
            DeviceTaken: another chair has it.
        """
        with self._file.transaction():
            row = self._file.row("SELECT chair FROM device WHERE address = ? AND forgotten_us IS NULL", (address,))
            if row is not None and row[0] != chair:
                raise DeviceTaken(f"{name or address} belongs to chair {row[0]}.", "Forget it there first.")
            self._forget(chair, address)
            bound_us = self._clock.utc_us()
            self._file.execute(
                "INSERT INTO device (chair, kind, address, name, serial, bound_us) VALUES (?, ?, ?, ?, ?, ?)",
                (chair, kind, address, name, serial, bound_us),
            )
        return DeviceBinding(chair, kind, address, name, serial, bound_us)

    def forget_device(self, chair: int, address: str) -> None:
        """Take a device away from a chair; nothing happens when it has none such."""
        with self._file.transaction():
            self._forget(chair, address)

    def _forget(self, chair: int, address: str) -> None:
        self._file.execute(
            "UPDATE device SET forgotten_us = ? WHERE chair = ? AND address = ? AND forgotten_us IS NULL",
            (self._clock.utc_us(), chair, address),
        )

    def devices(self, chair: int | None = None) -> list[DeviceBinding]:
        """The devices of one chair, or of all, in the order in which they were bound."""
        sql = (
            "SELECT chair, kind, address, name, serial, bound_us FROM device "
            "WHERE forgotten_us IS NULL AND (? IS NULL OR chair = ?) ORDER BY chair, id"
        )
        return [DeviceBinding(*row) for row in self._file.rows(sql, (chair, chair))]

    # settings and logins

    def setting(self, key: str, default: str | None = None) -> str | None:
        """JSON text of a setting."""
        row = self._file.row("SELECT value FROM setting WHERE key = ? ORDER BY id DESC LIMIT 1", (key,))
        return str(row[0]) if row else default

    def set_setting(self, key: str, value: str) -> None:
        """Raises ValueError when `value` is not JSON text."""
        try:
            msgspec.json.decode(value.encode())
        except msgspec.DecodeError as error:
            raise ValueError(f"The setting {key} is not JSON: {error}") from error
        with self._file.transaction():
            self._file.execute(
                "INSERT INTO setting (key, value, at_us) VALUES (?, ?, ?)", (key, value, self._clock.utc_us())
            )

    def log_login(self, operator_id: str, outcome: str) -> None:
        with self._file.transaction():
            self._file.execute(
                "INSERT INTO login (at_us, operator, outcome) VALUES (?, ?, ?)",
                (self._clock.utc_us(), operator_id, outcome),
            )

    def logins(self, limit: int = 100) -> list[Login]:
        """Newest first."""
        sql = "SELECT at_us, operator, outcome FROM login ORDER BY id DESC LIMIT ?"
        return [Login(*row) for row in self._file.rows(sql, (limit,))]
