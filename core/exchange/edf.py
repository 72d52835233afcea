"""EDF+C: signals for whoever reads EDF, each raw sample as the record has it, and a manifest that tells the rest."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import numpy as np
from edfio import Edf, EdfAnnotation, EdfSignal, Recording

from core.exchange.edf_header import (
    HIGHEST,
    LOWEST,
    dimension,
    labels,
    long_text,
    patient_field,
    physical_range,
    set_range,
)
from core.exchange.edf_plan import SECOND_US, FilePlan, Placed, is_even, plan
from core.exchange.happenings import Gap, events, gaps
from core.exchange.manifest import (
    EventTold,
    FileTold,
    GapTold,
    KeptTold,
    Manifest,
    SegmentTold,
    SignalTold,
    UnevenTold,
    file_told,
    origin_of,
    write_manifest,
)
from core.exchange.runs import Run, find_runs, read_run
from core.exchange.uneven import write_uneven
from core.model.block import Provenance
from core.model.people import Patient
from core.model.progress import Watch, unwatched, within
from core.record import NotFound, RecordReader
from core.record.drafts import complete_folder

PADDING: Final = LOWEST
"""The lowest value that there is: nobody takes it for a measurement."""
EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_LOOKED: Final = 0.3
"""The part of the work that finding the runs is."""


@dataclass(frozen=True, slots=True)
class _Signal:
    """A signal ready to be written: what is told of it, and all its samples with their padding."""

    told: SignalTold
    signal: EdfSignal
    placed: Placed


def export_edf(
    reader: RecordReader,
    channels: Sequence[str],
    from_us: int,
    to_us: int,
    folder: Path,
    *,
    patient: Patient | None = None,
    watch: Watch = unwatched,
) -> Manifest:
    """Write the samples of [from_us, to_us), UTC µs, as a folder of EDF+C files with `manifest.json`.

    Runs of one hub that begin and end together share a file; a gap or a restart begins others. Samples of sources
    without a clock of their own lie on no grid; those stand in `uneven.csv`. The folder appears when it is complete.

    Args:
        patient: who is named in the headers, and whose notes stand in the annotations; None for nobody.

    Raises:
        NotFound: the record does not know a channel, or holds no samples there.
        ExportFailed: the folder cannot be written, or is there already.
        RecordDamaged: a block cannot be read.
        Cancelled: `watch` raised it.
    """
    with complete_folder(folder) as draft:
        origin = origin_of(reader, tuple(channels), from_us, to_us)
        streams = find_runs(reader, channels, from_us, to_us, within(watch, 0.0, _LOOKED))
        if not streams:
            raise NotFound("The record holds no samples in this range.", "Choose another range.")
        even = [stream for stream in streams if is_even(stream)]
        happened = events(reader, from_us, to_us, named=patient is not None)
        writer = _Writer(reader, draft, patient, happened, [gap for stream in even for gap in gaps(stream)])
        total = sum(run.count for stream in streams for run in stream)
        writer.write_all(even, within(watch, _LOOKED, 1.0), total)
        left = [stream for stream in streams if not is_even(stream)]
        manifest = Manifest(
            origin=origin,
            segments=tuple(writer.segments),
            gaps=tuple(_gap_told(gap) for stream in streams for gap in gaps(stream)),
            events=tuple(happened),
            uneven=tuple(_uneven_told(stream) for stream in left),
            uneven_file=_write_uneven(reader, left, from_us, to_us, draft),
        )
        write_manifest(manifest, draft)
        watch(1.0)
        return manifest


class _Writer:
    """Writes one file after the other, each from memory."""

    def __init__(
        self,
        reader: RecordReader,
        folder: Path,
        patient: Patient | None,
        happened: list[EventTold],
        missing: list[Gap],
    ) -> None:
        self._reader = reader
        self._folder = folder
        self._patient = patient_field(patient)
        self._happened = happened
        self._missing = missing
        self.segments: list[SegmentTold] = []

    def write_all(self, streams: Sequence[Sequence[Run]], watch: Watch, total: int) -> None:
        sources: dict[tuple[str, int], list[Run]] = {}
        for stream in streams:
            sources.setdefault((stream[0].source, stream[0].boot), []).extend(stream)
        done = 0
        for runs in sources.values():
            for one in plan(runs):
                self._write(one)
                done += sum(placed.end - placed.first for placed in one.placed)
                watch(done / total)

    def _write(self, one: FilePlan) -> None:
        named = labels([placed.run.channel for placed in one.placed])
        signals = [self._signal(one, *each) for each in zip(one.placed, named, strict=True)]
        first = min(signals, key=lambda each: (each.told.padded_before, each.told.shift_us))
        start_utc_us = first.told.start_utc_us - first.told.shift_us
        start = EPOCH + timedelta(microseconds=start_utc_us)
        edf = Edf(
            [each.signal for each in signals],
            patient=self._patient,
            recording=Recording(startdate=start.date(), equipment_code="Smilescape"),
            starttime=start.time(),
            data_record_duration=one.record_us / SECOND_US,
            annotations=self._annotations(signals, one, start_utc_us),
        )
        path = self._folder / f"segment-{len(self.segments) + 1:03d}.edf"
        edf.write(path)
        written = file_told(path)
        run = one.placed[0].run
        self.segments.append(
            SegmentTold(
                file=written.file,
                bytes=written.bytes,
                sha256=written.sha256,
                source=run.source,
                boot=run.boot,
                start_utc=f"{start:%Y-%m-%dT%H:%M:%S.%f}Z",
                start_utc_us=start_utc_us,
                start_hub_us=one.start_us,
                record_us=one.record_us,
                records=one.records,
                signals=tuple(each.told for each in signals),
                continues=self.segments[-1].file if one.continues else "",
            )
        )

    def _signal(self, one: FilePlan, placed: Placed, label: str) -> _Signal:
        run = placed.run
        samples, utc_us, end_utc_us = read_run(self._reader, run, placed.first, placed.end)
        length = one.records * one.record_us // run.period_us
        after = length - placed.before - len(samples)
        digital = np.pad(samples, (placed.before, after), constant_values=PADDING)
        spec, scaled = run.channel, physical_range(run.channel)
        told = SignalTold(
            label=label,
            channel=spec.key,
            unit=spec.unit,
            scale=spec.scale,
            offset=spec.offset,
            first_index=placed.first,
            samples=len(samples),
            padded_before=placed.before,
            padded_after=after,
            start_hub_us=run.start_us + (placed.first - run.first_index) * run.period_us,
            period_us=run.period_us,
            off_us=run.off_us,
            start_utc_us=utc_us,
            end_utc_us=end_utc_us,
            shift_us=placed.shift_us,
            exact_range=scaled.exact,
            provenance=tuple(_kept(placed)),
            sha256=hashlib.sha256(samples.astype("<i2").tobytes()).hexdigest(),
        )
        signal = EdfSignal.from_digital(
            digital,
            SECOND_US / run.period_us,
            label=label,
            transducer_type=long_text(run.source),
            physical_dimension=dimension(spec.unit),
            digital_range=(LOWEST, HIGHEST),
        )
        set_range(signal, scaled)
        return _Signal(told, signal, placed)

    def _annotations(self, signals: Sequence[_Signal], one: FilePlan, start_utc_us: int) -> list[EdfAnnotation]:
        length_us = one.records * one.record_us
        found = [
            EdfAnnotation((event.at_us - start_utc_us) / SECOND_US, None, f"{event.kind}: {event.text}")
            for event in self._happened
            if 0 <= event.at_us - start_utc_us < length_us
        ]
        for each in signals:
            found += _of_signal(each.told, length_us)
            found += [
                EdfAnnotation(0.0, None, f"gap of {_seconds(gap)} s before this@@{each.told.label}")
                for gap in self._missing
                if gap.after is each.placed.run and gap.end == each.placed.first
            ]
        return found


def _of_signal(told: SignalTold, length_us: int) -> list[EdfAnnotation]:
    """Where a signal is no data, and where it did not come live. EDF+ names the signal behind @@."""
    found = []
    ends = (told.padded_before, told.padded_before + told.samples, length_us // told.period_us)
    for first, end in ((0, ends[0]), (ends[1], ends[2])):
        if end > first:
            found.append(_stretch(told, first, end, "no data"))
    for kept in told.provenance:
        if kept.provenance != Provenance.LIVE.name.lower():
            moved = told.padded_before - told.first_index
            found.append(_stretch(told, kept.first + moved, kept.end + moved, kept.provenance))
    return found


def _stretch(told: SignalTold, first: int, end: int, text: str) -> EdfAnnotation:
    onset, duration = first * told.period_us / SECOND_US, (end - first) * told.period_us / SECOND_US
    return EdfAnnotation(onset, duration, f"{text}@@{told.label}")


def _kept(placed: Placed) -> list[KeptTold]:
    return [
        KeptTold(
            first=max(kept.first, placed.first),
            end=min(kept.end, placed.end),
            provenance=kept.provenance.name.lower(),
        )
        for kept in placed.run.kept
        if kept.first < placed.end and kept.end > placed.first
    ]


def _gap_told(gap: Gap) -> GapTold:
    before, after = gap.before, gap.after
    return GapTold(
        source=before.source,
        boot=before.boot,
        channel=before.channel.key,
        first=gap.first,
        end=gap.end,
        from_utc_us=before.end_utc_us,
        to_utc_us=after.utc_us,
    )


def _uneven_told(stream: Sequence[Run]) -> UnevenTold:
    first = stream[0]
    samples = sum(run.count for run in stream)
    return UnevenTold(source=first.source, boot=first.boot, channel=first.channel.key, samples=samples)


def _write_uneven(
    reader: RecordReader, streams: Sequence[Sequence[Run]], from_us: int, to_us: int, folder: Path
) -> FileTold | None:
    if not streams:
        return None
    path = folder / "uneven.csv"
    write_uneven(reader, [stream[0] for stream in streams], from_us, to_us, path)
    return file_told(path)


def _seconds(gap: Gap) -> str:
    return f"{(gap.after.utc_us - gap.before.end_utc_us) / SECOND_US:.3f}"
