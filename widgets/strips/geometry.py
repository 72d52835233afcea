"""Where the parts of the strips card stand, logical pixels."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from PySide6.QtCore import QRect

from core.model.channel import ChannelSpec

HEADER = 63
AXIS = 24
EDGE = 1
BLOCK = 176
BLOCK_WIDE = 200
GUTTER = 74
WIDE = 900
"""From this width on the label block takes its larger size."""


@dataclass(frozen=True, slots=True)
class Geometry:
    """The parts of a card of a given size; `rows` relative to the traces."""

    header: QRect
    labels: QRect
    traces: QRect
    gutter: QRect
    axis: QRect
    rows: tuple[QRect, ...]

    @classmethod
    def of(cls, specs: Sequence[ChannelSpec], width: int, height: int) -> "Geometry":
        block = 16 + (BLOCK_WIDE if width >= WIDE else BLOCK)
        left, top = EDGE + block, EDGE + HEADER
        body = height - top - AXIS - EDGE
        across = width - left - GUTTER - EDGE
        heights = row_heights(specs, body)
        rows, y = [], 0
        for row in heights:
            rows.append(QRect(0, y, across, row))
            y += row
        return cls(
            header=QRect(EDGE, EDGE, width - 2 * EDGE, HEADER),
            labels=QRect(EDGE, top, block, body),
            traces=QRect(left, top, across, body),
            gutter=QRect(left + across, top, GUTTER, body),
            axis=QRect(EDGE, top + body, width - 2 * EDGE, AXIS),
            rows=tuple(rows),
        )


def row_heights(specs: Sequence[ChannelSpec], body: int) -> list[int]:
    """Pinned rows take 88 px and the others 56; what is left they share 40 to 32, what lacks in proportion."""
    base = [88 if spec.pinned else 56 for spec in specs]
    grow = [40 if spec.pinned else 32 for spec in specs]
    spare = body - sum(base)
    share = spare / sum(grow) if spare > 0 else spare / sum(base)
    wanted = [b + share * (g if spare > 0 else b) for b, g in zip(base, grow, strict=True)]
    edges = [round(sum(wanted[:index])) for index in range(len(wanted) + 1)]
    return [after - before for before, after in pairwise(edges)]
