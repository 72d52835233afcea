"""What keeps the engine's loop quick, and that it is put back afterwards."""

import gc
import sys

from app.engine.promptness import SWITCH_SECONDS, promptness


def test_what_exists_is_spared_by_the_collector_while_the_engine_runs() -> None:
    before = sys.getswitchinterval()
    with promptness():
        assert gc.get_freeze_count() > 10_000
        assert abs(sys.getswitchinterval() - SWITCH_SECONDS) < 1e-6
        assert gc.isenabled(), "what comes later is collected"
    assert gc.get_freeze_count() == 0
    assert sys.getswitchinterval() == before
