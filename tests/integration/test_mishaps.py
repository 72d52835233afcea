"""One practice, two chairs in treatment, and what goes wrong in a day: each is said, therapy holds, nothing is lost.

The checks share their practice and stand in the order of the day; each brings the chairs back to treatment first.
"""

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import psutil
import pytest

from app.ipc import messages as ipc
from app.ipc.client import EngineClient
from core.model.alarm import AlarmState
from core.model.errors import SmilescapeError
from core.model.hub import HoldCause, LinkState, TherapyState
from core.model.procedure import HoldOrigin, Step
from tests.integration.practice import PATIENCE_S, Practice

CHAIRS = (1, 2)


def mounted(folder: Path) -> bool:
    """Whether a small disk of its own could be had, as root on Linux can."""
    if not sys.platform.startswith("linux") or os.geteuid() != 0:
        return False
    command = ["mount", "-t", "tmpfs", "-o", "size=208m", "tmpfs", str(folder)]
    return subprocess.run(command, check=False, capture_output=True).returncode == 0


def can_mount() -> bool:
    probe = Path(__file__).parent
    if not sys.platform.startswith("linux") or os.geteuid() != 0:
        return False
    command = ["unshare", "-m", "mount", "-t", "tmpfs", "tmpfs", str(probe)]
    return subprocess.run(command, check=False, capture_output=True).returncode == 0


@pytest.fixture(scope="module")
def practice(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Practice]:
    """Its data lie on a small disk where that can be had; the hubs' own journals do not."""
    root = tmp_path_factory.mktemp("day")
    disk = root / "data"
    disk.mkdir()
    small = mounted(disk)
    (disk / "runtime").mkdir(mode=0o700)
    for chair in CHAIRS:
        (root / f"hub-{chair}").mkdir()
        (disk / "runtime" / f"hub-{chair}").symlink_to(root / f"hub-{chair}")
    one = Practice(disk, chairs=len(CHAIRS))
    try:
        one.start()
        yield one
    finally:
        one.close()
        if small:
            subprocess.run(["umount", "-l", str(disk)], check=True)


def log_of(practice: Practice) -> str:
    return (practice.folder.log_dir / "engine.log").read_text(encoding="utf-8")


def wait(seconds: float) -> None:
    """Where time itself is what is tested."""
    threading.Event().wait(seconds)


def test_stop_for_one_chair_leaves_the_other_treating(practice: Practice) -> None:
    practice.go_on(*CHAIRS)
    practice.stop(1)
    practice.until(lambda: practice.hub(1).therapy is TherapyState.HELD)
    assert practice.hold(1).origin is HoldOrigin.OPERATOR
    assert practice.view(2).hold is None
    practice.until_frames(20, chair=2)
    assert practice.hub(2).therapy is TherapyState.RUNNING
    practice.stop(0)
    practice.until(lambda: practice.hub(2).therapy is TherapyState.HELD)


def test_shutting_down_during_therapy_needs_a_persons_word(practice: Practice) -> None:
    practice.go_on()
    reply = practice.ask(ipc.Shutdown())
    assert isinstance(reply, ipc.Refused)
    assert (reply.code, reply.remedy is not None) == ("treating", True)
    practice.until_frames(20)
    assert practice.hub().therapy is TherapyState.RUNNING


def test_a_frozen_window_holds_every_chair(practice: Practice) -> None:
    practice.go_on(*CHAIRS)
    practice.beating = False
    try:
        for chair in CHAIRS:
            practice.until(lambda chair=chair: practice.hold(chair).origin is HoldOrigin.CONSOLE)  # type: ignore[misc]
            practice.until(lambda chair=chair: practice.hub(chair).therapy is TherapyState.HELD)  # type: ignore[misc]
        practice.until(lambda: "console.lost" in practice.alarms())
    finally:
        practice.beating = True
    practice.until(lambda: "console.lost" in practice.alarms(AlarmState.LATCHED))


def test_a_window_that_is_gone_holds_at_once_and_finds_its_procedure_again(practice: Practice) -> None:
    practice.go_on()
    visit, hold_before = practice.view().visit_id, practice.view().hold
    assert hold_before is None
    practice.detach()
    with practice.reader() as reader:
        samples = reader.info().samples
    watcher = EngineClient.connect(practice.engine.runtime, "tool")
    watcher.subscribe(practice._pushed)
    practice.until(lambda: practice.hub().therapy is TherapyState.HELD)
    practice.until_frames(60)
    watcher.close()
    with practice.reader() as reader:
        assert reader.info().samples > samples, "recording stopped with the window"

    practice.states.clear()
    practice.attach()
    practice.until_frames(60)
    assert practice.view().visit_id == visit
    assert practice.view().step is Step.TREAT
    assert practice.hold().origin is HoldOrigin.CONSOLE
    assert "treating" not in practice.states


