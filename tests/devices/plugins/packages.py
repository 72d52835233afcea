"""Packages of other makers on the path, as if they were installed."""

import itertools
import sys
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import invalidate_caches
from pathlib import Path

from core.model.plugins import GROUP, find_plugins
from core.model.words import load_words
from core.signals.catalogue import load_catalogue
from core.signals.plugins import load_plugins
from devices.kinds import kinds

EXAMPLE = Path(__file__).parents[3] / "examples" / "oral-ph-sensor"
SERVICE = "8c1f0001-5a0e-4f6b-9d1b-6f72616c7068"
_number = itertools.count()
MEASUREMENT = "8c1f0002-5a0e-4f6b-9d1b-6f72616c7068"


def install(folder: Path, name: str, version: str, entries: dict[str, str]) -> None:
    """The metadata that an installer would leave in `folder`."""
    info = folder / f"{name.replace('-', '_')}-{version}.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n", encoding="utf-8")
    lines = [f"[{GROUP}]", *(f"{key} = {value}" for key, value in entries.items())]
    (info / "entry_points.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")


def install_example(folder: Path) -> Path:
    """The example, by its own pyproject.toml; what must be on the path besides `folder`."""
    project = tomllib.loads((EXAMPLE / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    install(folder, project["name"], project["version"], project["entry-points"][GROUP])
    return EXAMPLE


def make_package(folder: Path, code: str, manifest: str | None = None, *, kind: str = "oral_ph") -> None:
    """A package with a driver of this code, and the example's data file unless another is given."""
    name = f"made_{next(_number)}"  # a name of its own: what hangs in an import blocks that name for good
    package = folder / name
    package.mkdir()
    (package / "__init__.py").write_text("", encoding="utf-8")
    (package / "driver.py").write_text(code, encoding="utf-8")
    text = (EXAMPLE / "oral_ph_sensor" / "sensor.toml").read_text(encoding="utf-8") if manifest is None else manifest
    (package / "sensor.toml").write_text(text, encoding="utf-8")
    install(folder, f"made-{kind}", "0.1", {kind: f"{name}.driver:Driver"})


@contextmanager
def installed(*folders: Path) -> Iterator[None]:
    """Look for plug-ins anew, in these folders too; afterwards as before."""
    before, modules = list(sys.path), set(sys.modules)
    sys.path[:0] = [str(folder) for folder in folders]
    _forget()
    try:
        yield
    finally:
        sys.path[:] = before
        for name in set(sys.modules) - modules:
            if name.startswith(("made_", "oral_ph_sensor")):
                del sys.modules[name]
        _forget()


def _forget() -> None:
    invalidate_caches()
    for cached in (find_plugins, load_plugins, load_catalogue, load_words, kinds):
        cached.cache_clear()
