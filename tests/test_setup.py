"""What set-up says when something is missing, and that it is quick when nothing is."""

import ast
import builtins
import importlib.util
import os
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture
def setup() -> ModuleType:
    """`tools/setup.py`, which runs before anything is installed."""
    spec = importlib.util.spec_from_file_location("house_setup", ROOT / "tools" / "setup.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def only(monkeypatch: pytest.MonkeyPatch, setup: ModuleType, *there: str) -> None:
    """A machine that has these programs and no others."""
    monkeypatch.setattr(setup.shutil, "which", lambda name: f"/usr/bin/{name}" if name in there else None)


@pytest.mark.parametrize(
    ("manager", "line"),
    [
        ("apt-get", "sudo apt-get install python3.13 python3.13-venv"),
        ("dnf", "sudo dnf install python3.13"),
        ("zypper", "sudo zypper install python313"),
        ("brew", "brew install python@3.13"),
        ("winget", "winget install Python.Python.3.13"),
        ("none", "https://www.python.org/downloads/"),
    ],
)
def test_an_old_python_names_the_line_that_installs_another(
    setup: ModuleType, monkeypatch: pytest.MonkeyPatch, manager: str, line: str
) -> None:
    only(monkeypatch, setup, manager)
    monkeypatch.setattr(setup.sys, "version_info", (3, 9, 2, "final", 0))
    with pytest.raises(SystemExit, match="not supported") as said:
        setup.right_python()
    assert line in str(said.value)


def test_a_missing_venv_names_the_line(
    setup: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    only(monkeypatch, setup, "apt-get")
    real = builtins.__import__

    def without(name: str, *rest: object, **more: object) -> ModuleType:
        if name == "ensurepip":
            raise ImportError(name)
        return real(name, *rest, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(builtins, "__import__", without)
    assert not setup.has_venv()
    version = f"{sys.version_info[0]}.{sys.version_info[1]}"
    assert f"sudo apt-get install python{version} python{version}-venv" in capsys.readouterr().err


if hasattr(os, "geteuid"):

    @pytest.mark.parametrize(("user", "installs"), [(0, True), (1000, False)])
    def test_what_only_tests_use_is_installed_by_root_and_named_to_others(
        setup: ModuleType,
        monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str],
        user: int,
        installs: bool,
    ) -> None:
        run: list[list[str]] = []
        only(monkeypatch, setup, "apt-get", "google-chrome")
        monkeypatch.setattr(setup.sys, "platform", "linux")
        monkeypatch.setattr(setup.os, "geteuid", lambda: user)
        monkeypatch.setattr(setup, "run_manager", lambda _, command: run.append(command))
        setup.programs_for_tests()
        packages = ["default-jdk-headless", "fiu-utils", "strace"]
        command = ["apt-get", "install", "-y", "--no-install-recommends", *packages]
        assert run == ([command] if installs else [])
        assert " ".join(command) in capsys.readouterr().out
        only(monkeypatch, setup, "apt-get", "chromium", "javac", "strace", "fiu-run")
        setup.programs_for_tests()
        assert len(run) == installs
        assert capsys.readouterr().out == ""

    @pytest.mark.parametrize("answer", ["", "n"])
    def test_a_missing_library_is_installed_by_whoever_may_or_the_command_is_printed(
        setup: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], answer: str
    ) -> None:
        run: list[list[str]] = []
        monkeypatch.setattr(setup.sys, "platform", "linux")
        monkeypatch.setattr(setup, "loads", lambda name: name != "libEGL.so.1")

        def installs(_manager: str, command: list[str]) -> bool:
            run.append(command)
            return True

        monkeypatch.setattr(setup, "run_manager", installs)
        command = ["apt-get", "install", "-y", "--no-install-recommends", "libegl1"]

        only(monkeypatch, setup, "apt-get", "sudo")
        monkeypatch.setattr(setup.os, "geteuid", lambda: 0)
        assert setup.system_libraries()
        assert run == [command], "as root at once"

        monkeypatch.setattr(setup.os, "geteuid", lambda: 1000)
        monkeypatch.setattr(setup.sys, "stdin", _Terminal(answer != ""))
        monkeypatch.setattr(builtins, "input", lambda _question: answer)
        assert not setup.system_libraries()
        assert run == [command], "nothing without a yes"
        assert f"sudo {' '.join(command)}" in capsys.readouterr().err

        monkeypatch.setattr(setup.sys, "stdin", _Terminal(True))
        monkeypatch.setattr(builtins, "input", lambda _question: "y")
        assert setup.system_libraries()
        assert run[-1] == ["sudo", *command]


class _Terminal:
    def __init__(self, tty: bool) -> None:
        self._tty = tty

    def isatty(self) -> bool:
        return self._tty


def test_nothing_is_done_when_nothing_changed(
    setup: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lock, stamp = tmp_path / "lock", tmp_path / ".venv" / "installed.txt"
    stamp.parent.mkdir()
    lock.write_text("numpy==2.3\n")
    calls: list[list[str]] = []
    for name, value in (("LOCK", lock), ("STAMP", stamp), ("VENV", stamp.parent)):
        monkeypatch.setattr(setup, name, str(value))
    monkeypatch.setattr(setup.subprocess, "check_call", calls.append)

    def call(command: list[str]) -> int:
        calls.append(command)
        return 0

    monkeypatch.setattr(setup.subprocess, "call", call)
    assert setup.install() == 0
    said = capsys.readouterr().out
    assert "190 MB" in said
    assert "minutes" in said
    assert "--require-hashes" in calls[-1]
    calls.clear()
    assert setup.install() == 0
    assert calls == []
    lock.write_text("numpy==2.4\n")
    assert setup.install() == 0
    assert calls, "another lock is another installation"


def test_an_old_python_can_read_it_far_enough_to_be_told() -> None:
    """No syntax that Python 3 did not have from the start."""
    tree = ast.parse((ROOT / "tools" / "setup.py").read_text(encoding="utf-8"))
    newer = (ast.JoinedStr, ast.NamedExpr, ast.AnnAssign, ast.AsyncFunctionDef, ast.Match)
    assert [type(node).__name__ for node in ast.walk(tree) if isinstance(node, newer)] == []


def test_the_lock_carries_hashes_and_no_addresses() -> None:
    for name in ("requirements.lock", "requirements-dev.lock"):
        text = (ROOT / name).read_text(encoding="utf-8")
        assert "--hash=sha256:" in text
        assert "://" not in text
        pinned = [line for line in text.splitlines() if "==" in line and not line.startswith((" ", "#"))]
        assert len(pinned) > 20
        for line in pinned:
            assert line.rstrip().endswith("\\"), f"{line} has no hash"


def test_git_ignores_what_set_up_makes() -> None:
    ignored = (ROOT / ".gitignore").read_text(encoding="utf-8").split()
    assert {".venv/", "/out/", "uv.lock"} <= set(ignored)
    tracked = subprocess.run(["git", "ls-files", "uv.lock", ".venv"], cwd=ROOT, capture_output=True, check=False).stdout
    assert tracked == b""
