"""What the page's script needs of each plot, so that somebody can look closer."""

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

from core.model.words import Words
from core.reports.data import ReportData, Signal
from core.reports.measured import main_first
from core.reports.plot import shown_range

_FINER = 10
"""Steps within the last decimal that people read."""


def plot_data(data: ReportData, words: Words) -> list[dict[str, object]]:
    """For each plot, in the report's order: times in s from the visit's beginning, low and high as whole steps.

    A value is `step` times its number; null where nothing was recorded.
    """
    return [_one(data, signal, words) for signal in main_first(data.signals)]


def _one(data: ReportData, signal: Signal, words: Words) -> dict[str, object]:
    step = 10.0**-signal.spec.decimals / _FINER
    low, high = shown_range(signal)
    began = data.visit.began_us
    key = f"report.channel.{signal.spec.key}.value"
    columns = signal.columns
    return {
        "seconds": (data.end_us - began) / 1e6,
        "range": [low, high],
        "step": step,
        "decimals": signal.spec.decimals,
        "held": signal.spec.style == "held",
        "at": np.round((columns.at_us - began) / 1e6, 2).tolist(),
        "low": list(_steps(columns.low, step)),
        "high": list(_steps(columns.high, step)),
        "gaps": [[(begin - began) / 1e6, (end - began) / 1e6] for begin, end in signal.gaps],
        "value": words.template(key) if key in words else "{value}",
    }


def _steps(values: npt.NDArray[np.float32], step: float) -> Iterable[int | None]:
    for value in values.tolist():
        yield round(value / step) if np.isfinite(value) else None
