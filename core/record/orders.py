"""What was sent to a hub, what it answered, and what its own journal says: evidence to be compared."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from core.record.sqlcipher import CipherFile


@dataclass(frozen=True, slots=True)
class SentOrder:
    """A command that was sent.

    Attributes:
        message: SHA-256 of the control message, 32 bytes.
        signer: kid of the clinician; empty when it needed none.
        code: of the receipt; None while none has come.
    """

    message: bytes
    opcode: int
    counter: int
    signer: bytes
    at_us: int
    code: int | None = None


@dataclass(frozen=True, slots=True)
class JournalRow:
    """An entry of a hub's journal, verbatim, and the hash of the message that it tells of; empty for none."""

    number: int
    message: bytes
    entry: bytes


class OrderBook:
    """Writes and finds; `source` gives the id of a source by its name."""

    def __init__(self, file: CipherFile, source: Callable[[str], int]) -> None:
        self._file = file
        self._source = source

    def sent(self, source: str, order: SentOrder) -> None:
        self._file.execute(
            "INSERT INTO hub_order (source, message, opcode, counter, signer, at_us) VALUES (?, ?, ?, ?, ?, ?)",
            (self._source(source), order.message, order.opcode, order.counter, order.signer, order.at_us),
        )

    def answered(self, source: str, request: bytes, code: int, receipt: bytes, at_us: int) -> None:
        """`request`: first 16 bytes of the message's hash; `receipt`: as the hub signed it."""
        self._file.execute(
            "INSERT INTO hub_answer (source, request, code, receipt, at_us) VALUES (?, ?, ?, ?, ?)",
            (self._source(source), request, code, receipt, at_us),
        )

    def add_journal(self, source: str, rows: Sequence[JournalRow]) -> None:
        identity = self._source(source)
        self._file.many(
            "INSERT OR IGNORE INTO hub_journal (source, number, message, entry) VALUES (?, ?, ?, ?)",
            [(identity, row.number, row.message, row.entry) for row in rows],
        )

    def untold(self, source: str, before_us: int) -> list[SentOrder]:
        """What was sent before a moment and no journal entry that is known tells of."""
        sql = (
            "SELECT message, opcode, counter, signer, at_us, (SELECT max(code) FROM hub_answer "
            "WHERE hub_answer.source = hub_order.source AND request = substr(hub_order.message, 1, 16)) FROM hub_order "
            "WHERE source = ? AND at_us < ? AND NOT EXISTS (SELECT 1 FROM hub_journal "
            "WHERE hub_journal.source = hub_order.source AND hub_journal.message = hub_order.message) ORDER BY id"
        )
        return [SentOrder(*row) for row in self._file.rows(sql, (self._source(source), before_us))]


def journal_of(file: CipherFile, source: str) -> list[bytes]:
    """The entries of a hub's journal that were read, verbatim, in their order."""
    sql = "SELECT entry FROM hub_journal JOIN source ON source.id = source WHERE name = ? ORDER BY number"
    return [bytes(row[0]) for row in file.rows(sql, (source,))]
