"""What both ends of a connection share: proving the key within a time, and hanging up on a blocked peer."""

import contextlib
import os
import socket
import sys
import threading
from collections.abc import Iterator
from multiprocessing.connection import Connection, answer_challenge, deliver_challenge
from typing import TypeAlias

HANDSHAKE_SECONDS = 5.0
Wire: TypeAlias = "Connection[bytes, bytes]"
HELLO_BYTES = 4096
"""Largest first message; nobody needs more to say hello."""


def hang_up(connection: Wire) -> None:
    """End a connection from another thread; whoever reads or writes it there wakes up with an error.

    Closing the descriptor alone would leave a blocked reader waiting for ever.
    """
    with contextlib.suppress(OSError):
        if sys.platform == "win32":
            connection.close()
        else:
            with socket.socket(fileno=os.dup(connection.fileno())) as twin:
                twin.shutdown(socket.SHUT_RDWR)


@contextlib.contextmanager
def deadline(connection: Wire, seconds: float) -> Iterator[None]:
    """Hang up when the block takes longer than `seconds`: a frozen peer must not freeze us."""
    timer = threading.Timer(seconds, hang_up, (connection,))
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        timer.join()  # it must not hang up on whoever gets the descriptor next


def prove_as_server(connection: Wire, key: bytes) -> None:
    """Both sides prove that they hold `key`. Raises multiprocessing.AuthenticationError, OSError or EOFError."""
    with deadline(connection, HANDSHAKE_SECONDS):
        deliver_challenge(connection, key)
        answer_challenge(connection, key)


def prove_as_client(connection: Wire, key: bytes, seconds: float) -> None:
    """The client's half of `prove_as_server`."""
    with deadline(connection, seconds):
        answer_challenge(connection, key)
        deliver_challenge(connection, key)
