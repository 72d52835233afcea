"""Global identities."""

import uuid_utils


def new_id() -> str:
    """A fresh UUIDv7 as text: sortable by creation time, unique across chairs and machines."""
    return str(uuid_utils.uuid7())
