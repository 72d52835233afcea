"""Days and events of a hub count as read only once they are durable: an engine that was killed reads them again."""

import asyncio
from pathlib import Path

import pytest

from core.record import Record, RecordError, RecordReader
from tests.app.engine.hub_link_rig import KEY, Rig


@pytest.fixture
async def rig(tmp_path: Path) -> Rig:
    return Rig(tmp_path / "r.sqlite")


async def test_what_is_not_durable_is_read_again(rig: Rig) -> None:
    rig.link.wear_arrived((), rig.events(0, 5))
    for _ in range(10):
        await asyncio.sleep(0)
    assert rig.memory.hub.next_event == 0, "killed now, the next engine would never ask for these"
    rig.recorder.start()
    await rig.written()
    assert rig.memory.hub.next_event == 5
    await asyncio.to_thread(rig.recorder.close)
    with RecordReader.open(rig.path, KEY) as reader:
        assert [one.number for one in reader.hub_events("SH-1")] == [0, 1, 2, 3, 4]


async def test_what_could_not_be_written_is_not_hidden_by_what_comes_after(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    rig.recorder.start()

    def refuse(*_: object, **__: object) -> None:
        raise RecordError("It cannot be written.")

    with monkeypatch.context() as patch:
        patch.setattr(Record, "add_wear", refuse)
        rig.link.wear_arrived((), rig.events(0, 5))
        await rig.written()
    rig.link.wear_arrived((), rig.events(5, 5))
    await rig.written()
    assert rig.memory.hub.next_event == 0
    await asyncio.to_thread(rig.recorder.close)
