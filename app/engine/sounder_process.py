"""The sounder: plays alarm bursts until its input ends. `python -m app.engine.sounder_process`.

It keeps the device open and fed with silence between bursts: a device that stops taking samples is noticed before
it is needed. Without a device it says so in each beat and looks for one every few seconds.
"""

import argparse
import contextlib
import os
import sys
import wave
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Protocol

import miniaudio

from app.engine.mixer import Mixer, Signal
from app.engine.sounder_wire import MAX_FRAME, Beat, Ping, Play, Render, decode_order, encode
from app.ipc.frames import claim_stdout, read_frame, write_frame
from core.model.alarm import AlarmPriority, AudioState
from core.model.clock import SystemClock
from core.safety.alarm_catalogue import load_alarms
from core.safety.sound import RATE, burst

BUFFER_MS = 60
RETRY_SECONDS = 5.0
STALL_SECONDS = 0.5


class Sink(Protocol):
    """Where the sound goes."""

    def check(self) -> tuple[AudioState, str]:
        """Whether sound is really taken now, and by what."""
        ...

    def render(self, seconds: float) -> None:
        """Let time pass, where nothing else does."""
        ...

    def close(self) -> None: ...


class DeviceSink:
    """The system's default loudspeaker, or with `null` a device that takes samples in real time and drops them."""

    def __init__(self, mixer: Mixer, *, null: bool) -> None:
        self._mixer = mixer
        self._null = null
        self._clock = SystemClock()
        self._device: miniaudio.PlaybackDevice | None = None
        self._taken = 0
        self._seen = 0
        self._seen_at = 0.0
        self._tried_at = float("-inf")

    def check(self) -> tuple[AudioState, str]:
        now = self._clock.monotonic()
        if self._device is not None and self._taken == self._seen and now - self._seen_at > STALL_SECONDS:
            self.close()  # unplugged, or the driver hangs
        if self._taken != self._seen:
            self._seen, self._seen_at = self._taken, now
        if self._device is None and now - self._tried_at >= RETRY_SECONDS:
            self._tried_at = self._seen_at = now
            self._open()
        if self._device is None:
            return AudioState.SILENT, ""
        return AudioState.ON, str(self._device.backend)

    def render(self, seconds: float) -> None:
        pass

    def close(self) -> None:
        if self._device is not None:
            self._device.close()
            self._device = None

    def _open(self) -> None:
        wanted = [each for each in miniaudio.Backend if (each is miniaudio.Backend.NULL) == self._null]
        device = None
        with _quiet_stderr(), contextlib.suppress(miniaudio.MiniaudioError):
            device = miniaudio.PlaybackDevice(
                output_format=miniaudio.SampleFormat.SIGNED16,
                nchannels=1,
                sample_rate=RATE,
                buffersize_msec=BUFFER_MS,
                backends=wanted,
                app_name="Smilescape alarms",
            )
            feed = self._feed()
            next(feed)
            device.start(feed)
            self._device = device

    def _feed(self) -> Generator[bytes, int, None]:
        frames = yield b""
        while True:
            data = self._mixer.take(frames).tobytes()
            self._taken += frames
            frames = yield data


class FileSink:
    """Captures what would be played; time passes only by `Render`."""

    def __init__(self, mixer: Mixer, path: Path) -> None:
        self._mixer = mixer
        self._stream = path.open("wb")
        self._wave = wave.open(self._stream, "wb")  # noqa: SIM115 - open for the process's life
        self._wave.setnchannels(1)
        self._wave.setsampwidth(2)
        self._wave.setframerate(RATE)

    def check(self) -> tuple[AudioState, str]:
        return AudioState.ON, "file"

    def render(self, seconds: float) -> None:
        self._wave.writeframes(self._mixer.take(round(seconds * RATE)).astype("<i2").tobytes())
        self._stream.flush()

    def close(self) -> None:
        self._wave.close()
        self._stream.close()


def main(arguments: list[str]) -> int:
    """Serve orders until the input ends."""
    parser = argparse.ArgumentParser(prog="sounder")
    parser.add_argument("--null", action="store_true", help="play to nobody, in real time")
    parser.add_argument("--to-file", type=Path, help="capture to a WAV file instead")
    options = parser.parse_args(arguments)
    frames = claim_stdout()
    mixer = Mixer(signals())
    sink: Sink = FileSink(mixer, options.to_file) if options.to_file else DeviceSink(mixer, null=options.null)
    with contextlib.closing(sink), contextlib.suppress(BrokenPipeError):
        while (data := read_frame(sys.stdin.buffer, MAX_FRAME)) is not None:
            match decode_order(data):
                case Play(priority):
                    mixer.play(priority)
                case Ping(number):
                    write_frame(frames, encode(Beat(number, *sink.check(), mixer.wanted)))
                case Render(seconds):
                    sink.render(seconds)
                    write_frame(frames, encode(Beat(0, *sink.check(), mixer.wanted)))
    return 0


def signals() -> dict[AlarmPriority, Signal]:
    """The bursts of the alarm catalogue, as samples."""
    return {
        priority: Signal(burst(sound), None if sound.repeat_s is None else round(sound.repeat_s * RATE))
        for priority, sound in load_alarms().sounds.items()
    }


@contextlib.contextmanager
def _quiet_stderr() -> Iterator[None]:
    """ALSA writes a page to standard error for each device that is not there."""
    kept = os.dup(2)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
