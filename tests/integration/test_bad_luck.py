"""Things that go wrong in the middle of a visit: each is said, therapy holds, and nothing recorded is lost."""

import signal
import threading
from pathlib import Path

import numpy as np
import psutil
import pytest

from app.ipc import messages as ipc
from app.ipc.client import EngineClient
from core.model.errors import SmilescapeError
from core.model.hub import LinkState, TherapyState
from core.model.procedure import HoldOrigin
from tests.integration.practice import Practice


def hub_process(practice: Practice) -> psutil.Process:
    """The process of chair 1's simulated hub."""
    clinic = psutil.Process(practice.clinic.ensure().pid)
    return next(child for child in clinic.children(recursive=True) if "SIM-00101" in child.cmdline())


def alarms(practice: Practice) -> list[str]:
    assert practice.workstation is not None
    return [alarm.kind for alarm in practice.workstation.alarms]


def test_a_frozen_window_holds_therapy(practice: Practice) -> None:
    practice.seat()
    practice.walk_to_treatment()
    practice.beating = False

    practice.until(lambda: practice.view().hold)

    hold = practice.view().hold
    assert hold is not None
    assert hold.origin is HoldOrigin.CONSOLE
    practice.until(lambda: practice.chairs[1].hub.therapy is TherapyState.HELD)  # type: ignore[union-attr]
    practice.until(lambda: "console.lost" in alarms(practice))


def test_a_stopped_engine_lets_the_lease_run_out(practice: Practice) -> None:
    if not hasattr(signal, "SIGSTOP"):
        pytest.fail("this system cannot stop a process; the lease is tested with the hub alone")
    practice.seat()
    practice.walk_to_treatment()
    engine = psutil.Process(practice.engine.ensure())

    engine.suspend()
    threading.Event().wait(4.5)  # what is tested is time itself: a lease of 3 s that nobody renews
    engine.resume()

    practice.until(lambda: practice.view().hold)
    practice.until(lambda: practice.chairs[1].hub.therapy is TherapyState.HELD)  # type: ignore[union-attr]


def test_a_link_that_is_lost_is_filled_and_damaged_frames_are_refused(practice: Practice) -> None:
    practice.seat()
    practice.until(lambda: practice.chairs[1].hub.newest_sequence > 50)  # type: ignore[union-attr]
    practice.break_something("damage_frames")
    practice.until(lambda: "frame.refused" in alarms(practice))
    practice.break_something("drop_link")
    practice.until(lambda: practice.chairs[1].link is not LinkState.UP)
    practice.until(lambda: "link.lost" in alarms(practice))
    practice.until(lambda: practice.chairs[1].link is LinkState.UP and practice.chairs[1].hub)
    back = practice.chairs[1].hub
    assert back is not None
    practice.until(lambda: practice.chairs[1].hub.newest_sequence > back.newest_sequence + 50)  # type: ignore[union-attr]
    practice.until(lambda: practice.chairs[1].backfill_frames == 0)

    practice.shut_down()
    made, kept = practice.made(), practice.kept()
    assert kept
    for key, samples in kept.items():
        assert np.array_equal(samples, made[key][: len(samples)]), key


def test_a_hub_that_vanishes_holds_the_procedure(practice: Practice) -> None:
    practice.seat()
    practice.walk_to_treatment()
    hub_process(practice).send_signal(signal.SIGKILL)
    practice.until(lambda: practice.view().hold)
    hold = practice.view().hold
    assert hold is not None
    assert hold.origin in (HoldOrigin.LINK, HoldOrigin.LEASE)
    assert not hold.hub_confirmed, "a hub that is gone has confirmed nothing"
    practice.until(lambda: "link.lost" in alarms(practice))


def test_shutting_down_during_therapy_needs_a_persons_word(practice: Practice) -> None:
    practice.seat()
    practice.walk_to_treatment()
    reply = practice.ask(ipc.Shutdown())
    assert isinstance(reply, ipc.Refused)
    assert practice.chairs[1].state == "treating"
    practice.stop(1)
    practice.until(lambda: practice.chairs[1].hub.therapy is TherapyState.HELD)  # type: ignore[union-attr]


def test_the_log_and_the_time_line_tell_of_it(practice: Practice) -> None:
    practice.seat()
    page = practice.ask(ipc.ListLog(limit=5))
    assert isinstance(page, ipc.LogPage)
    assert any(entry.text.key == "log.seated" for entry in page.entries)
    older = practice.ask(ipc.ListLog(before_us=page.entries[-1].at_us, limit=5))
    assert isinstance(older, ipc.LogPage)
    assert all(entry.at_us < page.entries[-1].at_us for entry in older.entries)
    assert isinstance(practice.ask(ipc.SetPractice(name="Mill Street", phone="1")), ipc.Done)
    practice.until(lambda: practice.workstation is not None and practice.workstation.practice == "Mill Street")


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
