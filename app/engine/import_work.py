"""Files of signals recorded elsewhere, read in the reader process: whatever they hold, nothing stands beside STOP."""

import zlib
from collections.abc import Callable

import numpy as np

from app.engine.open_records import target
from app.ipc.import_messages import (
    ForeignSignal,
    ImportRequest,
    ImportSignals,
    SignalsFound,
    SignalsPiece,
    SignalsRead,
)
from app.ipc.messages import Reply
from core.exchange.incoming import PIECE, ImportRefused, Incoming, digest_of, look_into, parse_zone, read_signals
from core.model.progress import Watch
from core.signals.catalogue import Catalogue, load_catalogue

Emit = Callable[[SignalsPiece], None]
"""Sends a piece to the engine."""


def unheard(piece: SignalsPiece) -> None:
    """For jobs that take nothing in."""


def serve_import(request: ImportRequest, watch: Watch, emit: Emit) -> Reply:
    """What is taken in goes out by `emit`, piece by piece. Raises Refuse, ImportRefused, Cancelled."""
    path, catalogue = target(request.path), load_catalogue()
    zone = parse_zone(request.zone) if request.zone else None
    digest = digest_of(path)
    if isinstance(request, ImportSignals):
        if digest != request.sha256:
            raise ImportRefused(f"{path.name} has changed since it was looked at.", "Look at it again.")
        pieces = 0
        for one in read_signals(path, catalogue, zone=zone, names=request.names, watch=watch):
            emit(_packed(one))
            pieces += 1
        return SignalsRead(pieces=pieces)
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


def unpacked(one: SignalsPiece, catalogue: Catalogue) -> Incoming:
    """In the engine. Raises ImportRefused: it is not what a reader would say."""
    broken = ImportRefused("The file was not read as it should be.", "Try again.")
    try:
        steps = np.frombuffer(zlib.decompressobj().decompress(one.steps, 4 * len(one.raw) + 1), "<i8")
        raw = np.frombuffer(one.raw, "<i2").astype(np.int16)
    except (zlib.error, ValueError) as error:
        raise broken from error
    if not 0 < len(raw) <= PIECE or len(steps) != len(raw) or steps[0] or (steps[1:] <= 0).any():
        raise broken
    if one.channel not in catalogue or one.first < 0 or one.begin_us < one.signal_us:
        raise broken
    return Incoming(catalogue.key(one.channel), raw, one.begin_us + np.cumsum(steps), one.first, one.signal_us)


def _packed(one: Incoming) -> SignalsPiece:
    return SignalsPiece(
        channel=one.spec.key,
        first=one.first,
        signal_us=one.begin_us,
        begin_us=int(one.at_us[0]),
        raw=one.samples.astype("<i2").tobytes(),
        steps=zlib.compress(np.diff(one.at_us, prepend=one.at_us[0]).astype("<i8").tobytes(), 1),
    )
