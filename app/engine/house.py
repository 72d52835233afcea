"""Wires the engine together: what is built from what, in which order, and how it ends."""

import asyncio
import contextlib
import logging
from collections.abc import Coroutine, Mapping

import msgspec

from app.engine.access import Access
from app.engine.alarm_desk import AlarmDesk
from app.engine.backups import BackupDesk
from app.engine.chair import Chair, House
from app.engine.clock import AsyncClock, SystemAsyncClock
from app.engine.devices_desk import DevicesDesk
from app.engine.doubts_desk import DoubtsDesk
from app.engine.erasures import ErasureDesk
from app.engine.evidence import EvidenceDesk
from app.engine.export_desk import ExportDesk
from app.engine.house_log import write_down
from app.engine.keys_desk import KeysDesk
from app.engine.keys_service import KeyedHub
from app.engine.news import News
from app.engine.people_desk import PeopleDesk, no
from app.engine.reader_host import ReaderHost
from app.engine.reader_wire import ChairFile, ReaderSetup
from app.engine.runtime import Folder
from app.engine.screen_lock import ScreenLock
from app.engine.server import Server
from app.engine.service import Service
from app.engine.sounder import Sounder
from app.engine.view_log import ViewLog
from app.engine.watch import Watch
from app.engine_config import EngineConfig
from app.ipc.ring import RingWriter
from core.backup import erasing
from core.backup.making import Source
from core.model.alarm import AudioState
from core.model.errors import SmilescapeError
from core.model.hub import LinkState
from core.model.procedure import Step
from core.model.words import Text
from core.people.demo import Demo, load_demo
from core.procedure.events import EngineRestarted
from core.procedure.modules import load_modules
from core.record import Record
from core.record.keys import Keeper, KeyStore
from core.record.practice import PracticeFile
from core.record.rekey import rekey
from core.safety.alarm_catalogue import load_alarms
from core.safety.alarms import AlarmBook
from core.signals.catalogue import load_catalogue
from devices.kinds import HUB
from devices.radio import Radio

log = logging.getLogger(__name__)

NAME, PHONE = "practice.name", "practice.phone"
"""Settings in the practice file."""
MANY_SECONDS = 60.0
"""Doubts about several hubs within this time are one alarm more."""


class NoPassphrase(SmilescapeError):  # noqa: N818
    """A key file needs a passphrase that nobody gave."""

    code = "engine.no_passphrase"


