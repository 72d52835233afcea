"""What goes wrong on the way, as told: counted down, so that a test knows exactly what was lost."""

from devices.simulator.control import Control, CutAtOrder, DamageFrames, LoseFrames, LoseReceipts


class Countdown:
    """Strikes so many times, then rests."""

    def __init__(self) -> None:
        self._left = 0

    def add(self, count: int) -> None:
        self._left += count

    def strikes(self) -> bool:
        if self._left == 0:
            return False
        self._left -= 1
        return True


class Faults:
    """Faults of the air between hub and workstation.

    Attributes:
        jammed: nothing gets through, either way.
        cut: the link ends with the next orders that change something; they are obeyed, their answers are lost.
    """

    def __init__(self) -> None:
        self.jammed = False
        self.cut = Countdown()
        self.receipts = Countdown()
        self.frames = Countdown()
        self.damage = Countdown()

    def tell(self, message: Control) -> bool:
        """Take a message in; False: it is about something else."""
        match message:
            case LoseReceipts():
                self.receipts.add(message.count)
            case LoseFrames():
                self.frames.add(message.count)
            case DamageFrames():
                self.damage.add(message.count)
            case CutAtOrder():
                self.cut.add(1)
            case _:
                return False
        return True

    def live(self, frame: bytes) -> bytes | None:
        """What arrives of a live frame; None for nothing."""
        if self.frames.strikes():
            return None
        if self.damage.strikes():
            return frame[:-1] + bytes((frame[-1] ^ 0x10,))
        return frame
