"""A simulated practice for each test."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.practice import Practice


@pytest.fixture
def practice(tmp_path: Path) -> Iterator[Practice]:
    one = Practice(tmp_path / "data")
    try:
        one.start()
        yield one
    finally:
        one.close()
