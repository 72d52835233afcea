"""A small coverage-guided fuzzer: inputs that reach a line, or a line after another, for the first time are kept.

Atheris has wheels for Linux and for no Python after 3.13, and takes the process over. Decoders of some dozen lines need
no more than this: `sys.monitoring`, or a trace function before Python 3.12.
"""

import sys
from collections.abc import Callable, Iterable, Sequence
from random import Random
from types import CodeType, FrameType
from typing import Any, Final, Protocol

_INTERESTING: Final = (0, 1, 2, 12, 13, 16, 17, 23, 24, 25, 26, 27, 31, 32, 63, 64, 127, 128, 222, 244, 254, 255)

Edge = tuple[str, int, int]


class _Tracker(Protocol):
    steps: int
    """Lines that the last call ran."""

    def run(self, call: Callable[[], object]) -> set[Edge]: ...


class _Traced:
    """By `sys.settrace`; whatever traced before goes on afterwards."""

    def __init__(self, folders: Sequence[str]) -> None:
        self._folders = tuple(folders)
        self._edges: set[Edge] = set()
        self.steps = 0

    def run(self, call: Callable[[], object]) -> set[Edge]:
        self._edges, self.steps = set(), 0
        before = sys.gettrace()
        sys.settrace(self._called)
        try:
            call()
        finally:
            sys.settrace(before)
        return self._edges

    def _called(self, frame: FrameType, event: str, _: Any) -> Any:
        if not frame.f_code.co_filename.startswith(self._folders):
            return None
        name, last = frame.f_code.co_qualname + frame.f_code.co_filename, 0

        def lines(inner: FrameType, happened: str, _: Any) -> Any:
            nonlocal last
            if happened == "line":
                self.steps += 1
                self._edges.add((name, last, inner.f_lineno))
                last = inner.f_lineno
            return lines

        return lines


class _Monitored:
    """By `sys.monitoring`, Python 3.12 and later."""

    _TOOL: Final = 4

    def __init__(self, folders: Sequence[str]) -> None:
        self._folders = tuple(folders)
        self._edges: set[Edge] = set()
        self.steps = 0
        self._last: dict[CodeType, int] = {}

    def run(self, call: Callable[[], object]) -> set[Edge]:
        monitoring: Any = sys.monitoring  # type: ignore[attr-defined,unused-ignore]
        self._edges, self._last, self.steps = set(), {}, 0
        monitoring.use_tool_id(self._TOOL, "fuzzing")
        monitoring.register_callback(self._TOOL, monitoring.events.LINE, self._line)
        monitoring.set_events(self._TOOL, monitoring.events.LINE)
        try:
            call()
        finally:
            monitoring.set_events(self._TOOL, 0)
            monitoring.free_tool_id(self._TOOL)
            monitoring.restart_events()
        return self._edges

    def _line(self, code: CodeType, line: int) -> object:
        if not code.co_filename.startswith(self._folders):
            return sys.monitoring.DISABLE  # type: ignore[attr-defined,unused-ignore]
        self.steps += 1
        self._edges.add((code.co_qualname + code.co_filename, self._last.get(code, 0), line))
        self._last[code] = line
        return None


def tracker(folders: Sequence[str]) -> _Tracker:
    """What tells the edges that a call takes inside these folders."""
    return _Monitored(folders) if sys.version_info >= (3, 12) else _Traced(folders)


class Fuzzer:
    """Of one decoder.

    Args:
        decode: takes the bytes; raises only what it promises.
        seeds: valid inputs.
        longest: inputs have at most so many bytes.

    Attributes:
        corpus: inputs that reached something new, the seeds first.
        edges: all that was reached.
        tries: how many inputs were decoded.
    """

    def __init__(
        self,
        decode: Callable[[bytes], object],
        seeds: Iterable[bytes],
        *,
        folders: Sequence[str],
        seed: int,
        longest: int,
    ) -> None:
        self._decode = decode
        self._tracker = tracker(folders)
        self._random = Random(seed)
        self._longest = longest
        self.corpus: list[bytes] = []
        self.edges: set[Edge] = set()
        self.tries = 0
        for one in seeds:
            self._try(one)
            self.corpus.append(one)

    @property
    def steps(self) -> int:
        """Lines that the last input took."""
        return self._tracker.steps

    def step(self) -> bytes:
        """Decode one new input, and return it."""
        made = self._altered(self._random.choice(self.corpus))
        self._try(made)
        return made

    def _try(self, data: bytes) -> None:
        self.tries += 1
        found = self._tracker.run(lambda: self._decode(data))
        if not found <= self.edges:
            self.edges |= found
            self.corpus.append(data)

    def _altered(self, data: bytes) -> bytes:
        random, made = self._random, bytearray(data)
        for _ in range(random.choice((1, 1, 1, 2, 4, 8))):
            at = random.randrange(len(made) + 1)
            match random.randrange(8):
                case 0:
                    made[at:at] = random.randbytes(random.randint(1, 16))
                case 1:
                    del made[at : at + random.randint(1, 16)]
                case 2:
                    other = random.choice(self.corpus)
                    cut = random.randrange(len(other) + 1)
                    made[at:] = other[cut:]
                case 3:
                    made[at : at + 1] = bytes((random.choice(_INTERESTING),))
                case 4:
                    size = random.choice((2, 4, 8))
                    number = random.choice((0, 1, (1 << 8 * size) - 1, 1 << 8 * size - 1, random.getrandbits(8 * size)))
                    made[at : at + size] = number.to_bytes(size, random.choice(("little", "big")))
                case 5:
                    made[at : at + 1] = bytes((random.randrange(256),))
                case 6:
                    made *= 2
                case _:
                    if at < len(made):
                        made[at] ^= 1 << random.randrange(8)
        return bytes(made[: self._longest])
