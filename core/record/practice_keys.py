"""The keys' part of the practice's file: rows in, rows out. What they mean is for `core.keys` to know."""

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from core.model.certificate import Certificate, Role
from core.model.clock import Clock
from core.record.sqlcipher import CipherFile

SecretKind = Literal["root", "clinician", "workstation", "backup", "sheet"]


@dataclass(frozen=True, slots=True)
class Issued:
    """A certificate that this practice issued. `holder`: operator id, hub's serial, workstation's name; empty: root."""

    kid: bytes
    issuer: bytes
    role: Role
    subject: str
    holder: str
    raw: bytes
    author: str
    at_us: int


@dataclass(frozen=True, slots=True)
class Secret:
    """A secret as it is kept. Wrapped, but for the workstation's and the backups': these the file alone protects."""

    kid: bytes
    data: bytes


@dataclass(frozen=True, slots=True)
class Revoked:
    """A key that does not count any more, since the list of this number."""

    kid: bytes
    number: int
    reason: str
    author: str
    at_us: int


@dataclass(frozen=True, slots=True)
class HubRow:
    """What is remembered of a hub from one visit to the next; see `devices.hub.credentials.KnownHub`.

    Attributes:
        certificate: with which it was enrolled here last; empty before.
        journal_number, journal_hash: None before its journal was first read.
        revocations: highest number of a revocation list that it ever said to have.
    """

    serial: str
    irk: bytes | None = None
    certificate: bytes = b""
    security_version: int = 0
    journal_number: int | None = None
    journal_hash: bytes | None = None
    next_event: int = 0
    last_day: int | None = None
    revocations: int = 0


@dataclass(frozen=True, slots=True)
class MakerRow:
    """A certificate of a maker, imported: its root, or a firmware signer under it."""

    kid: bytes
    role: Role
    subject: str
    raw: bytes
    author: str
    at_us: int


_HUB = "irk, certificate, security_version, journal_number, journal_hash, next_event, last_day, revocations"


