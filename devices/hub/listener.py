"""Whom a hub driver tells, and what."""

from collections.abc import Sequence
from typing import Protocol

import msgspec

from core.model.block import SampleBlock
from core.model.errors import SmilescapeError
from core.model.hub import DeviceInfo, HubStatus, LinkState
from core.model.wear import DaySummary, HubEvent
from core.model.words import Text
from devices.hub.credentials import KnownHub
from devices.hub.session.attestation import Attestation
from devices.hub.session.errors import FirmwareRefused, JournalBroken
from devices.hub.session.identity import HubCard
from devices.hub.session.journal import JournalEntry, JournalHead
from devices.hub.session.signed import SignedReceipt


class SentCommand(msgspec.Struct, frozen=True, kw_only=True):
    """A command on its way, for the audit log and the comparison with the hub's journal.

    Attributes:
        opcode, counter: 0 and 0 for STOP.
        sha256: of the control message; of STOP, that of its plaintext.
        signer: kid of the clinician who signed; empty when it needs no signature.
        session_id: of the session in which it goes, 16 bytes.
    """

    opcode: int
    counter: int
    sha256: bytes
    signer: bytes
    session_id: bytes


class HubListener(Protocol):
    """Everything is called in the driver's event loop, and must return soon; only what is async may wait."""

    def link_changed(self, state: LinkState, reason: Text | None) -> None: ...

    def paired(self, paired: bool | None) -> None:
        """Whether the link is paired too; None where the platform offers none. Nothing depends on it."""
        ...

    def identified(self, card: HubCard, info: DeviceInfo) -> None:
        """Once for each session, before anything else of it; a new boot and a new IRK show here first.

        In the session that enrols a hub, too: its flags say that it is open, and its serial can still be compared.

        Raises:
            LinkRefused: it may not be talked to.
        """
        ...

    def enrolled(self, serial: str, certificate: bytes, irk: bytes | None) -> None:
        """The hub took this certificate of the practice; the next session is under it.

        Args:
            irk: by which its advertisements are recognised from now on; None: it was lost with the link, and the hub
                has to be found by a scan.
        """
        ...

    async def known(self, serial: str) -> KnownHub | None:
        """What is remembered of a hub that was not named when the driver was made; None: nothing."""
        ...

    async def resume_point(self, serial: str, keys: bytes) -> int | None:
        """Highest sequence up to which everything is committed, over all boots; None: nothing yet.

        Args:
            keys: kid of the hub's certificate; new keys count from 0 again.
        """
        ...

    def attested(self, attestation: Attestation) -> None:
        """The hub proved what it runs."""
        ...

    def firmware_refused(self, error: FirmwareRefused) -> None:
        """It did not: in this session it gets no orders that treat."""
        ...

    def blocks_arrived(self, blocks: Sequence[SampleBlock], sequences: Sequence[range]) -> None:
        """New samples of one boot. Each frame comes once, live or back-filled.

        Args:
            blocks: one for each run of consecutive samples of a channel; ascending.
            sequences: the frames that brought them. Commit the blocks, then call `committed` with each range.
        """
        ...

    def frames_lost(self, first: int, last: int) -> None:
        """The hub no longer holds these, and we never had them."""
        ...

    def backfill_changed(self, missing: int) -> None:
        """Frames still to fetch."""
        ...

    def status_changed(self, status: HubStatus) -> None: ...

    async def command_due(self, command: SentCommand) -> None:
        """A command of `WRITTEN_FIRST` is about to be sent; returns once that is durable.

        It may be made anew, under another counter, when HOLD or a lease went out meanwhile: then this one never goes.

        Raises:
            SmilescapeError: it cannot be written down, so it is not sent.
        """
        ...

    def command_sent(self, command: SentCommand) -> None:
        """Just before it is written to the air, repetitions of STOP apart."""
        ...

    def receipt_arrived(self, receipt: SignedReceipt) -> None:
        """Each genuine receipt of a command of ours, whether somebody waits for it or not."""
        ...

    def journal_arrived(self, entries: Sequence[JournalEntry], head: JournalHead) -> None:
        """Entries that follow what was known, and where the journal stands after them."""
        ...

    def journal_broken(self, error: JournalBroken) -> None:
        """The journal does not follow what was known. Nothing more of it is read in this session."""
        ...

    def wear_arrived(self, days: Sequence[DaySummary], events: Sequence[HubEvent]) -> None:
        """What the hub kept of the time between visits. A day that comes again replaces what was known of it."""
        ...

    def frame_refused(self, error: SmilescapeError, raw: bytes) -> None:
        """A value from the hub that was not used; nothing is lost by it."""
        ...

    def security_event(self, error: SmilescapeError) -> None:
        """Something that only an attack or a defect does."""
        ...
