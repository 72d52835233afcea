"""What the bars say of a chair: mark, word, sentence. Pure; everything is read from the store."""

from dataclasses import dataclass
from datetime import UTC, date, datetime

from PySide6.QtCore import QDate, QLocale

from app.console.store import Store
from app.ipc.messages import Chair
from core.model.alarm import Alarm, AlarmPriority, AudioState
from core.model.hub import LinkState
from core.model.procedure import STEPS, HoldOrigin
from core.model.words import Words

WEAK_DBM = -80
"""A signal below this loses frames now and then (check)."""

_UNKNOWN = ("unknown", "unreachable", "asking", "unexpected", "refused", "was_held")
_HELD = ("held", "holding", "was_held")
"""States with a hold, whose sentence says why; of the last the hub was heard before, and not since."""
_RUNNING = ("treating", "starting")
_QUIET = ("idle", "no_hub")


@dataclass(frozen=True, slots=True)
class Said:
    """A state sentence, ready to be drawn."""

    mark: str
    headline: str
    reason: str
    next_step: str
    patient: bool = False


def worst_alarm(store: Store, chair: int | None) -> Alarm | None:
    """The alarm that matters most now."""
    return next(iter(store.alarms(chair)), None)


def chair_mark(store: Store, chair: Chair) -> str:
    """Key for `paint_state_mark`. A high alarm outranks every state, a medium one the quiet states."""
    if not store.answering:
        return "unknown"
    alarm = worst_alarm(store, chair.number)
    if alarm is not None and alarm.priority is AlarmPriority.HIGH:
        return "alarm_high"
    if chair.state == "held":
        return "held_patient" if patient_holds(chair) else "held"
    if alarm is not None and alarm.priority is AlarmPriority.MEDIUM and chair.state not in (*_RUNNING, *_UNKNOWN):
        return "alarm_medium"
    return chair.state


def patient_holds(chair: Chair) -> bool:
    """Whether the hold is the patient's own."""
    hold = chair.procedure.hold if chair.procedure is not None else None
    return chair.state in _HELD and hold is not None and hold.origin is HoldOrigin.PATIENT


def step_word(store: Store, words: Words, chair: Chair) -> str:
    """One word for the chair switcher."""
    if not store.answering:
        return words.say("shell.word.unknown")
    alarm = worst_alarm(store, chair.number)
    if chair.state in _HELD:
        return words.say(f"shell.word.{chair.state}")
    if alarm is not None and alarm.priority >= AlarmPriority.MEDIUM:
        return words.say("shell.word.look")
    if chair.state in _UNKNOWN:
        return words.say("shell.word.unknown")
    if chair.procedure is not None and not chair.procedure.closed:
        return words.say(f"step.{chair.procedure.step.value}.name")
    return words.say("shell.word.no_hub" if chair.state == "no_hub" else "shell.word.idle")


def step_line(words: Words, chair: Chair) -> str:
    """ "step 7 of 9", or nothing."""
    if chair.procedure is None:
        return ""
    return words.say("shell.step", number=chair.procedure.step_number, count=len(STEPS))


def chair_says(store: Store, words: Words, chair: Chair, *, with_alarm: bool = True) -> Said:
    """The sentence of one chair; a high or medium alarm speaks where nothing is held, unless it is shown elsewhere."""
    if not store.answering:
        return engine_says(store, words)
    headline, reason, step = (words.tell(part) for part in (chair.headline, chair.reason, chair.next_step))
    alarm = worst_alarm(store, chair.number)
    speaks = alarm is not None and alarm.priority >= AlarmPriority.MEDIUM and chair.state not in _HELD
    if with_alarm and speaks and alarm is not None:
        reason, step = words.tell(alarm.text), words.tell(alarm.remedy)
    return Said(chair_mark(store, chair), headline, reason, step, patient_holds(chair))


def engine_says(store: Store, words: Words) -> Said:
    """The sentence while the engine is not there."""
    if store.connected:
        key = "silent"
    elif store.restarting:
        key = "restarting" if store.ever_connected else "starting"
    else:
        key = "gone" if store.ever_connected else "starting"
    return _sentence("unknown" if store.ever_connected else "waiting", words, f"shell.engine.{key}")


def clinic_says(store: Store, words: Words) -> Said:
    """Without a chair in context: whoever needs somebody first, then the others that are not idle."""
    chairs = store.chairs()
    if not store.answering:
        return engine_says(store, words)
    if not chairs:
        return _sentence("waiting", words, "shell.clinic.none")
    ranked = sorted(chairs, key=lambda chair: (-_urgency(store, chair), chair.number))
    first = ranked[0]
    if _urgency(store, first) == 0:
        return Said(
            "idle",
            words.say("shell.clinic.calm.headline"),
            words.say("shell.clinic.calm.reason", count=len(chairs)),
            words.say("shell.clinic.calm.next"),
        )
    said = chair_says(store, words, first)
    others = [
        words.say("shell.clinic.other", number=chair.number, state=words.tell(chair.headline))
        for chair in sorted(ranked[1:], key=lambda chair: chair.number)
        if _urgency(store, chair) > 0
    ]
    headline = words.say("shell.clinic.chair", number=first.number)
    return Said(said.mark, headline, said.reason, " ".join(others) or said.next_step, said.patient)


