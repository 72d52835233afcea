"""Devices: per chair its hub and sensors; scan, connect, forget."""

from dataclasses import dataclass

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QVBoxLayout, QWidget

from app.console.store import Store
from app.ipc.messages import AttachDevice, Chair, Devices, ForgetDevice, Refused, Reply, Scan, SensorView
from core.model.hub import DeviceSeen, LinkState
from core.model.words import Words
from widgets.controls import Button, Card, Hairline, Label
from widgets.layouts import empty, scrolled
from widgets.segmented import Segmented

SCAN_S = 3.0
_REFRESH_MS = 1000
_HUB = "hub"
_MOST_SERIAL = 24


@dataclass(frozen=True, slots=True)
class _Row:
    """One device that belongs to a chair; what is drawn of it."""

    chair: int
    address: str
    title: str
    link: str
    details: str
    treating: bool


class DevicesPane(QWidget):
    """Left: what belongs to each chair. Right: what is in the air."""

    def __init__(self, store: Store, words: Words) -> None:
        super().__init__()
        self._store = store
        self._words = words
        self._rows: tuple[_Row, ...] | None = None
        self._asking: str = ""
        self._seen: tuple[DeviceSeen, ...] = ()
        self.forget_buttons: dict[str, Button] = {}
        self.confirm_buttons: dict[str, Button] = {}
        self.connect_buttons: dict[str, Button] = {}
        self.enrol_buttons: dict[str, Button] = {}
        self.serial = QLineEdit()
        self._enrolling = ""
        self._column = QVBoxLayout()
        self._column.setContentsMargins(0, 0, 4, 0)
        self._column.setSpacing(16)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(16)
        row.addWidget(scrolled(self._column), 3)
        row.addWidget(self._air(), 2)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(_REFRESH_MS)
        self._timer.timeout.connect(self.refresh)
        store.chair_changed.connect(self._soon)
        store.link_changed.connect(self.refresh)
        self.refresh()

    # what belongs to the chairs

    def _soon(self, _number: int) -> None:
        """Chairs change many times a second; rows under a finger need not."""
        if not self._rows:
            self.refresh()
        elif self.isVisible() and not self._timer.isActive():
            self._timer.start()

    def refresh(self) -> None:
        chairs = self._store.chairs()
        self.chair.set_options([(str(c.number), self._words.say("shell.chair_name", number=c.number)) for c in chairs])
        rows = tuple(row for chair in chairs for row in self._rows_of(chair))
        if rows != self._rows:
            self._rows = rows
            self._build(chairs, rows)

    def _signal(self, dbm: int) -> str:
        return self._words.say("shell.device.signal", dbm=str(dbm).replace("-", "\N{MINUS SIGN}"))

    def _rows_of(self, chair: Chair) -> list[_Row]:
        say = self._words.say
        treating = chair.procedure is not None and chair.procedure.treating
        rows = []
        if chair.hub_address is not None:
            details = [say("shell.device.address", address=chair.hub_address)]
            if chair.identity is not None:
                details.append(say("shell.device.serial", serial=chair.identity.serial))
                details.append(say("shell.device.firmware", firmware=chair.identity.firmware))
            if chair.hub is not None and self._store.fresh(chair.number):
                details.append(self._signal(chair.hub.rssi_dbm))
                details.append(say("shell.device.battery", percent=chair.hub.battery_percent))
            title = say("shell.device.kind.hub")
            rows.append(
                _Row(chair.number, chair.hub_address, title, self._link(chair.link), ", ".join(details), treating)
            )
        for sensor in chair.sensors:
            link = self._link(sensor.link)
            rows.append(_Row(chair.number, sensor.address, self._title(sensor), link, self._sensor(sensor), treating))
        return rows

    def _title(self, sensor: SensorView) -> str:
        kind = self._words.say(f"shell.device.kind.{sensor.kind}")
        return self._words.say("shell.device.named", kind=kind, name=sensor.name) if sensor.name else kind

    def _sensor(self, sensor: SensorView) -> str:
        say = self._words.say
        details = [say("shell.device.address", address=sensor.address)]
        info = sensor.info
        if info is not None and info.serial:
            details.append(say("shell.device.serial", serial=info.serial))
        if info is not None and info.firmware:
            details.append(say("shell.device.firmware", firmware=info.firmware))
        if info is not None and info.battery_percent is not None:
            details.append(say("shell.device.battery", percent=info.battery_percent))
        if sensor.contact is False:
            details.append(say("shell.device.no_contact"))
        return ", ".join(details)

    def _link(self, link: LinkState) -> str:
        return self._words.say(f"shell.link.{link.value}" if self._store.answering else "shell.link.unknown")

    def _build(self, chairs: list[Chair], rows: tuple[_Row, ...]) -> None:
        empty(self._column)
        self.forget_buttons = {}
        self.confirm_buttons = {}
        if not chairs:
            self._column.addWidget(Label(self._words.say("shell.device.waiting"), size=18, tone="muted", wrap=True))
        for chair in chairs:
            card = Card()
            column = QVBoxLayout(card)
            column.setContentsMargins(16, 14, 16, 10)
            column.setSpacing(8)
            column.addWidget(Label(self._words.say("shell.chair_name", number=chair.number), size=18, bold=True))
            mine = [row for row in rows if row.chair == chair.number]
            for row in mine:
                column.addWidget(Hairline())
                column.addWidget(self._device(row))
            if not mine:
                column.addWidget(Hairline())
                column.addWidget(Label(self._words.say("shell.device.none"), tone="muted", wrap=True))
                column.addSpacing(8)
            self._column.addWidget(card)
        self._column.addStretch()

    def _device(self, row: _Row) -> QWidget:
        say = self._words.say
        widget = QWidget()
        line = QHBoxLayout(widget)
        line.setContentsMargins(0, 4, 0, 4)
        line.setSpacing(12)
        said = QVBoxLayout()
        said.setSpacing(2)
        said.addWidget(Label(say("shell.device.title", title=row.title, link=row.link), bold=True, wrap=True))
        asking = self._asking == row.address
        said.addWidget(
            Label(say("shell.device.forget_sure", chair=row.chair) if asking else row.details, tone="muted", wrap=True)
        )
        line.addLayout(said, 1)
        if asking:
            keep = Button(say("shell.device.keep"))
            keep.clicked.connect(lambda: self._ask_forget(""))
            sure = Button(say("shell.device.forget"), role="pri")
            sure.clicked.connect(lambda: self._forget(row))
            line.addWidget(keep)
            line.addWidget(sure)
            self.confirm_buttons[row.address] = sure
        else:
            forget = Button(say("shell.device.forget"), role="off" if row.treating else "plain")
            forget.setAccessibleName(say("shell.device.forget_name", title=row.title, chair=row.chair))
            forget.clicked.connect(lambda: self._ask_forget(row.address))
            line.addWidget(forget)
            self.forget_buttons[row.address] = forget
        return widget

    def _ask_forget(self, address: str) -> None:
        self._asking = address
        self._rows = None
        self.refresh()

    def _forget(self, row: _Row) -> None:
        self._store.ask(ForgetDevice(chair=row.chair, address=row.address))
        self._ask_forget("")

    # what is in the air

    def _air(self) -> Card:
        say = self._words.say
        card = Card()
        column = QVBoxLayout(card)
        column.setContentsMargins(16, 14, 16, 14)
        column.setSpacing(12)
        head = QHBoxLayout()
        head.addWidget(Label(say("shell.device.nearby"), size=18, bold=True), 1)
        self.scan = Button(say("shell.device.scan"), role="pri", icon="link")
        self.scan.clicked.connect(self._scan)
        head.addWidget(self.scan)
        column.addLayout(head)
        column.addWidget(Label(say("shell.device.connect_to"), size=13, bold=True))
        self.chair = Segmented([])
        column.addWidget(self.chair)
        self.message = Label(say("shell.device.not_scanned"), tone="muted", wrap=True)
        column.addWidget(self.message)
        self._found = QVBoxLayout()
        self._found.setContentsMargins(0, 0, 4, 0)
        self._found.setSpacing(0)
        column.addWidget(scrolled(self._found), 1)
        return card

    def _scan(self) -> None:
        self.scan.set_role("off")
        self.message.setText(self._words.say("shell.device.scanning", seconds=round(SCAN_S)))
        self._store.ask(Scan(seconds=SCAN_S), self._scanned)

    def _scanned(self, reply: Reply) -> None:
        self.scan.set_role("pri")
        if isinstance(reply, Refused):
            remedy = self._words.tell(reply.remedy) if reply.remedy is not None else ""
            self.message.setText(f"{self._words.tell(reply.text)} {remedy}".strip())
            return
        if not isinstance(reply, Devices):
            return
        self._seen = tuple(sorted(reply.devices, key=lambda one: (one.kind == "other", -one.rssi_dbm)))
        count = sum(one.kind != "other" for one in self._seen)
        self.message.setText(self._words.say("shell.device.found" if count else "shell.device.found_none", count=count))
        self._build_found()

    def _build_found(self) -> None:
        empty(self._found)
        self.connect_buttons = {}
        self.enrol_buttons = {}
        bound = {row.address: row.chair for row in self._rows or ()}
        for device in self._seen:
            self._found.addWidget(Hairline())
            self._found.addWidget(self._found_row(device, bound.get(device.address)))
        self._found.addStretch()

    def _found_row(self, device: DeviceSeen, chair: int | None) -> QWidget:
        say = self._words.say
        widget = QWidget()
        column = QVBoxLayout(widget)
        column.setContentsMargins(0, 8, 0, 8)
        column.setSpacing(8)
        line = QHBoxLayout()
        line.setSpacing(12)
        said = QVBoxLayout()
        said.setSpacing(2)
        said.addWidget(Label(device.name or device.address, bold=True, wrap=True))
        details = [say(f"shell.device.kind.{device.kind}"), self._signal(device.rssi_dbm)]
        if device.battery_percent is not None:
            details.append(say("shell.device.battery", percent=device.battery_percent))
        said.addWidget(Label(", ".join(details), size=13, tone="muted", wrap=True))
        line.addLayout(said, 1)
        column.addLayout(line)
        if chair is not None:
            line.addWidget(Label(say("shell.device.bound", chair=chair), size=13, tone="muted"))
        elif device.kind == _HUB and self._enrolling == device.address:
            column.addWidget(self._enrolment(device))
        elif device.kind != "other":
            self._add_buttons(line, device)
        return widget

    def _add_buttons(self, line: QHBoxLayout, device: DeviceSeen) -> None:
        """Connect; and, for a dentist, make a hub that is nobody's one of this practice."""
        say, name = self._words.say, device.name or device.address
        if device.kind == _HUB and self._store.may("EnrolHub"):
            enrol = Button(say("shell.device.enrol"))
            enrol.setAccessibleName(say("shell.device.enrol_name", name=name))
            enrol.clicked.connect(lambda: self._ask_enrol(device.address))
            line.addWidget(enrol)
            self.enrol_buttons[device.address] = enrol
        button = Button(say("shell.device.connect"))
        button.setAccessibleName(say("shell.device.connect_name", name=name))
        button.clicked.connect(lambda: self._connect(device))
        line.addWidget(button)
        self.connect_buttons[device.address] = button

    def _enrolment(self, device: DeviceSeen) -> QWidget:
        """What is printed on the hub, so that another one is refused."""
        say = self._words.say
        box = QWidget()
        column = QVBoxLayout(box)
        column.setContentsMargins(4, 0, 0, 4)  # room for the focus ring
        column.setSpacing(8)
        column.addWidget(Label(say("shell.device.enrol_sure"), tone="muted", wrap=True))
        self.serial = QLineEdit()
        self.serial.setMaxLength(_MOST_SERIAL)
        self.serial.setPlaceholderText(say("shell.device.enrol_serial"))
        self.serial.setAccessibleName(say("shell.device.enrol_serial"))
        row = QHBoxLayout()
        row.setSpacing(12)
        keep, sure = Button(say("shell.device.keep")), Button(say("shell.device.enrol"), role="pri")
        keep.clicked.connect(lambda: self._ask_enrol(""))
        sure.clicked.connect(lambda: self._enrol(device))
        self.serial.returnPressed.connect(lambda: self._enrol(device))
        row.addWidget(self.serial, 1)
        row.addWidget(keep)
        row.addWidget(sure)
        column.addLayout(row)
        self.confirm_buttons[device.address] = sure
        return box

    def _ask_enrol(self, address: str) -> None:
        self._enrolling = address
        self._build_found()
        if address:
            self.serial.setFocus()

    def _enrol(self, device: DeviceSeen) -> None:
        serial = self.serial.text().strip()
        if not serial:
            self.message.setText(self._words.say("shell.device.need_serial"))
            self.serial.setFocus()
            return
        self._connect(device, enrol=True, serial=serial)

    def _connect(self, device: DeviceSeen, *, enrol: bool = False, serial: str = "") -> None:
        number = int(self.chair.key or 0)
        if number:
            self._enrolling = ""
            body = AttachDevice(chair=number, address=device.address, kind=device.kind, enrol=enrol, serial=serial)
            self._store.ask(body, lambda reply: self._connected(device, number, reply))

    def _connected(self, device: DeviceSeen, chair: int, reply: Reply) -> None:
        name = device.name or device.address
        if isinstance(reply, Refused):
            remedy = self._words.tell(reply.remedy) if reply.remedy is not None else ""
            self.message.setText(f"{self._words.tell(reply.text)} {remedy}".strip())
        else:
            self.message.setText(self._words.say("shell.device.connected", name=name, chair=chair))
        self.refresh()
        self._build_found()
