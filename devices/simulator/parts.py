"""What a running hub is made of; the desk's rooms work on it."""

from dataclasses import dataclass

from devices.simulator.body import Body
from devices.simulator.consent import Consent
from devices.simulator.firmware import Firmware
from devices.simulator.logbook import Logbook
from devices.simulator.memory import Memory
from devices.simulator.progress import Progress
from devices.simulator.receipt_book import ReceiptBook
from devices.simulator.store import Store
from devices.simulator.therapy import Therapy
from devices.simulator.vault import Vault
from devices.simulator.wear import WearLog


@dataclass(slots=True)
class Parts:
    """One boot. What outlives it is in `store`."""

    serial: str
    boot: int
    store: Store
    vault: Vault
    firmware: Firmware
    body: Body
    memory: Memory
    therapy: Therapy
    progress: Progress
    consent: Consent
    wear: WearLog
    logbook: Logbook
    receipts: ReceiptBook

    @property
    def now_us(self) -> int:
        """Hub time."""
        return self.body.now_us

    @property
    def tissue_c(self) -> float:
        return self.body.warmth.tissue
