"""A patient's data pack: everything of their visits that are over, sealed, on a stick, to be opened without us."""

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from core.exchange.pack_parts import PARTS, PackVisit, PartMaker
from core.exchange.sealed import PackTooLarge, SealedPage, files_in, new_passphrase
from core.model.errors import SmilescapeError
from core.model.progress import Cancelled, Watch, unwatched, within
from core.model.words import Words, load_words
from core.record import ExportFailed
from core.record.drafts import complete_folder, scratch_folder

PAGE: Final = "OPEN-ME.html"
README: Final = "READ-ME.txt"
_TYPES: Final = {
    ".pdf": "application/pdf",
    ".html": "text/html;charset=utf-8",
    ".json": "application/json",
    ".csv": "text/csv",
}
_SAID: Final = ("title", "what", "ask", "unlock", "help", "working", "wrong", "old", "read", "save", "damaged")


@dataclass(frozen=True, slots=True)
class Packed:
    """A pack on disk. `passphrase` is nowhere else. `missing`: part and reason, by visit code."""

    folder: Path
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

    Raises:
        ExportFailed: stick or scratch cannot be written.
        PackTooLarge: no browser would open it.
        Cancelled: `watch` raised it.
    """
    words = load_words(language)
    passphrase = new_passphrase()
    missing: list[tuple[str, str, str]] = []
    title = words.say("exchange.pack.opened_title", name=visits[0].patient.name)
    with (
        scratch_folder(scratch) as work,
        complete_folder(folder) as draft,
        (draft / PAGE).open("x", encoding="utf-8", newline="") as out,
    ):
        page = SealedPage(out, passphrase, {key: words.say(f"exchange.pack.page_{key}") for key in _SAID}, title)
        for number, one in enumerate(visits):
            part = within(watch, number / len(visits), (number + 1) / len(visits))
            missing += _add_visit(page, one, work, parts, part)
        contents = work / "contents.txt"
        contents.write_text(_contents(words, visits, missing), encoding="utf-8")
        page.add(contents, contents.name, "text/plain;charset=utf-8", unwatched)
        page.finish()
        (draft / README).write_text(words.say("exchange.pack.readme", page=PAGE), encoding="utf-8", newline="\r\n")
        watch(1.0)
    return Packed(folder, passphrase, tuple(missing))


def _add_visit(
    page: SealedPage, one: PackVisit, work: Path, parts: Sequence[tuple[str, PartMaker]], watch: Watch
) -> list[tuple[str, str, str]]:
    """Each part is made, sealed, and gone from the disk before the next one begins."""
    missing: list[tuple[str, str, str]] = []
    for number, (name, make) in enumerate(parts):
        part = within(watch, number / len(parts), (number + 1) / len(parts))
        place = work / one.visit.code
        place.mkdir()
        try:
            make(one, place, within(part, 0.0, 0.7))
            files = list(files_in(place))
            for done, path in enumerate(files):
                name_in_page = f"{one.visit.code}/{path.relative_to(place).as_posix()}"
                sealing = within(part, 0.7 + 0.3 * done / len(files), 0.7 + 0.3 * (done + 1) / len(files))
                page.add(path, name_in_page, _TYPES.get(path.suffix, "application/octet-stream"), sealing)
        except (Cancelled, ExportFailed, PackTooLarge):
            raise
        except SmilescapeError as error:
            missing.append((one.visit.code, name, str(error)))
        finally:
            shutil.rmtree(place, ignore_errors=True)
    return missing


def _contents(words: Words, visits: Sequence[PackVisit], missing: Sequence[tuple[str, str, str]]) -> str:
    dates = [datetime.fromtimestamp(one.visit.began_us / 1e6, UTC).strftime("%Y-%m-%d") for one in visits]
    lines = [
        words.say("exchange.pack.contents_visit", code=one.visit.code, date=date, chair=one.visit.chair)
        for one, date in zip(visits, dates, strict=True)
    ]
    left_out = [
        words.say("exchange.pack.contents_missing", code=code, part=part, why=why) for code, part, why in missing
    ]
    return words.say("exchange.pack.contents", visits="\n".join(lines), missing="\n".join(left_out))