def test_an_engine_that_stands_still_lets_the_lease_run_out(practice: Practice) -> None:
    practice.go_on()
    engine = psutil.Process(practice.engine.ensure())
    engine.suspend()
    wait(5.0)
    engine.resume()
    practice.until(lambda: practice.hub().cause is HoldCause.LEASE)
    practice.until(lambda: practice.hold().hub_confirmed)
    practice.until(lambda: "lease.expired" in practice.alarms())
    practice.until_frames(60)
    assert practice.hub().therapy is TherapyState.HELD
    assert "console.lost" not in practice.alarms(AlarmState.ACTIVE)


@pytest.mark.parametrize("fault", ["drop_link", "jam"])
def test_a_lost_link_holds_and_is_filled_from_the_hubs_memory(practice: Practice, fault: str) -> None:
    practice.go_on()
    practice.states.clear()
    practice.break_something(fault)
    practice.until(lambda: practice.hold().origin is HoldOrigin.LINK)
    practice.until(lambda: "link.lost" in practice.alarms())
    practice.until(lambda: practice.chairs[1].link is LinkState.UP)
    practice.until_frames(40)
    practice.until(practice.caught_up)
    assert practice.hub().therapy is TherapyState.HELD
    assert "link.lost" not in practice.alarms()


def test_a_link_that_breaks_in_the_middle_of_an_order_comes_back_whole(practice: Practice) -> None:
    tapped = practice.chairs[1].tapped_frames
    practice.break_something("drop_mid_write")
    practice.until(lambda: practice.chairs[1].link is not LinkState.UP and practice.chairs[1].state == "was_held")
    practice.until(lambda: practice.chairs[1].link is LinkState.UP and practice.chairs[1].state == "held")
    practice.until(lambda: practice.chairs[1].backfill_frames == 0 and practice.chairs[1].tapped_frames > tapped)
    assert "link.lost" not in practice.alarms(AlarmState.ACTIVE)


def test_a_disturbed_radio_loses_no_frame(practice: Practice) -> None:
    tapped = practice.chairs[1].tapped_frames
    practice.break_something("lossy_radio")
    practice.until(lambda: practice.chairs[1].tapped_frames > tapped + 200)
    practice.break_something("calm_air")
    practice.until(lambda: practice.chairs[1].backfill_frames == 0)
    assert practice.chairs[1].link is LinkState.UP


def test_a_damaged_frame_is_refused_said_and_fetched_again(practice: Practice) -> None:
    tapped = practice.chairs[1].tapped_frames
    practice.break_something("damage_frames")
    practice.until(lambda: "frame.refused" in practice.alarms())
    practice.until(lambda: practice.chairs[1].backfill_frames == 0 and practice.chairs[1].tapped_frames > tapped)
    assert "A protected record was refused" in log_of(practice)


def named(entry: ipc.LogEntry) -> tuple[int, int, str, str]:
    return entry.chair, entry.at_us, entry.kind, entry.text.key


