"""`main.py bench`: measures against a peer or a physical limit in the same run, and prints one JSON object."""

import sys
from collections.abc import Callable

import click
import msgspec

from app.bench.common import Report


def _draw() -> Report:
    from app.bench.draw import bench_draw

    return bench_draw()


def _record() -> Report:
    from app.bench.record import bench_record

    return bench_record()


def _link() -> Report:
    from app.bench.link import bench_link

    return bench_link()


def _stop() -> Report:
    from app.bench.stop import bench_stop

    return bench_stop()


def _search() -> Report:
    from app.bench.search import bench_search

    return bench_search()


BENCHES: dict[str, tuple[Callable[[], Report], str]] = {
    "draw": (_draw, "a frame of the live strips, against pyqtgraph's setData and a 60 Hz frame"),
    "record": (_record, "durable commits of two hubs, against a plain append with fdatasync"),
    "link": (_link, "captured frames to the disk, Bumble end to end, STOP of eight hubs; takes minutes"),
    "stop": (_stop, "STOP to the hub's hold, against one connection interval of 30 ms"),
    "search": (_search, "each letter of a search over 100,000 visits, against LIKE over every row"),
}


def run_bench(name: str | None) -> int:
    """Run one and print its report on standard output; without a name, list them."""
    if name is None:
        for key, (_, about) in BENCHES.items():
            click.echo(f"{key:8} {about}")
        return 0
    if name not in BENCHES:
        raise click.UsageError(f"There is no benchmark {name!r}. There are: {', '.join(BENCHES)}.")
    report = BENCHES[name][0]()
    sys.stdout.write(msgspec.json.format(msgspec.json.encode(report), indent=2).decode() + "\n")
    return 0
