"""A simulated hub without its radio: body, memory, therapy and command desk on one clock of ticks."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final, Protocol

import numpy as np

from core.model.block import SampleBlock
from core.model.hub import HubIdentity, HubStatus, TherapyState
from core.model.wear import EventKind
from core.signals.catalogue import Catalogue, load_catalogue
from devices.hub.frames import FRAME_OVERHEAD, MAX_BLOCKS, MAX_FRAME, block_size, encode_samples
from devices.hub.session.keys import Session
from devices.hub.session.wire import JournalEvent
from devices.hub.status import NO_ENVELOPE, StatusReport, encode_status
from devices.simulator.body import TICK_US, Body
from devices.simulator.card import identity, identity_document
from devices.simulator.client import Client
from devices.simulator.consent import Consent
from devices.simulator.control import Battery, Control, Fail, LimitMemory, PatientStop
from devices.simulator.desk import Desk
from devices.simulator.firmware import released
from devices.simulator.journal import JournalWriter
from devices.simulator.logbook import Logbook
from devices.simulator.memory import Memory
from devices.simulator.parts import Parts
from devices.simulator.patient import undergo
from devices.simulator.physiology.drift import Drift
from devices.simulator.physiology.mind import Mind
from devices.simulator.progress import Progress
from devices.simulator.receipt_book import ReceiptBook
from devices.simulator.store import CAPACITY_FRAMES, Store
from devices.simulator.therapy import Therapy
from devices.simulator.vault import Vault, factory, random_bytes, reproducible
from devices.simulator.wear import DayCounter, WearLog

_BATTERY_LASTS_S: Final = 12 * 3600.0
_BATTERY_LOW: Final = 20

Tongue = Callable[[list[SampleBlock]], list[SampleBlock]]
"""What a hub that lies makes of a tick's samples."""
Voice = Callable[[bytes], bytes]
"""What a hub that lies makes of a receipt."""
WearLogs = Callable[[Store, Catalogue, int], WearLog]
"""Makes what looks after the time between visits, of a boot."""


class Mischief(Protocol):
    """Something that no honest hub does (devices/simulator/mischief.py)."""

    def corrupt(self, brain: "Brain") -> None:
        """Make this boot of the hub do it."""
        ...


