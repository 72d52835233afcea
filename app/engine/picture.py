"""One chair as the console draws it."""

from typing import TYPE_CHECKING

from app.engine.sentence import Situation, sentence
from app.ipc import messages as ipc
from core.model.hub import LinkState

if TYPE_CHECKING:
    from app.engine.chair import Chair


def picture(chair: "Chair") -> ipc.Chair:
    """Everything the console needs to draw a chair, but for the samples."""
    hub, visit = chair.hub, chair.visits.now
    patient = visit.patient if visit is not None else None
    status = hub.status if hub is not None else None
    link = hub.link if hub is not None else LinkState.ABSENT
    said = sentence(
        Situation(
            bound=hub is not None or chair.expects_hub,
            link=link,
            link_reason=hub.link_reason if hub is not None else None,
            status=status,
            view=chair.view,
            patient=patient.given_name if patient is not None else "",
            silent_s=hub.silent_s if hub is not None else 0.0,
            now_us=chair.house.clock.utc_us(),
            heard_us=hub.heard_us if hub is not None else None,
        )
    )
    return ipc.Chair(
        number=chair.number,
        state=said.state,
        headline=said.headline,
        reason=said.reason,
        next_step=said.next_step,
        link=link,
        link_reason=hub.link_reason if hub is not None else None,
        hub_address=hub.address if hub is not None else None,
        identity=hub.identity if hub is not None else None,
        hub=status,
        hub_info=hub.info if hub is not None else None,
        sensors=tuple(sensor.view() for sensor in chair.sensors.values()),
        patient=patient if chair.view is not None else None,
        procedure=chair.view,
        limits=chair.limits,
        lease_until_monotonic=hub.lease_until if hub is not None else None,
        recording_since_us=visit.summary.began_us if visit is not None and visit.open else None,
        values=chair.flow.values(),
        backfill_frames=hub.missing if hub is not None else 0,
        tapped_frames=hub.tap.total if hub is not None else 0,
        simulated=chair.house.simulated,
    )
