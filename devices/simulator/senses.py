"""What goes wrong at a sensor itself, before anybody has its samples."""

from dataclasses import replace

import numpy as np

from core.model.block import SampleBlock


class FrozenSensors:
    """Sensors that go on sending the last value that they had."""

    def __init__(self) -> None:
        self._frozen: dict[int, int | None] = {}

    def freeze(self, channel: int) -> None:
        self._frozen[channel] = None

    def thaw(self, channel: int) -> None:
        self._frozen.pop(channel, None)

    def sense(self, blocks: list[SampleBlock]) -> list[SampleBlock]:
        """The samples of one tick as the hub gets them."""
        return [self._sense(block) if block.channel in self._frozen else block for block in blocks]

    def _sense(self, block: SampleBlock) -> SampleBlock:
        value = self._frozen[block.channel]
        if value is None:
            value = self._frozen[block.channel] = int(block.samples[0])
        return replace(block, samples=np.full_like(block.samples, value))
