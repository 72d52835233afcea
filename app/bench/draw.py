"""A frame of the live strips against pyqtgraph's own way of drawing the same data."""

import os
import time

import numpy as np
import numpy.typing as npt

from app.bench.common import Report, figure, report, say
from core.model.channel import ChannelSpec
from core.model.clock import ManualClock
from core.model.words import load_words
from core.signals.catalogue import load_catalogue

FRAME_MS = 1000 / 60
WINDOW_S = 30


def bench_draw(frames: int = 400) -> Report:
    """Eight channels as the Chair page draws them, 1 kHz EMG among them; each frame pushes 1/60 s and paints."""
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    from PySide6.QtWidgets import QApplication

    from widgets import theme

    app = QApplication.instance() or QApplication([])
    assert isinstance(app, QApplication)
    theme.apply(app, "light")
    specs = load_catalogue().strips
    say(f"{len(specs)} strips, {frames} frames each")
    ours = _strips(app, specs, frames)
    peer = _set_data(app, specs, max(20, frames // 8))
    p50, p99 = np.percentile(ours, (50, 99))
    return report(
        "draw",
        figure("frame p50", float(p50), "ms", "pyqtgraph setData p50", float(np.median(peer)), "<=0.5"),
        figure("frame p50", float(p50), "ms", "60 Hz frame", FRAME_MS, "<=0.5"),
        figure("frame p99", float(p99), "ms", "60 Hz frame", FRAME_MS, "<=1.0"),
    )


def _samples(spec: ChannelSpec, begin: int, count: int) -> npt.NDArray[np.int16]:
    t = (begin + np.arange(count)) * spec.period_us / 1e6
    middle, reach = (spec.low + spec.high) / 2, (spec.high - spec.low) / 4
    physical = middle + reach * np.sin(2 * np.pi * 1.2 * t)
    raw: npt.NDArray[np.int16] = np.clip((physical - spec.offset) / spec.scale, -32000, 32000).astype(np.int16)
    return raw


def _strips(app: object, specs: list[ChannelSpec], frames: int) -> npt.NDArray[np.float64]:
    from PySide6.QtWidgets import QApplication

    from widgets.strips.strips import Strips

    assert isinstance(app, QApplication)
    clock = ManualClock()
    widget = Strips(specs, clock, load_words())
    widget.resize(688, 632)
    widget.show()
    app.processEvents()
    start = clock.utc_us()
    sent = dict.fromkeys((spec.number for spec in specs), 0)
    times: list[float] = []
    for frame in range(frames + 60):
        clock.advance(1 / 60)
        for spec in specs:
            due = (clock.utc_us() - start) // spec.period_us
            count = due - sent[spec.number]
            if count > 0:
                at = start + sent[spec.number] * spec.period_us
                widget.push(spec.number, at, _samples(spec, sent[spec.number], count), spec.period_us)
                sent[spec.number] = due
        began = time.perf_counter()
        widget.tick()
        app.processEvents()
        if frame >= 60:
            times.append((time.perf_counter() - began) * 1000)
    widget.close()
    widget.deleteLater()
    app.processEvents()
    return np.array(times)


def _set_data(app: object, specs: list[ChannelSpec], frames: int) -> npt.NDArray[np.float64]:
    import pyqtgraph as pg
    from PySide6.QtWidgets import QApplication

    assert isinstance(app, QApplication)
    view = pg.GraphicsLayoutWidget()
    view.resize(688, 632)
    curves = []
    for row, spec in enumerate(specs):
        count = max(2, round(WINDOW_S * spec.rate_hz))
        data = _samples(spec, 0, count).astype(np.float32) * spec.scale
        curves.append((view.addPlot(row=row, col=0).plot(data), data, max(1, round(spec.rate_hz / 60))))
    view.show()
    app.processEvents()
    times: list[float] = []
    for _ in range(frames):
        began = time.perf_counter()
        for curve, data, new in curves:
            data[:-new] = data[new:]
            curve.setData(data)
        app.processEvents()
        times.append((time.perf_counter() - began) * 1000)
    view.close()
    view.deleteLater()
    app.processEvents()
    return np.array(times)
