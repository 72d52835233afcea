"""Writes a report so that it appears when it is complete."""

import contextlib
import os
import secrets
from pathlib import Path

from core.model.errors import SmilescapeError


class ReportFailed(SmilescapeError):  # noqa: N818
    """The report could not be made or written."""

    code = "report.failed"


def write_whole(path: Path, data: bytes) -> None:
    """Write a file; one of that name that was there stays until the new one is complete.

    Raises:
        ReportFailed: the place cannot be written.
    """
    if path.exists() and not path.is_file():
        raise ReportFailed(f"{path} is no file that could be replaced.", "Choose another name.")
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
    try:
        with draft.open("xb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        draft.replace(path)
    except OSError as error:
        raise ReportFailed(f"{path} cannot be written: {error.strerror}.", "Choose another place.") from error
    finally:
        with contextlib.suppress(OSError):
            draft.unlink(missing_ok=True)
