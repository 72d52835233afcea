"""Signals recorded elsewhere: read from CSV or EDF+, checked, and told apart for good from what our hubs measured.

An imported signal has a channel of its own, `imported.KEY`, so that no live value, limit or report ever mixes with it.
"""

import contextlib
import csv
import hashlib
import io
from array import array
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from itertools import pairwise
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
from edfio import Edf, EdfSignal, read_edf

from core.model.block import Provenance, SampleBlock, Samples
from core.model.channel import ChannelSpec, imported
from core.model.errors import SmilescapeError
from core.model.progress import Watch, unwatched, within
from core.model.words import Text
from core.record import Record, RecordedChannel, StampedBlock
from core.signals.catalogue import Catalogue

MOST_BYTES: Final = 512 << 20
MOST_SAMPLES: Final = 100_000_000
"""A day of a thousand a second, and more. They are one commit, which takes some 10 s."""
PIECE: Final = 1_000_000
"""Samples that are held, sent on and stored at a time."""
COLUMNS: Final = ("utc", "channel", "value", "unit")
_MOVED_US: Final = 1000
_UNITS: Final = {"degC": "Cel", "C": "Cel", "bpm": "/min", "": "1"}
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


class ImportRefused(SmilescapeError):  # noqa: N818
    """The file cannot be taken in as it is; the message names line and field, or signal."""

    code = "exchange.import"


@dataclass(frozen=True, slots=True)
class Incoming:
    """A piece of one signal of a file: raw in the catalogue's scale, shape (n,), and the UTC µs of each, rising.

    Attributes:
        first: how many samples of the signal come before.
        begin_us: UTC µs of the signal's first sample.
    """

    spec: ChannelSpec
    samples: Samples
    at_us: npt.NDArray[np.int64]
    first: int
    begin_us: int


@dataclass(frozen=True, slots=True)
class Taken:
    """How many samples are new, and how many were there already."""

    stored: int
    known: int


@dataclass(frozen=True, slots=True)
class Foreign:
    """One signal of a file as the file has it, before anybody says which channel it is.

    Attributes:
        unit: as written there.
        from_us, to_us: UTC µs of the first and of the last sample.
        channel: key of the channel that it names itself; empty where it names none, or one with another unit.
        choices: keys of the channels that have its unit.
    """

    name: str
    unit: str
    samples: int
    from_us: int
    to_us: int
    channel: str
    choices: tuple[str, ...]


def look_into(
    path: Path, catalogue: Catalogue, *, zone: timezone | None = None, watch: Watch = unwatched
) -> list[Foreign]:
    """What a file holds; nothing is taken in. `zone` as in `read_signals`. Raises ImportRefused."""
    with _opened(path) as is_edf:
        found = _look_edf(path, catalogue, zone) if is_edf else _look_csv(path, catalogue, watch)
    if not found:
        raise ImportRefused(f"{path.name} holds no samples.", "Choose another file.")
    watch(1.0)
    return found


def read_signals(
    path: Path,
    catalogue: Catalogue,
    *,
    zone: timezone | None = None,
    names: Mapping[str, str] | None = None,
    watch: Watch = unwatched,
) -> Iterator[Incoming]:
    """The signals of a file, one after the other, piece by piece: what is wrong may be found after some of them.

    Args:
        zone: what the clock of an EDF file showed, which EDF does not say; needed for EDF alone.
        names: label or column text → key of a channel, or empty to leave the signal out; others must be keys already.

    Raises ImportRefused.
    """
    found = False
    with _opened(path) as is_edf:
        chosen = _Names(catalogue, names or {})
        for one in _read_edf(path, chosen, zone, watch) if is_edf else _read_csv(path, chosen, watch):
            found = True
            yield one
    if not found:
        raise ImportRefused(f"{path.name} holds no samples.", "Choose another file.")
    watch(1.0)


def digest_of(path: Path) -> str:
    """SHA-256 of the file, in hex. Raises ImportRefused."""
    with _opened(path), path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def import_signals(
    record: Record, found: Iterable[Incoming], digest: str, *, visit_id: str, author: str, at_us: int
) -> Taken:
    """Store signals with a visit, in one commit: when `found` raises, nothing is stored. The same file twice adds
    nothing.

    `digest`: of the file, as `digest_of` gives it.
    """
    source = f"import:{digest[:16]}"
    stored = samples = 0
    keys: list[str] = []
    with record.transaction():
        for one in found:
            if one.spec.key not in keys:
                record.describe_channel(imported_channel(one.spec))
                keys.append(one.spec.key)
            stored += record.add_blocks(source, list(_blocks(one)), visit_id)
            samples += len(one.samples)
        said = Text("log.imported", {"samples": stored})
        record.add_event("imported", said, at_us=at_us, visit_id=visit_id, author=author)
        body = {"visit": visit_id, "file": digest, "channels": keys, "samples": stored}
        record.audit("imported", actor=author, at_us=at_us, body=body)
    return Taken(stored, samples - stored)