class Brain:
    """Everything that a hub does; whoever has a radio moves the bytes.

    Args:
        seed: same seed and same boot, same samples. Without `state`, same serial and seed, same keys.
        state: folder of what outlives a power loss; without one it outlives a `reboot` alone.
        journal: told of every sample made.
        capacity: frames that memory holds.
        measurement: in place of what the simulator's source measures, 32 bytes.
        lasting: what is in `state` survives a power cut of this machine, as a hub's flash does. Costs time.

    Attributes:
        parts: the present boot's.
        identity: as it reads now; its boot changes with each `reboot`.
        client: the session that stands, None without one.
        tongues: what becomes of samples between sensors and memory; nothing, of an honest hub.
        voice: what becomes of a signed receipt on its way to the radio; nothing, of an honest hub.
    """

    parts: Parts
    desk: Desk

    def __init__(
        self,
        *,
        serial: str,
        seed: int,
        state: Path | None = None,
        journal: JournalWriter | None = None,
        catalogue: Catalogue | None = None,
        capacity: int = CAPACITY_FRAMES,
        measurement: bytes | None = None,
        wear: WearLogs = DayCounter,
        lasting: bool = False,
    ) -> None:
        self._serial = serial
        self._seed = seed
        self._fresh = random_bytes if state is not None else reproducible(serial, seed)
        self._store = Store(state, factory(serial, self._fresh), capacity=capacity, lasting=lasting)
        self._journal = journal
        self._catalogue = catalogue or load_catalogue()
        self._wear = wear
        self._battery = 92.0
        self._low = False
        self._firmware = released(measurement)
        self.client: Client | None = None
        self.tongues: list[Tongue] = []
        self.voice: Voice = _honest
        self._mischief: list[Mischief] = []
        self._mind: Mind | None = None
        self._boot()

    def _boot(self) -> None:
        store = self._store
        state = store.state
        state.boot += 1
        store.save()
        boot, under_way = state.boot, state.under_way
        body = Body(self._catalogue, self._seed, boot, mind=self._mind)
        self._mind = body.mind
        progress = Progress(store)
        self.parts = Parts(
            serial=self._serial,
            boot=boot,
            store=store,
            vault=Vault(self._serial, store, self._fresh),
            firmware=self._firmware,
            body=body,
            memory=Memory(store),
            therapy=Therapy(under_way.procedure, (under_way.phase, under_way.elapsed_us)) if under_way else Therapy(),
            progress=progress,
            consent=Consent(progress),
            wear=self._wear(store, self._catalogue, boot),
            logbook=Logbook(store, boot, lambda: body.now_us),
            receipts=ReceiptBook(store),
        )
        self.desk = Desk(self.parts)
        self._fade = Drift(np.random.default_rng([self._seed, boot, 99]), 3.0, 20.0)
        if state.counter > state.accounted:
            self.logbook.passing(state.counter, b"")
        self.logbook.write(JournalEvent.BOOT)
        store.save()
        self.tongues.clear()
        self.voice = _honest
        for one in self._mischief:
            one.corrupt(self)

    def corrupt(self, one: Mischief) -> None:
        """From now on, over reboots too, the hub does this."""
        self._mischief.append(one)
        one.corrupt(self)

    def behave(self) -> None:
        """The hub is honest again, as if its battery had been taken out and it had been mended."""
        self._mischief.clear()
        self.reboot()

    def reboot(self) -> None:
        """As after a power loss: what was not written is gone."""
        self.client = None
        self._store.reload()
        self._boot()

    def close(self) -> None:
        """Switch it off: what the store has not yet is written."""
        self.end_session()
        self.logbook.settle()
        self.wear.save()
        self._store.close()

    @property
    def identity(self) -> HubIdentity:
        return identity(self.parts)

    @property
    def body(self) -> Body:
        return self.parts.body

    @property
    def memory(self) -> Memory:
        return self.parts.memory

    @property
    def therapy(self) -> Therapy:
        return self.parts.therapy

    @property
    def vault(self) -> Vault:
        return self.parts.vault

    @property
    def wear(self) -> WearLog:
        return self.parts.wear

    @property
    def logbook(self) -> Logbook:
        return self.parts.logbook

    @property
    def battery_percent(self) -> int:
        return round(self._battery)

    def begin_session(self, session: Session) -> bytes:
        """A session stands; the identity document, to be sent at once."""
        if self.vault.enrolled:
            self.vault.accepted(session.peer)
        self.settle()
        self.client = Client(session, self.vault.signer)
        self.logbook.write(JournalEvent.SESSION_BEGUN, signer=session.peer.kid)
        return identity_document(self.parts)

    def settle(self) -> None:
        """What memory holds survives a power cut from now on: a sequence that somebody was told is never used again."""
        self._store.settle()

    def end_session(self) -> None:
        if self.client is not None:
            self.client = None
            self.logbook.settle()

    def open_by_hand(self) -> bool:
        """The button was held for 10 s. False: therapy is not idle, or enrolment is open already."""
        if not self.vault.enrolled or self.therapy.state is not TherapyState.IDLE:
            return False
        self.end_session()
        self.logbook.write(JournalEvent.OPENED)
        self.memory.forget()
        self.wear.forget()
        self.vault.open_by_hand()
        self.desk.forget()
        return True

    def tick(self, lease_us: int = TICK_US) -> list[bytes]:
        """Let 50 ms of hub time pass, and `lease_us` of the lease; the frames that came of it, stored already."""
        parts, therapy = self.parts, self.therapy
        running = therapy.running
        delivered = therapy.advance(TICK_US, lease_us, parts.tissue_c)
        self._held_by_itself(running)
        if delivered:
            parts.progress.add(therapy.procedure, therapy.phase, delivered)
        dose = therapy.dose
        if dose == 0 and self.body.swarm.dose > 0:
            self.body.warmth.withdrawn()
        blocks = self.body.tick(dose, therapy.module, therapy.tooth)
        parts.progress.keep(therapy)
        self._age()
        if self._journal is not None:
            self._journal.write(blocks)
        for tongue in self.tongues:
            blocks = tongue(blocks)
        self.wear.add(blocks, self.body.now_us)
        return self._remember(blocks)

    def _held_by_itself(self, running: bool) -> None:
        """No command did it, so that the journal has to tell. `running`: whether therapy ran just before."""
        if running and self.therapy.state in (TherapyState.HELD, TherapyState.FAULT):
            self.logbook.write(JournalEvent.HELD, code=self.therapy.cause)

    def _age(self) -> None:
        self._battery = max(0.0, self._battery - 100 * TICK_US / 1e6 / _BATTERY_LASTS_S)
        self._fade.step(TICK_US / 1e6)
        low = self._battery <= _BATTERY_LOW
        if low and not self._low:
            self.wear.note(EventKind.BATTERY_LOW, self.battery_percent)
        self._low = low

    def _remember(self, blocks: list[SampleBlock]) -> list[bytes]:
        memory, boot, now_us = self.memory, self.parts.boot, self.body.now_us
        frames = [
            encode_samples(boot, sequence, now_us, packed)
            for sequence, packed in enumerate(_packed(blocks), memory.next_sequence)
        ]
        if memory.store(frames):
            self.wear.note(EventKind.MEMORY_FULL, memory.dropped)
        return frames

    def status(self) -> bytes:
        """The status record's plaintext."""
        therapy, memory = self.therapy, self.memory
        envelope = self.parts.consent.in_force(self.body.now_us)
        status = HubStatus(
            therapy=therapy.state,
            cause=therapy.cause,
            phase=therapy.phase,
            phase_elapsed_ms=therapy.elapsed_us // 1000,
            hub_time_us=self.body.now_us,
            lease_ms=-(-max(0, therapy.lease_us) // 1000),
            command_counter=self.desk.counter,
            oldest_sequence=memory.oldest,
            newest_sequence=memory.next_sequence - 1,
            battery_percent=self.battery_percent,
            rssi_dbm=round(-58 + self._fade.value),
            missed_events=0,
            memory_percent=memory.used_percent,
            swarm_dose_percent=self.body.swarm.told_percent(therapy.dose),
            patient_stop=therapy.patient_stop,
        )
        report = StatusReport(
            status=status,
            boot=self.parts.boot,
            next_sequence=memory.next_sequence,
            dropped=memory.dropped,
            streaming=self.client is not None and self.client.streaming,
            envelope=envelope[: len(NO_ENVELOPE)] if envelope is not None else NO_ENVELOPE,
            events_dropped=self._store.state.events_dropped,
        )
        return encode_status(report)

    def shown(self) -> tuple[object, ...]:
        """What makes a new status due when it changes."""
        therapy = self.therapy
        envelope = self.parts.consent.in_force(self.body.now_us)
        return (therapy.state, therapy.cause, therapy.phase, therapy.patient_stop, envelope)

    def apply(self, message: Control) -> None:
        """What happens to the patient or the hub itself; messages about the link are for whoever has the radio."""
        running = self.therapy.running
        match message:
            case PatientStop():
                self.therapy.press_patient_stop(message.pressed)
            case Battery():
                self._battery = float(min(100, max(0, message.percent)))
            case LimitMemory():
                self._store.limit(message.frames)
            case Fail():
                self.therapy.fail()
                self.wear.note(EventKind.FAULT, 0)
            case _:
                undergo(self.body, message)
        self._held_by_itself(running)


def _honest(receipt: bytes) -> bytes:
    return receipt


def _packed(blocks: Sequence[SampleBlock]) -> list[list[SampleBlock]]:
    """Fill frames in the order given; a tick has at most one block of each channel."""
    frames: list[list[SampleBlock]] = []
    room = 0
    for block in blocks:
        size = block_size(len(block.samples))
        if not frames or size > room or len(frames[-1]) == MAX_BLOCKS:
            frames.append([])
            room = MAX_FRAME - FRAME_OVERHEAD
        frames[-1].append(block)
        room -= size
    return frames
