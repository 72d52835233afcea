"""A hub joins the practice, or gets new keys or a new certificate (docs/hub-protocol.md, section 11)."""

from core.model.hub import Opcode
from devices.errors import FrameError
from devices.hub.commander import Commander
from devices.hub.commands import Bare, Enrol
from devices.hub.credentials import Credentials
from devices.hub.documents import Documents
from devices.hub.errors import EnrolmentRefused, HubUnreachable
from devices.hub.listener import HubListener
from devices.hub.session.documents import decode_keys, octets
from devices.hub.session.identity import HubCard, decode_card
from devices.hub.session.wire import DocumentKind


class Enrolment:
    """Everything needs a session that stands; after each success the hub drops its link.

    All raise HubUnreachable, CommandUnknown, EnrolmentRefused, FrameError, and what Credentials.certify_hub raises.
    """

    def __init__(
        self, commander: Commander, documents: Documents, credentials: Credentials, listener: HubListener
    ) -> None:
        self._commander = commander
        self._documents = documents
        self._credentials = credentials
        self._listener = listener

    async def certify(self) -> HubCard:
        """A certificate of the practice over the hub's present keys; the hub as it calls itself then."""
        hub = self._commander.session.peer
        assert hub.agreement_x is not None, "a hub's certificate carries it"
        return await self._certify(hub.signing_key, hub.agreement_x)

    async def rekey(self) -> HubCard:
        """New keys, certified; counter, sequence and memory begin at 0 with them."""
        notice, body = await self._documents.ask(self._commander, Bare(Opcode.REKEY), DocumentKind.KEYS)
        if not notice.receipt.accepted:
            raise EnrolmentRefused(notice.receipt.code)
        return await self._certify(*decode_keys(body))

    async def _certify(self, signing_key: bytes, agreement_x: bytes) -> HubCard:
        serial = self._commander.session.hub_serial
        certificate = self._credentials.certify_hub(serial, signing_key, agreement_x)
        told = self._documents.expect(DocumentKind.IDENTITY)
        notice = await self._commander.send(Enrol(self._credentials.trust.root.raw, certificate))
        if not notice.receipt.accepted:
            raise EnrolmentRefused(notice.receipt.code)
        try:
            card = decode_card(octets(await self._documents.body(DocumentKind.IDENTITY, told)))
        except (HubUnreachable, FrameError):
            self._listener.enrolled(serial, certificate, None)
            raise
        self._listener.enrolled(serial, certificate, card.irk)
        return card
