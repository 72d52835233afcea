"""How people stand in lists that a patient may see: initials and a code, until somebody means to read the name."""

from core.model.people import Patient
from core.model.words import Words


def listed(words: Words, patient: Patient, code: str, *, shown: bool) -> str:
    """The name, or initials with the code of the visit (of the patient, where there is none).

    Whoever may not see names was sent the code in place of the name: that is all there is to show.
    """
    if shown or patient.given_name == patient.code:
        return patient.name
    return words.say("clinical.search.hidden", initials=patient.initials, code=code or patient.code)
