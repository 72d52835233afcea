"""The module catalogue: what ships is whole, and what is wrong is named with its line."""

import pytest

from core.model.datafile import DataError, read_resource
from core.model.limits import LimitOwner
from core.model.words import load_words
from core.procedure.modules import load_modules, parse_module, parse_modules
from core.safety.limit_table import load_limits
from core.signals.catalogue import load_catalogue

CHANNELS = load_catalogue()
REPAIR = read_resource("modules/repair.toml")


def test_three_modules_ship_each_gentler_on_request_and_shorter_when_simulated() -> None:
    modules = load_modules()
    assert [module.key for module in modules] == ["repair", "balance", "augment"]
    for module in modules:
        assert module.gentler.dose_percent < module.dose_percent
        assert all(phase.demo_seconds < phase.seconds for phase in module.phases)
        assert all(limit.owner is LimitOwner.PROTOCOL for limit in module.limits)
        assert module.limits


def test_people_can_read_everything_about_each_module() -> None:
    words = load_words()
    for module in load_modules():
        for part in ("name", "summary", "does", "effect", "risk", "evidence", "evidence_short", "instead", "gentler"):
            assert f"module.{module.key}.{part}" in words
        for phase in module.phases:
            assert f"module.{module.key}.phase.{phase.key}" in words
        for limit in module.limits:
            assert limit.reason in words


def test_no_module_claims_evidence_that_does_not_exist() -> None:
    words = load_words()
    for module in load_modules():
        assert module.evidence == "none"
        assert "no trial exists" in words.say(f"module.{module.key}.evidence").lower()
        assert "nothing" in words.say(f"module.{module.key}.instead")


def line(text: str, needle: str, nth: int = 0) -> int:
    return [number for number, row in enumerate(text.splitlines(), 1) if needle in row][nth]


@pytest.mark.parametrize(
    ("old", "new", "needle", "nth", "says"),
    [
        ("number = 1", "number = 300", "number = 300", 0, "300"),
        ("dose_percent = 60", "dose_percent = 101", "[gentler]", 0, "not gentler"),
        ('key = "settle_minerals"', 'key = "seal_dentine"', "[[phase]]", 2, "twice"),
        ("demo_seconds = 12", "demo_seconds = 400", "[[phase]]", 1, "impossible"),
        ("demo_seconds = 12", 'demo_seconds = "12"', "[[phase]]", 1, "Expected `int`"),
        ("demo_seconds = 12", "demo_second = 12", "[[phase]]", 1, "demo_second"),
        ('channel = "pulp_temperature"', 'channel = "pulp"', "[[limit]]", 0, "no known channel"),
    ],
)
def test_a_fault_names_file_and_line(old: str, new: str, needle: str, nth: int, says: str) -> None:
    text = REPAIR.replace(old, new, 1)
    assert text != REPAIR
    with pytest.raises(DataError, match=says) as caught:
        parse_module(text, CHANNELS, "modules/repair.toml")
    assert f"modules/repair.toml:{line(text, needle, nth)}:" in str(caught.value)


def test_two_modules_never_share_a_number() -> None:
    other = REPAIR.replace('key = "repair"', 'key = "other"')
    with pytest.raises(DataError, match="repeats number 1"):
        parse_modules({"a.toml": REPAIR, "b.toml": other}, CHANNELS, load_limits())
