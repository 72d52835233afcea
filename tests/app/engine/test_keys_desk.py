"""The keys as hubs meet them: real handshakes with what the practice issued, and what is remembered of a hub."""

import asyncio
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.engine.clock import ManualAsyncClock
from app.engine.keys_desk import KeysDesk
from app.engine.people_desk import PeopleDesk
from core.keys import makers
from core.keys.errors import KeysLocked, NoMaker, NotFounded
from core.keys.issuing import RENEW_S, YEAR_S
from core.model.certificate import CertificateRefused, CertificateRevoked, Role, Trust, read_unverified
from core.model.cose import KeySigner
from core.model.people import Operator
from core.model.people import Role as Job
from core.people import pin as pins
from core.record.practice import PracticeFile
from devices.hub.credentials import Credentials, KnownHub
from devices.hub.session.errors import RefusedByHub
from devices.hub.session.handshake import SessionKey
from devices.hub.session.journal import JournalHead
from devices.hub.session.wire import Refusal
from devices.simulator.session.edhoc import KeyPair
from tests.core.keys.test_makers import Maker
from tests.devices.session.parties import meet

ADA = Operator(id="0190a000-0000-7000-8000-00000000000a", name="Dr. Ada Moor", role=Job.DENTIST)
PIN = "739154"
SERIAL = "SH-0001"


@pytest.fixture
def clock() -> ManualAsyncClock:
    return ManualAsyncClock()


@pytest.fixture
def practice(tmp_path: Path, clock: ManualAsyncClock) -> Iterator[PracticeFile]:
    file = PracticeFile.create(tmp_path / "practice.sqlite", bytes(range(32)), clock=clock)
    file.add_operator(ADA, pins.hash_pin(PIN))
    yield file
    file.close()


@pytest.fixture
def desk(practice: PracticeFile, clock: ManualAsyncClock) -> KeysDesk:
    return KeysDesk(practice, simulated=False, clock=clock)


class Hub:
    """A hub that this practice enrolled; it keeps the root, and the list that it was told."""

    def __init__(self, desk: KeysDesk, serial: str = SERIAL) -> None:
        self.serial = serial
        self.enrol(desk)

    def enrol(self, desk: KeysDesk) -> None:
        """New keys, and a certificate over them."""
        signing, self.pair = KeySigner(), KeyPair()
        raw = desk.certify_hub(self.serial, signing.public, self.pair.x)
        self.certificate = read_unverified(raw)
        self.trust = Trust(desk.trust.root)

    def told(self, desk: KeysDesk) -> None:
        """REVOKE."""
        assert desk.trust.revoked is not None
        self.trust = self.trust.with_revocations(desk.trust.revoked.raw)

    def meets(self, credentials: Credentials, clock: ManualAsyncClock, me: SessionKey | None = None) -> None:
        """A handshake; raises what the workstation raises."""
        meet(
            workstation=me or credentials.workstation,
            hub=SessionKey(self.certificate, self.pair.private),
            workstation_trust=credentials.trust,
            hub_trust=self.trust,
            hub_serial=self.serial,
            now_s=clock.utc_us() // 1_000_000,
        ).run()


async def test_before_the_first_dentist_there_is_nothing_to_speak_with(desk: KeysDesk) -> None:
    for ask in (lambda: desk.workstation, lambda: desk.trust, lambda: desk.rows([], "", {})):
        with pytest.raises(NotFounded):
            ask()
    for act in (lambda: desk.certify_hub(SERIAL, bytes(32), bytes(32)), lambda: desk.replace_workstation("stolen")):
        with pytest.raises(KeysLocked, match="has to log in"):
            act()
    assert desk.clinician(ADA.id) is None
    assert not desk.hub_due(SERIAL)


async def test_a_hub_shakes_hands_with_what_the_practice_issued(desk: KeysDesk, clock: ManualAsyncClock) -> None:
    await desk.open(ADA, PIN)
    hub = Hub(desk)
    hub.meets(desk, clock)
    desk.close()
    hub.meets(desk, clock)  # to watch and to hold nobody need be logged in


