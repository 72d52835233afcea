"""A patient's data pack: everything of their visits that are over, sealed, on a stick, to be opened without us."""

import shutil
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from importlib import resources
from pathlib import Path
from typing import Final

from core.exchange.pack_parts import PARTS, PackVisit, PartMaker
from core.exchange.sealed import PackTooLarge, SealedPage, files_in, new_passphrase
from core.model.errors import SmilescapeError
from core.model.progress import Cancelled, Watch, unwatched, within
from core.model.words import Words
from core.record import ExportFailed, NotFound
from core.record.drafts import complete_folder, scratch_folder
from core.reports.languages import report_words

_COMMANDS: Final = "open.sh"
_INDENT: Final = "    "
"""Before each line to be run, and before nothing else in the text that goes with a pack."""
_TYPES: Final = {
    ".pdf": "application/pdf",
    ".html": "text/html;charset=utf-8",
    ".json": "application/json",
    ".csv": "text/csv",
}
_SAID: Final = (
    "title",
    "what",
    "ask",
    "unlock",
    "help",
    "working",
    "wrong",
    "old",
    "script",
    "read",
    "save",
    "damaged",
)
_NAMED: Final = {
    "report.pdf": "report_pdf",
    "report.html": "report_html",
    "signals.csv": "signals",
}
"""What the parts call their files, and under which word the patient finds them; the others keep their names."""


@dataclass(frozen=True, slots=True)
class Packed:
    """A pack on disk.

    Attributes:
        page: what is opened first, in `folder`.
        passphrase: it is nowhere else.
        missing: visit code, part and reason of each that could not be made.
    """

    folder: Path
    page: str
    passphrase: str
    missing: tuple[tuple[str, str, str], ...]


def make_pack(
    visits: Sequence[PackVisit],
    folder: Path,
    scratch: Path,
    *,
    parts: Sequence[tuple[str, PartMaker]] = PARTS,
    language: str = "en",
    watch: Watch = unwatched,
) -> Packed:
    """Write a folder with the sealed page and a text that tells how to open it. It appears when it is complete.

    A part that cannot be made is left out, and the pack says why.

    Args:
        visits: of one patient, at least one, in order; each is over.
        scratch: a name in a folder of this machine, for what is not sealed yet: never on the stick.
        language: of reports, page and texts, and of the files' names.

    Raises:
        ExportFailed: stick or scratch cannot be written.
        WordsError: there are no words, or not all words, for the language.
        PackTooLarge: no browser would open it.
        Cancelled: `watch` raised it.
    """
    words = report_words(language)
    passphrase = new_passphrase()
    missing: list[Missing] = []
    opening = words.say("pack.file.page")
    with (
        scratch_folder(scratch) as work,
        complete_folder(folder) as draft,
        (draft / opening).open("x", encoding="utf-8", newline="") as out,
    ):
        title = words.say("pack.title", name=visits[0].patient.name)
        page = SealedPage(out, passphrase, _page_words(words), title, language)
        for number, one in enumerate(visits):
            part = within(watch, number / len(visits), (number + 1) / len(visits))
            missing += _add_visit(page, replace(one, language=language), work, parts, words, part)
        contents = work / "contents.txt"
        contents.write_text(_contents(words, visits, missing), encoding="utf-8")
        page.add(contents, words.say("pack.file.contents"), "text/plain;charset=utf-8", unwatched)
        page.finish()
        (draft / words.say("pack.file.readme")).write_text(readme(words), encoding="utf-8", newline="\r\n")
        watch(1.0)
    return Packed(folder, opening, passphrase, tuple((one.code, one.part, one.why) for one in missing))


@dataclass(frozen=True, slots=True)
class Missing:
    """A part that could not be made. `nothing`: there was nothing to make it of."""

    code: str
    part: str
    why: str
    nothing: bool


def readme(words: Words) -> str:
    """The text that lies beside the page: how to open it, in a browser or with what every system brings."""
    page = words.say("pack.file.page")
    commands = (resources.files("resources") / "pack" / _COMMANDS).read_text(encoding="utf-8").replace("{page}", page)
    indented = "\n".join(f"{_INDENT}{line}" for line in commands.splitlines())
    return words.say("pack.text.readme", page=page, commands=indented, unreviewed=_unreviewed(words)).lstrip()


def _unreviewed(words: Words) -> str:
    return "" if words.reviewed else words.say("pack.unreviewed")


def _page_words(words: Words) -> dict[str, str]:
    return {key: words.say(f"pack.page.{key}") for key in _SAID} | {"unreviewed": _unreviewed(words)}


def _add_visit(
    page: SealedPage, one: PackVisit, work: Path, parts: Sequence[tuple[str, PartMaker]], words: Words, watch: Watch
) -> list[Missing]:
    """Each part is made, sealed, and gone from the disk before the next one begins."""
    missing: list[Missing] = []
    for number, (name, make) in enumerate(parts):
        part = within(watch, number / len(parts), (number + 1) / len(parts))
        place = work / one.visit.code
        place.mkdir()
        try:
            make(one, place, within(part, 0.0, 0.7))
            files = list(files_in(place))
            for done, path in enumerate(files):
                top, *below = path.relative_to(place).parts
                name_in_page = "/".join((one.visit.code, _named(top, words), *below))
                sealing = within(part, 0.7 + 0.3 * done / len(files), 0.7 + 0.3 * (done + 1) / len(files))
                page.add(path, name_in_page, _TYPES.get(path.suffix, "application/octet-stream"), sealing)
        except (Cancelled, ExportFailed, PackTooLarge):
            raise
        except SmilescapeError as error:
            missing.append(Missing(one.visit.code, name, str(error), isinstance(error, NotFound)))
        finally:
            shutil.rmtree(place, ignore_errors=True)
    return missing


def _named(name: str, words: Words) -> str:
    """A file or folder of a part, as the patient finds it."""
    return words.say(f"pack.file.{_NAMED[name]}") if name in _NAMED else name


def _contents(words: Words, visits: Sequence[PackVisit], missing: Sequence[Missing]) -> str:
    dates = [datetime.fromtimestamp(one.visit.began_us / 1e6, UTC).strftime("%Y-%m-%d") for one in visits]
    lines = [
        words.say("pack.contents_visit", code=one.visit.code, date=date, chair=one.visit.chair)
        for one, date in zip(visits, dates, strict=True)
    ]
    left_out = [
        words.say(
            "pack.missing",
            code=one.code,
            part=_named(one.part, words),
            why=words.say("pack.why_nothing" if one.nothing else "pack.why_failed"),
        )
        for one in missing
    ]
    names = {key: words.say(f"pack.file.{key}") for key in _NAMED.values()}
    said = words.say("pack.text.contents", visits="\n".join(lines), missing="\n".join(left_out), **names)
    return said.strip() + "\n"
