"""A full check of a record: is everything there, and is it what was written?"""

import json
from collections.abc import Collection, Sequence

import numpy as np

from core.record.blocks import BlockRow
from core.record.errors import RecordError
from core.record.signals import SignalReader
from core.record.sqlcipher import CipherFile
from core.record.summary import SummaryBook
from core.record.tail import read_tail
from core.record.types import VerifyReport
from core.record.verify_content import attachments, search
from core.record.verify_evidence import EvidenceCheck, Seen
from core.record.verify_log import LogCheck, has_evidence

_MOST = 100


class _Check:
    def __init__(self, file: CipherFile, roots: Collection[bytes] | None, seen: Sequence[Seen]) -> None:
        self.file = file
        self.roots = roots
        self.seen = seen
        self.signals = SignalReader(file)
        self.problems: list[str] = []
        self.notes: list[str] = []
        self.entries = self.blocks = self.samples = 0

    def note(self, problem: str) -> None:
        if len(self.problems) < _MOST:
            self.problems.append(problem)


def verify(file: CipherFile, *, roots: Collection[bytes] | None = None, seen: Sequence[Seen] = ()) -> VerifyReport:
    """Check pages, blocks, samples, files, search and audit log of an open file; damage ends up in the report.

    Args:
        roots: kids of the roots that the practice ever had; None: not known, and any is taken and named.
        seen: what others keep of this log.
    """
    check = _Check(file, roots, seen)
    for part in (_pages, _database, _each_block, _overlaps, _summary, _files, _search, _audit):
        try:
            part(check)
        except RecordError as error:
            check.note(f"{part.__name__.lstrip('_').replace('_', ' ')}: {error}")
    problems = tuple(check.problems)
    return VerifyReport(not problems, problems, check.entries, check.blocks, check.samples, tuple(check.notes))


def _pages(check: _Check) -> None:
    """Each page of the file authenticates under the key, also those that nothing refers to.

    Only of a file that stands alone: SQLCipher looks past the write-ahead log, and a page that is still in it may be
    old or half written in the file. `_database` reads through the log.
    """
    log = check.file.path.with_name(check.file.path.name + "-wal")
    if log.exists() and log.stat().st_size:
        return
    for (problem,) in check.file.rows("PRAGMA cipher_integrity_check"):
        check.note(f"page: {problem}")


def _database(check: _Check) -> None:
    """Tables, indexes and references agree."""
    for (problem,) in check.file.rows(f"PRAGMA integrity_check({_MOST})"):
        if problem != "ok":
            check.note(f"database: {problem}")
    for table, row, parent, _ in check.file.rows("PRAGMA foreign_key_check"):
        check.note(f"database: row {row} of {table} refers to a missing row of {parent}")


def _each_block(check: _Check) -> None:
    """Checksum, decoding, count, and the extremes that the block claims."""
    for identity in read_tail(check.file).damaged:
        check.note(f"tail {identity} cannot be read")
    for row in check.signals.all_rows():
        check.blocks += 1
        try:
            samples, at_us, _ = check.signals.samples_of(row)
        except RecordError as error:
            check.note(f"{_place(row)}: {error}")
            continue
        check.samples += len(samples)
        claimed = (row.low, row.high, row.total)
        if (int(samples.min()), int(samples.max()), int(samples.sum(dtype=np.int64))) != claimed:
            check.note(f"{_place(row)}: low, high or total are not those of its samples")
        if row.end_utc_us <= row.utc_us or bool(np.any(np.diff(at_us) < 0)):
            check.note(f"{_place(row)}: time runs backwards")


def _overlaps(check: _Check) -> None:
    """No sample stands twice."""
    for stream, index, earlier_end in _doubled(check.file):
        check.note(f"stream {stream}: samples {index} to {earlier_end - 1} stand twice")


def _doubled(file: CipherFile) -> list[tuple[int, ...]]:
    entries = read_tail(file).entries
    ends = entries["first_index"] + entries["count"]
    raw = [entries[name].tolist() for name in ("stream", "first_index")]
    sql = (
        "SELECT stream, first_index, before FROM (SELECT stream, first_index, "
        "max(end) OVER (PARTITION BY stream ORDER BY first_index ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) "
        "AS before FROM (SELECT stream, first_index, first_index + count AS end FROM block UNION ALL "
        "SELECT value ->> 0, value ->> 1, value ->> 2 FROM json_each(?))) WHERE before > first_index"
    )
    return file.rows(sql, (json.dumps(list(zip(*raw, ends.tolist(), strict=True))),))


def _summary(check: _Check) -> None:
    """On each level, what the cells say in all is what the settled blocks say."""
    sql = (
        "SELECT channel, coalesce(visit, ''), sum(count), min(low), max(high), sum(total) FROM block WHERE settled = 1 "
        "GROUP BY channel, visit"
    )
    told = {(channel, visit): tuple(figures) for channel, visit, *figures in check.file.rows(sql)}
    book = SummaryBook(check.file)
    counted = book.levels()
    for channel, level, visit in counted:
        cells = book.whole(channel, level, visit)
        found = (int(cells.count.sum()), int(cells.low.min()), int(cells.high.max()), int(cells.total.sum()))
        if told.get((channel, visit)) != found:
            check.note(f"summary: level {level} of channel {channel} does not say what its blocks say")
    for channel, visit in told.keys() - {(channel, visit) for channel, _, visit in counted}:
        check.note(f"summary: channel {channel} has none{f' of visit {visit}' if visit else ''}")


def _files(check: _Check) -> None:
    """The bytes of each file are those that were put in."""
    for problem in attachments(check.file):
        check.note(problem)


def _search(check: _Check) -> None:
    """All that can be searched is found by its words, and nothing else is."""
    for problem in search(check.file):
        check.note(problem)


def _audit(check: _Check) -> None:
    """The entries are those that were written, and those that were signed and witnessed."""
    log = LogCheck(check.file)
    if not has_evidence(check.file):
        log.run()
    else:
        evidence = EvidenceCheck(check.file, roots=check.roots, seen=check.seen)
        log.run(evidence.read())
        evidence.hold(log.entries, log.roots.get)
        check.notes += evidence.notes
        log.problems += evidence.problems
    check.entries = log.entries
    for problem in log.problems:
        check.note(problem)


def _place(row: BlockRow) -> str:
    return f"{row.where} (channel {row.channel}, samples {row.first_index} to {row.end_index - 1})"
