"""References: each leads to an entry of the same bundle, or into what its own resource contains."""

import re
from collections.abc import Iterator
from typing import Any


def references(value: object) -> Iterator[str]:
    if isinstance(value, dict):
        if isinstance(value.get("reference"), str):
            yield value["reference"]
        for inner in value.values():
            yield from references(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from references(inner)


def resolved(bundle: dict[str, Any]) -> None:
    """Raises AssertionError: a reference leads nowhere, or two entries have one urn."""
    urls = [entry["fullUrl"] for entry in bundle["entry"]]
    assert len(set(urls)) == len(urls), "a urn stands twice"
    assert all(re.fullmatch(r"urn:uuid:[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", url) for url in urls)
    for entry in bundle["entry"]:
        contained = {f"#{one['id']}" for one in entry["resource"].get("contained", ())}
        inner = {one for one in references(entry["resource"]) if one.startswith("#")}
        assert inner == contained, "what is contained is spoken of, and nothing else"
    lost = {one for one in references(bundle) if not one.startswith("#")} - set(urls)
    assert not lost, f"leads nowhere: {sorted(lost)}"
