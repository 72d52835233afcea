"""The base of every message between console and engine."""

import msgspec


class Message(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """The base of all."""
