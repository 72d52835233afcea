"""Full-text search in one chair's file, written in the same transactions as what it finds.

`search_row` holds one row for each patient, visit, entry and noted event, in its newest version, as folded words;
`search_word` is an FTS5 index over it. The words are ours (`search_terms`): SQLite splits at spaces only.

A row's number begins with its kind and ends with when it came: the index itself gives the newest rows of one kind
first, and a search costs what it shows rather than what it matches.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from core.model.clinical import AdverseEvent, Attachment, Entry, Finding, Observation, Source, StepDone, kind_of
from core.model.people import Patient, VisitSummary
from core.model.words import Text, load_words
from core.record.search_terms import expression, folded, holds, wanted
from core.record.sqlcipher import CipherFile

GROUPS = ("event", "visit", "entry", "patient")
"""The order in which they are shown is the reverse."""
_SHIFT = 48
_OTHER_EVENTS = ("seated",)
_INSERT = "INSERT INTO search_row (id, kind, entity, patient, visit, at_us, text) VALUES (?, ?, ?, ?, ?, ?, ?)"


@dataclass(frozen=True, slots=True)
class Hit:
    """Something that was found.

    Attributes:
        kind: `patient`, `visit`, `event`, or the kind of an entry.
        entity: its id.
        visit: empty when it belongs to none.
        at_us: UTC µs when it happened or was last written.
        whole: every word that was asked for stands there in full.
    """

    kind: str
    entity: str
    patient: str
    visit: str
    at_us: int
    whole: bool

    @property
    def order(self) -> tuple[bool, int, int]:
        """Whole words first, then patients, entries, visits, events; the newest of each first."""
        return not self.whole, -GROUPS.index(_group(self.kind)), -self.at_us


@dataclass(frozen=True, slots=True)
class Words:
    """What something is found by: `text`, as people wrote it; empty when it is not to be found."""

    kind: str
    entity: str
    patient: str
    visit: str
    at_us: int
    text: str


class SearchIndex:
    """Writes within the open transaction of a record, and searches in any process."""

    def __init__(self, file: CipherFile) -> None:
        self._file = file

    # writing

    def put_event(self, identity: str, kind: str, text: Text, *, at_us: int, visit: str | None, voice: str) -> None:
        """What a person said or wrote during a visit; what devices and steps tell by themselves is not searched."""
        free = any(isinstance(value, str) and not value.startswith("@") for value in text.values.values())
        if visit is None or voice == "device" or kind in _OTHER_EVENTS or not (free or voice == "patient"):
            return
        row = self._file.row("SELECT owner FROM version WHERE kind = 'visit' AND entity = ? LIMIT 1", (visit,))
        if row is not None:
            self.put(Words("event", identity, row[0], visit, at_us, load_words().tell(text)))

    def put(self, words: Words) -> None:
        """Let something be found by these words, and no longer by those before."""
        text = folded(words.text)
        where = (words.kind, words.entity)
        known = self._file.row("SELECT id, text FROM search_row WHERE kind = ? AND entity = ?", where)
        if known is not None:
            if known[1] == text:
                return
            self._file.execute("INSERT INTO search_word (search_word, rowid, text) VALUES ('delete', ?, ?)", known)
            self._file.execute("DELETE FROM search_row WHERE id = ?", (known[0],))
        if not text:
            return
        number = known[0] if known is not None else self._next(_group(words.kind))
        self._file.execute(_INSERT, (number, *where, words.patient, words.visit, words.at_us, text))
        self._file.execute("INSERT INTO search_word (rowid, text) VALUES (?, ?)", (number, text))

    def rebuild(self, rows: Iterable[Words]) -> None:
        """Replace all there is by these, each newer than the one before it."""
        self._file.execute("DELETE FROM search_row")
        next_of = {group: group_range(group)[0] for group in GROUPS}

        def numbered() -> Iterator[tuple[object, ...]]:
            for words in rows:
                text, group = folded(words.text), _group(words.kind)
                if text:
                    yield next_of[group], words.kind, words.entity, words.patient, words.visit, words.at_us, text
                    next_of[group] += 1

        self._file.many(_INSERT, numbered())
        self._file.execute("INSERT INTO search_word (search_word) VALUES ('rebuild')")

    def forget(self, patient: str) -> int:
        """Take everything of a patient out of the index, words included; returns how many rows it had."""
        rows = self._file.rows("SELECT id, text FROM search_row WHERE patient = ?", (patient,))
        self._file.many("INSERT INTO search_word (search_word, rowid, text) VALUES ('delete', ?, ?)", rows)
        self._file.execute("DELETE FROM search_row WHERE patient = ?", (patient,))
        return len(rows)

    # searching

    def find(self, query: str, limit: int, cancelled: Callable[[], bool] = lambda: False) -> list[Hit]:
        """At most `limit` of each group, the best first; nothing for a query without words."""
        runs = wanted(query)
        if not runs:
            return []
        whole, begun = expression(runs, whole=True), expression(runs, whole=False)
        found: list[Hit] = []
        for group in reversed(GROUPS):
            if cancelled():
                return []
            rows = self._matches(begun, group, limit)
            if len(rows) == limit:  # an older row with whole words may be hidden by newer ones with begun words
                rows += self._matches(whole, group, limit)
            hits = {row[0]: Hit(*row[1:6], holds(row[6], runs)) for row in rows}
            found += sorted(hits.values(), key=lambda hit: hit.order)[:limit]
        return sorted(found, key=lambda hit: hit.order)

    def newest_patients(self, limit: int) -> list[str]:
        """Ids of who was here last or was added last, the newest first."""
        sql = (
            "SELECT patient FROM (SELECT patient, at_us FROM search_row WHERE id BETWEEN ?1 AND ?2 "
            "ORDER BY id DESC LIMIT ?3)"
        )
        found: dict[str, None] = {}
        for group in ("visit", "patient"):
            found.update((row[0], None) for row in self._file.rows(sql, (*group_range(group), 4 * limit)))
        return list(found)[:limit]

    def scan(self, query: str) -> set[tuple[str, str]]:
        """Kind and id of all that matches, by reading every row: what the index is checked and measured against."""
        runs = wanted(query)
        return {
            (kind, entity)
            for kind, entity, text in self._file.rows("SELECT kind, entity, text FROM search_row")
            if runs and holds(text, runs, whole=False)
        }

    def check(self) -> None:
        """Raises RecordDamaged when index and rows do not agree. Needs a file that is open for writing."""
        self._file.execute("INSERT INTO search_word (search_word, rank) VALUES ('integrity-check', 1)")

    def _matches(self, expression: str, group: str, limit: int) -> list[tuple[int, str, str, str, str, int, str]]:
        sql = (
            "SELECT r.id, r.kind, r.entity, r.patient, r.visit, r.at_us, r.text FROM "
            "(SELECT rowid AS number FROM search_word WHERE search_word MATCH ? AND rowid BETWEEN ? AND ? "
            "ORDER BY rowid DESC LIMIT ?) JOIN search_row r ON r.id = number"
        )
        rows = self._file.rows(sql, (expression, *group_range(group), limit))
        return [(row[0], row[1], row[2], row[3], row[4], row[5], row[6]) for row in rows]

    def _next(self, group: str) -> int:
        first, last = group_range(group)
        row = self._file.row("SELECT max(id) FROM search_row WHERE id BETWEEN ? AND ?", (first, last))
        return int(row[0]) + 1 if row is not None and row[0] is not None else first


def _group(kind: str) -> str:
    return kind if kind in GROUPS else "entry"


def group_range(group: str) -> tuple[int, int]:
    first = GROUPS.index(group) << _SHIFT
    return first + 1, first + (1 << _SHIFT) - 1


def patient_words(patient: Patient, at_us: int) -> Words:
    # The given name on both sides: where the family name comes first, people type it so, without a space.
    names = (patient.given_name, patient.family_name, patient.given_name)
    digits = "".join(letter for letter in patient.phone if letter.isdigit())
    said = (*names, patient.code, patient.birth_date, patient.phone, digits, patient.allergies, patient.notes)
    return Words("patient", patient.id, patient.id, "", at_us, " ".join(said))


def visit_words(visit: VisitSummary) -> Words:
    title = load_words().say(visit.title_key) if visit.title_key else ""
    text = " ".join((visit.code, title, *(str(fdi) for fdi in visit.teeth)))
    return Words("visit", visit.id, visit.patient_id, visit.id, visit.began_us, text)


def entry_words(entry: Entry) -> Words:
    """Of its newest version; one that was withdrawn is found no more."""
    text = "" if entry.withdrawn else _said(entry)
    return Words(kind_of(entry), entry.id, entry.patient_id, entry.visit_id, entry.at_us, text)


def _said(entry: Entry) -> str:
    """What an entry is found by; one that no person wrote, by its words alone."""
    parts: list[str] = [entry.text]
    match entry:
        case Finding() if entry.source not in (Source.CARRIED, Source.PROCEDURE):
            parts += [str(entry.fdi), entry.surfaces, entry.condition, entry.material or ""]
        case StepDone() if not entry.module:
            parts.append(str(entry.fdi or ""))
        case Observation():
            parts += [str(entry.fdi or ""), "" if entry.value is None else f"{entry.value:g}", entry.unit]
        case AdverseEvent():
            parts += [entry.severity, entry.outcome, entry.reported_to]
        case Attachment():
            parts.append(entry.name)
        case _:
            pass
    return " ".join(parts)
