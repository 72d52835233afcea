"""The engine's side of the sounder: keeps it alive, tells it what to play, and says when no sound can be made."""

import logging
from collections.abc import Callable, Sequence

import msgspec

from app.engine.clock import AsyncClock, within
from app.engine.helper import Helper
from app.engine.sounder_wire import MAX_FRAME, Beat, Ping, Play, decode_beat, encode
from core.model.alarm import AlarmPriority, AudioState
from core.model.errors import SmilescapeError

BEAT_SECONDS = 1.0
PATIENCE_SECONDS = 4.0
"""A sounder that does not answer for this long is killed and started again."""
FIRST_BACKOFF, LAST_BACKOFF = 0.1, 3.0
_MODULE = "app.engine.sounder_process"
_log = logging.getLogger(__name__)


class Sounder:
    """Plays alarm bursts in a process of its own, so that a busy engine or a stuck sound driver delays nobody.

    Attributes:
        state: ON or SILENT; None until the first is known.
        playing: what the sounder last said it repeats.
        pid: the living sounder's process, None between two.
    """

    def __init__(
        self, clock: AsyncClock, state_changed: Callable[[AudioState], None], *, arguments: Sequence[str] = ()
    ) -> None:
        """`arguments` go to the process: `--null` plays to nobody, `--to-file PATH` captures."""
        self._clock = clock
        self._state_changed = state_changed
        self._arguments = tuple(arguments)
        self._wanted: AlarmPriority | None = None
        self._helper: Helper | None = None
        self._backoff = FIRST_BACKOFF
        self.state: AudioState | None = None
        self.playing: AlarmPriority | None = None

    @property
    def pid(self) -> int | None:
        return self._helper.pid if self._helper is not None else None

    def play(self, priority: AlarmPriority | None) -> None:
        """Repeat the bursts of `priority` until told otherwise; None: silence. Survives a restart of the sounder."""
        if priority == self._wanted:
            return
        self._wanted = priority
        if self._helper is not None:
            self._helper.send(encode(Play(priority)))

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            try:
                await self._live()
            except (OSError, TimeoutError, SmilescapeError, msgspec.MsgspecError) as error:
                _log.warning("the sounder failed: %r", error)
            self._now(AudioState.SILENT)
            await self._clock.sleep(self._backoff)
            self._backoff = min(2 * self._backoff, LAST_BACKOFF)

    async def _live(self) -> None:
        """One sounder's life; returns when it has died by itself."""
        helper = await Helper.start(_MODULE, *self._arguments)
        try:
            self._helper = helper
            helper.send(encode(Play(self._wanted)))
            number = 0
            while True:
                number += 1
                beat = await self._ask(helper, number)
                if beat is None:
                    return
                self._backoff = FIRST_BACKOFF
                self.playing = beat.playing
                self._now(beat.audio)
                try:
                    await within(self._clock, BEAT_SECONDS, helper.died())
                except TimeoutError:
                    continue
                return
        finally:
            self._helper = None
            self.playing = None
            await helper.end()

    async def _ask(self, helper: Helper, number: int) -> Beat | None:
        helper.send(encode(Ping(number)))
        data = await within(self._clock, PATIENCE_SECONDS, helper.receive(MAX_FRAME))
        return decode_beat(data) if data is not None else None

    def _now(self, state: AudioState) -> None:
        if state is not self.state:
            self.state = state
            self._state_changed(state)