def imported_channel(spec: ChannelSpec) -> RecordedChannel:
    """The channel on which imported samples of a known one are kept."""
    apart = imported(spec)
    return RecordedChannel(apart.number, apart.key, apart.unit, apart.scale, apart.offset)


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[bool]:
    """Whether the file is EDF. Raises ImportRefused, also for what cannot be read within."""
    try:
        size = path.stat().st_size
        if size > MOST_BYTES:
            megabytes = MOST_BYTES >> 20
            raise ImportRefused(f"{path.name} has {size / 2**20:.0f} MiB.", f"Cut it into files of {megabytes} MiB.")
        with path.open("rb") as stream:
            is_edf = stream.read(8) == b"0       "
        yield is_edf
    except OSError as error:
        raise ImportRefused(f"{path} cannot be read: {error.strerror}.", "Check the path.") from error


# CSV


def _read_csv(path: Path, names: "_Names", watch: Watch) -> Iterator[Incoming]:
    columns: dict[str, tuple[ChannelSpec, array[float], array[int]]] = {}
    for line, utc, channel, value, unit in _rows(path, watch):
        if channel not in columns:
            spec = names.channel(channel, f"Line {line}, channel")
            if spec is None:
                continue
            columns[channel] = spec, array("d"), array("q")
        spec, values, times = columns[channel]
        _check_unit(unit, spec, f"Line {line}, unit")
        times.append(_moment(utc, line))
        values.append(_number(value, line))
    for spec, values, times in columns.values():
        at_us = np.frombuffer(times, np.int64)
        order = np.argsort(at_us, kind="stable")
        where = f"Channel {spec.key}"
        yield from _pieces(spec, np.frombuffer(values)[order], at_us[order], where)


def _look_csv(path: Path, catalogue: Catalogue, watch: Watch) -> list[Foreign]:
    found: dict[str, tuple[int, int, int]] = {}
    units: dict[str, str] = {}
    for line, utc, channel, value, unit in _rows(path, watch):
        _number(value, line)
        if units.setdefault(channel, unit) != unit:
            raise _at(line, "unit", f"{unit!r}, but {channel} was in {units[channel]!r}", "Convert the values first.")
        at_us = _moment(utc, line)
        count, first_us, last_us = found.get(channel, (0, at_us, at_us))
        found[channel] = count + 1, min(first_us, at_us), max(last_us, at_us)
    return [_foreign(name, units[name], *facts, catalogue) for name, facts in found.items()]


def _rows(path: Path, watch: Watch) -> Iterator[tuple[int, str, str, str, str]]:
    """Number of each line, and its utc, channel, value and unit."""
    try:
        size = max(1, path.stat().st_size)
        with path.open("rb") as raw, io.TextIOWrapper(raw, encoding="utf-8-sig", newline="") as stream:
            table = csv.reader(stream, strict=True)
            header = next(table, [])
            missing = [name for name in COLUMNS if name not in header]
            if missing:
                raise ImportRefused(
                    f"Line 1: there is no column {missing[0]!r}.", f"The first line needs {', '.join(COLUMNS)}."
                )
            places = [header.index(name) for name in COLUMNS]
            for row in table:
                line = table.line_num
                if len(row) != len(header):
                    raise _at(line, "row", f"{len(row)} fields instead of {len(header)}", "Mend the line.")
                utc, channel, value, unit = (row[place] for place in places)
                yield line, utc, channel, value, unit
                if line % 10_000 == 0:
                    watch(0.9 * raw.tell() / size)
    except (UnicodeDecodeError, csv.Error) as error:
        raise ImportRefused(f"{path.name} is no CSV in UTF-8: {error}.", "Save it as CSV, UTF-8.") from error


def _moment(text: str, line: int) -> int:
    try:
        when = datetime.fromisoformat(text)
    except ValueError:
        raise _at(line, "utc", f"{text!r} is no moment", "Write it like 2045-11-22T10:20:00.5Z.") from None
    if when.tzinfo is None:
        raise _at(line, "utc", f"{text!r} has no time zone", "End it with Z, or an offset such as +02:00.")
    since = when - _EPOCH
    return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds


