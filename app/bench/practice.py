"""A practice in memory, and a chair with nobody in it: all that stands between a hub and the disk."""

import asyncio
import secrets
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

from app.engine.clock import AsyncClock
from app.engine.flow import Frames, SampleFlow
from app.engine.hub_link import HubLink
from app.engine.recorder import Committed, Recorder
from app.ipc.ring import RingWriter
from core.keys.issuing import AgreementKey
from core.model.block import SampleBlock
from core.model.certificate import Certificate, Role, Trust, issue, issue_root, read_root, read_unverified
from core.model.cose import KeySigner
from core.model.hub import HubIdentity, HubStatus, LinkState, ReceiptCode
from core.model.procedure import Doubt
from core.model.words import Text
from core.record import Record, RecordError
from core.safety.limit_table import load_limits
from core.safety.limits import Crossing, LimitMonitor, strictest
from core.signals.catalogue import load_catalogue
from devices.hub.credentials import Clinician, KnownHub
from devices.hub.session.handshake import SessionKey
from devices.radio import Radio
from devices.simulator import maker
from devices.simulator.brain import Brain

_YEAR_S: Final = 31_536_000
_DAY_S: Final = 86_400


class Practice:
    """Keys of a practice that has one workstation and one clinician (app.engine.hub_link.HubKeys)."""

    def __init__(self) -> None:
        self._root = KeySigner()
        self._now_s = int(time.time())
        valid = {"not_before_s": self._now_s - _YEAR_S, "not_after_s": self._now_s + _YEAR_S}
        self.trust = Trust(read_root(issue_root(self._root, subject="Practice", **valid)))
        self.maker = Trust(read_root(maker.root_certificate()))
        signer = read_unverified(maker.firmware_certificate())
        self.firmware_signers: Mapping[bytes, Certificate] = {signer.kid: signer}
        agreement = AgreementKey.generate()
        mine = self._certified(Role.WORKSTATION, "workstation", KeySigner().public, agreement.x)
        self.workstation = SessionKey(mine, agreement.private)
        person = KeySigner()
        self.clinician = Clinician(self._certified(Role.CLINICIAN, "clinician", person.public), person)
        self._known: dict[str, KnownHub] = {}

    def enrol(self, brain: Brain) -> None:
        """Make a hub ours, by hand. It was read today: what is measured is no reading of ninety days."""
        mine = brain.vault.key.certificate
        assert mine.agreement_x is not None
        certificate = self.certify_hub(mine.subject, mine.signing_key, mine.agreement_x)
        if brain.vault.enrol(self.trust.root.raw, certificate, idle=True) is not ReceiptCode.DONE:
            raise RuntimeError("the simulated hub does not let itself be enrolled")
        known = self.known(mine.subject) or KnownHub(mine.subject)
        self.remember(replace(known, irk=brain.vault.irk, last_day=self._now_s // _DAY_S))

    def certify_hub(self, serial: str, signing_key: bytes, agreement_x: bytes) -> bytes:
        return self._certified(Role.HUB, serial, signing_key, agreement_x).raw

    def known(self, serial: str) -> KnownHub | None:
        return self._known.get(serial)

    def remember(self, known: KnownHub) -> None:
        self._known[known.serial] = known

    def hub_holds(self, serial: str, certificate: bytes) -> None:
        """Nothing: what hubs hold is not listed here."""

    def hub_has_list(self, serial: str, number: int) -> None:
        """Nothing: nobody is revoked here."""

    def workstation_name(self, kid: bytes) -> str:
        return kid.hex()

    def hub_due(self, serial: str) -> bool:
        return False

    def _certified(self, role: Role, name: str, signing_key: bytes, x: bytes | None = None) -> Certificate:
        raw = issue(
            self._root,
            role=role,
            subject=name,
            not_before_s=self._now_s - _YEAR_S,
            not_after_s=self._now_s + _YEAR_S,
            signing_key=signing_key,
            agreement_x=x,
        )
        return read_unverified(raw)


class CountingFlow(SampleFlow):
    """Attributes: frames: how many brought what was taken."""

    frames = 0

    def take(self, source: str, blocks: Sequence[SampleBlock], frames: Frames = ()) -> list[Crossing]:
        crossings = super().take(source, blocks, frames)
        self.frames += sum(stop - first for _, first, stop in frames)
        return crossings


class EndOfTheLink(CountingFlow):
    """Takes blocks and keeps none: what comes after the link is measured elsewhere."""

    def take(self, source: str, blocks: Sequence[SampleBlock], frames: Frames = ()) -> list[Crossing]:
        self.frames += sum(stop - first for _, first, stop in frames)
        return []


class Seat:
    """A chair without people (app.engine.hub_link.HubOwner): link, detectors, limits, record, ring, acknowledgements.

    Attributes:
        link: to the hub; None before `bind`.
        path, key: of its record.
        flow: what its samples go through.
        committed: frames that are durable.
        doubts: what the hub was doubted for.
        problems: what went wrong, in words.
        up: set while the link is up.
        dose: that may flow, %.
    """

    def __init__(
        self, number: int, folder: Path, clock: AsyncClock, *, flow: type[CountingFlow] = CountingFlow
    ) -> None:
        self._clock = clock
        self._loop = asyncio.get_running_loop()
        self.path = folder / f"chair-{number}.sqlite"
        self.key = secrets.token_bytes(32)
        self.link: HubLink | None = None
        self.committed = 0
        self.doubts: set[Doubt] = set()
        self.problems: list[str] = []
        self.up = asyncio.Event()
        self.dose = 0.0
        self._catalogue = load_catalogue()
        record = Record.create(self.path, self.key, chair=number, simulated=True, clock=clock)
        self._ring = RingWriter(folder / f"chair-{number}.ring")
        self._recorder = Recorder(record, committed=self._on_committed, failed=self._on_failed)
        self.flow = flow(
            catalogue=self._catalogue,
            monitor=LimitMonitor(strictest(load_limits().limits), self._catalogue),
            recorder=self._recorder,
            ring=self._ring,
            clock=clock,
        )
        self._recorder.start()

    def bind(self, radio: Radio, practice: Practice, address: str, serial: str, *, enrol: bool = False) -> HubLink:
        """Keep a link to a hub."""
        self.link = HubLink(
            address,
            serial=serial,
            enrol=enrol,
            radio=radio,
            keys=practice,
            catalogue=self._catalogue,
            flow=self.flow,
            recorder=self._recorder,
            owner=self,
            standing=lambda _: (),
            clock=self._clock,
            simulated=True,
        )
        return self.link

    async def close(self) -> None:
        if self.link is not None:
            await self.link.close()
        await asyncio.to_thread(self._recorder.close)
        self._ring.close()

    def _on_committed(self, committed: Committed) -> None:
        self._loop.call_soon_threadsafe(self._acknowledge, committed)

    def _acknowledge(self, committed: Committed) -> None:
        self.committed += sum(stop - first for arrival in committed.arrivals for _, first, stop in arrival.frames)
        if self.link is not None:
            self.link.acknowledge(committed)

    def _on_failed(self, error: RecordError | None) -> None:
        if error is not None:
            self.problems.append(str(error))

    # what the link tells

    def hub_link_changed(self, state: LinkState) -> None:
        if state is LinkState.UP:
            self.up.set()
        else:
            self.up.clear()

    def hub_status(self, status: HubStatus) -> None: ...
    def hub_identified(self, identity: HubIdentity, rebooted: bool) -> None: ...
    def crossed(self, crossings: Sequence[Crossing]) -> None: ...

    def hub_frame_refused(self, reason: str) -> None:
        self.problems.append(reason)

    def hub_frames_lost(self, frames: int) -> None:
        self.problems.append(f"{frames} frames were lost")

    def hub_doubted(self, doubt: Doubt, where: str, before: bool) -> None:
        self.doubts.add(doubt)

    def hub_settled(self, doubt: Doubt) -> None: ...
    def hub_said(self, text: Text) -> None: ...

    def expected_dose(self) -> float:
        return self.dose

    def touched(self) -> None: ...
