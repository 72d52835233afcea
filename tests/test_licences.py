"""Nothing under the GPL is imported by, or shipped with, the product."""

import re
from importlib import metadata
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def shipped() -> list[str]:
    """Names in the runtime lock file."""
    text = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    return re.findall(r"^([A-Za-z0-9_.-]+)==", text, flags=re.MULTILINE)


def licence(name: str) -> str:
    """What a distribution says of its licence: expression, field and classifiers."""
    about = metadata.metadata(name)
    fields = [*(about.get_all("License-Expression") or []), *(field[:200] for field in about.get_all("License") or [])]
    return " | ".join(fields + [line for line in about.get_all("Classifier") or [] if line.startswith("License")])


def is_gpl(text: str) -> bool:
    """GPL or AGPL with no other choice; the LGPL is not meant, nor a dual licence that offers another."""
    bare = re.sub(r"(?i)L-?GPL[\w.-]*|lesser general public licen[sc]e|library or lesser", "", text)
    return bool(re.search(r"(?i)\bA?GPL|general public licen[sc]e", bare)) and " OR " not in text.upper()


def test_the_check_itself_knows_a_gpl_licence() -> None:
    assert is_gpl("GPL-3.0-only | License :: OSI Approved :: GNU General Public License v3 (GPLv3)")
    assert is_gpl("AGPL-3.0")
    assert not is_gpl("LGPL-3.0-only | License :: OSI Approved :: GNU Lesser General Public License v3 (LGPLv3)")
    assert not is_gpl("MIT")


def test_nothing_shipped_is_gpl() -> None:
    installed = {dist.metadata["Name"].lower().replace("_", "-") for dist in metadata.distributions()}
    here = [name for name in shipped() if name.lower().replace("_", "-") in installed]
    assert len(here) > 25
    assert [f"{name}: {licence(name)}" for name in here if is_gpl(licence(name))] == []


def test_the_lock_files_carry_no_addresses() -> None:
    for name in ("requirements.lock", "requirements-dev.lock"):
        assert "://" not in (ROOT / name).read_text(encoding="utf-8")
