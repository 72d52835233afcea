"""Make `.venv` and fill it from the lock file; install Qt's system libraries. With `--tests`, also what only tests use.

Standard library only, and in words that an old Python understands, so that it can say what is missing.
Quick when nothing changed.
"""

from __future__ import print_function

import ctypes
import hashlib
import os
import shutil
import subprocess
import sys
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
VENV = os.path.join(ROOT, ".venv")
LOCK = os.path.join(ROOT, "requirements-dev.lock")
STAMP = os.path.join(VENV, "installed.txt")
OLDEST, NEWEST = (3, 11), (3, 14)

# shared library → package by package manager
OFFSCREEN = {
    "libGL.so.1": {"apt-get": "libgl1", "dnf": "libglvnd-glx", "pacman": "libglvnd", "zypper": "libGL1"},
    "libEGL.so.1": {"apt-get": "libegl1", "dnf": "libglvnd-egl", "pacman": "libglvnd", "zypper": "libEGL1"},
    "libfontconfig.so.1": {
        "apt-get": "libfontconfig1",
        "dnf": "fontconfig",
        "pacman": "fontconfig",
        "zypper": "fontconfig",
    },
    "libdbus-1.so.3": {"apt-get": "libdbus-1-3", "dnf": "dbus-libs", "pacman": "dbus", "zypper": "libdbus-1-3"},
    "libxkbcommon.so.0": {
        "apt-get": "libxkbcommon0",
        "dnf": "libxkbcommon",
        "pacman": "libxkbcommon",
        "zypper": "libxkbcommon0",
    },
    "libglib-2.0.so.0": {"apt-get": "libglib2.0-0", "dnf": "glib2", "pacman": "glib2", "zypper": "libglib-2_0-0"},
}
WINDOWED = {
    "libxcb-cursor.so.0": {
        "apt-get": "libxcb-cursor0",
        "dnf": "xcb-util-cursor",
        "pacman": "xcb-util-cursor",
        "zypper": "libxcb-cursor0",
    },
    "libxcb-icccm.so.4": {
        "apt-get": "libxcb-icccm4",
        "dnf": "xcb-util-wm",
        "pacman": "xcb-util-wm",
        "zypper": "libxcb-icccm4",
    },
    "libxcb-keysyms.so.1": {
        "apt-get": "libxcb-keysyms1",
        "dnf": "xcb-util-keysyms",
        "pacman": "xcb-util-keysyms",
        "zypper": "libxcb-keysyms1",
    },
    "libxcb-shape.so.0": {"apt-get": "libxcb-shape0", "dnf": "libxcb", "pacman": "libxcb", "zypper": "libxcb-shape0"},
    "libxkbcommon-x11.so.0": {
        "apt-get": "libxkbcommon-x11-0",
        "dnf": "libxkbcommon-x11",
        "pacman": "libxkbcommon-x11",
        "zypper": "libxkbcommon-x11-0",
    },
}
# what some tests use: names of the program → package by package manager
FOR_TESTS = {
    ("chromium", "chromium-browser", "google-chrome"): {
        "apt-get": "chromium",
        "dnf": "chromium",
        "pacman": "chromium",
        "zypper": "chromium",
    },
    ("javac",): {
        "apt-get": "default-jdk-headless",
        "dnf": "java-latest-openjdk-devel",
        "pacman": "jdk-openjdk",
        "zypper": "java-21-openjdk-devel",
    },
    ("strace",): {"apt-get": "strace", "dnf": "strace", "pacman": "strace", "zypper": "strace"},
    ("fiu-run",): {"apt-get": "fiu-utils"},
}
INSTALL = {
    "apt-get": ["apt-get", "install", "-y", "--no-install-recommends"],
    "dnf": ["dnf", "install", "-y"],
    "pacman": ["pacman", "-S", "--needed", "--noconfirm"],
    "zypper": ["zypper", "--non-interactive", "install"],
}
PYTHON = {
    "apt-get": "sudo apt-get install python%(version)s python%(version)s-venv",
    "dnf": "sudo dnf install python%(version)s",
    "pacman": "sudo pacman -S python",
    "zypper": "sudo zypper install python%(bare)s",
    "brew": "brew install python@%(version)s",
    "winget": "winget install Python.Python.%(version)s",
}
"""How a Python, with its venv, is installed by each package manager."""


def main():
    other = right_python()
    if other:
        return subprocess.call([other, os.path.abspath(__file__)] + sys.argv[1:])
    if "--tests" in sys.argv[1:]:
        programs_for_tests()
        return 0
    if not system_libraries():
        return 1
    if not has_venv():
        return 1
    return install()


