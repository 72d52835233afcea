"""The rules of the house, each as a sentence."""

import ast
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


@cache
def imports(folder: str) -> dict[str, set[str]]:
    """Dotted modules that each Python file below `folder` (or the file itself) imports, wherever in the file."""
    start = ROOT / folder
    files = [start] if start.is_file() else sorted(start.rglob("*.py"))
    return {str(file.relative_to(ROOT)): _imports_of(file) for file in files}


@cache
def _imports_of(file: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def breaches(folder: str, *forbidden: str, but: tuple[str, ...] = ()) -> list[str]:
    """Lines `file imports module` for every import below `folder` that starts with a forbidden name."""
    return [
        f"{file} imports {name}"
        for file, names in imports(folder).items()
        if not any(file.startswith(allowed) for allowed in but)
        for name in sorted(names)
        if any(name == root or name.startswith(root + ".") for root in forbidden)
    ]


QT = ("PySide6", "pyqtgraph", "shiboken6")


def test_core_imports_none_of_the_other_rooms() -> None:
    assert breaches("core", "app", "widgets", "devices") == []


def test_core_knows_no_qt_no_bluetooth_and_no_event_loop() -> None:
    assert breaches("core", *QT, "bleak", "bumble", "asyncio") == []


def test_widgets_import_nothing_of_core_but_the_model() -> None:
    assert [line for line in breaches("widgets", "core") if " imports core.model" not in line] == []


def test_devices_import_nothing_of_core_but_model_and_signals() -> None:
    allowed = (" imports core.model", " imports core.signals")
    assert [line for line in breaches("devices", "core") if not any(part in line for part in allowed)] == []


def test_widgets_and_devices_never_meet_and_know_no_app() -> None:
    assert breaches("widgets", "devices", "app") + breaches("devices", "widgets", "app") == []


def test_only_console_and_widgets_import_qt() -> None:
    assert (
        breaches("core", *QT)
        + breaches("devices", *QT)
        + breaches("app", *QT, but=("app/console", "app/tour", "app/bench"))
        == []
    )
    assert breaches("main.py", *QT) == []


def test_only_devices_and_engine_and_who_measures_them_know_asyncio() -> None:
    assert (
        breaches("app", "asyncio", but=("app/engine", "app/clinic", "app/bench")) + breaches("widgets", "asyncio") == []
    )


def test_only_devices_import_bleak_and_only_two_rooms_import_bumble() -> None:
    assert breaches("app", "bleak", "bumble") + breaches("core", "bleak", "bumble") == []
    assert breaches("devices", "bumble", but=("devices/bumble_backend", "devices/simulator")) == []


def test_nothing_but_the_radio_knows_that_the_bumble_backend_exists() -> None:
    inside = ("devices/bumble_backend", "devices/radio.py", "devices/simulator")
    assert breaches("devices", "devices.bumble_backend", but=inside) + breaches("app", "devices.bumble_backend") == []


def test_the_simulator_and_the_domain_never_import_each_other() -> None:
    judged = ("core.procedure", "core.safety", "core.people", "core.reports", "core.record", "devices.hub.driver")
    assert breaches("devices/simulator", *judged) == []
    assert breaches("core", "devices.simulator") + breaches("app/engine", "devices.simulator") == []


def test_no_engine_or_console_depends_on_a_simulated_clinic() -> None:
    assert breaches("app/engine", "app.clinic") + breaches("app/console", "app.clinic", "devices.simulator") == []


def test_the_secure_session_is_pure_and_the_hubs_side_has_an_edhoc_of_its_own() -> None:
    for folder in ("devices/hub/session", "devices/simulator/session"):
        assert breaches(folder, "asyncio", "bleak", "bumble", "time", "datetime", "pathlib") == []
    assert breaches("devices", "lakers", but=("devices/hub/session/handshake.py",)) == []
    assert breaches("app", "lakers") + breaches("core", "lakers") == []
    assert breaches("devices/hub", "devices.simulator") == []


def test_the_console_holds_no_key_and_opens_no_record() -> None:
    assert breaches("app/console", "core.record", "sqlcipher3", "sqlite_utils") == []


def test_the_console_reads_foreign_files_and_nothing_that_opens_a_record() -> None:
    used = [line.split(" imports ")[1] for line in breaches("app/console", "core.exchange")]
    reads_files = "core.exchange.fhir.patient_in"
    assert used
    assert [name for name in used if not name.startswith(reads_files)] == []
    assert breaches("core/exchange/fhir/patient_in.py", "core.record", "core.keys", "core.exchange") == []


def test_the_engine_never_imports_the_console() -> None:
    assert breaches("app/engine", "app.console") + breaches("app/console", "app.engine") == []


def test_no_pickle_crosses_a_process_boundary() -> None:
    assert breaches("app", "pickle", "marshal", "shelve") == []
    for file in (ROOT / "app").rglob("*.py"):
        text = file.read_text(encoding="utf-8")
        assert ".recv()" not in text, f"{file} unpickles with recv(); use recv_bytes"


@pytest.mark.parametrize("room", ["app", "core", "devices", "widgets"])
def test_every_room_was_scanned(room: str) -> None:
    assert len(imports(room)) > 3