async def test_a_lost_hub_a_stolen_workstation_and_their_successors(desk: KeysDesk, clock: ManualAsyncClock) -> None:
    heard: list[int] = []
    desk.listen(lambda: heard.append(desk.trust.revoked.number if desk.trust.revoked is not None else 0))
    await desk.open(ADA, PIN)
    lost, kept = Hub(desk), Hub(desk, "SH-0002")
    desk.revoke(lost.certificate.kid, "lost on the train")
    with pytest.raises(CertificateRevoked):
        lost.meets(desk, clock)
    stolen = desk.workstation
    desk.replace_workstation("stolen")
    kept.meets(desk, clock)
    kept.meets(desk, clock, stolen)  # it has not heard yet: the thief can watch and hold
    kept.told(desk)
    with pytest.raises(RefusedByHub) as caught:
        kept.meets(desk, clock, stolen)
    assert caught.value.refusal is Refusal.CERTIFICATE
    kept.meets(desk, clock)
    assert heard[-2:] == [2, 3], "whoever has a session is told at once"


async def test_a_rekeyed_hub_is_known_by_its_new_keys_alone(desk: KeysDesk, clock: ManualAsyncClock) -> None:
    await desk.open(ADA, PIN)
    hub = Hub(desk)
    desk.hub_holds(SERIAL, hub.certificate.raw)
    old = SessionKey(hub.certificate, hub.pair.private)
    hub.enrol(desk)
    desk.hub_holds(SERIAL, hub.certificate.raw)
    hub.meets(desk, clock)
    with pytest.raises(CertificateRevoked):
        meet(
            workstation=desk.workstation,
            hub=old,
            workstation_trust=desk.trust,
            hub_trust=hub.trust,
            hub_serial=SERIAL,
            now_s=clock.utc_us() // 1_000_000,
        ).run()


async def test_renewal_comes_with_the_login_and_hubs_say_when_theirs_is_due(
    desk: KeysDesk, clock: ManualAsyncClock
) -> None:
    await desk.open(ADA, PIN)
    hub = Hub(desk)
    desk.hub_holds(SERIAL, hub.certificate.raw)
    before = desk.workstation
    desk.close()
    clock.advance(2 * YEAR_S - RENEW_S)
    assert not desk.hub_due(SERIAL), "nobody is there who could renew it"
    assert desk.clinician(ADA.id) is None
    await desk.open(ADA, PIN)
    assert desk.clinician(ADA.id) is not None, "expired a year ago, renewed by logging in"
    after = desk.workstation
    assert (after.certificate.kid, after.agreement_private) == (before.certificate.kid, before.agreement_private)
    assert after.certificate.not_after_s > before.certificate.not_after_s
    assert desk.hub_due(SERIAL)
    raw = desk.certify_hub(SERIAL, hub.certificate.signing_key, hub.pair.x)
    desk.hub_holds(SERIAL, raw)
    assert not desk.hub_due(SERIAL)
    clock.advance(RENEW_S)
    hub.certificate = read_unverified(raw)
    hub.meets(desk, clock)


async def test_a_clinician_whose_certificate_does_not_count_is_nobody(
    desk: KeysDesk, clock: ManualAsyncClock, caplog: pytest.LogCaptureFixture
) -> None:
    await desk.open(ADA, PIN)
    assert desk.clinician("somebody else") is None
    clock.advance(YEAR_S)
    assert desk.clinician(ADA.id) is None, "logged in for a year, and not renewed"
    assert "expired" in caplog.text
    clock.jump_wall(-YEAR_S - 86_400)
    assert desk.clinician(ADA.id) is None
    assert "not valid yet" in caplog.text


async def test_a_wrong_clock_keeps_nobody_out(
    desk: KeysDesk, clock: ManualAsyncClock, caplog: pytest.LogCaptureFixture
) -> None:
    await desk.open(ADA, PIN)
    clock.jump_wall(-86_400)
    await desk.open(ADA, PIN)
    assert desk.unlocked
    assert "Set date and time right" in caplog.text


