"""Everything that guards the project, step by step; the first failure does not hide the others."""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import IO

import psutil

ROOT = Path(__file__).resolve().parent.parent
PYTHON = sys.executable
STEPS: dict[str, list[str]] = {
    "linter": [PYTHON, "-m", "ruff", "check", "."],
    "formatter": [PYTHON, "-m", "ruff", "format", "--check", "."],
    "types": [PYTHON, "-m", "mypy"],
    "tests": [PYTHON, "-m", "pytest", "-q", "-n", "3", "--dist", "loadfile", "--no-loadscope-reorder"],
    # Alone on the machine: it measures, and a window that is starved for 3 s rightly holds therapy.
    "tour": [PYTHON, "main.py", "tour", "--out", str(Path("out") / "check")],
}
LOWEST = 64 if sys.platform == "win32" else 19
"""The priority of what lives on what others leave of the processors: Windows' idle class, or the highest niceness."""


class Step:
    """One of `STEPS` under way; `said`: where its words go until it is over, when others are under way, too."""

    def __init__(self, name: str, said: IO[bytes] | None = None) -> None:
        self._name, self._said = name, said
        self._began = time.monotonic()
        if said is None:
            print(f"== {name}", flush=True)
        environment = dict(os.environ, QT_QPA_PLATFORM="offscreen")
        environment.pop("PYTHONDONTWRITEBYTECODE", None)  # or each of many processes compiles everything anew
        self._process = subprocess.Popen(STEPS[name], cwd=ROOT, env=environment, stdout=said)

    def yields(self) -> "Step":
        psutil.Process(self._process.pid).nice(LOWEST)
        return self

    def passed(self) -> bool:
        """Wait for its end, and tell it."""
        code = self._process.wait()
        if self._said is not None:
            print(f"== {self._name}", flush=True)
            self._said.seek(0)
            sys.stdout.buffer.write(self._said.read())
        result = "ok" if code == 0 else "FAILED"
        print(f"== {self._name}: {result} in {time.monotonic() - self._began:.0f} s", flush=True)
        return code == 0


def main() -> int:
    """Run every step (or those named on the command line); 0 when all passed."""
    wanted = sys.argv[1:] or list(STEPS)
    failed = []
    with tempfile.TemporaryFile() as said:
        beside = Step("types", said).yields() if {"types", "tests"} <= set(wanted) else None
        for name in wanted:
            if name == "types" and beside is not None:
                continue
            if not Step(name).passed():
                failed.append(name)
            if name == "tests" and beside is not None and not beside.passed():
                failed.append("types")
    if failed:
        print(f"Failed: {', '.join(failed)}.", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
