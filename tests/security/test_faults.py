"""Faults are begun by the same names, and leave a hub that can be mended."""

import asyncio
from pathlib import Path

import pytest

from core.model.hub import Opcode, ReceiptCode, TherapyState
from devices.hub.errors import CommandUnknown, HubUnreachable
from devices.simulator.air import Air
from devices.simulator.control import Attack, encode_control
from devices.simulator.scenarios.registry import ATTACKS, HAPPENINGS
from tests.devices.hub.conftest import rigged
from tests.devices.hub.rig import until
from tests.security.siege import Siege


async def test_everything_that_can_happen_happens_and_is_mended(siege: Siege) -> None:
    for name in HAPPENINGS:
        await siege.rig.hub.tell(Attack(name=name))
    await siege.stage.begin("reboot_hub")
    await siege.stage.begin("mend")
    boot = siege.brain.parts.boot
    await until(lambda: bool(siege.store.cards) and siege.store.cards[-1].identity.boot == boot)
    await siege.back()
    assert (await siege.rig.driver.stop()).opcode == 0
    assert (await siege.rig.driver.read_status()).therapy is TherapyState.IDLE


async def test_an_order_whose_answer_is_cut_off_was_obeyed_and_is_asked_for(siege: Siege) -> None:
    await siege.treat()
    await siege.stage.begin("drop_mid_write")
    with pytest.raises((CommandUnknown, HubUnreachable)):
        await siege.rig.driver.hold()
    assert siege.brain.therapy.state is TherapyState.HELD
    hold = next(one for one in siege.store.sent if one.opcode == Opcode.HOLD)
    await siege.back()
    receipt = await siege.rig.driver.ask_receipt(hold.counter)
    assert receipt is not None
    assert receipt.code is ReceiptCode.DONE
    await siege.honest_traffic_goes_on()


async def test_a_name_that_is_none_is_logged_and_harms_nothing(siege: Siege, caplog: pytest.LogCaptureFixture) -> None:
    await siege.rig.hub.tell(Attack(name="charm"))
    assert "no scenario charm" in caplog.text
    await siege.honest_traffic_goes_on()


async def test_another_attack_ends_the_one_under_way_and_takes_it_back(siege: Siege) -> None:
    siege.stage.linger_s = 3600.0
    await siege.stage.begin("tampered_firmware")
    await until(lambda: bool(siege.store.unproven))
    proven = len(siege.store.attestations)
    await siege.stage.begin("garbage")
    await siege.stage.over()
    await until(lambda: len(siege.store.attestations) > proven)
    await siege.honest_traffic_goes_on()


def test_no_name_stands_for_two_things_and_each_is_one_line() -> None:
    assert not HAPPENINGS.keys() & ATTACKS.keys()
    for name in ATTACKS:
        assert encode_control(Attack(name=name)) == b'{"type":"attack","name":"%s"}\n' % name.encode()


async def test_a_scenario_waits_for_somebody_who_listens(air: Air, tmp_path: Path) -> None:
    async with rigged(air, tmp_path, enrolled=True) as rig:
        begun = asyncio.create_task(rig.hub.stage.begin_when_seen("garbage"))
        await rig.connect()
        await until(begun.done)
        assert "refused" in await rig.hub.stage.over()
