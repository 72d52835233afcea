"""Everything that guards the project, one after another; the first failure does not hide the others."""

import os
import subprocess
import sys
import time
from pathlib import Path

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


def main() -> int:
    """Run every step (or those named on the command line); 0 when all passed."""
    wanted = sys.argv[1:] or list(STEPS)
    failed = []
    for name in wanted:
        print(f"== {name}", flush=True)
        began = time.monotonic()
        code = subprocess.call(STEPS[name], cwd=ROOT, env=dict(os.environ, QT_QPA_PLATFORM="offscreen"))
        print(f"== {name}: {'ok' if code == 0 else 'FAILED'} in {time.monotonic() - began:.0f} s", flush=True)
        if code:
            failed.append(name)
    if failed:
        print(f"Failed: {', '.join(failed)}.", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
