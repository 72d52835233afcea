"""`bench link`: captured frames to the disk, Bumble from end to end, STOP under load."""

import numpy as np

from app.bench.common import Figure, Report, figure, report
from app.bench.holds import Stop, measure_holds
from app.bench.ingest import CEILING_FRAMES_S, measure_ingest
from app.bench.through import measure_through

INTERVALS_MS = (15.0, 30.0, 50.0)
"""Connection intervals that phones and computers use."""
SOFTWARE_MS = 10.0
"""What of a STOP may be anybody's but the radio's."""


def bench_link(
    *,
    frames: int = 12_000,
    seconds: float = 5.0,
    through: int = 3_000,
    rounds: int = 31,
    stops: int = 104,
    intervals_ms: tuple[float, ...] = INTERVALS_MS,
    hubs: int = 8,
    radios: int = 8,
) -> Report:
    """Measure all three parts.

    Args:
        frames: of each of eight hubs, flat out.
        seconds: at the ceiling.
        through: frames each way in each of the `rounds` through Bumble; an odd number of rounds.
        stops: at each interval, over all hubs.
        radios: that the hubs share.
    """
    ingest = measure_ingest(frames, seconds)
    ours, bare = measure_through(through, rounds)
    ceiling = "eight hubs at the BLE 2M ceiling"
    held = measure_holds(intervals_ms, stops, hubs, radios)
    return report(
        "link",
        figure("callback to disk, one core", ingest.frames_s, "frames/s", ceiling, CEILING_FRAMES_S, ">=10"),
        figure(
            "callback to disk, a CPU second", ingest.frames_cpu_s, "frames/CPU s", ceiling, CEILING_FRAMES_S, ">=10"
        ),
        figure("CPU at the ceiling", 100 * ingest.share, "%", "one core", 100.0, "<=0.15"),
        figure("Bumble through our link", ours, "frames/CPU s", "bare bleak callback", bare, ">=0.8"),
        *(one for interval_ms in intervals_ms for one in _held(interval_ms, held[interval_ms])),
    )


def _held(interval_ms: float, stops: list[Stop]) -> tuple[Figure, ...]:
    name, peer = f"STOP to held at {interval_ms:g} ms", f"{SOFTWARE_MS:g} ms"
    total, software, workstation = (
        float(np.percentile([getattr(stop, part) for stop in stops], 99)) * 1000
        for part in ("total", "software", "workstation")
    )
    allowed = 2 * interval_ms + SOFTWARE_MS
    return (
        figure(f"{name}, p99", total, "ms", f"two intervals and {peer}", allowed, "<=1"),
        figure(f"{name}, p99 of software", software, "ms", peer, SOFTWARE_MS, "<=1"),
        figure(f"{name}, p99 of the workstation's software", workstation, "ms", peer, SOFTWARE_MS, "<=1"),
    )
