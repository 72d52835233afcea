"""Consent: a versioned envelope over everything that follows, and whether something is inside it."""

import uuid
from hashlib import sha256

import msgspec

from core.model import cbor
from core.model.hub import PhaseOrder
from core.model.limits import Limit
from core.model.procedure import Envelope, PhaseView, Plan
from core.procedure.modules import ModuleCatalogue
from core.procedure.plan import included, make_phases
from core.safety.limits import strictest, tightest

WAYS = ("patient_screen", "aloud")
HEAT_CHANNELS = ("pulp_temperature", "tissue_temperature")
"""A ceiling on any of them is a ceiling on the tissue temperature that the hub enforces by itself."""


def sign_envelope(
    plan: Plan, limits: tuple[Limit, ...], *, patient_id: str, visit_id: str, how: str, witness: str, at_us: int
) -> Envelope:
    """The envelope of one plan; its version is the plan's. Its id follows from visit and version."""
    envelope = Envelope(
        id=str(uuid.uuid5(uuid.NAMESPACE_OID, f"{visit_id}/{plan.version}")),
        version=plan.version,
        patient_id=patient_id,
        visit_id=visit_id,
        plan=plan,
        limits=strictest(limits),
        signed_by=how,
        witness=witness,
        signed_us=at_us,
        sha256=b"",
    )
    return msgspec.structs.replace(envelope, sha256=digest(envelope))


def digest(envelope: Envelope) -> bytes:
    """SHA-256 over the canonical CBOR of every field but `sha256`, 32 bytes."""
    # A limit of 38 and one of 38.0 are equal, yet CBOR tells them apart: bring every field to its declared type first.
    typed = msgspec.convert(msgspec.to_builtins(envelope, builtin_types=(bytes,)), Envelope)
    fields = {name: getattr(typed, name) for name in Envelope.__struct_fields__ if name != "sha256"}
    return sha256(cbor.encode(fields)).digest()


def covers_plan(envelope: Envelope | None, plan: Plan | None) -> bool:
    """Whether the consent was given to this very plan and nobody has altered it since."""
    return envelope is not None and envelope.plan == plan and envelope.sha256 == digest(envelope)


def make_order(modules: ModuleCatalogue, envelope: Envelope, phase: PhaseView, *, simulated: bool) -> PhaseOrder | None:
    """The order for what is left of a phase; None when the envelope does not cover it."""
    agreed = make_phases(modules, envelope.plan, simulated=simulated)
    same = [
        other
        for other in agreed
        if (other.number, other.module, other.key, other.tooth) == (phase.number, phase.module, phase.key, phase.tooth)
    ]
    if not same or phase.dose_percent > same[0].dose_percent or phase.seconds > same[0].seconds:
        return None
    row = next(row for row in included(envelope.plan) if row.module == phase.module)
    ceilings = [modules.key(phase.module).tissue_limit_c]
    if row.tissue_limit_c is not None:
        ceilings.append(row.tissue_limit_c)
    for channel in HEAT_CHANNELS:
        limit = tightest(envelope.limits, channel, high=True)
        if limit is not None and limit.high is not None:
            ceilings.append(limit.high)
    return PhaseOrder(
        phase=phase.number,
        module=modules.key(phase.module).number,
        tooth=phase.tooth,
        seconds=ordered_seconds(phase),
        dose_percent=phase.dose_percent,
        tissue_limit_c=min(ceilings),
        envelope_sha256=envelope.sha256,
    )


def agreed_orders(modules: ModuleCatalogue, envelope: Envelope, *, simulated: bool) -> tuple[PhaseOrder, ...]:
    """The most that may be ordered of each phase that the envelope covers: what the hub is told to stay within."""
    phases = make_phases(modules, envelope.plan, simulated=simulated)
    orders = (make_order(modules, envelope, phase, simulated=simulated) for phase in phases)
    return tuple(order for order in orders if order is not None)


def ordered_seconds(phase: PhaseView) -> int:
    """What the present order of a phase asks for: all of it, or the rest when the hub forgot an earlier order."""
    return max(1, round(phase.seconds - phase.delivered_before_s))
