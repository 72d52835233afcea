"""One chair: its devices, its samples, its record and its procedure."""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from app.engine.alarm_desk import AlarmDesk
from app.engine.clock import AsyncClock, within
from app.engine.doubts_desk import DoubtsDesk
from app.engine.evidence import EvidenceDesk
from app.engine.flow import SampleFlow
from app.engine.hub_link import HubLink
from app.engine.keys_desk import KeysDesk
from app.engine.recorder import Committed, Recorder
from app.engine.runner import NOBODY
from app.engine.sensor_link import SensorLink, SensorOwner
from app.engine.vigil import Vigil
from app.engine.visit import Surroundings, Visits
from app.ipc.ring import RingWriter
from core.model.hub import HubIdentity, HubStatus, LinkState, Opcode
from core.model.hub_doubt import LASTING
from core.model.intents import Intent
from core.model.limits import Limit
from core.model.people import Operator, Patient, ToothState
from core.model.procedure import Doubt, PhaseState, ProcedureView
from core.model.words import Text
from core.procedure.events import (
    DiskFull,
    Distrusted,
    Event,
    HubReported,
    LimitCrossed,
    LinkLost,
    LinkUp,
    Note,
    StopPressed,
)
from core.procedure.modules import ModuleCatalogue
from core.record import Record, RecordError
from core.safety.limits import Crossing, LimitMonitor, strictest
from core.signals.catalogue import Catalogue
from devices.hub.credentials import Clinician
from devices.radio import Radio

T = TypeVar("T")
log = logging.getLogger(__name__)

SETTLE_SECONDS = 5.0
"""How long an end waits for orders that are on their way."""


@dataclass(frozen=True, slots=True)
class House:
    """What all chairs share.

    Attributes:
        operator: id of who is logged in, empty when nobody is.
        bound: told chair, address and serial when the hub at an address has said who it is.
        changed: told the number of a chair whose picture is out of date.
        doubted: told the number of a chair whose hub is doubted anew.
        evidence: has logs signed and witnessed; None where nothing is.
    """

    radio: Radio
    keys: KeysDesk
    catalogue: Catalogue
    modules: ModuleCatalogue
    alarms: AlarmDesk
    doubts: DoubtsDesk
    clock: AsyncClock
    simulated: bool
    operator: Callable[[], str]
    bound: Callable[[int, str, str], None]
    changed: Callable[[int], None]
    doubted: Callable[[int], None]
    evidence: EvidenceDesk | None = None


