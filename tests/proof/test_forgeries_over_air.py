"""Over real air: the same bytes as at the boundary of values, and the same fate for what somebody puts in between."""

from collections.abc import AsyncIterator
from pathlib import Path
from random import Random

import pytest

from devices.hub.session.records import HEAD
from devices.hub.session.wire import RECORD, FromHub
from devices.simulator.air import Air
from devices.simulator.link import HubLink, Outgoing
from tests.devices.hub.conftest import rigged
from tests.devices.hub.rig import Rig, until
from tests.proof.mutations import record_strata
from tests.proof.pair import NOTIFIED


@pytest.fixture
async def rig(tmp_path: Path) -> AsyncIterator[Rig]:
    async with Air(3) as air, rigged(air, tmp_path, enrolled=True) as made:
        yield made


async def test_what_arrives_is_what_was_sealed_and_what_was_forged_is_refused(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    random = Random(2026)
    streams = {uuid: stream for stream, uuid in NOTIFIED.items()}
    sealed: list[tuple[str, bytes]] = []
    forged: list[bytes] = []
    seal = HubLink.seal

    def overheard(link: HubLink, out: Outgoing) -> bytes | None:
        value = seal(link, out)
        if value is not None and out.stream is not None:
            sealed.append((NOTIFIED[out.stream], value))
        return value

    def between(uuid: str, value: bytes) -> list[bytes]:
        if uuid not in streams or rig.store.missing:
            return [value]
        made = [random.choice(found) for found in record_strata(value, [], random).values() if found]
        forged.extend(made)
        return [*made, value, value]

    monkeypatch.setattr(HubLink, "seal", overheard)
    rig.between.to_workstation = between
    await rig.connect()
    await rig.passes(3)
    await rig.begun_phase()
    await rig.passes(2)
    await rig.driver.stop()
    rig.between.let_pass()
    await rig.complete()
    arrived = [(uuid, value) for uuid, value in rig.between.notified if uuid in streams]
    for uuid in streams:
        came = [value for of, value in arrived if of == uuid]
        assert came == [value for of, value in sealed if of == uuid][: len(came)]
    for uuid, value in arrived:
        first, epoch, _ = HEAD.unpack_from(value)
        assert (first, epoch) == (RECORD | streams[uuid], 0)
    assert {streams[uuid] for uuid, _ in arrived} >= set(FromHub) - {FromHub.HISTORY}
    assert len(forged) > 200
    await until(lambda: len(rig.store.refused) >= len(forged))
    rig.assert_equals_journal()
