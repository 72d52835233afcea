"""Coverage-guided fuzzing of every decoder: no crash, no error but its own, memory and work in proportion to the input.

A few thousand inputs each here; `pytest tests/proof/test_fuzz.py --fuzz-seconds=60` goes on for so long with each.
"""

import logging
import time
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.proof.decoders import Decoder, decoders
from tests.proof.fuzzing import Fuzzer

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = [str(ROOT / name) for name in ("core", "devices")]
TRIES = 1000
BASE_BYTES, BYTES_A_BYTE = 96 * 1024, 400
BASE_STEPS, STEPS_A_BYTE = 2000, 60


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    logging.disable(logging.ERROR)
    tracemalloc.start()
    yield
    tracemalloc.stop()
    logging.disable(logging.NOTSET)


@pytest.mark.parametrize("decoder", decoders(), ids=str)
def test_a_decoder_survives_whatever_comes(decoder: Decoder, request: pytest.FixtureRequest) -> None:
    seconds = request.config.getoption("--fuzz-seconds")
    decoded = 0

    def guarded(data: bytes) -> None:
        nonlocal decoded
        try:
            decoder.decode(data)
            decoded += 1
        except decoder.refuses:
            pass
        except BaseException as error:
            raise AssertionError(f"{decoder}: {data.hex()}") from error

    for one in decoder.seeds:  # what is made once, and kept, is not the input's doing
        guarded(one)
    fuzzer = Fuzzer(guarded, decoder.seeds, folders=FOLDERS, seed=2026, longest=decoder.longest)
    assert fuzzer.edges
    until = time.monotonic() + seconds
    while fuzzer.tries < TRIES or time.monotonic() < until:
        tracemalloc.reset_peak()
        before, _ = tracemalloc.get_traced_memory()
        data = fuzzer.step()
        peak = tracemalloc.get_traced_memory()[1] - before
        assert peak <= BASE_BYTES + BYTES_A_BYTE * len(data), f"{decoder} took {peak} bytes for {data.hex()}"
        assert fuzzer.steps <= BASE_STEPS + STEPS_A_BYTE * len(data), f"{decoder} took {fuzzer.steps} steps"
    assert decoded, "not even the valid inputs were decoded"
    assert len(fuzzer.corpus) > len(decoder.seeds), "nothing new was reached"