def right_python():
    """Another interpreter to go on with, when this one is too old or too new; exits when there is none."""
    if OLDEST <= sys.version_info[:2] <= NEWEST:
        return None
    for minor in range(NEWEST[1], OLDEST[1] - 1, -1):
        found = shutil.which("python3.%d" % minor)
        if found:
            return found
    sys.exit(
        "Python %d.%d is not supported (3.11 to 3.14 are). Install one: %s" % (sys.version_info[:2] + (hint((3, 13)),))
    )


def hint(version):
    """The line that installs a Python here."""
    manager = next((name for name in PYTHON if shutil.which(name)), None)
    if manager is None:
        return "see https://www.python.org/downloads/"
    return PYTHON[manager] % {"version": "%d.%d" % version, "bare": "%d%d" % version}


def has_venv():
    try:
        import ensurepip  # noqa: F401
        import venv  # noqa: F401
    except ImportError:
        print("Python's venv is missing. Install it: %s" % hint(sys.version_info[:2]), file=sys.stderr)
        return False
    return True


def system_libraries():
    """Have what Qt needs beside its wheel; True when all is there."""
    if not sys.platform.startswith("linux"):
        return True
    wanted = dict(OFFSCREEN)
    if os.environ.get("DISPLAY"):
        wanted.update(WINDOWED)
    missing = [packages for name, packages in wanted.items() if not loads(name)]
    if not missing:
        return True
    manager = next((name for name in INSTALL if shutil.which(name)), None)
    if manager is None:
        absent = sorted(name for name in wanted if not loads(name))
        print("Qt needs these libraries: %s. Install them and run this again." % ", ".join(absent), file=sys.stderr)
        return False
    command = INSTALL[manager] + sorted({packages[manager] for packages in missing})
    print("Qt needs system libraries (about 20 MB, a minute): %s" % " ".join(command), flush=True)
    if os.geteuid() != 0:
        by_hand = "Run this, then `make setup` again: sudo %s" % " ".join(command)
        if not (shutil.which("sudo") and sys.stdin.isatty()):
            print(by_hand, file=sys.stderr)
            return False
        if input("Run it through sudo now? [y/N] ").strip().lower() not in ("y", "yes"):
            print(by_hand, file=sys.stderr)
            return False
        command = ["sudo"] + command
    return run_manager(manager, command)


def programs_for_tests():
    """Have what some tests drive: a browser, a JDK, tools that make calls to the system fail.

    Without them those tests are skipped, and say so.
    """
    manager = next((name for name in INSTALL if shutil.which(name)), None)
    absent = [packages for names, packages in FOR_TESTS.items() if not any(shutil.which(name) for name in names)]
    missing = [packages for packages in absent if manager in packages]
    if not missing or not sys.platform.startswith("linux"):
        return
    command = INSTALL[manager] + sorted(packages[manager] for packages in missing)
    if os.geteuid() != 0:
        print("To run every test: sudo %s" % " ".join(command), flush=True)
        return
    print("Some tests use these (up to 300 MB, a minute): %s" % " ".join(command), flush=True)
    run_manager(manager, command)


def run_manager(manager, command):
    environment = dict(os.environ, DEBIAN_FRONTEND="noninteractive")
    if manager == "apt-get":
        update = (["sudo"] if command[0] == "sudo" else []) + ["apt-get", "update", "-qq"]
        subprocess.call(update, env=environment)
    code = subprocess.call(command, env=environment, stdout=subprocess.DEVNULL)
    if code:
        print("The package manager ended with %d. Run it by hand: %s" % (code, " ".join(command)), file=sys.stderr)
    return code == 0


def loads(name):
    try:
        ctypes.CDLL(name)
    except OSError:
        return False
    return True


def install():
    with open(LOCK, "rb") as lock:
        state = "%s %s" % (hashlib.sha256(lock.read()).hexdigest(), sys.version.split()[0])
    try:
        with open(STAMP) as stamp:
            if stamp.read() == state:
                return 0
    except OSError:
        pass
    print("Installing into .venv: about 190 MB to download, 650 MB on disk, 1 to 4 minutes.", flush=True)
    began = time.time()
    # the interpreter under an active .venv: that one is about to be cleared
    base = getattr(sys, "_base_executable", None) or sys.executable
    subprocess.check_call([base, "-m", "venv", "--clear", VENV])
    python = os.path.join(VENV, "Scripts" if os.name == "nt" else "bin", "python")
    command = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input"]
    code = subprocess.call(command + ["--require-hashes", "-r", LOCK])
    if code:
        print("The installation did not finish. Check the network, then run `make setup` again.", file=sys.stderr)
        return code
    with open(STAMP, "w") as stamp:
        stamp.write(state)
    print("Ready after %.0f s." % (time.time() - began), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