class Chair:
    """One chair of the practice.

    Attributes:
        number: 1…
        recorder: the thread that owns this chair's record.
        hub: None while no hub is bound.
        visits: the open visit, or the last one until the next patient is seated.
        recording: whether samples reach the disk; None before the first commit.
        expects_hub: a hub is bound to this chair, though the radio may not be there yet.
    """

    def __init__(self, number: int, record: Record, ring: RingWriter, house: House) -> None:
        self.number = number
        self.house = house
        self.hub: HubLink | None = None
        self.sensors: dict[str, SensorLink] = {}
        self.recording: bool | None = None
        self.expects_hub = False
        self.monitor = LimitMonitor(strictest(house.modules.limits), house.catalogue)
        self._loop = asyncio.get_running_loop()
        self.recorder = Recorder(record, committed=self._on_committed, failed=self._on_failed)
        self.flow = SampleFlow(
            catalogue=house.catalogue,
            monitor=self.monitor,
            recorder=self.recorder,
            ring=ring,
            clock=house.clock,
        )
        self.visits = Visits(
            Surroundings(
                chair=number,
                simulated=house.simulated,
                modules=house.modules,
                clock=house.clock,
                recorder=self.recorder,
                flow=self.flow,
                hub=lambda: self.hub.driver if self.hub is not None else None,
                clinician=self._clinician,
                proven=lambda: self.hub.proven if self.hub is not None else None,
                changed=self._procedure_changed,
                noted=self._noted,
                unknown=self._order_unknown,
            )
        )
        self._ring = ring
        self._vigil = Vigil(self)

    # life

    async def start(self) -> None:
        """Begin to record; take up a visit that was open when the engine ended."""
        self.recorder.start()
        await self.visits.take_up()
        self._vigil.start()

    async def close(self) -> None:
        """Let go of the devices, commit everything, close the file."""
        visit = self.visits.now
        if visit is not None:
            with contextlib.suppress(TimeoutError):  # a hub that does not answer holds by its lease
                await within(self.house.clock, SETTLE_SECONDS, visit.runner.settled())
        await self._vigil.close()
        await self.unbind()
        if visit is not None:
            await visit.runner.close()
        if self.house.evidence is not None:
            await self.house.evidence.sign(self)
        await asyncio.to_thread(self.recorder.close)
        self._ring.close()

    async def do(self, run: Callable[[Record], T]) -> T:
        """Run `run` on the record; returns once it is durable."""
        return await self.recorder.run(run)

    # devices

    def bind_hub(self, address: str, serial: str = "", *, enrol: bool = False) -> None:
        """Keep a link to the hub that was seen at this address.

        Args:
            serial: of the hub that it has to be; empty for any.
            enrol: an open hub joins the practice.
        """
        self.hub = HubLink(
            address,
            serial=serial,
            enrol=enrol,
            radio=self.house.radio,
            keys=self.house.keys,
            catalogue=self.house.catalogue,
            flow=self.flow,
            recorder=self.recorder,
            owner=self,
            standing=self.house.doubts.of,
            clock=self.house.clock,
            simulated=self.house.simulated,
        )
        self.touched()

    def bind_sensor(self, kind: str, address: str, name: str) -> None:
        self.sensors[address] = SensorLink(
            kind,
            address,
            name,
            radio=self.house.radio,
            clock=self.house.clock,
            owner=SensorOwner(
                flow=self.flow,
                simulated=self.house.simulated,
                crossed=self.crossed,
                changed=self._sensor_changed,
                noted=self._sensor_noted,
            ),
        )
        self.touched()

    async def unbind(self, address: str | None = None) -> None:
        """Let go of one device, or of all."""
        if self.hub is not None and address in (None, self.hub.address):
            hub, self.hub = self.hub, None
            await hub.close()
            self.expects_hub = False
            self._forget("hub")
            for kind in ("link.lost", *(f"trust.{doubt.value}" for doubt in Doubt)):
                self.house.alarms.clear(kind, self.number)
        for sensor_address in [known for known in self.sensors if address in (None, known)]:
            sensor = self.sensors.pop(sensor_address)
            await sensor.close()
            self._forget(sensor.kind)
        self.touched()

    def _forget(self, source: str) -> None:
        """Expect nothing more of a kind of device that was taken away on purpose."""
        self.monitor.forget(*(spec.key for spec in self.house.catalogue.from_source(source)))

    # the visit

    @property
    def view(self) -> ProcedureView | None:
        return self.visits.now.view if self.visits.now is not None else None

    @property
    def busy(self) -> bool:
        """Whether a visit is open."""
        return self.visits.now is not None and self.visits.now.open

    @property
    def limits(self) -> tuple[Limit, ...]:
        """The limits that count now, the strictest of all owners."""
        return strictest(
            self.view.limits if self.view is not None and not self.view.closed else self.house.modules.limits
        )

    async def seat(self, patient: Patient, teeth: tuple[ToothState, ...], actor: Operator) -> str:
        """Begin a visit; returns its id. Raises RecordError."""
        visit = await self.visits.begin(patient, teeth, actor)
        if self.hub is not None and self.hub.link is LinkState.UP:
            self._worn(self.hub.serial)
            self.observe(LinkUp())
        return visit.summary.id

    async def forget_patient(self, patient_id: str) -> None:
        """They were erased: nothing of them stays on the screen, nor in the ring of live samples."""
        self._ring.wipe()
        if await self.visits.forget(patient_id):
            self.touched()

    def act(self, intent: Intent, *, actor: Operator, revision: int | None) -> None:
        """What a person wants of the procedure. Raises Refusal, or KeyError without a procedure."""
        if self.visits.now is None:
            raise KeyError(self.number)
        self.visits.now.runner.act(intent, actor=actor, revision=revision)

    def observe(self, event: Event, *, actor: str = NOBODY) -> None:
        """What happened, told to the procedure if there is one."""
        if self.visits.now is not None and not self.visits.now.view.closed:
            self.visits.now.runner.observe(event, actor=actor)

    def stop(self, by: str) -> asyncio.Future[bool]:
        """STOP: sent to the hub at once, whatever the procedure thinks. The future says whether the hub answered."""
        done: asyncio.Future[bool] = self._loop.create_future()
        hub = self.hub
        task = asyncio.ensure_future(hub.driver.stop()) if hub is not None else None
        self.observe(StopPressed(by), actor=by or NOBODY)
        self.log("stop", Text("log.stop"), author=by)
        if task is None:
            done.set_result(False)
            return done

        def finished(sent: "asyncio.Task[object]") -> None:
            reached = not sent.cancelled() and sent.exception() is None
            self.log("stop", Text("log.stop_sent" if reached else "log.stop_unreached"), author=by, voice="device")
            if not done.done():
                done.set_result(reached)

        task.add_done_callback(finished)
        return done

    def log(
        self, kind: str, text: Text, *, author: str = NOBODY, voice: str = "staff", visit_id: str | None = None
    ) -> None:
        """Write a line into the record's log; it belongs to the open visit unless another is named."""
        at_us = self.house.clock.utc_us()
        if visit_id is None and self.visits.now is not None and self.visits.now.open:
            visit_id = self.visits.now.summary.id

        def write(record: Record) -> None:
            record.add_event(kind, text, at_us=at_us, visit_id=visit_id, author=author, voice=voice)
            record.audit(f"event.{kind}", actor=author, at_us=at_us, body={"text": text.key, "visit": visit_id})

        self.recorder.note(write)

    def _seal(self, reason: str) -> None:
        """Have the log signed and witnessed, once what was noted before is in it."""
        if self.house.evidence is not None:
            self.house.evidence.soon(self.number, reason)

    def _clinician(self, actor: str) -> Clinician | None:
        """Who signs: the actor, or for what the workstation does by itself whoever is logged in."""
        keys = self.house.keys
        return keys.clinician(actor) or (keys.clinician(self.house.operator()) if actor == NOBODY else None)

    def _worn(self, serial: str) -> None:
        """The patient of the open visit wears this hub."""
        visit = self.visits.now
        if visit is None or not visit.open:
            return
        visit_id, at_us = visit.summary.id, self.house.clock.utc_us()
        self.recorder.note(lambda record: record.worn(serial, visit_id, at_us))

    def _procedure_changed(self) -> None:
        was_busy = self.busy
        self.visits.end_if_closed()
        if was_busy and not self.busy:
            self._seal("visit ended")
        self.monitor.set_limits(self.limits)
        self.touched()

    def _noted(self, note: Note, actor: str) -> None:
        # Named, since the last note comes when the visit has just ended.
        visit_id = self.visits.now.summary.id if self.visits.now is not None else None
        self.log(note.kind, note.text, author=actor, voice=note.voice, visit_id=visit_id)

    def _order_unknown(self, opcode: Opcode | None) -> None:
        self.house.alarms.raise_("command.unknown", self.number)

    # what the devices say

    def hub_link_changed(self, state: LinkState) -> None:
        if state is LinkState.UP:
            self.log("link", Text("log.link_up"), voice="device")
            self.observe(LinkUp())
            self._seal("hub connected")
        elif state is LinkState.LOST:
            self.log("link", Text("log.link_lost"), voice="device")
            self.observe(LinkLost())
        self.touched()

    def hub_identified(self, identity: HubIdentity, rebooted: bool) -> None:
        if rebooted:
            self.log("reboot", Text("log.hub_rebooted"), voice="device")
        if self.hub is not None:
            self.house.bound(self.number, self.hub.address, identity.serial)
        self._worn(identity.serial)
        self.touched()

    def hub_doubted(self, doubt: Doubt, where: str, before: bool) -> None:
        """It does not behave as expected, or did not `before`: said, written down, and therapy is held."""
        name = f"@channel.{where}.name" if where in self.house.catalogue else f"@{where}"
        self.house.alarms.raise_(f"trust.{doubt.value}", self.number, name=name, what=name)
        if before:
            self.log("trust", Text("log.doubt.still", {"what": f"@doubt.what.{doubt.value}"}), voice="device")
        else:
            self.log("trust", Text(f"hold.trust_{doubt.value}.reason"), voice="device")
            self.house.doubted(self.number)
        if doubt in LASTING and not before and self.hub is not None:
            self.house.doubts.keep(self.hub.serial, doubt, where=where, chair=self.number)
        self.observe(Distrusted(doubt))
        self.touched()

    def hub_settled(self, doubt: Doubt) -> None:
        self.house.alarms.clear(f"trust.{doubt.value}", self.number)
        self.touched()

    def hub_said(self, text: Text) -> None:
        self.log("hub", text, voice="device")

    def expected_dose(self) -> float:
        """Dose that may flow now, %: what was ordered, also while a hold is on its way."""
        view = self.view
        if view is None or view.closed:
            return 0.0
        phase = next((phase for phase in view.phases if phase.number == view.current_phase), None)
        live = phase is not None and phase.state in (PhaseState.STARTING, PhaseState.RUNNING, PhaseState.UNKNOWN)
        return float(phase.dose_percent) if phase is not None and live else 0.0

    def hub_status(self, status: HubStatus) -> None:
        self.observe(HubReported(status))
        self._vigil.hub_status(status)
        self.touched()

    def hub_frame_refused(self, reason: str) -> None:
        self.house.alarms.raise_("frame.refused", self.number, reason=reason)

    def hub_frames_lost(self, frames: int) -> None:
        self.log("gap", Text("log.gap_lost", {"frames": frames}), voice="device")

    def crossed(self, crossings: Sequence[Crossing]) -> None:
        for crossing in crossings:
            self._vigil.crossed(crossing)
            if crossing.began:
                self.observe(LimitCrossed(crossing.limit, crossing.value))

    def touched(self) -> None:
        self.house.changed(self.number)

    def _sensor_changed(self, sensor: SensorLink) -> None:
        key = "log.sensor_up" if sensor.link is LinkState.UP else "log.sensor_lost"
        if sensor.link in (LinkState.UP, LinkState.LOST):
            self.log("sensor", Text(key, {"name": sensor.name}), voice="device")
        self.touched()

    def _sensor_noted(self, sensor: SensorLink, text: Text) -> None:
        said = Text("log.sensor_says", {**text.values, "name": sensor.name, "said": f"@{text.key}"})
        self.log("sensor", said, voice="device")

    # what the record says (called on its thread)

    def _on_committed(self, committed: Committed) -> None:
        with contextlib.suppress(RuntimeError):  # the loop has ended: nobody is left to acknowledge
            self._loop.call_soon_threadsafe(self._acknowledge, committed)

    def _on_failed(self, error: RecordError | None) -> None:
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._record_state, error)

    def _acknowledge(self, committed: Committed) -> None:
        self.recording = True
        if self.hub is not None:
            self.hub.acknowledge(committed)

    def look_at_reserve(self) -> None:
        """Say so while no room is kept for the last minutes of a procedure."""
        if self.recorder.on_reserve():
            self.house.alarms.raise_("disk.reserve", self.number)
        else:
            self.house.alarms.clear("disk.reserve", self.number)

    def _record_state(self, error: RecordError | None) -> None:
        self.recording = error is None
        if error is None:
            self.house.alarms.clear("disk.full", self.number)
            self.house.alarms.clear("record.failed", self.number)
            return
        self.look_at_reserve()
        self.house.alarms.raise_("disk.full" if error.code == "record.disk_full" else "record.failed", self.number)
        self.observe(DiskFull())
        self.touched()