def _number(text: str, line: int) -> float:
    try:
        value = float(text)
    except ValueError:
        raise _at(line, "value", f"{text!r} is no number", "Write it with a point, such as 6.84.") from None
    if not np.isfinite(value):
        raise _at(line, "value", f"{text!r} is no measurement", "Leave the line out.")
    return value


def _at(line: int, field: str, what: str, remedy: str) -> ImportRefused:
    return ImportRefused(f"Line {line}, {field}: {what}.", remedy)


# EDF


def _read_edf(path: Path, names: "_Names", zone: timezone | None, watch: Watch) -> Iterator[Incoming]:
    with _edf_of(path, zone) as (edf, begin_us):
        for number, signal in enumerate(edf.signals):
            part = within(watch, 0.9 * number / len(edf.signals), 0.9 * (number + 1) / len(edf.signals))
            yield from _edf_signal(edf, signal, begin_us, names, part)


def _look_edf(path: Path, catalogue: Catalogue, zone: timezone | None) -> list[Foreign]:
    found = []
    with _edf_of(path, zone) as (edf, begin_us):
        for signal in edf.signals:
            real = np.flatnonzero(_edf_real(edf, signal))
            if len(real):
                first_us, last_us = (int(one) for one in _edf_times(signal, begin_us, real[[0, -1]]))
                unit = signal.physical_dimension
                found.append(_foreign(signal.label, unit, len(real), first_us, last_us, catalogue))
    return found


