"""One session over one connection. What goes out is sealed as it goes; what comes in is opened in the order it came."""

import logging

from bleak import BleakClient
from bleak.exc import BleakError, BleakGATTProtocolError

from core.model.strict_cbor import Value
from devices.hub import uuids
from devices.hub.commands import STOP_PLAINTEXT
from devices.hub.receipts import encode_query
from devices.hub.session.documents import decode_document
from devices.hub.session.errors import SessionSpent
from devices.hub.session.keys import Session
from devices.hub.session.segments import Joiner, split
from devices.hub.session.signed import MAX_SIGNED, SignedReceipt, verify_receipt
from devices.hub.session.wire import MAX_DOCUMENT, MAX_PLAINTEXT, FromHub, ToHub

_log = logging.getLogger(__name__)


class Line:
    """Writes raise what the client raises, and SessionSpent, which ends the link."""

    def __init__(self, client: BleakClient, session: Session) -> None:
        self.session = session
        self._client = client
        self._receipts = Joiner(MAX_SIGNED)
        self._documents = Joiner(MAX_DOCUMENT)

    async def control(self, message: bytes) -> None:
        """Write one control message. Its segments follow each other: one message at a time."""
        for part in split(message, MAX_PLAINTEXT):
            await self._write(uuids.CONTROL, ToHub.CONTROL, part, response=True)

    async def stop(self) -> None:
        """Write STOP once. It waits for no response, and so for nothing that was written before it."""
        await self._write(uuids.STOP, ToHub.STOP, STOP_PLAINTEXT, response=False)

    async def query(self, counter: int) -> None:
        """Ask for the receipt of a counter."""
        await self._write(uuids.RECEIPT_QUERY, ToHub.QUERY, encode_query(counter), response=True)

    def open(self, stream: FromHub, record: bytes) -> bytes:
        """The plaintext of a record. Raises RecordRefused."""
        return self.session.opener.open(stream, record)

    def receipt(self, record: bytes) -> SignedReceipt | None:
        """A record of Receipt; None while more of the receipt follows. Raises FrameError."""
        whole = self._join(self._receipts, FromHub.RECEIPT, record)
        return None if whole is None else verify_receipt(whole, self.session.peer)

    def document(self, record: bytes) -> tuple[int, Value] | None:
        """A record of Documents: kind and body; None while more of it follows. Raises FrameError."""
        whole = self._join(self._documents, FromHub.DOCUMENTS, record)
        return None if whole is None else decode_document(whole)

    async def end(self) -> None:
        """Disconnect: a session ends with its link. Never raises."""
        try:
            await self._client.disconnect()
        except (BleakError, TimeoutError, OSError, EOFError) as error:
            _log.info("The link did not end cleanly: %s", error)

    def _join(self, joiner: Joiner, stream: FromHub, record: bytes) -> bytes | None:
        segment = self.open(stream, record)
        whole = joiner.add(segment, self.session.opener.last(stream))
        return None if whole is None else whole[1]

    async def _write(self, characteristic: str, stream: ToHub, plaintext: bytes, *, response: bool) -> None:
        try:
            record = self.session.sealer.seal(stream, plaintext)
        except SessionSpent:
            await self.end()
            raise
        try:
            await self._client.write_gatt_char(characteristic, record, response=response)
        except BleakGATTProtocolError as error:
            # Anybody on the way can say so. What counts is whether a receipt comes.
            _log.warning("A record was answered with an error: %s", error)
