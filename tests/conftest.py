"""What every test needs: no display, no way to the user's own data, and no skip that nobody sees."""

import os
from collections.abc import Iterator
from pathlib import Path

import argon2
import pytest
from argon2.profiles import CHEAPEST

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
os.environ.setdefault("PYQTGRAPH_QT_LIB", "PySide6")

LISTED = {
    line.split("#")[0].strip()
    for line in (Path(__file__).parent / "allowed_skips.txt").read_text(encoding="utf-8").splitlines()
    if line.split("#")[0].strip()
}


def pytest_addoption(parser: pytest.Parser) -> None:
    """The long forms of proofs of which every run has a short one."""
    parser.addoption("--all-forgeries", action="store_true", help="a million forgeries, not a sample")
    parser.addoption("--all-kills", action="store_true", help="kill a record's writer a thousand times, not fifty")
    parser.addoption("--all-faults", action="store_true", help="fail each call to the system, not a sample")
    parser.addoption("--all-power-cuts", action="store_true", help="each crash state of a recorded session")
    parser.addoption("--fuzz-seconds", type=float, default=0.0, help="fuzz each decoder for so long")
    parser.addoption("--soak-minutes", type=float, default=0.0, help="soak for so long")
    parser.addoption("--soak-seed", type=int, default=0, help="of the soak; another one is another history")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files that wait for whole practices come first: begun last, one of them would run alone at the end."""
    items.sort(key=lambda item: item.path.parent.name not in ("integration", "security", "proof"))


@pytest.fixture(autouse=True)
def _own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Data folders and keyrings of the person who runs the tests stay untouched."""
    for name in ("XDG_DATA_HOME", "XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME"):
        monkeypatch.setenv(name, str(tmp_path / "home"))
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.fail.Keyring")


_COSTS = {
    "core.keys.wrapping.RFC_9106_LOW_MEMORY": CHEAPEST,
    "core.people.pin._hasher": argon2.PasswordHasher.from_parameters(CHEAPEST),
    "core.record.keys._MEMORY_KIB": CHEAPEST.memory_cost * 4,  # for each of its lanes
    "core.record.keys._PASSES": CHEAPEST.time_cost,
}


@pytest.fixture(autouse=True, scope="session")
def _cheap_secrets() -> Iterator[pytest.MonkeyPatch]:
    """An Argon2id that makes no test wait; `real_costs` brings back what it costs in the product."""
    with pytest.MonkeyPatch.context() as patched:
        for name, cheap in _COSTS.items():
            patched.setattr(name, cheap)
        yield patched


@pytest.fixture
def real_costs(_cheap_secrets: pytest.MonkeyPatch) -> Iterator[None]:
    """What guards a secret costs what it costs in the product."""
    _cheap_secrets.undo()
    yield
    for name, cheap in _COSTS.items():
        _cheap_secrets.setattr(name, cheap)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print each skip with its reason: a skipped test counts as absent."""
    for report in terminalreporter.stats.get("skipped", []):
        mark = "listed" if report.nodeid in LISTED else "NOT LISTED"
        terminalreporter.write_line(f"skipped ({mark}): {report.nodeid}: {report.longrepr}")


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """Fail on a skip that `allowed_skips.txt` does not list."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if reporter is None or exitstatus not in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED):
        return
    if any(report.nodeid not in LISTED for report in reporter.stats.get("skipped", [])):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
