"""Length-prefixed frames over the pipes between the engine and its helper processes."""

import os
import struct
import sys
from typing import BinaryIO

from core.model.errors import SmilescapeError

HEAD = struct.Struct("<I")
"""What stands before each body: its length."""


class FrameTooLong(SmilescapeError):  # noqa: N818
    """A frame announces more bytes than the reader accepts; the stream cannot be trusted any more."""

    code = "ipc.frame_too_long"


def pack_frame(body: bytes) -> bytes:
    """One frame: its length as u32 little-endian, then the body."""
    return HEAD.pack(len(body)) + body


def read_frame(stream: BinaryIO, limit: int) -> bytes | None:
    """The next frame of a blocking stream; None at its end, also when it ends inside a frame.

    Raises:
        FrameTooLong: the frame is longer than `limit` bytes.
    """
    head = stream.read(HEAD.size)
    if len(head) < HEAD.size:
        return None
    length = body_length(head, limit)
    body = stream.read(length)
    return body if len(body) == length else None


def write_frame(stream: BinaryIO, body: bytes) -> None:
    """Write one frame at once. Raises BrokenPipeError when nobody reads any more."""
    stream.write(pack_frame(body))
    stream.flush()


def claim_stdout() -> BinaryIO:
    """Keep standard output for frames alone: whatever else prints goes to standard error from now on."""
    frames = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    return frames


def body_length(head: bytes, limit: int) -> int:
    """Bytes of the body that follows `head`. Raises FrameTooLong."""
    length: int = HEAD.unpack(head)[0]
    if length > limit:
        raise FrameTooLong(f"A frame of {length} bytes is longer than {limit}.", "Restart the workstation.")
    return length
