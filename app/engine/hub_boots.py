"""When it was what a hub remembers: UTC for each of its boots, before the first frame of it is recorded."""

from collections.abc import Mapping, Sequence

from app.engine.flow import SampleFlow
from app.engine.recorder import Recorder
from core.signals.boots import FormerBoot, date_boots
from core.signals.clockmap import ClockFit
from devices.hub.session.identity import BootSpan


def date_memory(
    flow: SampleFlow,
    recorder: Recorder,
    serial: str,
    spans: Sequence[BootSpan],
    fits: Mapping[int, Sequence[ClockFit]],
    *,
    newest_us: int,
    now_us: int,
) -> None:
    """Date every boot of which memory holds frames and nothing is known yet; the present one by what comes live.

    Args:
        spans: in their order, the present one last.
        fits: by boot, as the record has them.
        newest_us: UTC µs of the newest sample of boots before those.
    """
    if not spans:
        return
    *former, present = spans
    newest_us = max(newest_us, flow.dated_us(serial))
    for span in former:
        if fits.get(span.boot):
            flow.recall(serial, span.boot, fits[span.boot])
        if flow.knows(serial, span.boot):
            newest_us = max(newest_us, flow.clock_map(serial, span.boot).utc_us(span.newest_us))
    unseen = [
        FormerBoot(span.boot, span.began_us, span.newest_us) for span in former if not flow.knows(serial, span.boot)
    ]
    dated = date_boots(unseen, after_us=newest_us, before_us=now_us - present.newest_us)
    for boot in unseen:
        fit = dated[boot.boot]
        flow.recall(serial, boot.boot, [fit])
        recorder.note(lambda record, boot=boot.boot, fit=fit: record.save_clock_fit(serial, boot, fit))  # type: ignore[misc]
        newest_us = max(newest_us, round(fit.utc0_us + (1 + fit.drift) * boot.newest_us))
    flow.recall(serial, present.boot, fits.get(present.boot, ()), not_before_us=newest_us)
