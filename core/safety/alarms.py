"""The book of alarms: what is active, latched, seen; what sounds; every change listed for the log.

After IEC 60601-1-8: acknowledged, audio paused (timed), audio silent, latching and non-latching are kept apart. A pause
of the sound never hides an alarm, and a new alarm of higher priority ends it.
"""

from collections import deque
from dataclasses import dataclass

import msgspec

from core.model.alarm import Alarm, AlarmPriority, AlarmState, AudioState
from core.model.ids import new_id
from core.model.words import Text
from core.safety.alarm_catalogue import AlarmCatalogue, AlarmKind, priority_of

LONGEST_PAUSE_S = 120.0
FLOOD_WINDOW_US = 600_000_000
FLOOD_BEGINS_ABOVE = 10
FLOOD_ENDS_BELOW = 5
FLOOD = "alarm.flood"

Key = tuple[str, int, str | None]


@dataclass(frozen=True, slots=True)
class AudioChange:
    """The sound was paused or sounds again, for the log. `by_alarm`: a new alarm ended the pause."""

    at_us: int
    state: AudioState
    until_us: int | None = None
    by_alarm: bool = False


@dataclass(frozen=True, slots=True)
class _Pause:
    from_us: int
    until_us: int
    priority: int
    """Highest priority that was there when the sound was paused; 0 when none was."""


