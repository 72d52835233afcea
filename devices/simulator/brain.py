"""A simulated hub without its radio: body, memory, therapy and command desk on one clock of ticks."""

from typing import Final

import numpy as np

from core.model.block import SampleBlock
from core.model.hub import HubIdentity, HubStatus
from core.signals.catalogue import Catalogue, load_catalogue
from devices.hub.frames import FRAME_OVERHEAD, MAX_BLOCKS, MAX_FRAME, block_size, encode_samples
from devices.hub.identity import PROFILE_MAJOR, PROFILE_MINOR
from devices.hub.status import StatusReport, encode_status
from devices.simulator.body import TICK_US, Body
from devices.simulator.boots import Boots
from devices.simulator.control import Battery, Control, Fail, PatientStop
from devices.simulator.desk import Desk, Session
from devices.simulator.journal import JournalWriter
from devices.simulator.memory import CAPACITY_FRAMES, Memory
from devices.simulator.patient import undergo
from devices.simulator.physiology.drift import Drift
from devices.simulator.therapy import Therapy

MODEL: Final = "Smilescape Hub"
FIRMWARE: Final = "1.0.0"
HARDWARE: Final = "simulated"
_BATTERY_LASTS_S: Final = 12 * 3600.0


class Brain:
    """Everything that a hub does; whoever has a radio moves the bytes.

    Attributes:
        identity: as it reads now; its boot changes with each `reboot`.
        session: the link in place, None without one.
    """

    def __init__(
        self,
        *,
        serial: str,
        seed: int,
        boots: Boots | None = None,
        journal: JournalWriter | None = None,
        catalogue: Catalogue | None = None,
        capacity: int = CAPACITY_FRAMES,
    ) -> None:
        self._serial = serial
        self._seed = seed
        self._boots = boots or Boots()
        self._journal = journal
        self._catalogue = catalogue or load_catalogue()
        self._capacity = capacity
        self._battery = 92.0
        self.session: Session | None = None
        self._boot()

    def _boot(self) -> None:
        boot, interrupted = self._boots.boot()
        self.identity = HubIdentity(
            serial=self._serial,
            model=MODEL,
            firmware=FIRMWARE,
            hardware=HARDWARE,
            profile_major=PROFILE_MAJOR,
            profile_minor=PROFILE_MINOR,
            boot=boot,
            simulated=True,
        )
        self.body = Body(self._catalogue, self._seed, boot)
        self.memory = Memory(self._capacity)
        self.therapy = Therapy(interrupted)
        self.desk = Desk(boot, self.body, self.memory, self.therapy)
        self._fade = Drift(np.random.default_rng([self._seed, boot, 99]), 3.0, 20.0)

    def reboot(self) -> None:
        """As after a power loss: memory, receipts and order are gone; the boot counter and an open phase are not."""
        self._note_phase()
        self.session = None
        self._boot()

    @property
    def battery_percent(self) -> int:
        return round(self._battery)

    def tick(self, lease_us: int = TICK_US) -> list[bytes]:
        """Let 50 ms of hub time pass, and `lease_us` of the lease; the frames that came of it, stored already."""
        self.therapy.advance(TICK_US, lease_us, self.body.warmth.tissue)
        dose = self.therapy.dose
        if dose == 0 and self.body.swarm.dose > 0:
            self.body.warmth.withdrawn()
        blocks = self.body.tick(dose, self.therapy.module, self.therapy.tooth)
        self._note_phase()
        self._battery = max(0.0, self._battery - 100 * TICK_US / 1e6 / _BATTERY_LASTS_S)
        self._fade.step(TICK_US / 1e6)
        if self._journal is not None:
            self._journal.write(blocks)
        frames = []
        for packed in _packed(blocks):
            frame = encode_samples(self.identity.boot, self.memory.next_sequence, self.body.now_us, packed)
            self.memory.store(frame)
            frames.append(frame)
        return frames

    def status(self) -> bytes:
        """The status characteristic's value."""
        therapy, memory = self.therapy, self.memory
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
            boot=self.identity.boot,
            next_sequence=memory.next_sequence,
            dropped=memory.dropped,
            streaming=self.session is not None and self.session.streaming,
        )
        return encode_status(report)

    def shown(self) -> tuple[int, ...]:
        """What makes a new status due when it changes."""
        therapy = self.therapy
        return (therapy.state, therapy.cause, therapy.phase, therapy.patient_stop)

    def apply(self, message: Control) -> None:
        """What happens to the patient or the hub itself; messages about the link are for whoever has the radio."""
        match message:
            case Battery():
                self._battery = float(min(100, max(0, message.percent)))
            case PatientStop():
                self.therapy.press_patient_stop(message.pressed)
            case Fail():
                self.therapy.fail()
            case _:
                undergo(self.body, message)

    def _note_phase(self) -> None:
        self._boots.under_way(self.therapy.phase if self.therapy.under_way else 0)


def _packed(blocks: list[SampleBlock]) -> list[list[SampleBlock]]:
    """Blocks in as many frames as they need, in order."""
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
