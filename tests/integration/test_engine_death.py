"""kill -9 of the engine in the middle of a treatment: the hub holds by itself, and no sample is lost or doubled."""

import numpy as np

from core.model.procedure import HoldOrigin, Step
from core.signals.catalogue import load_catalogue
from tests.integration.practice import Practice


def test_every_sample_survives_and_therapy_stays_held(practice: Practice) -> None:
    visit = practice.seat()
    practice.walk_to_treatment()

    practice.kill_engine()
    practice.states.clear()
    practice.start()

    practice.until(lambda: practice.view().step is Step.TREAT and practice.view().hold)
    hold = practice.view().hold
    assert hold is not None
    assert hold.origin is HoldOrigin.ENGINE
    assert practice.view().visit_id == visit
    practice.until(lambda: practice.chairs[1].state == "held" and practice.view().hold.hub_confirmed)  # type: ignore[union-attr]
    assert practice.workstation is not None
    assert practice.workstation.notice is not None
    practice.until(practice.caught_up)
    assert "treating" not in practice.states

    practice.shut_down()
    made, kept = practice.made(), practice.kept()
    assert len(kept) == len(load_catalogue().from_source("hub"))
    for key, samples in kept.items():
        assert np.array_equal(samples, made[key][: len(samples)]), key
    with practice.reader() as reader:
        assert reader.verify().problems == ()
