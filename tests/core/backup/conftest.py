from pathlib import Path

import pytest

from tests.core.backup.house import Premises, premises


@pytest.fixture
def house(tmp_path: Path) -> Premises:
    return premises(tmp_path / "data")


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return tmp_path / "stick"
