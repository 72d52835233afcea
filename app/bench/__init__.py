"""`main.py bench`: measures against a peer or a physical limit in the same run, and prints one JSON object."""

import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import click
import msgspec

from app.bench.common import Report


def _draw() -> Report:
    from app.bench.draw import bench_draw

    return bench_draw()


def _record(folder: Path | None = None, days: float = 30.0) -> Report:
    from app.bench.record import bench_record

    return bench_record(folder, days=days)


def _must_be_a_disk(folder: Path) -> None:
    from app.bench.disk import IN_MEMORY, file_system

    found = file_system(folder)
    if found in IN_MEMORY:
        raise click.UsageError(
            f"{folder} is {found}, which is memory and no disk. Name a folder on a disk by --folder."
        )


def _link() -> Report:
    from app.bench.link import bench_link

    return bench_link()


def _stop() -> Report:
    from app.bench.stop import bench_stop

    return bench_stop()


def _search() -> Report:
    from app.bench.search import bench_search

    return bench_search()


BENCHES: dict[str, tuple[Callable[..., Report], str]] = {
    "draw": (_draw, "a frame of the live strips, against pyqtgraph's setData and a 60 Hz frame"),
    "record": (
        _record,
        "durable commits, size and reviews of up to 30 days, against files of other kinds; minutes, and 6 GB",
    ),
    "link": (_link, "captured frames to the disk, Bumble end to end, STOP of eight hubs; takes minutes"),
    "stop": (_stop, "STOP to the hub's hold, against one connection interval of 30 ms"),
    "search": (_search, "each letter of a search over 100,000 visits, against LIKE over every row"),
}


def run_bench(name: str | None, *, folder: Path | None = None, days: float | None = None) -> int:
    """Run one and print its report on standard output; without a name, list them."""
    if name is None:
        for key, (_, about) in BENCHES.items():
            click.echo(f"{key:8} {about}")
        return 0
    if name not in BENCHES:
        raise click.UsageError(f"There is no benchmark {name!r}. There are: {', '.join(BENCHES)}.")
    asked = {key: value for key, value in {"folder": folder, "days": days}.items() if value is not None}
    if asked and name != "record":
        raise click.UsageError(f"Only `bench record` takes {' and '.join(f'--{key}' for key in asked)}.")
    if name == "record":
        _must_be_a_disk(folder or Path(tempfile.gettempdir()))
    report = BENCHES[name][0](**asked)
    sys.stdout.write(msgspec.json.format(msgspec.json.encode(report), indent=2).decode() + "\n")
    return 0
