"""What a channel is: read from the catalogue, never guessed."""

from typing import Literal

import msgspec

Style = Literal["line", "step", "held", "envelope"]
Reading = Literal["newest", "rectified", "swing"]

IMPORTED = "imported."
"""Begins the key of every channel that holds what was recorded elsewhere."""
FIRST_IMPORTED = 1000
"""Their numbers are this and the catalogue's own; the air has numbers up to 255."""


class ChannelSpec(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One signal, as `resources/channels.toml` describes it.

    Attributes:
        number: 0–255, the number on the wire and in the record; never reused.
        key: stable name in code and data files.
        unit: UCUM code; `display_unit` is what people read.
        rate_hz: samples a second; a divisor of 1,000,000 so that the period is whole µs.
        scale, offset: physical = raw int16 * scale + offset.
        low, high: range drawn in the strip, physical.
        normal: physical range that is normal, with its source in `reference`.
        style: `line`; `step` for values that jump; `held` for values sampled once a minute; `envelope` for EMG.
        trace: index into the trace colours of the theme.
        row: place in the strips, 0 at the top; `pinned` rows carry the large value. None is not drawn live.
        source: which kind of device measures it, by its key in `devices/kinds.py`.
        occasional: measured now and then, when somebody wants it: its silence means nothing.
        reading: what the large value says: the newest sample, the mean rectified value of one second (EMG), or the
            swing from trough to peak of two seconds (perfusion index).
        reference: where the figures come from; "(check)" marks one quoted from general knowledge.
    """

    number: int
    key: str
    unit: str
    display_unit: str
    rate_hz: float
    scale: float
    offset: float = 0.0
    low: float
    high: float
    decimals: int
    normal_low: float | None = None
    normal_high: float | None = None
    style: Style = "line"
    trace: int = 0
    row: int | None = None
    pinned: bool = False
    occasional: bool = False
    source: str = "hub"
    reading: Reading = "newest"
    reference: str = ""

    @property
    def period_us(self) -> int:
        return round(1_000_000 / self.rate_hz)


def imported(spec: ChannelSpec) -> ChannelSpec:
    """The channel on which samples of this one are kept that were recorded elsewhere; no hub can have its number."""
    return msgspec.structs.replace(spec, key=f"{IMPORTED}{spec.key}", number=FIRST_IMPORTED + spec.number)
