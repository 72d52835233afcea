"""The daily backup: made when it is due and nobody is treated, told of when it is too old."""

import asyncio
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from app.engine.backups import DAY_US, BackupDesk, BackupHouse
from app.engine.vault_wire import Ended, Failed
from core.backup.making import manifests
from core.backup.places import Place, keep_place
from core.record import PracticeFile
from tests.core.backup.house import DENTIST, Premises, premises


@pytest.fixture
def house(tmp_path: Path) -> Premises:
    return premises(tmp_path / "data")


def engine(house: Premises, practice: PracticeFile, *, busy: bool) -> BackupHouse:
    """As much of one as the desk asks: its files are real."""
    chairs = {1: SimpleNamespace(busy=busy)}
    return cast(
        BackupHouse,
        SimpleNamespace(
            clock=house.clock,
            practice_file=practice,
            chairs=chairs,
            simulated=False,
            notice=None,
            folder=SimpleNamespace(runtime_dir=house.root / "runtime"),
            backed_up=lambda: house.sources,
            names=lambda: {DENTIST.id: DENTIST.name},
            touched=lambda: None,
        ),
    )


def test_one_a_day_and_none_while_a_chair_is_busy(house: Premises, tmp_path: Path) -> None:
    place, practice = tmp_path / "disk", house.practice()
    keep_place(practice, Place(path=str(place), daily=True))
    busy = engine(house, practice, busy=True)
    asyncio.run(BackupDesk(busy).look())
    assert not place.exists()
    assert busy.notice is not None
    assert busy.notice.key == "notice.backup_never"
    quiet = engine(house, practice, busy=False)
    for _ in range(2):
        asyncio.run(BackupDesk(quiet).look())
    assert len(manifests(place)) == 1
    assert quiet.notice is None
    house.clock.advance(DAY_US / 1e6)
    asyncio.run(BackupDesk(quiet).look())
    assert len(manifests(place)) == 2
    practice.close()


def test_a_disk_that_is_away_is_told_of_after_three_days(house: Premises, tmp_path: Path) -> None:
    place, practice = tmp_path / "mount" / "disk", house.practice()
    place.parent.mkdir()
    keep_place(practice, Place(path=str(place), daily=True))
    one = engine(house, practice, busy=False)
    asyncio.run(BackupDesk(one).look())
    place.parent.rename(tmp_path / "away")
    house.clock.advance(4 * DAY_US / 1e6)
    asyncio.run(BackupDesk(one).look())
    assert one.notice is not None
    assert (one.notice.key, one.notice.values["days"]) == ("notice.backup_late", 4)
    practice.close()


def test_what_is_made_by_itself_gives_way_to_a_visit_and_what_a_person_began_does_not(
    house: Premises, tmp_path: Path
) -> None:
    place, practice = tmp_path / "disk", house.practice()
    one = engine(house, practice, busy=False)
    desk = BackupDesk(one)

    async def both() -> None:
        for by_itself, wanted in ((True, Failed), (False, Ended)):
            work = asyncio.ensure_future(desk.make(place, by_itself=by_itself))
            await asyncio.sleep(0)
            assert desk.jobs()
            vars(one.chairs[1])["busy"] = True
            desk.chairs_changed()
            outcome = await work
            assert isinstance(outcome, wanted), outcome
            if isinstance(outcome, Failed):
                assert outcome.code == "backup.cancelled"
                assert not list(place.iterdir())
            vars(one.chairs[1])["busy"] = False

    asyncio.run(both())
    assert not desk.jobs()
    assert len(manifests(place)) == 1
    practice.close()


def test_a_person_cancels_and_nothing_is_left(house: Premises, tmp_path: Path) -> None:
    place, practice = tmp_path / "disk", house.practice()
    desk = BackupDesk(engine(house, practice, busy=False))

    async def cancelled() -> None:
        work = asyncio.ensure_future(desk.make(place))
        await asyncio.sleep(0)
        (job,) = desk.jobs()
        assert desk.cancel(job.id)
        outcome = await work
        assert isinstance(outcome, Failed)
        assert outcome.code == "backup.cancelled"
        assert not desk.cancel(job.id)

    asyncio.run(cancelled())
    assert not place.exists() or not list(place.iterdir())
    assert desk.state.places == 0
    practice.close()