def test_what_is_known_of_a_hub_comes_back(practice: PracticeFile, clock: ManualAsyncClock) -> None:
    desk = KeysDesk(practice, simulated=False, clock=clock)
    assert desk.known(SERIAL) is None
    first = KnownHub(SERIAL)
    desk.remember(first)
    assert desk.known(SERIAL) == first
    full = KnownHub(SERIAL, bytes(range(16)), 3, JournalHead(12, bytes(range(32))), 7, 20_000)
    desk.hub_has_list(SERIAL, 4)
    desk.remember(full)
    desk.hub_has_list(SERIAL, 2)
    assert KeysDesk(practice, simulated=False, clock=clock).known(SERIAL) == full
    row = practice.keys.hub(SERIAL)
    assert row is not None
    assert row.revocations == 4
    desk.remember(KnownHub(SERIAL, security_version=1))
    known = desk.known(SERIAL)
    assert known is not None
    assert known.security_version == 3, "the highest that it ever proved, whatever a driver forgets"


async def test_a_file_from_a_backup_is_noticed(desk: KeysDesk) -> None:
    await desk.open(ADA, PIN)
    hub = Hub(desk)
    seen = [desk.behind]
    desk.hub_has_list(SERIAL, 9)
    seen.append(desk.behind)
    desk.revoke(hub.certificate.kid, "lost")
    assert [*seen, desk.behind] == [False, True, False]
    assert desk.trust.revoked is not None
    assert desk.trust.revoked.number == 10


async def test_makers_of_the_simulation_stay_in_the_simulation(
    practice: PracticeFile, clock: ManualAsyncClock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, made = tmp_path / "trust", Maker("Simulated")
    folder.mkdir()
    (folder / "maker.cert").write_bytes(made.root)
    (folder / "firmware.cert").write_bytes(made.signer)
    monkeypatch.setattr(makers, "_shipped", lambda: folder)
    demo, real = (KeysDesk(practice, simulated=simulated, clock=clock) for simulated in (True, False))
    assert demo.maker.root.raw == made.root
    assert [one.raw for one in demo.firmware_signers.values()] == [made.signer]
    assert real.firmware_signers == {}
    with pytest.raises(NoMaker):
        _ = real.maker
    acme = Maker("Acme hubs")
    makers.import_makers(practice.keys, [acme.root, acme.signer], author=ADA.id)
    assert real.maker.root.raw == acme.root
    assert [one.raw for one in real.firmware_signers.values()] == [acme.signer]
    assert demo.maker.root.raw == made.root, "and what was imported is nothing to the demo"
    with pytest.raises(CertificateRefused):
        real.maker.verify(made.signer, Role.FIRMWARE_SIGNER, now_s=None)


async def test_the_loop_carries_on_while_a_pin_is_checked(
    practice: PracticeFile, desk: KeysDesk, clock: ManualAsyncClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """STOP comes over the loop. Each step that takes long waits here for something that only the loop can do."""
    people = PeopleDesk(practice, desk, demo=None, chairs=lambda: (), clock=clock)
    passed: list[bool] = []

    def slowly(*arguments: object) -> bool:
        gate = threading.Event()
        loop.call_soon_threadsafe(gate.set)
        passed.append(gate.wait(20))
        return True

    loop = asyncio.get_running_loop()
    key = KeySigner().seed
    monkeypatch.setattr("app.engine.people_desk.check_pin", slowly)
    monkeypatch.setattr("core.keys.wrapping._Stretch.key", lambda _self, _pin: (slowly(), key)[1])
    await people.login(ADA.id, PIN)
    await people.change_pin(ADA.id, PIN, "555123")
    await people.add("Dr. Lee", Job.DENTIST, "286413")
    await people.replace_key(ADA.id, "555123")
    assert passed == [True] * len(passed)
    assert len(passed) >= 7