@contextlib.contextmanager
def _edf_of(path: Path, zone: timezone | None) -> Iterator[tuple[Edf, int]]:
    """The file and when it begins, UTC µs. Raises ImportRefused, also for what is wrong within."""
    if zone is None:
        raise ImportRefused("EDF does not say in which time zone its clock ran.", "Name it, such as +02:00 or +00:00.")
    try:
        edf = read_edf(path)
        if edf.reserved.startswith("EDF+D"):
            raise ImportRefused("This is EDF+D: it has gaps.", "Export it as EDF+C, one file for each stretch.")
        start = datetime.combine(edf.startdate, edf.starttime, tzinfo=zone)
        if sum(len(signal.digital) for signal in edf.signals) > MOST_SAMPLES:
            raise ImportRefused(f"{path.name} has too many samples.", f"Cut it into parts of at most {MOST_SAMPLES}.")
        since = start - _EPOCH
        yield edf, (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds
    except (ValueError, KeyError, IndexError, OverflowError) as error:
        raise ImportRefused(f"{path.name} is no EDF that can be read: {error}.", "Check it in EDFbrowser.") from error


def _edf_signal(edf: Edf, signal: EdfSignal, begin_us: int, names: "_Names", watch: Watch) -> Iterator[Incoming]:
    where = f"Signal {signal.label!r}"
    spec = names.channel(signal.label, where)
    if spec is None:
        return
    _check_unit(signal.physical_dimension, spec, f"{where}, unit")
    digital = signal.digital
    real = np.flatnonzero(_edf_real(edf, signal)).astype(np.int64)
    low, high = signal.physical_range
    lowest, highest = signal.digital_range
    gain = (high - low) / (highest - lowest)
    first_us = int(_edf_times(signal, begin_us, real[:1])[0]) if len(real) else 0
    for start in range(0, len(real), PIECE):
        watch(start / len(real))
        chosen = real[start : start + PIECE]
        values = (digital[chosen].astype(np.float64) - lowest) * gain + low
        yield _incoming(spec, values, _edf_times(signal, begin_us, chosen), where, start, first_us)


def _edf_real(edf: Edf, signal: EdfSignal) -> npt.NDArray[np.bool_]:
    """Which samples are real, shape (n,): our own exports pad."""
    real = np.ones(len(signal.digital), bool)
    for note in edf.annotations:
        if note.text == f"no data@@{signal.label}":
            first = round(note.onset * signal.sampling_frequency)
            real[first : first + round((note.duration or 0) * signal.sampling_frequency)] = False
    return real


def _edf_times(signal: EdfSignal, begin_us: int, places: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """UTC µs of the samples at these places of the signal."""
    return begin_us + np.round(places * (1e6 / signal.sampling_frequency)).astype(np.int64)


# both


def _foreign(name: str, unit: str, samples: int, from_us: int, to_us: int, catalogue: Catalogue) -> Foreign:
    choices = tuple(spec.key for spec in catalogue if spec.unit == _UNITS.get(unit, unit))
    return Foreign(name, unit, samples, from_us, to_us, name if name in choices else "", choices)


class _Names:
    """Which channel each signal of a file is; none is taken twice."""

    def __init__(self, catalogue: Catalogue, names: Mapping[str, str]) -> None:
        self._catalogue = catalogue
        self._names = names
        self._taken: dict[str, str] = {}

    def channel(self, name: str, where: str) -> ChannelSpec | None:
        """None for one that is to be left out. Raises ImportRefused."""
        key = self._names.get(name, name)
        if not key:
            return None
        if key not in self._catalogue:
            raise ImportRefused(f"{where}: {name!r} is no channel.", f"Map it: {name}=KEY, or {name}= to leave it out.")
        if self._taken.setdefault(key, name) != name:
            raise ImportRefused(f"{where}: {self._taken[key]!r} is {key}, too.", f"Leave one out: {name}=.")
        return self._catalogue.key(key)


def _check_unit(unit: str, spec: ChannelSpec, where: str) -> None:
    if _UNITS.get(unit, unit) != spec.unit:
        raise ImportRefused(f"{where}: {unit!r}, but {spec.key} is in {spec.unit!r}.", "Convert the values first.")


def _pieces(
    spec: ChannelSpec, values: npt.NDArray[np.float64], at_us: npt.NDArray[np.int64], where: str
) -> Iterator[Incoming]:
    """A signal that is held whole, in order."""
    if not (np.diff(at_us) > 0).all():
        raise ImportRefused(f"{where}: two samples have the same time.", "Leave one of them out.")
    for start in range(0, len(at_us), PIECE):
        part = slice(start, start + PIECE)
        yield _incoming(spec, values[part], at_us[part], where, start, int(at_us[0]))


def _incoming(
    spec: ChannelSpec,
    values: npt.NDArray[np.float64],
    at_us: npt.NDArray[np.int64],
    where: str,
    first: int,
    begin_us: int,
) -> Incoming:
    raw = np.round((values - spec.offset) / spec.scale)
    outside = np.flatnonzero((raw < -32_768) | (raw > 32_767))
    if len(outside):
        raise ImportRefused(f"{where}: {values[outside[0]]:g} is out of range.", f"{spec.key} holds 16 bits.")
    if not (np.diff(at_us) > 0).all():
        raise ImportRefused(f"{where}: two samples have the same time.", "Leave one of them out.")
    return Incoming(spec, raw.astype(np.int16), at_us, first, begin_us)


def _blocks(one: Incoming) -> Iterator[StampedBlock]:
    """Stretches of even steps, to the microsecond's rounding; a lone sample takes the channel's own period."""
    steps = np.diff(one.at_us)
    bends = np.flatnonzero(np.abs(np.diff(steps)) > 1) + 2
    for first, end in pairwise([0, *bends.tolist(), len(one.at_us)]):
        yield from _straight(one, first, end)


def _straight(one: Incoming, first: int, end: int) -> Iterator[StampedBlock]:
    """One block, or more where drawing its times straight from end to end would move a sample by more than 1 ms."""
    at_us = one.at_us[first:end]
    period = int(at_us[1] - at_us[0]) if len(at_us) > 1 else one.spec.period_us
    end_us = int(at_us[-1]) + (int(at_us[-1] - at_us[-2]) if len(at_us) > 1 else period)
    drawn = at_us[0] + np.arange(len(at_us)) * (end_us - int(at_us[0])) // len(at_us)
    if np.abs(drawn - at_us).max() > _MOVED_US:
        middle = (first + end) // 2
        yield from _straight(one, first, middle)
        yield from _straight(one, middle, end)
        return
    start_us = int(at_us[0]) - one.begin_us
    number = imported(one.spec).number
    block = SampleBlock(number, 0, one.first + first, start_us, period, one.samples[first:end], Provenance.IMPORTED)
    yield StampedBlock(block, int(at_us[0]), end_us)


def parse_zone(text: str) -> timezone:
    """A UTC offset such as +02:00 or Z. Raises ImportRefused."""
    try:
        when = datetime.fromisoformat(f"2000-01-01T00:00:00{text}")
        offset = when.utcoffset()
    except ValueError:
        offset = None
    if offset is None or abs(offset) > timedelta(hours=15):
        raise ImportRefused(f"{text!r} is no time zone.", "Write it like +02:00, or Z for UTC.")
    return timezone(offset)
