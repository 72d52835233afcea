"""How each boot of a source was dated, fit by fit."""

from core.record.sqlcipher import CipherFile
from core.record.versions import read_cbor
from core.signals.clockmap import ClockFit


def stored_fits(file: CipherFile, source: str, boot: int) -> list[ClockFit]:
    """Every fit of one boot, oldest first."""
    sql = (
        "SELECT fit FROM clock_fit JOIN source ON source.id = source WHERE name = ? AND boot = ? ORDER BY clock_fit.id"
    )
    return [read_cbor(row[0], ClockFit) for row in file.rows(sql, (source, boot))]
