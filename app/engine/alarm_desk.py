"""Alarms of the whole workstation: the book, the log and the sound kept in step."""

from collections.abc import Callable
from typing import Protocol

from app.engine.clock import AsyncClock
from app.engine.recorder import Recorder
from core.model.alarm import Alarm, AlarmPriority, AudioState
from core.model.people import Operator
from core.model.words import Text
from core.safety.alarms import AlarmBook, AudioChange


class Sound(Protocol):
    """What the desk needs of the sounder."""

    def play(self, priority: AlarmPriority | None) -> None: ...


class AlarmDesk:
    """Raises, clears and acknowledges; every change is written to the chair's record and pushed to the screens."""

    def __init__(
        self,
        book: AlarmBook,
        *,
        recorder: Callable[[int], Recorder | None],
        sound: Sound | None,
        clock: AsyncClock,
        changed: Callable[[], None],
    ) -> None:
        self._book = book
        self._recorder = recorder
        self._sound = sound
        self._clock = clock
        self._changed = changed

    def raise_(
        self, kind: str, chair: int, *, channel: str | None = None, because: Text | None = None, **values: str | float
    ) -> None:
        """The condition is there. `because`: the sentence that stands for {reason}."""
        if because is not None:
            values = {**because.values, **values, "reason": f"@{because.key}"}
        self._book.raise_(kind, chair, at_us=self._clock.utc_us(), channel=channel, **values)
        self._settle()

    def clear(self, kind: str, chair: int, *, channel: str | None = None) -> None:
        self._book.clear(kind, chair, channel=channel, at_us=self._clock.utc_us())
        self._settle()

    def seen(self, alarm_id: str, operator: Operator) -> None:
        """Raises KeyError when there is no such alarm."""
        self._book.seen(alarm_id, operator.id, at_us=self._clock.utc_us())
        self._settle()

    def pause_audio(self, seconds: float) -> None:
        self._book.pause_audio(seconds, at_us=self._clock.utc_us())
        self._settle()

    def sound_changed(self, state: AudioState) -> None:
        """The sounder can (or cannot) make sound; silence is itself an alarm."""
        self._book.audio_lost(state is AudioState.SILENT, at_us=self._clock.utc_us())
        self._settle()

    def tick(self) -> None:
        """Let timed states end and bursts repeat."""
        self._book.tick(self._clock.utc_us())
        self._settle()

    def active(self, chair: int | None = None) -> tuple[Alarm, ...]:
        alarms = self._book.active()
        return tuple(alarm for alarm in alarms if chair is None or alarm.chair == chair)

    def high(self, chair: int) -> bool:
        return any(alarm.priority is AlarmPriority.HIGH for alarm in self.active(chair))

    def audio(self) -> tuple[AudioState, int | None]:
        return self._book.audio(self._clock.utc_us())

    def _audio_changed(self, change: AudioChange) -> None:
        """Every change of the sound is logged with the first chair."""
        recorder = self._recorder(0)
        if recorder is None:
            return
        text = Text(f"log.audio_{change.state.value}")
        recorder.note(
            lambda record: record.add_event("audio", text, at_us=change.at_us, visit_id=None, author="", voice="device")
        )

    def _settle(self) -> None:
        changes = self._book.changes()
        sounds = self._book.audio_changes()
        for change in sounds:
            self._audio_changed(change)
        for alarm in changes:
            recorder = self._recorder(alarm.chair)
            if recorder is not None:
                recorder.note(lambda record, alarm=alarm: record.save_alarm(alarm))  # type: ignore[misc]
        if changes or sounds:
            self._changed()
        if self._sound is not None:
            self._sound.play(self._book.sounding(self._clock.utc_us()))
