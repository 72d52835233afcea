"""What the documents say exists, exists."""

import re
from pathlib import Path

import pytest

from app.cli import cli

ROOT = Path(__file__).resolve().parent.parent
DOCUMENTS = [file for file in [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")] if file.is_file()]


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda file: str(file.relative_to(ROOT)))
def test_every_relative_link_leads_somewhere(document: Path) -> None:
    targets = re.findall(r"\]\(([^)#]+)", document.read_text(encoding="utf-8"))
    lost = [target for target in targets if "://" not in target and not (document.parent / target).exists()]
    assert lost == []


def test_every_command_in_the_readme_exists() -> None:
    named = set(re.findall(r"main\.py ([a-z]+)", (ROOT / "README.md").read_text(encoding="utf-8")))
    assert named
    assert named <= set(cli.commands)


def test_the_changelog_has_a_place_for_what_comes() -> None:
    assert "## [Unreleased]" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


def test_every_package_is_described_in_the_architecture() -> None:
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    rooms = [path.parent.name for path in ROOT.glob("app/*/__init__.py")] + ["core", "devices", "widgets", "resources"]
    assert [room for room in rooms if room not in text] == []
