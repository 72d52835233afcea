"""A hub that somebody opened is found out: what it runs, shows, remembers and says does not fit."""

import pytest

from core.model.block import SampleBlock
from core.model.hub import TherapyState
from core.safety.detectors import Detectors, Finding
from core.signals.catalogue import load_catalogue
from devices.hub.credentials import KnownHub
from devices.hub.errors import CommandUnknown, HubReadOnly
from devices.hub.session.errors import SignedRefused
from devices.simulator.control import Runaway, SpoofCalm
from tests.devices.hub.clinic import ENVELOPE, ORDER
from tests.devices.hub.rig import until
from tests.security.siege import Siege


@pytest.mark.parametrize("name", ["tampered_firmware", "rolled_back_firmware"])
async def test_a_hub_with_another_firmware_gets_no_order_that_treats(siege: Siege, name: str) -> None:
    await until(lambda: bool(siege.store.attestations))
    siege.store.memory = KnownHub("SH-1", security_version=siege.store.attestations[-1].security_version)
    siege.stage.linger_s = 3600.0
    await siege.stage.begin(name)
    await until(lambda: bool(siege.store.unproven))
    await siege.back()
    with pytest.raises(HubReadOnly):
        await siege.rig.driver.start_phase(ORDER, ENVELOPE, siege.rig.clinic.clinician)
    assert siege.brain.therapy.state is TherapyState.IDLE
    frames = len(siege.store.sequences)
    await siege.rig.passes(0.5)
    await until(lambda: len(siege.store.sequences) > frames)
    assert (await siege.rig.driver.stop()).opcode == 0, "STOP works all the same"
    proven = len(siege.store.attestations)
    await siege.stage.end()
    await until(lambda: len(siege.store.attestations) > proven)
    await siege.honest_traffic_goes_on()


async def test_a_shortened_journal_is_found(siege: Siege) -> None:
    await siege.treat()
    await siege.rig.driver.hold()
    sessions = len(siege.store.cards)
    await siege.rig.hub.drop()
    await until(lambda: len(siege.store.cards) > sessions)
    await until(lambda: siege.store.head is not None and siege.store.head.number >= siege.store.cards[-1].next_entry)
    siege.stage.linger_s = 3600.0
    await siege.stage.begin("journal_tampering")
    await until(lambda: bool(siege.store.broken))
    sessions = len(siege.store.cards)
    await siege.stage.end()
    await until(lambda: len(siege.store.cards) > sessions)
    await siege.honest_traffic_goes_on()


async def test_an_answer_in_the_hubs_name_is_no_answer(siege: Siege) -> None:
    siege.stage.linger_s = 3600.0
    await siege.treat()
    await siege.stage.begin("forged_receipts")
    with pytest.raises(CommandUnknown):
        await siege.rig.driver.hold()
    assert any(isinstance(alarm, SignedRefused) for alarm in siege.store.alarms)
    assert siege.brain.therapy.state is TherapyState.HELD, "the hold itself was obeyed: unknown is not undone"
    sessions = len(siege.store.cards)
    await siege.stage.end()
    await until(lambda: len(siege.store.cards) > sessions)
    await siege.honest_traffic_goes_on()


async def test_calm_that_is_shown_twice_is_found(siege: Siege) -> None:
    """What arrived over the air goes to the detectors that the engine uses."""
    catalogue = load_catalogue()
    detectors = Detectors(catalogue)
    found: list[Finding] = []
    arrived = siege.store.blocks_arrived

    def judge(blocks: list[SampleBlock], sequences: list[range]) -> None:
        found.extend(detectors.feed(blocks))
        arrived(blocks, sequences)

    siege.store.blocks_arrived = judge  # type: ignore[method-assign,assignment]
    await siege.rig.hub.tell(SpoofCalm(seconds=2.0))
    await siege.rig.passes(2.0)
    await siege.rig.hub.tell(Runaway(percent=60.0, seconds=60.0, deaf=True, faked=True))
    await siege.rig.passes(12.0)
    await until(lambda: Finding("repeated", "jaw_emg") in found)
    assert {finding.kind for finding in found} >= {"repeated"}
