"""What the patient agreed to: each version of the consent, and who was there."""

from collections.abc import Iterable

from core.exchange.fhir.clinical import module_concept
from core.exchange.fhir.codes import HL7, LOINC, Number, global_id, hl7, urn
from core.exchange.fhir.context import Context, Entries, instant
from core.exchange.fhir.datatypes import Coding, Concept, concept, refer
from core.exchange.fhir.people import Acting
from core.exchange.fhir.resources import Consent, Provenance, ProvenanceAgent, Provision, Verification
from core.model.procedure import Choice, Envelope, ModulePlan, ProcedureView

PATIENT_CONSENT = concept("Patient Consent", Coding(system=LOINC, code="59284-0", display="Patient Consent"))


def envelopes(history: Iterable[ProcedureView]) -> list[Envelope]:
    """Every version that was ever signed in a visit, the first one first."""
    found = {view.envelope.sha256: view.envelope for view in history if view.envelope is not None}
    return sorted(found.values(), key=lambda one: (one.signed_us, one.version))


def consent_entries(context: Context, signed: list[Envelope], in_force: Envelope | None, acting: Acting) -> Entries:
    """A version that is no longer in force is inactive, and still told."""
    for envelope in signed:
        digest = envelope.sha256.hex()
        identity = urn("Consent", context.visit.id, digest)
        active = in_force is not None and in_force.sha256 == envelope.sha256
        yield identity, _consent(context, envelope, digest, active=active)
        yield urn("Provenance", identity), _witnessed(context, envelope, identity, acting)


def _consent(context: Context, envelope: Envelope, digest: str, *, active: bool) -> Consent:
    signed = instant(envelope.signed_us)
    return Consent(
        identifier=(Number.CONSENT_SHA256.of(digest), *global_id(envelope.id)),
        status="active" if active else "inactive",
        scope=hl7("consentscope", "treatment", "Treatment"),
        category=(PATIENT_CONSENT,),
        patient=context.subject,
        date_time=signed,
        performer=(context.subject,),
        organization=context.organization,
        policy_rule=Concept(text=context.words.say("exchange.consent.rule", version=envelope.version)),
        verification=(Verification(verified=True, verified_with=context.subject, verification_date=signed),),
        provision=_provision(context, envelope),
    )


def _provision(context: Context, envelope: Envelope) -> Provision:
    """Permitted is what was agreed; denied, below it, what was declined, and going on beyond the patient's limits."""
    plan = envelope.plan
    agreed = tuple(_agreed(context, one) for one in plan.modules if one.choice is not Choice.DECLINED)
    declined = tuple(module_concept(context, one.module) for one in plan.modules if one.choice is Choice.DECLINED)
    limits: list[Concept] = []
    for limit in plan.own_limits:
        for key, value in (("above", limit.high), ("below", limit.low)):
            if value is not None:
                said = context.words.say(
                    f"exchange.consent.{key}", channel=f"@channel.{limit.channel}.name", value=value
                )
                limits.append(Concept(text=said))
    denied = (*declined, *limits)
    inner = (Provision(type="deny", code=denied),) if denied else ()
    return Provision(type="permit", code=agreed, provision=inner)


def _agreed(context: Context, module: ModulePlan) -> Concept:
    """The module, with teeth and ceiling in its text: the code alone says neither."""
    named = module_concept(context, module.module)
    teeth = ", ".join(str(tooth) for tooth in module.teeth) or context.words.say("module.whole_mouth")
    said = context.words.say("exchange.consent.module", module=named.text or "", teeth=teeth, dose=module.dose_percent)
    return Concept(coding=named.coding, text=said)


def _witnessed(context: Context, envelope: Envelope, identity: str, acting: Acting) -> Provenance:
    return Provenance(
        target=(refer(identity),),
        recorded=instant(envelope.signed_us),
        agent=(
            ProvenanceAgent(type=participant("author", "Author"), who=context.subject),
            ProvenanceAgent(type=participant("verifier", "Verifier"), who=refer(acting.meet(envelope.witness))),
        ),
    )


def participant(code: str, display: str) -> Concept:
    """How somebody took part in what a Provenance tells of."""
    return Concept(coding=(Coding(system=HL7 + "provenance-participant-type", code=code, display=display),))
