"""Keys of the practice and a simulated hub over real BLE frames: it joins, obeys, gets new keys, hears who is out."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from app.engine.keys_desk import KeysDesk
from core.keys.errors import KeysLocked, SigningEnded
from core.model.certificate import read_unverified
from core.model.clock import ManualClock
from core.model.hub import LinkState, ReceiptCode, TherapyState
from core.model.people import Operator, Role
from core.model.words import Text, load_words
from core.record.practice import PracticeFile
from devices.hub.credentials import Credentials, KnownHub
from devices.hub.driver import HubDriver
from devices.simulator.air import Air
from devices.simulator.control import OpenEnrolment
from devices.tap import Tap
from tests.devices.hub.clinic import ENVELOPE, NOW_S, ORDER, PROCEDURE
from tests.devices.hub.conftest import rigged
from tests.devices.hub.rig import ADDRESS, Rig, nap, until
from tests.devices.hub.store import Store

ADA = Operator(id="0190a000-0000-7000-8000-00000000000a", name="Dr. Ada Moor", role=Role.DENTIST)
LEE = Operator(id="0190a000-0000-7000-8000-00000000000b", name="Dr. Lee", role=Role.DENTIST)
SERIAL = "SH-1"


class Listener(Store):
    """Tells the keys what the engine tells them."""

    def __init__(self, desk: KeysDesk) -> None:
        super().__init__()
        self.desk = desk

    def enrolled(self, serial: str, certificate: bytes, irk: bytes | None) -> None:
        super().enrolled(serial, certificate, irk)
        self.desk.hub_holds(serial, certificate)

    async def known(self, serial: str) -> KnownHub | None:
        return self.desk.known(serial)


class Workstation:
    """The keys of a practice, and drivers that use them."""

    def __init__(self, desk: KeysDesk, rig: Rig, clock: ManualClock) -> None:
        self.desk = desk
        self.rig = rig
        self._clock = clock

    def set_back(self, seconds: int) -> None:
        """The computer's wall clock."""
        self._clock.jump_wall(-seconds)
        self.rig.station_clock.now_s -= seconds

    async def meets(
        self, *, enrol: bool = False, serial: str = SERIAL, credentials: Credentials | None = None
    ) -> tuple[HubDriver, Listener]:
        """Another driver, and what it heard once the link stands or was refused."""
        listener = Listener(self.desk)
        driver = HubDriver(
            self.rig.radio,
            ADDRESS,
            listener=listener,
            clock=self.rig.station_clock,
            tap=Tap(self.rig.station_clock),
            credentials=credentials or self.desk,
            known=KnownHub(serial),
            enrol=enrol,
            sleep=nap,
        )
        listener.driver = driver
        self.rig.run(driver)
        await until(lambda: listener.up or any(state is LinkState.REFUSED for state, _ in listener.links))
        return driver, listener

    @staticmethod
    async def again(heard: Listener) -> None:
        """Until the hub has dropped the link and is back in another session."""
        count = len(heard.cards)
        await until(lambda: len(heard.cards) > count and heard.up)


class Thief:
    """A workstation that was stolen: it has what it had, and hears of nothing."""

    def __init__(self, desk: KeysDesk) -> None:
        self.workstation, self.trust, self.maker = desk.workstation, desk.trust, desk.maker
        self.firmware_signers = desk.firmware_signers

    def certify_hub(self, serial: str, signing_key: bytes, agreement_x: bytes) -> bytes:
        raise KeysLocked


@pytest.fixture
def practice(tmp_path: Path) -> Iterator[PracticeFile]:
    file = PracticeFile.create(
        tmp_path / "practice.sqlite", bytes(range(32)), clock=ManualClock(utc_us=NOW_S * 1_000_000)
    )
    yield file
    file.close()


@pytest.fixture
async def station(air: Air, tmp_path: Path, practice: PracticeFile) -> AsyncIterator[Workstation]:
    """A hub as it leaves the factory, and a practice whose dentist is logged in."""
    clock = ManualClock(utc_us=NOW_S * 1_000_000)
    desk = KeysDesk(practice, simulated=True, clock=clock)
    await desk.open(ADA, "739154")
    async with rigged(air, tmp_path, enrolled=False) as rig:
        yield Workstation(desk, rig, clock)


