"""What the services need of the engine around them, and what each of them asks first."""

from typing import TYPE_CHECKING, Protocol

from app.engine.access import Access
from app.engine.access_service import AccessHouse
from app.engine.backups_service import BackupsHouse
from app.engine.devices_desk import DevicesDesk
from app.engine.doubts_service import DoubtsHouse
from app.engine.exports_service import ExportsHouse
from app.engine.people_desk import no
from app.engine.reader_wire import ReadRequest
from app.engine.view_log import ViewLog
from app.ipc import messages as ipc
from core.model.people import Operator
from core.model.words import Text

if TYPE_CHECKING:
    from app.engine.chair import Chair


class Reader(Protocol):
    """What is needed of the reader process."""

    async def request(self, body: ReadRequest) -> ipc.Reply: ...


class Workstation(DoubtsHouse, ExportsHouse, AccessHouse, BackupsHouse, Protocol):
    """What the services need of the engine around them."""

    reader: Reader
    access: Access
    devices: DevicesDesk
    views: ViewLog
    simulated: bool
    notice: Text | None

    @property
    def data_folder(self) -> str: ...
    @property
    def practice(self) -> str: ...

    def rings(self) -> dict[int, str]: ...
    async def operator_changed(self) -> None: ...
    async def set_practice(self, name: str, phone: str) -> None: ...
    def console_came(self) -> None: ...
    def consoles_changed(self) -> None: ...
    async def seal(self, chair: int, reason: str) -> None: ...
    def request_shutdown(self) -> None: ...


def actor_of(house: Workstation) -> Operator:
    """Who is logged in. Raises Refusal: nobody."""
    operator = house.people.operator
    if operator is None:
        raise no("login")
    return operator


def chair_of(house: Workstation, number: int) -> "Chair":
    """Raises Refusal: there is no such chair."""
    chair = house.chairs.get(number)
    if chair is None:
        raise no("chair", chair=number)
    return chair


def not_treating(chair: "Chair") -> None:
    """Raises Refusal: somebody is treated there."""
    if chair.view is not None and chair.view.treating:
        raise no("treating", "treating_remedy")


def log_house(house: Workstation, kind: str, text: Text, author: str) -> None:
    """What belongs to no chair stands in the first one's log."""
    house.chairs[min(house.chairs)].log(kind, text, author=author)
