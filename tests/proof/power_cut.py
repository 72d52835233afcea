"""What a power cut may leave of a recorded sequence of calls: each prefix, and what POSIX lets go missing of it.

A write is sure once the file was synced after it, a name once the folder was. Until then a power cut may keep or drop
each write by itself, or tear it at a sector; of names it keeps the first few changes, as journaling file systems do.
"""

import random
import re
import subprocess
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

SECTOR = 512
_CALLS = "openat,write,pwrite64,ftruncate,fsync,fdatasync,unlink,rename"
_LINE = re.compile(r"^\d+ +(\w+)\((.*)\) += (-?\d+)")
_STRING = re.compile(r'"((?:\\x[0-9a-f]{2})*)"')
_HANDLE = re.compile(r"^\d+<((?:\\x[0-9a-f]{2})*)>")


@dataclass(frozen=True)
class Call:
    """One call on files of the folder. `kind`: create, write, cut, sync, sync folder, unlink, rename or told."""

    kind: str
    name: str = ""
    at: int = 0
    data: bytes = b""
    to: str = ""


def can_trace() -> bool:
    try:
        return subprocess.run(["strace", "-qq", "-e", "trace=none", "true"], check=False).returncode == 0
    except OSError:
        return False


def trace(command: list[str], folder: Path, into: Path, told: str, **environment: str) -> list[Call]:
    """Run a command and return its calls on `folder`, in order; a write to the file `told` is what it told of."""
    strace = ["strace", "-f", "-qq", "-y", "-xx", "-s", "70000", "--seccomp-bpf", "-e", f"trace={_CALLS}"]
    subprocess.run([*strace, "-o", str(into), *command], check=True, env=environment)
    with into.open(encoding="ascii") as lines:
        return list(_calls(lines, folder, told))


def _calls(lines: Iterable[str], folder: Path, told: str) -> Iterator[Call]:
    hexed = "".join(f"\\x{byte:02x}" for byte in str(folder).encode())
    there: set[str] = set()
    for line in lines:
        if hexed not in line:
            continue
        parts = _LINE.match(line)
        if parts is None:
            raise ValueError(f"not understood: {line[:200]}")
        call, arguments, result = parts[1], parts[2], int(parts[3])
        handle = _HANDLE.match(arguments)
        strings = [_bytes(found) for found in _STRING.findall(arguments)]
        path = Path((_bytes(handle[1]) if handle else strings[0]).decode())
        # The index of the log is made anew, the lock holds nothing.
        if result < 0 or folder not in (path, path.parent) or path.name.endswith(("-shm", ".lock")):
            continue
        if call == "openat":
            if "O_CREAT" in arguments and path.name not in there:
                there.add(path.name)
                yield Call("create", path.name)
        elif call in ("fsync", "fdatasync"):
            yield Call("sync folder") if path == folder else Call("sync", path.name)
        elif path.name == told:
            yield Call("told", data=strings[0])
        else:
            found = _change(call, path.name, arguments, strings, result)
            if found.kind in ("unlink", "rename"):
                there = there - {path.name} | {found.to}
            yield found


def _change(call: str, name: str, arguments: str, strings: list[bytes], result: int) -> Call:
    last = arguments.rsplit(", ", 1)[-1]
    match call:
        case "pwrite64":
            return Call("write", name, int(last), strings[0][:result])
        case "write":
            return Call("write", name, -1, strings[0][:result])
        case "ftruncate":
            return Call("cut", name, int(last))
        case "rename":
            return Call("rename", name, to=Path(strings[1].decode()).name)
        case _:
            return Call("unlink", name)


def _bytes(hexed: str) -> bytes:
    return bytes.fromhex(hexed.replace("\\x", ""))


@dataclass
class _File:
    """What is sure of one file, and what was done to it since."""

    sure: bytes = b""
    since: list[Call] = field(default_factory=list)


class Disk:
    """Follows the calls, and says what a power cut may leave."""

    def __init__(self) -> None:
        self._sure: dict[str, _File] = {}
        self._names: dict[str, _File] = {}
        self._history: list[dict[str, _File]] = []
        """Names after each change since the folder was synced."""

    def do(self, call: Call) -> None:
        match call.kind:
            case "write" | "cut":
                self._names[call.name].since.append(call)
            case "sync":
                file = self._names[call.name]
                file.sure, file.since = _after(file.sure, file.since), []
            case "sync folder":
                self._sure, self._history = dict(self._names), []
            case "create":
                self._change(self._names | {call.name: _File()})
            case "unlink":
                self._change({name: file for name, file in self._names.items() if name != call.name})
            case "rename":
                moved = {name: file for name, file in self._names.items() if name != call.name}
                self._change(moved | {call.to: self._names[call.name]})

    def _change(self, names: dict[str, _File]) -> None:
        self._names = names
        self._history.append(names)

    def after_kill(self) -> dict[str, bytes]:
        """All that was done."""
        return {name: _after(file.sure, file.since) for name, file in self._names.items()}

    def least(self) -> dict[str, bytes]:
        """Only what is sure."""
        return {name: file.sure for name, file in self._sure.items()}

    def after_power_cut(self, chance: random.Random) -> dict[str, bytes]:
        """What is sure, and some of the rest."""
        names = chance.choice([self._sure, *self._history])
        kept: dict[int, bytes] = {}
        for file in names.values():
            if id(file) not in kept:
                kept[id(file)] = _after(file.sure, _some(file.since, chance))
        return {name: kept[id(file)] for name, file in names.items()}


def _some(calls: list[Call], chance: random.Random) -> list[Call]:
    some: list[Call] = []
    keep = chance.choice([0.1, 0.5, 0.9])
    for call in calls:
        if chance.random() >= keep:
            continue
        if call.kind == "write" and call.at >= 0 and chance.random() < 0.2:
            first, last = sorted(chance.randrange(len(call.data) // SECTOR + 1) * SECTOR for _ in range(2))
            call = Call("write", call.name, call.at + first, call.data[first:last])
        some.append(call)
    return some


def _after(content: bytes, calls: list[Call]) -> bytes:
    if not calls:
        return content
    made = bytearray(content)
    for call in calls:
        if call.kind == "cut":
            made = made[: call.at] + bytes(max(0, call.at - len(made)))
            continue
        at = len(made) if call.at < 0 else call.at
        made += bytes(max(0, at - len(made)))
        made[at : at + len(call.data)] = call.data
    return bytes(made)
