"""Files of signals recorded elsewhere, read in the reader process: whatever they hold, nothing stands beside STOP."""

import zlib
from pathlib import Path

import numpy as np

from app.engine.open_records import target
from app.ipc.import_messages import (
    ForeignSignal,
    ImportRequest,
    ImportSignals,
    ReadSignal,
    SignalsFound,
    SignalsRead,
)
from app.ipc.messages import Reply
from core.exchange.incoming import ImportRefused, Incoming, digest_of, look_into, parse_zone, read_signals
from core.model.progress import Watch
from core.signals.catalogue import Catalogue, load_catalogue

MOST_BYTES = 16 << 20
"""Of what goes to the engine in one piece."""
_TOO_MUCH = "Cut the file into parts, or close the workstation and use `record import`."


def serve_import(request: ImportRequest, watch: Watch) -> Reply:
    """Raises Refuse, ImportRefused, Cancelled."""
    path, catalogue = target(request.path), load_catalogue()
    zone = parse_zone(request.zone) if request.zone else None
    digest = digest_of(path)
    if isinstance(request, ImportSignals):
        if digest != request.sha256:
            raise ImportRefused(f"{path.name} has changed since it was looked at.", "Look at it again.")
        found = read_signals(path, catalogue, zone=zone, names=request.names, watch=watch)
        return SignalsRead(signals=_packed(path, found))
    looked = look_into(path, catalogue, zone=zone, watch=watch)
    signals = tuple(
        ForeignSignal(
            name=one.name,
            unit=one.unit,
            samples=one.samples,
            from_us=one.from_us,
            to_us=one.to_us,
            channel=one.channel,
            choices=one.choices,
        )
        for one in looked
    )
    return SignalsFound(sha256=digest, signals=signals)


def unpacked(read: SignalsRead, catalogue: Catalogue) -> list[Incoming]:
    """In the engine. Raises ImportRefused: it is not what a reader would say."""
    return [_unpacked(one, catalogue) for one in read.signals]


def _packed(path: Path, found: list[Incoming]) -> tuple[ReadSignal, ...]:
    signals = tuple(
        ReadSignal(
            channel=one.spec.key,
            begin_us=int(one.at_us[0]),
            raw=one.samples.astype("<i2").tobytes(),
            steps=zlib.compress(np.diff(one.at_us, prepend=one.at_us[0]).astype("<i8").tobytes(), 1),
        )
        for one in found
    )
    if sum(len(one.raw) + len(one.steps) for one in signals) > MOST_BYTES:
        raise ImportRefused(f"{path.name} holds more than can be taken in at once.", _TOO_MUCH)
    return signals


def _unpacked(one: ReadSignal, catalogue: Catalogue) -> Incoming:
    broken = ImportRefused("The file was not read as it should be.", "Try again.")
    try:
        steps = np.frombuffer(zlib.decompressobj().decompress(one.steps, 4 * len(one.raw) + 1), "<i8")
        raw = np.frombuffer(one.raw, "<i2").astype(np.int16)
    except (zlib.error, ValueError) as error:
        raise broken from error
    if not len(raw) or len(steps) != len(raw) or steps[0] or (steps[1:] <= 0).any() or one.channel not in catalogue:
        raise broken
    return Incoming(catalogue.key(one.channel), raw, one.begin_us + np.cumsum(steps))
