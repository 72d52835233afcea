"""Days at home as comma-separated values (RFC 4180): one line for each day of each hub, as the hub told it."""

import csv
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from core.model.wear import ChannelDay, DaySummary, day_iso
from core.record.drafts import complete_file
from core.record.reader import RecordReader
from core.record.types import DayRead, RecordedChannel
from core.record.wear import wearer

FIXED = ("day (UTC)", "hub", "patient", "worn (s)", "plaque pH below 5.5 (s)", "acid attacks (1)", "read (UTC)")
FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""A spreadsheet takes a text that begins so for a formula; a hub's name is what a hub says it is."""


def export_days(reader: RecordReader, path: Path) -> int:
    """Write every day of every hub, the newest summary of each; returns the rows written.

    Columns: the day (UTC, ISO 8601), the hub, the code of the patient who wore it as far as this record knows, seconds
    worn and with plaque pH below 5.5, acid attacks, when the summary was read; then of each channel that occurs its
    samples, and its lowest, mean and highest value with the unit (UCUM) in the header. A day that a hub was not worn
    has no line. The file appears when it is complete; on failure nothing is left, and what was there before stays.

    Raises:
        ExportFailed: the file cannot be written.
    """
    turns = reader.turns()
    hubs = {hub.source: reader.days_read(hub.source) for hub in reader.wear() if hub.days}
    known = {channel.number: channel for channel in reader.channels()}
    numbers = sorted({one.channel for days in hubs.values() for day in days for one in day.summary.channels})
    channels = [known.get(number) or RecordedChannel(number, f"channel_{number}", "1", 1.0, 0.0) for number in numbers]
    rows = 0
    with complete_file(path) as out:
        table = csv.writer(out)
        table.writerow([*FIXED, *(title for channel in channels for title in _titles(channel))])
        for hub, days in hubs.items():
            worn = turns.get(hub, [])
            codes = {turn.visit: _code(reader, turn.visit) for turn in worn}
            for day in days:
                patient = codes.get(wearer(worn, day.summary.day) or "", "")
                table.writerow([*_fixed(hub, patient, day), *_values(day.summary, channels)])
                rows += 1
    return rows


def _titles(channel: RecordedChannel) -> list[str]:
    values = [f"{channel.key} {what} ({channel.unit})" for what in ("low", "mean", "high")]
    return [f"{channel.key} samples (1)", *values]


def _fixed(hub: str, patient: str, day: DayRead) -> list[str | int]:
    one = day.summary
    read = datetime.fromtimestamp(day.read_us / 1e6, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return [day_iso(one.day), _plain(hub), _plain(patient), one.worn_s, one.acid_s, one.attacks, read]


def _values(day: DaySummary, channels: Sequence[RecordedChannel]) -> list[str | int]:
    """Empty where a channel was not measured."""
    found = {one.channel: one for one in day.channels}
    return [value for channel in channels for value in _physical(found.get(channel.number), channel)]


def _physical(one: ChannelDay | None, channel: RecordedChannel) -> list[str | int]:
    if one is None or not one.count:
        return ["", "", "", ""]
    raw = (one.low, one.sum / one.count, one.high)
    return [one.count, *(f"{value * channel.scale + channel.offset:.10g}" for value in raw)]


def _code(reader: RecordReader, visit_id: str) -> str:
    """Of the patient of a visit; empty while this record does not know it."""
    visit = reader.visit(visit_id)
    patient = reader.patient(visit.patient_id) if visit is not None else None
    return patient.code if patient is not None else ""


def _plain(text: str) -> str:
    return f"'{text}" if text.startswith(FORMULA) else text
