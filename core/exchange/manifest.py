"""What a folder of signals holds, told so exactly that the record's samples and times can be had back from it."""

import hashlib
from pathlib import Path

import msgspec

from core.record import Loss, RecordedChannel, RecordReader

FORMAT = "smilescape-signals-1"
NAME = "manifest.json"


class ChannelTold(msgspec.Struct, frozen=True, kw_only=True):
    """physical = raw * scale + offset, in `unit` (UCUM)."""

    key: str
    number: int
    unit: str
    scale: float
    offset: float


class LossTold(msgspec.Struct, frozen=True, kw_only=True):
    """Frames `first` to `last`, both included, that the source confirmed lost."""

    source: str
    first: int
    last: int
    at_us: int


class Origin(msgspec.Struct, frozen=True, kw_only=True):
    """Which record, and which part of it.

    Attributes:
        simulated: the samples are of nobody.
        from_us, to_us: UTC µs, `to_us` not included.
    """

    record: str
    chair: int
    simulated: bool
    from_us: int
    to_us: int
    channels: tuple[ChannelTold, ...]
    losses: tuple[LossTold, ...]


class KeptTold(msgspec.Struct, frozen=True, kw_only=True):
    """Samples [first, end) by index, and how they reached the record: live, backfilled, suspect, …"""

    first: int
    end: int
    provenance: str


class SignalTold(msgspec.Struct, frozen=True, kw_only=True):
    """One signal of one EDF file.

    Attributes:
        label: as the EDF header has it.
        first_index, samples: of the record; between `padded_before` and `padded_after` samples that are no data.
        start_hub_us, period_us: hub time of the first sample and from each to the next.
        off_us: the farthest that a sample's own time lies from that grid.
        start_utc_us, end_utc_us: UTC of the first sample and of one period past the last.
        shift_us: how far the first sample lies past its place in the file: EDF has one start for all signals.
        exact_range: whether the header's physical range gives `scale` and `offset` exactly.
        sha256: of the samples as int16, little-endian, without the padding.
    """

    label: str
    channel: str
    unit: str
    scale: float
    offset: float
    first_index: int
    samples: int
    padded_before: int
    padded_after: int
    start_hub_us: int
    period_us: int
    off_us: int
    start_utc_us: int
    end_utc_us: int
    shift_us: int
    exact_range: bool
    provenance: tuple[KeptTold, ...]
    sha256: str


class SegmentTold(msgspec.Struct, frozen=True, kw_only=True):
    """One EDF+C file. `continues`: the file that this one goes on from, without a gap; empty for none."""

    file: str
    bytes: int
    sha256: str
    source: str
    boot: int
    start_utc: str
    start_utc_us: int
    start_hub_us: int
    record_us: int
    records: int
    signals: tuple[SignalTold, ...]
    continues: str = ""


class GapTold(msgspec.Struct, frozen=True, kw_only=True):
    """Samples [first, end) by index that the record does not have, between two that it has."""

    source: str
    boot: int
    channel: str
    first: int
    end: int
    from_utc_us: int
    to_utc_us: int


class UnevenTold(msgspec.Struct, frozen=True, kw_only=True):
    """A stream whose samples lie on no even grid; they stand in `file`, each with its time."""

    source: str
    boot: int
    channel: str
    samples: int


class FileTold(msgspec.Struct, frozen=True, kw_only=True):
    """A file beside the EDF files."""

    file: str
    bytes: int
    sha256: str


class EventTold(msgspec.Struct, frozen=True, kw_only=True):
    """What happened, as the annotations have it; also what happened while no signal ran."""

    at_us: int
    kind: str
    text: str


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """The whole of `manifest.json`."""

    format: str = FORMAT
    origin: Origin
    segments: tuple[SegmentTold, ...]
    gaps: tuple[GapTold, ...]
    events: tuple[EventTold, ...]
    uneven: tuple[UnevenTold, ...] = ()
    uneven_file: FileTold | None = None


def origin_of(reader: RecordReader, channels: tuple[str, ...], from_us: int, to_us: int) -> Origin:
    """Raises NotFound: the record does not know a channel."""
    about = reader.info()
    return Origin(
        record=about.id,
        chair=about.chair,
        simulated=about.simulated,
        from_us=from_us,
        to_us=to_us,
        channels=tuple(_channel(reader.channel(key)) for key in channels),
        losses=tuple(_loss(loss) for loss in reader.losses() if from_us <= loss.at_us),
    )


def write_manifest(manifest: Manifest, folder: Path) -> None:
    """`manifest.json` in a folder, indented, for people too."""
    (folder / NAME).write_bytes(msgspec.json.format(msgspec.json.encode(manifest), indent=1))


def file_told(path: Path) -> FileTold:
    """Name, size and checksum of a file that is finished."""
    with path.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
    return FileTold(file=path.name, bytes=path.stat().st_size, sha256=digest)


def _channel(spec: RecordedChannel) -> ChannelTold:
    return ChannelTold(key=spec.key, number=spec.number, unit=spec.unit, scale=spec.scale, offset=spec.offset)


def _loss(loss: Loss) -> LossTold:
    return LossTold(source=loss.source, first=loss.first, last=loss.last, at_us=loss.at_us)