def _sentence(mark: str, words: Words, key: str) -> Said:
    return Said(mark, words.say(f"{key}.headline"), words.say(f"{key}.reason"), words.say(f"{key}.next"))


def _urgency(store: Store, chair: Chair) -> int:
    alarm = worst_alarm(store, chair.number)
    priority = alarm.priority if alarm is not None else 0
    state = 6 if chair.state in _UNKNOWN else 4 if chair.state in _HELD else 2 if chair.state in _RUNNING else 0
    quiet = 0 if chair.state in _QUIET else 1
    return max({3: 7, 2: 5, 1: 3}.get(int(priority), 0), state, quiet)


def needs_someone(store: Store, chair: Chair) -> bool:
    """Whether the chair's card gets the ink border: an alarm that nobody has seen, or an unknown state."""
    unseen = any(a.priority >= AlarmPriority.MEDIUM and a.acknowledged_by is None for a in store.alarms(chair.number))
    return unseen or chair.state in _UNKNOWN


def link_words(store: Store, words: Words, chair: Chair, *, foot: bool = False) -> str:
    """The hub's link in one word, or in the two of the rail's foot."""
    state = chair.link.value
    if not store.answering:
        state = "unknown"
    elif chair.hub_address is None:
        state = "none"
    elif chair.link is LinkState.UP and chair.hub is not None and chair.hub.rssi_dbm < WEAK_DBM:
        state = "weak"
    return words.say(f"shell.link_foot.{state}" if foot else f"shell.link.{state}")


def battery_words(store: Store, words: Words, chair: Chair) -> str:
    """The hub's battery, a dash when unknown."""
    if chair.hub is None or not store.fresh(chair.number):
        return words.say("shell.unknown")
    return words.say("shell.percent", value=chair.hub.battery_percent)


def audio_words(store: Store, words: Words) -> str:
    """Whether alarms can be heard, with the time that a pause still lasts."""
    station = store.workstation
    if station is None or not store.answering:
        return words.say("shell.audio.unknown")
    if station.audio is AudioState.PAUSED and station.audio_until_us is not None:
        left = max(0, (station.audio_until_us - store.clock.utc_us()) // 1_000_000)
        return words.say("shell.audio.paused", left=f"{left // 60}:{left % 60:02d}")
    return words.say(f"shell.audio.{station.audio.value}")


def evidence_words(store: Store, words: Words) -> str:
    """Until when the logs of all chairs are witnessed, in one line: the chair that lags behind counts."""
    station = store.workstation
    if station is None or not store.answering or not station.evidence:
        return words.say("evidence.unknown")
    late = [str(one.chair) for one in station.evidence if one.until_us is None]
    if late:
        return words.say("evidence.none", chairs=", ".join(late))
    oldest = min(one.until_us or 0 for one in station.evidence)
    who = dict.fromkeys(words.tell(text) for one in station.evidence for text in one.witnesses)
    until, day = local_time(oldest), local_date(oldest, words, "d MMMM yyyy")
    if day != local_date(store.clock.utc_us(), words, "d MMMM yyyy"):
        until = f"{day}, {until}"
    return words.say("evidence.until", until=until, who=", ".join(who))


def local_time(at_us: int, *, seconds: bool = False) -> str:
    """UTC µs as local HH:MM or HH:MM:SS."""
    return datetime.fromtimestamp(at_us / 1_000_000, UTC).astimezone().strftime("%H:%M:%S" if seconds else "%H:%M")


def local_date(at_us: int, words: Words, pattern: str = "dddd d MMMM yyyy") -> str:
    """UTC µs as a local date in the reader's language."""
    day = datetime.fromtimestamp(at_us / 1_000_000, UTC).astimezone()
    return QLocale(words.language).toString(QDate(day.year, day.month, day.day), pattern)


def birth_date(iso: str, words: Words) -> str:
    """An ISO date as "12 Mar 2001"; what is no date is shown as it is."""
    try:
        day = date.fromisoformat(iso)
    except ValueError:
        return iso
    return QLocale(words.language).toString(QDate(day.year, day.month, day.day), "d MMM yyyy")


def elapsed(since_us: int, now_us: int) -> str:
    """M:SS, or H:MM:SS."""
    seconds = max(0, (now_us - since_us) // 1_000_000)
    hours, rest = divmod(seconds, 3600)
    return f"{hours}:{rest // 60:02d}:{rest % 60:02d}" if hours else f"{rest // 60}:{rest % 60:02d}"
