"""The engine's side of the wire, in threads: accept, prove the key, read requests, write answers and pushes.

Each connection has a reader thread and a writer thread of its own, so that a slow, frozen or hostile peer costs
nobody else anything. What is read is handed to an `Inbox`, which the engine implements on its loop.
"""

import contextlib
import logging
import sys
import threading
import time
from multiprocessing import AuthenticationError
from multiprocessing.connection import Client, Listener
from typing import Protocol

import msgspec

from app.ipc.address import EngineAddress
from app.ipc.messages import MAX_MESSAGE, PROTOCOL, Ask, Hello, decode_ask, encode
from app.ipc.outbox import Outbox
from app.ipc.refusals import refused
from app.ipc.wire import HELLO_BYTES, Wire, hang_up, prove_as_server

MAX_CONNECTIONS = 32
DRAIN_SECONDS = 1.0
"""How long a closing connection may take to send its last answers."""

_log = logging.getLogger(__name__)


class Inbox(Protocol):
    """Takes what the peers say. Called in their reader threads; must not block."""

    def attached(self, peer: "Peer", number: int, hello: Hello) -> None:
        """A peer proved the key and said hello, as its request `number`."""
        ...

    def asked(self, peer: "Peer", ask: Ask) -> None: ...

    def detached(self, peer: "Peer") -> None:
        """Called once for every peer that was attached."""
        ...


class Acceptor:
    """Listens at an address until ended."""

    def __init__(self, address: EngineAddress, inbox: Inbox) -> None:
        self._address = address
        self._inbox = inbox
        self._ending = False
        self._peers: set[Peer] = set()
        self._lock = threading.Lock()
        family = "AF_PIPE" if sys.platform == "win32" else "AF_UNIX"
        self._listener = Listener(address.address, family, backlog=MAX_CONNECTIONS)
        self._thread = threading.Thread(target=self._accept, name="ipc-accept", daemon=True)
        self._thread.start()

    def end(self) -> None:
        """Send what is answered, hang up on everybody, and wait for the threads: at most a few seconds."""
        self._ending = True
        with contextlib.suppress(OSError):
            Client(self._address.address).close()  # what wakes a blocked accept on every system
        self._thread.join()
        self._listener.close()
        with self._lock:
            peers = tuple(self._peers)
        for peer in peers:
            peer.end()

    def _accept(self) -> None:
        while not self._ending:
            try:
                wire: Wire = self._listener.accept()
            except OSError as error:
                _log.warning("accepting a connection failed: %s", error)
                time.sleep(0.1)  # out of descriptors, or a pipe's client that left at once: do not spin
                continue
            with self._lock:
                if self._ending or len(self._peers) >= MAX_CONNECTIONS:
                    wire.close()
                    continue
                peer = Peer(wire, self._address.authkey, self._inbox, self._forget)
                self._peers.add(peer)
            peer.start()

    def _forget(self, peer: "Peer") -> None:
        with self._lock:
            self._peers.discard(peer)


class _Forget(Protocol):
    def __call__(self, peer: "Peer", /) -> None: ...


class Peer:
    """One connection. Its reader thread owns the wire: it alone closes it."""

    def __init__(self, wire: Wire, key: bytes, inbox: Inbox, forget: _Forget) -> None:
        self.outbox = Outbox()
        self._wire = wire
        self._key = key
        self._inbox = inbox
        self._forget = forget
        self._wire_lock = threading.Lock()
        self._reader = threading.Thread(target=self._serve, name="ipc-read", daemon=True)
        self._writer = threading.Thread(target=self._write, name="ipc-write", daemon=True)

    def start(self) -> None:
        self._reader.start()

    def end(self) -> None:
        """Send what is answered, within a second, and close."""
        self.outbox.close()
        if self._writer.ident is not None:
            self._writer.join(DRAIN_SECONDS)
        self._hang_up()
        self._reader.join()

    def _serve(self) -> None:
        try:
            prove_as_server(self._wire, self._key)
        except (AuthenticationError, AssertionError):
            _log.warning("refused a connection that does not hold the key")
        except (OSError, EOFError):
            pass  # it left before it proved anything
        else:
            self._converse()
        with self._wire_lock:
            self._wire.close()
        self._forget(self)

    def _converse(self) -> None:
        self._writer.start()
        attached = False
        try:
            hello = self._greet()
            if hello is not None:
                attached = True
                while (ask := self._next(MAX_MESSAGE)) is not None:
                    self._inbox.asked(self, ask)
        except EOFError:
            pass  # the usual end
        except OSError as error:
            _log.info("a connection ended: %s", error)
        finally:
            if attached:
                self._inbox.detached(self)  # before the last answers drain: a lost console must be noticed at once
            self.outbox.close()
            self._writer.join(DRAIN_SECONDS)
            self._hang_up()
            self._writer.join()

    def _greet(self) -> Hello | None:
        ask = self._next(HELLO_BYTES)
        if ask is None:
            return None
        if not isinstance(ask.body, Hello):
            self.outbox.answer(ask.number, refused("no_hello"))
            return None
        if ask.body.protocol != PROTOCOL:
            self.outbox.answer(ask.number, refused("version", engine=PROTOCOL, console=ask.body.protocol))
            return None
        self._inbox.attached(self, ask.number, ask.body)
        return ask.body

    def _next(self, limit: int) -> Ask | None:
        """The next request; None when it makes no sense, or the connection is being closed."""
        if not self.outbox.reserve():
            return None
        data = self._wire.recv_bytes(limit)
        try:
            return decode_ask(data)
        except msgspec.MsgspecError as error:
            _log.warning("closed a connection after a malformed message of %d bytes: %s", len(data), error)
            self.outbox.answer(0, refused("malformed"))
            return None

    def _write(self) -> None:
        try:
            while (answer := self.outbox.next()) is not None:
                self._wire.send_bytes(encode(answer))
                self.outbox.sent(answer)
        except OSError:
            self.outbox.close()
        self._hang_up()

    def _hang_up(self) -> None:
        with self._wire_lock:
            hang_up(self._wire)
