"""No forged frame and no forged command is accepted; every valid one among them is.

A fair sample of every stratum here; `pytest tests/proof/test_forgeries.py --all-forgeries -s` goes through all of
them, more than a million.
"""

import logging
import sys
from collections.abc import Iterator

import pytest

from tests.proof.campaign import Campaign

MILLION = 1_000_000


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    """Each refusal is logged; a million of them is no log."""
    logging.disable(logging.ERROR)
    yield
    logging.disable(logging.NOTSET)


async def test_no_forgery_is_accepted_and_no_valid_message_refused(request: pytest.FixtureRequest) -> None:
    every = request.config.getoption("--all-forgeries")
    tally = await Campaign(seed=2026, rounds=8 if every else 1, most=None if every else 30).run()
    sys.stdout.write(f"\n{tally.table()}\n")
    total = tally.total
    assert total.forged_accepted == 0, tally.examples
    assert total.valid_accepted == total.valid > 0, tally.table()
    assert all(count.forged or count.valid for count in tally.counts.values())
    assert total.forged >= (MILLION if every else 2_000)
