"""Files that belong to a patient: kept inside the encrypted record in pieces, known by what their bytes are.

What a file is called says nothing about what it is, so its kind is found in its bytes; whatever could carry a program
(HTML, SVG, scripts, office documents, archives) is refused. Nothing here opens or runs a file.
"""

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from core.model.clinical import Attachment
from core.model.errors import SmilescapeError
from core.record.errors import ExportFailed, NotFound, RecordDamaged
from core.record.sqlcipher import CipherFile

MAX_BYTES: Final = 16 * 1024 * 1024
PIECE_BYTES: Final = 256 * 1024
EXTENSIONS: Final = {
    "image/png": "png",
    "image/jpeg": "jpg",
    "image/tiff": "tif",
    "application/dicom": "dcm",
    "application/pdf": "pdf",
    "text/plain": "txt",
}
"""What is taken, and the ending that an exported copy gets."""
_MAGIC: Final = (
    (0, b"\x89PNG\r\n\x1a\n", "image/png"),
    (0, b"\xff\xd8\xff", "image/jpeg"),
    (0, b"II*\x00", "image/tiff"),
    (0, b"MM\x00*", "image/tiff"),
    (128, b"DICM", "application/dicom"),
    (0, b"%PDF-", "application/pdf"),
)
_MARKUP: Final = (b"<", b"#!")
_CONTROL: Final = bytes(code for code in range(32) if code not in b"\t\r\n\f")


class AttachmentRefused(SmilescapeError):  # noqa: N818 - named for what is the case
    """A file of a kind or size that the record does not take."""

    code = "clinical.attachment"


def media_type(data: bytes) -> str:
    """What the bytes are. Raises AttachmentRefused: empty, too large, or none of the kinds that are taken."""
    if not data:
        raise AttachmentRefused("The file is empty.", "Choose another.")
    if len(data) > MAX_BYTES:
        raise AttachmentRefused(
            f"The file has {len(data) / 1_048_576:.1f} MB.", f"Make it smaller than {MAX_BYTES // 1_048_576} MB."
        )
    for at, magic, kind in _MAGIC:
        if data[at : at + len(magic)] == magic:
            return kind
    if _is_plain(data):
        return "text/plain"
    raise AttachmentRefused(
        "The record does not take files of this kind.", "Choose PNG, JPEG, TIFF, DICOM, PDF or plain text."
    )


def _is_plain(data: bytes) -> bool:
    """UTF-8 without control characters, and neither markup nor a script."""
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return False
    if data.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(_MARKUP):
        return False
    return len(data.translate(None, _CONTROL)) == len(data)


def described(entry: Attachment, data: bytes) -> Attachment:
    """The entry with kind, size and hash of its bytes. Raises AttachmentRefused."""
    return Attachment(
        id=entry.id,
        patient_id=entry.patient_id,
        visit_id=entry.visit_id,
        at_us=entry.at_us,
        text=entry.text,
        name=entry.name,
        media_type=media_type(data),
        size=len(data),
        sha256=hashlib.sha256(data).digest(),
    )


def write_copy(entry: Attachment, data: bytes, folder: Path) -> Path:
    """A copy outside the record, readable by its owner alone and by nobody to be run; returns its path.

    Its name has nothing of the patient, nor of the name that the file came with. Raises ExportFailed.
    """
    ending = EXTENSIONS.get(entry.media_type, "bin")
    path = folder / f"file-{entry.sha256.hex()[:8]}.{ending}"
    part = path.with_name(path.name + ".part")
    try:
        with part.open("wb") as out:
            part.chmod(0o600)
            out.write(data)
        part.replace(path)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise ExportFailed(f"{path} was not written: {error.strerror}.", "Choose another folder.") from error
    return path


def pieces(data: bytes) -> Iterator[bytes]:
    for at in range(0, len(data), PIECE_BYTES):
        yield data[at : at + PIECE_BYTES]


class AttachmentStore:
    """The bytes, by the id of their entry."""

    def __init__(self, file: CipherFile) -> None:
        self._file = file

    def put(self, attachment_id: str, number: int, piece: bytes) -> None:
        """One piece, within the open transaction; a file counts once its entry is written, after all its pieces."""
        self._file.execute(
            "INSERT INTO attachment (entity, piece, data) VALUES (?, ?, ?)", (attachment_id, number, piece)
        )

    def whole(self, entry: Attachment) -> bytes:
        """Raises NotFound; RecordDamaged when it is not what was stored."""
        rows = self._file.rows("SELECT data FROM attachment WHERE entity = ? ORDER BY piece", (entry.id,))
        if not rows:
            raise NotFound("The bytes of this file are not in the record.", "Open the patient again.")
        data = b"".join(row[0] for row in rows)
        if len(data) != entry.size or hashlib.sha256(data).digest() != entry.sha256:
            raise RecordDamaged(
                "A stored file is not what was put in.", "Run `record verify`, and restore from a backup."
            )
        return data
