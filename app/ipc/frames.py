"""Length-prefixed frames over the pipes between the engine and its helper processes."""

import asyncio
import os
import struct
import sys
from typing import BinaryIO

from core.model.errors import SmilescapeError

_LENGTH = struct.Struct("<I")


class FrameTooLong(SmilescapeError):  # noqa: N818
    """A frame announces more bytes than the reader accepts; the stream cannot be trusted any more."""

    code = "ipc.frame_too_long"


def pack_frame(body: bytes) -> bytes:
    """One frame: its length as u32 little-endian, then the body."""
    return _LENGTH.pack(len(body)) + body


def read_frame(stream: BinaryIO, limit: int) -> bytes | None:
    """The next frame of a blocking stream; None at its end, also when it ends inside a frame.

    Raises:
        FrameTooLong: the frame is longer than `limit` bytes.
    """
    head = stream.read(_LENGTH.size)
    if len(head) < _LENGTH.size:
        return None
    length = _checked(head, limit)
    body = stream.read(length)
    return body if len(body) == length else None


def write_frame(stream: BinaryIO, body: bytes) -> None:
    """Write one frame at once. Raises BrokenPipeError when nobody reads any more."""
    stream.write(pack_frame(body))
    stream.flush()


async def receive_frame(stream: asyncio.StreamReader, limit: int) -> bytes | None:
    """`read_frame` for an asyncio stream."""
    try:
        head = await stream.readexactly(_LENGTH.size)
        return await stream.readexactly(_checked(head, limit))
    except (asyncio.IncompleteReadError, ConnectionError):
        return None


def claim_stdout() -> BinaryIO:
    """Keep standard output for frames alone: whatever else prints goes to standard error from now on."""
    frames = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    return frames


def _checked(head: bytes, limit: int) -> int:
    length: int = _LENGTH.unpack(head)[0]
    if length > limit:
        raise FrameTooLong(f"A frame of {length} bytes is longer than {limit}.", "Restart the workstation.")
    return length
