"""What a hub remembers over a power loss: how often it booted, and whether a phase was under way."""

from pathlib import Path

import msgspec

from core.model.errors import SmilescapeError


class BootError(SmilescapeError):
    """The boot file cannot be read."""

    code = "simulator.boot"


class _State(msgspec.Struct, frozen=True):
    boot: int = 0
    phase: int = 0


class Boots:
    """The boot counter and the phase under way, in a file or, without one, in this process only."""

    def __init__(self, path: Path | None = None) -> None:
        self._path = path
        self._state = _State()
        if path is not None and path.exists():
            try:
                self._state = msgspec.json.decode(path.read_bytes(), type=_State)
            except msgspec.MsgspecError as error:
                raise BootError(f"{path} is not a boot file: {error}.", "Delete it; the hub counts anew.") from error

    def boot(self) -> tuple[int, int]:
        """Count one more boot. The number of this boot, and the phase that the last one left under way (0: none)."""
        interrupted = self._state.phase
        self._save(_State(self._state.boot + 1, interrupted))
        return self._state.boot, interrupted

    def under_way(self, phase: int) -> None:
        """Remember that this phase is under way; 0 for none."""
        if phase != self._state.phase:
            self._save(_State(self._state.boot, phase))

    def _save(self, state: _State) -> None:
        self._state = state
        if self._path is not None:
            fresh = self._path.with_suffix(".new")
            fresh.write_bytes(msgspec.json.encode(state))
            fresh.replace(self._path)