class AlarmBook:
    """Every alarm of the workstation, chair 0 being the workstation itself.

    Times are UTC µs. One occurrence is one id from onset to end; the same kind, chair and channel is one occurrence
    while it lasts.
    """

    def __init__(self, catalogue: AlarmCatalogue) -> None:
        self._catalogue = catalogue
        self._open: dict[Key, Alarm] = {}
        self._last_us: dict[Key, int] = {}
        self._changes: list[Alarm] = []
        self._audio_changes: list[AudioChange] = []
        self._pause: _Pause | None = None
        self._silent = False
        self._onsets: deque[int] = deque()

    def raise_(
        self,
        kind: str,
        chair: int,
        *,
        at_us: int,
        channel: str | None = None,
        value: str | float | None = None,
        **values: str | float,
    ) -> Alarm:
        """The condition is there (still, or again). `value` and `values` go into the sentence.

        Raises:
            KeyError: the catalogue has no such kind.
        """
        entry = self._catalogue.kinds[kind]
        key = (kind, chair, channel)
        self._last_us[key] = at_us
        old = self._open.get(key)
        if old is not None and old.state is AlarmState.ACTIVE:
            return old
        if old is not None:
            # The condition came back before anybody saw that it had gone: the same occurrence, to be seen anew.
            alarm = self._put(key, msgspec.structs.replace(old, state=AlarmState.ACTIVE, acknowledged_by=None))
        else:
            said: dict[str, str | int | float] = {**values}
            if value is not None:
                said["value"] = value
            alarm = self._put(key, _onset(entry, chair, channel, said, at_us))
        self._sound_through(alarm, at_us)
        if kind != FLOOD:
            self._onsets.append(at_us)
            self._judge_flood(at_us)
        return alarm

    def clear(self, kind: str, chair: int, *, at_us: int, channel: str | None = None) -> None:
        """The condition has gone; a latching alarm that nobody saw stays. Without such an alarm nothing happens."""
        key = (kind, chair, channel)
        alarm = self._open.get(key)
        if alarm is None or alarm.state is not AlarmState.ACTIVE:
            return
        if alarm.latching and alarm.acknowledged_by is None:
            self._put(key, msgspec.structs.replace(alarm, state=AlarmState.LATCHED))
        else:
            self._end(key, alarm, at_us)

    def seen(self, alarm_id: str, operator: str, *, at_us: int) -> Alarm:
        """Somebody acknowledged it: it stops sounding, stays while its condition does, and ends when that has gone.

        Raises:
            KeyError: no open alarm has this id.
        """
        key = next((key for key, alarm in self._open.items() if alarm.id == alarm_id), None)
        if key is None:
            raise KeyError(alarm_id)
        alarm = self._open[key]
        if alarm.acknowledged_by is not None:
            return alarm
        alarm = msgspec.structs.replace(alarm, acknowledged_by=operator)
        if alarm.state is AlarmState.LATCHED:
            return self._end(key, alarm, at_us)
        return self._put(key, alarm)

    def pause_audio(self, seconds: float, *, at_us: int) -> int:
        """Silence the sound for `seconds`, at most 120; returns until when. 0 ends a pause."""
        seconds = min(max(seconds, 0.0), LONGEST_PAUSE_S)
        if seconds == 0:
            self._end_pause(at_us, by_alarm=False)
            return at_us
        until_us = at_us + round(seconds * 1e6)
        self._pause = _Pause(at_us, until_us, max((alarm.priority for alarm in self._open.values()), default=0))
        self._audio_changes.append(AudioChange(at_us, AudioState.PAUSED, until_us))
        return until_us

    def audio_lost(self, lost: bool, *, at_us: int) -> None:
        """No sound can be made (or again): shown, and itself an alarm."""
        if lost == self._silent:
            return
        self._silent = lost
        self._audio_changes.append(AudioChange(at_us, AudioState.SILENT if lost else AudioState.ON))
        if lost:
            self.raise_("audio.silent", 0, at_us=at_us)
        else:
            self.clear("audio.silent", 0, at_us=at_us)

    def tick(self, at_us: int) -> None:
        """Let what is timed end: pauses, momentary events, floods."""
        if self._pause is not None and not self._pause.from_us <= at_us < self._pause.until_us:
            self._end_pause(at_us, by_alarm=False)
        for key, alarm in list(self._open.items()):
            ends_after = self._catalogue.kinds[alarm.kind].ends_after
            if ends_after is not None and abs(at_us - self._last_us[key]) >= ends_after * 1e6:
                self.clear(alarm.kind, alarm.chair, channel=alarm.channel, at_us=at_us)
        self._judge_flood(at_us)

    def active(self) -> tuple[Alarm, ...]:
        """Everything open, latched included: most urgent first, then newest first."""
        return tuple(sorted(self._open.values(), key=lambda alarm: (-alarm.priority, -alarm.began_us)))

    def audio(self, at_us: int) -> tuple[AudioState, int | None]:
        """How the sound is, and until when a pause lasts."""
        if self._silent:
            return AudioState.SILENT, None
        pause = self._pause
        if pause is not None and pause.from_us <= at_us < pause.until_us:
            return AudioState.PAUSED, pause.until_us
        return AudioState.ON, None

    def sounding(self, at_us: int) -> AlarmPriority | None:
        """The priority whose burst should be heard now: the highest that nobody has acknowledged."""
        if self.audio(at_us)[0] is not AudioState.ON:
            return None
        return max((alarm.priority for alarm in self._open.values() if alarm.acknowledged_by is None), default=None)

    @property
    def flood(self) -> bool:
        """Whether more alarms came than anybody can handle: began above 10 in 10 minutes, ends below 5."""
        return (FLOOD, 0, None) in self._open

    def changes(self) -> tuple[Alarm, ...]:
        """Every new value of an alarm since the last call, in order, for the record."""
        changes, self._changes = tuple(self._changes), []
        return changes

    def audio_changes(self) -> tuple[AudioChange, ...]:
        """Every change of the sound since the last call, in order, for the log."""
        changes, self._audio_changes = tuple(self._audio_changes), []
        return changes

    def _put(self, key: Key, alarm: Alarm) -> Alarm:
        self._open[key] = alarm
        self._changes.append(alarm)
        return alarm

    def _end(self, key: Key, alarm: Alarm, at_us: int) -> Alarm:
        ended = msgspec.structs.replace(alarm, state=AlarmState.ENDED, ended_us=at_us)
        del self._open[key]
        self._last_us.pop(key, None)
        self._changes.append(ended)
        return ended

    def _sound_through(self, alarm: Alarm, at_us: int) -> None:
        if self._pause is not None and alarm.priority > self._pause.priority:
            self._end_pause(at_us, by_alarm=True)

    def _end_pause(self, at_us: int, *, by_alarm: bool) -> None:
        if self._pause is not None:
            self._pause = None
            self._audio_changes.append(AudioChange(at_us, AudioState.ON, by_alarm=by_alarm))

    def _judge_flood(self, at_us: int) -> None:
        while self._onsets and at_us - self._onsets[0] >= FLOOD_WINDOW_US:
            self._onsets.popleft()
        count = len(self._onsets)
        if not self.flood and count > FLOOD_BEGINS_ABOVE:
            self.raise_(FLOOD, 0, at_us=at_us, count=count)
        elif self.flood and count < FLOOD_ENDS_BELOW:
            self.clear(FLOOD, 0, at_us=at_us)


def _onset(kind: AlarmKind, chair: int, channel: str | None, values: dict[str, str | int | float], at_us: int) -> Alarm:
    number = values.get("value")
    return Alarm(
        id=new_id(),
        kind=kind.key,
        chair=chair,
        priority=priority_of(kind.priority),
        state=AlarmState.ACTIVE,
        text=Text(f"alarm.{kind.key}.text", values),
        remedy=Text(f"alarm.{kind.key}.remedy", values),
        latching=kind.latching,
        began_us=at_us,
        channel=channel,
        value=float(number) if isinstance(number, int | float) else None,
    )
