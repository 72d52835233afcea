"""What a benchmark reports, and how two things are measured in turn."""

import os
import platform
import sys
import time
from collections.abc import Callable

import msgspec
import numpy as np


class Figure(msgspec.Struct, frozen=True, kw_only=True):
    """One measured value beside its peer's in the same run.

    Attributes:
        ratio: value / peer_value.
        aim: what the ratio should be, such as "<= 0.5"; `met` follows from it.
    """

    name: str
    value: float
    unit: str
    peer: str
    peer_value: float
    ratio: float
    aim: str
    met: bool


class Report(msgspec.Struct, frozen=True):
    bench: str
    machine: dict[str, str]
    figures: tuple[Figure, ...]


def figure(name: str, value: float, unit: str, peer: str, peer_value: float, aim: str) -> Figure:
    """`aim` is "<= x" or ">= x", over the ratio."""
    ratio = value / peer_value
    bound = float(aim[2:])
    met = ratio <= bound if aim.startswith("<=") else ratio >= bound
    return Figure(
        name=name,
        value=round(value, 4),
        unit=unit,
        peer=peer,
        peer_value=round(peer_value, 4),
        ratio=round(ratio, 4),
        aim=aim,
        met=met,
    )


def report(bench: str, *figures: Figure) -> Report:
    machine = {
        "system": platform.platform(),
        "python": platform.python_version(),
        "cores": str(os.cpu_count()),
        "load": f"{os.getloadavg()[0]:.2f}" if hasattr(os, "getloadavg") else "unknown",
    }
    return Report(bench, machine, figures)


def say(text: str) -> None:
    """Progress, on standard error."""
    sys.stderr.write(text + "\n")


def seconds(run: Callable[[], object]) -> float:
    began = time.perf_counter()
    run()
    return time.perf_counter() - began


def medians(rounds: int, first: Callable[[], float], second: Callable[[], float]) -> tuple[float, float]:
    """Both measured in turn, so that a machine that slows down slows both; the median of each."""
    pairs = np.array([(first(), second()) for _ in range(rounds)])
    one, other = np.median(pairs, axis=0)
    return float(one), float(other)
