"""The table of kinds agrees with the channels, the drivers and the words."""

from core.model.words import load_words
from core.signals.catalogue import own_catalogue
from devices.kinds import HUB, OTHER, OURS, UNKNOWN, kind_named
from devices.vitals.driver import SensorDriver


def test_every_channel_comes_from_a_kind_that_is_known_and_every_kind_gives_some() -> None:
    assert {spec.source for spec in own_catalogue()} == {kind.key for kind in OURS}
    assert [spec.key for spec in OURS[2].channels] == ["body_temperature"]


def test_every_sensor_has_a_driver_of_its_kind_and_the_hub_none() -> None:
    for kind in OURS:
        if kind.is_sensor:
            driver = kind.driver_class()
            assert isinstance(driver, type)
            assert issubclass(driver, SensorDriver)
            assert driver.kind == kind.key
        else:
            assert (kind.key, kind.driver) == (HUB, "")


def test_no_service_belongs_to_two_kinds() -> None:
    services = [service for kind in OURS for service in kind.services]
    assert len(services) == len(set(services))


def test_every_kind_has_a_name_and_a_refusal_in_words() -> None:
    words = load_words()
    for key in (*(kind.key for kind in OURS), OTHER, UNKNOWN):
        assert f"shell.device.kind.{key}" in words
    assert all(f"device.{kind.key}.not_one" in words for kind in OURS if kind.is_sensor)


def test_a_kind_that_nobody_knows_is_none() -> None:
    assert kind_named("crystal_ball") is None
