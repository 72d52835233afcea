"""What the patient consented to, as the hub is told it."""

from core.model.hub import PhaseOrder
from core.model.procedure import ProcedureView
from core.procedure.consent import agreed_orders
from core.procedure.modules import ModuleCatalogue
from devices.hub.session.envelope import AllowedPhase, HubEnvelope


def hub_envelope(modules: ModuleCatalogue, view: ProcedureView) -> HubEnvelope | None:
    """The envelope in force of a procedure; None while the patient has not consented, or to nothing."""
    if view.envelope is None:
        return None
    orders = agreed_orders(modules, view.envelope, simulated=view.simulated)
    if not orders:
        return None
    phases = sorted((_allowed(order) for order in orders), key=lambda phase: phase.phase)
    return HubEnvelope(procedure=view.visit_id, consent_sha256=view.envelope.sha256, phases=tuple(phases))


def _allowed(order: PhaseOrder) -> AllowedPhase:
    return AllowedPhase(
        phase=order.phase,
        module=order.module,
        tooth=order.tooth,
        dose_percent=order.dose_percent,
        seconds=order.seconds,
        ceiling_centi_c=round(order.tissue_limit_c * 100),
    )
