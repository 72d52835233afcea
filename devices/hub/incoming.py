"""Everything that one connection notifies, once a session stands on it."""

from collections.abc import Callable
from typing import Final

from bleak import BleakClient

from core.model.clock import Clock
from core.model.errors import SmilescapeError
from devices.errors import FrameError
from devices.hub import uuids
from devices.hub.commander import Commander
from devices.hub.documents import Documents
from devices.hub.errors import ReceiptMisplaced, RecordsForged
from devices.hub.intake import Intake
from devices.hub.line import Line
from devices.hub.listener import HubListener
from devices.hub.session.errors import RecordRefused, SignedRefused
from devices.hub.session.keys import Session
from devices.hub.session.wire import MOST_REFUSED, FromHub
from devices.hub.status import StatusReport, decode_status
from devices.hub.subscriptions import Handle


class Incoming:
    """Opens records in the order in which they came, and hands on what is in them.

    Args:
        reported: takes each status.

    Attributes:
        line: the session, once it stands.
        intake: where frames go, once it is known which are wanted.
    """

    def __init__(
        self,
        client: BleakClient,
        commander: Commander,
        documents: Documents,
        listener: HubListener,
        clock: Clock,
        reported: Callable[[StatusReport], None],
    ) -> None:
        self._client = client
        self._commander = commander
        self._documents = documents
        self._listener = listener
        self._clock = clock
        self._reported = reported
        self._refused = 0
        self.line: Line | None = None
        self.intake: Intake | None = None
        self._over = False
        self.handles: Final[dict[str, Handle]] = {
            uuids.DOCUMENTS: self._while_open(self._on_document),
            uuids.RECEIPT: self._while_open(self._on_receipt),
            uuids.STATUS: self._while_open(self._on_status),
            uuids.HISTORY: self._frames(FromHub.HISTORY),
            uuids.TELEMETRY: self._frames(FromHub.TELEMETRY),
        }

    def established(self, session: Session) -> None:
        """The handshake succeeded: from now on every value is a record."""
        self.line = Line(self._client, session)
        self._commander.attach(self.line)

    def refuse(self, error: SmilescapeError, raw: bytes) -> None:
        """A value could not be used."""
        self._listener.frame_refused(error, raw)
        if isinstance(error, SignedRefused | ReceiptMisplaced):
            self._listener.security_event(error)
        if isinstance(error, RecordRefused):
            self._refused += 1
            if self._refused == MOST_REFUSED:
                self._listener.security_event(RecordsForged(self._refused))

    def end(self) -> None:
        """Take in what came before the end; what comes after it is nobody's."""
        self._over = True
        if self.intake is not None:
            self.intake.flush()
            self.intake = None
        self.line = None

    def _while_open(self, take: Handle) -> Handle:
        def handle(raw: bytes) -> None:
            if not self._over:
                take(raw)

        return handle

    def _frames(self, stream: FromHub) -> Handle:
        def handle(raw: bytes) -> None:
            if self.intake is not None:
                self.intake.add(stream, raw)
            elif not self._over:
                raise FrameError("A frame came before it was asked for.")

        return handle

    def _on_status(self, raw: bytes) -> None:
        self._reported(decode_status(self._next().open(FromHub.STATUS, raw), self._clock.monotonic()))

    def _on_receipt(self, raw: bytes) -> None:
        receipt = self._next().receipt(raw)
        if receipt is not None:
            self._commander.receipt_arrived(receipt)

    def _on_document(self, raw: bytes) -> None:
        document = self._next().document(raw)
        if document is not None:
            self._documents.arrived(*document)

    def _next(self) -> Line:
        """The session, for a record that is opened at once. Those that came before it are opened first."""
        if self.line is None:
            raise FrameError("A record came before the session.")
        if self.intake is not None:
            self.intake.open_waiting()
        return self.line
