"""Times, dates, durations and values as people read them, in the language of the words."""

from pathlib import Path

from PySide6.QtCore import QDate, QDateTime, QLocale, QStandardPaths

from core.model.channel import ChannelSpec
from core.model.people import Patient, VisitSummary
from core.model.words import Words

MINUS = "\N{MINUS SIGN}"
EPOCH = QDate(1970, 1, 1)


def clock_time(at_us: int, *, seconds: bool = False, fine: bool = False) -> str:
    """Local time, HH:MM, with seconds or, closer still, milliseconds."""
    pattern = "HH:mm:ss.zzz" if fine else "HH:mm:ss" if seconds else "HH:mm"
    return _local(at_us).toString(pattern)


def short_date(words: Words, at_us: int, *, day: bool = False) -> str:
    """Month and year, with the day if asked for."""
    return QLocale(words.language).toString(_local(at_us).date(), "d MMM yyyy" if day else "MMM yyyy")


def long_date(words: Words, at_us: int) -> str:
    return QLocale(words.language).toString(_local(at_us).date(), "d MMMM yyyy")


def birth_date(words: Words, patient: Patient) -> str:
    """The patient's birth date; as written when it is no ISO date."""
    date = QDate.fromString(patient.birth_date, "yyyy-MM-dd")
    return QLocale(words.language).toString(date, "d MMM yyyy") if date.isValid() else patient.birth_date


def day_date(words: Words, day: int, pattern: str = "d MMM yyyy") -> str:
    """A day counted from 1970-01-01 UTC."""
    return QLocale(words.language).toString(EPOCH.addDays(day), pattern)


def year(at_us: int) -> int:
    return _local(at_us).date().year()


def is_today(at_us: int, now_us: int) -> bool:
    return _local(at_us).date() == _local(now_us).date()


def duration(words: Words, seconds: float) -> str:
    """The two largest units that matter."""
    if seconds < 1:
        return words.say("patients.duration.milliseconds", milliseconds=round(seconds * 1000))
    whole = round(seconds)
    if whole < 60:
        return words.say("patients.duration.seconds", seconds=whole)
    if whole < 3600:
        key = "minutes_seconds" if whole < 600 and whole % 60 else "minutes"
        return words.say(f"patients.duration.{key}", minutes=whole // 60, seconds=whole % 60)
    if whole % 3600 < 60:
        return words.say("patients.duration.whole_hours", hours=whole // 3600)
    return words.say("patients.duration.hours", hours=whole // 3600, minutes=whole % 3600 // 60)


def number(spec: ChannelSpec, value: float, *, signed: bool = False) -> str:
    """A physical value in the channel's decimals."""
    text = f"{abs(value):.{spec.decimals}f}"
    negative = value < 0 and float(text) != 0
    sign = MINUS if negative else "+" if signed and float(text) != 0 else "±" if signed else ""
    return sign + text


def visit_title(words: Words, visit: VisitSummary) -> str:
    """What the visit was about, with its teeth."""
    title = words.say(visit.title_key) if visit.title_key else words.say("patients.visit.untitled")
    teeth = ", ".join(str(fdi) for fdi in visit.teeth[:3])
    return words.say("patients.visit.title", title=title, teeth=teeth) if teeth else title


def export_folder(data_folder: str) -> Path:
    """Where reports and CSV files go: beside the data, or among the person's documents while that is unknown."""
    if data_folder:
        return Path(data_folder) / "exports"
    documents = QStandardPaths.writableLocation(QStandardPaths.StandardLocation.DocumentsLocation)
    return Path(documents) / "Smilescape"


def _local(at_us: int) -> QDateTime:
    return QDateTime.fromMSecsSinceEpoch(at_us // 1000)
