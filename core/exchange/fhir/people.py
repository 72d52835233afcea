"""Who: patient, practice, the people who act, and the program itself."""

from collections.abc import Iterable

from core.exchange.fhir.codes import Number, Own, OwnCodes, global_id, hl7, urn
from core.exchange.fhir.context import Context, Entries, Entry, Sender
from core.exchange.fhir.datatypes import Concept, ContactPoint, HumanName, concept, refer
from core.exchange.fhir.resources import (
    AllergyIntolerance,
    Device,
    DeviceName,
    DeviceVersion,
    Organization,
    Patient,
    Practitioner,
)
from core.model import people as model
from core.model.words import Words


def patient_urn(patient_id: str) -> str:
    return urn("Patient", patient_id)


def patient_entries(patient: model.Patient) -> Entries:
    """The patient, and allergies as they were told: free text is not coded, and nothing written is no "none"."""
    identity = patient_urn(patient.id)
    yield (
        identity,
        Patient(
            identifier=(Number.PATIENT_CODE.of(patient.code), *global_id(patient.id)),
            name=(_name(patient),),
            telecom=(ContactPoint(system="phone", value=patient.phone),) if patient.phone else (),
            birth_date=patient.birth_date,
        ),
    )
    if patient.allergies.strip():
        yield (
            urn("AllergyIntolerance", patient.id),
            AllergyIntolerance(
                clinical_status=hl7("allergyintolerance-clinical", "active", "Active"),
                verification_status=hl7("allergyintolerance-verification", "unconfirmed", "Unconfirmed"),
                code=Concept(text=patient.allergies.strip()),
                patient=refer(identity),
            ),
        )


def _name(patient: model.Patient) -> HumanName:
    return HumanName(
        use="official",
        text=patient.name,
        family=patient.family_name or None,
        given=(patient.given_name,) if patient.given_name else (),
    )


def sender_entries(sender: Sender, own: OwnCodes, words: Words) -> Entries:
    """The practice, when it has a name, and the program."""
    if sender.practice:
        phone = (ContactPoint(system="phone", value=sender.phone),) if sender.phone else ()
        yield urn("Organization", sender.practice), Organization(name=sender.practice, telecom=phone)
    said = words.say("exchange.device.workstation")
    yield (
        urn("Device", "workstation"),
        Device(
            device_name=(DeviceName(name=said, type="model-name"),),
            type=concept(said, own.coding(Own.DEVICE, "workstation", said)),
            version=(DeviceVersion(value=sender.software),) if sender.software else (),
        ),
    )


class Acting:
    """The people who acted, as they are met; the record knows them by id, and by name where somebody signed."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._met: dict[str, str] = {}

    def meet(self, operator_id: str, name: str = "") -> str:
        """The urn of somebody who acted."""
        known = self._context.sender.people.get(operator_id, "") or self._met.get(operator_id, "")
        self._met[operator_id] = name or known
        return urn("Practitioner", operator_id)

    def entries(self) -> Iterable[Entry]:
        for operator_id, name in self._met.items():
            yield (
                urn("Practitioner", operator_id),
                Practitioner(
                    identifier=global_id(operator_id) or (Number.OPERATOR.of(operator_id),),
                    name=(HumanName(text=name),) if name else (),
                ),
            )
