"""Everything that the procedure may say has its sentence."""

import re
from pathlib import Path

import pytest

from core.model.hub import ReceiptCode
from core.model.procedure import Doubt, HoldOrigin, Step
from core.model.words import load_words

ROOT = Path(__file__).parents[3]
SOURCES = sorted((ROOT / "core" / "procedure").glob("*.py"))
WORDS = load_words()


def test_each_refusal_and_its_remedy() -> None:
    codes = {code for file in SOURCES for code in re.findall(r'refuse\(\s*"([a-z_]+)"', file.read_text("utf-8"))}
    assert {"stale", "role", "limit_looser"} <= codes
    missing = [
        f"refusal.{code}{end}" for code in codes for end in ("", "_remedy") if f"refusal.{code}{end}" not in WORDS
    ]
    assert missing == []


def test_each_note() -> None:
    kinds = {kind for file in SOURCES for kind in re.findall(r'\bnote\(\s*"([a-z_]+)"', file.read_text("utf-8"))}
    kinds |= {"check_in_fine", "check_in_unsure", "check_in_stop", "phase_done", "phase_skipped"}
    assert [kind for kind in sorted(kinds) if f"note.{kind}" not in WORDS] == []


def test_each_hold() -> None:
    source = "".join(file.read_text("utf-8") for file in SOURCES)
    variants = {f"hub_{variant}" for variant in re.findall(r'variant="([a-z_]+)"', source)} - {
        "hub_stop",
        "hub_envelope",
    }
    keys = {origin.value for origin in HoldOrigin} | variants | {f"trust_{doubt.value}" for doubt in Doubt}
    keys |= {
        "operator_stop",
        "patient_stop",
        "engine_envelope",
        "hub_not_started",
        "hub_ended",
        "hub_boot",
        "hub_fault",
    }
    missing = [f"hold.{key}.{part}" for key in keys for part in ("reason", "next") if f"hold.{key}.{part}" not in WORDS]
    assert missing == []


@pytest.mark.parametrize("step", list(Step))
def test_each_step(step: Step) -> None:
    for part in ("name", "title", "help"):
        assert f"step.{step.value}.{part}" in WORDS


@pytest.mark.parametrize("code", list(ReceiptCode))
def test_each_receipt(code: ReceiptCode) -> None:
    assert f"receipt.{code.name.lower()}" in WORDS