class PracticeKeys:
    """Tables that only grow: of hubs and makers the newest row counts, of secrets those before are erased."""

    def __init__(self, file: CipherFile, clock: Clock) -> None:
        self._file = file
        self._clock = clock

    @contextlib.contextmanager
    def transaction(self) -> Iterator[None]:
        """One commit around several calls; nothing of them when an exception leaves it."""
        with self._file.transaction():
            yield

    # certificates

    def add_certificate(self, certificate: Certificate, *, holder: str, author: str) -> None:
        one = certificate
        with self._file.transaction():
            self._file.execute(
                "INSERT INTO certificate (kid, issuer, role, subject, holder, raw, author, at_us) "
                "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                (one.kid, one.issuer, int(one.role), one.subject, holder, one.raw, author, self._clock.utc_us()),
            )

    def certificates(self, issuer: bytes | None = None) -> list[Issued]:
        """In the order in which they were issued, by one root or by all that there ever were."""
        sql = (
            "SELECT kid, issuer, role, subject, holder, raw, author, at_us FROM certificate "
            "WHERE ? IS NULL OR issuer = ? ORDER BY id"
        )
        return [Issued(row[0], row[1], Role(row[2]), *row[3:]) for row in self._file.rows(sql, (issuer, issuer))]

    def root(self) -> bytes | None:
        """The certificate of the root in force, which is the newest."""
        row = self._file.row("SELECT raw FROM certificate WHERE role = ? ORDER BY id DESC LIMIT 1", (int(Role.ROOT),))
        return bytes(row[0]) if row else None

    # secrets

    def keep_secret(self, kind: SecretKind, holder: str, kid: bytes, data: bytes, *, author: str) -> None:
        """In place of the one before, which is erased."""
        with self._file.transaction():
            self.erase_secret(kind, holder)
            self._file.execute(
                "INSERT INTO secret (kind, holder, kid, data, author, at_us) VALUES (?, ?, ?, ?, ?, ?)",
                (kind, holder, kid, data, author, self._clock.utc_us()),
            )

    def secret(self, kind: SecretKind, holder: str = "") -> Secret | None:
        sql = "SELECT kid, data FROM secret WHERE kind = ? AND holder = ? AND data != x'' ORDER BY id DESC LIMIT 1"
        row = self._file.row(sql, (kind, holder))
        return Secret(*row) if row else None

    def kept_by(self, kind: SecretKind, holder: str = "") -> tuple[str, int] | None:
        """Who wrote the one in force, and when, UTC µs."""
        sql = "SELECT author, at_us FROM secret WHERE kind = ? AND holder = ? AND data != x'' ORDER BY id DESC LIMIT 1"
        row = self._file.row(sql, (kind, holder))
        return (row[0], row[1]) if row else None

    def holders(self, kind: SecretKind) -> set[str]:
        """Who has a secret of this kind."""
        return {row[0] for row in self._file.rows("SELECT holder FROM secret WHERE kind = ? AND data != x''", (kind,))}

    def erase_secret(self, kind: SecretKind, holder: str | None = None) -> None:
        """Of one holder, or of all. The rows stay, to tell what there was."""
        sql = "UPDATE secret SET data = x'' WHERE kind = ? AND data != x'' AND (? IS NULL OR holder = ?)"
        with self._file.transaction():
            self._file.execute(sql, (kind, holder, holder))

    def sweep(self) -> None:
        """Fold the write-ahead log in, so that what was erased does not linger there.

        Does nothing inside a transaction: whoever holds it sweeps after the commit.
        """
        if not self._file.in_transaction:
            self._file.rows("PRAGMA wal_checkpoint(TRUNCATE)")

    # keys of patients, which seal what backups hold of them

    def patient_keys(self) -> dict[str, bytes]:
        """By patient, those that were not erased."""
        return {row[0]: bytes(row[1]) for row in self._file.rows("SELECT patient, data FROM patient_key") if row[1]}

    def erased_patients(self) -> dict[str, int]:
        """Whose key was erased, and when, UTC µs."""
        rows = self._file.rows("SELECT patient, erased_us FROM patient_key WHERE erased_us IS NOT NULL")
        return {row[0]: int(row[1]) for row in rows}

    def add_patient_keys(self, keys: Mapping[str, bytes]) -> None:
        """A patient who has a key, or whose key was erased, gets no other."""
        with self._file.transaction():
            self._file.many(
                "INSERT OR IGNORE INTO patient_key (patient, data, made_us) VALUES (?, ?, ?)",
                [(patient, key, self._clock.utc_us()) for patient, key in keys.items()],
            )

    def erase_patient_key(self, patient: str) -> None:
        """For good: what was sealed with it opens no more, wherever it lies."""
        with self._file.transaction():
            at_us = self._clock.utc_us()
            self._file.execute(
                "INSERT OR IGNORE INTO patient_key (patient, data, made_us) VALUES (?, x'', ?)", (patient, at_us)
            )
            self._file.execute(
                "UPDATE patient_key SET data = x'', erased_us = ? WHERE patient = ? AND erased_us IS NULL",
                (at_us, patient),
            )

    def vault_number(self) -> int:
        """Grows with each change of what a vault holds."""
        row = self._file.row(
            "SELECT (SELECT count(*) + count(erased_us) FROM patient_key) + "
            "(SELECT count(*) FROM secret WHERE kind IN ('sheet', 'backup'))"
        )
        return int(row[0]) if row else 0

    # revocations

    def add_list(
        self,
        raw: bytes,
        *,
        issuer: bytes,
        number: int,
        revoked: Mapping[bytes, str],
        taken_back: Mapping[bytes, str],
        author: str,
    ) -> None:
        """A revocation list, and how it differs from the one before: kid → reason of who came and who left."""
        at_us = self._clock.utc_us()
        changes = [(kid, 1, reason) for kid, reason in revoked.items()]
        changes += [(kid, 0, reason) for kid, reason in taken_back.items()]
        with self._file.transaction():
            self._file.execute(
                "INSERT INTO revocation_list (issuer, number, raw, at_us) VALUES (?, ?, ?, ?)",
                (issuer, number, raw, at_us),
            )
            self._file.many(
                "INSERT INTO revoked (kid, number, counts, reason, author, at_us) VALUES (?, ?, ?, ?, ?, ?)",
                [(kid, number, counts, reason, author, at_us) for kid, counts, reason in changes],
            )

    def newest_list(self, issuer: bytes) -> bytes | None:
        sql = "SELECT raw FROM revocation_list WHERE issuer = ? ORDER BY number DESC LIMIT 1"
        row = self._file.row(sql, (issuer,))
        return bytes(row[0]) if row else None

    def revoked(self) -> dict[bytes, Revoked]:
        """Keys that do not count, by kid, of all roots."""
        rows = self._file.rows("SELECT kid, number, reason, author, at_us, counts, max(id) FROM revoked GROUP BY kid")
        return {row[0]: Revoked(*row[:5]) for row in rows if row[5]}

    # hubs

    def hub(self, serial: str) -> HubRow | None:
        """What is known of a hub now."""
        row = self._file.row(f"SELECT {_HUB} FROM hub WHERE serial = ? ORDER BY id DESC LIMIT 1", (serial,))
        return HubRow(serial, *row) if row else None

    def hubs(self) -> list[HubRow]:
        """Every hub that was ever known, by serial number."""
        sql = f"SELECT serial, {_HUB}, max(id) FROM hub GROUP BY serial ORDER BY serial"
        return [HubRow(*row[:-1]) for row in self._file.rows(sql)]

    def save_hub(self, row: HubRow) -> None:
        """A new version, unless nothing changed."""
        one = row
        with self._file.transaction():
            if self.hub(row.serial) != row:
                self._file.execute(
                    f"INSERT INTO hub (serial, {_HUB}, at_us) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                    (
                        *(one.serial, one.irk, one.certificate, one.security_version, one.journal_number),
                        *(one.journal_hash, one.next_event, one.last_day, one.revocations, self._clock.utc_us()),
                    ),
                )

    # makers

    def save_maker(self, certificate: Certificate, *, trusted: bool, reason: str, author: str) -> None:
        one = certificate
        with self._file.transaction():
            self._file.execute(
                "INSERT INTO maker (kid, role, subject, raw, trusted, reason, author, at_us) "
                "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    *(one.kid, int(one.role), one.subject, one.raw),
                    *(int(trusted), reason, author, self._clock.utc_us()),
                ),
            )

    def makers(self) -> list[MakerRow]:
        """Certificates of makers that are trusted now, in the order of their import."""
        sql = "SELECT kid, role, subject, raw, author, at_us, trusted, max(id) FROM maker GROUP BY kid ORDER BY max(id)"
        rows = self._file.rows(sql)
        return [MakerRow(row[0], Role(row[1]), *row[2:6]) for row in rows if row[6]]
