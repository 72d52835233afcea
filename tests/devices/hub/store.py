"""A listener that keeps everything."""

from collections.abc import Awaitable, Callable, Sequence

from core.model.block import Provenance, SampleBlock
from core.model.errors import SmilescapeError
from core.model.hub import DeviceInfo, HubStatus, LinkState
from core.model.wear import DaySummary, HubEvent
from core.model.words import Text
from devices.hub.credentials import KnownHub
from devices.hub.driver import HubDriver
from devices.hub.listener import SentCommand
from devices.hub.session.attestation import Attestation
from devices.hub.session.errors import FirmwareRefused, JournalBroken
from devices.hub.session.identity import HubCard
from devices.hub.session.journal import JournalEntry, JournalHead
from devices.hub.session.signed import SignedReceipt

Sample = tuple[int, int, int]
"""Boot, channel, index."""


class Store:
    """Commits at once unless told otherwise."""

    def __init__(self) -> None:
        self.driver: HubDriver | None = None
        self.committing = True
        self.samples: dict[Sample, tuple[int, int]] = {}
        self.provenances: set[Provenance] = set()
        self.sequences: set[int] = set()
        self.doubled: list[object] = []
        self.lost: set[int] = set()
        self.statuses: list[HubStatus] = []
        self.links: list[tuple[LinkState, Text | None]] = []
        self.cards: list[HubCard] = []
        self.infos: list[DeviceInfo] = []
        self.pairings: list[bool | None] = []
        self.refused: list[SmilescapeError] = []
        self.alarms: list[SmilescapeError] = []
        self.attestations: list[Attestation] = []
        self.unproven: list[FirmwareRefused] = []
        self.sent: list[SentCommand] = []
        self.late: list[SignedReceipt] = []
        self.entries: list[JournalEntry] = []
        self.head: JournalHead | None = None
        self.broken: list[JournalBroken] = []
        self.days: dict[int, DaySummary] = {}
        self.events: list[HubEvent] = []
        self.enrolments: list[tuple[str, bytes, bytes | None]] = []
        self.missing = 0
        self.resume: int | None = None
        self.memory: KnownHub | None = None
        self.asked: list[tuple[str, bytes]] = []
        self.due: list[SentCommand] = []
        self.write: Callable[[SentCommand], Awaitable[None]] = self._written
        self.judge: Callable[[HubCard], None] = lambda _: None

    @staticmethod
    async def _written(command: SentCommand) -> None:
        """At once."""

    def link_changed(self, state: LinkState, reason: Text | None) -> None:
        self.links.append((state, reason))

    def paired(self, paired: bool | None) -> None:
        self.pairings.append(paired)

    def identified(self, card: HubCard, info: DeviceInfo) -> None:
        self.judge(card)
        self.cards.append(card)
        self.infos.append(info)

    def enrolled(self, serial: str, certificate: bytes, irk: bytes | None) -> None:
        self.enrolments.append((serial, certificate, irk))

    async def known(self, serial: str) -> KnownHub | None:
        return self.memory

    async def resume_point(self, serial: str, keys: bytes) -> int | None:
        self.asked.append((serial, keys))
        return self.resume

    def attested(self, attestation: Attestation) -> None:
        self.attestations.append(attestation)

    def firmware_refused(self, error: FirmwareRefused) -> None:
        self.unproven.append(error)

    def blocks_arrived(self, blocks: Sequence[SampleBlock], sequences: Sequence[range]) -> None:
        self.provenances |= {block.provenance for block in blocks}
        for block in blocks:
            for n, value in enumerate(block.samples.tolist()):
                key = (block.boot, block.channel, block.first_index + n)
                if key in self.samples:
                    self.doubled.append(key)
                self.samples[key] = (block.start_us + n * block.period_us, value)
        for numbers in sequences:
            self.doubled += sorted(self.sequences.intersection(numbers))
            self.sequences.update(numbers)
            if self.committing and self.driver is not None:
                self.driver.committed(numbers)

    def frames_lost(self, first: int, last: int) -> None:
        self.lost.update(range(first, last + 1))

    def backfill_changed(self, missing: int) -> None:
        self.missing = missing

    def status_changed(self, status: HubStatus) -> None:
        self.statuses.append(status)

    async def command_due(self, command: SentCommand) -> None:
        self.due.append(command)
        await self.write(command)

    def command_sent(self, command: SentCommand) -> None:
        self.sent.append(command)

    def receipt_arrived(self, receipt: SignedReceipt) -> None:
        self.late.append(receipt)

    def journal_arrived(self, entries: Sequence[JournalEntry], head: JournalHead) -> None:
        self.entries += entries
        self.head = head

    def journal_broken(self, error: JournalBroken) -> None:
        self.broken.append(error)

    def wear_arrived(self, days: Sequence[DaySummary], events: Sequence[HubEvent]) -> None:
        self.days |= {one.day: one for one in days}
        self.events += events

    def frame_refused(self, error: SmilescapeError, raw: bytes) -> None:
        self.refused.append(error)

    def security_event(self, error: SmilescapeError) -> None:
        self.alarms.append(error)

    @property
    def up(self) -> bool:
        return bool(self.links) and self.links[-1][0] is LinkState.UP

    def boots(self) -> set[int]:
        return {boot for boot, _, _ in self.samples}


async def no_disk(command: SentCommand) -> None:
    """Nothing is written down before it is sent."""
