"""Canonical CBOR: one value, one sequence of bytes, so that it can be hashed."""

import cbor2
import msgspec


def encode(value: object) -> bytes:
    """Deterministic CBOR (RFC 8949, 4.2.1) of a frozen type or of plain data."""
    return cbor2.dumps(msgspec.to_builtins(value, builtin_types=(bytes,)), canonical=True)


def decode(data: bytes) -> object:
    """Plain data out of CBOR; convert it with `msgspec.convert` before it crosses a boundary.

    Raises ValueError: it is no CBOR.
    """
    try:
        plain: object = cbor2.loads(data)
    except cbor2.CBORError as error:
        raise ValueError(f"no CBOR: {error}") from error
    return plain