def fill_disk(ballast: Path) -> None:
    with ballast.open("wb", buffering=0) as file:
        chunk = bytes(1 << 20)
        while len(chunk):
            try:
                file.write(chunk)
            except OSError:
                chunk = chunk[: len(chunk) // 2]


@pytest.mark.skipif(not can_mount(), reason="no small disk can be mounted here")
def test_a_full_disk_holds_and_when_there_is_room_recording_goes_on(practice: Practice) -> None:
    """The first chair that finds no room holds, and what was kept for it is room again: the other one may go on."""

    def noticed() -> bool:
        return "disk.full" in practice.alarms(AlarmState.ACTIVE)

    def held() -> list[int]:
        views = {chair: practice.chairs[chair].procedure for chair in CHAIRS}
        return [chair for chair, view in views.items() if view and view.hold and view.hold.origin is HoldOrigin.DISK]

    practice.shut_down()  # a fresh write-ahead log is small, so that it soon needs more room
    practice.start()
    ballast = practice.folder.root / "ballast"
    practice.go_on(*CHAIRS)
    fill_disk(ballast)
    practice.until(held)
    chair = held()[0]
    practice.until(lambda: "disk.reserve" in practice.alarms(AlarmState.ACTIVE))
    practice.until(lambda: practice.hub(chair).therapy is TherapyState.HELD)
    practice.until(lambda: not noticed())  # what was kept for the last minutes takes what comes now
    practice.until_frames(100, chair)
    with practice.reader(chair) as reader:
        assert reader.verify().problems == ()
    ballast.unlink()
    practice.until(lambda: "disk.reserve" not in practice.alarms(AlarmState.ACTIVE))
    for one in held():
        practice.resume(one)


def test_a_signed_visit_is_complete_for_whoever_looks_next(practice: Practice) -> None:
    for chair in CHAIRS:
        practice.go_on(chair)
        view = practice.view(chair)
        practice.sign(chair)
        shown = practice.ask(ipc.GetTimeline(patient_id=view.patient_id))
        assert isinstance(shown, ipc.Timeline)
        states = {visit.id: (visit.state, visit.ended_us is not None) for visit in shown.visits}
        assert states[view.visit_id] == ("ended_early", True)


def test_the_log_tells_the_day_newest_first_in_pages_that_miss_nothing(practice: Practice) -> None:
    whole = practice.ask(ipc.ListLog(limit=500))
    assert isinstance(whole, ipc.LogPage)
    assert not whole.more
    assert {"log.console_lost", "log.stop_sent", "log.link_lost"} <= {entry.text.key for entry in whole.entries}
    assert {entry.chair for entry in whole.entries} == set(CHAIRS)
    times = [entry.at_us for entry in whole.entries]
    assert times == sorted(times, reverse=True)

    paged: list[ipc.LogEntry] = []
    before: int | None = None
    more = True
    while more:
        page = practice.ask(ipc.ListLog(limit=7, before_us=before))
        assert isinstance(page, ipc.LogPage)
        paged += page.entries
        before, more = page.entries[-1].at_us, page.more
    known = set(times)  # whether an alarm is over may have changed since
    assert [named(entry) for entry in paged if entry.at_us in known] == [named(entry) for entry in whole.entries]


def test_the_practice_has_a_name_and_a_telephone(practice: Practice) -> None:
    assert isinstance(practice.ask(ipc.SetPractice(name=" ", phone="")), ipc.Refused)
    assert isinstance(practice.ask(ipc.SetPractice(name="Mill Street", phone="555 01 02")), ipc.Done)
    practice.until(lambda: practice.workstation is not None and practice.workstation.practice == "Mill Street")
    client = EngineClient.connect(practice.engine.runtime, "tool")
    assert client.welcome.practice == "Mill Street"
    client.close()


def test_a_stranger_without_the_key_gets_nothing(practice: Practice, tmp_path: Path) -> None:
    address = practice.engine.runtime / "engine.json"
    assert address.stat().st_mode & 0o077 == 0
    forged = tmp_path / "runtime"
    forged.mkdir(mode=0o700)
    text = address.read_text(encoding="utf-8")
    key = text.split('"key":"')[1][:64]
    (forged / "engine.json").write_text(text.replace(key, "00" * 32), encoding="utf-8")
    with pytest.raises(SmilescapeError):
        EngineClient.connect(forged, "stop")
    assert not practice.engine.wait(0.1), "the engine went on"


def test_an_engine_that_is_told_to_end_holds_first(practice: Practice) -> None:
    practice.go_on()
    practice.states.clear()
    engine = psutil.Process(practice.engine.ensure())
    engine.terminate()
    assert practice.engine.wait(PATIENCE_S)
    practice.detach()
    assert "Traceback" not in log_of(practice)
    practice.start()
    practice.until(lambda: practice.hold().origin is HoldOrigin.ENGINE)
    practice.until(lambda: practice.hub().therapy is TherapyState.HELD)
    assert practice.hub().cause is HoldCause.COMMAND, "the engine held it; no lease had to run out"
    assert "engine.restarted" in practice.alarms()


def test_after_all_this_no_sample_is_missing_doubled_or_changed(practice: Practice) -> None:
    practice.until(lambda: all(practice.caught_up(chair) for chair in CHAIRS))
    practice.shut_down()
    for chair in CHAIRS:
        made, kept = practice.made(chair), practice.kept(chair)
        assert len(kept) == 17
        for key, samples in kept.items():
            assert np.array_equal(samples, made[key][: len(samples)]), key
        with practice.reader(chair) as reader:
            assert reader.verify().problems == ()
            assert reader.losses() == []
            for channel in ("jaw_emg", "saliva_ph"):
                ends = 0
                for block in reader.samples(None, channel):
                    times = block.times_us()
                    assert np.all(np.diff(times) > 0)
                    assert times[0] > ends, "time went back"
                    ends = int(times[-1])
    practice.start()


def test_a_hub_that_vanishes_holds_and_comes_back_as_another_boot(practice: Practice) -> None:
    practice.go_on()
    boot = practice.chairs[1].identity
    practice.break_something("vanish")
    practice.until(lambda: practice.hold().origin in (HoldOrigin.LINK, HoldOrigin.LEASE))
    assert not practice.hold().hub_confirmed, "a hub that is gone has confirmed nothing"
    practice.until(lambda: "link.lost" in practice.alarms())
    practice.until(lambda: practice.chairs[1].hub is None)
    practice.until(lambda: practice.chairs[1].link is LinkState.UP)
    assert practice.chairs[1].identity != boot
    practice.until_frames(20)
    assert practice.hub().therapy is not TherapyState.RUNNING
    practice.until(lambda: practice.hold().hub_confirmed)


def test_an_engine_finds_its_radio_again(practice: Practice) -> None:
    practice.until(lambda: practice.chairs[2].hub)
    clinic = psutil.Process(practice.clinic.ensure().pid)
    hubs = clinic.children(recursive=True)
    clinic.kill()
    practice.until(lambda: "radio.absent" in practice.alarms())
    psutil.wait_procs([clinic, *hubs], timeout=PATIENCE_S)
    practice.devices = practice.clinic.ensure().devices
    practice.until(lambda: "radio.absent" not in practice.alarms())
    for chair in CHAIRS:
        practice.until(lambda chair=chair: practice.chairs[chair].link is LinkState.UP)  # type: ignore[misc]
        practice.until_frames(20, chair)