async def test_a_hub_joins_takes_orders_and_holds_what_somebody_revoked_has_ordered(station: Workstation) -> None:
    desk = station.desk
    driver, heard = await station.meets(enrol=True)
    await until(lambda: heard.up and bool(heard.attestations))
    assert heard.enrolments[0][0] == SERIAL
    grant = await desk.grant(LEE, "286413")
    desk.enter(grant, "new")
    desk.entered(grant)
    ada = desk.clinician(ADA.id)
    assert ada is not None
    assert (await driver.start_phase(ORDER, ENVELOPE, ada)).code is ReceiptCode.DONE
    await desk.open(LEE, "286413")
    desk.revoke(ada.certificate.kid, "PIN seen")
    await driver.trust_changed()
    await until(lambda: heard.statuses[-1].therapy is TherapyState.HELD)
    with pytest.raises(SigningEnded):
        await driver.resume(ENVELOPE, ada)
    lee = desk.clinician(LEE.id)
    assert lee is not None
    assert (await driver.clear(PROCEDURE, lee)).code is ReceiptCode.DONE
    assert not heard.alarms


async def test_a_clock_set_back_after_enrolment_costs_nothing_below_an_hour_and_is_told_above(
    station: Workstation,
) -> None:
    driver, heard = await station.meets(enrol=True)
    await until(lambda: heard.up and bool(heard.cards))
    await driver.close()
    station.set_back(600)
    driver, heard = await station.meets()
    assert heard.up
    ada = station.desk.clinician(ADA.id)
    assert ada is not None
    assert (await driver.start_phase(ORDER, ENVELOPE, ada)).code is ReceiptCode.DONE
    await driver.stop()
    await driver.close()
    station.set_back(6600)
    assert station.desk.clinician(ADA.id) is None
    _, refused = await station.meets()
    assert not refused.up
    assert (LinkState.REFUSED, Text("hub.refused.early")) in refused.links
    assert "date and time" in load_words().say("hub.refused.early")


async def test_nobody_enrols_a_hub_without_a_dentist(station: Workstation) -> None:
    station.desk.close()
    _, heard = await station.meets(enrol=True)
    assert heard.enrolments == []
    assert LinkState.REFUSED in [state for state, _ in heard.links]


async def test_another_hub_than_the_one_that_was_named_does_not_join(station: Workstation) -> None:
    _, heard = await station.meets(enrol=True, serial="SH-2")
    assert heard.enrolments == []
    assert not station.rig.brain.vault.enrolled, "it is still nobody's"


async def test_a_hub_gets_new_keys_and_the_old_ones_are_revoked(station: Workstation) -> None:
    desk = station.desk
    driver, heard = await station.meets(enrol=True)
    await until(lambda: heard.up and bool(heard.cards))
    await driver.renew_certificate()
    await station.again(heard)
    await driver.rekey()
    await station.again(heard)
    kids = list(dict.fromkeys(read_unverified(raw).kid for _, raw, _ in heard.enrolments))
    assert len(heard.enrolments) == 3
    assert len(kids) == 2, "a renewal keeps the keys"
    assert desk.trust.revoked is not None
    assert desk.trust.revoked.kids == {kids[0]}
    assert not heard.alarms
    desk.revoke(kids[1], "lost")
    await driver.trust_changed()
    await until(lambda: not heard.up)


async def test_a_hub_that_was_opened_by_hand_joins_again_once_its_factory_keys_are_taken_back(
    station: Workstation,
) -> None:
    desk = station.desk
    driver, heard = await station.meets(enrol=True)
    await until(lambda: heard.up and bool(heard.cards))
    await driver.rekey()
    await station.again(heard)
    await driver.close()
    factory = read_unverified(heard.enrolments[0][1])
    await station.rig.hub.tell(OpenEnrolment())
    await until(lambda: not station.rig.brain.vault.enrolled)
    driver, refused = await station.meets(enrol=True)
    assert refused.enrolments == []
    await driver.close()
    desk.take_back(factory.kid, "opened for service")
    driver, again = await station.meets(enrol=True)
    await until(lambda: again.up and bool(again.cards))
    assert read_unverified(again.enrolments[0][1]).kid == factory.kid
    assert desk.trust.revoked is not None
    assert desk.trust.revoked.kids == {read_unverified(heard.enrolments[1][1]).kid}, "those in between count no more"


async def test_a_stolen_workstation_is_refused_once_the_hub_has_heard(station: Workstation) -> None:
    desk = station.desk
    driver, heard = await station.meets(enrol=True)
    await until(lambda: heard.up and bool(heard.cards))
    thief = Thief(desk)
    desk.replace_workstation("stolen")
    await driver.trust_changed()
    await station.again(heard)
    await driver.close()
    _, stolen = await station.meets(credentials=thief)
    assert (LinkState.REFUSED, Text("hub.refused.workstation")) in stolen.links