class Engine:
    """Everything of one data folder. Build with `open`, run until `ended` is set, then `close`."""

    def __init__(self, config: EngineConfig, folder: Folder, clock: AsyncClock | None = None) -> None:
        self.config = config
        self.folder = folder
        self.clock: AsyncClock = clock or SystemAsyncClock()
        self.simulated = config.simulated
        self.ended = asyncio.Event()
        self.chairs: dict[int, Chair] = {}
        self.notice: Text | None = None
        self.keys = KeyStore(prefer="file" if config.passphrase else "keyring")
        self.radio = Radio.parse(config.radio)
        self._reader_files: list[ChairFile] = []
        self._backed_up: list[Source] = []
        self._read_for = -1
        self._tasks: list[asyncio.Task[None]] = []
        self._passing: set[asyncio.Task[None]] = set()
        self._doubts: dict[int, float] = {}
        self._opened = contextlib.AsyncExitStack()
        self.sounder = Sounder(self.clock, self._sound_changed) if config.sound else None
        self.alarms = AlarmDesk(
            AlarmBook(load_alarms()),
            recorder=lambda chair: (self.chairs.get(chair) or self.chairs[min(self.chairs)]).recorder,
            sound=self.sounder,
            clock=self.clock,
            changed=self.touched,
        )
        self.server = Server(folder.runtime_dir, Service(self), self.clock)
        self.reader = ReaderHost(self.clock)
        self.news = News(self)
        self.devices = DevicesDesk(self)
        self.exports = ExportDesk(self.reader, self.touched)
        self.backups = BackupDesk(self)
        self.erasures = ErasureDesk(self)
        self.watch = Watch(self)

    @property
    def data_folder(self) -> str:
        return str(self.folder.root)

    @property
    def practice(self) -> str:
        return self._setting(NAME) or self.config.practice

    @property
    def practice_phone(self) -> str:
        return self._setting(PHONE) or self.config.practice_phone

    async def open(self) -> None:
        """Open the files, take up what was open, listen. What was opened before a failure is closed by `close`."""
        self._opened.push_async_callback(self.radio.close)
        self.practice_file = self._open_practice()
        self._opened.callback(self.practice_file.close)
        demo = load_demo() if self.simulated else None
        self.keys_desk = KeysDesk(self.practice_file, simulated=self.simulated, clock=self.clock)
        self._opened.callback(self.keys_desk.close)
        self.doubts = DoubtsDesk(self.practice_file, self.clock)
        self.evidence = EvidenceDesk(self.chairs, self.keys_desk, self.alarms, self.clock, self.touched)
        self.people = PeopleDesk(
            self.practice_file, self.keys_desk, demo=demo, chairs=self.chairs.values, clock=self.clock
        )
        self.access = Access(self.people, self.chairs)
        self.views = ViewLog(self.people, lambda number: self.chairs.get(number) or self.chairs[min(self.chairs)])
        self.screen = ScreenLock(self)
        await self.people.open()
        house = House(
            radio=self.radio,
            keys=self.keys_desk,
            catalogue=load_catalogue(),
            modules=load_modules(),
            alarms=self.alarms,
            doubts=self.doubts,
            clock=self.clock,
            simulated=self.simulated,
            operator=lambda: self.people.operator.id if self.people.operator is not None else "",
            bound=self.devices.bound,
            changed=self.news.chair_changed,
            doubted=self._doubted,
            evidence=self.evidence,
        )
        self.keys_desk.listen(self._trust_changed)
        known = {device.address: device.serial for device in self.practice_file.devices()}
        for device in self.config.devices:
            serial = known.get(device.address, "")
            self.practice_file.bind_device(device.chair, device.kind, device.address, device.name, serial)
        for number in range(1, self.config.chairs + 1):
            record = await asyncio.to_thread(self._open_record, number)
            chair = Chair(number, record, RingWriter(self.folder.ring_file(number)), house)
            chair.expects_hub = any(device.kind == HUB for device in self.practice_file.devices(number))
            self.chairs[number] = chair
            await chair.start()
            self._opened.push_async_callback(chair.close)
        for number in set(self.folder.chairs()) - set(self.chairs):  # no chair any more, and a record all the same
            path = self.folder.chair_file(number)
            self._backed_up.append(Source(path, self.keys.load(path, self._passphrase)))
        if demo is not None:
            await self._seed(demo)
        self._opened.push_async_callback(self.evidence.close)
        self._opened.push_async_callback(self.reader.close)
        await self.operator_changed()
        await self._take_up()
        for number in self.chairs:
            self.evidence.soon(number, "engine started")
        await self.server.start()
        self._opened.push_async_callback(self.server.close)
        self._opened.push_async_callback(self.watch.close)
        self._tasks = [
            asyncio.create_task(self.news.run()),
            asyncio.create_task(self.devices.run()),
            asyncio.create_task(self.watch.run()),
            asyncio.create_task(self.evidence.run()),
            asyncio.create_task(self.backups.run()),
        ]
        if self.sounder is not None:
            self._tasks.append(asyncio.create_task(self.sounder.run()))

    async def close(self) -> None:
        """End in good order: hold, let go, commit. What was acknowledged is on disk before this returns."""
        for chair in self.chairs.values():
            if chair.view is not None and chair.view.treating:
                chair.observe(EngineRestarted())  # whoever reads of it does so in an engine that was started again
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        new_keys = self._tasks and erasing.new_keys_wanted(self.practice_file)
        await self._opened.aclose()
        if new_keys:
            await asyncio.to_thread(self._give_new_keys)

    def rings(self) -> dict[int, str]:
        return {number: str(self.folder.ring_file(number)) for number in self.chairs}

    def backed_up(self) -> list[Source]:
        """What a backup consists of."""
        return list(self._backed_up)

    def names(self) -> dict[str, str]:
        """Of everybody who ever had an account, by id."""
        return self.people.names()

    def touched(self) -> None:
        self.news.touched()

    def console_came(self) -> None:
        self.watch.console_came()

    def consoles_changed(self) -> None:
        self.watch.look()

    def request_shutdown(self) -> None:
        self.ended.set()

    async def operator_changed(self) -> None:
        """Who is logged in may read; at logout and user switch the reader process ends."""
        operator = self.people.operator
        if operator is None or self._read_for != self.people.session:
            await self.reader.close()
        self._read_for = self.people.session
        if operator is not None:
            files, names = tuple(self._reader_files), self.people.names()
            setup = ReaderSetup(files, self.practice, self.practice_phone, names)
            await self.reader.open(setup)
        self.news.send_all()  # nobody sees what was meant for who was there before

    async def set_practice(self, name: str, phone: str) -> None:
        """What the practice is called and how it is reached; stands on reports."""
        for key, value in ((NAME, name), (PHONE, phone)):
            self.practice_file.set_setting(key, msgspec.json.encode(value).decode())
        await self.operator_changed()

    def _setting(self, key: str) -> str:
        """A setting that is text; empty when it was never made."""
        stored = self.practice_file.setting(key)
        return msgspec.json.decode(stored, type=str) if stored is not None else ""

    async def seal(self, chair: int, reason: str) -> None:
        """Have a chair's log signed and witnessed; returns once that was tried."""
        await self.evidence.seal(chair, reason)

    def audit(self, kind: str, text: Text, actor: str, body: Mapping[str, object], *, chair: int = 0) -> None:
        """A line of the log and an entry of the audit log; of what belongs to no chair, in the first one's record."""
        recorder = (self.chairs.get(chair) or self.chairs[min(self.chairs)]).recorder
        write_down(recorder, kind, text, actor=actor, at_us=self.clock.utc_us(), body=body)

    def keyed_hub(self, chair: int) -> KeyedHub:
        """The driver of the hub of a chair. Raises Refusal: it is not connected."""
        hub = self.chairs[chair].hub
        if hub is None or hub.link is not LinkState.UP:
            raise no("hub_away", "hub_away_remedy")
        return hub.driver

    def hub_chairs(self) -> dict[str, int]:
        """Serial number of each hub that is bound and known → its chair."""
        known = {number: one.hub.identity for number, one in self.chairs.items() if one.hub is not None}
        return {identity.serial: number for number, identity in known.items() if identity is not None}

    def _passphrase(self) -> str:
        """Asked for when a key lies in a file, or a new one must. Raises NoPassphrase."""
        if not self.config.passphrase:
            raise NoPassphrase(
                "A key must be wrapped by a passphrase, and none was given.", "Start again and give one."
            )
        return self.config.passphrase

    def _open_practice(self) -> PracticeFile:
        key = self.keys.load_or_create(self.folder.practice_file, self._passphrase)
        path = self.folder.practice_file
        self._backed_up.append(Source(path, key))
        return (PracticeFile.open if path.exists() else PracticeFile.create)(path, key, clock=self.clock)

    def _open_record(self, number: int) -> Record:
        path = self.folder.chair_file(number)
        key = self.keys.load_or_create(path, self._passphrase)
        self._reader_files.append(ChairFile(number, str(path), key))
        self._backed_up.append(Source(path, key))
        if path.exists():
            return Record.open(path, key, clock=self.clock)
        return Record.create(path, key, chair=number, simulated=self.simulated, clock=self.clock)

    def _give_new_keys(self) -> None:
        """Somebody was erased: what disks and images still have of the files' former pages shall open no more."""
        try:
            for path in [*(self.folder.chair_file(chair) for chair in self.folder.chairs()), self.folder.practice_file]:
                prefer: Keeper = "file" if KeyStore.wrapped(path) else "keyring"
                key = rekey(path, KeyStore(prefer=prefer), self._passphrase)
            practice = PracticeFile.open(self.folder.practice_file, key, clock=self.clock)
        except SmilescapeError as error:
            log.error("files have their former keys still: %s", error)
            return
        erasing.want_new_keys(practice, wanted=False)
        practice.close()

    async def _seed(self, demo: Demo) -> None:
        first = self.chairs[min(self.chairs)]
        known = {patient.id for patient in await first.do(lambda record: record.patients())}
        at_us = self.clock.utc_us()

        def write(record: Record) -> None:
            for person in demo.patients:
                if person.patient.id not in known:
                    record.save_patient(person.patient, author=demo.operator.id, reason="demo", at_us=at_us)

        await first.do(write)

    async def _take_up(self) -> None:
        """Tell open procedures that the engine restarted: therapy was held by the hub, and is held by us."""
        for chair in self.chairs.values():
            if not chair.busy or chair.view is None:
                continue
            if chair.view.step is Step.TREAT:
                self.alarms.raise_("engine.restarted", chair.number)
                self.notice = Text("notice.engine_restarted")
            chair.observe(EngineRestarted())
            chair.log("engine", Text("log.engine_restarted"), voice="device")

    def _doubted(self, chair: int) -> None:
        """One hub that does not behave as expected is a defect; several at once are more than that."""
        now = self.clock.monotonic()
        self._doubts[chair] = now
        self.touched()
        recent = [number for number, at in self._doubts.items() if now - at <= MANY_SECONDS]
        if len(recent) > 1:
            self.alarms.raise_("trust.many", 0)

    def _trust_changed(self) -> None:
        """Another revocation list, or another key of this workstation: every hub is told, or parted from."""
        for chair in self.chairs.values():
            if chair.hub is not None:
                self.spawn(chair.hub.trust_changed())
            self.evidence.soon(chair.number, "keys changed")

    def spawn(self, work: Coroutine[object, object, None]) -> None:
        """Have it run on its own, until the engine ends."""
        task = asyncio.ensure_future(work)
        self._passing.add(task)
        task.add_done_callback(self._passing.discard)

    def _sound_changed(self, state: AudioState) -> None:
        self.alarms.sound_changed(state)
