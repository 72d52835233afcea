"""What goes wrong on the way, as told: counted down, so that a test knows exactly what was lost."""


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
    """Faults of the air between hub and workstation."""

    def __init__(self) -> None:
        self.receipts = Countdown()
        self.frames = Countdown()
        self.damage = Countdown()

    def live(self, frame: bytes) -> bytes | None:
        """What arrives of a live frame; None for nothing."""
        if self.frames.strikes():
            return None
        if self.damage.strikes():
            return frame[:-1] + bytes((frame[-1] ^ 0x10,))
        return frame
