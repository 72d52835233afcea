"""Files and folders that appear when they are complete, under a draft's name until then."""

import contextlib
import os
import re
import secrets
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

from core.record.errors import ExportFailed
from core.record.sqlcipher import sync_folder


@contextlib.contextmanager
def complete_file(path: Path) -> Iterator[TextIO]:
    """A text file that appears when it is complete; on failure nothing is left, and what was there before stays.

    Raises ExportFailed: it cannot be written.
    """
    with complete_path(path) as draft, draft.open("x", encoding="utf-8", newline="") as out:
        yield out


@contextlib.contextmanager
def complete_path(path: Path) -> Iterator[Path]:
    """The same for who opens the file themselves: the draft's path, at which there is no file yet.

    Raises ExportFailed: it cannot be written.
    """
    if path.exists() and not path.is_file():
        raise ExportFailed(f"{path} is no file that could be replaced.", "Choose another name.")
    draft = _draft(path)
    try:
        yield draft
        _sync(draft)
        draft.replace(path)
        sync_folder(path.parent)
    except OSError as error:
        raise _failed(path, error) from error
    finally:
        with contextlib.suppress(OSError):
            draft.unlink(missing_ok=True)


@contextlib.contextmanager
def complete_folder(path: Path) -> Iterator[Path]:
    """A folder to be filled, which appears under its name when all of it is complete; on failure nothing is left.

    Raises ExportFailed: it cannot be written, or something of that name is there already.
    """
    if path.exists():
        raise ExportFailed(f"{path} is there already.", "Choose another name.")
    draft = _draft(path)
    try:
        draft.mkdir()
        yield draft
        for folder, _, files in os.walk(draft):
            for name in files:
                _sync(Path(folder) / name)
            sync_folder(Path(folder))
        draft.rename(path)
        sync_folder(path.parent)
    except OSError as error:
        raise _failed(path, error) from error
    finally:
        shutil.rmtree(draft, ignore_errors=True)


@contextlib.contextmanager
def scratch_folder(path: Path) -> Iterator[Path]:
    """A folder for this user alone, to work in, gone at the end; `sweep(path)` finds it after a kill.

    Raises ExportFailed: it cannot be made.
    """
    draft = _draft(path)
    try:
        draft.mkdir(mode=0o700)
        yield draft
    except OSError as error:
        raise _failed(path, error) from error
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def free_name(path: Path) -> Path:
    """That name, or the first with a number behind it that is not there yet."""
    number, free = 1, path
    while free.exists():
        number += 1
        free = path.with_name(f"{path.name}-{number}")
    return free


def sweep(path: Path) -> None:
    """Remove what a process that was killed left of a file or folder that it had begun under this name."""
    leftover = re.compile(rf"\.{re.escape(path.name)}\.[0-9a-f]{{8}}\.part")
    with contextlib.suppress(OSError):
        for entry in list(path.parent.iterdir()):
            if not leftover.fullmatch(entry.name):
                continue
            if entry.is_dir() and not entry.is_symlink():
                shutil.rmtree(entry, ignore_errors=True)
            else:
                entry.unlink(missing_ok=True)


def _draft(path: Path) -> Path:
    return path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")


def _sync(path: Path) -> None:
    with path.open("r+b") as stream:
        os.fsync(stream.fileno())


def _failed(path: Path, error: OSError) -> ExportFailed:
    return ExportFailed(
        f"{path} cannot be written: {error.strerror or error}.", "Choose another place, or free some space."
    )
